"""Whatever the entries are, reports come to the sums of the postings that they claim to cover."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.finance.journal import Dimensions, JournalEntry, Posting, Role, Topic
from shared.finance.reports.catalogue import EVERYTHING, make_reports
from shared.finance.reports.report import Report
from shared.finance.reports.scope import Scope
from tests.builders.ledger_entries import DAY, entry, month, undone

SINCE, UNTIL = DAY + timedelta(days=2), DAY + timedelta(days=5)
CURRENCIES = ("EUR", "JPY", "KWD")
few = st.none() | st.sampled_from(("a", "b"))
dimensions = st.builds(
    Dimensions,
    shop=few,
    channel=few,
    sku=few,
    title=few,
    units=st.none() | st.integers(-3, 3),
    country=few,
    tax_rate=st.none() | st.sampled_from(("0.21", "0", "x")),
    order=few.map(lambda name: name and f"aurora/{name}"),
    payout=few,
    category=few,
)
# What goods cost is an entry of its own in this ledger: it is no part of what buyers owe.
COSTS = (Role.COST_OF_SALES, Role.INVENTORY)


@st.composite
def entries(draw: st.DrawFn) -> JournalEntry:
    topic = draw(st.sampled_from(Topic))
    roles = COSTS if topic is Topic.COST else tuple(role for role in Role if role not in COSTS)
    postings = []
    for currency in draw(st.sets(st.sampled_from(CURRENCIES), min_size=1, max_size=2)):
        amounts = draw(st.lists(st.integers(-10_000, 10_000).filter(bool), min_size=1, max_size=4))
        rest = -sum(amounts)
        for amount in (*amounts, *([rest] if rest else [])):
            role, of = draw(st.sampled_from(roles)), draw(few)
            told = draw(dimensions)
            postings.append(Posting(role=role, of=of, currency=currency, amount=amount, dimensions=told))
    on = DAY + timedelta(days=draw(st.integers(0, 7)))
    source = f"line/stripe-eu/{draw(st.integers(0, 10**9))}" + draw(st.sampled_from(("", "/fee")))
    made = entry(source, topic, *postings, on=on, posted_on=on + timedelta(days=draw(st.integers(0, 2))))
    return undone(made) if draw(st.booleans()) else made


accounts = st.tuples(st.sampled_from([str(role) for role in Role]), few, st.sampled_from(CURRENCIES))
openings = st.dictionaries(accounts, st.integers(-10_000, 10_000), max_size=6)


def covered(
    found: list[JournalEntry], counts: Callable[[JournalEntry, Posting], bool], opening: Mapping[str, int] | None = None
) -> Counter[str]:
    """Sums of postings by currency."""
    sums = Counter(opening or {})
    for made in found:
        for posting in made.postings:
            if counts(made, posting):
                sums[posting.currency] += posting.amount
    return Counter({currency: amount for currency, amount in sums.items() if amount})


def total(report: Report, key: str) -> Counter[str]:
    place = [column.key for column in report.columns].index(key)
    found = {row.currency or "": int(str(row.cells[place])) for row in report.totals}
    summed: Counter[str] = Counter()
    for row in report.rows:
        summed[row.currency or ""] += int(str(row.cells[place]))
    assert {code: amount for code, amount in summed.items() if amount} == {c: a for c, a in found.items() if a}
    return Counter({currency: amount for currency, amount in found.items() if amount})


def negative(sums: Counter[str]) -> Counter[str]:
    return Counter({currency: -amount for currency, amount in sums.items()})


def opened(opening: Mapping[tuple[str, str | None, str], int], role: Role) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (name, _, currency), amount in opening.items():
        sums[currency] += amount if name == role else 0
    return sums


@given(st.lists(entries(), max_size=12), openings)
def test_every_report_ties_out(found: list[JournalEntry], opening: Mapping[tuple[str, str | None, str], int]) -> None:
    scope = Scope(since=SINCE, until=UNTIL, opening=opening)
    reports = {report.name: report for report in make_reports(EVERYTHING, found, scope)}
    upto = [made for made in found if made.posted_on <= UNTIL]
    within = [made for made in upto if made.posted_on >= SINCE]

    def of(*roles: Role, topics: tuple[Topic, ...] = tuple(Topic)) -> Callable[[JournalEntry, Posting], bool]:
        return lambda made, posting: posting.role in roles and made.topic in topics

    sold = (Topic.SALE, Topic.REDUCTION)
    for name in ("sales-by-day", "sales-by-channel"):
        assert total(reports[name], "owed") == covered(within, of(Role.RECEIVABLE, topics=sold))
        assert total(reports[name], "gross") == negative(covered(within, of(Role.SALES, topics=sold)))
        assert total(reports[name], "tax") == negative(covered(within, of(Role.TAX, topics=sold)))
    goods = negative(covered(within, of(Role.SALES, Role.RETURNS, topics=sold)))
    assert total(reports["sales-by-product"], "net") == goods == total(reports["margin"], "net")
    assert total(reports["margin"], "cost") == covered(within, of(Role.COST_OF_SALES))
    assert total(reports["tax"], "net") == negative(covered(within, of(Role.TAX)))
    for name in ("fees", "fees-by-kind"):
        assert total(reports[name], "fees") == covered(within, of(Role.FEES))
    for name in ("refunds", "refund-documents"):
        credited = covered(within, of(Role.RECEIVABLE, topics=(Topic.REDUCTION,)))
        assert total(reports[name], "total") == negative(credited)
    for name, key, role in (
        ("payouts", "on_its_way", Role.IN_TRANSIT),
        ("provider-balances", "after", Role.CLEARING),
        ("receivables", "total", Role.RECEIVABLE),
        ("open-orders", "open", Role.RECEIVABLE),
        ("disputes", "open", Role.DISPUTED),
        ("disputed-orders", "open", Role.DISPUTED),
    ):
        assert total(reports[name], key) == covered(upto, of(role), opened(opening, role)), name
    every = Counter({currency: amount for currency, amount in _sum(opening).items() if amount})
    assert total(reports["balances"], "after") == every
    assert total(reports["trial-balance"], "difference") == every


def _sum(opening: Mapping[tuple[str, str | None, str], int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (_, _, currency), amount in opening.items():
        sums[currency] += amount
    return sums


@given(st.lists(entries(), max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_entries_is_no_matter(found: list[JournalEntry], chance: random.Random) -> None:
    scope = Scope(since=SINCE, until=UNTIL)
    mixed = list(found)
    chance.shuffle(mixed)
    assert make_reports(EVERYTHING, found, scope) == make_reports(EVERYTHING, mixed, scope)


def test_what_providers_kept_and_paid_is_what_they_hold_after_a_month() -> None:
    found = month(orders=150)
    scope = Scope(since=found[0].posted_on, until=found[-1].posted_on)
    reports = {report.name: report for report in make_reports(EVERYTHING, found, scope)}
    fees, paid = total(reports["provider-balances"], "fees"), total(reports["provider-balances"], "payouts")
    assert total(reports["fees"], "fees") == negative(fees)
    assert total(reports["payouts"], "sent") == negative(paid)
    assert paid["EUR"] < 0
