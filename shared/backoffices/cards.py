"""What a card means for a customer that is there already; the same for every vendor. Pure."""

from shared.backoffices.documents import Address, CardField, CustomerCard
from shared.customers.models import PostalAddress

ERASED = "Erased customer"
"""The name of a customer whose personal data was taken out; the back office's own number may follow it."""


def to_save(card: CustomerCard, known: CustomerCard) -> CustomerCard:
    """The card of which every field that is not None, or is cleared, is to be written over what is known.

    One order's buyer brings only what the customer lacks, and nothing where accounts say that. Addresses that are
    beside the usual ones are not in it.
    """
    if not card.for_one_order:
        return card
    if card.is_kept_up:
        return CustomerCard(key=card.key, name=known.name)
    lacking = {field: getattr(card, field) for field in CardField if getattr(known, field) is None}
    return CustomerCard(key=card.key, name=known.name, **lacking)


def as_saved(card: CustomerCard, known: CustomerCard | None) -> CustomerCard:
    """The customer as it is after the card was saved."""
    wanted = to_save(card, known) if known else card
    kept = known.model_dump(exclude={field.value for field in wanted.cleared}) if known else {}
    stated = wanted.model_dump(exclude_none=True, exclude={"cleared", "for_one_order", "is_kept_up"})
    return CustomerCard.model_validate({**kept, **stated})


def address_of(address: PostalAddress | None) -> Address | None:
    """A storefront's address as a back office takes it."""
    if address is None:
        return None
    return Address(
        name=address.name or " ".join(part for part in (address.first_name, address.last_name) if part) or None,
        company=address.company,
        street=tuple(part for part in (address.address1, address.address2) if part),
        postal_code=address.postal_code,
        city=address.city,
        subdivision=address.province_code or address.province,
        country=address.country_code,
    )
