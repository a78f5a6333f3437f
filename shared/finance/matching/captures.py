"""Stage 5, an order's captures: what differs, what came twice, what never came."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from shared.finance.matching.calendar import is_over
from shared.finance.matching.charges import pairing_of
from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.matching.gateways import Standing
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import Charge, OrderSheet, Told, Worksheet, line_item
from shared.finance.models import Bucket, DiscrepancyKind, Item, LineKind, PaymentState, Subject

_KNOWN_AT_ONCE_DAYS = 1
"""A storefront tells of a payment at once; after so long it does not know it."""
_NEAR = Decimal("0.005")
"""How far apart two exchange rates of one day may be."""

_Difference = tuple[Told, Charge]


def examine_captures(sheet: Worksheet, order: OrderSheet, undone: Iterable[Charge]) -> None:
    """State what does not tie out about the order's captures.

    Args:
        undone: Charges that were given back whole without the storefront knowing of either.
    """
    pairing = pairing_of(order)
    _state_differences(sheet, order, pairing.differing)
    gone = set(map(id, undone))
    _state_surplus(sheet, order, [one for one in pairing.charged if one.net > 0 and id(one) not in gone])
    _state_missing(sheet, order, [one for one in pairing.told if one.route.standing is Standing.EXPECTED])
    _state_unknown(sheet, order)
    if not (order.is_uneven or order.is_pending):
        _state_by_itself(sheet, order)
    _wait_for_lines(sheet, order)


# ---- what differs ----


def _state_differences(sheet: Worksheet, order: OrderSheet, differing: Iterable[_Difference]) -> None:
    kinds: dict[DiscrepancyKind, list[_Difference]] = {}
    for told, charge in differing:
        kind = _kind_of(order, told, charge)
        if kind is not None:
            kinds.setdefault(kind, []).append((told, charge))
    for kind, ones in sorted(kinds.items()):
        _state_difference(sheet, order, kind, ones)


def _kind_of(order: OrderSheet, told: Told, charge: Charge) -> DiscrepancyKind | None:
    if charge.currency != told.movement.currency:
        is_settled = settled_share(order, told, charge) is not None
        return None if is_settled else DiscrepancyKind.CURRENCY_MISMATCH
    has_reversal = any(line.kind is LineKind.CAPTURE_REVERSED for line in charge.lines)
    if has_reversal and charge.net < told.movement.amount:
        return DiscrepancyKind.PARTIAL_CAPTURE
    return DiscrepancyKind.AMOUNT_MISMATCH


def settled_share(order: OrderSheet, told: Told, charge: Charge) -> int | None:
    """The storefront's own figure, in the currency of its books, of a payment whose provider only tells what it
    settled in that currency. None where it is no such payment, or the two are further apart than rates are."""
    statement = order.statement
    is_told = any(line.buyer_currency for line in charge.lines)
    if statement.sale is None or not statement.buyer_total or is_told or charge.currency != statement.currency:
        return None
    share = _rounded(Decimal(statement.sale.total) * told.movement.amount / statement.buyer_total)
    return share if abs(charge.net - share) <= max(Decimal(1), abs(share) * _NEAR) else None


def _rounded(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_EVEN))


def _state_difference(sheet: Worksheet, order: OrderSheet, kind: DiscrepancyKind, differing: list[_Difference]) -> None:
    first_told, first = differing[0]
    currency = first_told.movement.currency
    expected = sum(told.movement.amount for told, _ in differing)
    is_other_currency = kind is DiscrepancyKind.CURRENCY_MISMATCH
    found = None if is_other_currency else sum(charge.net for _, charge in differing)
    items = [item for _, charge in differing for item in charge_items(charge)]
    order.is_uneven = True
    sheet.state(
        discrepancy(
            kind,
            order.item,
            Figures(currency, expected, found),
            Place(min(sheet.day(charge.at) for _, charge in differing), first.account),
            [_told_apart(told, charge) for told, charge in differing],
            items,
        ),
        *items,
    )


def _told_apart(told: Told, charge: Charge) -> str:
    ours = amount_text(told.movement.currency, told.movement.amount)
    theirs = amount_text(charge.currency, charge.net)
    reversed_text = f" ({amount_text(charge.currency, charge.full - charge.net)} reversed)"
    return f"storefront {ours}, provider {theirs}{reversed_text if charge.full != charge.net else ''}"


def charge_items(charge: Charge) -> list[Item]:
    """What a charge is by name: its lines, or the provider's word where there are none."""
    if charge.lines:
        return [line_item(line) for line in charge.lines]
    return [Item(subject=Subject.PAYMENT, id=f"{charge.account}/{charge.id}")]


# ---- what came besides ----


def _state_surplus(sheet: Worksheet, order: OrderSheet, surplus: list[Charge]) -> None:
    settled: list[Charge] = []
    for charge in surplus:
        if is_over(charge.at, _KNOWN_AT_ONCE_DAYS, sheet.as_of):
            settled.append(charge)
        else:
            order.is_pending = True
            for item in charge_items(charge):
                sheet.put(item, Bucket.WAITING)
    known = _known_sums(order)
    again = [charge for charge in settled if (charge.currency, charge.net) in known]
    other = [charge for charge in settled if (charge.currency, charge.net) not in known]
    if again:
        _state_duplicates(sheet, order, again)
    if other:
        _state_unasked(sheet, order, other)


def _known_sums(order: OrderSheet) -> set[tuple[str, int]]:
    """Amounts of which another payment is one too many."""
    sums = {(charge.currency, charge.net) for _, charge in pairing_of(order).paired}
    sums.update((told.movement.currency, told.movement.amount) for told in order.captures)
    return sums


def _state_duplicates(sheet: Worksheet, order: OrderSheet, again: list[Charge]) -> None:
    statement = order.statement
    expected = (
        sum(told.movement.amount for told in order.captures if told.movement.currency == again[0].currency)
        or statement.buyer_total
    )
    surplus = sum(charge.net for charge in again)
    items = [item for charge in again for item in charge_items(charge)]
    order.is_uneven = True
    sheet.state(
        discrepancy(
            DiscrepancyKind.DUPLICATE_CAPTURE,
            order.item,
            Figures(again[0].currency, expected, expected + surplus),
            Place(min(sheet.day(charge.at) for charge in again), again[0].account),
            [f"{charge.id} took {amount_text(charge.currency, charge.net)} once more" for charge in again],
            items,
        ),
        *items,
    )


def _state_unasked(sheet: Worksheet, order: OrderSheet, other: list[Charge]) -> None:
    """Money that the order's own record does not account for."""
    currency = other[0].currency
    expected = sum(told.movement.amount for told in order.captures if told.movement.currency == currency)
    same = [charge for charge in other if charge.currency == currency]
    items = [item for charge in other for item in charge_items(charge)]
    is_foreign = currency not in {order.statement.currency, order.statement.buyer_currency}
    kind = DiscrepancyKind.CURRENCY_MISMATCH if is_foreign else DiscrepancyKind.AMOUNT_MISMATCH
    order.is_uneven = True
    sheet.state(
        discrepancy(
            kind,
            order.item,
            Figures(currency, expected, expected + sum(charge.net for charge in same)),
            Place(min(sheet.day(charge.at) for charge in other), other[0].account),
            [f"the storefront does not know {one.id}, {amount_text(one.currency, one.net)}" for one in other],
            items,
        ),
        *items,
    )


# ---- what did not come ----


def _state_missing(sheet: Worksheet, order: OrderSheet, told: list[Told]) -> None:
    late: list[Told] = []
    for one in told:
        if _is_known_earlier(sheet, order, one):
            continue
        if sheet.feed_should_have(one.route.accounts, one.movement.at) and order.key not in sheet.unripe:
            late.append(one)
        else:
            order.is_pending = True
    if not late:
        return
    order.is_uneven = True
    if order.key in sheet.tied:
        return
    currency = late[0].movement.currency
    accounts = late[0].route.accounts
    sheet.state(
        discrepancy(
            DiscrepancyKind.MISSING_PAYMENT,
            order.item,
            Figures(currency, sum(one.movement.amount for one in late if one.movement.currency == currency), 0),
            Place(min(sheet.day(one.movement.at) for one in late), accounts[0] if len(accounts) == 1 else None),
            [*(_told_alone(one) for one in late), *_words_of_provider(order)],
        )
    )


def _is_known_earlier(sheet: Worksheet, order: OrderSheet, one: Told) -> bool:
    """Whether an earlier run saw its line, or may have seen it."""
    charges = {charge.partition("/")[2] for charge in order.known_charges}
    if not charges.isdisjoint(one.movement.references):
        return True
    return order.key not in sheet.inputs.whole_orders and sheet.is_earlier(one.route.accounts, one.movement.at)


def _told_alone(one: Told) -> str:
    text = amount_text(one.movement.currency, one.movement.amount)
    return f"storefront: {text} captured by {one.movement.gateway}; no line in the feed"


def _words_of_provider(order: OrderSheet) -> list[str]:
    return [
        f"provider says {payment.vendor_state} of {payment.payment_id}"
        for payment in order.payments
        if payment.state is not PaymentState.SUCCEEDED
    ]


def _state_unknown(sheet: Worksheet, order: OrderSheet) -> None:
    unknown = [one for one in (*pairing_of(order).told,) if one.route.standing is Standing.UNKNOWN]
    if not unknown:
        return
    order.is_uneven = True
    gateways = sorted({one.movement.gateway for one in unknown})
    currency = unknown[0].movement.currency
    stated = discrepancy(
        DiscrepancyKind.UNKNOWN_TXN,
        order.item,
        Figures(currency, sum(one.movement.amount for one in unknown if one.movement.currency == currency)),
        Place(min(sheet.day(one.movement.at) for one in unknown)),
        [f"no payment account takes {gateway!r}, and it is not outside" for gateway in gateways],
    )
    # One method that the settings lack is on hundreds of orders. Unknown money at a provider stops a close; this does
    # not.
    sheet.state(stated.model_copy(update={"blocks_close": False}))


# ---- both sides agree, and the order is not paid, or paid twice ----


def _state_by_itself(sheet: Worksheet, order: OrderSheet) -> None:
    pairing = pairing_of(order)
    statement = order.statement
    charges = list({id(charge): charge for _, charge in pairing.paired}.values())
    if statement.sale is None or not charges:
        return
    totals = _Totals(order)
    order.is_even = not totals.is_mixed and totals.is_even
    if totals.is_mixed or order.is_even:
        return
    whole = [charge for charge in charges if charge.net == statement.buyer_total]
    if len(whole) > 1 and totals.is_overpaid:
        _state_duplicates_known(sheet, order, whole)
    elif totals.is_underpaid and is_over(max(charge.at for charge in charges), _KNOWN_AT_ONCE_DAYS, sheet.as_of):
        order.is_uneven = True
        sheet.state(
            discrepancy(
                DiscrepancyKind.PARTIAL_CAPTURE,
                order.item,
                Figures(statement.buyer_currency, totals.wanted, totals.captured),
                Place(min(sheet.day(charge.at) for charge in charges), charges[0].account),
                [f"{amount_text(statement.buyer_currency, totals.wanted - totals.captured)} was not captured"],
                [item for charge in charges for item in charge_items(charge)],
            )
        )


def _state_duplicates_known(sheet: Worksheet, order: OrderSheet, whole: list[Charge]) -> None:
    total = order.statement.buyer_total
    items = [item for charge in whole[1:] for item in charge_items(charge)]
    order.is_uneven = True
    sheet.state(
        discrepancy(
            DiscrepancyKind.DUPLICATE_CAPTURE,
            order.item,
            Figures(order.statement.buyer_currency, total, total * len(whole)),
            Place(min(sheet.day(charge.at) for charge in whole[1:]), whole[0].account),
            [f"the whole order was captured {len(whole)} times, as the storefront knows"],
            items,
        ),
        *items,
    )


class _Totals:
    """What the storefront says was captured and given back, against what it says is owed, in the buyer's currency."""

    def __init__(self, order: OrderSheet) -> None:
        statement = order.statement
        captures = [told.movement for told in order.captures]
        refunds = [told.movement for told in order.refunds]
        self.is_mixed = any(one.currency != statement.buyer_currency for one in (*captures, *refunds))
        self.captured = sum(one.amount for one in captures)
        self.refunded = sum(one.amount for one in refunds)
        edits = [one for one in statement.reductions if not one.id.startswith("refund")]
        is_one_currency = statement.currency == statement.buyer_currency
        sold = statement.sale.total if statement.sale else 0
        if is_one_currency:
            self.wanted = sold - sum(one.total for one in edits)
            self.kept = statement.owed
        else:
            self.wanted = self.kept = statement.buyer_total
            self.is_mixed |= bool(edits) or bool(statement.sale and statement.sale.gift_cards_deducted)
            if statement.reductions:
                self.kept -= self.refunded

    @property
    def is_underpaid(self) -> bool:
        return self.captured < self.wanted and self.captured - self.refunded < self.kept

    @property
    def is_overpaid(self) -> bool:
        return self.captured - self.refunded > self.kept

    @property
    def is_even(self) -> bool:
        return self.captured - self.refunded == self.kept


def is_paid_evenly(order: OrderSheet) -> bool:
    """Whether captures less refunds are what is owed, by the storefront's own figures."""
    if order.is_even is None:
        totals = _Totals(order)
        order.is_even = not totals.is_mixed and totals.is_even
    return order.is_even


# ---- what the provider took and has not settled ----


def _wait_for_lines(sheet: Worksheet, order: OrderSheet) -> None:
    """A charge that only the provider's word tells of: its line has still to come, where a feed brings lines."""
    for charge in dict.fromkeys(_charges(order)):
        if charge.lines or charge.account not in sheet.is_settling:
            continue
        calendar = sheet.inputs.accounts[charge.account].calendar
        (item,) = charge_items(charge)
        if is_over(charge.at, calendar.settles_days + calendar.grace_days, sheet.as_of):
            sheet.state(
                discrepancy(
                    DiscrepancyKind.LATE_SETTLEMENT,
                    item,
                    Figures(charge.currency, charge.net, 0),
                    Place(sheet.day(charge.at), charge.account),
                    [f"{charge.id} succeeded, and no settlement line tells of it"],
                    [order.item],
                )
            )
        else:
            order.is_pending = True
            sheet.put(item, Bucket.WAITING)


def _charges(order: OrderSheet) -> Iterable[Charge]:
    pairing = pairing_of(order)
    for _, charge in (*pairing.paired, *pairing.differing):
        yield charge
