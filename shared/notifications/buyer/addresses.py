"""E-mail addresses as headers take them: encoded, and nothing else beside them."""

import re
from email.header import Header
from email.headerregistry import Address

from shared.customers.marks import ascii_domain
from shared.kernel.errors import Rejected
from shared.notifications.buyer.words import one_line

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}")
_LONGEST_LOCAL = 64
_LONGEST_WORD = 75
"""Of an encoded word (RFC 2047, section 2)."""


def mailbox(text: str) -> str:
    """One plain address out of what a storefront has as one; the domain as DNS writes it.

    SES takes no other characters than ASCII before the `@`.
    Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html

    Raises:
        Rejected: `address_unusable`. The message does not hold the address.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = ascii_domain(domain)
    except UnicodeError as error:
        raise _unusable() from error
    if len(local) > _LONGEST_LOCAL or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise _unusable()
    return f"{local}@{domain}"


def named(name: str, address: str) -> str:
    """`"Aurora" <shop@example.com>` for a header: quoted where it is ASCII, else as encoded words."""
    line = one_line(name)
    if line.isascii():
        return str(Address(display_name=line, addr_spec=address))
    words = Header(line, "utf-8", maxlinelen=_LONGEST_WORD).encode(linesep="")
    return f"{words} <{address}>"


def _unusable() -> Rejected:
    return Rejected("address_unusable", "the buyer's address is none that mail can be sent to", field="email")
