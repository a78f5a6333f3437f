"""Ask customers to prove that an address is theirs, and take in what they and the staff answer."""

import hmac
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import partial

from shared.customers import verification
from shared.customers.commits import CustomerCommit
from shared.customers.decision import with_attention
from shared.customers.marks import Marker
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerRecord, Verification, VerificationState
from shared.customers.rules import AskFor
from shared.inventory.models import Cause
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey
from shared.kernel.links import Link

VERIFY = "verify"
"""The purpose of the links that prove an address."""


class Occasion(StrEnum):
    """Why a customer may have to be asked now."""

    REGISTRATION = "registration"
    ORDER = "order"


def nonce_of(record: CustomerRecord, marker: Marker) -> str:
    """What only the newest link to the customer's present address carries."""
    return marker.digest("nonce", f"{record.key}|{record.verification.mark}|{record.verification.asked}")


# ---- by policy ----


def ask(key: CustomerKey, desk: CustomerDesk, *, occasion: Occasion) -> CustomerRecord | None:
    """Ask the customer if the shop's policy wants that now; the record as it is then, None for an unknown customer.

    Nothing is sent here: the record says that a link was asked for, and its stream has it sent. Asked twice for the
    same occasion, it asks once.

    Raises:
        Retry: the record kept changing, or the store is out of reach.
    """
    return desk.retrying()(_ask, key, desk, occasion)


def _ask(key: CustomerKey, desk: CustomerDesk, occasion: Occasion) -> CustomerRecord | None:
    stored = desk.book.find(key)
    if stored is None:
        return None
    if occasion is Occasion.REGISTRATION and stored.verification.state is VerificationState.PENDING:
        return stored
    has_ordered = occasion is Occasion.ORDER or (_is_asked_for_orders(desk) and _has_ordered(key, desk))
    if not verification.wants_link(stored, desk.rules.verification, has_ordered=has_ordered, now=desk.clock()):
        return stored
    return _asked(stored, desk, actor="system")


def _is_asked_for_orders(desk: CustomerDesk) -> bool:
    return desk.rules.verification.ask is AskFor.FIRST_ORDER


def _has_ordered(key: CustomerKey, desk: CustomerDesk) -> bool:
    return next(iter(desk.book.orders_of(key)), None) is not None


def _asked(stored: CustomerRecord, desk: CustomerDesk, *, actor: str) -> CustomerRecord:
    now = desk.clock()
    mark = stored.verification.mark
    if mark is None:
        raise _no_email(stored.key)
    return _commit(stored, verification.asked(stored.verification, mark, now), "asked", actor, desk)


# ---- by whoever holds the link ----


def confirm(link: Link, desk: CustomerDesk, now: datetime) -> CustomerRecord:
    """The reader of the mail says that they are the customer. `link` is genuine, of purpose `VERIFY`, and not expired.

    Raises:
        Rejected: `link_used` (answered already), `link_invalid` (the address is another by now, a newer link was
            sent, or there is no such customer any more): the two say nothing of anybody.
        Retry: the record kept changing, or the store is out of reach.
    """
    return desk.retrying()(_answer, link, desk, partial(verification.confirmed, at=now), "confirmed")


def decline(link: Link, desk: CustomerDesk, now: datetime) -> CustomerRecord:
    """The reader of the mail says that it was not them. Raises what `confirm` raises."""
    return desk.retrying()(_answer, link, desk, partial(verification.declined, at=now), "declined")


def require_open(link: Link, desk: CustomerDesk) -> CustomerRecord:
    """Whose link it is, while it may still be answered. Changes nothing; raises what `confirm` raises."""
    stored = _holder(link, desk)
    if stored.verification.state is VerificationState.PENDING:
        return stored
    if stored.verification.by in (verification.LINK, verification.OWNER):
        raise Rejected("link_used", "the link was followed already", field="token")
    raise _invalid()


def _answer(link: Link, desk: CustomerDesk, step: Callable[[Verification], Verification], word: str) -> CustomerRecord:
    stored = require_open(link, desk)
    answered = step(stored.verification)
    return _commit(stored, answered, word, answered.by or word, desk)


def _holder(link: Link, desk: CustomerDesk) -> CustomerRecord:
    """Whose link it is, if it is the newest one to the address of today."""
    if link.purpose != VERIFY:
        raise _invalid()
    try:
        key = CustomerKey.parse(link.subject)
    except Rejected as error:
        raise _invalid() from error
    stored = desk.book.find(key) if key.shop == desk.shop else None
    if stored is None or stored.erased_at is not None or stored.deleted_at is not None:
        raise _invalid()
    if not hmac.compare_digest(nonce_of(stored, desk.marker).encode(), link.nonce.encode()):
        raise _invalid()
    return stored


def _invalid() -> Rejected:
    return Rejected("link_invalid", "the link holds no more", field="token")


# ---- by staff ----


def approve(key: CustomerKey, desk: CustomerDesk, *, by: str) -> CustomerRecord:
    """Answer for a customer; one who is verified stays as they are.

    Raises:
        Rejected: `unknown_customer`, `customer_erased`.
        Retry: the record kept changing, or the store is out of reach.
    """
    return desk.retrying()(_decide, key, desk, by, VerificationState.VERIFIED)


def reject(key: CustomerKey, desk: CustomerDesk, *, by: str) -> CustomerRecord:
    """Refuse a customer: their orders are held whatever the policy. Raises what `approve` raises."""
    return desk.retrying()(_decide, key, desk, by, VerificationState.REJECTED)


def reopen(key: CustomerKey, desk: CustomerDesk, *, by: str) -> CustomerRecord:
    """Take back a yes or a no. Raises what `approve` raises."""
    return desk.retrying()(_decide, key, desk, by, VerificationState.UNVERIFIED)


_STEPS = {
    VerificationState.VERIFIED: (verification.approved, "approved"),
    VerificationState.REJECTED: (verification.refused, "refused"),
    VerificationState.UNVERIFIED: (verification.reopened, "reopened"),
}


def _decide(key: CustomerKey, desk: CustomerDesk, by: str, state: VerificationState) -> CustomerRecord:
    stored = required(key, desk)
    is_owners_no = state is VerificationState.REJECTED and stored.verification.by == verification.OWNER
    if stored.verification.state is state and not is_owners_no:
        return stored
    step, word = _STEPS[state]
    return _commit(stored, step(stored.verification, by, desk.clock()), word, by, desk)


def overrule_flags(key: CustomerKey, desk: CustomerDesk, *, by: str) -> CustomerRecord:
    """All that was flagged so far is in order, for good; then the customer is asked, if the policy had waited.

    Raises:
        Rejected: `unknown_customer`, `customer_erased`.
        Retry: the record kept changing, or the store is out of reach.
    """
    overruled = desk.retrying()(_overrule, key, desk, by)
    return ask(key, desk, occasion=Occasion.REGISTRATION) or overruled


def _overrule(key: CustomerKey, desk: CustomerDesk, by: str) -> CustomerRecord:
    stored = required(key, desk)
    if not stored.open_flags:
        return stored
    names = dict.fromkeys((*stored.overruled, *(flag.flag for flag in stored.open_flags)))
    record = _next(stored, "overruled", by).model_copy(update={"overruled": tuple(names)})
    return _written(with_attention(record, stored, desk.clock()), stored, desk)


def ask_again(key: CustomerKey, desk: CustomerDesk, *, by: str) -> CustomerRecord:
    """Send a new link, whatever the policy says and whatever is flagged.

    Raises:
        Rejected: `unknown_customer`, `customer_erased`, `no_email`, `already_verified`, `customer_rejected`,
            `too_many_links` (for one day).
        Retry: the record kept changing, or the store is out of reach.
    """
    return desk.retrying()(_ask_again, key, desk, by)


def _ask_again(key: CustomerKey, desk: CustomerDesk, by: str) -> CustomerRecord:
    stored = required(key, desk)
    if not verification.has_address(stored):
        raise _no_email(key)
    state = stored.verification.state
    if state is VerificationState.VERIFIED:
        raise Rejected("already_verified", f"{key} is verified", field="customer", hint="reopen it first")
    if state is VerificationState.REJECTED:
        raise Rejected("customer_rejected", f"{key} was rejected", field="customer", hint="reopen it first")
    limit = desk.rules.verification.links_per_day
    if not verification.may_ask(stored.verification, desk.rules.verification, desk.clock()):
        hint = "wait a day, or raise links_per_day"
        raise Rejected("too_many_links", f"{key} was sent {limit} links within a day", field="customer", hint=hint)
    return _asked(stored, desk, actor=by)


def _no_email(key: CustomerKey) -> Rejected:
    return Rejected("no_email", f"{key} has no e-mail address", field="customer", hint="approve or reject it by hand")


def required(key: CustomerKey, desk: CustomerDesk) -> CustomerRecord:
    """The record of a customer that one may still do something with, or `Rejected`: `unknown_customer`,
    `customer_erased`."""
    stored = desk.book.find(key)
    if stored is None:
        raise Rejected("unknown_customer", f"there is no customer {key}", field="customer")
    if stored.erased_at is not None:
        raise Rejected("customer_erased", f"the data of {key} was erased", field="customer")
    return stored


# ---- how it is written ----


def _commit(stored: CustomerRecord, new: Verification, word: str, actor: str, desk: CustomerDesk) -> CustomerRecord:
    record = _next(stored, word, actor).model_copy(update={"verification": new})
    return _written(record, stored, desk)


def _next(stored: CustomerRecord, word: str, actor: str) -> CustomerRecord:
    revision = stored.revision + 1
    cause = Cause(kind="verification", reference=f"{stored.key}#{revision}/{word}", actor=actor)
    return stored.model_copy(update={"revision": revision, "cause": cause})


def _written(record: CustomerRecord, stored: CustomerRecord, desk: CustomerDesk) -> CustomerRecord:
    desk.book.commit(CustomerCommit(record, replaces=stored.revision))
    return record
