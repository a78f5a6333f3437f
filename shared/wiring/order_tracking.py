"""Put together the page on which a buyer follows an order."""

import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.kernel import links
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.notifications.buyer.pages import Message, language_for, message_page, tracking_page
from shared.orders.table import BuyerTable
from shared.platform import http
from shared.platform.configuration import settings
from shared.platform.observability import count, logger
from shared.platform.privacy_keys import privacy_keys
from shared.sync.order_view import OrderView, view_of
from shared.sync.tell_buyer import TRACK, Language, shown_by_us
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.tables import connection

_STATUS: Mapping[Message, HTTPStatus] = {
    "unknown": HTTPStatus.NOT_FOUND,
    "expired": HTTPStatus.GONE,
    "later": HTTPStatus.SERVICE_UNAVAILABLE,
}


def answer(event: Mapping[str, Any]) -> http.Response:
    """`GET /track/{token}`: the order's page, or one that says politely that there is none.

    A forged link, an order that is not here and one whose buyer was forgotten get the same answer to the byte.
    """
    language = language_for(*http.languages_asked(event))
    try:
        key = _order_of(event["pathParameters"]["token"])
        view = _view(key)
        shop = settings().shops.get(key.shop)
    except Rejected as error:
        return _message("expired" if error.code == "link_expired" else "unknown", language)
    except Retry as error:
        logger().warning("order page not shown", extra={"code": error.code})
        return _message("later", language)
    count("OrderPage", outcome="shown")
    page = tracking_page(view, language=language, shop=shop.buyers.sender_name if shop and shop.buyers else None)
    return http.page(HTTPStatus.OK, page.html, language=page.language, style_hash=page.style_hash)


def _order_of(token: str) -> OrderKey:
    link = links.read(token, TRACK, keys=privacy_keys().link_keys, now=utc_now())
    return OrderKey.parse(link.subject)


def _view(key: OrderKey) -> OrderView:
    orders, mirrors = BuyerTable(connection(), os.environ["ORDERS_TABLE"]), mirror_table()
    record = orders.find(key)
    account = orders.find_account(key)
    if record is None or account is None or orders.is_forgotten(key):
        raise Rejected("unknown_order", f"there is no page of order {key}", field="order")
    mirror = mirrors.find(key)
    return view_of(
        record.name,
        record,
        mirror.dispatches if mirror else (),
        account.fulfilments,
        shown=shown_by_us(mirrors.find_told(key)),
    )


def _message(message: Message, language: Language) -> http.Response:
    count("OrderPage", outcome=message)
    page = message_page(message, language=language)
    return http.page(_STATUS[message], page.html, language=page.language, style_hash=page.style_hash)
