"""Figures, ids and times of a Shopify payload, read exactly or refused by their path."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.kernel.clock import parse_time, sortable_time
from shared.kernel.errors import Rejected
from shared.kernel.money import Amount, Money
from shared.storefronts.shopify import schemas
from shared.webhooks.delivery import Delivery

GID = re.compile(r"gid://shopify/(?P<type>\w+)/(?P<id>[A-Za-z0-9_-]{1,64})(?:\?.*)?", re.ASCII)
NO_CURRENCY = (None, "XXX")


def as_text(value: Any) -> str:
    """The value if it is text, and nothing otherwise."""
    return value if isinstance(value, str) else ""


def order_gid(value: Any) -> str | None:
    """The order's number out of its global id; None where the value is none of an order."""
    found = GID.fullmatch(as_text(value))
    return found["id"] if found and found["type"] == "Order" else None


def exact_id(gid: str | None) -> str | None:
    """The id inside a global id, which no tool rounds."""
    found = GID.fullmatch(gid or "")
    return found["id"] if found else None


def plain_id(body: Mapping[str, Any], key: str, whose: str, path: str = "") -> str:
    """The id under this key, a number or text; `whose` says in plain words what it is of."""
    value = body.get(key)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else as_text(value)
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text, re.ASCII) is None:
        raise invalid(f"no id of {whose}", path + key)
    return text


def id_of(resource: schemas.Resource) -> str:
    """The resource's number, exact where its global id is given: JavaScript tools round the other one."""
    return exact_id(resource.admin_graphql_api_id) or resource.id


@dataclass(frozen=True, slots=True)
class Context:
    """The currencies and line ids of one order, and what its body leaves open."""

    shop: str
    presentment: str
    exact_line_ids: dict[str, tuple[str, ...]]
    gaps: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, payload: schemas.Order) -> "Context":
        """Old bodies state one amount only; then the order is kept in the shop's currency alone."""
        has_sets = payload.total_price_set is not None
        candidates: dict[str, list[str]] = defaultdict(list)
        for line in payload.line_items:
            candidates[line.id].append(id_of(line))
        context = cls(
            shop=payload.currency,
            presentment=(payload.presentment_currency if has_sets else None) or payload.currency,
            exact_line_ids={numeric: tuple(exact) for numeric, exact in candidates.items()},
        )
        if max(Counter(id_of(line) for line in payload.line_items).values(), default=1) > 1:
            context.miss("ambiguous_line_ids")
        return context

    def miss(self, gap: str) -> None:
        self.gaps.append(gap)

    def line_id(self, numeric: str | None, reference: schemas.LineReference | None, path: str) -> str:
        """The exact id of a line that a refund or a fulfilment names, perhaps by a rounded number only."""
        exact = exact_id(reference.admin_graphql_api_id) if reference else None
        if exact:
            return exact
        given = numeric or (reference.id if reference else None)
        if given is None:
            raise invalid("no id of a line", path)
        candidates = self.exact_line_ids.get(given, (given,))
        if len(candidates) > 1:
            self.miss("ambiguous_line_ids")
        return candidates[0]

    def amount(self, given: schemas.MoneySet | None, bare: str | None, path: str) -> Amount | None:
        """The figure in both currencies; None where it is not stated."""
        if given is None or given.shop_money is None:
            return self._bare(bare, path)
        shop = money_of(given.shop_money, self.shop, path)
        if given.presentment_money is not None:
            return Amount(shop=shop, presentment=money_of(given.presentment_money, self.presentment, path))
        return self._in_shop_currency(shop)

    def stated(self, given: schemas.MoneySet | None, bare: str | None, path: str) -> Amount:
        """The figure, which must be there."""
        amount = self.amount(given, bare, path)
        if amount is None:
            raise invalid("no amount", path)
        return amount

    def or_zero(self, given: schemas.MoneySet | None, bare: str | None, path: str) -> Amount:
        return self.amount(given, bare, path) or self.zero

    @property
    def zero(self) -> Amount:
        return Amount.zero(self.shop, self.presentment)

    def total(self, amounts: Iterable[Amount]) -> Amount:
        return sum(amounts, self.zero)

    def _bare(self, bare: str | None, path: str) -> Amount | None:
        return None if bare is None else self._in_shop_currency(Money.parse(bare, self.shop, field=path))

    def _in_shop_currency(self, shop: Money) -> Amount:
        """The buyer's side is never computed: nothing is nothing in any currency, and the rest has to be fetched."""
        if self.shop == self.presentment:
            return Amount.single(shop)
        if shop:
            self.miss("amount_in_one_currency")
        return Amount(shop=shop, presentment=Money.zero(self.presentment))


def money_of(figure: schemas.MoneyFigure, currency: str, path: str) -> Money:
    code = figure.currency_code or figure.currency
    if code not in NO_CURRENCY and code != currency:
        raise invalid("the amount is in another currency than the order", path)
    if figure.amount is None:
        raise invalid("no amount", path)
    return Money.parse(figure.amount, currency, field=path)


def invalid(message: str, path: str) -> Rejected:
    return Rejected(
        "invalid_payload",
        message,
        field=path or None,
        hint="the storefront or one of its apps sends a shape that is not known here",
    )


def time_of(text: str | None, path: str) -> datetime | None:
    return None if text is None else parse_time(text, field=path)


def observed_at(delivery: Delivery) -> str:
    """When the account was made, as sortable text.

    A trigger time is unsigned: one that is no time, or lies ahead, must not cost us the delivery.
    """
    if delivery.fetched or delivery.triggered_at is None:
        return delivery.received_at
    try:
        return min(sortable_time(delivery.triggered_at), delivery.received_at)
    except Rejected:
        return delivery.received_at
