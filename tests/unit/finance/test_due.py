"""What should be on the ledger: each source's entry, balanced, and an order that is settled closes to zero."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.cases import CaseState
from shared.finance.due.entries import entries_due, owned_by
from shared.finance.due.orders import account_of_gateway
from shared.finance.due.view import LedgerView
from shared.finance.journal import DueEntry, Role, Topic
from shared.finance.models import DiscrepancyKind, LineKind, MovementKind, PaymentState, PayoutState
from shared.finance.ports import CostPrice
from shared.kernel.errors import Rejected
from tests.builders.ledger import (
    DAY,
    NOON,
    RULES,
    arrival,
    balances,
    bank_line,
    case,
    days,
    dispute,
    document,
    line,
    movement,
    on,
    payout,
    receivable,
    sold,
    statement,
    view,
    written_off,
)

ORDER = "aurora/5001"


def due(**parts: Any) -> dict[str, DueEntry]:
    return {entry.source: entry for entry in entries_due(view(**parts))}


def linked(*names: str) -> dict[str, str]:
    return {f"stripe-eu/{name}": ORDER for name in names}


# ---- orders --------------------------------------------------------------------------------------------------------


def test_a_sale_says_what_the_buyer_owes_and_for_what() -> None:
    card = sold(5000, sku="CARD", gift_card=True)
    sale = document("sale", sold(1000), card, tax=190, shipping=500, fees=30, duties=20, tips=7, adjustment=-3)
    entry = due(orders=(statement(sale=sale, movements=()),))[f"order/{ORDER}/sale"]
    assert balances([entry]) == {
        "gift_cards/aurora EUR": -5000,
        "receivable/aurora EUR": 6744,
        "sales/aurora EUR": -1000,
        "shipping/aurora EUR": -500,
        "surcharges/aurora EUR": -47,
        "tax/aurora EUR": -190,
        "tips/aurora EUR": -7,
    }
    (sales,) = [posting for posting in entry.postings if posting.role is Role.SALES]
    told = sales.dimensions
    assert (told.sku, told.title, told.units, told.channel, told.order) == ("MUG", "A mug", 1, "web", ORDER)
    (tax,) = [posting.dimensions for posting in entry.postings if posting.role is Role.TAX]
    assert (tax.country, tax.tax_rate, tax.tax_title) == ("DE", "0.19", "VAT")


def test_gift_cards_that_the_storefront_deducts_pay_their_part() -> None:
    sale = document("sale", sold(1000), gift_cards_deducted=400)
    entry = due(orders=(statement(sale=sale, movements=()),))[f"order/{ORDER}/sale"]
    assert balances([entry]) == {
        "gift_cards/aurora EUR": 400,
        "receivable/aurora EUR": 600,
        "sales/aurora EUR": -1000,
    }


def test_a_reduction_goes_the_other_way_into_returns() -> None:
    back = document("refund/77", sold(500), tax=95, shipping=100, adjustment=5, at=NOON + days(3))
    entry = due(orders=(statement(reductions=(back,), movements=()),))[f"order/{ORDER}/refund/77"]
    assert (entry.topic, entry.on) == (Topic.REDUCTION, on(3))
    assert balances([entry]) == {"receivable/aurora EUR": -700, "returns/aurora EUR": 605, "tax/aurora EUR": 95}
    assert next(one for one in entry.postings if one.role is Role.RETURNS).dimensions.units == -1


def test_the_day_of_business_is_the_merchants() -> None:
    late = NOON.replace(hour=23, minute=30)  # half past midnight in Amsterdam
    sale = document("sale", sold(1190), at=late)
    assert due(orders=(statement(sale=sale),))[f"order/{ORDER}/sale"].on == on(1)


def test_nothing_is_due_for_tests_and_for_what_is_older_than_the_books() -> None:
    assert not due(orders=(statement(test=True), statement("2", sale=None)), lines=(line("l", 5, test=True),))
    rules = RULES.model_copy(update={"books_from": on(1).isoformat()})
    old_and_new = (line("old", 500), line("new", 700, occurred_at=NOON + days(1)))
    assert list(due(rules=rules, orders=(statement(),), lines=old_and_new)) == ["line/stripe-eu/new"]


def test_cost_follows_the_goods_at_the_price_of_the_day() -> None:
    prices = (CostPrice("MUG", "USD", 300, DAY - days(9)), CostPrice("MUG", "USD", 999, on(1)))
    sale, back = document("sale", sold(1000, 2)), document("refund/7", sold(500, 1), at=NOON + days(5))
    found = due(orders=(statement(sale=sale, reductions=(back,), movements=()),), costs={"MUG": prices})
    assert balances([found[f"order/{ORDER}/cost"]]) == {"cost_of_sales/aurora USD": 600, "inventory/aurora USD": -600}
    assert balances([found[f"order/{ORDER}/refund/7/cost"]])["cost_of_sales/aurora USD"] == -300
    assert not due(orders=(statement(sale=sale),), costs={"MUG": prices[1:]}).get(f"order/{ORDER}/cost")


# ---- receipts ------------------------------------------------------------------------------------------------------


def test_a_capture_clears_what_is_owed_and_its_fee_stands_by_itself() -> None:
    found = due(orders=(statement(),), lines=(line("l1", 1190, 40),), order_of=linked("l1"))
    assert (found["line/stripe-eu/l1"].topic, found["line/stripe-eu/l1/fee"].topic) == (Topic.RECEIPT, Topic.FEE)
    sums = balances(found.values())
    assert (sums["clearing/stripe-eu EUR"], sums["fees/stripe-eu EUR"]) == (1150, 40)
    assert receivable(found.values(), ORDER) == 0


def test_money_of_no_order_is_in_suspense() -> None:
    found = due(
        lines=(line("l1", 1190, 40), line("l2", -90, kind=LineKind.ADJUSTMENT), line("l3", 5, kind=LineKind.UNKNOWN))
    )
    assert balances(found.values())["suspense/stripe-eu EUR"] == -1190 + 90 - 5
    assert found["line/stripe-eu/l1"].topic is Topic.ADJUSTMENT


def test_a_refund_and_its_reversal() -> None:
    back = document("refund/7", sold(500), at=NOON + days(2))
    lines = (line("l1", 1190), line("l2", -500, kind=LineKind.REFUND), line("l3", 500, kind=LineKind.REFUND_REVERSED))
    order = statement(reductions=(back,))
    assert receivable(entries_due(view(orders=(order,), lines=lines[:2], order_of=linked("l1", "l2"))), ORDER) == 0
    all_three = entries_due(view(orders=(order,), lines=lines, order_of=linked("l1", "l2", "l3")))
    assert receivable(all_three, ORDER) == -500


def test_gift_cards_and_cash_close_an_order_without_a_feed() -> None:
    moved = (
        movement("g", 200, "gift_card"),
        movement("c", 990, "cash"),
        movement("r", 100, "store_credit", kind=MovementKind.REFUND),
    )
    order = statement(movements=moved, reductions=(document("refund/r", sold(100)),))
    found = due(orders=(order,))
    assert receivable(found.values(), ORDER) == 0
    sums = balances(found.values())
    assert (sums["clearing/cash EUR"], sums["gift_cards/aurora EUR"]) == (990, 200 - 100)
    assert found[f"order/{ORDER}/gift_card/g"].topic is Topic.GIFT_CARD


def test_a_gateway_that_an_account_watches_is_not_outside() -> None:
    rules = RULES.model_copy(update={"outside_gateways": ("stripe", "cash")})
    assert f"order/{ORDER}/receipt/t5001" not in due(rules=rules, orders=(statement(),))


@pytest.mark.parametrize(
    ("gateway", "name"), [("Bank_Transfer", "bank-transfer"), ("!!", "other"), ("a" * 60, "a" * 40)]
)
def test_a_gateway_becomes_an_accounts_name(gateway: str, name: str) -> None:
    assert account_of_gateway(gateway) == name


def test_a_balance_in_another_currency_is_two_legs_that_meet() -> None:
    settled = line("l1", 1300, 30, currency="USD", buyer_currency="EUR", buyer_amount=1190)
    found = due(orders=(statement(),), lines=(settled,), order_of=linked("l1"))
    assert balances([found["line/stripe-eu/l1"]]) == {
        "clearing/stripe-eu USD": 1300,
        "exchange/stripe-eu EUR": 1190,
        "exchange/stripe-eu USD": -1300,
        "receivable/aurora EUR": -1190,
    }


def test_without_the_buyers_amount_the_storefronts_own_is_taken() -> None:
    lines = (line("l1", 650, currency="USD"), line("l2", 651, currency="USD"))
    found = due(orders=(statement(),), lines=lines, order_of=linked("l1", "l2"))
    assert receivable(found.values(), ORDER) == 0


def foreign(**overrides: Any) -> Any:
    """A shop in EUR whose buyer paid 1301 USD cents for 1190 EUR cents."""
    moved = (movement("t", 1301, currency="USD"),)
    fields: dict[str, Any] = {"buyer_currency": "USD", "buyer_total": 1301, "movements": moved}
    return statement(**(fields | overrides))


def test_the_providers_rate_differs_from_the_shops() -> None:
    told: dict[str, Any] = {"buyer_currency": "USD", "buyer_amount": 1301}
    found = due(orders=(foreign(),), lines=(line("l1", 1200, **told),), order_of=linked("l1"))
    assert balances([found["line/stripe-eu/l1"]]) == {
        "clearing/stripe-eu EUR": 1200,
        "exchange/stripe-eu EUR": -10,
        "receivable/aurora EUR": -1190,
    }
    by_a_cent = due(orders=(foreign(),), lines=(line("l1", 1191, **told),), order_of=linked("l1"))
    assert balances(by_a_cent.values())["rounding/stripe-eu EUR"] == -1


@given(
    st.integers(1, 10**7), st.integers(1, 10**7), st.lists(st.integers(1, 1000), min_size=1, max_size=5), st.booleans()
)
def test_an_order_that_a_foreign_buyer_paid_closes_to_zero(
    total: int, buyer: int, parts: list[int], back: bool
) -> None:
    whole = sum(parts)
    amounts = [buyer * sum(parts[: n + 1]) // whole - buyer * sum(parts[:n]) // whole for n in range(len(parts))]
    lines = [line(f"l{n}", amount, currency="USD", occurred_at=NOON + days(n)) for n, amount in enumerate(amounts)]
    overrides: dict[str, Any] = {
        "total": total,
        "buyer_total": buyer,
        "movements": (movement("t", buyer, currency="USD"),),
    }
    if back:
        refund = document("refund/1", sold(total))
        given_back = movement("r", buyer, currency="USD", kind=MovementKind.REFUND)
        overrides |= {"reductions": (refund,), "movements": (*overrides["movements"], given_back)}
        lines.append(line("back", -buyer, currency="USD", kind=LineKind.REFUND))
    order = foreign(**overrides)
    entries = entries_due(view(orders=(order,), lines=tuple(lines), order_of=linked(*(one.line_id for one in lines))))
    assert receivable(entries, ORDER) == 0


def test_an_order_must_be_in_the_view_of_its_lines() -> None:
    with pytest.raises(Rejected, match="order_not_in_view"):
        entries_due(view(lines=(line("l1", 5),), order_of=linked("l1")))


def test_a_net_that_does_not_follow_from_its_row_is_in_suspense() -> None:
    sums = balances(due(lines=(line("l1", -500, 0, LineKind.FEE, net=-503),)).values())
    assert sums == {"clearing/stripe-eu EUR": -503, "fees/stripe-eu EUR": 500, "suspense/stripe-eu EUR": 3}


# ---- what providers do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (LineKind.DISPUTE, "disputed"),
        (LineKind.DISPUTE_REVERSED, "disputed"),
        (LineKind.FEE, "fees"),
        (LineKind.RESERVE_HELD, "reserve"),
        (LineKind.RESERVE_RELEASED, "reserve"),
        (LineKind.PAYOUT, "in_transit"),
        (LineKind.PAYOUT_REVERSED, "in_transit"),
        (LineKind.TOPUP, "in_transit"),
        (LineKind.CONVERSION, "exchange"),
        (LineKind.ADJUSTMENT, "suspense"),
        (LineKind.UNKNOWN, "suspense"),
        (LineKind.CAPTURE, "suspense"),
    ],
)
def test_each_kind_of_line_has_its_counterpart(kind: LineKind, role: str) -> None:
    sums = balances(due(lines=(line("l1", -700, 20, kind),)).values())
    assert sums["clearing/stripe-eu EUR"] == -720
    assert sums[f"{role}/stripe-eu EUR"] == 700 + (20 if role == "fees" else 0)


def test_every_kind_of_line_is_booked_by_its_net() -> None:
    for kind in LineKind:
        assert balances(due(lines=(line("l1", 55, 5, kind),)).values())["clearing/stripe-eu EUR"] == 50


def test_a_lost_dispute_is_a_loss_and_a_won_one_is_none() -> None:
    taken = line("d1", -1190, 1500, LineKind.DISPUTE, source_id="dp_1")
    found = due(
        orders=(statement(),), lines=(taken,), payments=(dispute("dp_1", PaymentState.LOST),), order_of=linked("d1")
    )
    assert balances([found["dispute/stripe-eu/dp_1/lost"]]) == {
        "dispute_losses/stripe-eu EUR": 1190,
        "disputed/stripe-eu EUR": -1190,
    }
    given_back = line("d2", 1190, kind=LineKind.DISPUTE_REVERSED, source_id="dp_1")
    won = due(lines=(taken, given_back), payments=(dispute("dp_1", PaymentState.LOST),))
    assert "dispute/stripe-eu/dp_1/lost" not in won
    assert "dispute/stripe-eu/dp_1/lost" not in due(lines=(taken,), payments=(dispute("dp_1", PaymentState.OPEN),))


# ---- payouts and the bank ------------------------------------------------------------------------------------------


def test_a_payout_is_booked_once_by_its_line_or_by_itself() -> None:
    paid = payout("po_1", 500)
    assert list(due(payouts=(paid,))) == ["payout/stripe-eu/po_1"]
    by_line = line("l9", -500, kind=LineKind.PAYOUT, source_id="po_1")
    assert list(due(payouts=(paid,), lines=(by_line,))) == ["line/stripe-eu/l9"]


@pytest.mark.parametrize("state", [PayoutState.PENDING, PayoutState.FAILED, PayoutState.CANCELLED])
def test_a_payout_that_did_not_leave_is_not_booked(state: PayoutState) -> None:
    assert not due(payouts=(payout("po_1", 500, state),))


def test_a_payout_that_failed_is_taken_back_by_its_line_or_without_one() -> None:
    out = line("l9", -500, kind=LineKind.PAYOUT, source_id="po_1")
    failed = payout("po_1", 500, PayoutState.FAILED)
    assert not due(payouts=(failed,), lines=(out,))
    back = line("l10", 500, kind=LineKind.PAYOUT_REVERSED, source_id="po_1")
    both = due(payouts=(failed,), lines=(out, back))
    assert len(both) == 2
    assert balances(both.values()) == {}


def test_what_arrives_at_the_bank_ends_what_was_in_transit() -> None:
    parts = {"payouts": (payout("po_1", 500), payout("po_2", 300)), "bank_lines": (bank_line("b1", 800),)}
    found = due(**parts, matches=(arrival("main/b1", "stripe-eu/po_1", "stripe-eu/po_2"),))
    assert balances(found.values()) == {"bank/main EUR": 800, "clearing/stripe-eu EUR": -800}


def test_a_bank_that_keeps_something_and_one_in_another_currency() -> None:
    parts: dict[str, Any] = {"bank_lines": (bank_line("b1", 490),), "matches": (arrival("main/b1", "stripe-eu/po_1"),)}
    found = due(payouts=(payout("po_1", 500),), **parts)
    assert balances([found["bank/main/b1"]]) == {
        "bank/main EUR": 490,
        "in_transit/stripe-eu EUR": -500,
        "suspense/main EUR": 10,
    }
    found = due(payouts=(payout("po_1", 550, currency="USD"),), **parts)
    assert balances([found["bank/main/b1"]]) == {
        "bank/main EUR": 490,
        "exchange/main EUR": -490,
        "exchange/main USD": 550,
        "in_transit/stripe-eu USD": -550,
    }


def test_other_bank_lines_count_only_where_nothing_but_payouts_arrives() -> None:
    lines = (bank_line("b1", 77),)
    assert not due(bank_lines=lines)
    found = due(bank_lines=lines, payout_banks=frozenset({"main"}))
    assert balances(found.values()) == {"bank/main EUR": 77, "suspense/main EUR": -77}


# ---- write-offs ----------------------------------------------------------------------------------------------------


def test_a_write_off_ends_what_is_open_and_no_more() -> None:
    short = written_off(DiscrepancyKind.AMOUNT_MISMATCH, f"order:{ORDER}", 1190, 1100)
    parts = {"orders": (statement(),), "order_of": linked("l1", "l2"), "cases": (short,)}
    found = due(**parts, lines=(line("l1", 1100),))
    entry = found[f"case/{short.id}/write_off"]
    assert (entry.on, balances([entry])) == (on(1), {"receivable/aurora EUR": -90, "write_off/aurora EUR": 90})
    assert receivable(found.values(), ORDER) == 0
    came_after_all = due(**parts, lines=(line("l1", 1100), line("l2", 90)))
    assert f"case/{short.id}/write_off" not in came_after_all


def test_a_surplus_is_a_gain_and_several_cases_share_what_is_open() -> None:
    twice = written_off(DiscrepancyKind.DUPLICATE_CAPTURE, "line:stripe-eu/l2", 1190, 2380)
    again = written_off(DiscrepancyKind.AMOUNT_MISMATCH, f"order:{ORDER}", 1190, 2380)
    lines = (line("l1", 1190), line("l2", 1190))
    found = due(orders=(statement(),), lines=lines, order_of=linked("l1", "l2"), cases=(twice, again))
    assert balances(found.values())["write_off/aurora EUR"] == -1190
    assert receivable(found.values(), ORDER) == 0


def test_each_subject_is_written_off_where_it_stands() -> None:
    of_line = written_off(DiscrepancyKind.UNKNOWN_TXN, "line:stripe-eu/l1", 0, -30)
    found = due(lines=(line("l1", -30, kind=LineKind.UNKNOWN),), cases=(of_line,))
    assert balances(found.values()) == {"clearing/stripe-eu EUR": -30, "write_off/stripe-eu EUR": 30}
    missing = written_off(DiscrepancyKind.BANK_MISSING, "payout:stripe-eu/po_1", 500, 0)
    assert balances(due(payouts=(payout("po_1", 500),), cases=(missing,)).values()) == {
        "clearing/stripe-eu EUR": -500,
        "write_off/stripe-eu EUR": 500,
    }
    short = written_off(DiscrepancyKind.PAYOUT_SHORT, "payout:stripe-eu/po_1", 505, 500)
    assert balances(due(payouts=(payout("po_1", 500),), cases=(short,)).values())["clearing/stripe-eu EUR"] == -505
    unexpected = written_off(DiscrepancyKind.UNEXPECTED_BANK_LINE, "bank:main/b1", 0, 7)
    parts = {"bank_lines": (bank_line("b1", 7),), "payout_banks": frozenset({"main"}), "cases": (unexpected,)}
    assert balances(due(**parts).values()) == {"bank/main EUR": 7, "write_off/main EUR": -7}
    lost = written_off(DiscrepancyKind.DISPUTE_OPEN, "line:stripe-eu/d1", 0, -50)
    parts = {"lines": (line("d1", -50, kind=LineKind.DISPUTE),), "cases": (lost,)}
    assert balances(due(**parts).values()) == {"clearing/stripe-eu EUR": -50, "write_off/stripe-eu EUR": 50}


def test_a_write_off_in_the_buyers_currency_is_booked_in_the_shops() -> None:
    lost = written_off(DiscrepancyKind.MISSING_PAYMENT, f"order:{ORDER}", 1301, 0, currency="USD")
    assert receivable(due(orders=(foreign(),), cases=(lost,)).values(), ORDER) == 0


def test_only_what_was_decided_is_written_off_and_only_as_much() -> None:
    parts: dict[str, Any] = {"orders": (statement(),)}
    open_one = case(DiscrepancyKind.MISSING_PAYMENT, f"order:{ORDER}", 1190, 0, state=CaseState.OPEN)
    assert len(due(**parts, cases=(open_one,))) == 1
    a_part = written_off(DiscrepancyKind.MISSING_PAYMENT, f"order:{ORDER}", 1190, 0, amount=-1000)
    assert receivable(due(**parts, cases=(a_part,)).values(), ORDER) == 190


# ---- the whole -----------------------------------------------------------------------------------------------------


def test_sources_belong_to_the_things_that_are_in_the_view() -> None:
    there: LedgerView = view(
        orders=(statement("a/b"),),
        lines=(line("l1", 5),),
        payouts=(payout("p", 5),),
        bank_lines=(bank_line("b", 5),),
        payments=(dispute("d", PaymentState.LOST),),
        cases=(
            case(DiscrepancyKind.UNKNOWN_TXN, "line:stripe-eu/l1", 0, 5, id="k1"),
            case(DiscrepancyKind.UNKNOWN_TXN, "line:stripe-eu/elsewhere", 0, 5, id="k2"),
        ),
    )
    is_owned = owned_by(there)
    mine: tuple[str, ...] = ("line/stripe-eu/l1", "line/stripe-eu/l1/fee", "payout/stripe-eu/p", "case/k1/write_off")
    mine = (*mine, "order/aurora/a/b/refund/7", "order/aurora/a/b/sale")
    mine = (*mine, "bank/main/b", "dispute/stripe-eu/d/lost")
    assert [source for source in mine if not is_owned(source)] == []
    others = ("order/aurora/a", "order/aurora/a/bb/sale", "line/stripe-eu/l11", "case/k2/write_off", "opening/x/EUR")
    assert [source for source in others if is_owned(source)] == []


@given(st.randoms(use_true_random=False), st.integers(0, 6))
def test_what_is_due_does_not_depend_on_the_order_of_things(chance: Any, count: int) -> None:
    def shuffled(items: list[Any]) -> tuple[Any, ...]:
        return tuple(chance.sample(items, len(items)))

    orders = [statement(str(number)) for number in range(count)]
    lines = [line(f"l{number}", 1190, number) for number in range(count)]
    parts: dict[str, Any] = {"order_of": {f"stripe-eu/l{number}": f"aurora/{number}" for number in range(count)}}
    parts["payouts"] = (payout("p", 3), payout("q", 4))
    one = entries_due(view(orders=tuple(orders), lines=tuple(lines), **parts))
    assert one == entries_due(view(orders=shuffled(orders), lines=shuffled(lines), **parts))


def test_a_statement_that_does_not_add_up_still_balances() -> None:
    broken = document("sale", sold(1000)).model_copy(update={"total": 1003})
    sums = balances(due(orders=(statement(sale=broken, movements=()),)).values())
    assert sums == {"receivable/aurora EUR": 1003, "sales/aurora EUR": -1000, "surcharges/aurora EUR": -3}


def test_the_last_receipt_of_a_foreign_buyer_takes_what_rounding_left() -> None:
    lowered = document("edit/1", adjustment=595 - 1)
    order = foreign(reductions=(lowered,), movements=(movement("t", 650, currency="USD"),))
    paid = line("l1", 650, currency="USD")
    found = due(orders=(order,), lines=(paid,), order_of=linked("l1"))
    assert (order.owed, receivable(found.values(), ORDER)) == (596, 0)
    far_off = foreign(reductions=(document("edit/1", adjustment=500),))
    assert receivable(due(orders=(far_off,), lines=(paid,), order_of=linked("l1")).values(), ORDER) == 690 - 595


def test_a_payout_arrives_once() -> None:
    lines = (bank_line("b1", 500), bank_line("b2", 500))
    matches = (arrival("main/b1", "stripe-eu/po_1"), arrival("main/b2", "stripe-eu/po_1"))
    found = due(payouts=(payout("po_1", 500),), bank_lines=lines, matches=matches)
    assert balances(found.values()) == {"bank/main EUR": 500, "clearing/stripe-eu EUR": -500}


def usd(line_id: str, gross: int, kind: LineKind = LineKind.CAPTURE, **more: Any) -> Any:
    """On a balance in USD, of a feed that does not tell what the buyer was charged."""
    return line(line_id, gross, kind=kind, currency="USD", **more)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((usd("l1", 1300, payment_id="t5001"),), 0),
        ((usd("l1", 1300, payment_id="t5001"), usd("l2", 1300, payment_id="t5001")), -1190),
        ((usd("l1", 1300, payment_id="t5001"), usd("l2", -300, LineKind.CAPTURE_REVERSED, payment_id="t5001")), 275),
        ((usd("l1", 1300, payment_id="t5001"), usd("l2", -650, LineKind.REFUND)), 595),
        ((usd("l1", 1300), usd("l2", -1300, LineKind.REFUND)), 1190),
    ],
    ids=["named", "captured twice", "captured in part", "a refund that the store does not know", "by rate"],
)
def test_money_on_another_balance_is_told_by_the_store_or_by_the_same_rate(lines: Any, expected: int) -> None:
    found = due(orders=(statement(),), lines=lines, order_of=linked("l1", "l2"))
    assert receivable(found.values(), ORDER) == expected


def test_a_refund_on_another_balance_is_worth_what_the_store_says() -> None:
    given_back = movement("r1", 500, kind=MovementKind.REFUND)
    order = statement(reductions=(document("refund/1", sold(500)),), movements=(*statement().movements, given_back))
    lines = (usd("l1", 1300, payment_id="t5001"), usd("l2", -601, LineKind.REFUND, source_id="elsewhere"))
    found = due(orders=(order,), lines=lines, order_of=linked("l1", "l2"))
    assert receivable(found.values(), ORDER) == 0


def test_a_refund_whose_worth_nobody_tells_is_in_suspense() -> None:
    found = due(orders=(statement(),), lines=(usd("l1", -600, LineKind.REFUND),), order_of=linked("l1"))
    assert balances([found["line/stripe-eu/l1"]]) == {"clearing/stripe-eu USD": -600, "suspense/stripe-eu USD": 600}
