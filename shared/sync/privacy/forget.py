"""Forget one customer, and one order's buyer, in our own tables. Repeated, each comes to the same end."""

from datetime import datetime

from shared.customers.commits import CustomerCommit
from shared.customers.marks import Mark, marks_of
from shared.customers.matching import ProposalState
from shared.customers.record import CustomerRecord, ProfileDigest
from shared.inventory.models import Cause
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.sync.backoffice.mirror import Mirror, Stop, Told
from shared.sync.privacy.leave import BY, leave
from shared.sync.privacy.ports import PrivacyDesk


def forget_customer(key: CustomerKey, desk: PrivacyDesk) -> bool:
    """Take the customer's personal data away, and all that it is found by. Its number stays, with `erased_at`: by that
    the intake knows that it must not be taken in again. Whether there was anything to take away.

    What lost in edits on both sides is removed with it, of the whole person: it does not tell whose it was.

    Raises:
        Retry: our tables are out of reach.
        Conflict: others were faster too often.
    """
    return desk.retrying()(lambda: _forget(key, desk))


def _forget(key: CustomerKey, desk: PrivacyDesk) -> bool:
    record = desk.customers.find(key)
    if record is None:
        return False
    leader = CustomerKey.parse(record.leader)
    conflicts = sum(desk.customers.forget_conflicts(one) for one in {key, leader})
    desk.persons.forget(key)  # not the leader's who stays: by that its party is rid of what came from this one
    record = leave(record, desk.customers, desk.clock)
    customer = desk.customers.find_customer(key)
    if record.erased_at and customer is None:
        return conflicts > 0
    bore: frozenset[Mark] = frozenset()
    if customer is not None:
        bore = marks_of(customer.personal, desk.phone_of(key.shop, customer.personal), desk.marker)
    forgotten = erased(record, desk.clock())
    desk.customers.commit(
        CustomerCommit(forgotten, replaces=record.revision, forget=True, marks=frozenset(), bore=bore)
    )
    return True


def erased(record: CustomerRecord, now: datetime) -> CustomerRecord:
    """The record without anything of the person: what was flagged names parts of the profile, and consents are theirs.
    Whether an address was once proven stays, not which."""
    revision = record.revision + 1
    return record.model_copy(
        update={
            "revision": revision,
            "verification": record.verification.model_copy(update={"mark": None, "asked_at": ()}),
            "consents": (),
            "flags": (),
            "overruled": (),
            "digest": ProfileDigest(),
            "attention_since": None,
            "erased_at": record.erased_at or now,
            "cause": Cause(kind=BY, reference=f"{record.key}#{revision}"),
        }
    )


def dismiss_proposals(keys: frozenset[str], shop: str | None, desk: PrivacyDesk) -> None:
    """Nobody is to decide any more whether one of these, or of this shop's, is the same person as another."""
    for proposal in list(desk.customers.proposals()):
        if keys.intersection(proposal.customers) or (shop and any(_is_of(shop, key) for key in proposal.customers)):
            dismissed = {"state": ProposalState.DISMISSED, "decided_by": BY, "decided_at": desk.clock()}
            desk.customers.decide_proposal(proposal.model_copy(update=dismissed))


def _is_of(shop: str, key: str) -> bool:
    return CustomerKey.parse(key).shop == shop


def forget_buyer(key: OrderKey, desk: PrivacyDesk) -> bool:
    """Forget who bought, and what a back office or a storefront said when it refused the order: such words may name
    the buyer. Whether the buyer was not forgotten before.

    Raises:
        Retry: our tables are out of reach.
        Conflict: others were faster too often.
    """
    # The buyer last: of a whole shop, nobody comes back to an order whose buyer is forgotten.
    desk.retrying()(lambda: _quieten(key, desk))
    return desk.retrying()(lambda: desk.orders.forget_buyer(key, desk.clock()))


def _quieten(key: OrderKey, desk: PrivacyDesk) -> None:
    mirror = desk.mirrors.find(key)
    if mirror is not None and _speaks(mirror):
        desk.mirrors.save(mirror.model_copy(update={"stop": _wordless(mirror.stop)}), mirror)
    told = desk.mirrors.find_told(key)
    if told is not None and _speaks(told):
        desk.mirrors.save_told(told.model_copy(update={"stop": _wordless(told.stop)}), told)


def _speaks(stand: Mirror | Told) -> bool:
    return stand.stop is not None and stand.stop != _wordless(stand.stop)


def _wordless(stop: Stop | None) -> Stop | None:
    return stop.model_copy(update={"message": _NO_WORDS, "hint": None}) if stop else None


_NO_WORDS = "the words went with the buyer's data; retry the order to see what stands against it now"
