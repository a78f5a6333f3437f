"""Privacy's surroundings in memory: the same promises as the tables, the archive and the queues."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.fakes.backoffice import MemoryBackOffice
from shared.customers.contact import read_contact
from shared.customers.models import Profile
from shared.customers.rules import PrivacyRules
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.forgetting import impersonal
from shared.orders.models import Order
from shared.orders.record import OrderRecord
from shared.sync.jobs import Worker
from shared.sync.privacy.models import ErasureProof, PrivacyRequest
from shared.sync.privacy.ports import IsTheirs, PrivacyDesk, Struck
from shared.webhooks.delivery import Delivery
from tests.builders.customers import MARKER
from tests.builders.orders import NOON
from tests.fakes.customers import FakeCustomerBook
from tests.fakes.mirrors import FakeMirrors
from tests.fakes.order_desk import retry_at_once
from tests.fakes.stock_watch import FakeTaskList
from tests.fakes.sync import FakeJobs


class FakePrivacyBook:
    def __init__(self) -> None:
        self.requests: dict[str, PrivacyRequest] = {}
        self.done: dict[str, PrivacyRequest] = {}
        self.kept_proofs: dict[int, ErasureProof] = {}

    def open(self, request: PrivacyRequest) -> PrivacyRequest:
        known = self.find(request.id)
        if known is None:
            known = self.requests[request.id] = _next(request)
        return known

    def find(self, request_id: str) -> PrivacyRequest | None:
        return self.done.get(request_id) or self.requests.get(request_id)

    def save(self, request: PrivacyRequest) -> PrivacyRequest:
        self._check(request)
        self.requests[request.id] = _next(request)
        return self.requests[request.id]

    def close(self, request: PrivacyRequest, proof: ErasureProof | None) -> PrivacyRequest:
        self._check(request)
        if proof is not None and proof.number in self.kept_proofs:
            raise Conflict("changed_meanwhile", "there is a proof of this number")
        del self.requests[request.id]
        self.done[request.id] = _next(request).model_copy(update={"proof": proof.number if proof else None})
        if proof is not None:
            self.kept_proofs[proof.number] = proof
        return self.done[request.id]

    def unfinished(self) -> Iterator[PrivacyRequest]:
        yield from list(self.requests.values())

    def closed(self) -> Iterator[PrivacyRequest]:
        yield from list(self.done.values())

    def last_proof(self) -> ErasureProof | None:
        return self.kept_proofs[max(self.kept_proofs)] if self.kept_proofs else None

    def proofs(self) -> Iterator[ErasureProof]:
        yield from (self.kept_proofs[number] for number in sorted(self.kept_proofs))

    def _check(self, request: PrivacyRequest) -> None:
        known = self.requests.get(request.id)
        if known is None or known.revision != request.revision:
            raise Conflict("changed_meanwhile", "somebody else saved it")


def _next(request: PrivacyRequest) -> PrivacyRequest:
    return request.model_copy(update={"revision": request.revision + 1})


class FakeBuyers:
    """Orders' accounts, and who of their buyers was forgotten."""

    def __init__(self) -> None:
        self.accounts: dict[OrderKey, Order] = {}
        self.records: dict[OrderKey, OrderRecord] = {}
        self.forgotten: dict[OrderKey, datetime] = {}

    def write_account(self, order: Order) -> None:
        self.accounts[order.key] = impersonal(order) if order.key in self.forgotten else order

    def find(self, key: OrderKey) -> OrderRecord | None:
        return self.records.get(key)

    def find_many(self, keys: Iterable[OrderKey]) -> Mapping[OrderKey, OrderRecord]:
        return {key: self.records[key] for key in keys if key in self.records}

    def find_account(self, key: OrderKey) -> Order | None:
        return self.accounts.get(key)

    def forget_buyer(self, key: OrderKey, at: datetime) -> bool:
        was_known = key not in self.forgotten
        self.forgotten.setdefault(key, at)
        if key in self.accounts:
            self.accounts[key] = impersonal(self.accounts[key])
        return was_known

    def is_forgotten(self, key: OrderKey) -> bool:
        return key in self.forgotten

    def unforgotten(self, shop: str) -> Iterator[OrderKey]:
        yield from [key for key in self.accounts if key.shop == shop and key not in self.forgotten]


class FakeArchive:
    """Deliveries by folder and name; a page holds two."""

    def __init__(self) -> None:
        self.kept: dict[str, Delivery] = {}
        self.oversize: dict[str, Delivery] = {}
        self.looked_since: list[datetime | None] = []

    def strike(self, folder: str, since: datetime | None, cursor: str | None, is_theirs: IsTheirs) -> Struck:
        self.looked_since.append(since)
        return _struck(self.kept, f"{folder}/", cursor, is_theirs)

    def strike_oversize(self, since: datetime | None, cursor: str | None, is_theirs: IsTheirs) -> Struck:
        self.looked_since.append(since)
        return _struck(self.oversize, "", cursor, is_theirs)


def _struck(kept: dict[str, Delivery], prefix: str, cursor: str | None, is_theirs: IsTheirs) -> Struck:
    names = [name for name in sorted(kept) if name.startswith(prefix) and (cursor is None or name > cursor)]
    removed, unread = 0, []
    for name in names[:2]:
        try:
            if is_theirs(kept[name]):
                del kept[name]
                removed += 1
        except Rejected:
            unread.append(name)
    return Struck(names[1] if len(names) > 2 else None, len(names[:2]), removed, tuple(unread))


class FakeDeadLetters:
    def __init__(self) -> None:
        self.deliveries: dict[str, Delivery] = {}
        self.told_of: set[str] = set()
        """Customers whose errands were to go."""

    def strike(self, is_theirs: IsTheirs, customers: frozenset[str]) -> Struck:
        self.told_of |= customers
        gone = [name for name, delivery in self.deliveries.items() if is_theirs(delivery)]
        for name in gone:
            del self.deliveries[name]
        return Struck(looked_at=len(self.deliveries) + len(gone), removed=len(gone))


class FakePersonMirrors:
    def __init__(self) -> None:
        self.kept: set[CustomerKey] = set()

    def forget(self, leader: CustomerKey) -> int:
        found = leader in self.kept
        self.kept.discard(leader)
        return int(found)


@dataclass
class PrivacyHouse:
    """Everything that an erasure goes through, at noon unless the clock is moved."""

    rules: PrivacyRules = field(default_factory=PrivacyRules)
    now: datetime = NOON
    book: FakePrivacyBook = field(default_factory=FakePrivacyBook)
    customers: FakeCustomerBook = field(default_factory=FakeCustomerBook)
    orders: FakeBuyers = field(default_factory=FakeBuyers)
    tasks: FakeTaskList = field(default_factory=FakeTaskList)
    mirrors: FakeMirrors = field(default_factory=FakeMirrors)
    persons: FakePersonMirrors = field(default_factory=FakePersonMirrors)
    archive: FakeArchive = field(default_factory=FakeArchive)
    dead_letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)
    jobs: FakeJobs = field(default_factory=FakeJobs)
    steps: int | None = None
    """How many steps a worker has time for; None: for all."""
    runs: int = 0

    def __post_init__(self) -> None:
        self.office = MemoryBackOffice(self.clock)

    def clock(self) -> datetime:
        return self.now

    def desk(self, **overrides: Any) -> PrivacyDesk:
        fields: dict[str, Any] = {
            "requests": self.book,
            "customers": self.customers,
            "orders": self.orders,
            "tasks": self.tasks,
            "marker": MARKER,
            "rules": self.rules,
            "clock": self.clock,
            "phone_of": phone_of,
            "mirrors": self.mirrors,
            "persons": self.persons,
            "archive": self.archive,
            "dead_letters": self.dead_letters,
            "offices": lambda _shop: {"erp": self.office},
            "retrying": retry_at_once,
        }
        return PrivacyDesk(**(fields | overrides))

    def worker(self) -> Worker:
        self.runs += 1
        left = iter(range(self.steps)) if self.steps is not None else None

        def has_time() -> bool:
            return left is None or next(left, None) is not None

        return Worker(
            jobs=self.jobs, holder=f"run-{self.runs}", clock=self.clock, lease=timedelta(minutes=9), has_time=has_time
        )


def phone_of(_shop: str, profile: Profile) -> str | None:
    return read_contact(profile, "DE").phone_e164
