"""What requests and erasures need of the outside, in their own words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import tenacity

from shared.backoffices.documents import Forgotten, KnownCustomer
from shared.backoffices.port import Capabilities
from shared.customers.marks import Marker
from shared.customers.models import Profile
from shared.customers.ports import CustomerBook
from shared.customers.rules import PrivacyRules
from shared.kernel.clock import Clock
from shared.kernel.identifiers import CustomerKey
from shared.orders.ports import Buyers
from shared.sync.backoffice.mirror import Mirrors
from shared.sync.privacy.models import ErasureProof, PrivacyRequest
from shared.sync.tasks import TaskList
from shared.webhooks.delivery import Delivery


class PrivacyBook(Protocol):
    """Requests and proofs. Every method raises `Retry` when the store is out of reach."""

    def open(self, request: PrivacyRequest) -> PrivacyRequest:
        """Keep a new request, unless there is one of its id, closed or not; the one that is kept then."""
        ...

    def find(self, request_id: str) -> PrivacyRequest | None: ...

    def save(self, request: PrivacyRequest) -> PrivacyRequest:
        """Keep an open request as it is now. Raises `Conflict` when somebody else saved it meanwhile."""
        ...

    def close(self, request: PrivacyRequest, proof: ErasureProof | None) -> PrivacyRequest:
        """Keep the request among those that are done, with its proof, all or nothing.

        Raises:
            Conflict: somebody else saved the request, or another proof has this number: read the last one again.
        """
        ...

    def unfinished(self) -> Iterator[PrivacyRequest]:
        """All that are not closed, in no order."""
        ...

    def closed(self) -> Iterator[PrivacyRequest]: ...

    def last_proof(self) -> ErasureProof | None: ...

    def proofs(self) -> Iterator[ErasureProof]:
        """In the order of their numbers."""
        ...


IsTheirs = Callable[[Delivery], bool]
"""Whether a delivery holds data of those who are to be erased. Raises `Rejected` where its body cannot be read."""


class Struck(NamedTuple):
    """What became of one page of deliveries."""

    cursor: str | None = None
    """Where the next page starts; None after the last."""
    looked_at: int = 0
    removed: int = 0
    """Deliveries that are gone now."""
    unread: tuple[str, ...] = ()
    """Names of what cannot be read."""


class Archive(Protocol):
    """Raw deliveries. Every method raises `Retry` when the store is out of reach."""

    def strike(self, folder: str, since: datetime | None, cursor: str | None, is_theirs: IsTheirs) -> Struck:
        """Take the deliveries out of one page of a folder, `orders` or `customers`, from the day of `since` on."""
        ...

    def strike_oversize(self, since: datetime | None, cursor: str | None, is_theirs: IsTheirs) -> Struck:
        """The same for bodies that were too large for a message."""
        ...


class DeadLetters(Protocol):
    """Messages that were set aside."""

    def strike(self, is_theirs: IsTheirs, customers: frozenset[str]) -> Struck:
        """Delete their deliveries, and errands to these customers, from every dead-letter queue; leave the others.

        Raises:
            Retry: a queue is out of reach, or holds more than can be looked at at once.
        """
        ...


class CustomerEraser(Protocol):
    """A back office, as far as privacy needs it (see `backoffices.port.BackOffice`)."""

    @property
    def capabilities(self) -> Capabilities: ...

    def find_customer(self, key: str) -> KnownCustomer | None: ...

    def forget_customer(self, key: str) -> Forgotten | None: ...


class PersonMirrors(Protocol):
    """What is remembered of a person's stand in back offices (see `sync.customers.mirror`)."""

    def forget(self, leader: CustomerKey) -> int:
        """Remove it; how much there was."""
        ...


Offices = Callable[[str], Mapping[str, CustomerEraser]]
"""The back offices, by name, that may know a shop's customers."""


@dataclass(frozen=True)
class RequestDesk:
    """What opening a request takes."""

    requests: PrivacyBook
    customers: CustomerBook
    orders: Buyers
    tasks: TaskList
    marker: Marker
    rules: PrivacyRules
    clock: Clock
    phone_of: Callable[[str, Profile], str | None]
    """The telephone number of a profile in E.164, as this shop's intake reads it; None where it has none."""


@dataclass(frozen=True)
class PrivacyDesk(RequestDesk):
    """What an erasure and an export take beside that."""

    mirrors: Mirrors
    persons: PersonMirrors
    archive: Archive
    dead_letters: DeadLetters
    offices: Offices
    retrying: Callable[[], tenacity.Retrying]
    """How often to read and decide again after a conflict."""
    payment_accounts: frozenset[str] = frozenset()
    """Whose deliveries may be on a dead-letter queue, too."""
    has_time: Callable[[], bool] = lambda: True
    """Whether there is time for more of a step that is not cut into pages."""
