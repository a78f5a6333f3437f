"""What holds for any feeds: every thing in one bucket, the same result in any order, nothing twice."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.finance.inputs import Inputs, Reconciliation
from shared.finance.matching.reconcile import reconcile
from shared.finance.models import LineKind, MovementKind, PaymentKind, PaymentState, Rule
from tests.builders.finance import NOON, bank_line, inputs, line, movement, payment, payout, statement

NAMES = st.sampled_from(["1", "2", "3", "4"])
AMOUNTS = st.sampled_from([1000, 2000, 3000, 4999])
MOMENTS = st.integers(0, 20).map(lambda days: NOON + timedelta(days=days))
CURRENCIES = st.sampled_from(["EUR", "EUR", "JPY"])


@st.composite
def orders(draw: st.DrawFn, order_id: str) -> Any:
    at, currency = draw(MOMENTS), draw(CURRENCIES)
    movements = [
        movement(
            draw(AMOUNTS),
            movement_id=f"m{order_id}{number}",
            kind=draw(st.sampled_from([MovementKind.CAPTURE, MovementKind.CAPTURE, MovementKind.REFUND])),
            gateway=draw(st.sampled_from(["stripe", "stripe", "cash", "klarna"])),
            at=at,
            currency=currency,
            references=draw(st.lists(NAMES.map(lambda name: f"ch_{name}"), max_size=1)),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    return statement(order_id, draw(AMOUNTS), at=at, currency=currency, movements=movements, test=draw(st.booleans()))


@st.composite
def settled(draw: st.DrawFn, line_id: str) -> Any:
    return line(
        line_id,
        draw(AMOUNTS) * draw(st.sampled_from([1, -1])),
        kind=draw(st.sampled_from(list(LineKind))),
        fee=draw(st.integers(-5, 50)),
        at=draw(MOMENTS),
        currency=draw(CURRENCIES),
        payment_id=draw(st.none() | NAMES.map(lambda name: f"ch_{name}")),
        source_id=draw(st.none() | NAMES.map(lambda name: f"re_{name}")),
        payout_id=draw(st.none() | NAMES),
        references=tuple(draw(st.lists(NAMES, max_size=2))),
        test=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def feeds(draw: st.DrawFn) -> list[Any]:
    things: list[Any] = [draw(orders(name)) for name in draw(st.sets(NAMES))]
    things += [draw(settled(f"txn_{number}")) for number in range(draw(st.integers(0, 8)))]
    for name in draw(st.sets(NAMES)):
        kind, state = draw(st.sampled_from(list(PaymentKind))), draw(st.sampled_from(list(PaymentState)))
        word = payment(f"ch_{name}", draw(AMOUNTS), kind=kind, state=state, at=draw(MOMENTS), parent_id=f"ch_{name}x")
        things.append(word)
    for name in draw(st.sets(NAMES)):
        things.append(payout(name, draw(AMOUNTS), on=draw(MOMENTS).date(), itemised=draw(st.booleans())))
    for name in draw(st.sets(NAMES)):
        things.append(
            bank_line(name, draw(AMOUNTS), on=draw(MOMENTS).date(), text=draw(st.sampled_from(["STRIPE", "X"])))
        )
    return things


AS_OF = NOON + timedelta(days=25)


def counted(told: Inputs) -> int:
    return sum(map(len, (told.orders, told.payments, told.lines, told.payouts, told.bank_lines)))


def written(result: Reconciliation) -> str:
    buckets = [(str(item), bucket) for item, bucket in result.buckets.items()]
    closed = sorted(result.closed_orders)
    return repr((result.matches, result.discrepancies, buckets, list(result.order_of.items()), closed))


@given(feeds(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_any_order_of_the_inputs_comes_to_the_same_to_the_byte(things: list[Any], chance: Any) -> None:
    shuffled: Sequence[Any] = chance.sample(things, len(things))
    assert written(reconcile(inputs(*things, as_of=AS_OF))) == written(reconcile(inputs(*shuffled, as_of=AS_OF)))


@given(feeds())
@settings(max_examples=150, deadline=None)
def test_every_thing_ends_in_exactly_one_bucket(things: list[Any]) -> None:
    told = inputs(*things, as_of=AS_OF)
    result = reconcile(told)
    assert len(result.buckets) == counted(told)
    ids = [*(one.id for one in result.matches), *(one.id for one in result.discrepancies)]
    assert len(set(ids)) == len(ids)


@given(feeds())
@settings(max_examples=150, deadline=None)
def test_no_line_pays_two_orders_and_a_guess_never_differs_in_money(things: list[Any]) -> None:
    told = inputs(*things, as_of=AS_OF)
    result = reconcile(told)
    by_name = {f"{one.account}/{one.line_id}": one for one in told.lines}
    wanted = {str(order.key): [one.amount for one in order.movements] for order in told.orders}
    seen: set[str] = set()
    for match in result.matches:
        if match.rule in (Rule.PAYOUT, Rule.BANK_AMOUNT, Rule.BANK_REFERENCE):
            continue
        key = next(item.id for item in match.items if item.subject == "order")
        lines = [item.id for item in match.items if item.subject == "line"]
        assert seen.isdisjoint(lines)
        seen.update(lines)
        assert {result.order_of[name] for name in lines} == {key}
        if match.rule is Rule.UNIQUE_AMOUNT:
            assert all(abs(by_name[name].gross) in wanted[key] for name in lines)
    assert seen == set(result.order_of)


@given(feeds())
@settings(max_examples=100, deadline=None)
def test_what_is_known_of_earlier_charges_changes_nothing_that_is_here(things: list[Any]) -> None:
    told = inputs(*things, as_of=AS_OF)
    first = reconcile(told)
    charges = {
        f"{one.account}/{one.payment_id}": first.order_of[name]
        for one in told.lines
        if one.kind is LineKind.CAPTURE
        and one.payment_id
        and (name := f"{one.account}/{one.line_id}") in first.order_of
    }
    again = reconcile(inputs(*things, as_of=AS_OF, known_charges=charges))
    assert first.order_of.items() <= again.order_of.items()
