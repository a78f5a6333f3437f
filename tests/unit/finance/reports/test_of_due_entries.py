"""Reports of entries as the ledger really has them: from an order and its money to the figures of each report."""

from typing import Any

from shared.finance.due.entries import entries_due
from shared.finance.journal import JournalEntry
from shared.finance.models import LineKind, MovementKind, PaymentState
from shared.finance.ports import CostPrice
from shared.finance.posting import first_entry
from shared.finance.reports.catalogue import EVERYTHING, make_reports
from shared.finance.reports.report import Report, Text, figure
from shared.finance.reports.scope import Scope
from tests.builders.ledger import (
    DAY,
    arrival,
    bank_line,
    days,
    dispute,
    document,
    line,
    movement,
    payout,
    sold,
    statement,
    view,
)

NEXT_WEEK = DAY + days(6)


def entries() -> list[JournalEntry]:
    """Three mugs sold, one given back, one lost to a dispute; fees, a subscription, and a payout that arrives."""
    returned = statement(
        "5002",
        reductions=(document("refund/1", sold(1000), tax=190),),
        movements=(movement("t5002", 1190), movement("r1", 1190, kind=MovementKind.REFUND)),
    )
    by_card = statement(
        "5004", sale=document("sale", sold(1000), tax=190, gift_cards_deducted=190), movements=(movement("t4", 1000),)
    )
    trade: dict[str, Any] = {
        "orders": (statement(), returned, statement("5003"), by_card),
        "lines": (
            line("c1", 1190, 30),
            line("c2", 1190, 30),
            line("c3", 1190, 30),
            line("c4", 1000, 30),
            line("r2", -1190, kind=LineKind.REFUND),
            line("d3", -1190, 1500, kind=LineKind.DISPUTE, source_id="dp_3"),
            line("sub", -900, kind=LineKind.FEE, category="subscription"),
            line("po", -500, kind=LineKind.PAYOUT, source_id="po_1"),
        ),
        "order_of": {
            f"stripe-eu/{name}": f"aurora/{order}"
            for name, order in (("c1", 5001), ("c2", 5002), ("r2", 5002), ("c3", 5003), ("d3", 5003), ("c4", 5004))
        },
        "payments": (dispute("dp_3", PaymentState.LOST),),
        "payouts": (payout("po_1", 500),),
        "bank_lines": (bank_line("b1", 500),),
        "matches": (arrival("main/b1", "stripe-eu/po_1"),),
        "costs": {"MUG": (CostPrice("MUG", "EUR", 400, DAY - days(1)),)},
    }
    return [first_entry(due, (), None) for due in entries_due(view(**trade))]


def reports() -> dict[str, Report]:
    scope = Scope(since=DAY, until=NEXT_WEEK)
    return {report.name: report for report in make_reports(EVERYTHING, entries(), scope)}


def figures(report: Report, *keys: str) -> tuple[int, ...]:
    """Of the one total."""
    (total,) = report.totals
    return tuple(figure(report.columns, total, key) for key in keys)


def test_sales_and_refunds() -> None:
    found = reports()
    assert figures(found["sales-by-day"], "orders", "units", "gross", "returns", "tax", "gift_cards", "owed") == (
        4,
        3,
        4000,
        1000,
        570,
        -190,
        3380,
    )
    (channel,) = found["sales-by-channel"].rows
    assert channel.cells[:2] == ("aurora", "web")
    (product,) = found["sales-by-product"].rows
    assert product.cells[:2] == ("MUG", "A mug")
    assert figures(found["refunds"], "documents", "total", "paid_back", "to_pay") == (1, 1190, 1190, 0)
    assert figures(found["tax"], "charged", "refunded", "net") == (760, 190, 570)


def test_margin_knows_the_cost_of_every_mug_that_was_kept() -> None:
    assert figures(reports()["margin"], "units", "net", "cost", "margin", "coverage") == (3, 3000, 1200, 1800, 10_000)


def test_fees_of_movements_and_by_themselves() -> None:
    found = reports()
    assert figures(found["fees"], "captures", "captured", "in_lines", "alone", "fees") == (4, 4570, 1620, 900, 2520)
    kinds = {row.cells[1]: row.cells[3] for row in found["fees-by-kind"].rows}
    assert kinds == {"capture": 120, "dispute": 1500, "subscription": 900}


def test_money_at_the_provider_and_on_its_way() -> None:
    found = reports()
    parts = ("captured", "refunded", "fees", "disputes", "payouts", "after")
    assert figures(found["provider-balances"], *parts) == (4570, -1190, -2520, -1190, -500, -830)
    assert figures(found["payouts"], "sent", "arrived", "on_its_way") == (500, 500, 0)


def test_every_order_is_paid_and_the_dispute_is_lost() -> None:
    found = reports()
    assert found["open-orders"].rows == ()
    assert figures(found["disputes"], "disputes", "taken", "lost", "open") == (1, 1190, 1190, 0)
    (disputed,) = found["disputed-orders"].rows
    assert disputed.cells[2] == "aurora/5003"


def test_nothing_is_unknown_where_everything_was_told() -> None:
    unknown = [
        (report.name, cell)
        for report in reports().values()
        for row in report.rows
        for cell in row.cells
        if isinstance(cell, Text) and not cell.code
    ]
    assert unknown == []
