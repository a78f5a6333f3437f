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


class Task(Canonical):
    kind: TaskKind
    shop: str
    subject: str
    """What it is about: the SKU, or order and line."""
    first_seen_in: str
    """The order that brought it up: `aurora/5001`."""
    opened_at: datetime

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.shop}/{self.subject}"

    @property
    def advice(self) -> str:
        """What to do, in one line."""
        if self.kind is TaskKind.UNMAPPED_SKU:
            return f"count it in (storebridge stock set {self.subject} …), or give the product the SKU that stock knows"
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
