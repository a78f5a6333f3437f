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
    REFUND_PROPOSED = "refund_proposed"
    """A buyer is to get money back: whoever may refund at the payment provider does it there."""


class Task(Canonical):
    kind: TaskKind
    shop: str
    """The shop; the stock location for a purchase request; the payment account for a refund of no order."""
    subject: str
    """What it is about: the SKU, or order and line; the case for a refund."""
    first_seen_in: str
    """The order that brought it up: `aurora/5001`; the change of the stock line for a purchase request; the time
    of the last order before a silence; the topics that a shop does not send; who asks for what; what is to be paid
    back."""
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
        until = f" by {self.due_at:%Y-%m-%d}" if self.due_at else ""
        return _ADVICE[self.kind].format(task=self, until=until)


_ADVICE = {
    TaskKind.UNMAPPED_SKU: (
        "count it in (storebridge stock set {task.subject} …), or give the product the SKU that stock knows"
    ),
    TaskKind.MISSING_SKU: "give the product a SKU in the storefront",
    TaskKind.PURCHASE_REQUEST: "order {task.units} units of {task.subject} for {task.shop}",
    TaskKind.SHOP_SILENT: (
        "no order since {task.first_seen_in}: try to buy something, look at the checkout and the payments"
    ),
    TaskKind.SUBSCRIPTION_LOST: (
        "set the webhooks for {task.first_seen_in} active, or let our API credentials make webhooks"
    ),
    TaskKind.PRIVACY_REQUEST: "see what is asked{until}: storebridge privacy show {task.subject}",
    TaskKind.REFUND_PROPOSED: "refund it at the provider; how much, and of what: storebridge money case {task.subject}",
}


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
