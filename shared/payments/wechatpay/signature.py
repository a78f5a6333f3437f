"""How WeChat Pay (API v3) signs what it sends, and what is sent to it.

Standard library only until a signature is checked: this is on the path of a cold start. Signed are timestamp, nonce and
body, each with a line feed after it: RSA with SHA-256, base64, by the key that `Wechatpay-Serial` names: a platform
certificate by its serial number, or a public key by its id (`PUB_KEY_ID_…`). Answers of the API are signed in the same
way. What is told is encrypted inside the body, see :mod:`shared.payments.wechatpay.resource`.
Source: pay.weixin.qq.com, APIv3 "signature verification" as `wechatpay-go` and `wechatpayv3` implement it. From time to
time WeChat sends signatures that must fail (`WECHATPAY/SIGNTEST/…`), to see whether they are checked.

What an account's webhook secrets look like, each an entry of its own, any number of each:

* `SERIAL PEM…`: a serial number or key id, white space, and the certificate or public key that it names;
* `APIv3 KEY`: the 32 characters of an API v3 key, which decrypts what the body holds.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from shared.kernel import strict_json
from shared.kernel.clock import as_sortable, sortable_time
from shared.kernel.errors import Rejected
from shared.webhooks.ingress import Authenticated, WebhookRequest, refuse_signature, require_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

ACCEPTED: Final = (200, "application/json", '{"code":"SUCCESS"}')
"""WeChat takes any 200 or 204, whatever the body."""
REFUSED: Final[tuple[str, str] | None] = ("application/json", '{"code":"FAIL","message":"not accepted"}')

MOST_SECONDS: Final = 300
"""Between the signature and us, either way. WeChat signs anew whenever it sends again."""
SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
_ENTRY: Final = re.compile(r"(\S{1,80})\s+(-----BEGIN ([A-Z ]{1,40})-----[^-]+-----END \3-----)")
_NONCE: Final = re.compile(r"[!-~]{1,64}", re.ASCII)
_SECONDS: Final = re.compile(r"\d{1,12}", re.ASCII)
_TOPIC: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}", re.ASCII)
_ID: Final = re.compile(r"[!-~]{1,100}", re.ASCII)


def authenticate(
    request: WebhookRequest,
    *,
    secrets: Sequence[str],
    shop_address: str,  # noqa: ARG001 - the merchant is named inside what is encrypted, see the mapping
    now: Callable[[], float] = time.time,
) -> Authenticated:
    """Accept a notification that WeChat Pay has signed within the last five minutes. `secrets` as the module says.

    Whether it is for this merchant is known when it is decrypted: with this merchant's key, and by the number in it.

    Raises:
        Rejected: `unauthorised`, `unsupported_media_type`, `invalid_json`, `unsupported_topic`, in this order.
    """
    headers = request.headers
    if not is_signed(headers, request.body, keys=secrets, now=now()):
        refuse_signature()
    require_json(headers)
    told = strict_json.parse(request.body)
    if not isinstance(told, dict):
        raise Rejected("invalid_json", "the body is not a JSON object")
    return Authenticated(
        topic=_topic(told.get("event_type")),
        delivery_id=_id(told.get("id")),
        triggered_at=_time(told.get("create_time")) or _signed_at(headers),
        api_version="v3",
    )


def is_signed(headers: Mapping[str, str], body: bytes, *, keys: Sequence[str], now: float) -> bool:
    """Whether a notification or an answer is signed by one of these keys, not long ago. Header names are lower case.

    `keys`: entries `SERIAL PEM…`; others count for nothing. `now`: seconds since 1970.
    """
    stamp, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
    if headers.get("wechatpay-signature-type", SCHEME) != SCHEME:
        return False
    if _SECONDS.fullmatch(stamp) is None or _NONCE.fullmatch(nonce) is None or abs(now - int(stamp)) > MOST_SECONDS:
        return False
    content = f"{stamp}\n{nonce}\n".encode("ascii") + body + b"\n"
    serial = headers.get("wechatpay-serial", "")
    return any(verifies(content, headers.get("wechatpay-signature", ""), pem) for pem in _named(keys, serial))


def verifies(content: bytes, signature: str, pem: str) -> bool:
    """Whether this key, a certificate or a public key as PEM, has signed this content."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    try:
        given = base64.b64decode(signature.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return False
    key = _public_key(pem.encode("utf-8"))
    try:
        if key is not None:
            key.verify(given, content, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return key is not None


def sign(content: bytes, private_key: str) -> str:
    """What the holder of this key (PEM) sends with this content.

    Raises:
        Rejected: `payments_auth`, when the key cannot be read.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    return base64.b64encode(_private_key(private_key).sign(content, PKCS1v15(), SHA256())).decode("ascii")


def signed_headers(body: bytes, *, private_key: str, serial: str, at: float, nonce: str) -> dict[str, str]:
    """The headers of a notification or an answer as WeChat sends it, with lower-case names. For tests, demos, fakes."""
    content = f"{int(at)}\n{nonce}\n".encode("ascii") + body + b"\n"
    return {
        "content-type": "application/json",
        "wechatpay-serial": serial,
        "wechatpay-timestamp": str(int(at)),
        "wechatpay-nonce": nonce,
        "wechatpay-signature": sign(content, private_key),
        "wechatpay-signature-type": SCHEME,
    }


def _named(keys: Sequence[str], serial: str) -> list[str]:
    """The keys of this name. Serial numbers are hexadecimal, written in either case."""
    entries = [entry for text in keys for entry in _ENTRY.findall(text)]
    return [pem for name, pem, _ in entries if serial and name.upper() == serial.upper()]


@lru_cache(maxsize=8)
def _public_key(pem: bytes) -> "RSAPublicKey | None":
    """Of a certificate too: its dates are not looked at, for WeChat names the one that it signs with, and whoever holds
    an old one's key could not be told from WeChat anyhow."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    try:
        key = load_pem_x509_certificate(pem).public_key() if b"CERTIFICATE" in pem else load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


@lru_cache(maxsize=8)
def _private_key(text: str) -> "RSAPrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(text.encode("utf-8"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable_key() from error
    if not isinstance(key, RSAPrivateKey):
        raise _unreadable_key()
    return key


def _unreadable_key() -> Rejected:
    return Rejected(
        "payments_auth",
        "the merchant's private key cannot be read",
        field="private_key",
        hint="store apiclient_key.pem as it was made for the merchant's API certificate",
    )


def _topic(stated: object) -> str:
    if not isinstance(stated, str) or _TOPIC.fullmatch(stated) is None:
        raise Rejected("unsupported_topic", "the notification does not say what it is about", field="event_type")
    return stated


def _id(stated: object) -> str | None:
    return stated if isinstance(stated, str) and _ID.fullmatch(stated) else None


def _time(stated: object) -> str | None:
    """As a text that sorts; None for what is no time: it is a hint."""
    try:
        return sortable_time(stated, field="create_time") if isinstance(stated, str) else None
    except Rejected:
        return None


def _signed_at(headers: Mapping[str, str]) -> str:
    return as_sortable(datetime.fromtimestamp(int(headers["wechatpay-timestamp"]), UTC))
