"""The third act, scene by scene: a month's money at two shops, Stripe, PayPal and the bank, reconciled and closed."""

import shutil
from collections.abc import Callable, Iterator
from typing import Final

from infra.demo.finance_month import Course, Gateway
from infra.demo.finance_providers import BANK, PAYPAL
from infra.demo.finance_stage import REPORTS, CountingHouse
from infra.demo.scenes import Told
from shared.finance.cases import Case, CaseState, Resolution
from shared.finance.explain import OrderMoney
from shared.finance.models import DiscrepancyKind, Rule
from shared.finance.reports.catalogue import EVERYTHING, EXPORTS, make_export, make_reports, write_reports
from shared.finance.reports.figures import plain
from shared.finance.review import Decision, approve, resolve
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.platform.configuration import settings
from shared.sync.finance.importing import ImportReport
from shared.wiring.daily_close import report_entries, report_scope

Scene = Callable[[CountingHouse], Iterator[Told]]

_ANN, _BOB = "ann", "bob"


def trade(house: CountingHouse) -> Iterator[Told]:
    """The month, told by the shops and by Stripe; payments come before their orders, as they may."""
    house.providers.live()
    events = len(house.twins.stripe.waiting)
    told = house.tell_of_payments()
    yield Told(
        f"Stripe sends {events} webhooks: charges, refunds, disputes, payouts",
        f"{told} taken in, signed with a secret that is being rolled",
        "what a provider says of a payment is kept before anybody knows its order",
        told == events,
    )
    taken = house.sell()
    house.stage.settle()
    kept = len(list(house.book.orders(*house.days)))
    orders = len(house.providers.month.purchases)
    yield Told(
        f"Two shops tell of {orders} orders of the month",
        f"{kept} statements of what is owed",
        "each version of an order is reduced to its money",
        taken == kept == orders,
    )


def files(house: CountingHouse) -> Iterator[Told]:
    yield _files_of(house, PAYPAL, "PayPal's settlement reports", len(house.providers.settled))
    yield _files_of(house, BANK, "The bank's statements", len(house.providers.booked))
    first, _ = house.providers.settlement_reports()
    again = house.take_in(first, PAYPAL)
    yield Told(
        "Somebody imports PayPal's first report once more",
        f"{again.new} new, {again.changed} changed, {again.same} known",
        "a fact is known by its sender's own id",
        (again.new, again.changed) == (0, 0) and again.same == again.read,
    )


def _files_of(house: CountingHouse, account: str, what: str, movements: int) -> Told:
    given = house.providers.statements() if account == BANK else house.providers.settlement_reports()
    reports = [house.take_in(file, account) for file in given]
    lines = _lines_kept(house, account)
    return Told(
        f"{what}: two files that overlap",
        f"{sum(report.read for report in reports)} read, {lines} movements kept",
        f"{reports[0].kind}; what both tell is one movement",
        lines == movements and reports[1].same > 0 and not any(_troubles(report) for report in reports),
    )


def _lines_kept(house: CountingHouse, account: str) -> int:
    kept = house.book.bank_lines(account, *house.days) if account == BANK else house.book.lines(account, *house.days)
    return len(list(kept))


def _troubles(report: ImportReport) -> bool:
    return bool(report.faults or report.restated)


def reconciliation(house: CountingHouse) -> Iterator[Told]:
    house.first_run = house.reconcile()
    house.first_cases = house.cases()
    kinds, buckets = house.first_run["discrepancies"], house.first_run["buckets"]
    yield Told(
        "The schedule reads Stripe's feed and holds everything against each other",
        f"{house.first_run['matches']} matches, {sum(kinds.values())} exceptions of {len(kinds)} kinds",
        f"{buckets.get('matched', 0)} things matched, {buckets.get('waiting', 0)} still on their way",
        len(house.first_cases) == sum(kinds.values()) == len(house.providers.planted),
    )
    yield from (_without_reference(house, one.key) for one in house.providers.month.purchases if _unnamed(one.course))


def _unnamed(course: Course) -> bool:
    return course is Course.NO_REFERENCE


def _without_reference(house: CountingHouse, key: str) -> Told:
    money = house.explain(key).money
    rules = {movement.matched_by for movement in money.movements}
    return Told(
        f"A payment names no order; {money.name} asks for {_money(money.owed, money)}",
        f"they belong together: {', '.join(sorted(map(str, rules)))}",
        "the only two of this amount, on both sides",
        rules == {Rule.UNIQUE_AMOUNT} and money.closes,
    )


def write_off(house: CountingHouse) -> Iterator[Told]:
    key = house.key_of(Course.TOO_LITTLE)
    case = house.case_about(f"order:{key}", DiscrepancyKind.AMOUNT_MISMATCH)
    decision = Decision(Resolution.WRITE_OFF, "a discount that the till did not tell the shop of")
    proposed = resolve(case.id, decision, house.desk, actor=_ANN)
    difference = plain(case.discrepancy.difference, case.discrepancy.currency)
    yield Told(
        f"Ann writes off {difference} of {key}",
        str(proposed.state),
        "from 5.00 EUR on, a second person has to agree",
        proposed.state is CaseState.PROPOSED,
    )
    refusal = _refusal_of(lambda: approve(case.id, house.desk, actor="Ann "))
    yield Told("Ann approves it herself", f"refused: {refusal}", "however she writes her name", refusal == _SELF)
    agreed = approve(case.id, house.desk, actor=_BOB)
    yield Told(
        "Bob approves it",
        f"{agreed.state}, approved by {agreed.approved_by}",
        "both are on the audit trail, with the reason",
        agreed.state is CaseState.RESOLVED,
    )


_SELF: Final = "self_approval"


def _refusal_of(act: Callable[[], Case]) -> str:
    try:
        return f"none, {act().state}"
    except Rejected as error:
        return error.code


def relink(house: CountingHouse) -> Iterator[Told]:
    key = house.providers.owed_again
    (item,) = (
        item
        for planted in house.providers.planted
        if planted.kind is DiscrepancyKind.MISSING_ORDER and planted.what == Course.OTHER_NUMBER
        for item in planted.items
        if item.startswith("line:")
    )
    case = house.case_about(item, DiscrepancyKind.MISSING_ORDER)
    suggested = [str(one.item) for one in case.discrepancy.suggestions]
    decided = resolve(
        case.id, Decision(Resolution.RELINK, "the buyer mistyped the number", link=key), house.desk, actor=_BOB
    )
    yield Told(
        f"Bob links a payment of {plain(case.discrepancy.found or 0, 'EUR')} with the order that it was for",
        f"{decided.state}; suggested: {', '.join(suggested) or 'nothing'}",
        "suggestions are scored, and never posted by themselves",
        decided.state is CaseState.RESOLVED and f"order:{key}" in suggested,
    )


def give_back(house: CountingHouse) -> Iterator[Told]:
    key = house.key_of(Course.CHARGED_TWICE)
    case = house.case_about(f"order:{key}", DiscrepancyKind.DUPLICATE_CAPTURE)
    resolve(case.id, Decision(Resolution.PROPOSE_REFUND, "the buyer paid twice"), house.desk, actor=_ANN)
    agreed = approve(case.id, house.desk, actor=_BOB)
    charge = house.providers.second_charge
    house.twins.stripe.refund(charge, case.discrepancy.difference, utc_now())
    told = house.tell_of_payments()
    house.stage.settle()
    yield Told(
        f"{key} was charged twice: Ann proposes a refund, Bob agrees",
        f"{agreed.state}; the refund is made at Stripe, which tells of it",
        "we propose; whoever may refund does so at the provider",
        agreed.state is CaseState.RESOLVED and told == 1,
    )


def second_reconciliation(house: CountingHouse) -> Iterator[Told]:
    answer = house.reconcile()
    left = answer["discrepancies"]
    gone = {
        kind: number - left.get(kind, 0)
        for kind, number in house.first_run["discrepancies"].items()
        if number != left.get(kind, 0)
    }
    open_now = house.cases(CaseState.OPEN, CaseState.PROPOSED)
    yield Told(
        "It is reconciled again",
        f"gone: {', '.join(f'{kind} {number}' for kind, number in sorted(gone.items()))}; {len(open_now)} cases open",
        "what was linked and given back ties out now",
        gone == {"missing_payment": 1, "missing_order": 1, "duplicate_capture": 1},
    )
    for what, key in (("linked", house.providers.owed_again), ("written off", house.key_of(Course.TOO_LITTLE))):
        money = house.explain(key).money
        yield Told(
            f"{money.name}, which was {what}",
            "closes to zero" if money.closes else f"unexplained: {dict(money.unexplained)}",
            f"owed {_money(money.owed, money)}, paid {_money(money.paid, money)}, "
            f"of which written off {_money(money.written_off, money)}",
            money.closes,
        )


def explanation(house: CountingHouse) -> Iterator[Told]:
    """One order, from the shop's total to the line on the bank's statement."""
    key = next(
        one.key
        for one in house.providers.month.purchases
        if one.course is Course.REFUNDED and one.gateway is Gateway.STRIPE
    )
    money = house.explain(key).money
    documents = " ".join(f"{document.id} {plain(document.total, money.currency)}" for document in money.documents)
    yield Told(
        f"storebridge money explain {key}",
        f"{documents} = owed {_money(money.owed, money)}",
        "the storefront's total is the sum of its documents",
        money.owed == sum(document.total for document in money.documents),
    )
    moved = " ".join(f"{one.kind} {plain(one.gross, one.currency)}" for one in money.movements)
    received = money.receipts.get(money.currency, 0)
    yield Told("", f"{moved} = received {_money(received, money)}", "captures less refunds", received == money.owed)
    fees, net = money.fees.get(money.currency, 0), money.net.get(money.currency, 0)
    shares = ", ".join(f"{plain(one.net, one.currency)} in {one.payout}" for one in money.payouts)
    banked = sorted({one.bank_line for one in money.payouts if one.bank_line})
    yield Told(
        "",
        f"less fees {_money(fees, money)} = {_money(net, money)}: {shares}; at the bank: {', '.join(banked)}",
        "closes to zero" if money.closes else f"unexplained: {dict(money.unexplained)}",
        money.closes and received - fees == net == sum(one.net for one in money.payouts) and bool(banked),
    )


def closing(house: CountingHouse) -> Iterator[Told]:
    answer = house.close_days()
    house.closed = tuple(answer["closed"])
    expected = (house.providers.month.unmapped_at.date() - house.providers.month.first).days
    yield Told(
        "Ann closes the days of the month",
        f"{len(house.closed)} closed: {house.closed[0]} to {house.closed[-1]}" if house.closed else "none closed",
        "entries balance, Stripe's own balance is what our books say, no case blocks",
        len(house.closed) == expected,
    )
    why = answer["missing"] or ""
    yield Told(
        "The next day does not close",
        why,
        "nobody knows yet what that movement was; reading it as something would be a guess",
        "case_blocks" in why and "unknown_txn" in why and why.count("case_blocks") == 1,
    )


def reporting(house: CountingHouse) -> Iterator[Told]:
    since, until = house.providers.month.first, house.providers.month.last
    scope, names = report_scope(since, until), settings().finance.ledger_names
    entries = tuple(report_entries(since, until))
    reports = make_reports(EVERYTHING, entries, scope)
    written = {
        "report.html": write_reports(EVERYTHING, reports, "html", language="en"),
        "report.zh.html": write_reports(EVERYTHING, reports, "html", language="zh"),
        "report.xlsx": write_reports(EVERYTHING, reports, "xlsx", language="en"),
        "report.json": write_reports(EVERYTHING, reports, "json", language="en"),
    }
    contents = {name: content for name, made in written.items() for content in made.values()}
    csv = write_reports(EVERYTHING, reports, "csv", language="en")
    contents |= {f"csv/{name}": content for name, content in csv.items()}
    contents |= {
        f"journal/{name}.{known.suffix}": make_export(name, entries, scope, names) for name, known in EXPORTS.items()
    }
    shutil.rmtree(REPORTS, ignore_errors=True)
    for name, content in sorted(contents.items()):
        path = REPORTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    house.reports = tuple(REPORTS / name for name in sorted(contents))
    yield Told(
        f"The month's {len(reports)} reports are written",
        f"{len(contents)} files: HTML in English and Chinese, Excel, CSV, JSON, {len(EXPORTS)} journals",
        "all derive from the postings, so they tie out",
        all(path.stat().st_size for path in house.reports) and len(csv) == len(reports),
    )


def _money(minor: int, money: OrderMoney) -> str:
    return f"{plain(minor, money.currency)} {money.currency}"


MONTH: Final[tuple[tuple[str, Scene], ...]] = (
    ("A month of trade", trade),
    ("Files", files),
    ("Reconciliation", reconciliation),
    ("A write-off", write_off),
    ("A re-link", relink),
    ("A refund", give_back),
    ("Reconciliation again", second_reconciliation),
    ("One order explained", explanation),
    ("Closing days", closing),
    ("Reports", reporting),
)
