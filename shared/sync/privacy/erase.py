"""Erase people: step by step, everywhere, resumable, and with a proof at the end.

Each step is saved with its place in the request. It may be killed anywhere and is then done again: every part comes to
the same end however often it runs. What tells whom to look for is noted before anything is erased.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from shared.customers.marks import MarkKind, marks_of
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.buyer import buyer_of
from shared.orders.record import OrderRecord
from shared.sync.jobs import Worker, leased
from shared.sync.privacy.forget import dismiss_proposals, forget_buyer, forget_customer
from shared.sync.privacy.models import (
    A_DAY,
    FORGOTTEN_THERE,
    MOST_NAMED,
    Party,
    PartyState,
    PrivacyRequest,
    RequestState,
    Stage,
    proof_of,
)
from shared.sync.privacy.ports import IsTheirs, PrivacyDesk, Struck
from shared.sync.privacy.requests import call_a_person, call_off, still_to_be_sent
from shared.sync.privacy.traces import Searcher, Traces
from shared.webhooks.delivery import Delivery

_ORDERS_PER_STEP = 100
_FOUND_BY = frozenset({MarkKind.EMAIL, MarkKind.PHONE})


class Step(NamedTuple):
    """What a step did."""

    request: PrivacyRequest
    cursor: str | None = None
    counts: dict[str, int] = {}


def work_on(request_id: str, desk: PrivacyDesk, worker: Worker) -> PrivacyRequest | None:
    """Go on with an erasure where it stands, until it is done, waits, or time runs out. None where there is none.

    What stops it for good is noted in it, and put on the task list.

    Raises:
        Conflict: `taken`, when somebody else is at it.
        Retry: something is out of reach; the next run starts that step again.
    """
    with leased(worker.jobs, f"privacy/{request_id}", worker.holder, now=worker.clock(), lease=worker.lease):
        request = desk.requests.find(request_id)
        while request is not None and request.may_go_on(worker.clock()):
            request = _go_on(request, desk)
            now = worker.clock()
            worker.jobs.take(f"privacy/{request_id}", worker.holder, now=now, until=now + worker.lease)
            if not worker.has_time():
                break
        return request


def _go_on(request: PrivacyRequest, desk: PrivacyDesk) -> PrivacyRequest:
    begun = request.begun(desk.clock())
    try:
        step = _STEPS[begun.place.stage](begun, desk)
    except Rejected as error:
        failed = desk.requests.save(begun.failed(error.code))
        call_a_person(failed, desk)
        return failed
    moved = step.request.after(step.cursor, step.counts, desk.clock())
    if moved.state is not RequestState.DONE:
        return desk.requests.save(moved)
    return _close(moved, desk)


def _close(request: PrivacyRequest, desk: PrivacyDesk) -> PrivacyRequest:
    def close() -> PrivacyRequest:
        proof = proof_of(request, desk.requests.last_proof(), request.closed_at or desk.clock())
        return desk.requests.close(request.stripped(), proof)

    if any(party.state is PartyState.REFUSED for party in request.parties) or request.unread:
        call_a_person(request, desk)  # before it is closed: afterwards nobody would come back to it
    else:
        call_off(request, desk)
    return desk.retrying()(close)


# Whom to look for


def _learn(request: PrivacyRequest, desk: PrivacyDesk) -> Step:
    """Read, page by page of their orders, what the later steps search by. A whole shop needs no search."""
    if request.whole_shop is not None:
        return Step(request)
    learnt = request if request.place.cursor else _with_customers(request, desk)
    page = list(islice(_after(_orders(request, desk), request.place.cursor), _ORDERS_PER_STEP))
    for key in page:
        learnt = _with_order(key, learnt, desk)
    if len(page) == _ORDERS_PER_STEP:
        return Step(learnt, cursor=str(page[-1]))
    known = learnt.since
    return Step(learnt.model_copy(update={"since": known - A_DAY if known and learnt.round == 1 else known}))


def _with_customers(request: PrivacyRequest, desk: PrivacyDesk) -> PrivacyRequest:
    marks = set(request.subjects.marks)
    parties = [party for key in request.subjects.customer_keys for party in _parties(key, request, desk)]
    for key in request.subjects.customer_keys:
        customer = desk.customers.find_customer(key)
        if customer is not None:
            borne = marks_of(customer.personal, desk.phone_of(key.shop, customer.personal), desk.marker)
            marks |= {str(mark) for mark in borne if mark.kind in _FOUND_BY}
    subjects = request.subjects.model_copy(update={"marks": tuple(sorted(marks))})
    learnt = request.model_copy(update={"subjects": subjects}).with_parties(parties)
    return _since(learnt, (_first_seen(key, desk) for key in request.subjects.customer_keys))


def _with_order(key: OrderKey, request: PrivacyRequest, desk: PrivacyDesk) -> PrivacyRequest:
    order = desk.orders.find_account(key)
    if order is None:
        return request
    # Another account's order may be named by mistake; a guest is known by what the order itself says.
    buyer = buyer_of(order, desk.marker)
    known = [_party(name, str(buyer)) for name in desk.offices(key.shop)] if buyer and buyer.is_guest else []
    return _since(request.with_parties(known), [order.created_at])


def _parties(key: CustomerKey, request: PrivacyRequest, desk: PrivacyDesk) -> Iterator[Party]:
    """The customer's own; and that of the person whom it leaves, where others stay: a person must look through that."""
    record = desk.customers.find(key)
    leader = record.leader if record else str(key)
    for name in desk.offices(key.shop):
        yield _party(name, str(key))
        if leader not in request.subjects.customers:
            yield Party.shared(name, leader)


def _party(backoffice: str, key: str) -> Party:
    return Party(backoffice=backoffice, key=key)


def _first_seen(key: CustomerKey, desk: PrivacyDesk) -> datetime | None:
    record = desk.customers.find(key)
    return record.registered_at if record else None


def _since(request: PrivacyRequest, moments: Iterable[datetime | None]) -> PrivacyRequest:
    """The earliest moment that is known. The second round has its own: when the first one began."""
    if request.round > 1:
        return request
    known = [moment for moment in (request.since, *moments) if moment is not None]
    return request.model_copy(update={"since": min(known, default=None)})


def _orders(request: PrivacyRequest, desk: PrivacyDesk) -> list[OrderKey]:
    """Their orders, in a fixed order: those that were named, and those that are linked to them."""
    linked = {order for key in request.subjects.customer_keys for order in desk.customers.orders_of(key)}
    return sorted(linked.union(request.subjects.order_keys), key=str)


def _after(keys: Iterable[OrderKey], cursor: str | None) -> Iterator[OrderKey]:
    return (key for key in keys if cursor is None or str(key) > cursor)


# Our own tables


def _customers(request: PrivacyRequest, desk: PrivacyDesk) -> Step:
    if request.whole_shop is not None:
        return _customers_of_shop(request, request.whole_shop, desk)
    keys = request.subjects.customer_keys
    records = desk.customers.find_many(keys)
    # Members before their leader: nobody has to be made another leader for a moment.
    for key in sorted(records, key=lambda one: (records[one].is_leader, str(one))):
        forget_customer(key, desk)
    dismiss_proposals(frozenset(request.subjects.customers), None, desk)
    return Step(request, counts={"customers": len(records)} if request.round == 1 else {})


def _customers_of_shop(request: PrivacyRequest, shop: str, desk: PrivacyDesk) -> Step:
    """Who is erased already is passed by, so that this needs no cursor."""
    told = _Tally(request, shop, desk)
    erased = 0
    for record in desk.customers.all_records(shop):
        if record.erased_at is not None:
            continue
        told.forget(str(record.key))
        if told.is_news:
            return told.step("more", {"customers": erased})
        forget_customer(record.key, desk)
        erased += 1
        if not desk.has_time():
            return told.step("more", {"customers": erased})
    dismiss_proposals(frozenset(), shop, desk)
    return told.step(None, {"customers": erased})


def _buyers(request: PrivacyRequest, desk: PrivacyDesk) -> Step:
    if request.whole_shop is not None:
        return _buyers_of_shop(request, request.whole_shop, desk)
    page = list(islice(_after(_orders(request, desk), request.place.cursor), _ORDERS_PER_STEP))
    theirs = [key for key in page if _is_meant(key, request, desk)]
    new = sum([forget_buyer(key, desk) for key in theirs])
    cursor = str(page[-1]) if len(page) == _ORDERS_PER_STEP else None
    return Step(request, cursor, {"orders": len(theirs) if request.round == 1 else new})


def _is_meant(key: OrderKey, request: PrivacyRequest, desk: PrivacyDesk) -> bool:
    """Whoever buys again after they asked to be erased wants the goods to arrive."""
    if str(key) in request.subjects.orders:
        return True
    order = desk.orders.find_account(key)
    return order is None or order.created_at <= request.asked_at


def _buyers_of_shop(request: PrivacyRequest, shop: str, desk: PrivacyDesk) -> Step:
    told = _Tally(request, shop, desk)
    forgotten = 0
    for key in desk.orders.unforgotten(shop):
        order = desk.orders.find_account(key)
        buyer = buyer_of(order, desk.marker) if order is not None else None
        if buyer is not None:
            told.forget(str(buyer))
        if told.is_news:
            return told.step("more", {"orders": forgotten})
        forgotten += forget_buyer(key, desk)
        if not desk.has_time():
            return told.step("more", {"orders": forgotten})
    return told.step(None, {"orders": forgotten})


class _Tally:
    """A shop's customers in its back offices: too many to note them all, so only refusals are, and not too many.

    A refusal is saved before the customer is forgotten here (`is_news`): afterwards nobody would come back to it.
    """

    def __init__(self, request: PrivacyRequest, shop: str, desk: PrivacyDesk) -> None:
        self.is_news = False
        self._request = request
        self._shop = shop
        self._desk = desk
        self._seen: set[str] = set()
        self._forgotten = 0

    def forget(self, key: str) -> None:
        if key in self._seen:
            return
        self._seen.add(key)
        refused = {party.name for party in self._request.parties}
        for office in self._desk.offices(self._shop):
            rest = Party.rest(office, self._shop, None)
            if refused.isdisjoint({rest.name, _party(office, key).name}):
                self._note(_forget_party(_party(office, key), self._desk), rest)

    def _note(self, party: Party, rest: Party) -> None:
        if party.state is PartyState.REFUSED:
            self.is_news = True
            parties = [party]
            if len(self._request.parties) + 1 >= MOST_NAMED:
                parties.append(rest.model_copy(update={"code": party.code}))
            self._request = self._request.with_parties(parties)
        self._forgotten += party.state is PartyState.FORGOTTEN

    def step(self, cursor: str | None, counts: dict[str, int]) -> Step:
        return Step(self._request, cursor, counts | {FORGOTTEN_THERE: self._forgotten})


# Raw deliveries


def _archived(folder: str) -> Callable[[PrivacyRequest, PrivacyDesk], Step]:
    def strike(request: PrivacyRequest, desk: PrivacyDesk) -> Step:
        struck = desk.archive.strike(folder, request.since, request.place.cursor, _theirs(request, desk))
        return _struck(request, struck, "archived_deliveries")

    return strike


def _oversize(request: PrivacyRequest, desk: PrivacyDesk) -> Step:
    struck = desk.archive.strike_oversize(request.since, request.place.cursor, _theirs(request, desk))
    return _struck(request, struck, "oversize_deliveries")


def _dead_letters(request: PrivacyRequest, desk: PrivacyDesk) -> Step:
    struck = desk.dead_letters.strike(_theirs(request, desk), frozenset(request.subjects.customers))
    return _struck(request, struck, "dead_letters")


def _struck(request: PrivacyRequest, struck: Struck, word: str) -> Step:
    return Step(request.with_unread(struck.unread), struck.cursor, {word: struck.removed})


def _theirs(request: PrivacyRequest, desk: PrivacyDesk) -> IsTheirs:
    shop = request.whole_shop
    if shop is not None:
        return lambda delivery: _is_from(delivery, shop)
    subjects = request.subjects
    return Searcher(
        Traces(
            shops=subjects.shops,
            customers=frozenset(subjects.customer_keys),
            named=frozenset(subjects.order_keys),
            orders=frozenset(_orders(request, desk)),
            marks=frozenset(subjects.marks),
            asked_at=request.asked_at,
            accounts=desk.payment_accounts,
        ),
        desk.marker,
        desk.phone_of,
    )


def _is_from(delivery: Delivery, shop: str) -> bool:
    return delivery.shop == shop


# Back offices


def _back_office(request: PrivacyRequest, desk: PrivacyDesk) -> Step:
    waiting = [party for party in request.parties if party.state is PartyState.OPEN]
    return Step(request.with_parties([_settled(party, request, desk) for party in waiting]))


def _settled(party: Party, request: PrivacyRequest, desk: PrivacyDesk) -> Party:
    """Whoever has bought again since waits for goods, and without an address nobody can send them: the next round sees
    whether they are on their way, and after that it is for a person."""
    if any(_is_new_business(order, request) for order in still_to_be_sent([CustomerKey.parse(party.key)], desk)):
        return party.model_copy(update={"state": PartyState.REFUSED, "code": BOUGHT_AGAIN})
    return _forget_party(party, desk)


def _is_new_business(order: OrderRecord, request: PrivacyRequest) -> bool:
    return order.placed_at > request.asked_at and str(order.key) not in request.subjects.orders


BOUGHT_AGAIN = "bought_again"


def _forget_party(party: Party, desk: PrivacyDesk) -> Party:
    """A refusal stops nothing else: it is in the proof, and a person does it there."""
    shop = party.key.partition("/")[0]
    office = desk.offices(shop).get(party.backoffice)
    if office is None:
        return party.model_copy(update={"state": PartyState.REFUSED, "code": "not_connected"})
    try:
        if not office.capabilities.forgets_customers:
            known = office.find_customer(party.key)
            state = PartyState.REFUSED if known else PartyState.UNKNOWN
            return party.model_copy(update={"state": state, "code": "cannot_forget" if known else None})
        forgotten = office.forget_customer(party.key)
    except Rejected as error:
        return party.model_copy(update={"state": PartyState.REFUSED, "code": error.code})
    if forgotten is None:
        return party.model_copy(update={"state": PartyState.UNKNOWN})
    return party.model_copy(update={"state": PartyState.FORGOTTEN, "kept": forgotten.kept})


_STEPS: dict[Stage, Callable[[PrivacyRequest, PrivacyDesk], Step]] = {
    Stage.LEARN: _learn,
    Stage.CUSTOMERS: _customers,
    Stage.ORDERS: _buyers,
    Stage.ARCHIVED_ORDERS: _archived("orders"),
    Stage.ARCHIVED_CUSTOMERS: _archived("customers"),
    Stage.DEAD_LETTERS: _dead_letters,
    Stage.OVERSIZE: _oversize,
    Stage.BACK_OFFICE: _back_office,
}
