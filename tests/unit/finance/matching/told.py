"""How the tests of matching read a result."""

from typing import Any

from shared.finance.inputs import Reconciliation
from shared.finance.matching.reconcile import reconcile
from shared.finance.models import Bucket, Discrepancy, DiscrepancyKind, Item, Subject
from tests.builders.finance import inputs


def run(*things: Any, **more: Any) -> Reconciliation:
    return reconcile(inputs(*things, **more))


def kinds(result: Reconciliation) -> list[DiscrepancyKind]:
    return sorted(one.kind for one in result.discrepancies)


def only(result: Reconciliation, kind: DiscrepancyKind) -> Discrepancy:
    """The one discrepancy there is, which is of this kind."""
    assert kinds(result) == [kind]
    return result.discrepancies[0]


def bucket(result: Reconciliation, subject: Subject, name: str) -> Bucket:
    return result.buckets[Item(subject=subject, id=name)]
