"""Things that a person has to do before the data can go on: one task per matter, however often it comes up."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.kernel.model import Canonical


class TaskKind(StrEnum):
    UNMAPPED_SKU = "unmapped_sku"
    """An order line whose SKU no stock line carries."""
    MISSING_SKU = "missing_sku"
    """An order line of a tracked product without any SKU."""
    PURCHASE_REQUEST = "purchase_request"
    """A SKU runs low: order it. There is no back office to raise it in yet, so that a person does."""
    SHOP_SILENT = "shop_silent"
    """The shop has had no order for longer than it ever goes without one."""
    SUBSCRIPTION_LOST = "subscription_lost"
    """The shop does not send all that it should, and we may not or cannot mend it."""
    PRIVACY_REQUEST = "privacy_request"
    """A person's data is to be handed over or erased, and that does not go on by itself."""


class Task(Canonical):
    kind: TaskKind
    shop: str
    """The shop; the stock location for a purchase request."""
    subject: str
    """What it is about: the SKU, or order and line."""
    first_seen_in: str
    """The order that brought it up: `aurora/5001`; the change of the stock line for a purchase request; the time
    of the last order before a silence; the topics that a shop does not send; who asks for what."""
    opened_at: datetime
    units: int | None = None
    """How many to order, for a purchase request."""
    due_at: datetime | None = None
    """When it must be done by law."""

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.shop}/{self.subject}"

    @property
    def advice(self) -> str:
        """What to do, in one line."""
        if self.kind is TaskKind.UNMAPPED_SKU:
            return f"count it in (storebridge stock set {self.subject} …), or give the product the SKU that stock knows"
        if self.kind is TaskKind.PURCHASE_REQUEST:
            return f"order {self.units} units of {self.subject} for {self.shop}"
        if self.kind is TaskKind.SHOP_SILENT:
            return f"no order since {self.first_seen_in}: try to buy something, look at the checkout and the payments"
        if self.kind is TaskKind.SUBSCRIPTION_LOST:
            return f"set the webhooks for {self.first_seen_in} active, or let our API credentials make webhooks"
        if self.kind is TaskKind.PRIVACY_REQUEST:
            until = f" by {self.due_at:%Y-%m-%d}" if self.due_at else ""
            return f"see what is asked{until}: storebridge privacy show {self.subject}"
        return "give the product a SKU in the storefront"


class TaskList(Protocol):
    def open(self, task: Task) -> None:
        """Add a task; one that is on the list already stays as it is."""
        ...

    def close(self, task_id: str) -> None:
        """Take a task off the list, or raise `Rejected` with code `unknown_task`."""
        ...

    def all(self) -> Iterable[Task]:
        """Every open task, by kind and shop."""
        ...
