"""A profile's fields as texts that can be compared: what is the same to people is the same text."""

from shared.customers.marks import folded, normal_email
from shared.customers.models import PostalAddress, Profile, ProfileField


def texts_of(profile: Profile, phone: str | None) -> dict[ProfileField, str]:
    """The fields that have a value. `phone` is the telephone number in E.164, where it has a valid one."""
    texts = {
        ProfileField.NAME: folded(" ".join(part for part in (profile.first_name, profile.last_name) if part)),
        ProfileField.COMPANY: folded(profile.company or ""),
        ProfileField.EMAIL: normal_email(profile.email) if profile.email else "",
        ProfileField.PHONE: phone or "".join((profile.phone or "").split()),
        ProfileField.LANGUAGE: (profile.language or "").replace("_", "-").partition("-")[0].casefold(),
        ProfileField.BILLING: _of_address(profile.billing),
        ProfileField.SHIPPING: _of_address(profile.shipping),
    }
    return {field: text for field, text in texts.items() if text}


def _of_address(address: PostalAddress | None) -> str:
    if address is None:
        return ""
    parts = (
        address.name or " ".join(part for part in (address.first_name, address.last_name) if part),
        address.company,
        address.address1,
        address.address2,
        address.postal_code,
        address.city,
        address.province_code or address.province,
        address.country_code or address.country,
    )
    text = "|".join(folded(part or "") for part in parts)
    return text if text.strip("|") else ""
