"""The figures of one order: what its lines, charges and refunds come to, in the shop's own currency."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from shared.backoffices.documents import SaleLine
from shared.kernel.errors import Rejected
from shared.kernel.money import Money
from shared.orders.models import Order, OrderLine, Refund, RestockKind, TaxLine
from shared.orders.record import LineState, OrderRecord
from shared.sync.backoffice.books import Credit, CreditLine
from shared.sync.backoffice.payments import PAID, day_of, paid_out, received_by
from shared.sync.backoffice.rules import BookRules

MOST_SKU = 200
"""Characters. Longer ones cannot be kept in a stock line either."""


class Reckoner:
    """Figures of one order, in the shop's own currency."""

    def __init__(self, order: Order, record: OrderRecord, rules: BookRules, services: frozenset[str]) -> None:
        self._order = order
        self._rules = rules
        self._services = services
        self._states: dict[str, LineState] = {}
        for state in record.lines:
            self._states.setdefault(state.line_id, state)
        address = order.personal.shipping_address or order.personal.billing_address
        self._country = address.country_code if address else None

    def lines(self) -> tuple[tuple[SaleLine, ...], Money]:
        """The sale's lines, and the total that they come to with the storefront's own taxes."""
        parts = [*map(self._goods, self._order.lines), *self._charges()]
        total = self._sum(part for line, tax in parts for part in (line.amount, tax))
        self._compare(total)
        return tuple(line for line, _ in parts if line.quantity), total

    def left_over(self, lines: tuple[SaleLine, ...], total: Money, owed_back: tuple[Credit, ...]) -> bool:
        """Whether the order still stands for something: goods, or charges that were not given back."""
        if not self._order.lines or not {line.id for line in self._order.lines}.isdisjoint(line.key for line in lines):
            return True
        given_back = self._sum(line.gross for credit in owed_back for line in credit.lines if not line.before_shipping)
        return total.exceeds(given_back)

    def credits(self) -> Iterator[Credit]:
        cancelled = {line.id: line.quantity - self._sold(line) for line in self._order.lines}
        repaid_later, owed = self._balance(dict(cancelled))
        taken_out = Money.zero(self._order.currency)
        for refund in by_time(self._order.refunds):
            lines = [*self._credited_lines(refund, cancelled), *self._credited_charges(refund)]
            if not refund.amount.shop:
                # No money: what never left is owed no more, and neither is what came back before it was paid.
                unpaid = self._sum(line.gross for line in lines if not line.before_shipping)
                if unpaid.exceeds(owed):
                    lines = [line for line in lines if line.before_shipping]
                else:
                    owed = owed - unpaid
                taken_out = taken_out + self._sum(line.gross for line in lines if line.before_shipping)
            missing = refund.amount.shop - self._sum(line.gross for line in lines)
            if refund.amount.shop and missing.minor > 0:
                settled = min(missing, repaid_later, taken_out, key=lambda money: money.decimal)
                missing, repaid_later, taken_out = missing - settled, repaid_later - settled, taken_out - settled
            if missing and refund.amount.shop:
                lines.append(self._adjustment(refund, missing))
            if lines:
                yield Credit(
                    key=f"{self._order.key}/refund/{refund.id}",
                    name=f"{self._order.name} refund {refund.id}",
                    issued_on=day_of(refund.created_at or self._order.updated_at),
                    lines=tuple(lines),
                    paid_out=tuple(paid_out(self._order, refund, self._rules)),
                )

    def _balance(self, cancelled: dict[str, int]) -> tuple[Money, Money]:
        """What was paid for units that were taken out without money, and what was not paid of the rest.

        A later refund without lines gives the first back. One of the two is zero.
        """
        order = self._order
        taken_out = self._sum(
            line.gross
            for refund in by_time(order.refunds)
            if not refund.amount.shop
            for line in self._credited_lines(refund, cancelled)
            if line.before_shipping
        )
        received = [one.amount for one in received_by(order)]
        paid = self._sum(received) if received or order.payment not in PAID else order.totals.total.shop
        overpaid = paid - (order.totals.total.shop - taken_out)
        nothing = Money.zero(order.currency)
        if overpaid.minor <= 0:
            return nothing, nothing - overpaid
        return (taken_out if overpaid.exceeds(taken_out) else overpaid), nothing

    def _sold(self, line: OrderLine) -> int:
        """Units that have left or are to leave."""
        state = self._states.get(line.id)
        return min(line.quantity, state.open + sum(state.shipped.values())) if state else line.open_quantity

    def _goods(self, line: OrderLine) -> tuple[SaleLine, Money]:
        net, tax = self._net_and_tax(line)
        sold = self._sold(line)
        net, tax = self._share(line, sold, net, tax)
        taxes = self._taxes(line.taxes, f"line {line.id}")
        sku = self._sku(line)
        goods = line.requires_shipping and not line.gift_card and sku not in self._services
        return SaleLine(
            key=line.id, sku=sku, title=line.title, quantity=sold, amount=net, taxes=taxes, goods=goods
        ), tax

    def _share(self, line: OrderLine, sold: int, net: Money, tax: Money) -> tuple[Money, Money]:
        """What the sold units come to: all, less what refunds of cancelled units say, the rest in proportion."""
        removed = line.quantity - sold
        for refund in by_time(self._order.refunds):
            for item in refund.lines:
                if removed and item.line_id == line.id and item.restock is not RestockKind.RETURNED:
                    units = min(removed, item.quantity)
                    net = net - proportion(self._net(item.subtotal.shop, item.tax.shop), units, item.quantity)
                    tax = tax - proportion(item.tax.shop, units, item.quantity)
                    removed -= units
        if not removed:
            return net, tax
        return proportion(net, sold, sold + removed), proportion(tax, sold, sold + removed)

    def _net_and_tax(self, line: OrderLine) -> tuple[Money, Money]:
        discounted = line.subtotal.shop - self._sum(discount.amount.shop for discount in line.discounts)
        return self._net(discounted, self._sum(item.amount.shop for item in line.taxes)), self._ours(line.taxes)

    def _ours(self, taxes: tuple[TaxLine, ...]) -> Money:
        """The taxes that the merchant remits."""
        return self._sum(item.amount.shop for item in taxes if not item.channel_liable)

    def _net(self, amount: Money, tax: Money) -> Money:
        return amount - tax if self._order.taxes_included else amount

    def _charges(self) -> Iterator[tuple[SaleLine, Money]]:
        order, products = self._order, self._rules.products
        for shipping in order.shipping_lines:
            if not shipping.removed and shipping.discounted_price.shop:
                amount = shipping.discounted_price.shop
                yield self._charge(f"shipping/{shipping.id}", products.shipping, shipping.title, amount, shipping.taxes)
        for fee in order.fees:
            yield self._charge(f"fee/{fee.id}", products.fee, fee.title, fee.amount.shop, fee.taxes)
        for duty in (duty for line in order.lines for duty in line.duties if not order.duties_included):
            yield self._charge(f"duty/{duty.id}", products.duty, "Duty", duty.amount.shop, duty.taxes)
        remitted = self._sum(
            tax.amount.shop
            for taxes in (*(line.taxes for line in order.lines), *(line.taxes for line in order.shipping_lines))
            for tax in taxes
            if tax.channel_liable
        )
        if remitted:
            yield self._charge("channel_tax", products.fee, "Tax that the channel remits", remitted, ())
        if order.totals.tips.shop:
            yield self._charge("tip", products.tip, "Tip", order.totals.tips.shop, ())
        if order.totals.gift_cards.shop:
            yield self._charge("gift_card", products.gift_card, "Gift card", -order.totals.gift_cards.shop, ())

    def _charge(
        self, key: str, sku: str, title: str, amount: Money, taxes: tuple[TaxLine, ...]
    ) -> tuple[SaleLine, Money]:
        line = SaleLine(
            key=key,
            sku=sku,
            title=title,
            quantity=1,
            amount=self._net(amount, self._sum(item.amount.shop for item in taxes)),
            taxes=self._taxes(taxes, key),
            goods=False,
        )
        return line, self._ours(taxes)

    def _compare(self, total: Money) -> None:
        """An order that nothing was taken out of comes to exactly what the storefront charged."""
        claimed = self._order.totals.total.shop
        unchanged = all(self._sold(line) == line.quantity for line in self._order.lines)
        if unchanged and not self._order.refunds and not total.equals(claimed):
            raise Rejected(
                "total_mismatch",
                f"the storefront charged {claimed}, its lines come to {total}",
                field="totals",
                hint="book this order by hand, or mend it at the storefront",
            )

    def _credited_lines(self, refund: Refund, cancelled: dict[str, int]) -> Iterator[CreditLine]:
        """The refund's lines; those of units that never left apart from those that did."""
        lines = {line.id: line for line in self._order.lines}
        for item in refund.lines:
            line = lines.get(item.line_id)
            if line is None or not item.quantity:
                continue
            never_left = min(item.quantity, cancelled[line.id]) if item.restock is not RestockKind.RETURNED else 0
            cancelled[line.id] -= never_left
            for units, before_shipping in ((never_left, True), (item.quantity - never_left, False)):
                if units:
                    net = proportion(self._net(item.subtotal.shop, item.tax.shop), units, item.quantity)
                    tax = proportion(item.tax.shop, units, item.quantity)
                    yield self._credit_line(line, units, net, tax, before_shipping=before_shipping)

    def _credit_line(self, line: OrderLine, units: int, net: Money, tax: Money, *, before_shipping: bool) -> CreditLine:
        taxes = self._taxes(line.taxes, f"line {line.id}") if tax else ()
        sale_line = SaleLine(
            key=line.id, sku=self._sku(line), title=line.title, quantity=units, amount=net, taxes=taxes
        )
        return CreditLine(line=sale_line, gross=net + tax, before_shipping=before_shipping)

    def _credited_charges(self, refund: Refund) -> Iterator[CreditLine]:
        """Shipping and fees given back; storefronts state them as negative amounts, without their tax."""
        taxes = {
            "shipping_refund": _each_once(tax for line in self._order.shipping_lines for tax in line.taxes),
            "fee_refund": _each_once(tax for fee in self._order.fees for tax in fee.taxes),
        }
        products = {"shipping_refund": self._rules.products.shipping, "fee_refund": self._rules.products.fee}
        for number, item in enumerate(refund.adjustments):
            if item.kind in products and item.amount.shop:
                tax = -item.tax.shop
                line = SaleLine(
                    key=f"{item.kind}/{number}",
                    sku=products[item.kind],
                    title=item.kind.replace("_", " "),
                    quantity=1,
                    amount=-item.amount.shop,
                    taxes=self._taxes(taxes[item.kind], item.kind) if tax else (),
                    goods=False,
                )
                yield CreditLine(line=line, gross=line.amount + tax, before_shipping=False)

    def _adjustment(self, refund: Refund, amount: Money) -> CreditLine:
        line = SaleLine(
            key=f"adjustment/{refund.id}",
            sku=self._rules.products.adjustment,
            title="Adjustment",
            quantity=1,
            amount=amount,
            goods=False,
        )
        return CreditLine(line=line, gross=amount, before_shipping=False)

    def _sku(self, line: OrderLine) -> str:
        sku = line.sku or self._rules.products.no_sku
        if not sku:
            raise Rejected(
                "missing_sku",
                f"line {line.id} has no SKU, so no product of the back office can be sold for it",
                field="sku",
                hint="give the product a SKU at the storefront, or name a product for such lines: products.no_sku",
            )
        if len(sku) > MOST_SKU:
            raise Rejected(
                "invalid_sku",
                f"the SKU of line {line.id} is longer than {MOST_SKU} characters",
                field="sku",
                hint="give the product a shorter SKU at the storefront",
            )
        return sku

    def _taxes(self, taxes: Iterable[TaxLine], where: str) -> tuple[str, ...]:
        borne = [tax for tax in taxes if not tax.channel_liable and tax.amount.shop]
        names = [self._tax(tax, where) for tax in borne]
        if len(set(names)) < len(names):
            raise Rejected(
                "unmapped_tax",
                f"two taxes of {where} are one and the same tax of the back office",
                field="taxes",
                hint="name each by its title in the settings, or make one tax of both in the back office",
            )
        return tuple(names)

    def _tax(self, tax: TaxLine, where: str) -> str:
        rate = _normal(tax.rate)
        for known_as in (f"{self._country}/{rate}", tax.title, rate):
            if known_as and known_as in self._rules.taxes:
                return self._rules.taxes[known_as]
        raise Rejected(
            "unmapped_tax",
            f"{where} bears a tax of rate {rate or 'unknown'} in {self._country or 'an unknown country'}",
            field="taxes",
            hint=f'name the back office\'s tax for it in the settings: taxes = {{ "{rate or tax.title}" = "…" }}',
        )

    def _sum(self, amounts: Iterable[Money]) -> Money:
        return Money.total(amounts, self._order.currency)


def by_time(refunds: Iterable[Refund]) -> list[Refund]:
    beginning = datetime.min.replace(tzinfo=UTC)
    return sorted(refunds, key=lambda refund: (refund.created_at or beginning, refund.id))


def proportion(amount: Money, units: int, of: int) -> Money:
    """The part of an amount that so many of its units have, rounded to the amount's own minor unit."""
    if units == of:
        return amount
    minor = (Decimal(amount.minor) * units / of).to_integral_value(ROUND_HALF_EVEN)
    return amount.model_copy(update={"minor": int(minor)})


def _normal(rate: str | None) -> str | None:
    """`0.210` and `0.21` are one rate. What is no number is known by its title alone."""
    try:
        return f"{Decimal(rate).normalize():f}" if rate else None
    except InvalidOperation:
        return None


def _each_once(taxes: Iterable[TaxLine]) -> tuple[TaxLine, ...]:
    return tuple({(tax.title, tax.rate): tax for tax in taxes}.values())
