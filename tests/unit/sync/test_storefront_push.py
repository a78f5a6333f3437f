"""What a storefront is told of an order: each thing once, and only what is so."""

from collections.abc import Mapping, Sequence

import pytest

from shared.kernel.errors import Rejected, Retry
from shared.orders.cancel import cancel
from shared.orders.dispatch import Dispatch
from shared.orders.lifecycle import FulfilmentState
from shared.sync.storefront_push import TellingDesk, tell
from tests.builders.books import KEY, Company, account, company, taxed
from tests.builders.orders import shipment

DELIVERED = frozenset({FulfilmentState.DELIVERED})
SHIPPED = DELIVERED | {FulfilmentState.SHIPPED}


class Shop:
    def __init__(self) -> None:
        self.shown: dict[str, Dispatch] = {}
        self.calls: list[str] = []
        self.trouble: Exception | None = None

    def tell_dispatched(
        self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str], notify_buyer: bool
    ) -> Mapping[str, str]:
        self._called(f"dispatched {order_id} {notify_buyer}")
        self.shown |= {dispatch.key: dispatch for dispatch in dispatches}
        return {**known, **{dispatch.key: f"f{number}" for number, dispatch in enumerate(dispatches)}}

    def complete(self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str]) -> None:
        assert {dispatch.key for dispatch in dispatches} == set(known)
        self._called(f"complete {order_id}")

    def cancel(self, order_id: str, reason: str) -> None:
        self._called(f"cancel {order_id}: {reason}")

    def _called(self, what: str) -> None:
        if self.trouble:
            raise self.trouble
        self.calls.append(what)


def telling(shop: Shop, at: Company, complete_on: frozenset[FulfilmentState] = SHIPPED) -> TellingDesk:
    return TellingDesk(shop, at.orders.book, at.mirrors, at.clock, notify_buyer=True, complete_on=complete_on)


def sold() -> Company:
    at = company(MUG=10)
    at.take_in(account(taxed("MUG", 2, "25.00", "4.34")))
    at.push()
    return at


def test_nothing_is_told_before_something_happened() -> None:
    shop, at = Shop(), sold()
    assert tell(KEY, telling(shop, at)).revision == 0
    assert shop.calls == []


def test_a_part_is_shown_the_rest_completes_it() -> None:
    shop, at = Shop(), sold()
    at.office.send_off(str(KEY), {"line-MUG": 1})
    at.push()
    tell(KEY, telling(shop, at))
    tell(KEY, telling(shop, at))
    assert shop.calls == ["dispatched 5001 True"]
    at.office.send_off(str(KEY))
    at.push()
    told = tell(KEY, telling(shop, at))
    assert shop.calls[1:] == ["dispatched 5001 True", "complete 5001"]
    assert len(told.known) == 2
    tell(KEY, telling(shop, at))
    assert len(shop.calls) == 3


def test_a_shop_may_wait_for_the_delivery() -> None:
    shop, at = Shop(), sold()
    at.office.send_off(str(KEY))
    at.push()
    assert not tell(KEY, telling(shop, at, DELIVERED)).completed
    at.office.deliver(str(KEY))
    at.push()
    assert tell(KEY, telling(shop, at, DELIVERED)).completed


def test_a_shop_hears_nothing_of_its_own_shipments() -> None:
    shop, at = Shop(), sold()
    own = shipment(("line-MUG", 2))
    at.take_in(account(taxed("MUG", 2, "25.00", "4.34", open_quantity=0), minute=2, fulfilments=(own,)))
    at.push()
    tell(KEY, telling(shop, at))
    assert shop.calls == []


def test_an_operators_cancellation_reaches_the_shop_once() -> None:
    shop, at = Shop(), sold()
    cancel(KEY, at.orders, by="mia")
    assert tell(KEY, telling(shop, at)).cancelled
    tell(KEY, telling(shop, at))
    assert shop.calls == ["cancel 5001: Cancelled in Storebridge by mia"]


@pytest.mark.parametrize(
    "trouble", [Retry("storefront_unreachable", "gone"), Rejected("not_shippable", "cancelled there")]
)
def test_what_stops_it_is_on_the_error_desk_until_it_is_gone(trouble: Exception) -> None:
    shop, at = Shop(), sold()
    at.office.send_off(str(KEY))
    at.push()
    shop.trouble = trouble
    with pytest.raises(type(trouble)):
        tell(KEY, telling(shop, at))
    (entry,) = at.mirrors.stopped("aurora")
    assert entry.stop.passing is isinstance(trouble, Retry)
    shop.trouble = None
    tell(KEY, telling(shop, at))
    assert list(at.mirrors.stopped("aurora")) == []
