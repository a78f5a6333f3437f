"""What a back office would look like after a step, as far as the next step depends on it. Pure.

For rehearsals: it has the totals that we want, where a real one computes its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.backoffices.documents import (
    Consignment,
    ConsignmentLine,
    ConsignmentState,
    Invoice,
    InvoicedLine,
    InvoiceState,
    RecordedLine,
    Sale,
    SaleState,
    Shipping,
)
from shared.backoffices.port import Capabilities
from shared.backoffices.rounding import KEY as ROUNDING
from shared.sync.backoffice.books import Books
from shared.sync.backoffice.plan import (
    Amend,
    Cancel,
    Confirm,
    IssueCredit,
    Pay,
    PostInvoice,
    Record,
    Ship,
    Step,
    TakeBack,
    next_step,
)
from shared.sync.backoffice.push import MOST_STEPS

_NOT_YET = "not yet"
"""Stands for the id of a document that is only foreseen."""


@dataclass
class _Foreseen:
    books: Books
    sale: Sale | None
    made: dict[str, str]
    can: Capabilities
    credited: dict[str, Invoice] = field(default_factory=dict)


def steps_ahead(books: Books, sale: Sale | None, made: Mapping[str, str], can: Capabilities) -> tuple[Step, ...]:
    """The steps that a push would take now, in their order, if the back office takes each of them.

    Raises:
        Rejected: as `next_step`.
    """
    foreseen = _Foreseen(books, sale, dict(made), can)
    steps: list[Step] = []
    while len(steps) < MOST_STEPS:
        step = next_step(books, foreseen.sale, foreseen.made, foreseen.credited, can)
        if step is None or step in steps[-1:]:
            break
        steps.append(step)
        _foresee(step, foreseen)
    return tuple(steps)


def _foresee(step: Step, foreseen: _Foreseen) -> None:
    match step:
        case Ship():
            foreseen.made[step.shipping.key] = _NOT_YET
            foreseen.sale = _sale_after(step, foreseen)
        case TakeBack():
            foreseen.made[step.goods.key] = _NOT_YET
        case IssueCredit():
            note = Invoice(
                id=step.note.key,
                number=None,
                state=InvoiceState.POSTED,
                total=step.note.total,
                unpaid=step.note.total,
            )
            foreseen.credited[step.note.key] = note
            foreseen.made[step.note.key] = _NOT_YET
        case Pay():
            foreseen.made[step.payment.key] = _NOT_YET
            _pay(step, foreseen)
        case _:
            foreseen.sale = _sale_after(step, foreseen)


def _sale_after(step: Record | Amend | Confirm | Cancel | Ship | PostInvoice, foreseen: _Foreseen) -> Sale:
    books = foreseen.books
    sale = foreseen.sale or _draft(books)
    match step:
        case Record():
            state = SaleState.DRAFT if foreseen.can.confirms else SaleState.CONFIRMED
            return _with_lines(sale, books).model_copy(update={"state": state})
        case Amend():
            return _with_lines(sale, books)
        case Confirm():
            return _waiting(sale.model_copy(update={"state": SaleState.CONFIRMED}), books)
        case Cancel():
            return sale.model_copy(update={"state": SaleState.CANCELLED})
        case Ship():
            return _waiting(_shipped(sale, step.shipping), books)
        case PostInvoice():
            return sale.model_copy(update={"invoices": (*sale.invoices, _invoice(sale))})


def _draft(books: Books) -> Sale:
    return Sale(id=_NOT_YET, number=None, key=books.key, state=SaleState.DRAFT, lines=(), total=books.total)


def _with_lines(sale: Sale, books: Books) -> Sale:
    """The books' lines, none below what can no longer be taken out."""
    settled = {line.key: line for line in sale.lines if line.settled}
    lines = [
        RecordedLine(
            key=line.key,
            sku=line.sku,
            quantity=max(line.quantity, settled[line.key].settled if line.key in settled else 0),
            settled=settled[line.key].settled if line.key in settled else 0,
        )
        for line in books.lines
    ]
    wanted = {line.key for line in lines}
    lines += [line.model_copy(update={"quantity": line.settled}) for key, line in settled.items() if key not in wanted]
    return _waiting(sale.model_copy(update={"lines": tuple(lines), "total": books.total}), books)


def _waiting(sale: Sale, books: Books) -> Sale:
    """What has not left waits in one consignment, once the sale is confirmed."""
    gone = tuple(one for one in sale.consignments if one.has_left or one.state is ConsignmentState.PICKED)
    taken: dict[str, int] = {}
    for line in (line for one in gone for line in one.lines):
        taken[line.key] = taken.get(line.key, 0) + line.quantity
    goods = {line.key for line in books.lines if line.goods}
    left = tuple(
        ConsignmentLine(key=line.key, sku=line.sku, quantity=line.quantity - taken.get(line.key, 0))
        for line in sale.lines
        if line.key in goods and line.quantity > taken.get(line.key, 0)
    )
    waiting = Consignment(id="waiting", number=None, state=ConsignmentState.WAITING, lines=left)
    is_open = bool(left) and sale.state is SaleState.CONFIRMED
    return sale.model_copy(update={"consignments": (*gone, waiting) if is_open else gone})


def _shipped(sale: Sale, shipping: Shipping) -> Sale:
    lines = tuple(ConsignmentLine(key=line.key, sku=line.sku, quantity=line.quantity) for line in shipping.lines)
    left = Consignment(id=shipping.key, number=None, state=ConsignmentState.SHIPPED, lines=lines)
    return sale.model_copy(update={"consignments": (*sale.consignments, left)})


def _invoice(sale: Sale) -> Invoice:
    lines = tuple(InvoicedLine(key=line.key, quantity=line.quantity) for line in sale.lines if line.key != ROUNDING)
    return Invoice(
        id=f"{sale.key}/invoice",
        number=None,
        state=InvoiceState.POSTED,
        total=sale.total,
        unpaid=sale.total,
        lines=lines,
    )


def _pay(step: Pay, foreseen: _Foreseen) -> None:
    payment = step.payment
    foreseen.credited = {key: _less(note, payment.invoice, step) for key, note in foreseen.credited.items()}
    if foreseen.sale is not None:
        invoices = tuple(_less(invoice, payment.invoice, step) for invoice in foreseen.sale.invoices)
        foreseen.sale = foreseen.sale.model_copy(update={"invoices": invoices})


def _less(invoice: Invoice, paid: str, step: Pay) -> Invoice:
    if invoice.id != paid:
        return invoice
    return invoice.model_copy(update={"unpaid": invoice.unpaid - step.payment.amount})
