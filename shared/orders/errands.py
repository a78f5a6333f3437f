"""What is to be done elsewhere because an order changed: a pure function of the record before and after it.

An errand says who is to look at the order, and why. It carries no content: whoever runs it brings the other side up to
the record as it is then, so errands may be repeated, merged, and arrive in any order.
"""

from collections.abc import Iterator
from enum import StrEnum

from shared.kernel.model import Canonical
from shared.orders.decision import STOREFRONT
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.record import OrderRecord


class Office(StrEnum):
    """Who runs an errand."""

    BACKOFFICE = "backoffice"
    STOREFRONT = "storefront"
    CUSTOMERS = "customers"
    """Learns of buyers from orders: guests, and customers whose registration never came."""
    BUYER = "buyer"
    """Tells the buyer."""
    FINANCE = "finance"
    """Keeps what is owed and was paid."""


class Reason(StrEnum):
    RECEIVED = "received"
    REVISED = "revised"
    """The storefront gave a newer account: lines, customer, money may differ."""
    RELEASED = "released"
    CANCELLED = "cancelled"
    REOPENED = "reopened"
    PAYMENT = "payment"
    SHIPPED = "shipped"
    """The last open unit has left, whoever shipped it."""
    DISPATCHED = "dispatched"
    """The back office told of a consignment, of its tracking or of its delivery."""
    TOLD = "told"
    """Something that the buyer may be told: released, held, sent, delivered, refunded."""
    ASKED = "asked"
    """Nothing changed: an operator or a feed asks to look again."""


class Errand(Canonical):
    office: Office
    shop: str
    order_id: str
    revision: int
    reasons: tuple[Reason, ...]

    @property
    def id(self) -> str:
        """`aurora/5001#3/backoffice`: the same in every delivery of the change."""
        return f"{self.shop}/{self.order_id}#{self.revision}/{self.office}"


def errands_of(old: OrderRecord | None, new: OrderRecord) -> tuple[Errand, ...]:
    """The errands of one change, none where nobody else is concerned."""
    wanted = (
        (Office.BACKOFFICE, tuple(_for_backoffice(old, new))),
        (Office.STOREFRONT, tuple(_for_storefront(old, new))),
        (Office.CUSTOMERS, tuple(_for_new_accounts(old, new))),
        (Office.BUYER, tuple(_for_buyer(old, new))),
        (Office.FINANCE, tuple(_for_new_accounts(old, new))),
    )
    return tuple(
        Errand(office=office, shop=new.shop, order_id=new.order_id, revision=new.revision, reasons=reasons)
        for office, reasons in wanted
        if reasons
    )


def _for_backoffice(old: OrderRecord | None, new: OrderRecord) -> Iterator[Reason]:
    if old is None:
        yield Reason.RECEIVED
        return
    if old.version != new.version:
        yield Reason.REVISED
    if old.review is not new.review:
        yield from _of_review(old.review, new.review)
    if old.payment is not new.payment:
        yield Reason.PAYMENT
    if old.fulfilment is not new.fulfilment and new.fulfilment in _ALL_LEFT:
        yield Reason.SHIPPED


def _of_review(old: ReviewState, new: ReviewState) -> Iterator[Reason]:
    if new is ReviewState.CANCELLED:
        yield Reason.CANCELLED
    elif new is ReviewState.RELEASED:
        yield Reason.RELEASED
    elif old is ReviewState.CANCELLED:
        yield Reason.REOPENED


def _for_storefront(old: OrderRecord | None, new: OrderRecord) -> Iterator[Reason]:
    known = old.dispatches if old else None
    if new.dispatches and new.dispatches != known:
        yield Reason.DISPATCHED
    was_complete = old is not None and old.fulfilment in _ALL_LEFT
    if new.dispatches and new.fulfilment in _ALL_LEFT and not was_complete:
        yield Reason.SHIPPED
    was_cancelled = old is not None and old.review is ReviewState.CANCELLED
    by_operator = new.cancelled_by is not None and new.cancelled_by != STOREFRONT
    if new.review is ReviewState.CANCELLED and by_operator and not was_cancelled:
        yield Reason.CANCELLED


def _for_new_accounts(old: OrderRecord | None, new: OrderRecord) -> Iterator[Reason]:
    """For those who read the account itself: only a newer one says something new."""
    if old is None:
        yield Reason.RECEIVED
    elif old.version != new.version:
        yield Reason.REVISED


def _for_buyer(old: OrderRecord | None, new: OrderRecord) -> Iterator[Reason]:
    if old is None:
        yield Reason.RECEIVED
    elif _as_told(old) != _as_told(new):
        yield Reason.TOLD


def _as_told(record: OrderRecord) -> tuple[object, ...]:
    """What a buyer's notices are worked out from; of the account, that there is a newer one."""
    return record.review, record.holds, record.dispatches, record.delivered, record.version


_ALL_LEFT = frozenset({FulfilmentState.SHIPPED, FulfilmentState.DELIVERED})
