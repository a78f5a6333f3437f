"""What has to be written so that a Shopify customer shows what a profile says. Pure: values in, inputs out.

An input holds only what the shop does not show yet. Spellings that Shopify makes alike (case of an e-mail address,
spaces in a telephone number) are no difference, so that writing the same again writes nothing.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from shared.customers.models import PostalAddress, Profile, ProfileField
from shared.storefronts.shopify.graphql import Node

FIELD_OF: Final[Mapping[str, ProfileField]] = {
    "firstName": ProfileField.NAME,
    "lastName": ProfileField.NAME,
    "email": ProfileField.EMAIL,
    "phone": ProfileField.PHONE,
    "locale": ProfileField.LANGUAGE,
}
"""Whose a part of the customer's own input is."""
_USUAL: Final = (ProfileField.SHIPPING, ProfileField.BILLING)
"""Both are the customer's one usual address; the first that is named and known is the one that is written."""


def account_input(profile: Profile, fields: Collection[ProfileField], shown: Node) -> Node:
    """What to send of the customer itself (a `CustomerInput` without its id).

    An e-mail address and a language are never taken away: Shopify does not let the one go while there is no other
    means to tell the customer, and has no customer without the other.
    """
    stated = {
        "firstName": profile.first_name,
        "lastName": profile.last_name,
        "email": profile.email,
        "phone": profile.phone,
        "locale": profile.language,
    }
    wanted = {
        name: value
        for name, value in stated.items()
        if FIELD_OF[name] in fields and (value or name not in {"email", "locale"})
    }
    now = {
        **shown,
        "email": (shown["email"] or {}).get("emailAddress"),
        "phone": (shown["phone"] or {}).get("phoneNumber"),
    }
    return _different(wanted, now)


def address_field(profile: Profile, fields: Collection[ProfileField]) -> ProfileField | None:
    """Which address to write. A usual address that is None is left: Shopify does not let go of it."""
    known = {ProfileField.SHIPPING: profile.shipping, ProfileField.BILLING: profile.billing}
    return next((field for field in _USUAL if field in fields and known[field] is not None), None)


def address_input(profile: Profile, fields: Collection[ProfileField], shown: Node | None) -> Node:
    """What to send of the usual address (a `MailingAddressInput`), which the company is a part of.

    What describes the place is written, and cleared where it is None. The name, the telephone number and the company
    of the address are left where it has none: others than Shopify do not keep them with each address. A company that
    is named as a field counts for more than the address's own.
    """
    now = shown or {}
    field = address_field(profile, fields)
    wanted = _place(profile.shipping if field is ProfileField.SHIPPING else profile.billing, now) if field else {}
    if ProfileField.COMPANY in fields:
        wanted["company"] = profile.company
    if shown is None and wanted and not (wanted.get("firstName") or wanted.get("lastName")):
        wanted |= {"firstName": profile.first_name, "lastName": profile.last_name}
    return _different(wanted, now)


def _place(address: PostalAddress | None, now: Node) -> Node:
    if address is None:
        return {}
    first, last = _names(address, now)
    kept = {"company": address.company, "phone": address.phone}
    country = (address.country_code or now.get("countryCode") or "").upper() or None
    return {
        "address1": address.address1,
        "address2": address.address2,
        "city": address.city,
        "zip": address.postal_code,
        "provinceCode": _province(address, country, now),
        **({"countryCode": country} if country else {}),
        **({"firstName": first, "lastName": last} if first or last else {}),
        **{name: value for name, value in kept.items() if value},
    }


def _names(address: PostalAddress, now: Node) -> tuple[str | None, str | None]:
    """Of an address that has one name only, the last word is the last name, unless the shop shows the same name."""
    if address.first_name or address.last_name or not address.name:
        return address.first_name, address.last_name
    shown = now.get("firstName"), now.get("lastName")
    if " ".join(part for part in shown if part) == address.name.strip():
        return shown
    first, _, last = address.name.strip().rpartition(" ")
    return first or None, last


def _province(address: PostalAddress, country: str | None, now: Node) -> str | None:
    """Shopify's code has no country in front. A province of which only the name is known stays if it is the same."""
    if address.province_code:
        return address.province_code.removeprefix(f"{country}-")
    same = bool(address.province) and _folded(address.province) == _folded(now.get("province"))
    return now.get("provinceCode") if same and country == now.get("countryCode") else None


def _different(wanted: Node, now: Node) -> Node:
    return {name: value for name, value in wanted.items() if _as_shown(name, value) != _as_shown(name, now.get(name))}


def _as_shown(name: str, value: str | None) -> str:
    return _SPELLINGS.get(name, _text)(value)


def _text(value: str | None) -> str:
    return (value or "").strip()


def _folded(value: str | None) -> str:
    return _text(value).casefold()


def _number(value: str | None) -> str:
    return re.sub(r"[^0-9+]", "", value or "") or _text(value)


def _code(value: str | None) -> str:
    return re.sub(r"\W", "", value or "").casefold() or _text(value)


_SPELLINGS: Final[Mapping[str, Callable[[str | None], str]]] = {
    "email": _folded,
    "locale": _folded,
    "phone": _number,
    "zip": _code,
    "countryCode": _code,
    "provinceCode": _code,
}
"""What makes two values of one part the same; others are the same text."""
