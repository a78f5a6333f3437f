"""What should be booked for an order: its sale, what lowered it, what paid it without any feed, and what it cost."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from shared.finance.due.drafting import Draft
from shared.finance.due.shares import Receipt, receipt_of_movement
from shared.finance.due.view import LedgerView, business_day
from shared.finance.journal import Dimensions, DueEntry, Role, Topic
from shared.finance.models import Document, MovementKind, OrderStatement, SoldLine, StoreMovement, TaxShare
from shared.finance.movements import BEARER_GATEWAYS
from shared.finance.ports import CostPrice


class OrderBooks:
    """The entries of one order. `shares` is what each of its receipts pays (`due.shares`)."""

    def __init__(self, order: OrderStatement, view: LedgerView, outside: Mapping[str, StoreMovement]) -> None:
        self._order = order
        self._view = view
        self._outside = outside
        self._source = f"order/{order.key}"
        self._dimensions = dimensions_of(order)

    def entries(self, shares: Mapping[str, int | None]) -> Iterator[DueEntry | None]:
        order = self._order
        if order.sale is not None:
            yield self._document(order.sale, Topic.SALE, 1)
            yield self._cost(order.sale, f"{self._source}/cost", 1)
        for document in order.reductions:
            yield self._document(document, Topic.REDUCTION, -1)
            yield self._cost(document, f"{self._source}/{document.id}/cost", -1)
        for source, movement in self._outside.items():
            yield self._movement(source, movement, shares.get(source))

    def _document(self, document: Document, topic: Topic, sign: int) -> DueEntry | None:
        """Debit what the buyer owes, credit what it is owed for; the other way round where it is owed no more."""
        order, draft = self._order, Draft(self._order.currency)
        goods = Role.SALES if sign > 0 else Role.RETURNS
        charges = Role.SHIPPING if sign > 0 else Role.RETURNS
        goodwill = Role.SURCHARGES if sign > 0 else Role.RETURNS
        draft.post(Role.RECEIVABLE, order.shop, sign * document.total, self._dimensions)
        draft.post(Role.GIFT_CARDS, order.shop, sign * document.gift_cards_deducted, self._dimensions)
        for line in document.lines:
            role = Role.GIFT_CARDS if line.gift_card else goods
            draft.post(role, order.shop, -sign * line.net, self._of_line(line, sign))
        draft.post(charges, order.shop, -sign * document.shipping, self._dimensions)
        draft.post(Role.SURCHARGES, order.shop, -sign * document.fees, self._dimensions)
        draft.post(Role.SURCHARGES, order.shop, -sign * document.duties, self._dimensions)
        draft.post(Role.TIPS, order.shop, -sign * document.tips, self._dimensions)
        for tax in document.taxes:
            draft.post(Role.TAX, order.shop, -sign * tax.amount, self._of_tax(tax))
        draft.post(goodwill, order.shop, -sign * _rest(document), self._dimensions)
        return draft.entry(
            f"{self._source}/{document.id}", topic, self._day_of(document), f"{order.name} {document.id}"
        )

    def _cost(self, document: Document, source: str, sign: int) -> DueEntry | None:
        """What the goods cost by the price of the sale's day; goods given back go on the shelf at that price again."""
        sold_on = self._day_of(self._order.sale) if self._order.sale else self._day_of(document)
        draft = Draft(self._order.currency)
        for line in document.lines:
            price = _price_on(self._view.costs.get(line.sku or "", ()), sold_on)
            if price is not None and not line.gift_card:
                cost, dimensions = sign * line.units * price.minor, self._of_line(line, sign)
                draft.post(Role.COST_OF_SALES, self._order.shop, cost, dimensions, price.currency)
                draft.post(Role.INVENTORY, self._order.shop, -cost, dimensions, price.currency)
        return draft.entry(source, Topic.COST, self._day_of(document), f"{self._order.name} cost of {document.id}")

    def _movement(self, source: str, movement: StoreMovement, share: int | None) -> DueEntry | None:
        """What no feed tells of: a gift card, or cash and the like, which is on a clearing account of the gateway's own
        name until the merchant clears it."""
        order, draft = self._order, Draft(movement.currency)
        amount = movement.amount if movement.kind is MovementKind.CAPTURE else -movement.amount
        if share is None:
            return None  # in a currency that nothing relates to the order's
        if movement.gateway in BEARER_GATEWAYS:
            draft.post(Role.GIFT_CARDS, order.shop, share, self._dimensions, order.currency)
        elif movement.currency == order.currency:
            draft.post(Role.CLEARING, account_of_gateway(movement.gateway), amount, self._dimensions)
            draft.post(Role.EXCHANGE, order.shop, share - amount, self._dimensions)
        else:
            draft.post(Role.CLEARING, account_of_gateway(movement.gateway), amount, self._dimensions)
            draft.post(Role.EXCHANGE, order.shop, -amount, self._dimensions)
            draft.post(Role.EXCHANGE, order.shop, share, self._dimensions, order.currency)
        draft.post(Role.RECEIVABLE, order.shop, -share, self._dimensions, order.currency)
        topic = Topic.GIFT_CARD if movement.gateway in BEARER_GATEWAYS else Topic.RECEIPT
        day = business_day(movement.at, self._view.rules.zone)
        return draft.entry(source, topic, day, f"{order.name} {movement.gateway} {movement.kind} {movement.id}")

    def _of_line(self, line: SoldLine, sign: int) -> Dimensions:
        return self._dimensions.model_copy(update={"sku": line.sku, "title": line.title, "units": sign * line.units})

    def _of_tax(self, tax: TaxShare) -> Dimensions:
        told = {"country": tax.country, "region": tax.region, "tax_title": tax.title, "tax_rate": tax.rate}
        return self._dimensions.model_copy(update=told)

    def _day_of(self, document: Document) -> date:
        return business_day(document.at, self._view.rules.zone)


def dimensions_of(order: OrderStatement) -> Dimensions:
    return Dimensions(shop=order.shop, channel=order.channel, order=str(order.key))


def outside_of(order: OrderStatement, view: LedgerView) -> Mapping[str, StoreMovement]:
    """The order's movements that no feed tells of, by their source."""
    if order.test or order.sale is None:
        return {}
    watched = {gateway.lower() for rules in view.accounts.values() for gateway in rules.gateways}
    outside = {gateway.lower() for gateway in view.rules.outside_gateways} - watched
    found = {}
    for movement in order.movements:
        if movement.gateway in BEARER_GATEWAYS:
            found[f"order/{order.key}/gift_card/{movement.id}"] = movement
        elif movement.gateway.lower() in outside:
            found[f"order/{order.key}/receipt/{movement.id}"] = movement
    return found


def receipts_outside(order: OrderStatement, outside: Mapping[str, StoreMovement]) -> Iterator[Receipt]:
    for source, movement in outside.items():
        yield receipt_of_movement(movement, source, order)


def account_of_gateway(gateway: str) -> str:
    """A clearing account's name for a method that no payment account has: `bank_transfer` is `bank-transfer`."""
    return re.sub(r"[^a-z0-9]+", "-", gateway.lower()).strip("-")[:40].strip("-") or "other"


def _rest(document: Document) -> int:
    """The adjustment; and should a document not add up, what it is off by, so that the entry balances."""
    parts = document.shipping + document.fees + document.duties + document.tips - document.gift_cards_deducted
    goods = sum(line.net for line in document.lines) + sum(tax.amount for tax in document.taxes)
    return document.total - parts - goods


def _price_on(prices: Iterable[CostPrice], day: date) -> CostPrice | None:
    """The newest price of that day."""
    return max(
        (price for price in prices if price.since <= day), key=lambda price: (price.since, price.currency), default=None
    )
