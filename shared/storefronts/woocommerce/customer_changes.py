"""What must be written for a WooCommerce account to show some fields of a profile. Pure.

WooCommerce sets each member of an account and of its addresses that it is sent, and leaves those that it is not. ""
takes one away; null is refused, and so is a blank e-mail address. Source: WooCommerce's source,
`WC_REST_Customers_V1_Controller::update_customer_meta_fields` and `get_item_schema`, and its issue 18770.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.customers.models import Profile, ProfileField
from shared.storefronts.lenient import Lenient
from shared.storefronts.woocommerce.addresses import shop_members
from shared.storefronts.woocommerce.customer_schemas import Customer
from shared.storefronts.woocommerce.schemas import Address

Json = dict[str, Any]

_NO_ADDRESS: Final = Address()


def changes(profile: Profile, fields: frozenset[ProfileField], shown: Customer) -> Json:
    """The body of the update: only what the account shows otherwise; empty when it shows all of it already."""
    found: Json = _differing(_account(profile, fields, shown), shown)
    addresses = {
        "billing": (_billing(profile, fields, shown), shown.billing),
        "shipping": (_shipping(profile, fields, shown), shown.shipping),
    }
    for name, (wanted, address) in addresses.items():
        if members := _differing(wanted, address or _NO_ADDRESS):
            found[name] = members
    return found


def _account(profile: Profile, fields: frozenset[ProfileField], shown: Customer) -> dict[str, str]:
    wanted: dict[str, str] = {}
    if ProfileField.NAME in fields:
        wanted |= {"first_name": profile.first_name or "", "last_name": profile.last_name or ""}
    if _is_new_email(profile, fields, shown):
        wanted["email"] = profile.email or ""
    return wanted


def _is_new_email(profile: Profile, fields: frozenset[ProfileField], shown: Customer) -> bool:
    """One that differs in case only is none: WooCommerce would find it taken, by the very same account."""
    if ProfileField.EMAIL not in fields or profile.email is None:
        return False
    return profile.email.strip().casefold() != (shown.email or "").casefold()


def _billing(profile: Profile, fields: frozenset[ProfileField], shown: Customer) -> dict[str, str]:
    """WooCommerce has no other place for the account's telephone number and company, so these have fields of their own.

    The e-mail address goes with the account's while they are the same, as when the buyer changes that one.
    """
    address = shown.billing or _NO_ADDRESS
    wanted: dict[str, str] = {}
    if ProfileField.BILLING in fields:
        wanted |= shop_members(profile.billing, address)
        wanted.pop("phone", None)
        if not wanted["company"]:
            del wanted["company"]
    if ProfileField.COMPANY in fields:
        wanted["company"] = profile.company or ""
    if ProfileField.PHONE in fields:
        wanted["phone"] = profile.phone or ""
    if _is_new_email(profile, fields, shown) and address.email and address.email == shown.email:
        wanted["email"] = profile.email or ""
    return wanted


def _shipping(profile: Profile, fields: frozenset[ProfileField], shown: Customer) -> Mapping[str, str]:
    if ProfileField.SHIPPING not in fields:
        return {}
    return shop_members(profile.shipping, shown.shipping or _NO_ADDRESS)


def _differing(wanted: Mapping[str, str], shown: Lenient) -> dict[str, str]:
    texts = {name: text.strip() for name, text in wanted.items()}
    return {name: text for name, text in texts.items() if text != (getattr(shown, name) or "").strip()}
