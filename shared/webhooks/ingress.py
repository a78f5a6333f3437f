"""What a vendor's `signature.py` offers to the webhooks. Standard library only: it is on the 5-second path."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn, Protocol

from shared.kernel.errors import Rejected


class WebhookRequest(NamedTuple):
    """A request as it came in. Header names are lower case; the body is the exact bytes."""

    headers: Mapping[str, str]
    body: bytes


class Authenticated(NamedTuple):
    """The storefront's signature holds. All but the body is unsigned, so it may only serve as a hint."""

    topic: str
    delivery_id: str | None = None
    triggered_at: str | None = None
    api_version: str | None = None
    test: bool = False
    well_formed: bool = False
    """The body was read whole in order to verify it, and need not be JSON: Alipay's is a form."""


class Ping:
    """A vendor's test of the URL: answer 200, do nothing."""


class Ingress(Protocol):
    """Authenticate a request to one shop's endpoint.

    Raises:
        Rejected: `unauthorised` (missing or wrong signature), `wrong_shop` (signed, but for another shop),
            `unsupported_topic`, or `unsupported_media_type`.
    """

    def __call__(
        self, request: WebhookRequest, *, secrets: Sequence[str], shop_address: str
    ) -> Authenticated | Ping: ...


def require_hmac_sha256(body: bytes, signature: str, secrets: Sequence[str]) -> None:
    """Check a base64 HMAC-SHA256 over the raw bytes against every secret that may be in use.

    Digests are compared in constant time as bytes, so that neither length nor odd characters of the header matter.
    """
    try:
        given = base64.b64decode(signature.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        refuse_signature()
    matches = [
        hmac.compare_digest(hmac.digest(secret.encode("utf-8"), body, hashlib.sha256), given)
        for secret in secrets
        if secret
    ]
    if not any(matches):
        refuse_signature()


def sign_hmac_sha256(body: bytes, secret: str) -> str:
    """What a storefront that holds this secret would send with these bytes."""
    return base64.b64encode(hmac.digest(secret.encode("utf-8"), body, hashlib.sha256)).decode("ascii")


def media_type(headers: Mapping[str, str]) -> str:
    """The declared content type without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def require_json(headers: Mapping[str, str]) -> None:
    if media_type(headers) != "application/json":
        raise Rejected(
            "unsupported_media_type",
            "the body is not declared as JSON",
            field="content-type",
            hint="set the format of the webhook subscription to JSON",
        )


def refuse_signature() -> NoReturn:
    raise Rejected(
        "unauthorised",
        "the signature does not match",
        hint="check that the shop's webhook secret here is the one that the storefront signs with",
    )
