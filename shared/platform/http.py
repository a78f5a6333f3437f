"""API Gateway's HTTP API events (payload format 2.0) to requests and back. Standard library only."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.kernel.errors import Rejected, StorebridgeError
from shared.storefronts.ingress import WebhookRequest

_STATUS = {
    "unauthorised": HTTPStatus.UNAUTHORIZED,
    "wrong_shop": HTTPStatus.FORBIDDEN,
    "unknown_shop": HTTPStatus.NOT_FOUND,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported_topic": HTTPStatus.UNPROCESSABLE_ENTITY,
}
Response = dict[str, Any]


def webhook_request(event: Mapping[str, Any]) -> WebhookRequest:
    """The exact bytes of the body, and headers with lower-case names."""
    body = event.get("body") or ""
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode("utf-8")
    except ValueError as error:  # not base64, or half a surrogate
        raise Rejected("invalid_body", "the body cannot be decoded") from error
    return WebhookRequest({name.lower(): value for name, value in event.get("headers", {}).items()}, raw)


def accepted() -> Response:
    """200 and no other success: WooCommerce's ping takes nothing else."""
    return _response(HTTPStatus.OK, {"status": "accepted"})


def refused(error: StorebridgeError) -> Response:
    """A 4xx for what will never be accepted, a 503 for what may be sent again."""
    if isinstance(error, Rejected):
        status = _STATUS.get(error.code, HTTPStatus.BAD_REQUEST)
        return _response(status, {"error": error.code, "message": error.message})
    return _response(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "try_again", "message": "send it again later"})


def _response(status: HTTPStatus, body: Mapping[str, str]) -> Response:
    return {
        "statusCode": int(status),
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }
