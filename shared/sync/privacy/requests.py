"""Take in what a person may ask for under the law: once, however often the storefront says it.

A storefront speaks for its own shop, so only that shop's customers are meant. An operator means the whole person, all
customers that are joined and the guests of their e-mail addresses, unless told that one customer alone is meant.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta

from shared.customers.marks import Mark, MarkKind, normal_email
from shared.customers.models import Profile
from shared.customers.readings import PrivacyCall, PrivacyTopic
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.record import OrderRecord
from shared.sync.privacy.models import Asker, PrivacyRequest, RequestKind, RequestState, Subjects
from shared.sync.privacy.ports import RequestDesk
from shared.sync.tasks import Task, TaskKind

_MOST_BEARERS = 200
_KINDS = {
    PrivacyTopic.DATA_REQUEST: RequestKind.DATA_REQUEST,
    PrivacyTopic.REDACT: RequestKind.ERASURE,
    PrivacyTopic.SHOP_REDACT: RequestKind.SHOP_ERASURE,
}
_BY_RULE = "rule"


def open_request(shop: str, call: PrivacyCall, desk: RequestDesk) -> PrivacyRequest:
    """Open what a storefront asks for, or find that it is open or done. A person is told of what does not run alone.

    A whole shop is never erased without a person's word, whatever the rules say: Shopify signs the body of its call but
    not the topic, so whoever has got hold of a smaller call's body could make this one of it.

    Raises:
        Retry: our tables are out of reach; the same call again opens the same request.
    """
    kind = _KINDS[call.topic]
    request = PrivacyRequest(
        id=f"{kind.value.replace('_', '-')}-{_digest(shop, call, desk)}",
        kind=kind,
        shop=shop,
        subjects=_named_by(shop, call, desk),
        asked_by=Asker(by="storefront", name=shop, reference=call.reference),
        asked_at=call.at,
        due_at=call.at + timedelta(days=desk.rules.erase_within_days),
        started_by=_BY_RULE if kind is RequestKind.ERASURE and desk.rules.erase_at_once else None,
    )
    kept = desk.requests.open(request)
    if kept.started_by is None and kept.state is RequestState.OPEN:
        call_a_person(kept, desk)
    return kept


def open_erasure(
    key: CustomerKey, *, by: str, desk: RequestDesk, only_this: bool = False, although_open: bool = False
) -> PrivacyRequest:
    """Have a person erased, because an operator says so. It begins with the next run.

    Raises:
        Rejected: `unknown_customer`; `orders_open` while goods are still to be sent to the person, unless
            `although_open`: without an address nobody can send them.
    """
    record = desk.customers.find(key)
    if record is None:
        raise Rejected("unknown_customer", f"there is no customer {key}", field="customer")
    keys = {key} if only_this else _person(CustomerKey.parse(record.leader), desk)
    waiting = [] if although_open else sorted(str(order.key) for order in still_to_be_sent(keys, desk))
    if waiting:
        raise Rejected(
            "orders_open",
            f"{len(waiting)} orders are still to be sent, {waiting[0]} among them",
            field="customer",
            hint="send or cancel them first, or say that they are to be erased although they are open",
        )
    now = desk.clock()
    name = desk.marker.digest("privacy request", json.dumps([str(key), only_this, now.isoformat()]))
    request = PrivacyRequest(
        id=f"erasure-{name[:12]}",
        kind=RequestKind.ERASURE,
        shop=key.shop if only_this else None,
        subjects=Subjects(customers=tuple(sorted(map(str, keys)))),
        asked_by=Asker(by="operator", name=by),
        asked_at=now,
        due_at=now + timedelta(days=desk.rules.erase_within_days),
        started_by=by,
    )
    return desk.requests.open(request)


def _person(leader: CustomerKey, desk: RequestDesk) -> set[CustomerKey]:
    """All that are joined, and whoever bought with one of their e-mail addresses and no account: nobody may have said
    that these are one person, but the address is the person's."""
    joined = desk.customers.members(leader)
    found = [desk.customers.find_customer(key) for key in joined]
    emails = {normal_email(one.personal.email) for one in found if one and one.personal.email}
    marks = [desk.marker.mark(MarkKind.EMAIL, email) for email in sorted(emails)]
    bearers = [key for mark in marks for key in desk.customers.bearers(mark, most=_MOST_BEARERS)]
    return {*joined, *(key for key in bearers if key.is_guest)}


def start(request_id: str, *, by: str, desk: RequestDesk) -> PrivacyRequest:
    """Let an erasure begin that waits for an operator, or go on with one that failed.

    Raises:
        Rejected: `unknown_request`; `not_an_erasure`; `already_done`.
        Conflict: somebody else changed it meanwhile.
    """
    request = _unfinished(request_id, desk)
    if not request.is_erasure:
        raise Rejected("not_an_erasure", "the merchant hands the data over; there is nothing to run", field="request")
    state = RequestState.RUNNING if request.started_at else RequestState.OPEN
    changes = {"started_by": request.started_by or by, "failed_code": None}
    if request.state is RequestState.FAILED:
        changes["state"] = state
    saved = desk.requests.save(request.model_copy(update=changes))
    call_off(saved, desk)
    return saved


def answered(request_id: str, *, by: str, desk: RequestDesk) -> PrivacyRequest:
    """Close a data request, once the merchant has handed the data over.

    Raises:
        Rejected: `unknown_request`; `not_a_data_request`; `already_done`.
        Conflict: somebody else changed it meanwhile.
    """
    request = _unfinished(request_id, desk)
    if request.is_erasure:
        raise Rejected("not_a_data_request", "an erasure is closed by being done", field="request")
    done = {"state": RequestState.DONE, "closed_by": by, "closed_at": desk.clock()}
    closed = desk.requests.close(request.stripped().model_copy(update=done), None)
    call_off(closed, desk)
    return closed


def call_a_person(request: PrivacyRequest, desk: RequestDesk) -> None:
    """Put the request on the task list, as often as one likes."""
    desk.tasks.open(_task(request))


def call_off(request: PrivacyRequest, desk: RequestDesk) -> None:
    try:
        desk.tasks.close(_task(request).id)
    except Rejected as error:
        if error.code != "unknown_task":
            raise


def _task(request: PrivacyRequest) -> Task:
    return Task(
        kind=TaskKind.PRIVACY_REQUEST,
        shop=request.shop or next(iter(sorted(request.subjects.shops)), request.asked_by.name),
        subject=request.id,
        first_seen_in=f"{request.kind.value.replace('_', ' ')} by the {request.asked_by.by}",
        opened_at=request.asked_at,
        due_at=request.due_at,
    )


def _unfinished(request_id: str, desk: RequestDesk) -> PrivacyRequest:
    request = desk.requests.find(request_id)
    if request is None:
        raise Rejected("unknown_request", "there is no such request", field="request")
    if request.state is RequestState.DONE:
        raise Rejected("already_done", "the request is done", field="request")
    return request


# Whom a storefront means


def _named_by(shop: str, call: PrivacyCall, desk: RequestDesk) -> Subjects:
    if call.topic is PrivacyTopic.SHOP_REDACT:
        return Subjects()
    orders = tuple(OrderKey(shop, number) for number in call.orders)
    marks = tuple(_marks(shop, call, desk))
    keys = set(_accounts(CustomerKey.of_account(shop, call.customer_id), desk)) if call.customer_id else set()
    keys |= {key for order in orders if (key := desk.customers.customer_of(order)) and key.is_guest}
    keys |= set(_bearing(shop, call, marks, desk))
    return Subjects(
        customers=tuple(sorted(map(str, keys))),
        orders=tuple(sorted(map(str, orders))),
        marks=tuple(sorted(map(str, marks))),
    )


def _accounts(key: CustomerKey, desk: RequestDesk) -> Iterator[CustomerKey]:
    """The account, and those of this shop that are the same person's and gone there: the shop's staff merged them into
    it, so that no call ever names them."""
    yield key
    record = desk.customers.find(key)
    if record is not None:
        members = desk.customers.find_many(desk.customers.members(CustomerKey.parse(record.leader)))
        yield from (one for one in members if one.shop == key.shop and members[one].deleted_at is not None)


def _marks(shop: str, call: PrivacyCall, desk: RequestDesk) -> Iterator[Mark]:
    if call.email and "@" in call.email:
        yield desk.marker.mark(MarkKind.EMAIL, normal_email(call.email))
    number = desk.phone_of(shop, Profile(phone=call.phone)) if call.phone else None
    if number:
        yield desk.marker.mark(MarkKind.PHONE, number)


def _bearing(shop: str, call: PrivacyCall, marks: Iterable[Mark], desk: RequestDesk) -> Iterator[CustomerKey]:
    """The person's guests at this shop. Another account is meant only where the call names none.

    A family shares a telephone: who bears the number is meant only without an e-mail address that is another one.
    """
    for mark in marks:
        for key in desk.customers.bearers(mark, most=_MOST_BEARERS):
            is_meant = key.shop == shop and (key.is_guest or call.customer_id is None)
            if is_meant and (mark.kind is MarkKind.EMAIL or not _has_another_email(key, call, desk)):
                yield key


def _has_another_email(key: CustomerKey, call: PrivacyCall, desk: RequestDesk) -> bool:
    customer = desk.customers.find_customer(key)
    known = customer.personal.email if customer else None
    return bool(known) and (not call.email or normal_email(known or "") != normal_email(call.email))


def _digest(shop: str, call: PrivacyCall, desk: RequestDesk) -> str:
    """Without a number of the storefront's own, what it says and on which day: a person may come back, and ask again
    in another year."""
    said: list[object] = [shop, call.topic, call.reference]
    if call.reference is None:
        said += [call.customer_id, call.email, call.phone, sorted(call.orders), call.at.date().isoformat()]
    return desk.marker.digest("privacy request", json.dumps(said))[:12]


# Orders that are not over


def still_to_be_sent(keys: Iterable[CustomerKey], desk: RequestDesk) -> Iterator[OrderRecord]:
    """The customers' orders of which goods have not left yet."""
    orders = [order for key in keys for order in desk.customers.orders_of(key)]
    for record in desk.orders.find_many(orders).values():
        is_over = record.review is ReviewState.CANCELLED or record.fulfilment in _ALL_LEFT
        if not is_over and any(line.open for line in record.lines):
            yield record


_ALL_LEFT = frozenset({FulfilmentState.SHIPPED, FulfilmentState.DELIVERED})
