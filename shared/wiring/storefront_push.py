"""Put together what storefronts are told: errands about orders, to the shop that they come from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.kernel.clock import utc_now
from shared.orders.errands import Office
from shared.orders.lifecycle import FulfilmentState
from shared.platform.configuration import settings
from shared.platform.errand_queue import AnErrand, OrderErrand
from shared.platform.kept import MadeOnce
from shared.platform.settings import ShopSettings
from shared.storefronts.port import FulfilmentDesk
from shared.sync.storefront_push import TellingDesk, tell
from shared.wiring.backoffice_connection import connected_office
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.errands import run_batch
from shared.wiring.storefront_client import credentials_of, http
from shared.wiring.tables import order_records

_DELIVERED = frozenset({FulfilmentState.DELIVERED})
_SHIPPED = frozenset({FulfilmentState.SHIPPED, FulfilmentState.DELIVERED})


def run_all(records: Sequence[Mapping[str, Any]], *, run: str, has_time: Callable[[], bool]) -> list[str]:
    """Run a batch of errands; returns the ids of messages that are none.

    Raises:
        Retry: what has to be run again could not be put back.
    """
    return run_batch(records, _run, Office.STOREFRONT, holder=run, has_time=has_time)


def _run(errand: AnErrand) -> str:
    if not isinstance(errand, OrderErrand):
        return "not a storefront's"
    shop = settings().shop(errand.shop)
    if not is_told(shop):
        return "the shop is told nothing"
    told = tell(errand.key, telling_desk(errand.shop, shop))
    return "completed" if told.completed else f"{len(told.known)} consignments shown"


def is_told(shop: ShopSettings) -> bool:
    return shop.api_access and shop.tell_storefront


def telling_desk(name: str, shop: ShopSettings) -> TellingDesk:
    return TellingDesk(
        storefront=_fulfilment(name, shop),
        orders=order_records(),
        mirrors=mirror_table(),
        clock=utc_now,
        notify_buyer=shop.notify_buyer,
        complete_on=_complete_on(shop),
    )


def _complete_on(shop: ShopSettings) -> frozenset[FulfilmentState]:
    if shop.backoffice is None:
        return frozenset()
    wanted = settings().backoffice(shop.backoffice).complete_when
    if wanted == "told":
        return _DELIVERED if connected_office(shop.backoffice).capabilities.tells_delivery else _SHIPPED
    return _DELIVERED if wanted == "delivered" else _SHIPPED


@MadeOnce
def _fulfilment(name: str, shop: ShopSettings) -> FulfilmentDesk:
    if shop.platform == "shopify":
        from shared.storefronts.shopify.fulfilment import ShopifyFulfilment  # noqa: PLC0415 - load one vendor only

        return ShopifyFulfilment(
            name, shop.address, credentials_of(name), http(), utc_now, api_version=shop.api_version
        )
    from shared.storefronts.woocommerce.fulfilment import WooCommerceFulfilment  # noqa: PLC0415

    return WooCommerceFulfilment(name, shop.address, credentials_of(name), http(), utc_now)
