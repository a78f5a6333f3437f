"""Between Tryton's parties and the cards of the port. Pure: no calls.

Tryton has a type of its own for mobile numbers; ours and staff's are both telephone numbers to the port. A number is
read as Tryton has normalised it (`value_compact`: E.164, where the library phonenumbers is installed beside it).
"""

from shared.backoffices.documents import Address, CustomerCard, KnownCustomer
from shared.backoffices.tryton.schemas import AddressRow, ContactRow, PartyRow

USES = ("invoice", "delivery")
KINDS = {"email": ("email",), "phone": ("phone", "mobile")}
"""Tryton's types of what a card calls so."""

_SHORTEST = 6
"""Digits of a telephone number that can be told from others without its country."""
_NOTHING = Address()


def known(row: PartyRow) -> KnownCustomer:
    key = row.code if "/" in row.code else None
    email, phone = (first_contact(kind, row) for kind in ("email", "phone"))
    moments = (
        row.changed_at,
        *(address.changed_at for address in row.addresses),
        *(contact.changed_at for contact in row.contact_mechanisms),
    )
    return KnownCustomer(
        id=str(row.id),
        key=key,
        card=CustomerCard(
            key=key or f"tryton/{row.id}",
            name=row.name or row.code,
            email=email.value if email else None,
            phone=(phone.value_compact or phone.value) if phone else None,
            language=row.lang.code if row.lang else None,
            billing=_usual("invoice", row, is_ours=key is not None),
            shipping=_usual("delivery", row, is_ours=key is not None),
        ),
        changed_at=max(moments),
    )


def _usual(use: str, row: PartyRow, *, is_ours: bool) -> Address | None:
    """The address that is marked for it. A party of staff's own may bear no mark: Tryton takes the first one then."""
    marked = [address for address in row.addresses if getattr(address, use)]
    found = marked or ([] if is_ours else list(row.addresses))
    address = as_address(found[0]) if found else _NOTHING
    return None if address == _NOTHING else address


# ---- addresses -------------------------------------------------------------------------------------------------------


def same_address(address: Address, among: tuple[AddressRow, ...]) -> AddressRow | None:
    """The oldest that reads the same."""
    wanted = _as_read(address)
    return next((row for row in among if _as_read(as_address(row)) == wanted), None)


def as_address(row: AddressRow) -> Address:
    subdivision = row.subdivision.code.partition("-")[2] if row.subdivision else ""
    return Address(
        name=(row.attn or row.party_name) or None,
        company=row.party_name if row.attn and row.party_name else None,
        street=tuple(line for line in row.street.split("\n") if line),
        postal_code=row.postal_code or None,
        city=row.city or None,
        subdivision=subdivision or None,
        country=row.country.code if row.country else None,
    )


def _as_read(address: Address) -> tuple[str, ...]:
    """By Tryton's fields: a company without a person stands where a person without a company does."""
    street = tuple(part for line in address.street for part in line.split("\n"))
    names = (address.company or address.name, address.name if address.company else None)
    fields = (*names, *street, "", address.postal_code, address.city, address.country)
    return tuple((field or "").strip() for field in fields)


# ---- e-mail and telephone --------------------------------------------------------------------------------------------


def contacts_of(kind: str, party: PartyRow) -> list[ContactRow]:
    return [contact for contact in party.contact_mechanisms if contact.type in KINDS[kind]]


def first_contact(kind: str, party: PartyRow) -> ContactRow | None:
    return next(iter(contacts_of(kind, party)), None)


def is_same_contact(contact: ContactRow, value: str) -> bool:
    """Whether Tryton has this already, as it writes it: with blanks, hyphens and its country where it is a number."""
    if contact.type in KINDS["phone"]:
        return _is_same_number(contact.value_compact or contact.value, value)
    return contact.value.strip().casefold() == value.strip().casefold()


def _is_same_number(one: str, other: str) -> bool:
    shorter, longer = sorted((_national(one), _national(other)), key=len)
    return shorter == longer or (len(shorter) >= _SHORTEST and longer.endswith(shorter))


def _national(number: str) -> str:
    """The digits without the zeros or the sign that stand before a country or an area."""
    return "".join(character for character in number if character.isdigit()).lstrip("0")
