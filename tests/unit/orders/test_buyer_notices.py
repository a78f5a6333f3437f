"""What a buyer is told, and that each thing is told once, whoever told of it first and however late."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.orders.buyer_notices import TOO_OLD, BuyerNotice, BuyerNoticeKind, due_notices, notes_of, sent_goods
from shared.orders.dispatch import Dispatch
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import Order
from shared.orders.record import Hold, HoldReason, OrderRecord
from tests.builders.buyers import NUMBER, UNVERIFIED, paid_back, parcel, record, sent
from tests.builders.orders import NOON, line, order, shipment

ALL = frozenset(BuyerNoticeKind)
KEPT = timedelta(days=30)
MUGS = ("line-MUG", 2)


def mugs(**overrides: Any) -> Order:
    return order(line("MUG", 2), **overrides)


def due(
    account: Order,
    of: OrderRecord | None = None,
    *dispatches: Dispatch,
    now: datetime = NOON,
    noted: Collection[str] = (),
    kinds: Collection[BuyerNoticeKind] = ALL,
) -> tuple[BuyerNotice, ...]:
    return due_notices(account, of or record(account), dispatches, kinds, now, is_noted=lambda key: key in noted)


def kinds_of(notices: tuple[BuyerNotice, ...]) -> list[str]:
    return [notice.kind.value for notice in notices]


# ---- confirmed, held -------------------------------------------------------------------------------------------------


def test_a_released_order_is_confirmed() -> None:
    (notice,) = due(mugs())
    assert (notice.key, notice.kind, notice.happened_at) == (
        "buyer/aurora/5001/confirmed",
        BuyerNoticeKind.CONFIRMED,
        NOON,
    )


@pytest.mark.parametrize("review", [ReviewState.RECEIVED, ReviewState.APPROVED, ReviewState.CANCELLED])
def test_an_order_that_is_not_released_is_not_confirmed(review: ReviewState) -> None:
    assert due(mugs(), record(mugs(), review=review)) == ()


def test_an_order_held_for_proof_says_so_and_others_keep_their_reasons_to_themselves() -> None:
    held = record(mugs(), review=ReviewState.HELD, holds=(Hold(reason=UNVERIFIED),))
    assert kinds_of(due(mugs(), held)) == ["held_for_verification"]
    risky = record(mugs(), review=ReviewState.HELD, holds=(Hold(reason=HoldReason.RISK_HIGH),))
    assert due(mugs(), risky) == ()


def test_a_test_order_is_told_nothing() -> None:
    account = mugs(test=True, refunds=(paid_back("5.00"),))
    assert due(account, record(account), sent(MUGS)) == ()
    assert notes_of(account, record(account, review=ReviewState.HELD), (sent(MUGS),), NOON) == ()


def test_only_the_kinds_that_are_wanted_are_told() -> None:
    assert kinds_of(due(mugs(), None, sent(MUGS), kinds={BuyerNoticeKind.SHIPPED})) == ["shipped"]


def test_an_order_that_comes_in_late_is_not_confirmed_unless_we_saw_it_wait() -> None:
    later = NOON + TOO_OLD + timedelta(seconds=1)
    assert due(mugs(), now=later) == ()
    (note,) = notes_of(mugs(), record(mugs(), review=ReviewState.HELD), (), NOON)
    assert kinds_of(due(mugs(), now=later, noted={note})) == ["confirmed"]
    assert due(mugs(), now=later, noted={note, "buyer/aurora/5001/confirmed"}) == ()


# ---- shipped ---------------------------------------------------------------------------------------------------------


def test_each_consignment_is_told_with_its_goods_and_parcels() -> None:
    first = sent(("line-MUG", 1), key="erp/1", parcels=(parcel(),))
    second = sent(("line-MUG", 1), key="erp/2")
    notices = due(mugs(), None, first, second, kinds={BuyerNoticeKind.SHIPPED})
    assert [(notice.key, notice.parcels) for notice in notices] == [
        ("buyer/aurora/5001/shipped/erp/1/numbered", (parcel(),)),
        ("buyer/aurora/5001/shipped/erp/2", ()),
    ]


def test_a_number_that_comes_later_is_told_once_more_however_late() -> None:
    (before,) = due(mugs(), None, sent(MUGS, parcels=(parcel(None),)), kinds={BuyerNoticeKind.SHIPPED})
    numbered = sent(MUGS, parcels=(parcel(),))
    much_later = NOON + timedelta(days=9)
    (after,) = due(mugs(), None, numbered, now=much_later, noted={before.key}, kinds={BuyerNoticeKind.SHIPPED})
    assert after.key != before.key
    assert after.parcels[0].number == NUMBER
    assert due(mugs(), None, numbered, now=much_later, noted={before.key, after.key}) == ()
    # and what had its number from the start is not told again when the back office loses it
    assert due(mugs(), None, sent(MUGS), noted={after.key}, kinds={BuyerNoticeKind.SHIPPED}) == ()


def test_what_left_days_ago_is_no_news() -> None:
    assert due(mugs(), None, sent(MUGS), now=NOON + TOO_OLD, kinds={BuyerNoticeKind.SHIPPED})
    assert due(mugs(), None, sent(MUGS), now=NOON + TOO_OLD + timedelta(seconds=1)) == ()


def test_a_gift_card_and_a_service_are_not_shipped() -> None:
    card, repair = line("CARD", gift_card=True), line("REPAIR", requires_shipping=False)
    account = order(line("MUG", 2), card, repair)
    with_all = sent(MUGS, ("line-CARD", 1), ("line-REPAIR", 1))
    (notice,) = due(account, None, with_all, kinds={BuyerNoticeKind.SHIPPED})
    assert [each.line_id for each in notice.lines] == ["line-MUG"]
    assert due(account, None, sent(("line-CARD", 1)), kinds={BuyerNoticeKind.SHIPPED}) == ()


def test_a_shop_without_a_back_office_ships_by_itself() -> None:
    account = mugs(fulfilments=(shipment(MUGS, parcels=(parcel(),)),))
    (notice,) = due(account, kinds={BuyerNoticeKind.SHIPPED})
    assert notice.key == "buyer/aurora/5001/shipped/ship-1/numbered"
    for status in ("cancelled", "error", "pending"):
        assert due(mugs(fulfilments=(shipment(MUGS, status=status),)), kinds={BuyerNoticeKind.SHIPPED}) == ()


def keys(account: Order, *dispatches: Dispatch, shown: Collection[str] = ()) -> list[str]:
    return [one.key for one in sent_goods(account.fulfilments, dispatches, shown)]


def test_a_consignment_and_the_fulfilment_that_shows_it_are_one() -> None:
    told = mugs(fulfilments=(shipment(MUGS),))
    assert keys(told, sent(MUGS)) == ["erp/out/1"]
    by_number = mugs(fulfilments=(shipment(("line-OTHER", 1), parcels=(parcel(f" {NUMBER} "),)),))
    assert keys(by_number, sent(MUGS, parcels=(parcel(),))) == ["erp/out/1"]
    assert keys(mugs(fulfilments=(shipment(("line-OTHER", 1)),)), sent(MUGS), shown={"ship-1"}) == ["erp/out/1"]


def test_the_storefronts_own_shipment_stays_its_own_when_the_back_office_hears_of_it() -> None:
    account = mugs(fulfilments=(shipment(MUGS),))
    before = keys(account)
    assert before == keys(account, sent(MUGS, by_storefront=True)) == ["ship-1"]


def test_one_by_the_storefront_and_one_by_the_back_office_are_two() -> None:
    own = shipment(("line-MUG", 1))
    shown = own.model_copy(update={"id": "ship-2", "created_at": NOON + timedelta(hours=1)})
    heard = sent(("line-MUG", 1), key="erp/1", by_storefront=True)
    ours = sent(("line-MUG", 1), key="erp/2")
    assert keys(mugs(fulfilments=(shown, own)), heard, ours) == ["erp/2", "ship-1"]
    assert keys(mugs(fulfilments=(shown, own)), ours, shown={"ship-2"}) == ["erp/2", "ship-1"]


def test_a_storefront_that_is_completed_as_a_whole_shows_what_the_back_office_sent() -> None:
    whole = mugs(fulfilments=(shipment(MUGS),))
    assert keys(whole, sent(("line-MUG", 1), key="erp/1"), sent(("line-MUG", 1), key="erp/2")) == ["erp/1", "erp/2"]


# ---- delivered, refunded ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fulfilment", "delivered", "told"),
    [
        (FulfilmentState.DELIVERED, False, True),
        (FulfilmentState.SHIPPED, True, True),
        (FulfilmentState.PARTIALLY_SHIPPED, True, False),
        (FulfilmentState.SHIPPED, False, False),
        (FulfilmentState.RETURNED, True, False),
    ],
)
def test_delivered_is_told_when_all_of_it_was(fulfilment: FulfilmentState, delivered: bool, told: bool) -> None:
    of = record(mugs(), fulfilment=fulfilment, delivered=delivered)
    assert bool(due(mugs(), of, sent(MUGS), kinds={BuyerNoticeKind.DELIVERED})) is told


def test_a_parcel_that_arrives_after_weeks_is_told_because_we_saw_it_leave() -> None:
    (note,) = notes_of(mugs(), record(mugs(), fulfilment=FulfilmentState.SHIPPED), (sent(MUGS),), NOON)
    arrived = record(mugs(), fulfilment=FulfilmentState.SHIPPED, delivered=True)
    weeks_later = NOON + timedelta(days=20)
    assert kinds_of(due(mugs(), arrived, sent(MUGS), now=weeks_later, noted={note})) == ["delivered"]
    assert due(mugs(), arrived, sent(MUGS), now=weeks_later) == ()


def test_each_refund_is_told_with_the_amount_that_the_buyer_paid() -> None:
    account = mugs(refunds=(paid_back("1200", "JPY"), paid_back("5.00", "USD", refund_id="r2")))
    notices = due(account, kinds={BuyerNoticeKind.REFUNDED})
    assert [(notice.key, str(notice.amount)) for notice in notices] == [
        ("buyer/aurora/5001/refunded/r1", "1200 JPY"),
        ("buyer/aurora/5001/refunded/r2", "5.00 USD"),
    ]


def test_a_refund_without_money_is_no_news_and_one_counts_from_when_its_money_went() -> None:
    assert due(mugs(refunds=(paid_back("0"),)), kinds={BuyerNoticeKind.REFUNDED}) == ()
    assert due(mugs(refunds=(paid_back("5.00", at=None),)), kinds={BuyerNoticeKind.REFUNDED}) == ()
    days_later = NOON + timedelta(days=5)
    at_once, slowly = paid_back("5.00", went=1), paid_back("5.00", went=4 * 1440)
    assert due(mugs(refunds=(at_once,)), now=days_later) == ()
    assert kinds_of(due(mugs(refunds=(slowly,)), now=days_later)) == ["refunded"]


# ---- one life, looked at whenever ------------------------------------------------------------------------------------

moments = st.lists(st.integers(0, 60 * 24), min_size=1, max_size=25).map(sorted)


@given(
    looks=moments,
    released=st.integers(0, 24 * 20),
    left=st.integers(0, 24 * 20),
    numbered=st.integers(0, 24 * 20),
    arrived=st.integers(0, 24 * 25),
)
def test_however_often_and_late_it_is_looked_at_nothing_is_told_twice(
    looks: list[int], released: int, left: int, numbered: int, arrived: int
) -> None:
    """Keys are forgotten after a month, as the log forgets them; looks come at any hours of sixty days."""
    log: dict[str, datetime] = {}
    told: list[str] = []
    for hours in looks:
        now = NOON + timedelta(hours=hours)
        log = {key: at for key, at in log.items() if now - at < KEPT}
        gone = hours >= left
        has_arrived = gone and hours >= left + arrived
        account = mugs(refunds=(paid_back("5.00", at=NOON + timedelta(hours=left)),) if gone else ())
        parcels = (parcel(NUMBER if hours >= left + numbered else None),)
        dispatches = (sent(MUGS, at=NOON + timedelta(hours=left), parcels=parcels),) if gone else ()
        of = record(
            account,
            review=ReviewState.RELEASED if hours >= min(released, left) else ReviewState.HELD,
            holds=() if hours >= min(released, left) else (Hold(reason=UNVERIFIED),),
            fulfilment=FulfilmentState.SHIPPED if gone else FulfilmentState.ALLOCATED,
            delivered=has_arrived,
        )
        for note in notes_of(account, of, dispatches, now):
            log.setdefault(note, now)
        for notice in due_notices(account, of, dispatches, ALL, now, is_noted=log.__contains__):
            log[notice.key] = now
            told.append(notice.key)
    assert len(told) == len(set(told))
    shipped = [key for key in told if "/shipped/" in key]
    assert len(shipped) <= 2
