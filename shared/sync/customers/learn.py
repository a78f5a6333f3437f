"""Learn of customers from orders: guests, and accounts of which the storefront has not told (yet).

An order's buyer is a customer like any other, only known by less. A storefront's own account of a customer always
counts more than what an order says.
"""

from shared.customers.intake import Outcome, Result, take_in
from shared.customers.models import Customer, CustomerSource, MarketingConsent, Profile
from shared.customers.ports import CustomerDesk
from shared.customers.readings import CompleteCustomer
from shared.kernel.clock import as_sortable
from shared.kernel.identifiers import CustomerKey
from shared.orders.buyer import buyer_of
from shared.orders.models import Order, PersonalData


def learn(order: Order, desk: CustomerDesk) -> Outcome:
    """Take in what an order says of its buyer, and note that the order is theirs. Called for every version of it.

    Of a buyer who was erased nothing is taken in, but the order is theirs: whoever is to be erased once more has bought
    again since, and waits for the goods until then.

    Raises:
        Retry, Conflict: as `take_in`.
    """
    key = buyer_of(order, desk.marker)
    if key is None:
        return Outcome(Result.IGNORED, reason="the order does not say who its buyer is")
    outcome = take_in(CompleteCustomer(_customer(key, order)), desk)
    desk.book.link_order(key, order.key, order.processed_at or order.created_at)
    return outcome


def _customer(key: CustomerKey, order: Order) -> Customer:
    """Of several orders the one that was placed last counts, so its time is the version."""
    placed_at = order.processed_at or order.created_at
    personal = order.personal
    return Customer(
        shop=key.shop,
        kind="guest" if key.is_guest else "customer",
        customer_id=key.id,
        platform=order.platform,
        version=order.version.model_copy(update={"updated_at": as_sortable(placed_at)}),
        source=CustomerSource.ORDER,
        updated_at=placed_at,
        consents=_consents(personal),
        personal=Profile(
            email=personal.email,
            phone=personal.phone,
            first_name=personal.first_name or (personal.billing_address and personal.billing_address.first_name),
            last_name=personal.last_name or (personal.billing_address and personal.billing_address.last_name),
            company=personal.billing_address.company if personal.billing_address else None,
            language=personal.locale,
            billing=personal.billing_address,
            shipping=personal.shipping_address,
        ),
    )


def _consents(personal: PersonalData) -> tuple[MarketingConsent, ...] | None:
    """What the buyer ticked at the checkout; that somebody did not tick it says nothing new."""
    return (MarketingConsent(channel="email", state="subscribed"),) if personal.accepts_marketing else None
