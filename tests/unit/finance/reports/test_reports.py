"""What each report says of a few entries that can be reckoned by hand."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.finance.cases import Case, CaseState
from shared.finance.journal import JournalEntry, Role, Topic
from shared.finance.models import Action, Discrepancy, DiscrepancyKind, Item, Subject
from shared.finance.reports.ageing import bucket_of
from shared.finance.reports.catalogue import EVERYTHING, REPORTS, make_reports
from shared.finance.reports.report import Report, Row, Text, share
from shared.finance.reports.scope import Scope, Tie
from shared.kernel.errors import Rejected
from tests.builders.ledger_entries import (
    DAY,
    Deal,
    arrival,
    cost,
    dispute,
    entry,
    fee,
    lost_dispute,
    payout,
    posting,
    receipt,
    refund,
    sale,
    undone,
)

ONE_DAY = Scope(since=DAY, until=DAY)
NEXT = DAY + timedelta(days=1)


def made(name: str, *entries: JournalEntry, scope: Scope = ONE_DAY) -> dict[str, Report]:
    return {report.name: report for report in make_reports(name, entries, scope)}


def told(report: Report, row: Row) -> dict[str, Any]:
    cells = dict(zip((column.key for column in report.columns), row.cells, strict=True))
    plain = {key: cell.code or cell.en if isinstance(cell, Text) else cell for key, cell in cells.items()}
    return {"currency": row.currency, **plain}


def rows(report: Report) -> list[dict[str, Any]]:
    return [told(report, row) for row in report.rows]


def only(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    (one,) = found
    return one


def test_sales_are_net_of_returns_and_come_to_what_buyers_owe() -> None:
    deal = Deal(net=2000, tax=420, shipping=500, units=2)
    found = made("sales", sale(deal), refund(deal._replace(net=1000, tax=210, shipping=0, units=1)))
    assert only(rows(found["sales-by-day"])) == {
        "day": DAY,
        "currency": "EUR",
        "orders": 1,
        "units": 1,
        "gross": 2000,
        "returns": 1000,
        "charges": 500,
        "net": 1500,
        "tax": 210,
        "gift_cards": 0,
        "owed": 1710,
    }
    assert only(rows(found["sales-by-channel"]))["channel"] == "web"
    product = only(rows(found["sales-by-product"]))
    assert (product["sku"], product["title"], product["net"], product["returned"]) == ("MUG", "A mug", 1000, 5000)


def test_a_sale_that_was_posted_twice_and_reversed_once_counts_once() -> None:
    first = sale(Deal(net=1000))
    corrected = sale(Deal(net=900))
    day = only(rows(made("sales", first, undone(first), corrected)["sales-by-day"]))
    assert (day["orders"], day["units"], day["gross"]) == (1, 1, 900)
    assert rows(made("sales", first, undone(first))["sales-by-day"]) == []


def test_an_order_paid_by_gift_cards_alone_is_an_order() -> None:
    told_of = {"shop": "aurora", "order": "aurora/9", "channel": "web"}
    paid = entry(
        "order/aurora/9/sale",
        Topic.SALE,
        posting(Role.GIFT_CARDS, "aurora", 500, **told_of),
        posting(Role.SALES, "aurora", -500, **told_of, sku="MUG", title="A mug", units=1),
    )
    day = only(rows(made("sales", paid)["sales-by-day"]))
    assert (day["orders"], day["gross"], day["gift_cards"], day["owed"]) == (1, 500, -500, 0)


def test_currencies_are_never_added_up() -> None:
    found = made("sales", sale(), sale(Deal(number=2, shop="nippon", currency="JPY", net=1200)))["sales-by-day"]
    assert [(total.currency, told(found, total)["gross"]) for total in found.totals] == [("EUR", 1000), ("JPY", 1200)]


def test_products_without_sku_are_told_apart_by_title_and_credits_stand_alone() -> None:
    goodwill = entry(
        "order/aurora/1/refund/2",
        Topic.REDUCTION,
        posting(Role.RETURNS, "aurora", 300, shop="aurora"),
        posting(Role.RECEIVABLE, "aurora", -300, shop="aurora"),
    )
    entries = (sale(Deal(sku=None, title="Soap")), sale(Deal(number=2, sku=None, title="Tea")), goodwill)
    found = rows(made("sales", *entries)["sales-by-product"])
    assert {(row["sku"], row["title"], row["net"]) for row in found} == {
        (None, "Soap", 1000),
        (None, "Tea", 1000),
        (None, "no_product", -300),
    }


def test_tax_is_told_by_jurisdiction_and_rate_less_what_was_given_back() -> None:
    abroad = Deal(number=2, country="DE", rate="0.19", tax=190)
    found = rows(made("tax", sale(), sale(abroad), refund(Deal(tax=100, shipping=0)))["tax"])
    assert [
        (row["country"], row["rate"], row["charged"], row["refunded"], row["net"], row["base"]) for row in found
    ] == [
        ("DE", "0.19", 190, 0, 190, 1000),
        ("NL", "0.21", 210, 100, 110, 524),
    ]


@pytest.mark.parametrize("rate", [None, "0", "free", "NaN", "-0.1"])
def test_without_a_rate_that_divides_no_base_is_told(rate: str | None) -> None:
    assert only(rows(made("tax", sale(Deal(rate=rate)))["tax"]))["base"] is None


def test_a_payout_is_on_its_way_until_it_arrives() -> None:
    entries = (payout("po_1", 5000), payout("po_2", 700), arrival("po_1", 5000))
    found = {row["payout"]: row for row in rows(made("payouts", *entries)["payouts"])}
    assert (found["po_1"]["sent"], found["po_1"]["arrived"], found["po_1"]["on_its_way"]) == (5000, 5000, 0)
    assert found["po_2"]["on_its_way"] == 700


def test_a_payout_of_an_earlier_day_is_told_with_what_was_on_its_way() -> None:
    scope = Scope(since=NEXT, until=NEXT, opening={("in_transit", "stripe-eu", "EUR"): 90})
    found = made("payouts", payout("po_1", 5000), arrival("po_1", 5000, on=NEXT), scope=scope)["payouts"]
    assert [(row["payout"], row["before"], row["arrived"], row["on_its_way"]) for row in rows(found)] == [
        ("earlier", 90, 0, 90),
        ("po_1", 5000, 5000, 0),
    ]


def test_money_at_a_provider_goes_from_what_it_held_to_what_it_holds() -> None:
    scope = Scope(since=DAY, until=DAY, opening={("clearing", "stripe-eu", "EUR"): 300})
    entries = (receipt(), fee(), receipt(amount=-500, line="re"), dispute(7, 200), payout("po_1", 900))
    row = only(rows(made("payouts", *entries, scope=scope)["provider-balances"]))
    assert {key: row[key] for key in ("before", "captured", "refunded", "fees", "disputes", "payouts", "after")} == {
        "before": 300,
        "captured": 1705,
        "refunded": -500,
        "fees": -49,
        "disputes": -200,
        "payouts": -900,
        "after": 356,
    }


def test_a_capture_with_its_fee_in_one_entry_is_told_gross() -> None:
    both = entry(
        "line/stripe-eu/txn_1",
        Topic.RECEIPT,
        posting(Role.CLEARING, "stripe-eu", 951),
        posting(Role.FEES, "stripe-eu", 49, category="charge"),
        posting(Role.RECEIVABLE, "aurora", -1000),
    )
    account = only(rows(made("fees", both)["fees"]))
    assert (account["captured"], account["in_lines"], account["rate"]) == (1000, 49, 490)


def test_the_effective_rate_counts_fees_taken_by_themselves_and_no_refunds() -> None:
    entries = (receipt(amount=10_000), fee(amount=145), fee(amount=55, alone=True), receipt(amount=-4000, line="re"))
    found = made("fees", *entries)
    account = only(rows(found["fees"]))
    assert (account["captures"], account["captured"], account["fees"], account["rate"]) == (1, 10_000, 200, 200)
    kinds = {row["category"]: row["fees"] for row in rows(found["fees-by-kind"])}
    assert kinds == {"charge": 145, "dispute_fee": 55}


def test_a_reversed_capture_leaves_nothing_captured() -> None:
    captured = receipt()
    account = made("fees", captured, undone(captured))["fees"]
    assert rows(account) == []


def test_refunds_stand_beside_what_was_paid_back() -> None:
    found = made("refunds", sale(), refund(), receipt(amount=-1000, line="re"))
    day = only(rows(found["refunds"]))
    assert (day["documents"], day["credited"], day["tax"], day["total"]) == (1, 1000, 210, 1210)
    assert (day["paid_back"], day["to_pay"]) == (1000, 210)
    assert only(rows(found["refund-documents"]))["document"] == "order/aurora/1001/refund/1"


def test_receivables_age_from_the_day_of_the_sale_and_close_when_paid() -> None:
    scope = Scope(since=DAY, until=DAY + timedelta(days=40), opening={("receivable", "aurora", "EUR"): 55})
    part = receipt(2, 5, on=DAY + timedelta(days=30))
    entries = (sale(), receipt(), part, sale(Deal(number=2)), sale(Deal(number=3), on=DAY + timedelta(days=39)))
    found = made("receivables", *entries, scope=scope)
    ages = only(rows(found["receivables"]))
    assert (ages["orders"], ages["days_0_7"], ages["days_31_60"], ages["earlier"]) == (2, 1705, 1700, 55)
    assert ages["total"] == 3460
    assert [(row["order"], row["age"]) for row in rows(found["open-orders"])] == [
        ("earlier", 0),
        ("aurora/2", 40),
        ("aurora/3", 1),
    ]


@pytest.mark.parametrize(
    ("days", "bucket"), [(-3, 0), (0, 0), (7, 0), (8, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)]
)
def test_an_age_has_one_bucket(days: int, bucket: int) -> None:
    assert bucket_of(days) == bucket


def test_margin_is_told_where_every_unit_of_a_sale_has_a_cost() -> None:
    entries = (sale(Deal(units=2)), cost(1001, 400, units=2), sale(Deal(number=2)), cost(2, 1, sku="TEA"))
    found = made("margin", *entries)["margin"]
    mug = next(row for row in rows(found) if row["sku"] == "MUG")
    assert (mug["net"], mug["net_known"], mug["cost"], mug["margin"]) == (2000, 1000, 400, 600)
    assert (mug["rate"], mug["coverage"]) == (6000, 5000)
    assert told(found, found.totals[0])["cost"] == 401


def test_goods_given_back_take_their_cost_along() -> None:
    entries = (sale(), cost(1001, 400), refund(), cost(1001, -400, units=-1))
    assert rows(made("margin", *entries)["margin"]) == []


def test_a_dispute_is_open_until_it_is_won_or_lost() -> None:
    won, lost = (dispute(1, 500), dispute(1, -500)), (dispute(2, 300), lost_dispute(2, 300))
    found = made("disputes", *won, *lost, dispute(3, 70), receipt(amount=8700))
    account = only(rows(found["disputes"]))
    assert (account["disputes"], account["taken"], account["returned"], account["lost"]) == (3, 870, 500, 300)
    assert (account["open"], account["rate"]) == (70, 1000)
    assert [row["open"] for row in rows(found["disputed-orders"])] == [0, 0, 70]


def case(kind: DiscrepancyKind, since: date, *, state: CaseState = CaseState.OPEN, blocks: bool = False) -> Case:
    subject = Item(subject=Subject.LINE, id="stripe-eu/txn_1")
    found = Discrepancy(
        id=f"{kind}/{since}/{state}",
        kind=kind,
        subject=subject,
        account="stripe-eu",
        currency="EUR",
        expected=100,
        found=90,
        since=since,
        action=Action.REVIEW,
        blocks_close=blocks,
    )
    return Case(discrepancy=found, state=state, opened_at=datetime(2026, 3, 2, tzinfo=UTC))


def test_exceptions_age_by_kind_and_what_is_over_is_left_out() -> None:
    cases = (
        case(DiscrepancyKind.MISSING_ORDER, DAY),
        case(DiscrepancyKind.MISSING_ORDER, DAY - timedelta(days=45), state=CaseState.PROPOSED, blocks=True),
        case(DiscrepancyKind.FEE_VARIANCE, DAY, state=CaseState.RESOLVED),
    )
    found = made("exceptions", scope=Scope(since=DAY, until=DAY, cases=cases))
    kind = only(rows(found["exceptions"]))
    assert (kind["kind"], kind["cases"], kind["days_0_7"], kind["days_31_60"]) == ("missing_order", 2, 1, 1)
    assert kind["blocking"] == 1
    assert [(row["age"], row["difference"], row["state"]) for row in rows(found["open-cases"])] == [
        (45, -10, "proposed"),
        (0, -10, "open"),
    ]


def test_a_case_of_today_over_no_money_is_listed() -> None:
    nothing = case(DiscrepancyKind.UNKNOWN_TXN, DAY)
    nothing = nothing.model_copy(
        update={"discrepancy": nothing.discrepancy.model_copy(update={"expected": None, "found": None})}
    )
    found = made("exceptions", scope=Scope(since=DAY, until=DAY, cases=(nothing,)))
    assert len(found["open-cases"].rows) == 1


def test_the_close_tells_each_account_before_and_after() -> None:
    scope = Scope(since=NEXT, until=NEXT, opening={("clearing", "stripe-eu", "EUR"): 100}, digest="f" * 64)
    found = made("close", receipt(), fee(), payout("po_1", 500, on=NEXT), scope=scope)
    clearing = next(row for row in rows(found["balances"]) if row["role"] == "clearing")
    assert (clearing["before"], clearing["credits"], clearing["after"]) == (100 + 1705 - 49, 500, 1256)
    assert "f" * 64 in found["balances"].notes[0].en
    assert only(rows(found["movements"])) == {
        "topic": "payout",
        "currency": "EUR",
        "entries": 1,
        "debits": 500,
        "credits": 500,
    }


def test_a_balance_that_does_not_tie_is_counted_and_one_not_told_is_no_difference() -> None:
    ties = (Tie("a", "EUR", 100, 100), Tie("b", "EUR", 100, 99), Tie("c", "JPY", 100, None))
    report = made("close", scope=Scope(since=DAY, until=DAY, ties=ties))["ties"]
    assert [(row["told"], row["difference"]) for row in rows(report)] == [("told", 0), ("told", -1), ("not_told", None)]
    assert report.tiles[0].value == 1


def test_the_trial_balance_balances_and_follows_the_order_of_the_accounts() -> None:
    report = made("trial", sale(), receipt(), fee())["trial-balance"]
    total = told(report, report.totals[0])
    assert total["debit"] == total["credit"] > 0
    assert [row["role"] for row in rows(report)] == ["clearing", "sales", "shipping", "tax", "fees"]


def test_entries_after_the_period_and_before_it_count_where_they_should() -> None:
    entries = (sale(), sale(Deal(number=2), on=NEXT), sale(Deal(number=3), on=NEXT + timedelta(days=1)))
    scope = Scope(since=NEXT, until=NEXT)
    assert only(rows(made("sales", *entries, scope=scope)["sales-by-day"]))["day"] == NEXT
    assert only(rows(made("receivables", *entries, scope=scope)["receivables"]))["orders"] == 2


@pytest.mark.parametrize("name", [*REPORTS, EVERYTHING])
def test_every_report_of_nothing_says_so(name: str) -> None:
    found = made(name)
    assert found
    assert all(not report.rows and not report.charts for report in found.values())


def test_all_tables_have_a_name_of_their_own_and_words_in_both_languages() -> None:
    reports = make_reports(EVERYTHING, [], ONE_DAY)
    assert len({report.name for report in reports}) == len(reports)
    for report in reports:
        headings = [column.heading for column in report.columns]
        for text in (report.title, report.about, *headings, *report.notes, *(tile.label for tile in report.tiles)):
            assert text.en
            assert text.zh
        keys = [column.is_key for column in report.columns]
        assert keys == sorted(keys, reverse=True), "columns that tell rows apart come first"


def test_a_report_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(Rejected, match="sales") as refused:
        make_reports("profit", [], ONE_DAY)
    assert refused.value.code == "unknown_report"


@pytest.mark.parametrize(
    ("part", "whole", "hundredths"),
    [
        (1, 3, 3333),
        (2, 3, 6667),
        (-1, 3, -3333),
        (1, -3, -3333),
        (1, 20_000, 1),
        (1, 0, None),
        (None, 5, None),
        (0, 5, 0),
    ],
)
def test_a_share_is_rounded_to_the_nearest_hundredth_of_a_percent(
    part: int | None, whole: int, hundredths: int | None
) -> None:
    assert share(part, whole) == hundredths
