"""How PayPal signs an event. Standard library only at import: it is on the 5-second path.

`PAYPAL-TRANSMISSION-SIG` is base64 of SHA256withRSA over `transmission id|transmission time|webhook id|CRC-32 of the
raw body, decimal`. The webhook's id is what we keep as a secret; it is no key: what proves the sender is the
certificate, which `PAYPAL-CERT-URL` names and which must come from PayPal's own host over TLS. Source:
developer.paypal.com, "Integrate webhooks"; the certificate's name is the one that PayPal's Java SDK asks for.

What this scheme does not give: CRC-32 is no hash. Whoever has one genuine delivery can make another body with the same
sum. So what a PayPal event says of money is only believed until the API or a report says it.
"""

import re
import time
import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shared.kernel import strict_json
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected, Retry
from shared.webhooks.ingress import Authenticated, WebhookRequest, refuse_signature, require_json

if TYPE_CHECKING:
    from ssl import SSLContext

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from cryptography.x509 import Certificate

FUTURE_SECONDS: Final = 300
"""How far ahead of our clock a transmission may be. There is no bound to its age: PayPal sends again for three days,
and a repetition changes no fact."""
MOST_CERTIFICATE_BYTES: Final = 64 * 1024
_MOST_CERTIFICATES: Final = 16
_FETCH_SECONDS: Final = 3.0
_ALGORITHM: Final = "sha256withrsa"
_LEAST_KEY_BITS: Final = 2048

_URL: Final = re.compile(
    r"https://(?P<host>api(?:-m)?\.(?:[a-z0-9][a-z0-9-]{0,30}\.)?paypal\.com)(?::443)?"
    r"(?P<path>/v1/notifications/certs/[A-Za-z0-9_-]{1,200})",
    re.ASCII,
)
"""The whole of it, so that nothing is left to how one parser or another reads a URL: no user, no query, no dots in the
path, no other port, no other domain that only ends like PayPal's, and of PayPal's own hosts only those of its API:
what else lives under its name is not all its own."""
_NAME: Final = re.compile(r"messageverificationcerts\.(?:sandbox\.)?paypal\.com", re.ASCII | re.IGNORECASE)
_TRANSMISSION: Final = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)
_LONGEST_SIGNATURE: Final = 1_400
_TOPIC: Final = re.compile(r"[A-Z0-9_-]+(?:\.[A-Z0-9_-]+){0,6}", re.ASCII)
_LONGEST_TEXT: Final = 100

Fetch = Callable[[str, str], bytes]
"""The bytes at this host and path. Raises `Retry` where they cannot be had now, `Rejected` where there are none."""


def fetch_certificate(host: str, path: str, *, port: int = 443, tls: "SSLContext | None" = None) -> bytes:
    """Over TLS, without following anything, and no more than a certificate may have. `port` and `tls` are for tests.

    Raises:
        Retry: `certificate_unreachable`.
        Rejected: `unauthorised` for an answer that is no certificate.
    """
    import ssl  # noqa: PLC0415 - cold start
    from http.client import HTTPException, HTTPSConnection  # noqa: PLC0415

    connection = HTTPSConnection(host, port, timeout=_FETCH_SECONDS, context=tls or ssl.create_default_context())
    try:
        connection.request("GET", path, headers={"accept": "application/x-pem-file, */*"})
        response = connection.getresponse()
        content = response.read(MOST_CERTIFICATE_BYTES + 1)
    except (OSError, HTTPException) as error:
        message = f"PayPal's certificate cannot be had: {type(error).__name__}"
        raise Retry("certificate_unreachable", message) from error
    finally:
        connection.close()
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Retry("certificate_unreachable", f"PayPal's certificate cannot be had: HTTP {response.status}")
    if response.status != HTTPStatus.OK:
        refuse_signature()
    return content


class Certificates:
    """PayPal's certificates by URL, each fetched once for as long as this environment lives. What was not believed is
    not kept."""

    def __init__(self, fetch: Fetch = fetch_certificate) -> None:
        self._fetch = fetch
        self._known: dict[str, Certificate] = {}

    def key_of(self, url: str, now: float) -> "RSAPublicKey":
        """The public key of the certificate at this URL.

        Raises:
            Rejected: `unauthorised` for a URL that is not PayPal's, and a certificate that is not, or is out of date.
            Retry: `certificate_unreachable`.
        """
        place = _URL.fullmatch(url)
        if place is None:
            refuse_signature()
        certificate = self._known.get(url)
        if certificate is None or not _is_current(certificate, now):
            self._known.pop(url, None)
            certificate = _leaf(self._fetch(place["host"], place["path"]))
        key = _trusted_key(certificate, now)
        while url not in self._known and len(self._known) >= _MOST_CERTIFICATES:
            del self._known[next(iter(self._known))]
        self._known[url] = certificate
        return key


_CERTIFICATES: Final = Certificates()


class _Transmission(NamedTuple):
    """The headers, in shape but not yet believed."""

    id: str
    time: str
    certificate_url: str
    signature: bytes


def authenticate(
    request: WebhookRequest,
    *,
    secrets: Sequence[str],
    shop_address: str,
    now: Callable[[], float] = time.time,
    certificates: Certificates = _CERTIFICATES,
) -> Authenticated:
    """Accept an event that PayPal sends to one of our webhooks, whose ids are `secrets`. `shop_address` is the merchant
    id, or blank where the settings name none. `now` is Unix time in seconds.

    Raises:
        Rejected: `unauthorised`, `unsupported_media_type`, what `strict_json` raises, `wrong_account`,
            `unsupported_topic`, judged in this order.
        Retry: `certificate_unreachable`.
    """
    transmission = _require_signature(request, secrets, now(), certificates)
    require_json(request.headers)
    event = strict_json.parse(request.body)
    if not isinstance(event, dict):
        raise Rejected("invalid_json", "the body is not a JSON object")
    require_merchant(event, shop_address)
    return Authenticated(
        topic=_topic(event),
        delivery_id=_text(event.get("id")),
        triggered_at=_text(event.get("create_time")),
        api_version=_text(event.get("resource_version")) or "1.0",
        test=".sandbox." in transmission.certificate_url,
        well_formed=True,
    )


def require_merchant(event: Mapping[str, Any], merchant_id: str | None) -> None:
    """Refuse an event about money that goes to another merchant: a partner's webhook is told of all of his.

    Raises:
        Rejected: `wrong_account`.
    """
    if merchant_id and any(stated != merchant_id for stated in _merchants(event.get("resource"))):
        raise Rejected(
            "wrong_account",
            "the event is about money of another merchant than this account's",
            field="resource.payee.merchant_id",
            hint="check merchant_id in the settings, and whose webhook it is",
        )


def request_headers(
    body: bytes,
    *,
    webhook_id: str,
    key: "RSAPrivateKey",
    certificate_url: str,
    transmission_time: str,
    transmission_id: str = "689abcf0-ba1e-11ed-8635-fb7d730e54d3",
) -> dict[str, str]:
    """The headers of an event as PayPal sends it, signed; names in lower case. For tests, demos and replays."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    signed = _signed(transmission_id, transmission_time, webhook_id, body)
    return {
        "user-agent": "PayPal/AUHD-214.0-58031014",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "paypal-auth-algo": "SHA256withRSA",
        "paypal-auth-version": "v2",
        "paypal-cert-url": certificate_url,
        "paypal-transmission-id": transmission_id,
        "paypal-transmission-time": transmission_time,
        "paypal-transmission-sig": b64encode(key.sign(signed, PKCS1v15(), SHA256())).decode("ascii"),
    }


def _require_signature(
    request: WebhookRequest, secrets: Sequence[str], now: float, certificates: Certificates
) -> _Transmission:
    """All that can be judged without asking anybody is judged first."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    transmission = _transmission(request.headers, now)
    webhook_ids = [webhook_id for webhook_id in secrets if webhook_id]
    if not webhook_ids:
        refuse_signature()
    key = certificates.key_of(transmission.certificate_url, now)

    def is_for(webhook_id: str) -> bool:
        signed = _signed(transmission.id, transmission.time, webhook_id, request.body)
        try:
            key.verify(transmission.signature, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    if not any(is_for(webhook_id) for webhook_id in webhook_ids):
        refuse_signature()
    return transmission


def _transmission(headers: Mapping[str, str], now: float) -> _Transmission:
    """A header that came twice is joined by a comma on the way, and has none of these shapes."""
    transmission_id = headers.get("paypal-transmission-id", "")
    sent_at = headers.get("paypal-transmission-time", "")
    url = headers.get("paypal-cert-url", "")
    signature = headers.get("paypal-transmission-sig", "")
    if headers.get("paypal-auth-algo", "").lower() != _ALGORITHM or len(signature) > _LONGEST_SIGNATURE:
        refuse_signature()
    if not (_TRANSMISSION.fullmatch(transmission_id) and _TIME.fullmatch(sent_at) and _URL.fullmatch(url)):
        refuse_signature()
    try:
        given = b64decode(signature.encode("ascii"), validate=True)
        seconds = parse_time(sent_at).timestamp()
    except (UnicodeEncodeError, Base64Error, Rejected):
        refuse_signature()
    if not given or seconds > now + FUTURE_SECONDS:
        refuse_signature()
    return _Transmission(transmission_id, sent_at, url, given)


def _signed(transmission_id: str, sent_at: str, webhook_id: str, body: bytes) -> bytes:
    return f"{transmission_id}|{sent_at}|{webhook_id}|{zlib.crc32(body)}".encode()


def _leaf(content: bytes) -> "Certificate":
    """The first certificate. Where PayPal sends those that it stands on too, it must have been issued by the next."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415 - cold start
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    if len(content) > MOST_CERTIFICATE_BYTES:
        refuse_signature()
    try:
        chain = load_pem_x509_certificates(content)
        for certificate, issuer in pairwise(chain):
            certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        refuse_signature()
    return chain[0]


def _trusted_key(certificate: "Certificate", now: float) -> "RSAPublicKey":
    """Valid now, in PayPal's name, issued by somebody else, and of a size that nobody breaks."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    try:
        names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        refuse_signature()
    is_ours = len(names) == 1 and _NAME.fullmatch(names[0]) is not None
    if not is_ours or not _is_current(certificate, now) or certificate.issuer == certificate.subject:
        refuse_signature()
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_KEY_BITS:
        refuse_signature()
    return key


def _is_current(certificate: "Certificate", now: float) -> bool:
    return certificate.not_valid_before_utc <= datetime.fromtimestamp(now, UTC) <= certificate.not_valid_after_utc


def _merchants(resource: object) -> Iterator[object]:
    if not isinstance(resource, dict):
        return
    units = resource.get("purchase_units")
    for holder in (resource, *(units if isinstance(units, list) else ())):
        payee = holder.get("payee") if isinstance(holder, dict) else None
        stated = payee.get("merchant_id") if isinstance(payee, dict) else None
        if stated:
            yield stated


def _topic(event: Mapping[str, Any]) -> str:
    topic = event.get("event_type")
    if not isinstance(topic, str) or len(topic) > _LONGEST_TEXT or not _TOPIC.fullmatch(topic):
        raise Rejected("unsupported_topic", "the event has no type that could be one of PayPal's", field="event_type")
    return topic


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT else None
