"""An order's money, explained to the cent."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.finance.cases import Case
from shared.finance.due.view import LedgerView
from shared.finance.explain import OrderMoney, explain_order, sources_of_order
from shared.finance.models import DiscrepancyKind, Item, LineKind, Match, MovementKind, PaymentState, Rule, Subject
from shared.finance.posting import bring_up_to_date
from tests.builders.ledger import (
    DAY,
    NOON,
    arrival,
    case,
    days,
    dispute,
    document,
    line,
    movement,
    on,
    payout,
    sold,
    statement,
    view,
    written_off,
)
from tests.fakes.finance import FakeFinanceBook

ORDER = "aurora/5001"


def of_order(*lines: str) -> Match:
    items = [
        Item(subject=Subject.ORDER, id=ORDER),
        *(Item(subject=Subject.LINE, id=f"stripe-eu/{name}") for name in lines),
    ]
    return Match(id="m", rule=Rule.REFERENCE, items=tuple(items), currency="EUR", amount=1, evidence=("t names l1",))


def explained(known: LedgerView, *cases: Case) -> OrderMoney:
    """After posting what is due, looking up nothing but the order's own sources."""
    book = FakeFinanceBook()
    bring_up_to_date(known, book, since=DAY, until=on(30))
    (order,) = known.orders
    about = (*known.cases, *cases)
    sources = sources_of_order(order, known.lines, about)
    entries = [entry for kept in book.entries_of(sources).values() for entry in kept]
    matches = (*known.matches, of_order(*(one.line_id for one in known.lines)))
    return explain_order(order, known.lines, matches, entries, known.payouts, about)


def paid_view(*lines: Any, **parts: Any) -> LedgerView:
    order_of = {f"stripe-eu/{one.line_id}": ORDER for one in lines}
    return view(**({"orders": (statement(),), "lines": lines, "order_of": order_of} | parts))


def test_a_paid_order_closes_to_zero() -> None:
    known = paid_view(
        line("l1", 1190, 40, payout_id="po_1"),
        payouts=(payout("po_1", 9000, arrives_on=on(2)),),
        matches=(arrival("main/b1", "stripe-eu/po_1"),),
    )
    money = explained(known)
    assert money.closes
    assert (money.owed, money.paid, money.written_off) == (1190, 1190, 0)
    assert (money.receipts, money.fees, money.net) == ({"EUR": 1190}, {"EUR": 40}, {"EUR": 1150})
    (share,) = money.payouts
    assert (share.payout, share.net, share.amount, share.bank_line) == ("stripe-eu/po_1", 1150, 9000, "main/b1")
    assert (money.movements[0].matched_by, money.movements[0].evidence) == ("reference", ("t names l1",))
    (sale,) = money.documents
    assert sale.goods + sale.charges + sale.taxes + sale.gift_cards == sale.total == 1190


def test_a_refund_lowers_both_sides() -> None:
    back = document("refund/7", sold(400), tax=76, shipping=24, at=NOON + days(1))
    order = statement(reductions=(back,))
    lines = (line("l1", 1190, 40, payout_id="po_1"), line("l2", -500, kind=LineKind.REFUND, occurred_at=NOON + days(1)))
    money = explained(paid_view(*lines, orders=(order,)))
    assert [(one.id, one.total) for one in money.documents] == [("sale", 1190), ("refund/7", -500)]
    assert (money.owed, money.paid, money.receipts, money.unexplained) == (690, 690, {"EUR": 690}, {})
    assert [(share.payout, share.net) for share in money.payouts] == [("stripe-eu/po_1", 1150), (None, -500)]


def test_what_is_open_is_said_with_its_reason() -> None:
    short = case(DiscrepancyKind.PARTIAL_CAPTURE, f"order:{ORDER}", 1190, 1000)
    elsewhere = case(DiscrepancyKind.PARTIAL_CAPTURE, "order:aurora/9", 5, 1)
    over = case(DiscrepancyKind.UNKNOWN_TXN, "line:stripe-eu/l1", 0, 5, closed_at=NOON, state="cleared")
    money = explained(paid_view(line("l1", 1000)), short, elsewhere, over)
    assert (money.unexplained, money.closes, money.paid) == ({"EUR": 190}, False, 1000)
    assert [(reason.kind, reason.difference) for reason in money.reasons] == [("partial_capture", -190)]


def test_a_write_off_counts_as_paid_and_is_told() -> None:
    lost = written_off(DiscrepancyKind.PARTIAL_CAPTURE, f"order:{ORDER}", 1190, 1000)
    money = explained(paid_view(line("l1", 1000), cases=(lost,)))
    assert (money.closes, money.paid, money.written_off) == (True, 1190, 190)


def test_what_a_dispute_holds_is_open_until_it_is_lost() -> None:
    lines = (line("l1", 1190), line("d1", -1190, 1500, LineKind.DISPUTE, source_id="dp_1"))
    assert explained(paid_view(*lines)).unexplained == {"EUR": 1190}
    lost = explained(paid_view(*lines, payments=(dispute("dp_1", PaymentState.LOST),)))
    assert (lost.unexplained, lost.net) == ({}, {"EUR": -1500})


def test_gift_cards_and_cash_pay_without_a_line() -> None:
    order = statement(movements=(movement("g", 200, "gift_card"), movement("c", 990, "cod")))
    money = explained(view(orders=(order,)))
    assert (money.paid, money.closes, money.receipts, money.payouts) == (1190, True, {}, ())


def test_an_order_from_before_the_books_is_explained_by_what_was_paid() -> None:
    known = paid_view(line("l1", 1190, occurred_at=NOON + days(2)))
    rules = known.rules.model_copy(update={"books_from": on(1).isoformat()})
    money = explained(paid_view(*known.lines, rules=rules))
    assert (money.owed, money.paid) == (1190, 1190)


parts = st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 500), st.booleans()), min_size=1, max_size=6)


@given(parts, st.integers(0, 10**6))
def test_the_figures_tie_out(captures: list[tuple[int, int, bool]], given_back: int) -> None:
    total = sum(amount for amount, _, _ in captures)
    lines = [
        line(f"l{number}", amount, fee, payout_id=f"po_{number % 2}" if is_paid else None)
        for number, (amount, fee, is_paid) in enumerate(captures)
    ]
    back = min(given_back, total)
    reductions = (document("refund/1", sold(back)),) if back else ()
    if back:
        lines.append(line("r", -back, kind=LineKind.REFUND))
    moved = (movement("t", total), movement("r", back, kind=MovementKind.REFUND))
    money = explained(paid_view(*lines, orders=(statement(total=total, reductions=reductions, movements=moved),)))
    assert money.closes
    assert money.owed == sum(one.total for one in money.documents) == money.paid == money.receipts.get("EUR", 0)
    assert sum(share.net for share in money.payouts) == money.net.get("EUR", 0)
    assert money.net.get("EUR", 0) == money.receipts.get("EUR", 0) - money.fees.get("EUR", 0)


def test_it_is_plain_data() -> None:
    money = explained(paid_view(line("l1", 1190)))
    assert OrderMoney.model_validate_json(money.model_dump_json()) == money
