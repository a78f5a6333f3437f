"""The order desk's surroundings in memory: the same promises as the tables, kept by one lock.

They pass the same contract suite as DynamoDB's tables (`tests/contract/test_order_book.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock

import tenacity

from shared.inventory.models import MOST_UNITS, Cause, CountedLevel, Move, StockChange, StockLine, StockView, moves_of
from shared.kernel.errors import Conflict, StorebridgeError
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit, Contended, Fingerprint
from shared.orders.models import Order
from shared.orders.ports import Desk
from shared.orders.record import OrderRecord
from shared.orders.review import ReviewRules
from tests.builders.orders import NOON


class FakeStockRoom:
    def __init__(self) -> None:
        self.lines: dict[tuple[str, str], StockLine] = {}
        self.lock = Lock()

    def read(self, skus: Iterable[str]) -> StockView:
        view: dict[str, dict[str, StockLine]] = {}
        wanted = set(skus)
        for (sku, location), line in self.lines.items():
            if sku in wanted:
                view.setdefault(sku, {})[location] = line
        return view

    def set_level(self, level: CountedLevel) -> StockLine:
        with self.lock:
            old = self.lines.get((level.sku, level.location))
            reserved = old.reserved if old else 0
            if reserved > level.on_hand:
                raise Conflict("reserved_exceeds_count", "more is promised than was counted", field="on_hand")
            line = StockLine(
                sku=level.sku,
                location=level.location,
                on_hand=level.on_hand,
                reserved=reserved,
                available=level.on_hand - reserved,
                safety_buffer=_kept(level.safety_buffer, old.safety_buffer if old else 0),
                reorder_point=level.reorder_point if level.reorder_point is not None else old and old.reorder_point,
                seq=old.seq + 1 if old else 1,
                counted_at=level.counted_at,
                cause=level.cause,
            )
            self.lines[level.sku, level.location] = line
            return line

    def follow(self, known: StockLine | None, change: StockChange, cause: Cause) -> StockLine | None:
        if self.lines.get((change.sku, change.location)) != known:
            return None
        return self.move(change, cause)

    def move(self, change: StockChange, cause: Cause) -> StockLine:
        with self.lock:
            key = (change.sku, change.location)
            if key not in self.lines and change.on_hand >= 0 and not change.reserved:
                line = StockLine(
                    sku=change.sku,
                    location=change.location,
                    on_hand=change.on_hand,
                    reserved=0,
                    available=change.on_hand,
                    seq=1,
                    cause=cause,
                )
            else:
                try:
                    line = self.moved(change, cause)
                except Conflict as error:
                    code = error.code if error.code == "too_many_units" else "not_on_shelf"
                    raise Conflict(code, error.message, field="units") from error
            self.lines[key] = line
            return line

    def moved(self, change: StockChange, cause: Cause) -> StockLine:
        """The line after the change; `Conflict` when that would promise or take what is not there."""
        line = self.lines.get((change.sku, change.location))
        if line is None:
            raise Conflict("changed_meanwhile", "there is no such stock line")
        if change.under is not None and change.under.at != line.counted_at:
            raise Conflict("changed_meanwhile", "it was counted meanwhile")
        after = (line.on_hand + change.on_hand, line.reserved + change.reserved, line.available + change.available)
        if min(after) < 0:
            raise Conflict("changed_meanwhile", "not enough stock")
        if change.on_hand > 0 and after[0] > MOST_UNITS:
            raise Conflict("too_many_units", "more than a line can say")
        return line.model_copy(
            update={
                "on_hand": after[0],
                "reserved": after[1],
                "available": after[2],
                "seq": line.seq + 1,
                "cause": cause,
                "shares": (),
            }
        )

    def moved_by(self, move: Move) -> StockLine:
        """The line after one share of the move after the other; `Contended` when one does not find what it takes."""
        before = self.lines.get((move.sku, move.location))
        try:
            for share in move.shares:
                change = StockChange(
                    sku=move.sku,
                    location=move.location,
                    on_hand=share.on_hand,
                    reserved=share.reserved,
                    under=move.under,
                )
                self.lines[move.sku, move.location] = self.moved(change, move.cause)
        except Conflict as error:
            raise Contended(frozenset({move.sku})) from error
        finally:
            after = self.lines.get((move.sku, move.location))
            if before is not None:
                self.lines[move.sku, move.location] = before
        assert after is not None
        return after.model_copy(update={"shares": move.shares if len(move.shares) > 1 else ()})


class FakeOrderBook:
    def __init__(self, stock: FakeStockRoom) -> None:
        self.records: dict[OrderKey, OrderRecord] = {}
        self.accounts: dict[OrderKey, Order] = {}
        self.claims: dict[str, tuple[OrderKey, datetime]] = {}
        self.commits = 0
        self._stock = stock

    def find(self, key: OrderKey) -> OrderRecord | None:
        return self.records.get(key)

    def find_many(self, keys: Iterable[OrderKey]) -> Mapping[OrderKey, OrderRecord]:
        return {key: self.records[key] for key in keys if key in self.records}

    def find_account(self, key: OrderKey) -> Order | None:
        return self.accounts.get(key)

    def write_account(self, order: Order) -> None:
        kept = self.accounts.get(order.key)
        if kept and _stated(kept) > _stated(order):
            raise Conflict("changed_meanwhile", "a newer account is kept")
        self.accounts[order.key] = order

    def write_accounts(self, orders: Sequence[Order]) -> Mapping[OrderKey, StorebridgeError]:
        refused: dict[OrderKey, StorebridgeError] = {}
        for order in orders:
            try:
                self.write_account(order)
            except StorebridgeError as error:
                refused[order.key] = error
        return refused

    def commit(self, commit: Commit) -> None:
        self.commit_all([commit])

    def commit_all(self, commits: Sequence[Commit]) -> None:
        with self._stock.lock:
            for commit in commits:
                found = self.records.get(commit.record.key)
                if (found.revision if found else None) != commit.replaces:
                    raise Conflict("changed_meanwhile", "the record changed")
            moves = moves_of((commit.record.cause, commit.changes) for commit in commits)
            moved = [self._stock.moved_by(move) for move in moves]
            self._stock.lines.update({(line.sku, line.location): line for line in moved})
            self.records.update({commit.record.key: commit.record for commit in commits})
            self.commits += 1

    def claim_fingerprints(self, claims: Sequence[Fingerprint]) -> Mapping[OrderKey, OrderKey]:
        twins = {}
        for value, key, placed_at, window in claims:
            twin = self.claim_fingerprint(value, key, placed_at=placed_at, window=window)
            if twin is not None:
                twins[key] = twin
        return twins

    def claim_fingerprint(
        self, fingerprint: str, key: OrderKey, *, placed_at: datetime, window: timedelta
    ) -> OrderKey | None:
        holder, placed = self.claims.get(fingerprint, (key, placed_at))
        if holder == key or placed < placed_at - window:
            self.claims[fingerprint] = (key, placed_at)
            return None
        return holder if placed <= placed_at + window else None

    def needing_attention(self, shop: str) -> Iterator[OrderKey]:
        waiting = [
            (record.attention_since, record.key)
            for record in self.records.values()
            if record.shop == shop and record.attention_since
        ]
        yield from (key for _, key in sorted(waiting))


class FakeStorefront:
    """Answers with what it was told, and counts the questions."""

    def __init__(self, answer: Callable[[str], Order | None]) -> None:
        self.asked: list[str] = []
        self._answer = answer

    def fetch(self, order_id: str) -> Order | None:
        self.asked.append(order_id)
        return self._answer(order_id)


def desk(
    stock: FakeStockRoom | None = None,
    *,
    storefront: FakeStorefront | None = None,
    rules: ReviewRules | None = None,
    locations: tuple[str, ...] = ("main",),
    now: datetime = NOON,
) -> Desk:
    room = stock or FakeStockRoom()
    return Desk(
        book=FakeOrderBook(room),
        stock=room,
        storefront=storefront,
        locations=locations,
        rules=rules or ReviewRules(),
        clock=lambda: now,
        retrying=retry_at_once,
    )


def retry_at_once() -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Conflict), stop=tenacity.stop_after_attempt(50), reraise=True
    )


def _stated(order: Order) -> tuple[str, str]:
    return order.version.updated_at, order.version.observed_at


def _kept(new: int | None, old: int) -> int:
    return old if new is None else new
