"""The three axes of an order, each a state machine of its own. What people call "the status" derives from them."""

from collections.abc import Mapping
from enum import StrEnum

from shared.orders.models import PaymentState


class ReviewState(StrEnum):
    RECEIVED = "received"
    HELD = "held"
    """Someone must look: the order's holds say why."""
    APPROVED = "approved"
    """Nothing speaks against it; a person releases it (only where releasing is not automatic)."""
    RELEASED = "released"
    """The warehouse may ship it."""
    CANCELLED = "cancelled"


class FulfilmentState(StrEnum):
    NOT_REQUIRED = "not_required"
    """Nothing in it ships from stock."""
    UNALLOCATED = "unallocated"
    BACKORDERED = "backordered"
    """Some units wait for stock."""
    ALLOCATED = "allocated"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"


_REVIEW_MOVES: Mapping[ReviewState, frozenset[ReviewState]] = {
    ReviewState.RECEIVED: frozenset(
        {ReviewState.HELD, ReviewState.APPROVED, ReviewState.RELEASED, ReviewState.CANCELLED}
    ),
    ReviewState.HELD: frozenset({ReviewState.APPROVED, ReviewState.RELEASED, ReviewState.CANCELLED}),
    ReviewState.APPROVED: frozenset({ReviewState.HELD, ReviewState.RELEASED, ReviewState.CANCELLED}),
    ReviewState.RELEASED: frozenset({ReviewState.CANCELLED}),
    # A storefront can reopen what it cancelled, and it is reviewed at once; what an operator cancelled stays so.
    ReviewState.CANCELLED: frozenset({ReviewState.HELD, ReviewState.APPROVED, ReviewState.RELEASED}),
}

_PAYMENT_MOVES: Mapping[PaymentState, frozenset[PaymentState]] = {
    PaymentState.PENDING: frozenset(PaymentState) - {PaymentState.PENDING},
    PaymentState.AUTHORISED: frozenset(
        {
            PaymentState.PARTIALLY_PAID,
            PaymentState.PAID,
            PaymentState.VOIDED,
            PaymentState.DISPUTED,
            PaymentState.PARTIALLY_REFUNDED,
            PaymentState.REFUNDED,
        }
    ),
    PaymentState.PARTIALLY_PAID: frozenset(
        {PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED, PaymentState.DISPUTED}
    ),
    # An edit that adds goods makes a paid order partially paid again.
    PaymentState.PAID: frozenset(
        {
            PaymentState.PARTIALLY_PAID,
            PaymentState.PARTIALLY_REFUNDED,
            PaymentState.REFUNDED,
            PaymentState.DISPUTED,
        }
    ),
    PaymentState.PARTIALLY_REFUNDED: frozenset({PaymentState.REFUNDED, PaymentState.DISPUTED}),
    PaymentState.REFUNDED: frozenset(),
    PaymentState.VOIDED: frozenset(),
    PaymentState.DISPUTED: frozenset({PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED}),
}


def may_review_move(old: ReviewState, new: ReviewState) -> bool:
    return old == new or new in _REVIEW_MOVES[old]


def may_payment_move(old: PaymentState, new: PaymentState) -> bool:
    """Whether the trade knows this step. A storefront's word is taken all the same, and an odd step is reported."""
    return old == new or new in _PAYMENT_MOVES[old]


def status(review: ReviewState, fulfilment: FulfilmentState, payment: PaymentState) -> str:
    """One word for people: the axis that matters most at this moment."""
    if review is ReviewState.CANCELLED:
        return "cancelled"
    if fulfilment in _GOODS_MOVED:
        return str(fulfilment)
    if review is not ReviewState.RELEASED:
        return str(review)
    if fulfilment is FulfilmentState.NOT_REQUIRED:
        return "completed" if payment is PaymentState.PAID else str(payment)
    return "ready" if fulfilment is FulfilmentState.ALLOCATED else str(fulfilment)


_GOODS_MOVED = frozenset(
    {
        FulfilmentState.PARTIALLY_SHIPPED,
        FulfilmentState.SHIPPED,
        FulfilmentState.DELIVERED,
        FulfilmentState.RETURNED,
    }
)
