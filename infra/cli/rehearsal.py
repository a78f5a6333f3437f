"""The operators' use cases over a book that notes every commit; for `--dry-run` it writes none of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit
from shared.orders.models import Order
from shared.orders.ports import Desk, OrderBook
from shared.orders.record import OrderRecord


class Witness:
    """Writes to the real book, and keeps what was written.

    With `attended`, a person has decided on the record as it was first read here: if it has changed since, the commit
    is refused rather than decided again on what nobody saw.
    """

    def __init__(self, book: OrderBook, *, attended: bool = False) -> None:
        self._book = book
        self._attended = attended
        self._shown: dict[OrderKey, int] = {}
        self.commits: list[Commit] = []

    def find(self, key: OrderKey) -> OrderRecord | None:
        record = self._book.find(key)
        if record is not None:
            self._shown.setdefault(key, record.revision)
        return record

    def find_account(self, key: OrderKey) -> Order | None:
        return self._book.find_account(key)

    def write_account(self, order: Order) -> None:
        raise NotImplementedError("an operator takes no account in")

    def commit(self, commit: Commit) -> None:
        key = commit.record.key
        if self._attended and commit.replaces != self._shown.get(key):
            hint = "look at it again, then decide"
            raise Rejected("changed_meanwhile", f"order {key} changed while you decided", field="order", hint=hint)
        self._write(commit)
        self._shown[key] = commit.record.revision
        self.commits.append(commit)

    def claim_fingerprint(
        self, fingerprint: str, key: OrderKey, *, placed_at: datetime, window: timedelta
    ) -> OrderKey | None:
        raise NotImplementedError("an operator takes no account in")

    def needing_attention(self, shop: str) -> Iterator[OrderKey]:
        return self._book.needing_attention(shop)

    def _write(self, commit: Commit) -> None:
        self._book.commit(commit)


class Rehearsal(Witness):
    """Keeps what would be written, and writes nothing.

    A record that would be written is read back, so that a use case of several commits comes to its end. Stock is not:
    each order is decided on the stock there is now.
    """

    def __init__(self, book: OrderBook) -> None:
        super().__init__(book)
        self._rehearsed: dict[OrderKey, OrderRecord] = {}

    def find(self, key: OrderKey) -> OrderRecord | None:
        return self._rehearsed.get(key) or super().find(key)

    def _write(self, commit: Commit) -> None:
        self._rehearsed[commit.record.key] = commit.record


def watched(desk: Desk, *, dry_run: bool, attended: bool = False) -> tuple[Desk, list[Commit]]:
    """The desk over such a book, and the list that its commits are noted in."""
    book = Rehearsal(desk.book) if dry_run else Witness(desk.book, attended=attended)
    return replace(desk, book=book), book.commits
