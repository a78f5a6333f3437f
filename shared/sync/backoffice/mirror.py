"""What we know of an order's stand in the back office, and why it stopped where it did."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from shared.kernel.errors import Retry, StorebridgeError
from shared.kernel.identifiers import OrderKey
from shared.kernel.model import Canonical
from shared.orders.dispatch import Dispatch
from shared.orders.errands import Office


class Stop(Canonical):
    """Why an order does not go on, and who has to act."""

    code: str
    message: str
    """In plain words; a back office's own where it is its rule."""
    field: str | None = None
    hint: str | None = None
    since: datetime
    attempts: int
    passing: bool
    """True: it is tried again by itself. False: a person must mend something, then retry the order."""

    @classmethod
    def of(cls, error: StorebridgeError, before: "Stop | None", now: datetime) -> "Stop":
        same = before if before and before.code == error.code else None
        return cls(
            code=error.code,
            message=error.message,
            field=error.field,
            hint=error.hint,
            since=same.since if same else now,
            attempts=(before.attempts if before else 0) + 1,
            passing=isinstance(error, Retry),
        )


class Stopped(Canonical):
    """One entry of the error desk."""

    shop: str
    order_id: str
    office: Office
    stop: Stop

    @property
    def key(self) -> OrderKey:
        return OrderKey(self.shop, self.order_id)


class Mirror(Canonical):
    """The back office's side of one order, as of the last look."""

    shop: str
    order_id: str
    backoffice: str
    """Name in the settings."""
    revision: int = 0
    """Grows by one with every save."""
    pushed: int = 0
    """The record's revision that the back office was brought to."""
    sale_id: str | None = None
    sale_number: str | None = None
    state: str | None = None
    warehouse: str | None = None
    """Chosen when the sale was first recorded: a sale does not move."""
    documents: dict[str, str] = {}
    """Ids of what was made beside the sale (returns, credit notes, payments), by our keys."""
    dispatches: tuple[Dispatch, ...] = ()
    promised: dict[str, dict[str, int]] = {}
    """Units that the back office itself keeps for this order, by our location and SKU."""
    looked_at: datetime | None = None
    stop: Stop | None = None

    @property
    def key(self) -> OrderKey:
        return OrderKey(self.shop, self.order_id)


class Told(Canonical):
    """What the storefront was told of an order's consignments."""

    shop: str
    order_id: str
    revision: int = 0
    known: dict[str, str] = {}
    """The storefront's fulfilment ids by the consignments' keys."""
    completed: bool = False
    cancelled: bool = False
    digest: str | None = None
    """Of the dispatches that were told last."""
    stop: Stop | None = None

    @property
    def key(self) -> OrderKey:
        return OrderKey(self.shop, self.order_id)


class Mirrors(Protocol):
    """Where the stands are kept. Every method raises `Retry` when the store is out of reach."""

    def find(self, key: OrderKey) -> Mirror | None: ...

    def save(self, mirror: Mirror, before: Mirror | None) -> Mirror:
        """Keep it with its stop on the error desk and the promises that changed, all or nothing.

        Raises:
            Conflict: somebody else saved it meanwhile.
        """
        ...

    def find_told(self, key: OrderKey) -> Told | None: ...

    def save_told(self, told: Told, before: Told | None) -> Told:
        """The same for what the storefront was told. Raises `Conflict`."""
        ...

    def stopped(self, shop: str) -> Iterable[Stopped]:
        """The error desk of one shop, by order."""
        ...

    def promised(self, backoffice: str, location: str, skus: Iterable[str]) -> Mapping[str, int]:
        """Units that the back office keeps for our orders at a location, by SKU. Those it never did are missing."""
        ...
