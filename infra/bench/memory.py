"""The order desk's surroundings in memory, so that what is measured is our own work and no database's."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from shared.inventory.models import Cause, CountedLevel, StockLine, StockView
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit
from shared.orders.models import Order
from shared.orders.ports import Desk
from shared.orders.record import OrderRecord
from shared.orders.review import ReviewRules
from shared.wiring.order_desk import retry_conflicts

LOCATION = "main"


class Shelf:
    """A stock room that has plenty of everything, and stays as it is: every order meets the same stock."""

    def __init__(self) -> None:
        self._cause = Cause(kind="count", reference="bench")

    def read(self, skus: Iterable[str]) -> StockView:
        return {sku: {LOCATION: self._line(sku, 10**6)} for sku in skus}

    def set_level(self, level: CountedLevel) -> StockLine:
        return self._line(level.sku, level.on_hand)

    def _line(self, sku: str, units: int) -> StockLine:
        return StockLine(
            sku=sku, location=LOCATION, on_hand=units, reserved=0, available=units, seq=1, cause=self._cause
        )


class Book:
    """An order book in memory, for one thread."""

    def __init__(self) -> None:
        self.records: dict[OrderKey, OrderRecord] = {}
        self._accounts: dict[OrderKey, Order] = {}

    def find(self, key: OrderKey) -> OrderRecord | None:
        return self.records.get(key)

    def find_account(self, key: OrderKey) -> Order | None:
        return self._accounts.get(key)

    def write_account(self, order: Order) -> None:
        self._accounts[order.key] = order

    def commit(self, commit: Commit) -> None:
        self.records[commit.record.key] = commit.record

    def claim_fingerprint(
        self,
        fingerprint: str,  # noqa: ARG002 - the port's signature
        key: OrderKey,  # noqa: ARG002
        *,
        placed_at: datetime,  # noqa: ARG002
        window: timedelta,  # noqa: ARG002
    ) -> OrderKey | None:
        return None

    def needing_attention(self, shop: str) -> Iterator[OrderKey]:
        return (key for key, record in self.records.items() if key.shop == shop and record.attention_since)


def empty_desk() -> Desk:
    """A desk that has seen no order yet."""
    return Desk(
        book=Book(),
        stock=Shelf(),
        storefront=None,
        locations=(LOCATION,),
        rules=ReviewRules(),
        clock=utc_now,
        retrying=retry_conflicts,
    )
