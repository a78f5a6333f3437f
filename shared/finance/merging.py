"""One fact of everything that was stated of it, in whatever order the statements came, and however often.

What is kept of a fact is one statement per feed, for that is the least from which the same follows in any order: a
field that only an export tells must give way when a report tells it too, and remain when the report does not. Within a
feed two statements are joined (the joins are commutative, associative and idempotent), and the fact is read off the
statements of all feeds together:

* a settlement line is what the feed that is believed most says (:class:`~shared.finance.models.Feed`); feeds that
  agree with its figures fill in what it does not tell, those that do not agree are left out whole;
* a payment is what was said last; at the same moment, what is final goes before what is not;
* a payout is in the furthest state that any feed has told;
* an order is its newest statement; a bank line what the best feed says; a balance is itself.

References add up, and what one statement calls a test is one.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple, TypeVar, assert_never, cast

from shared.finance.models import (
    BankLine,
    Fact,
    Feed,
    LineKind,
    OrderStatement,
    Payment,
    PaymentState,
    Payout,
    PayoutState,
    ProviderBalance,
    SettlementLine,
    Subject,
    bank_key,
    line_key,
    payment_key,
    payout_key,
)
from shared.kernel.clock import as_sortable

_Fact = TypeVar("_Fact", bound=Fact)

_BELIEVED = {feed: -place for place, feed in enumerate(Feed)}
_FINAL = frozenset(
    {PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CANCELLED, PaymentState.WON, PaymentState.LOST}
)
_PROGRESS = {
    PayoutState.PENDING: 0,
    PayoutState.IN_TRANSIT: 1,
    PayoutState.PAID: 2,
    PayoutState.FAILED: 3,
    PayoutState.CANCELLED: 3,
}
_LINE_DETAILS = ("payment_id", "source_id", "payout_id", "exchange_rate", "available_on")


class Merged(NamedTuple):
    """What is known of a fact after one more statement of it."""

    statements: tuple[Fact, ...]
    """To be kept, and handed in as what is known the next time: one for each feed, the most believed first."""
    fact: Fact
    """What they come to."""
    changed: bool
    """Whether the fact is another one than before. Of a new fact: yes."""
    restated: bool
    """Whether the statement's money is another one than what was known. What a payment or an order comes to may change
    with time; what a line, a payout, a balance or a bank line comes to may not."""


def identity(fact: Fact) -> str:
    """The one name of a fact, whoever states it: `line:stripe-eu/txn_1`, `order:aurora/5001`,
    `balance:stripe-eu/EUR/2026-11-24T00:00:00.000000000Z`."""
    match fact:
        case OrderStatement():
            return f"{Subject.ORDER}:{fact.key}"
        case Payment():
            return f"{Subject.PAYMENT}:{payment_key(fact)}"
        case SettlementLine():
            return f"{Subject.LINE}:{line_key(fact)}"
        case Payout():
            return f"{Subject.PAYOUT}:{payout_key(fact)}"
        case BankLine():
            return f"{Subject.BANK}:{bank_key(fact)}"
        case ProviderBalance():
            return f"balance:{fact.account}/{fact.currency}/{as_sortable(fact.as_of)}"
    assert_never(fact)


def day_of(fact: Fact, zone: tzinfo) -> date:
    """The day of business that a fact belongs to: of an order that of its placing, of a payout that of its issue, of a
    bank line that of its booking."""
    match fact:
        case OrderStatement():
            return _day(fact.placed_at, zone)
        case Payment() | SettlementLine():
            return _day(fact.occurred_at, zone)
        case Payout():
            return fact.issued_on
        case BankLine():
            return fact.booked_on
        case ProviderBalance():
            return _day(fact.as_of, zone)
    assert_never(fact)


def _day(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def merge(known: Sequence[Fact], stated: Fact) -> Merged:
    """Add a statement to those that are known of the same fact: none, when it is new."""
    before = fact_of(known) if known else None
    own = _tidy(stated)
    by_feed = {_feed_of(statement): statement for statement in known}
    same_feed = by_feed.get(_feed_of(own))
    by_feed[_feed_of(own)] = own if same_feed is None else _join(same_feed, own)
    statements = tuple(by_feed[feed] for feed in sorted(by_feed, key=_place))
    fact = fact_of(statements)
    return Merged(statements, fact, fact != before, before is not None and _money_of(before) != _money_of(own))


def restated_figures(before: Sequence[str], known: Fact, stated: Fact) -> tuple[str, ...]:
    """The figures that were stated of a fact, oldest first, each once, after a statement that contradicts it."""
    return tuple(dict.fromkeys((*before, figures_of(known), figures_of(stated))))


def figures_of(fact: Fact) -> str:
    """The money of a statement in one line, to be compared and shown: `EUR 1250 - 43 = 1207`, in minor units."""
    match fact:
        case SettlementLine():
            return f"{fact.currency} {fact.gross} - {fact.fee} = {fact.net}"
        case OrderStatement():
            return f"{fact.currency} {fact.owed}"
        case _:
            return f"{fact.currency} {fact.amount}"


# ---- how two statements of one feed are joined -----------------------------------------------------------------------
#
# Each join takes the greater by a total order over everything that is not joined by itself. That makes it commutative,
# associative and idempotent. Where more is joined for statements of the same money only, that comes after it in the
# order (a lexicographic product), which keeps the three laws.


def _join(one: Fact, other: Fact) -> Fact:
    if isinstance(one, SettlementLine) and isinstance(other, SettlementLine):
        return _join_lines(one, other)
    return _united(max(one, other, key=_order_of), (one, other))


def _join_lines(one: SettlementLine, other: SettlementLine) -> SettlementLine:
    if _line_money(one) != _line_money(other):
        return max(one, other, key=_line_money)
    core = max(one, other, key=lambda line: (line.occurred_at, line.occurred_at.isoformat(), line.category))
    details = {name: _greater(getattr(one, name), getattr(other, name)) for name in _LINE_DETAILS}
    buyer = max(one, other, key=_buyer_order)
    details |= {"buyer_currency": buyer.buyer_currency, "buyer_amount": buyer.buyer_amount}
    return _united(core.model_copy(update=details), (one, other))


def _line_money(line: SettlementLine) -> tuple[bool, str, int, int, int, str]:
    """A kind that somebody knows goes before one that nobody did when it was read."""
    return line.kind is not LineKind.UNKNOWN, line.currency, line.gross, line.fee, line.net, line.kind


def _buyer_order(line: SettlementLine) -> tuple[bool, str, int]:
    """Currency and amount go together, and what is told goes before what is not."""
    return line.buyer_amount is not None, line.buyer_currency or "", line.buyer_amount or 0


def _greater(one: Any, other: Any) -> Any:
    return max((value for value in (one, other) if value is not None), default=None)


# ---- what the statements of all feeds come to ------------------------------------------------------------------------


def fact_of(statements: Sequence[Fact]) -> Fact:
    """What the kept statements of a fact come to; there is at least one."""
    if len(statements) == 1:
        return statements[0]
    lines = [statement for statement in statements if isinstance(statement, SettlementLine)]
    if lines:
        return _line_of(lines)
    winner = max(statements, key=_order_of)
    filled = {
        name: _first_told(name, statements)
        for name in ("parent_id", "arrives_on", "valued_on")
        if getattr(winner, name, "told") is None
    }
    return _united(winner.model_copy(update=filled), statements)


def _line_of(lines: Sequence[SettlementLine]) -> SettlementLine:
    """`lines`: one for each feed, the most believed first."""
    believed = lines[0]
    agreeing = [line for line in lines if figures_of(line) == figures_of(believed)]
    filled = {name: _first_told(name, agreeing) for name in _LINE_DETAILS}
    buyer = next((line for line in agreeing if line.buyer_amount is not None), believed)
    known = next((line for line in agreeing if line.kind is not LineKind.UNKNOWN), believed)
    filled |= {"buyer_currency": buyer.buyer_currency, "buyer_amount": buyer.buyer_amount, "kind": known.kind}
    return _united(believed.model_copy(update=filled), agreeing)


def _first_told(name: str, statements: Iterable[Fact]) -> Any:
    told = (getattr(statement, name) for statement in statements)
    return next((value for value in told if value is not None), None)


def _order_of(fact: Fact) -> tuple[Any, ...]:
    """A total order over the statements of one fact: the greater one wins."""
    match fact:
        case OrderStatement():
            return fact.revision, fact.stated_at, fact.model_dump_json()
        case Payment():
            return fact.stated_at, fact.state in _FINAL, _BELIEVED[fact.feed], _without_united(fact)
        case Payout():
            return _PROGRESS[fact.state], fact.stated_at, _BELIEVED[fact.feed], _without_united(fact)
        case BankLine() | SettlementLine():
            return _BELIEVED[fact.feed], _without_united(fact)
        case ProviderBalance():
            return (fact.amount,)
    assert_never(fact)


def _without_united(fact: Payment | Payout | BankLine | SettlementLine) -> str:
    return fact.model_dump_json(exclude={"references", "test"})


def _united(winner: _Fact, statements: Iterable[Fact]) -> _Fact:
    """The winner with the references of all, and a test if one of them says so."""
    if isinstance(winner, OrderStatement | ProviderBalance):
        return winner
    told = [statement for statement in statements if not isinstance(statement, OrderStatement | ProviderBalance)]
    united: dict[str, Any] = {"references": tuple(sorted({name for one in told for name in one.references}))}
    if isinstance(winner, Payment | SettlementLine):
        united["test"] = any(getattr(statement, "test", False) for statement in told)
    return cast(_Fact, winner.model_copy(update=united))


def _tidy(stated: Fact) -> Fact:
    """References in one order, each once: the same statement is the same whoever wrote it down."""
    return _united(stated, (stated,))


def _feed_of(fact: Fact) -> Feed | None:
    return None if isinstance(fact, OrderStatement | ProviderBalance) else fact.feed


def _place(feed: Feed | None) -> int:
    return 0 if feed is None else -_BELIEVED[feed]


def _money_of(fact: Fact) -> str | None:
    """None for what may come to something else later."""
    return None if isinstance(fact, OrderStatement | Payment) else figures_of(fact)
