"""What must go from an order's account when its buyer is forgotten. Pure.

The account is written without personal data (see `models.PersonalData`). Two of its fields are for staff and the buyer
to fill as they like, and may hold a person's name or the end of a card's number all the same.
"""

from shared.orders.models import Order, PersonalData


def impersonal(order: Order) -> Order:
    """The order without its buyer. What was sold, paid, refunded and sent stays: the books stand on it."""
    tenders = tuple(tender.model_copy(update={"last_characters": None}) for tender in order.tenders)
    return order.model_copy(update={"personal": PersonalData(), "tags": (), "tenders": tenders})
