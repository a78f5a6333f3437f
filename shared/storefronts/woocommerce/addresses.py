"""WooCommerce's address in our words, and ours in WooCommerce's."""

import re
from collections.abc import Mapping
from typing import Final

from shared.customers.models import PostalAddress
from shared.storefronts.woocommerce import schemas

_STATE_CODE: Final = re.compile(r"[A-Z0-9]{1,6}(-[A-Z0-9]{1,6})?")
_MEMBERS: Final = (
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "postcode",
    "country",
    "phone",
)


def postal_address(address: schemas.Address | None) -> PostalAddress | None:
    """None when blank: WooCommerce sends an address of empty strings where there is none.

    `state` holds WooCommerce's code for countries whose states it lists, else whatever the buyer typed.
    """
    if address is None:
        return None
    is_code = address.state is not None and _STATE_CODE.fullmatch(address.state) is not None
    result = PostalAddress(
        first_name=address.first_name,
        last_name=address.last_name,
        name=" ".join(part for part in (address.first_name, address.last_name) if part) or None,
        company=address.company,
        address1=address.address_1,
        address2=address.address_2,
        city=address.city,
        province=None if is_code else address.state,
        province_code=address.state if is_code else None,
        postal_code=address.postcode,
        country_code=address.country,
        phone=address.phone,
    )
    return None if result == PostalAddress() else result


def shop_members(address: PostalAddress | None, shown: schemas.Address) -> Mapping[str, str]:
    """What the shop is to show of an address instead of `shown`, by WooCommerce's own names; "" is nothing.

    None takes all of it away. Of an address that there is, what it does not tell and its kind often lacks is left as
    it is shown: who receives, the telephone, the country, and the state of a place that stays the same.
    """
    if address is None:
        return dict.fromkeys(_MEMBERS, "")
    members = {
        "company": address.company or "",
        "address_1": address.address1 or "",
        "address_2": address.address2 or "",
        "city": address.city or "",
        "postcode": address.postal_code or "",
        "country": (address.country_code or shown.country or "").upper(),
    }
    members["state"] = _state(address, members, shown)
    if address.phone:
        members["phone"] = address.phone
    return members | _recipient(address, shown)


def _recipient(address: PostalAddress, shown: schemas.Address) -> dict[str, str]:
    if address.first_name or address.last_name:
        return {"first_name": address.first_name or "", "last_name": address.last_name or ""}
    whole = " ".join((address.name or "").split())
    if not whole or whole == " ".join(part for part in (shown.first_name, shown.last_name) if part):
        return {}
    first, _, last = whole.rpartition(" ")
    return {"first_name": first, "last_name": last}


def _state(address: PostalAddress, members: Mapping[str, str], shown: schemas.Address) -> str:
    """WooCommerce writes some countries' codes with the country (`DE-BE`), most without (`CA` of the US).

    Others write them one way or the other, so a code is written as the shop shows another of the same country.
    """
    before = shown.state or ""
    country = members["country"]
    same_country = country == (shown.country or "").upper()
    code = address.province_code
    if not code:
        stays = same_country and (members["city"], members["postcode"]) == (shown.city or "", shown.postcode or "")
        return address.province or (before if stays else "")
    if not (same_country and _STATE_CODE.fullmatch(before)):
        return code
    prefix = f"{country}-"
    bare = code.removeprefix(prefix)
    return prefix + bare if before.startswith(prefix) else bare
