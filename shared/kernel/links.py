"""Signed links: what a page may show to whoever holds one, and until when. Standard library only.

A token names its purpose, its subject and its last moment, and is signed over all of them; it holds no personal data.
Whoever has it is taken for the person whom it was sent to, so it is short-lived where it can change something, and
such a token carries a nonce that the subject's own record must know.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from shared.kernel.errors import Rejected

MAX_TOKEN_LENGTH = 600
_SEPARATOR = "\n"
_TAG_BYTES = 20
"""160 bits of HMAC-SHA256."""


class Link(NamedTuple):
    purpose: str
    """`track`, `verify`: a token for one opens nothing of another."""
    subject: str
    expires_at: datetime
    nonce: str = ""


def sign(link: Link, keys: Sequence[bytes]) -> str:
    """The token of a link, signed with the first key: letters, digits, `-`, `_` and one `.`."""
    fields = (link.purpose, link.subject, str(int(link.expires_at.timestamp())), link.nonce)
    if any(_SEPARATOR in field for field in fields):
        raise ValueError("a link's fields are single lines")
    payload = _SEPARATOR.join(fields).encode()
    return f"{_encoded(payload)}.{_encoded(_tag(payload, keys[0]))}"


def read(token: str, purpose: str, *, keys: Sequence[bytes], now: datetime) -> Link:
    """The link of a genuine token of this purpose that has not expired.

    Raises:
        Rejected: `link_invalid` (forged, damaged, of another purpose), `link_expired`.
    """
    payload, tag = _parts(token)
    genuine = [hmac.compare_digest(_tag(payload, key), tag) for key in keys]
    if not any(genuine):
        raise _invalid()
    fields = payload.decode().split(_SEPARATOR)
    link = Link(fields[0], fields[1], datetime.fromtimestamp(int(fields[2]), UTC), fields[3])
    if link.purpose != purpose:
        raise _invalid()
    if now >= link.expires_at:
        raise Rejected("link_expired", "the link has expired", field="token")
    return link


def _parts(token: str) -> tuple[bytes, bytes]:
    payload, separator, tag = token.partition(".")
    if len(token) > MAX_TOKEN_LENGTH or not separator:
        raise _invalid()
    return _decoded(payload), _decoded(tag)


def _tag(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)[:_TAG_BYTES]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    """Strictly: each token has one spelling, so that a used one cannot come back in another."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise _invalid() from error
    if _encoded(data) != text:
        raise _invalid()
    return data


def _invalid() -> Rejected:
    return Rejected("link_invalid", "the link is not one of ours", field="token")
