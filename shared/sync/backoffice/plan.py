"""The next step that brings the back office to the books: a pure function of both.

Steps are taken one at a time, each on the back office as it is after the one before. What is done already is seen in
the back office itself, or in the documents that we noted by their keys; so whoever is killed between two steps is
followed by somebody who takes the next one, never the same one twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.backoffices.documents import (
    ConsignmentState,
    CreditNote,
    GoodsLine,
    GoodsReturn,
    Invoice,
    PaymentEntry,
    Sale,
    SaleLine,
    SaleState,
    Shipping,
)
from shared.backoffices.port import Capabilities
from shared.backoffices.rounding import KEY as ROUNDING
from shared.kernel.errors import Rejected
from shared.kernel.money import Money
from shared.sync.backoffice.books import (
    CANCELLED_BY_US,
    Books,
    Credit,
    CreditLine,
    PaymentDue,
    Stage,
    Taken,
)
from shared.sync.backoffice.reckoning import proportion
from shared.sync.backoffice.rules import InvoiceMoment


@dataclass(frozen=True)
class Record:
    """Save the customer and have the draft as the books say."""


@dataclass(frozen=True)
class Confirm:
    pass


@dataclass(frozen=True)
class Amend:
    """Bring the lines of the confirmed sale to the books."""


@dataclass(frozen=True)
class Cancel:
    pass


@dataclass(frozen=True)
class Ship:
    shipping: Shipping


@dataclass(frozen=True)
class TakeBack:
    goods: GoodsReturn


@dataclass(frozen=True)
class PostInvoice:
    pass


@dataclass(frozen=True)
class IssueCredit:
    note: CreditNote


@dataclass(frozen=True)
class Pay:
    payment: PaymentEntry


Step = Record | Confirm | Amend | Cancel | Ship | TakeBack | PostInvoice | IssueCredit | Pay
Documents = Mapping[str, str]
"""Ids of the documents that we know were made, by our keys."""


def next_step(
    books: Books, sale: Sale | None, made: Documents, credited: Mapping[str, Invoice], can: Capabilities
) -> Step | None:
    """What to do next; None when the back office agrees with the books as far as its adapter goes.

    `credited` holds the credit notes that this run has made or seen, by key: paying them out needs their ids.

    Raises:
        Rejected: `cancelled_in_backoffice`, `invoice_outgrown`: the two sides disagree in a way that only a person can
            settle.
    """
    if sale is None:
        return Record() if books.stage in (Stage.DRAFT, Stage.CONFIRMED) else None
    _refuse_other_currency(books, sale)
    if sale.state is SaleState.CANCELLED:
        _refuse_cancelled(books, made)
        return None
    if books.stage is Stage.CANCELLED and not any(line.settled for line in sale.lines) and sale.invoice is None:
        return Cancel() if can.cancels else None
    if books.stage is Stage.ABSENT:
        return None
    return next(_steps(books, sale, made, credited, can), None)


def _refuse_other_currency(books: Books, sale: Sale) -> None:
    if sale.total.currency != books.currency:
        raise Rejected(
            "currency_differs",
            f"the order is in {books.currency}, the sale in {sale.total.currency}",
            field="currency",
            hint="have the back office sell in the shop's currency",
        )


def _refuse_cancelled(books: Books, made: Documents) -> None:
    if books.stage is not Stage.CONFIRMED:
        return
    if f"{books.key}{CANCELLED_BY_US}" in made:
        message = "the order was cancelled, its sale too, and then the storefront took it up again"
        hint = "reopen the sale in the back office, then retry the order"
    else:
        message = "the sale is cancelled in the back office, but the order is not"
        hint = "cancel the order (storebridge orders cancel), or reopen the sale in the back office"
    raise Rejected("cancelled_in_backoffice", message, field="order", hint=hint)


def _steps(
    books: Books, sale: Sale, made: Documents, credited: Mapping[str, Invoice], can: Capabilities
) -> Iterator[Step]:
    if sale.state is SaleState.DRAFT:
        if not _agrees(books, sale):
            yield Record()
        if books.stage is Stage.CONFIRMED:
            yield Confirm()
        return
    if can.amends and not _agrees(books, sale):
        yield Amend()
    if can.ships:
        yield from _shipped_elsewhere(books, sale, made)
    if can.returns:
        yield from _returns(books, sale, made)
    if can.invoices:
        yield from _money(books, sale, made, credited, can)


def _agrees(books: Books, sale: Sale) -> bool:
    """Whether the sale has the books' units, or at least as few as what is picked already allows, and their total."""
    recorded = {line.key: line for line in sale.lines if line.key != ROUNDING and line.quantity}
    wanted = {line.key: line.quantity for line in books.lines}
    held_back = False
    for key in {*recorded, *wanted}:
        line = recorded.get(key)
        least = line.settled if line else 0
        if (line.quantity if line else 0) != max(wanted.get(key, 0), least):
            return False
        held_back = held_back or least > wanted.get(key, 0)
    return held_back or sale.invoice is not None or sale.total.equals(books.total)


def _shipped_elsewhere(books: Books, sale: Sale, made: Documents) -> Iterator[Step]:
    """Shipments that the storefront shows beyond what the back office has sent, oldest first."""
    missing = _shown_beyond(books, sale)
    for shipping in books.shipped_by_others:
        if shipping.key in made:
            continue
        lines = []
        for line in shipping.lines:
            units = min(line.quantity, missing.get(line.key, 0))
            if units > 0:
                missing[line.key] -= units
                lines.append(line.model_copy(update={"quantity": units}))
        if lines:
            yield Ship(shipping.model_copy(update={"lines": tuple(lines)}))


def _shown_beyond(books: Books, sale: Sale) -> dict[str, int]:
    goods = {line.key for line in sale.lines}
    shown: dict[str, int] = {}
    for shipping in books.shipped_by_others:
        for line in shipping.lines:
            if line.key in goods:
                shown[line.key] = shown.get(line.key, 0) + line.quantity
    shipped = sale.shipped
    return {key: units - shipped.get(key, 0) for key, units in shown.items()}


def _returns(books: Books, sale: Sale, made: Documents) -> Iterator[Step]:
    shipped = sale.shipped
    wanted = [*((each.key, each.lines, True) for each in books.returns), *_recalls(books, made)]
    for key, taken, received in wanted:
        possible = all(line.quantity <= shipped.get(line.key, 0) for line in taken)
        if key not in made and possible:
            lines = tuple(GoodsLine(key=line.key, sku=line.sku, quantity=line.quantity) for line in taken)
            yield TakeBack(
                GoodsReturn(key=key, sale=books.key, lines=lines, warehouse=books.warehouse, received=received)
            )


def _recalls(books: Books, made: Documents) -> Iterator[tuple[str, tuple[Taken, ...], bool]]:
    """What is to come back beyond what was called back before. A key ends in how many that makes in all."""
    for line in books.recalled:
        stem = f"{books.key}/recall/{line.key}/"
        before = max((int(key.removeprefix(stem)) for key in made if key.startswith(stem)), default=0)
        if line.quantity > before:
            more = line.model_copy(update={"quantity": line.quantity - before})
            yield f"{stem}{line.quantity}", (more,), False


def _money(
    books: Books, sale: Sale, made: Documents, credited: Mapping[str, Invoice], can: Capabilities
) -> Iterator[Step]:
    invoice = sale.invoice
    if invoice is None:
        if _is_invoice_due(books, sale):
            yield PostInvoice()
        return
    _refuse_outgrown(books, invoice)
    if can.credits:
        yield from _credits(books, invoice, made, credited)
    if can.payments:
        yield from _payments(books.payments, invoice, made)
        for credit in books.credits:
            note = credited.get(credit.key)
            if note is not None:
                yield from _payments(credit.paid_out, note, made)


def _is_invoice_due(books: Books, sale: Sale) -> bool:
    if books.stage is not Stage.CONFIRMED:
        return False
    if books.invoice_due is InvoiceMoment.SHIPPED:
        shipped = sale.shipped
        is_open = any(one.state in (ConsignmentState.WAITING, ConsignmentState.PICKED) for one in sale.consignments)
        all_left = all(shipped.get(line.key, 0) >= line.quantity for line in books.lines if line.goods)
        return not is_open and (all_left or sale.state is SaleState.DONE)
    if books.invoice_due is InvoiceMoment.PAID:
        return books.is_paid
    return books.invoice_due is InvoiceMoment.ORDER


def _refuse_outgrown(books: Books, invoice: Invoice) -> None:
    invoiced = {line.key: line.quantity for line in invoice.lines}
    grown = sorted(line.key for line in books.lines if line.quantity > invoiced.get(line.key, 0))
    if grown:
        raise Rejected(
            "invoice_outgrown",
            f"lines {', '.join(grown)} were added after the order was invoiced",
            field="lines",
            hint="invoice the difference in the back office",
        )


def _credits(books: Books, invoice: Invoice, made: Documents, credited: Mapping[str, Invoice]) -> Iterator[Step]:
    """One credit note for each refund, of what the invoice holds and the buyer got back.

    One that was made earlier is asked for again while it is still to be paid out: that changes nothing, and tells what
    of it is unpaid.
    """
    invoiced = {line.key: line.quantity for line in invoice.lines}
    not_invoiced = {key: units - invoiced.get(key, 0) for key, units in books.placed.items()}
    for credit in books.credits:
        lines = tuple(_on_invoice(credit, not_invoiced))
        total = Money.total((line.gross for line in lines), books.currency)
        to_pay_out = any(payment.key not in made for payment in credit.paid_out)
        is_missing = credit.key not in made or (to_pay_out and credit.key not in credited)
        if is_missing and total.minor > 0:
            yield IssueCredit(
                CreditNote(
                    key=credit.key,
                    sale=books.key,
                    name=credit.name,
                    issued_on=credit.issued_on,
                    lines=tuple(line.line for line in lines),
                    total=total,
                    rounding=books.rounding,
                )
            )


def _on_invoice(credit: Credit, not_invoiced: dict[str, int]) -> Iterator[CreditLine]:
    """The credit's lines without the units that were taken out before the invoice was made."""
    for line in credit.lines:
        if not line.before_shipping:
            yield line
            continue
        spared = min(line.line.quantity, not_invoiced.get(line.line.key, 0))
        not_invoiced[line.line.key] = not_invoiced.get(line.line.key, 0) - spared
        if spared < line.line.quantity:
            yield _fewer(line, line.line.quantity - spared)


def _fewer(line: CreditLine, units: int) -> CreditLine:
    if units == line.line.quantity:
        return line
    amount = proportion(line.line.amount, units, line.line.quantity)
    smaller: SaleLine = line.line.model_copy(update={"quantity": units, "amount": amount})
    return CreditLine(line=smaller, gross=proportion(line.gross, units, line.line.quantity), before_shipping=True)


def _payments(due: tuple[PaymentDue, ...], invoice: Invoice, made: Documents) -> Iterator[Step]:
    """Never more than is unpaid: what was refunded before the invoice was made was never its money."""
    for payment in due:
        if payment.key not in made and invoice.unpaid.minor > 0:
            amount = invoice.unpaid if payment.amount.exceeds(invoice.unpaid) else payment.amount
            yield Pay(
                PaymentEntry(
                    key=payment.key,
                    invoice=invoice.id,
                    amount=amount,
                    method=payment.method,
                    paid_on=payment.paid_on,
                    reference=payment.reference,
                )
            )
            return
