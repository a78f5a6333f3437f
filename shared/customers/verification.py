"""How a customer comes to be verified: the steps between its states, and what they mean for links and orders. Pure.

A verification is bound to the mark of the address that it is about. With another address it begins again, except where
staff have refused the customer; with the same address it stays what it is.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from shared.customers.models import ProfileField
from shared.customers.record import CustomerRecord, Flag, Verification, VerificationState
from shared.customers.rules import AskFor, VerificationRules

LINK = "link"
"""The link that was sent to the address was followed."""
OWNER = "owner"
"""Whoever reads the address's mail says that it was not them."""
STOREFRONT = "storefront"

_DAY = timedelta(days=1)


class Standing(StrEnum):
    """What a customer's verification means for the review of an order."""

    NOT_ASKED = "not_asked"
    """The shop's orders do not wait for it."""
    WAITING = "waiting"
    VERIFIED = "verified"
    REJECTED = "rejected"
    """The owner of the address, or staff, said no: whatever the policy."""


# ---- the steps ----


def of_account(
    known: Verification | None, *, mark: str | None, said_by_storefront: bool, now: datetime
) -> Verification:
    """The verification once an account has come in. `mark` is that of its address, None where it has none.

    An account without an address changes nothing: platforms withhold it. How often links were asked for goes on being
    counted, so that no link for an earlier address holds again. `said_by_storefront` is whether the storefront's word
    is taken, and says that the address is proven.
    """
    verification = known or Verification()
    if mark is not None and mark != verification.mark:
        verification = _about(verification, mark)
    may_trust = verification.state in (VerificationState.UNVERIFIED, VerificationState.PENDING)
    if said_by_storefront and mark is not None and may_trust:
        return _now(verification, VerificationState.VERIFIED, STOREFRONT, now)
    return verification


def _about(known: Verification, mark: str) -> Verification:
    if known.state is VerificationState.REJECTED and known.by != OWNER:
        return known.model_copy(update={"mark": mark})
    return Verification(mark=mark, asked=known.asked, asked_at=known.asked_at)


def asked(known: Verification, mark: str, at: datetime) -> Verification:
    """A link to this address is on its way; those before it hold no more."""
    recent = tuple(moment for moment in known.asked_at if at - moment < _DAY)
    return Verification(
        state=VerificationState.PENDING,
        by=None,
        at=at,
        mark=mark,
        asked=known.asked + 1,
        asked_at=(*recent, at),
    )


def confirmed(known: Verification, at: datetime) -> Verification:
    """The link was followed, and its reader said yes."""
    return _now(known, VerificationState.VERIFIED, LINK, at)


def declined(known: Verification, at: datetime) -> Verification:
    """The link was followed, and its reader said that it was not them."""
    return _now(known, VerificationState.REJECTED, OWNER, at)


def approved(known: Verification, by: str, at: datetime) -> Verification:
    """An operator answers for the customer, with this address or without one."""
    return _now(known, VerificationState.VERIFIED, by, at)


def refused(known: Verification, by: str, at: datetime) -> Verification:
    """An operator refuses the customer. No other address lifts that."""
    return _now(known, VerificationState.REJECTED, by, at)


def reopened(known: Verification, by: str, at: datetime) -> Verification:
    """As if nothing had been decided: the customer may be asked again."""
    return _now(known, VerificationState.UNVERIFIED, by, at)


def _now(known: Verification, state: VerificationState, by: str, at: datetime) -> Verification:
    return known.model_copy(update={"state": state, "by": by, "at": at})


# ---- what they mean ----


def standing_of(record: CustomerRecord, rules: VerificationRules) -> Standing:
    """Whether an order of this customer may go on. Only a shop that asks before the first order lets orders wait."""
    state = record.verification.state
    if state is VerificationState.REJECTED:
        return Standing.REJECTED
    if rules.ask is not AskFor.FIRST_ORDER:
        return Standing.NOT_ASKED
    return Standing.VERIFIED if state is VerificationState.VERIFIED else Standing.WAITING


def wants_link(record: CustomerRecord, rules: VerificationRules, *, has_ordered: bool, now: datetime) -> bool:
    """Whether the policy has the customer asked now.

    Not while something about the address or the registration is to be looked at: links sent to a burst's addresses
    would be the nuisance that bursts are made for. One whose link has expired is asked again when they order again,
    if orders wait for it.
    """
    if not has_address(record) or not has_occasion(record, rules, has_ordered=has_ordered):
        return False
    if any(flag.flag in _BEFORE_A_LINK for flag in record.open_flags):
        return False
    verification = record.verification
    is_missed = rules.ask is AskFor.FIRST_ORDER and has_expired(verification, rules, now)
    is_due = verification.state is VerificationState.UNVERIFIED or is_missed
    return is_due and may_ask(verification, rules, now)


_BEFORE_A_LINK = frozenset({Flag.EMAIL_INVALID, Flag.EMAIL_UNDELIVERABLE, Flag.EMAIL_DISPOSABLE, Flag.SIGNUP_BURST})


def has_occasion(record: CustomerRecord, rules: VerificationRules, *, has_ordered: bool) -> bool:
    """Guests do not register, so that a shop that asks at registrations does not ask them."""
    if record.deleted_at is not None or record.erased_at is not None:
        return False
    if rules.ask is AskFor.REGISTRATION:
        return record.kind == "customer"
    return rules.ask is AskFor.FIRST_ORDER and has_ordered


def has_address(record: CustomerRecord) -> bool:
    """A customer without an e-mail address cannot be asked: a person must vouch for them."""
    return record.verification.mark is not None and ProfileField.EMAIL in record.digest.values


def may_ask(verification: Verification, rules: VerificationRules, now: datetime) -> bool:
    """Whether one more link may be sent: nobody's mailbox is filled by whoever enters their address somewhere."""
    recent = [moment for moment in verification.asked_at if now - moment < _DAY]
    return len(recent) < rules.links_per_day


def has_expired(verification: Verification, rules: VerificationRules, now: datetime) -> bool:
    """Whether a link was asked for, and holds no more without having been followed."""
    if verification.state is not VerificationState.PENDING or not verification.asked_at:
        return False
    return now - verification.asked_at[-1] >= timedelta(hours=rules.link_hours)
