"""What a person's sides say, in one form: an account's profile and a party's card, there and back. Pure.

A storefront has first and last name, and addresses with a part for everything; a back office has one name and a few
lines. What a side does not hold is left as the other one has it.
"""

import re
from collections.abc import Mapping

from shared.backoffices.cards import ERASED, address_of
from shared.backoffices.documents import Address, CardField, CustomerCard
from shared.customers.contact import phone_of
from shared.customers.marks import folded, normal_email
from shared.customers.models import PostalAddress, Profile, ProfileField
from shared.kernel.identifiers import CustomerKey

Value = str | Address
Content = Mapping[ProfileField, Value]
"""What a side says, by field. A field that is not in it has no value. The company is apart from the billing address."""
Changes = Mapping[ProfileField, Value | None]
"""Fields with the value that a side is to show; None: it is to have none."""


# ---- what a side says ----


def content_of_profile(profile: Profile) -> Content:
    """An account's content; empty where the platform withholds it all."""
    billing, shipping = (_told(address_of(address)) for address in (profile.billing, profile.shipping))
    company = profile.company or (profile.billing.company if profile.billing else None)
    phones = (profile.phone, *(address.phone for address in (profile.billing, profile.shipping) if address))
    return _filled(
        {
            ProfileField.NAME: profile.name,
            ProfileField.COMPANY: company,
            ProfileField.EMAIL: profile.email,
            ProfileField.PHONE: next((phone for phone in phones if phone), None),
            ProfileField.LANGUAGE: profile.language,
            ProfileField.BILLING: _without_company(billing),
            ProfileField.SHIPPING: shipping,
        }
    )


def content_of_card(card: CustomerCard) -> Content:
    """A party's content. A name that only stands in for one is none."""
    is_named = not card.name.startswith((ERASED, *_STAND_INS))
    return _filled(
        {
            ProfileField.NAME: card.name if is_named else None,
            ProfileField.COMPANY: card.billing.company if card.billing else None,
            ProfileField.EMAIL: card.email,
            ProfileField.PHONE: card.phone,
            ProfileField.LANGUAGE: card.language,
            ProfileField.BILLING: _without_company(card.billing),
            ProfileField.SHIPPING: card.shipping,
        }
    )


def stand_in(leader: CustomerKey) -> str:
    """The name of a party whom nobody named."""
    return f"{_STAND_INS[0]}{leader.shop}"


_STAND_INS = ("Customer of ", "Guest of ")
"""The second one is that of orders' buyers, see `sync.backoffice.customer`."""


def _filled(values: Mapping[ProfileField, Value | None]) -> Content:
    return {what: value for what, value in values.items() if value is not None and _as_line(value)}


def _told(address: Address | None) -> Address | None:
    """Platforms that withhold personal data leave the town and the country, and WooCommerce copies an account's name
    into an address that is not there: such an address is none."""
    is_place = address is not None and (address.street or address.city or address.postal_code)
    return address if address and is_place and (address.street or address.name) else None


def _without_company(address: Address | None) -> Address | None:
    return address.model_copy(update={"company": None}) if address else None


# ---- comparing ----


def normal_of(what: ProfileField, value: Value, content: Content, country: str | None) -> str:
    """The value as a text that is equal for what is the same to people. `country` is the shop's, for telephone numbers
    without one; the content's own addresses say more."""
    if isinstance(value, Address):
        return _normal_address(value)
    match what:
        case ProfileField.EMAIL:
            return normal_email(value)
        case ProfileField.PHONE:
            return _normal_phone(value, content, country)
        case ProfileField.LANGUAGE:
            return value.replace("_", "-").partition("-")[0].casefold() or value
        case ProfileField.NAME:
            return _normal_name(value)
        case _:
            return folded(value) or value


_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_CJK_NAME = re.compile(f"[{_CJK}\\s·・]+")


def _normal_name(name: str) -> str:
    """Chinese, Japanese and Korean names put the family first, and storefronts join them either way round: the
    characters decide, in no order."""
    if _CJK_NAME.fullmatch(name):
        return "".join(sorted(re.sub(r"\W", "", name)))
    return folded(name) or name


def _normal_phone(phone: str, content: Content, country: str | None) -> str:
    addresses = (content.get(ProfileField.BILLING), content.get(ProfileField.SHIPPING))
    codes = [address.country for address in addresses if isinstance(address, Address)]
    places = [PostalAddress(country_code=code) for code in (*codes, None, None)[:2]]
    normal = phone_of(Profile(phone=phone, billing=places[0], shipping=places[1]), country)
    return normal or "".join(phone.split())


def _normal_address(address: Address) -> str:
    parts = (
        folded(address.name or ""),
        folded(address.company or ""),
        folded(" ".join(address.street)),
        re.sub(r"\W", "", (address.postal_code or "").casefold()),
        folded(address.city or ""),
        folded(address.subdivision or ""),
        (address.country or "").upper(),
    )
    return "|".join(parts)


def _as_line(value: Value) -> str:
    if isinstance(value, str):
        return value.strip()
    parts = (
        value.name,
        value.company,
        *value.street,
        " ".join(part for part in (value.postal_code, value.city) if part),
        value.subdivision,
        value.country,
    )
    return ", ".join(part.strip() for part in parts if part and part.strip())


def line_of(value: Value | None) -> str | None:
    """The value as one line for people."""
    return _as_line(value) if value is not None else None


# ---- saying it to the back office ----


def card_for(leader: CustomerKey, known: CustomerCard | None, changes: Changes) -> CustomerCard:
    """The card with only what changes; the back office leaves what is None as it is."""
    name = changes.get(ProfileField.NAME) or (known.name if known else stand_in(leader))
    stated = {field: changes.get(ProfileField(field.value)) for field in CardField}
    language = stated[CardField.LANGUAGE]
    billing = _billing_for(known, changes)
    cleared = {field for field in CardField if ProfileField(field.value) in changes and stated[field] is None}
    return CustomerCard.model_validate(
        {
            **stated,
            "key": str(leader),
            "name": name,
            "language": normal_of(ProfileField.LANGUAGE, language, {}, None) if language else None,
            "billing": billing,
            "cleared": frozenset(cleared) if known else frozenset(),
        }
    )


def _billing_for(known: CustomerCard | None, changes: Changes) -> Address | None:
    """A back office keeps the company within the address for invoices: without an address there is no place for it."""
    if not {ProfileField.BILLING, ProfileField.COMPANY} & changes.keys():
        return None
    held = known.billing if known else None
    billing = changes.get(ProfileField.BILLING) if ProfileField.BILLING in changes else held
    company = changes.get(ProfileField.COMPANY) if ProfileField.COMPANY in changes else held and held.company
    return billing.model_copy(update={"company": company}) if isinstance(billing, Address) else None


# ---- saying it to a storefront ----


def profile_for(own: Profile, changes: Changes) -> Profile:
    """The account's profile with what changes, in the storefront's own shape."""
    profile = own.model_copy(update=dict(_plain_changes(own, changes)))
    if ProfileField.BILLING in changes:
        company = profile.company or (own.billing.company if own.billing else None)
        billing = _postal(changes[ProfileField.BILLING], own.billing, profile)
        profile = profile.model_copy(
            update={"billing": billing.model_copy(update={"company": company}) if billing else None}
        )
    elif ProfileField.COMPANY in changes and own.billing is not None:
        profile = profile.model_copy(update={"billing": own.billing.model_copy(update={"company": profile.company})})
    if ProfileField.SHIPPING in changes:
        profile = profile.model_copy(
            update={"shipping": _postal(changes[ProfileField.SHIPPING], own.shipping, profile)}
        )
    return profile


def _plain_changes(own: Profile, changes: Changes) -> Mapping[str, str | None]:
    plain = (ProfileField.COMPANY, ProfileField.EMAIL, ProfileField.PHONE, ProfileField.LANGUAGE)
    stated = {what.value: _text(changes[what]) for what in plain if what in changes}
    name = _text(changes.get(ProfileField.NAME))
    if name is not None:
        stated["first_name"], stated["last_name"] = split_name(name, own.first_name, own.last_name)
    return stated


def _text(value: Value | None) -> str | None:
    return value if isinstance(value, str) else None


def split_name(name: str, first: str | None, last: str | None) -> tuple[str | None, str | None]:
    """One name as first and last, as the storefront has them so far: the last word is the last name, unless it is not.

    A Chinese, Japanese or Korean name is one word: it goes where the storefront had all of it, and is parted after the
    family name where it had both.
    """
    words = name.split()
    if _CJK_NAME.fullmatch(name) and len(words) == 1:
        return _split_cjk(words[0], first, last)
    if last and first and name.endswith(f" {last}"):
        return name.removesuffix(last).strip(), last
    if len(words) == 1:
        return (None, name.strip()) if last and not first else (name.strip(), None)
    return " ".join(words[:-1]), words[-1]


def _split_cjk(name: str, first: str | None, last: str | None) -> tuple[str | None, str | None]:
    if not (first and last):
        return (None, name) if last else (name, None)
    if name.startswith(last) and len(name) > len(last):
        return name.removeprefix(last), last
    family = 2 if name[:2] in _DOUBLE_FAMILY_NAMES and name[2:] else 1
    return (name[family:] or None), name[:family]


_DOUBLE_FAMILY_NAMES = frozenset(
    (
        *("欧阳", "歐陽", "司马", "司馬", "诸葛", "諸葛", "上官", "皇甫", "尉迟", "尉遲", "公孙", "公孫", "慕容"),
        *("令狐", "司徒", "夏侯", "东方", "東方", "独孤", "獨孤", "端木", "长孙", "長孫", "宇文", "轩辕", "軒轅"),
    )
)


def _postal(value: Value | None, own: PostalAddress | None, profile: Profile) -> PostalAddress | None:
    """What the back office does not hold of an address stays as the storefront has it; a new one without a name is the
    customer's own. Where the account's company stands for a name nobody is named: some know no other place for it."""
    if not isinstance(value, Address):
        return None
    had = own or PostalAddress(first_name=profile.first_name, last_name=profile.last_name, name=profile.name)
    companies = [folded(company) for company in (had.company, profile.company) if company]
    if value.name and value.company is None and folded(value.name) in companies:
        value = value.model_copy(update={"name": None, "company": value.name})
    name = value.name or had.name
    first, last = (had.first_name, had.last_name)
    if value.name and folded(value.name) != folded(f"{first or ''} {last or ''}"):
        first, last = split_name(value.name, first, last)
    lines = (*value.street, None, None)
    same_country = (value.country or "").upper() == (had.country_code or "").upper()
    return PostalAddress(
        first_name=first,
        last_name=last,
        name=name,
        company=value.company or (had.company if _is_there_still(value, had) else None),
        address1=lines[0],
        address2=", ".join(value.street[1:]) or None,
        city=value.city,
        **_province(value, had, same_country=same_country),
        postal_code=value.postal_code,
        country_code=value.country,
        country=had.country if same_country else None,
        phone=had.phone,
    )


def _is_there_still(value: Address, had: PostalAddress) -> bool:
    """Not so where somebody has moved: then what is not told of the new place is not that of the old one."""
    return folded(value.postal_code or "") == folded(had.postal_code or "")


def _province(value: Address, had: PostalAddress, *, same_country: bool) -> dict[str, str | None]:
    told = value.subdivision
    is_there_still = same_country and _is_there_still(value, had)
    if told in (had.province_code, had.province) or (told is None and is_there_still):
        return {"province": had.province, "province_code": had.province_code}
    is_code = told is not None and re.fullmatch(r"[A-Z0-9]{1,3}", told) is not None
    return {"province": None if is_code else told, "province_code": told if is_code else None}
