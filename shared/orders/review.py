"""The review of an order: which reasons speak against sending it to the warehouse. Pure rules over settings."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shared.customers.models import PostalAddress
from shared.customers.verification import Standing
from shared.kernel.identifiers import OrderKey
from shared.kernel.model import Canonical
from shared.orders.models import Order, PaymentState
from shared.orders.record import Hold, HoldReason, LineState
from shared.orders.totals import prove_totals


class ReviewRules(Canonical):
    """The merchant's policy. The defaults are the careful choice."""

    release_when: Literal["paid", "authorised", "any"] = "paid"
    """How far the payment must be before goods leave."""
    pay_later_methods: tuple[str, ...] = ("cod", "cash_on_delivery", "Cash on Delivery (COD)")
    """Payment methods, as the storefront names them, that are settled after delivery."""
    auto_release: bool = True
    """Release at once what nothing speaks against. False: a person releases each order."""
    hold_when_short: bool = True
    """Hold an order until all its units are allocated. False: ship what there is, the rest follows."""
    require_address: bool = True
    """Switch off where the platform withholds addresses from us."""
    hold_total_mismatch: bool = True
    hold_test_orders: bool = True
    hold_unclear_refunds: bool = True
    hold_high_risk: bool = True
    """Follow the storefront's own judgement of risk, where it gives one."""
    hold_differing_countries: bool = False
    """Hold when billing and shipping address are in different countries."""
    max_total: dict[str, Decimal] = {}
    """Hold orders above this total, by currency: `{"EUR": "2000"}`."""
    max_units_per_line: Annotated[int, Field(ge=1)] | None = None
    blocked_countries: tuple[str, ...] = ()
    """ISO 3166 codes that goods are not shipped to without a look."""
    duplicate_window_minutes: Annotated[int, Field(ge=0, le=1440)] = 10
    """Hold the second of two orders by one buyer with the same lines and total within this time; 0: never."""


def find_holds(
    order: Order,
    lines: Iterable[LineState],
    rules: ReviewRules,
    *,
    twin: OrderKey | None = None,
    buyer: Standing = Standing.NOT_ASKED,
) -> tuple[Hold, ...]:
    """Every reason that speaks against releasing the order, in the order in which people should look at them."""
    lines = tuple(lines)
    return (
        tuple(
            hold
            for rule in (_totals, _test, _payment, _refunds, _risk, _limits, _countries, _address)
            for hold in rule(order, rules)
            if _matters(hold, lines)
        )
        + tuple(_stock(lines, rules))
        + tuple(_duplicate(twin))
        + tuple(hold for hold in _buyer(buyer) if _matters(hold, lines))
    )


_NEEDS_OPEN_UNITS = frozenset(
    {
        HoldReason.ADDRESS_INCOMPLETE,
        HoldReason.CUSTOMER_REJECTED,
        HoldReason.CUSTOMER_UNVERIFIED,
        HoldReason.PAYMENT_LOST,
        HoldReason.REFUND_UNCLEAR,
        HoldReason.RISK_COUNTRY,
    }
)


def _matters(hold: Hold, lines: tuple[LineState, ...]) -> bool:
    """Some reasons only matter while something is still to be shipped."""
    return hold.reason not in _NEEDS_OPEN_UNITS or any(line.open for line in lines)


def _totals(order: Order, rules: ReviewRules) -> Iterator[Hold]:
    # A storefront's own test payloads do not add up: they are held as tests, not as faults.
    if rules.hold_total_mismatch and not order.test and not (proof := prove_totals(order)).proven:
        claimed, computed = proof.claimed, proof.computed
        detail = f"{proof.figure}: {claimed.shop} claimed, {computed.shop} computed" if claimed and computed else ""
        yield Hold(reason=HoldReason.TOTAL_MISMATCH, detail=detail)


def _test(order: Order, rules: ReviewRules) -> Iterator[Hold]:
    if order.test and rules.hold_test_orders:
        yield Hold(reason=HoldReason.TEST_ORDER)


_PAID_ENOUGH: Mapping[str, frozenset[PaymentState]] = {
    "paid": frozenset({PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED}),
    "authorised": frozenset({PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED, PaymentState.AUTHORISED}),
    "any": frozenset(PaymentState) - {PaymentState.VOIDED, PaymentState.REFUNDED, PaymentState.DISPUTED},
}
_PAYMENT_LOST = frozenset({PaymentState.VOIDED, PaymentState.REFUNDED, PaymentState.DISPUTED})


def _payment(order: Order, rules: ReviewRules) -> Iterator[Hold]:
    if order.payment in _PAYMENT_LOST:
        yield Hold(reason=HoldReason.PAYMENT_LOST, detail=str(order.payment))
        return
    free_of_charge = not order.totals.total
    pays_later = any(method in rules.pay_later_methods for method in order.payment_methods)
    if not (free_of_charge or pays_later or order.payment in _PAID_ENOUGH[rules.release_when]):
        yield Hold(reason=HoldReason.PAYMENT_PENDING, detail=str(order.payment))


def _refunds(order: Order, rules: ReviewRules) -> Iterator[Hold]:
    unclear = [refund.id for refund in order.refunds if not refund.lines_known]
    if unclear and rules.hold_unclear_refunds:
        yield Hold(reason=HoldReason.REFUND_UNCLEAR, detail=f"refund {', '.join(unclear)}")


def _risk(order: Order, rules: ReviewRules) -> Iterator[Hold]:
    if rules.hold_high_risk and (order.risk_level or "").lower() in {"high", "cancel", "investigate"}:
        yield Hold(reason=HoldReason.RISK_HIGH, detail=f"the storefront says {order.risk_level}")


def _limits(order: Order, rules: ReviewRules) -> Iterator[Hold]:
    total = order.totals.total.presentment
    limit = rules.max_total.get(total.currency)
    if limit is not None and total.decimal > limit:
        yield Hold(reason=HoldReason.RISK_TOTAL, detail=f"{total} is above {limit}")
    largest = max((line.quantity for line in order.lines), default=0)
    if rules.max_units_per_line is not None and largest > rules.max_units_per_line:
        yield Hold(reason=HoldReason.RISK_QUANTITY, detail=f"{largest} units of one line")


def _countries(order: Order, rules: ReviewRules) -> Iterator[Hold]:
    shipping, billing = order.personal.shipping_address, order.personal.billing_address
    country = (shipping and shipping.country_code) or ""
    if country in rules.blocked_countries:
        yield Hold(reason=HoldReason.RISK_COUNTRY, detail=country)
    billed_in = (billing and billing.country_code) or ""
    if rules.hold_differing_countries and country and billed_in and country != billed_in:
        yield Hold(reason=HoldReason.RISK_ADDRESSES_DIFFER, detail=f"billed in {billed_in}, shipped to {country}")


def _address(order: Order, rules: ReviewRules) -> Iterator[Hold]:
    if not rules.require_address or not any(line.requires_shipping and line.open_quantity for line in order.lines):
        return
    missing = _missing_parts(order.personal.shipping_address)
    if missing:
        yield Hold(reason=HoldReason.ADDRESS_INCOMPLETE, detail=f"missing: {', '.join(missing)}")


def _missing_parts(address: PostalAddress | None) -> list[str]:
    if address is None:
        return ["address"]
    parts = {
        "name": address.name or address.last_name or address.first_name or address.company,
        "street": address.address1 or address.address2,
        "city": address.city,
        "country": address.country_code or address.country,
    }
    return [part for part, value in parts.items() if not value]


def _stock(lines: tuple[LineState, ...], rules: ReviewRules) -> Iterator[Hold]:
    short = [f"{line.sku} {line.short}" for line in lines if line.short]
    if short and rules.hold_when_short:
        more = f" and {len(short) - _SHORT_SHOWN} more" if len(short) > _SHORT_SHOWN else ""
        yield Hold(reason=HoldReason.STOCK_SHORT, detail=f"units short: {', '.join(short[:_SHORT_SHOWN])}{more}")


_SHORT_SHOWN = 3
"""SKUs named in a hold: the record is to stay within one kilobyte."""


def _buyer(standing: Standing) -> Iterator[Hold]:
    if standing is Standing.WAITING:
        yield Hold(reason=HoldReason.CUSTOMER_UNVERIFIED)
    elif standing is Standing.REJECTED:
        yield Hold(reason=HoldReason.CUSTOMER_REJECTED)


def _duplicate(twin: OrderKey | None) -> Iterator[Hold]:
    if twin is not None:
        yield Hold(reason=HoldReason.POSSIBLE_DUPLICATE, detail=f"same buyer, lines and total as {twin}")
