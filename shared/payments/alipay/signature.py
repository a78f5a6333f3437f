"""How Alipay signs its notifications, and the form that they come as.

Standard library only until a signature is checked: this is on the path of a cold start. A notification is a form
(`application/x-www-form-urlencoded`). Signed is every field but `sign` and `sign_type`, decoded, sorted by name and
joined as `name=value` by `&`: RSA with SHA-256 (`RSA2`), base64, by Alipay's own key. Everything stays bytes here, so
the charset of the values makes no difference.
Source: the notify documents and SDKs of open.alipay.com as `alipay-sdk-python-all` and `fzlee/alipay` implement them.

The joined text does not say where a value ends: `a=1&b=2` may be two fields, or one whose value has an ampersand. Who
may choose a value (the title of an order) can so get a text signed that reads as other fields. Such a form
authenticates, for the text is Alipay's, but its mapping believes none of its figures: see :func:`is_ambiguous`.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from shared.kernel.clock import as_sortable
from shared.kernel.errors import Rejected
from shared.webhooks.ingress import Authenticated, WebhookRequest, media_type, refuse_signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

ACCEPTED: Final = (200, "text/plain; charset=utf-8", "success")
"""What Alipay wants to hear, exactly: status, media type, body. Anything else is sent again, up to 25 hours later."""
REFUSED: Final[tuple[str, str] | None] = ("text/plain; charset=utf-8", "fail")

ZONE: Final = timezone(timedelta(hours=8))
"""Alipay's times have no zone and are China's, which has had no summer time since 1991."""
MOST_BYTES: Final = 64 * 1024
MOST_FIELDS: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"
_NAME: Final = re.compile(rb"[A-Za-z][A-Za-z0-9_]{0,63}")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})?")
_INNER_FIELD: Final = re.compile(r"&[A-Za-z][A-Za-z0-9_]*=")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_TOPIC: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}", re.ASCII)
_CHARSETS: Final = {"utf-8": "utf-8", "utf8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030"}


def authenticate(request: WebhookRequest, *, secrets: Sequence[str], shop_address: str) -> Authenticated:
    """Accept a notification to the merchant `shop_address`: the app id, which is what notifications name, or the
    seller's id (`2088…`) where they name none.

    `secrets`: Alipay's public keys (支付宝公钥, not the merchant's own), as PEM or as the base64 that Alipay's console
    shows.

    Raises:
        Rejected: `unsupported_media_type`; `invalid_body` for what is no form; `unauthorised`; `wrong_shop`;
            `unsupported_topic`.
    """
    if media_type(request.headers) != _FORM:
        raise Rejected("unsupported_media_type", "the body is not declared as a form", field="content-type")
    raw = _raw_fields(request.body)
    _require_signature(raw, secrets)
    fields = _decoded(raw)
    _require_merchant(fields, shop_address)
    return Authenticated(
        topic=_topic(fields),
        delivery_id=fields.get("notify_id"),
        triggered_at=_triggered_at(fields.get("notify_time", "")),
        api_version=fields.get("version"),
        well_formed=True,
    )


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a notification as text. Each name may occur once.

    Raises:
        Rejected: `body_too_large`, `invalid_body`.
    """
    return _decoded(_raw_fields(body))


def is_ambiguous(fields: Mapping[str, str]) -> bool:
    """Whether the signed text can be read as other fields than these: one of the values looks like further fields."""
    return any(_INNER_FIELD.search(value) for value in fields.values())


def signed_content(fields: Mapping[bytes, bytes]) -> bytes:
    """The bytes that a notification's signature is made over."""
    return b"&".join(name + b"=" + fields[name] for name in sorted(fields) if name not in (b"sign", b"sign_type"))


def verify(content: bytes, signature: str, keys: Sequence[str]) -> bool:
    """Whether any of Alipay's public keys has signed this content. A key that cannot be read has signed nothing."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    try:
        given = base64.b64decode(signature.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return False
    for key in filter(None, map(_public_key, keys)):
        try:
            key.verify(given, content, PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        return True
    return False


def sign(content: bytes, private_key: str) -> str:
    """RSA2: what the holder of this key sends with this content. The key is PEM, or the bare base64 of PKCS#8 or
    PKCS#1 that Alipay's tools make.

    Raises:
        Rejected: `payments_auth`, when the key cannot be read.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    return base64.b64encode(_private_key(private_key).sign(content, PKCS1v15(), SHA256())).decode("ascii")


def signed_form(fields: Mapping[str, str], private_key: str, *, charset: str = "utf-8") -> bytes:
    """A notification's body as Alipay sends it. For tests, demos and replays."""
    encoded = {name.encode("ascii"): value.encode(_CHARSETS[charset]) for name, value in fields.items()}
    signature = sign(signed_content(encoded), private_key)
    everything = {**encoded, b"sign_type": b"RSA2", b"sign": signature.encode("ascii")}
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in everything.items()).encode("ascii")


def request_headers(body: bytes, *, charset: str = "utf-8") -> dict[str, str]:
    """The headers of a notification, with lower-case names. Nothing in them is signed."""
    return {"content-type": f"{_FORM}; charset={charset}", "content-length": str(len(body))}


def _raw_fields(body: bytes) -> dict[bytes, bytes]:
    if len(body) > MOST_BYTES:
        raise Rejected("body_too_large", f"a notification has at most {MOST_BYTES} bytes")
    pairs = body.strip(b"\r\n").split(b"&", MOST_FIELDS)
    if len(pairs) > MOST_FIELDS:
        raise _no_form("it has too many fields")
    fields: dict[bytes, bytes] = {}
    for pair in pairs:
        name, separator, value = pair.partition(b"=")
        name = _unquoted(name)
        if not separator or _NAME.fullmatch(name) is None:
            raise _no_form("a field has no name or no value")
        if name in fields:
            raise _no_form("a field occurs twice")
        fields[name] = _unquoted(value)
    return fields


def _unquoted(text: bytes) -> bytes:
    def decode(found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            raise _no_form("a character is not escaped as it should be")
        return bytes((int(found[1], 16),))

    decoded = _ESCAPE.sub(decode, text.replace(b"+", b" "))
    if b"\0" in decoded:
        raise _no_form("a field holds a zero byte")
    return decoded


def _decoded(raw: Mapping[bytes, bytes]) -> dict[str, str]:
    charset = _CHARSETS.get(raw.get(b"charset", b"utf-8").decode("ascii", "replace").lower())
    if charset is None:
        raise _no_form("its charset is not one that Alipay sends")
    try:
        return {name.decode("ascii"): value.decode(charset) for name, value in raw.items()}
    except UnicodeDecodeError as error:
        raise _no_form("a field is not in the form's charset") from error


def _require_signature(raw: Mapping[bytes, bytes], secrets: Sequence[str]) -> None:
    signature = raw.get(b"sign", b"").decode("ascii", "replace")
    if raw.get(b"sign_type") != b"RSA2" or not signature or not verify(signed_content(raw), signature, secrets):
        refuse_signature()


def _require_merchant(fields: Mapping[str, str], merchant_id: str) -> None:
    if (fields.get("app_id") or fields.get("seller_id")) != merchant_id:
        raise Rejected(
            "wrong_shop",
            "the notification is for another app than this account's",
            field="app_id",
            hint="check the notify_url of your payments and the account's merchant_id in the settings",
        )


def _topic(fields: Mapping[str, str]) -> str:
    stated = fields.get("trade_status") or fields.get("notify_type") or fields.get("msg_method") or ""
    if _TOPIC.fullmatch(stated) is None:
        raise Rejected("unsupported_topic", "the notification does not say what it is about", field="notify_type")
    return stated.lower()


def _triggered_at(text: str) -> str | None:
    """As a text that sorts; None for what is no time: it is a hint."""
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return as_sortable(datetime.fromisoformat(text).replace(tzinfo=ZONE))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=8)
def _public_key(text: str) -> "RSAPublicKey | None":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(text.encode("ascii")) if "-----" in text else load_der_public_key(_der(text))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


@lru_cache(maxsize=8)
def _private_key(text: str) -> "RSAPrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key  # noqa: PLC0415

    try:
        if "-----" in text:
            key = load_pem_private_key(text.encode("ascii"), None)
        else:
            key = load_der_private_key(_der(text), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable_key() from error
    if not isinstance(key, RSAPrivateKey):
        raise _unreadable_key()
    return key


def _der(text: str) -> bytes:
    return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)


def _unreadable_key() -> Rejected:
    return Rejected(
        "payments_auth",
        "the merchant's private key cannot be read",
        field="private_key",
        hint="store the app's RSA2 private key, as PEM or as the base64 that Alipay's key tool shows",
    )


def _no_form(message: str) -> Rejected:
    return Rejected("invalid_body", f"the body is not a form as Alipay sends it: {message}")
