"""The systems beside ours: what a shop shows of its orders, the merchant's back office, and whoever is notified."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from infra.fakes.backoffice import MemoryBackOffice
from shared.kernel.clock import utc_now
from shared.kernel.errors import Retry
from shared.notifications.port import Notice
from shared.orders.dispatch import Dispatch
from tests.simulation.cloud.cloud import Cloud, Failures
from tests.simulation.shop import STOREFRONT, Shop

NOTIFIER: Final = Failures(
    lambda: Retry("channel_unreachable", "no answer"), lambda: Retry("channel_throttled", "slow down")
)
_OFFICE_WRITES: Final = frozenset(
    {
        "save_customer",
        "record_sale",
        "confirm_sale",
        "amend_sale",
        "cancel_sale",
        "ship",
        "take_back",
        "post_invoice",
        "credit",
        "register_payment",
        "apply_count",
    }
)
_OFFICE_READS: Final = Failures(
    lambda: Retry("backoffice_unreachable", "no answer"), lambda: Retry("backoffice_busy", "slow down")
)
_OFFICE_WRITTEN: Final = Failures(
    lambda: Retry("backoffice_outcome_unknown", "no answer"), lambda: Retry("backoffice_busy", "slow down")
)


class FarOffice:
    """A back office at the other end of a network."""

    def __init__(self, cloud: Cloud, office: MemoryBackOffice) -> None:
        self._cloud = cloud
        self._office = office
        self.capabilities = office.capabilities

    def __getattr__(self, method: str) -> Any:
        do = getattr(self._office, method)
        failures = _OFFICE_WRITTEN if method in _OFFICE_WRITES else _OFFICE_READS

        def call(*args: Any, **words: Any) -> Any:
            return self._cloud.call(f"office {method}", lambda: do(*args, **words), failures)

        return call


def office(stock: Mapping[str, int]) -> MemoryBackOffice:
    """A company with so many of each SKU on the shelf."""
    made = MemoryBackOffice(utc_now)
    for sku, units in stock.items():
        made.add_product(sku, units)
    for service in ("SHIPPING", "FEE", "TIP", "DUTY", "ROUNDING"):
        made.add_product(service)
    return made


@dataclass
class ShopFront:
    """What a shop shows of its orders' consignments (a `FulfilmentDesk`)."""

    cloud: Cloud
    shop: Shop
    shown: dict[str, dict[str, str]] = field(default_factory=dict)
    """By order: the shop's own ids by the consignments' keys."""

    def tell_dispatched(
        self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str], notify_buyer: bool
    ) -> Mapping[str, str]:
        del notify_buyer

        def do() -> Mapping[str, str]:
            shown = self.shown.setdefault(order_id, {})
            for dispatch in dispatches:
                if dispatch.key not in shown:
                    shown[dispatch.key] = f"shipment-{len(shown) + 1}"
            return {**known, **{dispatch.key: shown[dispatch.key] for dispatch in dispatches}}

        return self.cloud.call("POST shipment", do, STOREFRONT)

    def complete(self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str]) -> None:
        del dispatches, known
        self.cloud.call("PUT order completed", lambda: self._becomes(order_id, "completed"), STOREFRONT)

    def cancel(self, order_id: str, reason: str) -> None:
        del reason
        self.cloud.call("PUT order cancelled", lambda: self._becomes(order_id, "cancelled"), STOREFRONT)

    def _becomes(self, order_id: str, status: str) -> None:
        if self.shop.orders[order_id][-1].status not in (status, "cancelled"):
            self.shop.change(order_id, status=status)


class FarChannel:
    """The shop's stock at the other end of a network (a `StockChannel`)."""

    def __init__(self, cloud: Cloud, shop: Shop) -> None:
        self._cloud = cloud
        self._channel = shop.channel
        self.most_writes = shop.channel.most_writes

    def __getattr__(self, method: str) -> Any:
        do = getattr(self._channel, method)

        def call(*args: Any, **words: Any) -> Any:
            return self._cloud.call(f"channel {method}", lambda: do(*args, **words), STOREFRONT)

        return call


@dataclass
class Topic:
    """Whoever is told of low stock (a `Notifier`)."""

    cloud: Cloud
    told: Counter[str] = field(default_factory=Counter)

    def send(self, notice: Notice) -> None:
        def do() -> None:
            self.told[notice.key] += 1

        self.cloud.call("notify", do, NOTIFIER)
