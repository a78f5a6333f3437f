"""How Jiandaoyun signs a push (数据推送). Standard library only: it is on the path of a cold start.

Facts are from hc.jiandaoyun.com/doc/10732 and the vendor's published samples, never seen from the real system.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from shared.kernel.errors import Rejected

SIGNATURE_HEADER = "x-jdy-signature"
DELIVERY_HEADER = "x-jdy-deliverid"

_DIGEST = re.compile(r"(?:sha1=)?([0-9a-f]{40})")


def authenticate(
    headers: Mapping[str, str], body: bytes, *, timestamp: str, nonce: str, secrets: Sequence[str]
) -> str | None:
    """Check a push against every secret that may be in use, and give its delivery id, by which it may be dropped when
    it comes twice.

    Header names are lower case, the body is the exact bytes, `timestamp` and `nonce` are the address's parameters.
    The documentation's sample shows the values of the two headers the other way round, and its code compares bare hex
    with what the sample writes as `sha1=…`: either header may hold the signature, in either way. The timestamp is
    signed and not compared with a clock: a push repeated by somebody only makes us look at a row again.

    Raises:
        Rejected: `unauthorised`.
    """
    given = {name: headers.get(name, "").strip() for name in (SIGNATURE_HEADER, DELIVERY_HEADER)}
    matching = [name for name, value in given.items() if _matches(value, body, timestamp, nonce, secrets)]
    if not matching:
        raise Rejected(
            "unauthorised",
            "the push bears no valid signature",
            hint="enter the secret of 数据推送 as it stands in the form's settings",
        )
    others = [value for name, value in given.items() if name != matching[0] and value]
    return others[0] if others else None


def sign(body: bytes, secret: str, *, timestamp: str, nonce: str) -> str:
    """What Jiandaoyun sends with these bytes: plain SHA-1, the secret among them (no HMAC)."""
    text = b":".join((nonce.encode(), body, secret.encode(), timestamp.encode()))
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def _matches(value: str, body: bytes, timestamp: str, nonce: str, secrets: Sequence[str]) -> bool:
    found = _DIGEST.fullmatch(value)
    if found is None or not timestamp or not nonce:
        return False
    given = found[1].encode("ascii")
    matches = [
        hmac.compare_digest(sign(body, secret, timestamp=timestamp, nonce=nonce).encode("ascii"), given)
        for secret in secrets
        if secret
    ]
    return any(matches)
