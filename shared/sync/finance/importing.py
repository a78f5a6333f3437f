"""Take in a file that a provider or a bank made: read whole, judged whole, then kept. Any file, any number of times."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final, NamedTuple, Protocol

import tenacity

from shared.finance.models import BankLine, Fact, OrderStatement, Payment, Payout, ProviderBalance, SettlementLine
from shared.finance.ports import AuditTrail, FinanceFacts, Kept
from shared.finance.recording import record
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected
from shared.payments.port import AccountContext, Fault, FileReader

MOST_BYTES: Final = 50 * 1024 * 1024
"""A year of a busy account's settlement lines is 10 to 20 MB."""
_BATCH: Final = 1_000


class ImportBook(FinanceFacts, AuditTrail, Protocol):
    """What an import writes to."""


@dataclass(frozen=True)
class ImportDesk:
    """Where files are taken in."""

    book: ImportBook
    clock: Clock
    retrying: Callable[[], tenacity.Retrying]
    """How often to try again when somebody else's record came in between."""


class ImportReport(NamedTuple):
    name: str
    """Of the file, for whoever handed it in. It may name people, so it is in no error and not on the trail."""
    kind: str
    """What the file was recognised as."""
    account: str
    sha256: str
    read: int
    """Facts that the file states."""
    new: int
    changed: int
    same: int
    restated: tuple[str, ...]
    """Ids of facts that were stated before with other money."""
    faults: tuple[Fault, ...]
    """Places that could not be read. The rest of the file was kept."""
    skipped: int
    """Rows that are no movements by design."""
    first_at: datetime | None
    """The oldest movement in the file; None where it has none."""
    last_at: datetime | None


def import_file(
    name: str, content: bytes, reader: FileReader, context: AccountContext, desk: ImportDesk, actor: str
) -> ImportReport:
    """Keep what the file states, and record on the audit trail who brought it and what came of it: once for each
    import, for each is somebody's act. The facts are the same after the second time, and in whatever order files come.

    Nothing is kept before the whole file was read.

    Raises:
        Rejected: `file_too_large`, `empty_file`, or what the reader refuses the file for.
        Conflict: others kept writing to the trail; the facts are kept. Import the file again.
        Retry: the store is out of reach; import the file again.
    """
    _require_size(content)
    read = reader(content, context)
    facts, strangers = _of_account(read.facts, context.account)
    kept = _keep(desk.book, facts)
    moments = [at for at in map(_moment_of, facts) if at is not None]
    report = ImportReport(
        name=name,
        kind=read.kind,
        account=context.account,
        sha256=hashlib.sha256(content).hexdigest(),
        read=len(facts),
        new=kept.new,
        changed=kept.changed,
        same=kept.same,
        restated=tuple(sorted(set(kept.restated))),
        faults=(*read.faults, *strangers),
        skipped=read.skipped,
        first_at=min(moments, default=None),
        last_at=max(moments, default=None),
    )
    record(desk.book, desk.clock, desk.retrying, (actor, "file.imported", report.sha256), _figures(report))
    return report


def _require_size(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise Rejected(
            "file_too_large",
            f"the file has {len(content) // 1024 // 1024} MB, and at most {MOST_BYTES // 1024 // 1024} are read",
            field="file",
            hint="export shorter periods: files may overlap",
        )
    if not content.strip():
        raise Rejected("empty_file", "there is nothing in the file", field="file")


def _of_account(facts: Iterable[Fact], account: str) -> tuple[tuple[Fact, ...], tuple[Fault, ...]]:
    """A reader only reads one account; a fact of another would be kept where nobody looks for it."""
    ours: list[Fact] = []
    strangers = 0
    for fact in facts:
        if _account_of(fact) == account:
            ours.append(fact)
        else:
            strangers += 1
    fault = Fault("file", "wrong_account", f"{strangers} facts are not of the account {account}")
    return tuple(ours), (fault,) if strangers else ()


def _account_of(fact: Fact) -> str | None:
    if isinstance(fact, OrderStatement):
        return None
    return fact.bank if isinstance(fact, BankLine) else fact.account


def _keep(book: FinanceFacts, facts: tuple[Fact, ...]) -> Kept:
    kept = Kept()
    for start in range(0, len(facts), _BATCH):
        kept = kept + book.keep(facts[start : start + _BATCH])
    return kept


_MOMENTS: Final[tuple[tuple[type, Callable[..., datetime]], ...]] = (
    (SettlementLine, lambda line: line.occurred_at),
    (Payment, lambda payment: payment.occurred_at),
    (ProviderBalance, lambda balance: balance.as_of),
    (Payout, lambda payout: datetime.combine(payout.issued_on, time(), UTC)),
    (BankLine, lambda line: datetime.combine(line.booked_on, time(), UTC)),
)


def _moment_of(fact: Fact) -> datetime | None:
    return next((moment(fact) for kind, moment in _MOMENTS if isinstance(fact, kind)), None)


def _figures(report: ImportReport) -> dict[str, str]:
    return {
        "kind": report.kind,
        "account": report.account,
        "read": str(report.read),
        "new": str(report.new),
        "changed": str(report.changed),
        "same": str(report.same),
        "restated": str(len(report.restated)),
        "faults": str(len(report.faults)),
        "skipped": str(report.skipped),
    }
