"""Guests: buyers without an account, told apart by what they can be reached by."""

from shared.customers.marks import Marker, normal_email
from shared.kernel.identifiers import CustomerKey

_DIGITS = 24


def guest_key(shop: str, email: str | None, phone: str | None, marker: Marker) -> CustomerKey | None:
    """The key of a shop's guest, the same for every order with the same e-mail address, or telephone number where
    there is none; None for one who left neither. Without the deployment's key nobody can tell who it is."""
    if email and email.strip():
        known_by = normal_email(email)
    else:
        known_by = "".join(character for character in phone or "" if character.isdigit())
    if not known_by:
        return None
    return CustomerKey(shop, "guest", marker.digest("guest", f"{shop}|{known_by}")[:_DIGITS])
