from collections import Counter
from datetime import date, timedelta

import pytest

from infra.demo.finance_month import DAYS, ORDERS, WRONG, Course, Gateway, Month, fee, month, tax_in

TODAY = date(2026, 11, 24)
_WEEK = [TODAY + timedelta(days=number) for number in range(7)]


def test_the_month_comes_again_from_the_same_seed() -> None:
    assert month(TODAY) == month(TODAY)
    assert month(TODAY, seed=8) != month(TODAY)


@pytest.mark.parametrize("today", _WEEK)
def test_everything_lies_before_the_day_that_it_is_made_for(today: date) -> None:
    made = month(today)
    assert len(made.purchases) == ORDERS
    assert all(made.first <= one.at.date() < today for one in made.purchases)
    assert all(at.date() < today for at in (*made.paypal_payouts, *(one.at for one in made.stripe_payouts)))
    assert made.last == made.first + timedelta(days=DAYS - 1)


@pytest.mark.parametrize("today", _WEEK)
def test_every_course_is_gone_and_what_goes_wrong_is_old_enough_to_be_late(today: date) -> None:
    made = month(today)
    assert {one.course for one in made.purchases} == set(Course)
    assert all(today - one.at.date() > timedelta(days=14) for one in made.purchases if one.course in WRONG)


def test_orders_that_go_another_way_are_told_apart_by_their_amounts() -> None:
    totals = Counter(one.total for one in month(TODAY).purchases if one.course is not Course.PAID)
    assert set(totals.values()) == {1}


def test_each_order_has_a_number_of_its_own() -> None:
    made = month(TODAY)
    assert len({one.key for one in made.purchases}) == len(made.purchases)
    assert len({(one.shop, one.name) for one in made.purchases}) == len(made.purchases)


def test_a_refund_is_a_part_of_the_order() -> None:
    refunded = [one for one in month(TODAY).purchases if one.course is Course.REFUNDED]
    assert {one.gateway for one in refunded} == {Gateway.STRIPE, Gateway.PAYPAL}
    assert all(0 < one.refund <= one.total for one in refunded)


def test_a_month_that_is_too_small_for_its_faults_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        month(TODAY, orders=20)


def test_what_goes_wrong_with_the_balance_comes_before_what_it_keeps_from_closing() -> None:
    made: Month = month(TODAY)
    short = next(one for one in made.stripe_payouts if one.short_by)
    assert made.first < made.unmapped_at.date() < short.at.date()


@pytest.mark.parametrize(("amount", "cost"), [(1_000, 40), (1_033, 40), (1_034, 41), (0, 25)])
def test_fees_are_rounded_half_up_to_the_cent(amount: int, cost: int) -> None:
    assert fee(amount, "1.5", 25) == cost


@pytest.mark.parametrize(("gross", "tax"), [(12_100, 2_100), (1_250, 217), (0, 0)])
def test_tax_is_within_the_price(gross: int, tax: int) -> None:
    assert tax_in(gross) == tax
