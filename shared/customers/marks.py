"""Normal forms of what a person is known by, and marks: keyed digests of them, to find equals without keeping them.

A mark can be compared and looked up, and tells nobody without the deployment's key what it was made from.
"""

import hashlib
import hmac
import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

from shared.customers.models import PostalAddress, Profile

MARK_HEX_DIGITS = 40


class MarkKind(StrEnum):
    EMAIL = "email"
    """The address as it is: case and a domain's spelling make no difference."""
    MAILBOX = "mailbox"
    """The address as its provider delivers it: without a `+tag`, without Gmail's dots. Proposes, never joins."""
    PHONE = "phone"
    """E.164."""
    ADDRESS = "address"
    """Country, postal code, house number and last name. Proposes, never joins."""


class Mark(NamedTuple):
    kind: MarkKind
    digest: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.digest}"


class Marker:
    """Makes marks with the deployment's key, which never changes: with another key nothing is found again."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"the key has fewer than {_SHORTEST_KEY} bytes")
        self._key = key

    def mark(self, kind: MarkKind, normal: str) -> Mark:
        return Mark(kind, self.digest(kind, normal))

    def digest(self, purpose: str, value: str) -> str:
        """A keyed digest of the value, of no use for any other purpose."""
        message = f"{purpose}\0{value}".encode()
        return hmac.digest(self._key, message, hashlib.sha256).hex()[:MARK_HEX_DIGITS]

    def email(self, email: str) -> str:
        """The digest that a verification is bound to."""
        return self.digest(MarkKind.EMAIL, normal_email(email))


_SHORTEST_KEY = 16


def normal_email(email: str) -> str:
    """Case and composition of characters make no difference, and neither does how an international domain is
    written. What is no address stays as it is, in lower case."""
    text = unicodedata.normalize("NFKC", email.strip()).lower()
    local, at, domain = text.rpartition("@")
    try:
        return f"{local}{at}{ascii_domain(domain)}"
    except UnicodeError:
        return text


def ascii_domain(domain: str) -> str:
    """A domain as the DNS has it (IDNA 2008, UTS 46 without its transition).

    Python's own codec is of 2003 and takes `straße.example` for `strasse.example`, which may be somebody else's.

    Raises:
        UnicodeError: no domain can be written so.
    """
    if domain.isascii():
        return domain
    import idna  # noqa: PLC0415 - its tables are large, and few domains need them

    return idna.encode(domain, uts46=True, transitional=False).decode("ascii")


_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def mailbox_of(normal: str) -> str:
    """The mailbox that a normal address is delivered to, as far as that is commonly known."""
    local, _, domain = normal.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def folded(text: str) -> str:
    """A name or a street without what spellings differ in: case, accents, punctuation, `ß` and umlauts."""
    spelled = text.casefold()
    for letter, written in _WRITTEN_OUT.items():
        spelled = spelled.replace(letter, written)
    decomposed = unicodedata.normalize("NFKD", spelled)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(re.findall(r"\w+", plain))


_WRITTEN_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"}


def place_of(address: PostalAddress | None, last_name: str | None) -> str | None:
    """Where a person of this name lives, as one text that spellings do not change; None where too little is known."""
    if address is None:
        return None
    surname = folded(address.last_name or last_name or (address.name or "").rpartition(" ")[2])
    number = re.search(r"\d+", " ".join(part for part in (address.address1, address.address2) if part))
    postal_code = re.sub(r"\W", "", (address.postal_code or "").casefold())
    if not (surname and number and postal_code and address.country_code):
        return None
    return "|".join((address.country_code.upper(), postal_code, number.group(), surname))


def marks_of(profile: Profile, phone: str | None, marker: Marker) -> frozenset[Mark]:
    """All marks that a profile bears. `phone` is its telephone number in E.164, where it has a valid one."""
    marks: set[Mark] = set()
    if profile.email and "@" in profile.email:
        normal = normal_email(profile.email)
        marks |= {marker.mark(MarkKind.EMAIL, normal), marker.mark(MarkKind.MAILBOX, mailbox_of(normal))}
    if phone:
        marks.add(marker.mark(MarkKind.PHONE, phone))
    for address in (profile.billing, profile.shipping):
        place = place_of(address, profile.last_name)
        if place:
            marks.add(marker.mark(MarkKind.ADDRESS, place))
    return frozenset(marks)
