"""The made-up month is what it says: it adds up, its faults are in it, and nothing else is wrong in it."""

from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from infra.bench.finance_month import Month, month
from infra.bench.month.merchant import ACCOUNTS, exchanged
from shared.finance.models import (
    DiscrepancyKind,
    Document,
    Item,
    LineKind,
    PayoutState,
    SettlementLine,
    Subject,
)
from shared.kernel.money import currency_exponent

ORDERS = 1_500


@pytest.fixture(scope="module")
def made_up() -> Month:
    return month(7, ORDERS)


def faulty(made_up: Month, *kinds: DiscrepancyKind) -> set[Item]:
    return {item for fault in made_up.truth if fault.kind in kinds for item in fault.items}


def line_item(line: SettlementLine) -> Item:
    return Item(subject=Subject.LINE, id=f"{line.account}/{line.line_id}")


def test_a_seed_makes_one_month_and_another_seed_another() -> None:
    assert month(3, 200) == month(3, 200)
    assert month(3, 200).orders != month(4, 200).orders


def test_every_kind_that_a_month_can_have_is_planted(made_up: Month) -> None:
    planted = Counter(fault.kind for fault in made_up.truth)
    assert set(DiscrepancyKind) - planted.keys() == {DiscrepancyKind.RESTATED}, "two statements are told by merging"
    assert min(planted.values()) >= 3


def test_every_fault_is_about_something_that_is_there(made_up: Month) -> None:
    orders = {str(order.key) for order in made_up.orders}
    lines = {f"{line.account}/{line.line_id}" for line in made_up.lines}
    payouts = {f"{payout.account}/{payout.payout_id}" for payout in made_up.payouts}
    bank_lines = {f"{line.bank}/{line.line_id}" for line in made_up.bank_lines}
    there = {Subject.ORDER: orders, Subject.LINE: lines, Subject.PAYOUT: payouts, Subject.BANK: bank_lines}
    for fault in made_up.truth:
        items = [item for item in fault.items if item.subject is not Subject.PAYMENT]
        assert items
        assert [str(item) for item in items if item.id not in there[item.subject]] == []


def test_what_belongs_to_an_order_is_a_line_of_an_order_that_is_there(made_up: Month) -> None:
    orders = {str(order.key) for order in made_up.orders}
    lines = {f"{line.account}/{line.line_id}" for line in made_up.lines}
    assert made_up.belongs.keys() <= lines
    assert set(made_up.belongs.values()) <= orders


def test_documents_add_up(made_up: Month) -> None:
    documents = [order.sale for order in made_up.orders if order.sale]
    documents += [document for order in made_up.orders for document in order.reductions]
    assert [document.id for document in documents if sum_of(document) != document.total] == []


def sum_of(document: Document) -> int:
    parts = (document.shipping, document.fees, document.duties, document.tips, document.adjustment)
    lines = sum(line.net for line in document.lines) + sum(tax.amount for tax in document.taxes)
    return lines + sum(parts) - document.gift_cards_deducted


def test_a_line_is_gross_less_fee(made_up: Month) -> None:
    assert all(line.gross - line.fee == line.net for line in made_up.lines)


def test_lines_come_to_their_payout_unless_that_is_the_fault(made_up: Month) -> None:
    nets: dict[tuple[str, str], int] = defaultdict(int)
    for line in made_up.lines:
        if line.payout_id and line.kind is not LineKind.PAYOUT:
            nets[line.account, line.payout_id] += line.net
    wrong = {
        f"{payout.account}/{payout.payout_id}": payout.amount - nets[payout.account, payout.payout_id]
        for payout in made_up.payouts
        if payout.itemised and payout.amount != nets[payout.account, payout.payout_id]
    }
    over = {item.id for item in faulty(made_up, DiscrepancyKind.PAYOUT_OVER) if item.subject is Subject.PAYOUT}
    short = {item.id for item in faulty(made_up, DiscrepancyKind.PAYOUT_SHORT) if item.subject is Subject.PAYOUT}
    assert {payout for payout, off in wrong.items() if off > 0} == over
    assert {payout for payout, off in wrong.items() if off < 0} == short
    assert any(payout.amount < 0 for payout in made_up.payouts)


def test_a_charge_costs_what_the_contract_says_unless_that_is_the_fault(made_up: Month) -> None:
    varied = faulty(made_up, DiscrepancyKind.FEE_VARIANCE)
    rounded = faulty(made_up, DiscrepancyKind.FX_ROUNDING)
    odd = set()
    for line in made_up.lines:
        account = ACCOUNTS[line.account]
        if line.kind is LineKind.CAPTURE and account.rules.fees and line_item(line) not in rounded:
            known = {account.fee(line.gross, line.currency), account.fee(line.gross, line.currency, other=True)}
            if line.fee not in known:
                odd.add(line_item(line))
    assert odd == {item for item in varied if item.subject is Subject.LINE}


def test_an_exchange_is_by_its_own_rate_unless_that_is_the_fault(made_up: Month) -> None:
    off = set()
    for line in made_up.lines:
        if line.exchange_rate and line.kind is LineKind.CAPTURE:
            assert line.buyer_amount is not None
            assert line.buyer_currency is not None
            money = (line.buyer_amount, line.buyer_currency, line.currency)
            if line.gross != exchanged(*money, Decimal(line.exchange_rate)):
                off.add(line_item(line))
    rounded = faulty(made_up, DiscrepancyKind.FX_ROUNDING)
    assert off == {item for item in rounded if item.subject is Subject.LINE}


def test_what_is_paid_out_came_within_the_calendar(made_up: Month) -> None:
    issued = {(payout.account, payout.payout_id): payout.issued_on for payout in made_up.payouts}
    for line in made_up.lines:
        if line.payout_id and line.kind is LineKind.CAPTURE:
            calendar = ACCOUNTS[line.account].rules.calendar
            days = (issued[line.account, line.payout_id] - line.occurred_at.date()).days
            assert 0 < days <= calendar.settles_days


def test_a_payout_that_is_long_paid_is_at_the_bank_unless_that_is_the_fault(made_up: Month) -> None:
    booked = Counter((line.bank, line.currency, line.amount) for line in made_up.bank_lines)
    over = made_up.as_of.date() - timedelta(days=9)
    absent = {
        f"{payout.account}/{payout.payout_id}"
        for payout in made_up.payouts
        if payout.arrives_on
        and payout.arrives_on < over
        and payout.state is PayoutState.PAID
        and not booked[ACCOUNTS[payout.account].bank, payout.currency, payout.amount]
    }
    missing = faulty(made_up, DiscrepancyKind.BANK_MISSING)
    assert absent == {item.id for item in missing if item.subject is Subject.PAYOUT}


def test_a_balance_is_what_came_in_less_what_went_out(made_up: Month) -> None:
    neutral = (LineKind.RESERVE_HELD, LineKind.RESERVE_RELEASED)
    assert {(balance.account, balance.currency) for balance in made_up.balances} >= {
        ("paypal", "USD"),
        ("tap-kw", "KWD"),
    }
    for balance in made_up.balances:
        moved = [
            line.net
            for line in made_up.lines
            if (line.account, line.currency) == (balance.account, balance.currency)
            and line.occurred_at < balance.as_of
            and line.kind not in neutral
            and not line.test
        ]
        assert sum(moved) == balance.amount


def test_three_payments_in_a_hundred_are_named_nowhere(made_up: Month) -> None:
    named = {name for order in made_up.orders for movement in order.movements for name in movement.references}
    facts = {(fact.account, fact.payment_id) for fact in made_up.payments if fact.references}
    charges = [line for line in made_up.lines if line.kind is LineKind.CAPTURE and not line.test]
    unnamed = [
        line
        for line in charges
        if not line.references and line.payment_id not in named and (line.account, line.payment_id) not in facts
    ]
    assert 0.02 < len(unnamed) / len(charges) < 0.05


def test_amounts_collide_as_prices_do() -> None:
    """In the published orders of Olist, 12.5 % of payments at 200 a day share their amount within five days."""
    made_up = month(11, 200 * 30)
    times: dict[tuple[str, int], list[float]] = defaultdict(list)
    for line in made_up.lines:
        if line.kind is LineKind.CAPTURE:
            times[line.currency, line.gross].append(line.occurred_at.timestamp())
    window = timedelta(days=5).total_seconds()
    shared = total = 0
    for moments in times.values():
        moments.sort()
        close = [after - before < window for before, after in pairwise(moments)]
        total += len(moments)
        shared += sum(left or right for left, right in zip([False, *close], [*close, False], strict=True))
    assert 0.1 < shared / total < 0.3


def test_yen_and_dinars_have_their_own_decimals(made_up: Month) -> None:
    totals = {
        currency: [order.buyer_total for order in made_up.orders if order.currency == currency]
        for currency in ("JPY", "KWD")
    }
    assert all(totals.values())
    assert (currency_exponent("JPY"), currency_exponent("KWD")) == (0, 3)
    assert any(total % 1000 for total in totals["KWD"])


def test_what_came_last_is_waiting(made_up: Month) -> None:
    assert made_up.waiting
    by_key = {str(order.key): order for order in made_up.orders}
    belonging = set(made_up.belongs.values())
    for item in made_up.waiting:
        order = by_key[item.id]
        assert made_up.as_of - max(movement.at for movement in order.movements) < timedelta(days=2)
        assert len(order.movements) > 1 or item.id not in belonging
