"""An erasure's first round over surroundings that it cannot change: for `--dry-run`.

The steps are the real ones. Tables, archive and dead-letter queues are read as they are, what would be erased is
counted, and nothing is written; a back office is asked whether it knows the customer, and not told to forget it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from infra.cli.customer_rehearsal import CustomerRehearsal
from shared.backoffices.documents import Forgotten, KnownCustomer
from shared.backoffices.port import Capabilities
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.models import Order
from shared.orders.ports import Buyers
from shared.orders.record import OrderRecord
from shared.sync.backoffice.mirror import Mirror, Mirrors, Stopped, Told
from shared.sync.jobs import Job, Worker
from shared.sync.privacy.erase import work_on
from shared.sync.privacy.models import ErasureProof, PrivacyRequest
from shared.sync.privacy.ports import Archive, CustomerEraser, DeadLetters, IsTheirs, PrivacyDesk, Struck
from shared.sync.tasks import Task
from shared.webhooks.delivery import Delivery

Ask = Callable[[PrivacyDesk], PrivacyRequest]
"""Open a request on this desk."""
_LEASE = timedelta(minutes=20)


def rehearse(ask: Ask, desk: PrivacyDesk, tell: Callable[[PrivacyRequest], None]) -> PrivacyRequest:
    """The request as it would be after the first round; `tell` is called after each step.

    Raises:
        Rejected: what opening the request raises.
        Retry: something is out of reach.
    """
    requests = _Requests(tell)
    seeing = replace(
        desk,
        requests=requests,
        customers=CustomerRehearsal(desk.customers),
        orders=_Buyers(desk.orders),
        tasks=_Tasks(),
        mirrors=_Mirrors(desk.mirrors),
        persons=_Persons(),
        archive=_Archive(desk.archive),
        dead_letters=_DeadLetters(desk.dead_letters),
        offices=lambda shop: {name: _Office(office) for name, office in desk.offices(shop).items()},
    )
    opened = ask(seeing)
    worker = Worker(jobs=_Jobs(), holder="rehearsal", clock=desk.clock, lease=_LEASE, has_time=lambda: True)
    return work_on(opened.id, seeing, worker) or opened


class _Requests:
    """One request, in memory."""

    def __init__(self, tell: Callable[[PrivacyRequest], None]) -> None:
        self._tell = tell
        self._kept: dict[str, PrivacyRequest] = {}

    def open(self, request: PrivacyRequest) -> PrivacyRequest:
        return self._kept.setdefault(request.id, request)

    def find(self, request_id: str) -> PrivacyRequest | None:
        return self._kept.get(request_id)

    def save(self, request: PrivacyRequest) -> PrivacyRequest:
        self._kept[request.id] = request
        self._tell(request)
        return request

    def close(self, request: PrivacyRequest, proof: ErasureProof | None) -> PrivacyRequest:  # noqa: ARG002
        return self.save(request)

    def unfinished(self) -> Iterator[PrivacyRequest]:
        yield from self._kept.values()

    def closed(self) -> Iterator[PrivacyRequest]:
        yield from ()

    def last_proof(self) -> ErasureProof | None:
        return None

    def proofs(self) -> Iterator[ErasureProof]:
        yield from ()


@dataclass(frozen=True)
class _Buyers:
    kept: Buyers

    def find(self, key: OrderKey) -> OrderRecord | None:
        return self.kept.find(key)

    def find_many(self, keys: Iterable[OrderKey]) -> Mapping[OrderKey, OrderRecord]:
        return self.kept.find_many(keys)

    def find_account(self, key: OrderKey) -> Order | None:
        return self.kept.find_account(key)

    def forget_buyer(self, key: OrderKey, at: datetime) -> bool:  # noqa: ARG002 - nothing is forgotten
        return not self.kept.is_forgotten(key)

    def is_forgotten(self, key: OrderKey) -> bool:
        return self.kept.is_forgotten(key)

    def unforgotten(self, shop: str) -> Iterator[OrderKey]:
        return self.kept.unforgotten(shop)


class _Tasks:
    """Nobody is called."""

    def open(self, task: Task) -> None:
        pass

    def close(self, task_id: str) -> None:
        pass

    def all(self) -> Iterable[Task]:
        return ()


@dataclass(frozen=True)
class _Mirrors:
    kept: Mirrors

    def find(self, key: OrderKey) -> Mirror | None:
        return self.kept.find(key)

    def save(self, mirror: Mirror, before: Mirror | None) -> Mirror:  # noqa: ARG002 - nothing is saved
        return mirror

    def find_told(self, key: OrderKey) -> Told | None:
        return self.kept.find_told(key)

    def save_told(self, told: Told, before: Told | None) -> Told:  # noqa: ARG002 - nothing is saved
        return told

    def stopped(self, shop: str) -> Iterable[Stopped]:
        return self.kept.stopped(shop)

    def promised(self, backoffice: str, location: str, skus: Iterable[str]) -> Mapping[str, int]:
        return self.kept.promised(backoffice, location, skus)


class _Persons:
    def forget(self, leader: CustomerKey) -> int:  # noqa: ARG002 - nothing is forgotten
        return 0


class _Jobs:
    """A lease that nobody else wants."""

    def find(self, name: str) -> Job | None:  # noqa: ARG002 - there is none
        return None

    def take(self, name: str, holder: str, *, now: datetime, until: datetime) -> None:
        pass

    def save(self, job: Job, holder: str) -> None:
        pass

    def hand_in(self, job: Job, holder: str) -> None:
        pass

    def let_go(self, name: str, holder: str) -> None:
        pass


class _Tally:
    """Says of no delivery that it is theirs, so that each is left, and counts those that are."""

    def __init__(self, is_theirs: IsTheirs) -> None:
        self._is_theirs = is_theirs
        self.found = 0

    def __call__(self, delivery: Delivery) -> bool:
        self.found += self._is_theirs(delivery)
        return False


@dataclass(frozen=True)
class _Archive:
    kept: Archive

    def strike(self, folder: str, since: datetime | None, cursor: str | None, is_theirs: IsTheirs) -> Struck:
        tally = _Tally(is_theirs)
        return self.kept.strike(folder, since, cursor, tally)._replace(removed=tally.found)

    def strike_oversize(self, since: datetime | None, cursor: str | None, is_theirs: IsTheirs) -> Struck:
        tally = _Tally(is_theirs)
        return self.kept.strike_oversize(since, cursor, tally)._replace(removed=tally.found)


@dataclass(frozen=True)
class _DeadLetters:
    kept: DeadLetters

    def strike(self, is_theirs: IsTheirs, customers: frozenset[str]) -> Struck:  # noqa: ARG002
        """Errands carry nothing of a person, and are left uncounted."""
        tally = _Tally(is_theirs)
        return self.kept.strike(tally, frozenset())._replace(removed=tally.found)


@dataclass(frozen=True)
class _Office:
    kept: CustomerEraser

    @property
    def capabilities(self) -> Capabilities:
        return self.kept.capabilities

    def find_customer(self, key: str) -> KnownCustomer | None:
        return self.kept.find_customer(key)

    def forget_customer(self, key: str) -> Forgotten | None:
        return Forgotten(erased=()) if self.kept.find_customer(key) else None
