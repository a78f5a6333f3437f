"""What a person may ask for under the law, where the work on it stands, and the proof that it was done. Pure.

None of it holds personal data: customers and orders by their keys, e-mail addresses and telephone numbers as keyed
digests, and the proof has counts alone.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.kernel.model import Canonical


class RequestKind(StrEnum):
    DATA_REQUEST = "data_request"
    """Hand over what is kept. The merchant does that; the export is made for it."""
    ERASURE = "erasure"
    SHOP_ERASURE = "shop_erasure"
    """Everybody of one shop."""


class RequestState(StrEnum):
    OPEN = "open"
    """Asked for. Begins by itself where `started_by` is set; else a person acts."""
    RUNNING = "running"
    WATCHING = "watching"
    """Everything that was there is gone. All is gone through once more from `resume_at`: what was under way in a queue
    meanwhile may have left something behind."""
    DONE = "done"
    FAILED = "failed"
    """Stopped by what does not mend itself; `failed_code` says why."""


class Stage(StrEnum):
    """The parts of an erasure, in this order."""

    LEARN = "learn"
    """Whom to look for, and since when; noted before anything that tells it is erased."""
    CUSTOMERS = "customers"
    ORDERS = "orders"
    ARCHIVED_ORDERS = "archived_orders"
    ARCHIVED_CUSTOMERS = "archived_customers"
    DEAD_LETTERS = "dead_letters"
    OVERSIZE = "oversize"
    """Bodies that were too large for a message. Last of the archive, for messages point at them until then."""
    BACK_OFFICE = "back_office"
    """After our own tables, so that nobody tells it again what it has just forgotten."""


_STAGES = tuple(Stage)
ROUNDS = 2


class Place(Canonical):
    """Where the next step starts."""

    stage: Stage = Stage.LEARN
    cursor: str | None = None


class Asker(Canonical):
    by: Literal["storefront", "operator"]
    name: str
    """The shop, or the operator's name."""
    reference: str | None = None
    """The storefront's own number of the request."""


class Subjects(Canonical):
    """Whom a request is about."""

    customers: tuple[str, ...] = ()
    """Keys."""
    orders: tuple[str, ...] = ()
    """Keys of the orders that were named. Those of the customers are looked up."""
    marks: tuple[str, ...] = ()
    """What they are found by in raw deliveries: `email/…`, `phone/…`."""

    @property
    def customer_keys(self) -> tuple[CustomerKey, ...]:
        return tuple(CustomerKey.parse(key) for key in self.customers)

    @property
    def order_keys(self) -> tuple[OrderKey, ...]:
        return tuple(OrderKey.parse(key) for key in self.orders)

    @property
    def shops(self) -> frozenset[str]:
        return frozenset({key.shop for key in self.customer_keys} | {key.shop for key in self.order_keys})


class PartyState(StrEnum):
    OPEN = "open"
    FORGOTTEN = "forgotten"
    UNKNOWN = "unknown"
    """The back office has no customer of this key."""
    REFUSED = "refused"
    """Staff must erase it there."""


class Party(Canonical):
    """A customer in a back office that is to be forgotten there."""

    backoffice: str
    key: str
    state: PartyState = PartyState.OPEN
    kept: tuple[str, ...] = ()
    """What the back office says it must keep, and why."""
    code: str | None = None
    """Why it refused."""

    @property
    def name(self) -> str:
        return f"{self.backoffice}/{self.key}"

    @property
    def stays(self) -> bool:
        """Not to be asked for again: it stands for the rest of a shop, or others go by it."""
        return self.key.endswith("/*") or self.code == _SHARED

    @classmethod
    def rest(cls, backoffice: str, shop: str, code: str | None) -> "Party":
        """All the shop's further customers, once so many were refused that nobody is asked for any more."""
        return cls(backoffice=backoffice, key=f"{shop}/*", state=PartyState.REFUSED, code=code)

    @classmethod
    def shared(cls, backoffice: str, key: str) -> "Party":
        """A person's who stays, and who may have addresses there of the customer that is erased."""
        return cls(backoffice=backoffice, key=key, state=PartyState.REFUSED, code=_SHARED)


_SHARED = "shared_with_others_who_stay"


class PrivacyRequest(Canonical):
    id: str
    kind: RequestKind
    shop: str | None
    """The shop that it is limited to; None where an operator's covers all shops of a person."""
    subjects: Subjects
    asked_by: Asker
    asked_at: datetime
    """Orders that were placed later are new business, and stay unless they are named."""
    due_at: datetime
    state: RequestState = RequestState.OPEN
    started_by: str | None = None
    """`rule`, or the operator who let it begin."""
    started_at: datetime | None = None
    revision: int = 0
    """Grows by one with every save."""
    round: int = 1
    place: Place = Place()
    since: datetime | None = None
    """Nothing of theirs is older than this, as far as we know; None: look at everything."""
    resume_at: datetime | None = None
    counts: dict[str, int] = {}
    """What was erased so far, by word."""
    parties: tuple[Party, ...] = ()
    unread: tuple[str, ...] = ()
    """Objects and messages that nobody can read, so that nobody knows whose they are. The first ones."""
    failed_code: str | None = None
    proof: int | None = None
    """Number of the proof."""
    closed_by: str | None = None
    closed_at: datetime | None = None

    @property
    def is_erasure(self) -> bool:
        return self.kind is not RequestKind.DATA_REQUEST

    @property
    def whole_shop(self) -> str | None:
        """The shop, where everybody of it is to be erased."""
        return self.shop if self.kind is RequestKind.SHOP_ERASURE else None

    def is_overdue(self, now: datetime) -> bool:
        return self.state is not RequestState.DONE and now > self.due_at

    def may_go_on(self, now: datetime) -> bool:
        """Whether there is work on it that needs no person."""
        if not self.is_erasure or self.started_by is None:
            return False
        if self.state is RequestState.WATCHING:
            return self.resume_at is None or now >= self.resume_at
        return self.state in (RequestState.OPEN, RequestState.RUNNING)

    def begun(self, now: datetime) -> "PrivacyRequest":
        """The request as somebody works on it; the second round looks everywhere anew."""
        if self.state is RequestState.WATCHING:
            parties = tuple(
                party if party.stays else party.model_copy(update={"state": PartyState.OPEN, "code": None})
                for party in self.parties
            )
            since = self.started_at - A_DAY if self.started_at else self.since
            return self._with(
                state=RequestState.RUNNING, round=2, place=Place(), since=since, parties=parties, resume_at=None
            )
        return self._with(state=RequestState.RUNNING, started_at=self.started_at or now)

    def after(self, cursor: str | None, counts: Mapping[str, int], now: datetime) -> "PrivacyRequest":
        """The request after a step that ended at `cursor` of its stage; None: the stage is done."""
        counted = {word: self.counts.get(word, 0) + counts.get(word, 0) for word in {*self.counts, *counts}}
        kept = {word: counted[word] for word in sorted(counted) if counted[word]}
        if cursor is not None:
            return self._with(counts=kept, place=Place(stage=self.place.stage, cursor=cursor))
        following = _STAGES.index(self.place.stage) + 1
        if following < len(_STAGES):
            return self._with(counts=kept, place=Place(stage=_STAGES[following]))
        if self.round < ROUNDS:
            again = max(now, min(now + UNDER_WAY, self.due_at - A_DAY))
            return self._with(counts=kept, place=Place(), state=RequestState.WATCHING, resume_at=again)
        return self._with(counts=kept, place=Place(), state=RequestState.DONE, closed_at=now)

    def failed(self, code: str) -> "PrivacyRequest":
        return self._with(state=RequestState.FAILED, failed_code=code)

    def with_parties(self, parties: Iterable[Party]) -> "PrivacyRequest":
        """With these beside or in place of those of the same name."""
        known = {party.name: party for party in self.parties}
        known |= {party.name: party for party in parties}
        return self._with(parties=tuple(known[name] for name in sorted(known)))

    def with_unread(self, names: Iterable[str]) -> "PrivacyRequest":
        found = dict.fromkeys((*self.unread, *names))
        return self._with(unread=tuple(found)[:MOST_NAMED])

    def stripped(self) -> "PrivacyRequest":
        """What is left of it once it is closed: not even digests of what the person was found by."""
        return self._with(subjects=self.subjects.model_copy(update={"marks": ()}), parties=())

    def _with(self, **changes: object) -> "PrivacyRequest":
        return self.model_copy(update=changes)


FORGOTTEN_THERE = "back_office_customers"
A_DAY = timedelta(days=1)
UNDER_WAY = timedelta(days=5)
"""A message waits in a queue for four days at most, and is on the dead-letter queue after that."""
MOST_NAMED = 100


class Entry(Canonical):
    """One line of a proof: where, and what."""

    where: str
    what: str


class ErasureProof(Canonical):
    """That it was done, without what was erased. Each proof holds the digest of the one before it."""

    number: int
    """1, 2, 3 … without a gap."""
    request: str
    kind: RequestKind
    shop: str | None
    asked_by: Asker
    asked_at: datetime
    due_at: datetime
    started_by: str | None
    done_at: datetime
    erased: dict[str, int]
    """How many, by word."""
    kept: tuple[Entry, ...] = ()
    """What stays, and why."""
    not_done: tuple[Entry, ...] = ()
    """What could not be erased, or looked at, and a person has to."""
    previous: str
    """Digest of the proof before it; of the first one, nothing."""
    digest: str = ""

    def sealed(self) -> "ErasureProof":
        return self.model_copy(update={"digest": self.content_digest()})

    def content_digest(self) -> str:
        content = json.dumps(self.model_dump(mode="json", exclude={"digest"}), sort_keys=True)
        return hashlib.sha256(f"{self.previous}\n{content}".encode()).hexdigest()


def proof_of(request: PrivacyRequest, last: ErasureProof | None, now: datetime) -> ErasureProof:
    """The proof that follows the last one."""
    refused = (party for party in request.parties if party.state is PartyState.REFUSED)
    return ErasureProof(
        number=last.number + 1 if last else 1,
        request=request.id,
        kind=request.kind,
        shop=request.shop,
        asked_by=request.asked_by,
        asked_at=request.asked_at,
        due_at=request.due_at,
        started_by=request.started_by,
        done_at=now,
        erased=request.counts | _parties_counted(request),
        kept=(
            *(Entry(where=party.backoffice, what=what) for party in request.parties for what in party.kept),
            *_ALWAYS_KEPT,
        ),
        not_done=(
            *(Entry(where=party.backoffice, what=f"customer {party.key}: {party.code}") for party in refused),
            *(Entry(where=name, what="cannot be read, so nobody knows whose it is") for name in request.unread),
        ),
        previous=last.digest if last else "",
    ).sealed()


_ALWAYS_KEPT = (
    Entry(where="tables", what="customer and order numbers of the storefront, so that nothing is taken in again"),
    Entry(where="tables", what="orders without their buyer, parcel numbers included (bookkeeping law)"),
    Entry(where="backups", what="continuous backups of the tables, which run out by themselves within 35 days"),
)


def _parties_counted(request: PrivacyRequest) -> dict[str, int]:
    forgotten = sum(party.state is PartyState.FORGOTTEN for party in request.parties)
    return {FORGOTTEN_THERE: forgotten + request.counts.get(FORGOTTEN_THERE, 0)} if forgotten else {}


def faults_in_chain(proofs: Iterable[ErasureProof], closed: Iterable[PrivacyRequest] = ()) -> tuple[str, ...]:
    """What is wrong with the proofs, in the order of their numbers: changed ones, and ones that are missing.

    Closed requests name their proofs, which shows when the newest ones were removed.
    """
    faults: list[str] = []
    number, digest = 0, ""
    for proof in proofs:
        number += 1
        if proof.number != number:
            faults.append(f"proof {number} is missing")
            number = proof.number
        elif proof.previous != digest:
            faults.append(f"proof {proof.number} does not follow the one before it")
        if proof.digest != proof.content_digest():
            faults.append(f"proof {proof.number} was changed")
        digest = proof.digest
    named = max((request.proof or 0 for request in closed), default=0)
    faults += [f"proof {missing} is missing" for missing in range(number + 1, named + 1)]
    return tuple(faults)
