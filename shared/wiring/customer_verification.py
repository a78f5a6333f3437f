"""Put together the page behind the link that proves an address."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.customers.ports import CustomerDesk
from shared.customers.verify import VERIFY, confirm, decline, require_open
from shared.kernel import links
from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.identifiers import CustomerKey
from shared.kernel.links import Link
from shared.notifications.buyer.pages import Message, Page, language_for, message_page, question_page
from shared.platform import http
from shared.platform.observability import count, logger
from shared.platform.privacy_keys import privacy_keys
from shared.wiring.customer_desk import customer_desk

_STATUS: Mapping[Message, HTTPStatus] = {
    "confirmed": HTTPStatus.OK,
    "declined": HTTPStatus.OK,
    "used": HTTPStatus.GONE,
    "expired": HTTPStatus.GONE,
    "unknown": HTTPStatus.NOT_FOUND,
    "unclear": HTTPStatus.BAD_REQUEST,
    "later": HTTPStatus.SERVICE_UNAVAILABLE,
}
_MESSAGES: Mapping[str, Message] = {
    "link_used": "used",
    "link_expired": "expired",
    "body_too_large": "unclear",
    "invalid_body": "unclear",
}
"""By the code of a refusal; any other is `unknown`."""


def answer(event: Mapping[str, Any]) -> http.Response:
    """`GET /verify/{token}` asks, `POST` takes the answer in.

    To look changes nothing, for programs that scan mail follow links too.
    """
    language = language_for(*http.languages_asked(event))
    is_answer = event["requestContext"]["http"]["method"] == "POST"
    try:
        link = links.read(event["pathParameters"]["token"], VERIFY, keys=privacy_keys().link_keys, now=utc_now())
        desk = customer_desk(CustomerKey.parse(link.subject).shop)
        if not is_answer:
            require_open(link, desk)
            count("VerificationPage", outcome="asked")
            return _respond(HTTPStatus.OK, question_page(language=language))
        message = _taken_in(link, http.form_field(event, "action"), desk)
    except Rejected as error:
        message = _MESSAGES.get(error.code, "unknown")
    except (Retry, Conflict) as error:
        logger().warning("verification not taken in", extra={"code": error.code})
        message = "later"
    count("VerificationPage", outcome=message)
    return _respond(_STATUS[message], message_page(message, language=language, switches=not is_answer))


def _taken_in(link: Link, action: str | None, desk: CustomerDesk) -> Message:
    if action not in ("confirm", "decline"):
        return "unclear"
    if action == "confirm":
        confirm(link, desk, utc_now())
        return "confirmed"
    decline(link, desk, utc_now())
    return "declined"


def _respond(status: HTTPStatus, page: Page) -> http.Response:
    return http.page(status, page.html, language=page.language, style_hash=page.style_hash)
