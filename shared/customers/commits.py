"""What is written together, all or nothing."""

from dataclasses import dataclass

from shared.customers.marks import Mark
from shared.customers.merges import Merge
from shared.customers.models import Customer
from shared.customers.record import CustomerRecord


@dataclass(frozen=True)
class CustomerCommit:
    """One transaction: the record as it is to be, and the personal data and marks that belong to it."""

    record: CustomerRecord
    replaces: int | None
    """The revision that the decision was built on; None for a new customer."""
    customer: Customer | None = None
    """The account to keep; None: what is kept stays."""
    forget: bool = False
    """Take the personal data away."""
    marks: frozenset[Mark] | None = None
    """All marks that the customer is to bear from now on; None: they stay."""
    bore: frozenset[Mark] = frozenset()
    """Those that it bore before: what is in this and not in `marks` is taken away."""


@dataclass(frozen=True)
class MergeCommit:
    """One transaction: the merge that says why, and the records that change their leader.

    The leader's own record is among them, one revision on, so that it cannot be merged away at the same moment.
    """

    merge: Merge
    records: tuple[CustomerRecord, ...]
    """As they are to be, each replacing the revision before its own."""
