"""What follows from a change of a customer: a pure function of the record before and after it."""

from collections.abc import Iterator
from enum import StrEnum

from shared.customers.models import CustomerSource
from shared.customers.record import CustomerRecord, Flag, VerificationState
from shared.kernel.identifiers import CustomerKey
from shared.kernel.model import Canonical


class CustomerEventKind(StrEnum):
    REGISTERED = "CustomerRegistered"
    SEEN = "CustomerSeen"
    """In an order: a guest, or an account of which the storefront has not told yet."""
    REVISED = "CustomerRevised"
    VERIFICATION_ASKED = "CustomerVerificationAsked"
    VERIFIED = "CustomerVerified"
    REJECTED = "CustomerRejected"
    FLAGGED = "CustomerFlagged"
    MERGED = "CustomerMerged"
    """It goes by another leader now; `leader` says by which. Parting again is one too."""
    DELETED = "CustomerDeleted"
    ERASED = "CustomerErased"


class CustomerEvent(Canonical):
    """One thing that happened to one customer, for the merchant's own rules. No personal data."""

    id: str
    """`aurora/customer/17#3/CustomerVerified`: the same in every delivery."""
    kind: CustomerEventKind
    shop: str
    customer: str
    leader: str
    revision: int
    verification: VerificationState
    flags: tuple[Flag, ...]
    cause: str
    actor: str


def events_of(old: CustomerRecord | None, new: CustomerRecord) -> tuple[CustomerEvent, ...]:
    """The events of one change, in the order in which they happened."""
    return tuple(_event(kind, new) for kind in _kinds(old, new))


def _kinds(old: CustomerRecord | None, new: CustomerRecord) -> Iterator[CustomerEventKind]:
    if new.erased_at:
        if not (old and old.erased_at):
            yield CustomerEventKind.ERASED
    elif new.deleted_at and not (old and old.deleted_at):
        yield CustomerEventKind.DELETED
    else:
        yield from _of_account(old, new)
        yield from _of_verification(old, new)
        if _names(new) - (_names(old) if old else frozenset()):
            yield CustomerEventKind.FLAGGED
        if old is not None and old.leader != new.leader:
            yield CustomerEventKind.MERGED


def _of_account(old: CustomerRecord | None, new: CustomerRecord) -> Iterator[CustomerEventKind]:
    if old is None or old.source is not new.source:
        is_account = new.source is CustomerSource.REGISTRATION
        yield CustomerEventKind.REGISTERED if is_account else CustomerEventKind.SEEN
    elif old.version != new.version:
        yield CustomerEventKind.REVISED


def _of_verification(old: CustomerRecord | None, new: CustomerRecord) -> Iterator[CustomerEventKind]:
    if wants_link(old, new):
        yield CustomerEventKind.VERIFICATION_ASKED
    if old is not None and old.verification.state is new.verification.state:
        return
    if new.verification.state is VerificationState.VERIFIED:
        yield CustomerEventKind.VERIFIED
    elif new.verification.state is VerificationState.REJECTED:
        yield CustomerEventKind.REJECTED


def _names(record: CustomerRecord) -> frozenset[Flag]:
    return frozenset(flag.flag for flag in record.open_flags)


def _event(kind: CustomerEventKind, record: CustomerRecord) -> CustomerEvent:
    return CustomerEvent(
        id=f"{record.key}#{record.revision}/{kind}",
        kind=kind,
        shop=record.shop,
        customer=str(record.key),
        leader=record.leader,
        revision=record.revision,
        verification=record.verification.state,
        flags=tuple(flag.flag for flag in record.open_flags),
        cause=record.cause.kind,
        actor=record.cause.actor,
    )


def wants_link(old: CustomerRecord | None, new: CustomerRecord) -> bool:
    """Whether a link was asked for that nobody has sent yet."""
    asked = old.verification.asked if old else 0
    return new.verification.state is VerificationState.PENDING and new.verification.asked > asked


def persons_to_bring_together(old: CustomerRecord | None, new: CustomerRecord) -> tuple[CustomerKey, ...]:
    """The leaders of the persons whose storefronts and back office may differ now."""
    if new.erased_at is not None:
        return ()
    leaders = dict.fromkeys([new.leader])
    if old is not None and old.leader != new.leader:
        leaders[old.leader] = None
    elif old is not None and _as_maintained(old) == _as_maintained(new):
        return ()
    return tuple(CustomerKey.parse(leader) for leader in leaders)


def _as_maintained(record: CustomerRecord) -> tuple[object, ...]:
    return record.digest.values, record.verification.state, record.open_flags, record.deleted_at, record.source


def changes_standing(old: CustomerRecord | None, new: CustomerRecord) -> bool:
    """Whether the customer is known better now, or worse: others may turn out to be the same person, and orders may be
    held for another reason, or for none."""
    before = old.verification.state if old else VerificationState.UNVERIFIED
    return before is not new.verification.state
