"""An order reduced to its money: what is owed for what, what is owed no more, and what the storefront says was moved.

Everything is in whole minor units of the shop's currency and adds up exactly. Storefronts state finer amounts (a line
of 0.0125 EUR) and figures that do not add up: the first are parted by the largest remainder, the second end in
`Document.adjustment`, so that each document comes to what the storefront itself states as its total.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import NamedTuple

from shared.finance.models import Document, OrderStatement, SoldLine, TaxShare
from shared.finance.movements import movements_of, placed_at, references_of
from shared.finance.parting import apportion, exact
from shared.orders.models import Order, OrderLine, Refund, TaxLine

EDIT = "edit/1"
"""The one document for everything by which an order was lowered without money going back."""


class _Tax(NamedTuple):
    title: str
    rate: str | None


class _Goods(NamedTuple):
    line: str


_Slot = str | _Tax | _Goods
_SHIPPING, _FEES, _DUTIES, _TIPS, _GIFT_CARDS = "shipping", "fees", "duties", "tips", "gift_cards"


@dataclass
class _Draft:
    """Exact parts of a document, before they are rounded together."""

    parts: dict[_Slot, Fraction] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)

    def add(self, slot: _Slot, amount: Fraction) -> None:
        self.parts[slot] = self.parts.get(slot, Fraction(0)) + amount

    def merge(self, other: "_Draft") -> None:
        for slot, amount in other.parts.items():
            self.add(slot, amount)
        for line, units in other.units.items():
            self.units[line] = self.units.get(line, 0) + units

    @property
    def total(self) -> Fraction:
        return sum(self.parts.values(), Fraction(0))


def statement_of(order: Order, revision: int) -> OrderStatement:
    """The statement of one version of an order; `revision` is its record's.

    What is owed in the end (`OrderStatement.owed`) is the storefront's own total less the money that it gave back, and
    never more than the total that it states for the order as it stands now. An order that was cancelled before any
    money moved owes nothing and has no sale, nor has a test.

    An edit has no time of its own: it is dated by the refund record that took goods out without money, else by the
    order itself, because the time of the newest change would move with every later one.
    """
    movements = movements_of(order)
    counts = not order.test and not (order.cancelled_at and not movements)
    buyer_total = exact(order.totals.total.presentment)
    if order.cash_rounding:
        buyer_total += exact(order.cash_rounding.payment.presentment)
    return OrderStatement(
        shop=order.shop,
        order_id=order.order_id,
        name=order.name,
        channel=order.source or "unknown",
        placed_at=placed_at(order),
        stated_at=order.updated_at,
        revision=revision,
        currency=order.currency,
        buyer_currency=order.presentment_currency,
        buyer_total=round(buyer_total),
        sale=_Parting(order).sale() if counts else None,
        reductions=tuple(_Parting(order).reductions()) if counts else (),
        movements=movements if counts else (),
        references=references_of(order),
        cancelled=order.cancelled_at is not None,
        test=order.test,
    )


class _Parting:
    """Parts one order's figures, in the shop's currency."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._lines = {line.id: line for line in order.lines}
        address = order.personal.shipping_address or order.personal.billing_address
        self._country = (address.country_code if address else None) or None
        self._region = ((address.province_code or address.province) if address else None) or None

    def sale(self) -> Document:
        order, draft = self._order, _Draft()
        for line in order.lines:
            discounts = sum((exact(discount.amount.shop) for discount in line.discounts), Fraction(0))
            self._charge(draft, _Goods(line.id), exact(line.subtotal.shop) - discounts, line.taxes)
            draft.units[line.id] = line.quantity
        for shipping in order.shipping_lines:
            if not shipping.removed:
                self._charge(draft, _SHIPPING, exact(shipping.discounted_price.shop), shipping.taxes)
        for fee in order.fees:
            self._charge(draft, _FEES, exact(fee.amount.shop), fee.taxes)
        self._charge_duties(draft)
        self._charge_unlisted(draft)
        draft.add(_TIPS, exact(order.totals.tips.shop))
        draft.add(_GIFT_CARDS, -exact(order.totals.gift_cards.shop))
        return self._document("sale", placed_at(order), draft, self._placed_total())

    def reductions(self) -> Iterator[Document]:
        """Refunds of money, then what else the order was lowered by. Goods that were taken out without money are on
        the later refund that pays for them, else on the edit."""
        taken_out, taken_at = _Draft(), placed_at(self._order)
        refunded = 0
        for refund in _by_time(self._order.refunds):
            draft, money = self._refund(refund), round(exact(refund.amount.shop))
            if not money:
                taken_out.merge(draft)
                taken_at = refund.created_at or taken_at
                continue
            if taken_out.parts and round(draft.total + taken_out.total) <= money:
                draft.merge(taken_out)
                taken_out = _Draft()
            refunded += money
            yield self._document(f"refund/{refund.id}", refund.created_at or placed_at(self._order), draft, money)
        lowered = self._lowered_by(refunded)
        if lowered:
            yield self._document(EDIT, taken_at, taken_out, lowered)

    def _placed_total(self) -> int:
        total = exact(self._order.totals.total.shop)
        if self._order.cash_rounding:
            total += exact(self._order.cash_rounding.payment.shop)
        return round(total)

    def _lowered_by(self, refunded: int) -> int:
        """By what the storefront's present total is below the sale less its refunds; 0 where it does not tell one.

        Which way cash rounding of refunds is signed was not checked: a difference within all rounding is none.
        """
        now = self._order.current_totals.total
        if now is None:
            return 0
        lowered = self._placed_total() - refunded - round(exact(now.shop))
        rounding = self._order.cash_rounding
        if rounding is None:
            return max(lowered, 0)
        kept = lowered - round(exact(rounding.payment.shop))
        within = abs(exact(rounding.payment.shop)) + abs(exact(rounding.refund.shop))
        return max(kept, 0) if kept > within else 0

    def _charge(self, draft: _Draft, slot: _Slot, amount: Fraction, taxes: Iterable[TaxLine]) -> None:
        """Tax that the sales channel remits itself is no tax of the merchant's: it counts among the fees."""
        net = amount
        for tax in taxes:
            share = exact(tax.amount.shop)
            draft.add(_FEES if tax.channel_liable else _tax(tax), share)
            if self._order.taxes_included:
                net -= share
        draft.add(slot, net)

    def _charge_duties(self, draft: _Draft) -> None:
        if not self._order.duties_included:
            for duty in (duty for line in self._order.lines for duty in line.duties):
                self._charge(draft, _DUTIES, exact(duty.amount.shop), duty.taxes)

    def _charge_unlisted(self, draft: _Draft) -> None:
        """What a storefront states as a sum only, without the lines of it."""
        order, totals = self._order, self._order.totals
        if not order.shipping_lines:
            self._charge(draft, _SHIPPING, exact(totals.shipping.shop), ())
        if not order.fees:
            self._charge(draft, _FEES, exact(totals.fees.shop), ())
        if not order.duties_included and not any(line.duties for line in order.lines):
            self._charge(draft, _DUTIES, exact(totals.duties.shop), ())
        if not any(isinstance(slot, _Tax) for slot in draft.parts) and not order.taxes_included:
            self._charge(draft, _FEES, Fraction(0), order.taxes)

    def _refund(self, refund: Refund) -> _Draft:
        draft = _Draft()
        for item in refund.lines:
            line = self._lines.get(item.line_id)
            if line is None:
                continue  # of goods that the order does not have: the adjustment says so
            tax = exact(item.tax.shop)
            net = exact(item.subtotal.shop) - (tax if self._order.taxes_included else 0)
            draft.add(_Goods(line.id), net)
            draft.units[line.id] = draft.units.get(line.id, 0) + item.quantity
            self._spread_tax(draft, tax, line.taxes)
        shipping = [tax for line in self._order.shipping_lines for tax in line.taxes]
        fees = [tax for fee in self._order.fees for tax in fee.taxes]
        for kind, slot, taxes in (("shipping_refund", _SHIPPING, shipping), ("fee_refund", _FEES, fees)):
            for given_back in (item for item in refund.adjustments if item.kind == kind):
                draft.add(slot, -exact(given_back.amount.shop))  # stated as negative amounts, without their tax
                self._spread_tax(draft, -exact(given_back.tax.shop), taxes)
        for duty in refund.duties:
            draft.add(_DUTIES, exact(duty.amount.shop))
        return draft

    def _spread_tax(self, draft: _Draft, amount: Fraction, taxes: Iterable[TaxLine]) -> None:
        """Part a refunded tax as the tax of what is refunded was parted."""
        if not amount:
            return
        known = [tax for tax in taxes if tax.amount.shop]
        whole = sum((exact(tax.amount.shop) for tax in known), Fraction(0))
        if not whole:
            draft.add(_Tax("Tax", None), amount)
            return
        for tax in known:
            draft.add(_FEES if tax.channel_liable else _tax(tax), amount * exact(tax.amount.shop) / whole)

    def _document(self, name: str, at: datetime, draft: _Draft, total: int) -> Document:
        """Round the parts together; what they do not come to is the adjustment."""
        slots = list(draft.parts)
        amounts = dict(zip(slots, apportion([draft.parts[slot] for slot in slots]), strict=True))
        return Document(
            id=name,
            at=at,
            lines=tuple(
                _sold(self._lines[slot.line], draft.units.get(slot.line, 0), amount)
                for slot, amount in amounts.items()
                if isinstance(slot, _Goods) and (amount or draft.units.get(slot.line))
            ),
            shipping=amounts.get(_SHIPPING, 0),
            fees=amounts.get(_FEES, 0),
            duties=amounts.get(_DUTIES, 0),
            tips=amounts.get(_TIPS, 0),
            taxes=tuple(
                TaxShare(
                    country=self._country, region=self._region, title=slot.title, rate=slot.rate, amount=amounts[slot]
                )
                for slot in sorted((slot for slot in slots if isinstance(slot, _Tax)), key=_tax_order)
                if amounts[slot]
            ),
            gift_cards_deducted=-amounts.get(_GIFT_CARDS, 0),
            adjustment=total - sum(amounts.values()),
            total=total,
        )


def _sold(line: OrderLine, units: int, net: int) -> SoldLine:
    return SoldLine(key=line.id, sku=line.sku, title=line.title, units=units, net=net, gift_card=line.gift_card)


def _tax(tax: TaxLine) -> _Tax:
    return _Tax(tax.title, _normal(tax.rate))


def _tax_order(slot: _Tax) -> tuple[str, str]:
    return slot.title, slot.rate or ""


def _normal(rate: str | None) -> str | None:
    """`0.210` and `0.21` are one rate. What is no number is known by its title alone."""
    try:
        number = Decimal(rate) if rate else None
    except InvalidOperation:
        return None
    return f"{number.normalize():f}" if number is not None and number.is_finite() else None


def _by_time(refunds: Iterable[Refund]) -> list[Refund]:
    beginning = datetime.min.replace(tzinfo=UTC)
    return sorted(refunds, key=lambda refund: (refund.created_at or beginning, refund.id))
