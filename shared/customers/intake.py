"""Take in one account of a customer: compare, decide, commit. Called for every delivery, any number of times."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.customers.contact import phone_of
from shared.customers.decision import Circumstances, Known, decide, forget_account
from shared.customers.models import Customer, CustomerSource, Profile
from shared.customers.ports import CustomerDesk, CustomerSide
from shared.customers.readings import CompleteCustomer, CustomerDeleted, CustomerHint
from shared.customers.record import CustomerFlag, CustomerRecord
from shared.customers.suspicion import look_into
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey
from shared.kernel.versions import Comparison, Version, compare, counts_unasked, is_outdated


class Result(StrEnum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"
    """This account is already in the record."""
    SUPERSEDED = "superseded"
    """A newer account is already in the record."""
    IGNORED = "ignored"
    """Genuine, but it concerns nobody whom we keep."""
    ERASED = "erased"
    """The customer was erased: nothing of the account is kept."""


@dataclass(frozen=True)
class Outcome:
    result: Result
    key: CustomerKey | None = None
    record: CustomerRecord | None = None
    """As it is now, where there is one."""
    reason: str = ""


def take_in(reading: CompleteCustomer | CustomerHint | CustomerDeleted, desk: CustomerDesk) -> Outcome:
    """Bring the record of one customer up to what the storefront says, once, whatever came before and in which order.

    Raises:
        Retry: something was out of reach, or others were faster too often; take the message in again later.
        Rejected: the customer cannot be read, or the storefront must be asked and there is no API access.
    """
    taking = _Taking(desk)
    match reading:
        case CompleteCustomer():
            return taking.apply(reading.customer)
        case CustomerHint():
            return taking.follow_up(reading)
        case CustomerDeleted():
            return taking.gone(reading.customer_id)


class _Taking:
    """One delivery on its way in. What is counted for it is counted once, however often it is decided again."""

    def __init__(self, desk: CustomerDesk) -> None:
        self._desk = desk
        self._flags: dict[Version, tuple[CustomerFlag, ...]] = {}

    def apply(self, account: Customer) -> Outcome:
        return self._desk.retrying()(self._apply, account)

    def follow_up(self, hint: CustomerHint) -> Outcome:
        if self._desk.storefront is None:
            raise Rejected(
                "no_api_access",
                f"the delivery only says that a customer changed ({hint.reason}), and we cannot ask the shop",
                field="api",
                hint="set the shop's API credentials, then replay this delivery",
            )
        return self._as_it_is(hint.customer_id, self._desk.storefront)

    def gone(self, customer_id: str) -> Outcome:
        """That it was deleted is said by the topic alone, which nobody signs: where we can, we ask."""
        if self._desk.storefront is not None:
            return self._as_it_is(customer_id, self._desk.storefront)
        return self._desk.retrying()(self._forget, customer_id)

    def _as_it_is(self, customer_id: str, storefront: CustomerSide) -> Outcome:
        account = storefront.fetch(customer_id)
        if account is None:
            return self._desk.retrying()(self._forget, customer_id)
        return self.apply(account)

    def _forget(self, customer_id: str) -> Outcome:
        key = CustomerKey.of_account(self._desk.shop, customer_id)
        known = self._known(key)
        if known is None:
            return Outcome(Result.IGNORED, key, reason="the storefront has no such customer, and neither have we")
        if known.record.deleted_at is not None or known.record.erased_at is not None:
            return Outcome(Result.DUPLICATE, key, known.record)
        commit = forget_account(known, self._desk.marker, self._phone_of, self._desk.clock())
        self._desk.book.commit(commit)
        return Outcome(Result.APPLIED, key, commit.record)

    def _apply(self, account: Customer) -> Outcome:
        known = self._known(account.key)
        if known is None:
            return self._commit(account, None)
        if known.record.erased_at is not None:
            return Outcome(Result.ERASED, account.key, known.record)
        if known.record.deleted_at is not None:
            return self._apply_to_gone(account, known, known.record.deleted_at)
        if account.source is known.record.source:
            return self._apply_newer(account, known)
        if account.source is CustomerSource.ORDER:
            reason = "the storefront's own account of the customer counts"
            return Outcome(Result.SUPERSEDED, account.key, known.record, reason=reason)
        return self._commit(account, known)

    def _apply_newer(self, account: Customer, known: Known) -> Outcome:
        comparison = compare(account.version, known.record.version)
        if comparison is Comparison.UNDECIDED:
            return self._ask_again(account, known)
        if comparison is Comparison.OLDER:
            return Outcome(Result.SUPERSEDED, account.key, known.record)
        if comparison is Comparison.SAME:
            return Outcome(Result.DUPLICATE, account.key, known.record)
        return self._commit(account, known)

    def _apply_to_gone(self, account: Customer, known: Known, deleted_at: datetime) -> Outcome:
        """A delivery that comes late, or once more, tells of an account that is gone by now: only the storefront can
        say that it is there again. Where it cannot be asked, what changed after the deletion does."""
        if account.source is CustomerSource.ORDER:
            if known.record.source is account.source and account.updated_at > deleted_at:
                return self._commit(account, known)
            return Outcome(Result.SUPERSEDED, account.key, known.record, reason=_GONE)
        if not (account.version.fetched and account.version.observed_at > as_sortable(deleted_at)):
            storefront = self._desk.storefront
            if storefront is not None:
                found = storefront.fetch(account.customer_id)
            else:
                found = account if account.updated_at > deleted_at else None
            if found is None:
                return Outcome(Result.SUPERSEDED, account.key, known.record, reason=_GONE)
            account = found
        if account.source is known.record.source and compare(account.version, known.record.version) is Comparison.OLDER:
            return Outcome(Result.SUPERSEDED, account.key, known.record)
        return self._commit(account, known)

    def _ask_again(self, account: Customer, known: Known) -> Outcome:
        """Two accounts of the same second differ: the storefront knows which is true."""
        storefront = self._desk.storefront
        if storefront is None or account.source is CustomerSource.ORDER:
            if counts_unasked(account.version, known.record.version):
                return self._commit(account, known)
            return Outcome(Result.SUPERSEDED, account.key, known.record)
        fetched = storefront.fetch(account.customer_id)
        if fetched is None:
            return self._forget(account.customer_id)
        if is_outdated(known.record.version, fetched.version):
            return self._commit(fetched, known)
        return Outcome(Result.SUPERSEDED, account.key, known.record)

    def _commit(self, account: Customer, known: Known | None) -> Outcome:
        desk = self._desk
        if account.version not in self._flags:
            self._flags[account.version] = look_into(account, desk, is_new=known is None)
        around = Circumstances(
            rules=desk.rules,
            marker=desk.marker,
            flags=self._flags[account.version],
            phone_of=self._phone_of,
            now=desk.clock(),
        )
        commit = decide(account, known, around)
        desk.book.commit(commit)
        return Outcome(Result.APPLIED, account.key, commit.record)

    def _known(self, key: CustomerKey) -> Known | None:
        record = self._desk.book.find(key)
        return Known(record, self._desk.book.find_customer(key)) if record else None

    def _phone_of(self, profile: Profile) -> str | None:
        return phone_of(profile, self._desk.country)


_GONE = "the storefront had deleted the account when this was told"
