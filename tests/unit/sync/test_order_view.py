"""What a buyer's page shows of an order, and that it shows nothing of the buyer."""

from typing import Any

import pytest

from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import Order
from shared.sync.order_view import OrderView, ViewStage, view_of
from tests.builders.buyers import NUMBER, parcel, record, sent
from tests.builders.orders import line, order, shipment

MUGS = ("line-MUG", 2)


def view(account: Order | None = None, *dispatches: Any, **of_record: Any) -> OrderView:
    account = account or order(line("MUG", 2))
    return view_of(account.name, record(account, **of_record), dispatches, account.fulfilments)


def way(shown: OrderView) -> list[str]:
    """`+` done, `*` current."""
    marks = {(True, False): "+", (False, True): "*", (False, False): ""}
    return [f"{marks[step.done, step.current]}{step.stage.value}" for step in shown.steps]


@pytest.mark.parametrize(
    ("review", "fulfilment", "delivered", "expected"),
    [
        ("received", "unallocated", False, "*received confirmed shipped delivered"),
        ("held", "allocated", False, "*checking confirmed shipped delivered"),
        ("approved", "allocated", False, "*checking confirmed shipped delivered"),
        ("released", "allocated", False, "+received *confirmed shipped delivered"),
        ("released", "backordered", False, "+received *confirmed shipped delivered"),
        ("released", "not_required", False, "+received *confirmed"),
        ("released", "partially_shipped", True, "+received +confirmed *partly_shipped delivered"),
        ("released", "shipped", False, "+received +confirmed *shipped delivered"),
        ("released", "shipped", True, "+received +confirmed +shipped *delivered"),
        ("held", "shipped", False, "+received +confirmed *shipped delivered"),
        ("released", "delivered", False, "+received +confirmed +shipped *delivered"),
        ("released", "returned", False, "+received +confirmed +shipped +delivered *returned"),
        ("cancelled", "allocated", False, "+received *cancelled"),
    ],
)
def test_the_way_of_an_order(review: str, fulfilment: str, delivered: bool, expected: str) -> None:
    shown = view(review=ReviewState(review), fulfilment=FulfilmentState(fulfilment), delivered=delivered)
    assert way(shown) == expected.split()


@pytest.mark.parametrize("review", ReviewState)
@pytest.mark.parametrize("fulfilment", FulfilmentState)
def test_exactly_one_step_is_current_whatever_the_states(review: ReviewState, fulfilment: FulfilmentState) -> None:
    shown = view(review=review, fulfilment=fulfilment)
    current = [step.stage for step in shown.steps if step.current]
    assert current == [shown.stage]


def test_each_parcel_is_shown_once_whichever_side_told_of_it() -> None:
    account = order(line("MUG", 2), fulfilments=(shipment(MUGS, parcels=(parcel(f"{NUMBER[:4]} {NUMBER[4:]}"),)),))
    shown = view(account, sent(MUGS, parcels=(parcel(), parcel(), parcel(None), parcel(None, None))))
    assert [(one.number, one.link is not None) for one in shown.parcels] == [(NUMBER, True), (None, False)]


def test_the_storefronts_own_parcels_are_shown_too() -> None:
    account = order(line("MUG", 2), fulfilments=(shipment(MUGS, parcels=(parcel(carrier="Van"),)),))
    (shown,) = view(account).parcels
    assert (shown.carrier, shown.number, shown.link) == ("Van", NUMBER, None)


def test_nothing_of_the_buyer_or_the_money_is_in_it() -> None:
    text = view(None, sent(MUGS, parcels=(parcel(),)), fulfilment=FulfilmentState.SHIPPED).model_dump_json()
    assert view().stage is ViewStage.CONFIRMED
    for hidden in ("Eve", "eve@", "Berlin", "10115", "20.00", "EUR", "MUG", "A thing"):
        assert hidden not in text
