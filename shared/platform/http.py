"""API Gateway's HTTP API events (payload format 2.0) to requests and back. Standard library only."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.kernel.errors import Rejected, StorebridgeError
from shared.webhooks.ingress import WebhookRequest

_STATUS = {
    "unauthorised": HTTPStatus.UNAUTHORIZED,
    "wrong_shop": HTTPStatus.FORBIDDEN,
    "wrong_account": HTTPStatus.FORBIDDEN,
    "unknown_shop": HTTPStatus.NOT_FOUND,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported_topic": HTTPStatus.UNPROCESSABLE_ENTITY,
}
Response = dict[str, Any]
Words = tuple[int, str, str]
"""Status, media type and body that a sender wants to hear."""


def webhook_request(event: Mapping[str, Any]) -> WebhookRequest:
    """The exact bytes of the body, and headers with lower-case names."""
    body = event.get("body") or ""
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode("utf-8")
    except ValueError as error:  # not base64, or half a surrogate
        raise Rejected("invalid_body", "the body cannot be decoded") from error
    return WebhookRequest({name.lower(): value for name, value in event.get("headers", {}).items()}, raw)


def accepted(words: Words | None = None) -> Response:
    """200 and no other success: WooCommerce's ping takes nothing else. `words`: of a sender that wants its own."""
    return _worded(*words) if words else _response(HTTPStatus.OK, {"status": "accepted"})


def refused(error: StorebridgeError, words: tuple[str, str] | None = None) -> Response:
    """A 4xx for what will never be accepted, a 503 for what may be sent again. `words`: media type and body of a
    sender that wants its own."""
    is_final = isinstance(error, Rejected)
    status = _STATUS.get(error.code, HTTPStatus.BAD_REQUEST) if is_final else HTTPStatus.SERVICE_UNAVAILABLE
    if words:
        return _worded(int(status), *words)
    if is_final:
        return _response(status, {"error": error.code, "message": error.message})
    return _response(status, {"error": "try_again", "message": "send it again later"})


def _worded(status: int, media_type: str, body: str) -> Response:
    headers = {"content-type": media_type, "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": body}


def page(status: HTTPStatus, html: str, *, language: str, style_hash: str) -> Response:
    """A page for a buyer, under a policy that lets it load and run nothing, and be kept, framed and found by nobody.

    `style_hash`: `sha256-…` of the only style sheet in it, which has to be inline. Whatever is said in the address goes
    to no other host (`Referrer-Policy`), for whoever has the link sees the page.
    """
    policy = (
        "default-src 'none'",
        f"style-src '{style_hash}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-language": language,
        "content-security-policy": "; ".join(policy),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "x-robots-tag": "noindex, nofollow",
    }
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "60"
    return {"statusCode": int(status), "headers": headers, "body": html}


def languages_asked(event: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What the address asks for (`?lang=`), and the `Accept-Language` header."""
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    return (event.get("queryStringParameters") or {}).get("lang"), headers.get("accept-language")


def form_field(event: Mapping[str, Any], name: str) -> str | None:
    """One field of a small form (`application/x-www-form-urlencoded`), or None where it is not there just once.

    Raises:
        Rejected: `body_too_large`, `invalid_body`.
    """
    from urllib.parse import parse_qs  # noqa: PLC0415 - webhooks have no forms

    raw = webhook_request(event).body
    if len(raw) > _LARGEST_FORM_BYTES:
        raise Rejected("body_too_large", f"a form has at most {_LARGEST_FORM_BYTES} bytes")
    try:
        fields = parse_qs(raw.decode("ascii"), max_num_fields=_MOST_FORM_FIELDS, errors="strict")
    except ValueError as error:  # not a form, too many fields, or not UTF-8
        raise Rejected("invalid_body", "the form cannot be read") from error
    values = fields.get(name, [])
    return values[0] if len(values) == 1 else None


_LARGEST_FORM_BYTES = 1000
_MOST_FORM_FIELDS = 5


def _response(status: HTTPStatus, body: Mapping[str, str]) -> Response:
    return {
        "statusCode": int(status),
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }
