"""What Stripe's events and API hold, as far as it is read. All else is let be: most of it names buyers.

Shapes are those of Stripe's OpenAPI description; of older API versions where they differ, for an event has the shape of
its endpoint's version. A reference to another object is its id, or the object where it was expanded.
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from shared.kernel.money import MAX_MINOR
from shared.payments.lenient import NULL_IS_EMPTY, Lenient, OptionalText, each_once
from shared.payments.references import exact, of_metadata

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,255}$")]
Seconds = Annotated[int, Field(ge=0, le=4_102_444_800)]
"""Unix time, not beyond the year 2100."""
Currency = Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]
Amount = Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]
"""In Stripe's units: see `amounts`."""


class Expandable(Lenient):
    """An object of which nothing but the id is read."""

    id: Id


class Refund(Lenient):
    id: Id
    amount: Amount
    currency: Currency
    created: Seconds
    status: OptionalText = None
    charge: Expandable | Id | None = None
    payment_intent: Expandable | Id | None = None
    metadata: dict[str, Any] | None = None


class RefundList(Lenient):
    data: Annotated[tuple[Refund, ...], NULL_IS_EMPTY] = ()


class Intention(Lenient):
    """A payment intent by what it adds to its charge: references."""

    id: Id
    metadata: dict[str, Any] | None = None
    transfer_group: OptionalText = None
    description: OptionalText = None


class Charge(Lenient):
    id: Id
    amount: Amount
    amount_captured: Amount | None = None
    """Not told by old API versions."""
    captured: bool | None = None
    refunded: bool | None = None
    currency: Currency
    created: Seconds
    status: OptionalText = None
    payment_intent: Intention | Id | None = None
    metadata: dict[str, Any] | None = None
    transfer_group: OptionalText = None
    description: OptionalText = None
    livemode: bool | None = None
    refunds: RefundList | None = None
    """Since API version 2022-11-15 only where it was asked for."""


class ChargeList(Lenient):
    data: Annotated[tuple[Charge, ...], NULL_IS_EMPTY] = ()


class PaymentIntent(Intention):
    latest_charge: Charge | Id | None = None
    charges: ChargeList | None = None
    """In place of `latest_charge` before API version 2022-11-15."""


class CheckoutSession(Lenient):
    id: Id
    client_reference_id: OptionalText = None
    metadata: dict[str, Any] | None = None
    payment_status: OptionalText = None
    payment_intent: PaymentIntent | Id | None = None

    @property
    def references(self) -> tuple[str, ...]:
        """By which the order may be found: the merchant's own reference, metadata, and the session itself."""
        return each_once((*exact(self.client_reference_id), *of_metadata(self.metadata or {}), self.id))


class BalanceTransaction(Lenient):
    id: Id
    amount: Amount
    fee: Amount
    net: Amount
    currency: Currency
    created: Seconds
    available_on: Seconds | None = None
    type: OptionalText = None
    reporting_category: OptionalText = None
    exchange_rate: Decimal | None = None
    source: dict[str, Any] | str | None = None


class Dispute(Lenient):
    id: Id
    amount: Amount
    currency: Currency
    created: Seconds
    status: OptionalText = None
    charge: Expandable | Id | None = None
    payment_intent: Expandable | Id | None = None
    metadata: dict[str, Any] | None = None
    balance_transactions: Annotated[tuple[BalanceTransaction, ...], NULL_IS_EMPTY] = ()
    """What was taken for it, and given back: at most two."""


class Trace(Lenient):
    value: OptionalText = None


class Payout(Lenient):
    id: Id
    amount: Amount
    currency: Currency
    created: Seconds
    arrival_date: Seconds | None = None
    automatic: bool | None = None
    status: OptionalText = None
    statement_descriptor: OptionalText = None
    trace_id: Trace | None = None
    livemode: bool | None = None


class Held(Lenient):
    amount: Amount
    currency: Currency


_Holdings = Annotated[tuple[Held, ...], NULL_IS_EMPTY]


class OtherBalance(Lenient):
    """What is held apart: `risk_reserved`, `refund_and_dispute_prefunding`."""

    available: _Holdings = ()
    pending: _Holdings = ()


class Balance(Lenient):
    available: _Holdings = ()
    pending: _Holdings = ()
    connect_reserved: _Holdings = ()
    risk_reserved: OtherBalance | None = None
    refund_and_dispute_prefunding: OtherBalance | None = None
    livemode: bool | None = None


class EventData(Lenient):
    object: dict[str, Any]


class Event(Lenient):
    """A snapshot event."""

    id: Id
    type: str
    created: Seconds
    livemode: bool | None = None
    data: EventData


class RelatedObject(Lenient):
    id: Id


class ThinEvent(Lenient):
    """An event that only names what it is about (`object` is `v2.core.event`)."""

    related_object: RelatedObject | None = None
