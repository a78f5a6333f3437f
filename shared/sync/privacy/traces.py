"""Whether a raw delivery is about somebody: by the numbers of customer and order, by e-mail address and telephone.

It looks at the body as any storefront writes it and knows no vendor: a body that no reader of ours understands any
more may hold a person's data all the same. Pure.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from shared.customers.marks import Marker, MarkKind, normal_email
from shared.customers.models import Profile
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.webhooks.delivery import Delivery


class Traces(NamedTuple):
    """What a person's deliveries are known by."""

    shops: frozenset[str]
    customers: frozenset[CustomerKey]
    named: frozenset[OrderKey]
    """Orders that were named."""
    orders: frozenset[OrderKey]
    """Orders that are known to be theirs."""
    marks: frozenset[str]
    asked_at: datetime
    """An order that was placed later is new business, unless it was named."""
    accounts: frozenset[str] = frozenset()
    """Payment accounts: their deliveries know nobody but by an e-mail address."""


class Searcher:
    """Looks for one person's traces in any number of deliveries."""

    def __init__(self, traces: Traces, marker: Marker, phone_of: Callable[[str, Profile], str | None]) -> None:
        self._traces = traces
        self._email: Callable[[str], str] = lru_cache(_REMEMBERED)(
            lambda text: str(marker.mark(MarkKind.EMAIL, normal_email(text)))
        )
        self._phone: Callable[[str, str], str | None] = lru_cache(_REMEMBERED)(
            lambda shop, text: _phone_mark(phone_of(shop, Profile(phone=text)), marker)
        )

    def __call__(self, delivery: Delivery) -> bool:
        """Whether the delivery holds data of the person.

        Raises:
            Rejected: `invalid_json`, where nobody can tell.
        """
        if delivery.shop in self._traces.accounts:
            fields = re.split("[&=]", delivery.body.decode("utf-8", "replace"))  # one provider sends forms
            return any(self._is_addressed(unquote(field)) for field in fields)
        if delivery.shop not in self._traces.shops:
            return False
        body = _parsed(delivery.body)
        resource, number = _resource(delivery.topic, body)
        if resource == "orders" and number is not None:
            key = OrderKey(delivery.shop, number)
            if key in self._traces.named:
                return True
            if _placed_after(body, self._traces.asked_at):
                return False
            if key in self._traces.orders:
                return True
        customer = number if resource == "customers" else None
        return self._is_named(delivery.shop, customer, body) or self._is_found(delivery.shop, body)

    def _is_named(self, shop: str, customer: str | None, body: dict[str, Any]) -> bool:
        ids = {customer, *_customer_ids(body)} - {None}
        keys = {CustomerKey.of_account(shop, name) for name in ids if name is not None}
        return bool(keys & self._traces.customers)

    def _is_found(self, shop: str, body: dict[str, Any]) -> bool:
        """A family shares a telephone: beside somebody else's e-mail address the number is theirs too, and stays."""
        marks = self._traces.marks
        if not marks:
            return False
        texts = list(_texts(body))
        if any(self._is_addressed(text) for _, text in texts):
            return True
        if any("email" in field.casefold() and "@" in text for field, text in texts):
            return False
        return any(self._phone(shop, text) in marks for field, text in texts if "phone" in field.casefold())

    def _is_addressed(self, text: str) -> bool:
        """Whether one of the person's e-mail addresses stands in it."""
        return "@" in text and any(self._email(address) in self._traces.marks for address in _EMAIL.findall(text))


_REMEMBERED = 10_000
"""Addresses and numbers whose digest is kept: a shop's deliveries name the same ones again and again."""
_EMAIL = re.compile(r"[^\s<>()\[\],;:\"']{1,64}@[^\s<>()\[\],;:\"'/]{1,255}")
_CUSTOMER_GID = re.compile(r"gid://shopify/Customer/(\d+)")


def _phone_mark(number: str | None, marker: Marker) -> str | None:
    return str(marker.mark(MarkKind.PHONE, number)) if number else None


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Rejected("invalid_json", "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Rejected("invalid_json", "the body is not a JSON object")
    return body


def _resource(topic: str, body: dict[str, Any]) -> tuple[str, str | None]:
    """What a delivery is about, `orders` or `customers`, and its number. Refunds and shipments are an order's."""
    family = re.split(r"[/.]", topic)[0].casefold()
    if family.startswith("customer") and "order_id" not in body:
        return "customers", _number(body.get("id"))
    return "orders", _number(body.get("order_id") or (body.get("id") if family.startswith("order") else None))


def _customer_ids(value: Any) -> Iterator[str]:
    """Numbers under `customer_id` and `customer.id`, and in Shopify's global ids, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "customer_id" or (name == "customer" and not isinstance(inner, dict)):
                yield from _some(_number(inner))
            elif name == "customer":
                yield from _some(_number(inner.get("id")))
            yield from _customer_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _customer_ids(inner)
    elif isinstance(value, str):
        yield from _CUSTOMER_GID.findall(value)


def _texts(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the name of its field; a list's texts go by the list's name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, field)
    elif isinstance(value, str):
        yield field, value


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value) if str(value) not in ("", "0") else None


def _some(value: str | None) -> Iterator[str]:
    if value is not None:
        yield value


def _placed_after(body: dict[str, Any], moment: datetime) -> bool:
    stated = body.get("date_created_gmt") or body.get("created_at")
    if not isinstance(stated, str):
        return False
    try:
        return parse_time(stated) > moment
    except Rejected:
        return False
