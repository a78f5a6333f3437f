"""What a push would make of one order now: every document, every step, every problem. The back office is only read.

A push stops at the first problem; a rehearsal goes on and tells them all, so that they are mended in one go.
"""

from collections.abc import Iterator
from decimal import Decimal

from shared.backoffices.documents import CustomerCard, SaleLine
from shared.kernel.errors import Rejected, Retry, StorebridgeError
from shared.kernel.identifiers import OrderKey
from shared.kernel.model import Canonical
from shared.kernel.money import Money
from shared.orders.models import Order
from shared.orders.record import OrderRecord
from shared.orders.release import required
from shared.sync.backoffice.bookkeeping import books_of
from shared.sync.backoffice.books import Books, Credit, PaymentDue, Return, Stage, Taken
from shared.sync.backoffice.company import Company
from shared.sync.backoffice.customer import Buyer
from shared.sync.backoffice.foresight import steps_ahead
from shared.sync.backoffice.push import BooksDesk, account_of, warehouse_of
from shared.sync.backoffice.rules import AnyMethod, BookRules, InvoiceMoment

_NO_FIGURES = frozenset({"total_mismatch"})
"""Of a part of an order the totals say nothing."""


class Problem(Canonical):
    """What would stop the order, or be left out of the books."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None
    stops: bool = True
    """False: the order goes through without it."""

    @classmethod
    def of(cls, error: StorebridgeError) -> "Problem":
        return cls(code=error.code, message=error.message, field=error.field, hint=error.hint)


class PlannedSale(Canonical):
    """The sale as it would stand."""

    stage: Stage
    warehouse: str
    currency: str
    lines: tuple[SaleLine, ...]
    total: Money
    """What the sale has to come to, taxes included."""
    invoice: InvoiceMoment
    customer: CustomerCard
    """Personal data: shown only where it is asked for."""
    payments: tuple[PaymentDue, ...]
    returns: tuple[Return, ...]
    recalled: tuple[Taken, ...]
    credits: tuple[Credit, ...]


class Rehearsed(Canonical):
    """What a push would do with one order."""

    shop: str
    order_id: str
    name: str
    sale_number: str | None = None
    """Of the sale that is there already."""
    sale_state: str | None = None
    planned: PlannedSale | None = None
    """None where a problem leaves nothing to plan."""
    steps: tuple[str, ...] = ()
    """In the order in which they would be taken, if the back office takes each."""
    problems: tuple[Problem, ...] = ()

    @property
    def passes(self) -> bool:
        return not any(problem.stops for problem in self.problems)


def rehearse(key: OrderKey, desk: BooksDesk, company: Company) -> Rehearsed:
    """Work out what `push` would do with the order, and write nothing anywhere.

    Raises:
        Rejected: `unknown_order`; what the back office refuses to be asked.
        Retry: the back office or the tables are out of reach.
    """
    record = required(key, desk.orders)
    blank = Rehearsed(shop=key.shop, order_id=key.order_id, name=record.name)
    try:
        order = account_of(record, desk.orders)
    except Retry as error:
        if error.code != "account_ahead":
            raise
        return blank.model_copy(update={"problems": (Problem.of(error),)})
    return _rehearse(order, record, blank, desk, company)


def _rehearse(order: Order, record: OrderRecord, blank: Rehearsed, desk: BooksDesk, company: Company) -> Rehearsed:
    mirror = desk.mirrors.find(record.key)
    sale = desk.office.find_sale(str(record.key))
    seen = blank.model_copy(
        update={"sale_number": sale.number if sale else None, "sale_state": sale.state.value if sale else None}
    )
    products = company.products(line.sku for line in order.lines if line.sku)
    services = frozenset(sku for sku, product in products.items() if not product.stocked)
    problems: list[Problem] = []
    warehouse = (mirror.warehouse if mirror else None) or _warehouse(record, desk, problems)
    buyer = desk.buyers(order)
    problems += _of_parts(order, record, desk.rules, buyer, services)
    books: Books | None = None
    steps: tuple[str, ...] = ()
    try:
        books = books_of(order, record, desk.rules, buyer=buyer, warehouse=warehouse or "-", services=services)
        ahead = steps_ahead(books, sale, mirror.documents if mirror else {}, desk.office.capabilities)
        steps = tuple(type(step).__name__ for step in ahead)
    except Rejected as error:
        problems.append(Problem.of(error))
    problems += _missing(order, books, warehouse, company)
    problems += _differing(books, company) if books else ()
    problems += _unbooked(order, desk.rules, company)
    return seen.model_copy(
        update={
            "planned": _planned(books) if books else None,
            "steps": steps,
            "problems": tuple(dict.fromkeys(problems)),
        }
    )


def _warehouse(record: OrderRecord, desk: BooksDesk, problems: list[Problem]) -> str | None:
    try:
        return warehouse_of(record, desk)
    except Rejected as error:
        problems.append(Problem.of(error))
        return None


def _of_parts(
    order: Order, record: OrderRecord, rules: BookRules, buyer: Buyer, services: frozenset[str]
) -> Iterator[Problem]:
    """What is wrong with each line and charge by itself: of the whole only the first problem is told."""
    for part in _parts(order):
        try:
            books_of(part, record, rules, buyer=buyer, warehouse="-", services=services)
        except Rejected as error:
            if error.code not in _NO_FIGURES:
                yield Problem.of(error)


def _parts(order: Order) -> Iterator[Order]:
    bare = order.model_copy(update={"lines": (), "shipping_lines": (), "fees": (), "refunds": (), "transactions": ()})
    for line in order.lines:
        yield bare.model_copy(update={"lines": (line,)})
        # Once more without its taxes: they are looked at before the SKU.
        yield bare.model_copy(update={"lines": (line.model_copy(update={"taxes": ()}),)})
    for shipping in order.shipping_lines:
        yield bare.model_copy(update={"shipping_lines": (shipping,)})
    for fee in order.fees:
        yield bare.model_copy(update={"fees": (fee,)})


def _missing(order: Order, books: Books | None, warehouse: str | None, company: Company) -> Iterator[Problem]:
    """What the books name and the back office does not have."""
    lines = [*books.lines, *(one.line for credit in books.credits for one in credit.lines)] if books else []
    skus = {line.sku for line in lines} or {line.sku for line in order.lines if line.sku}
    known = company.products(skus)
    for sku in sorted(skus - known.keys()):
        yield _not_found(f"{sku} is no product of the back office", "sku", f"create the product {sku}")
    taxes = {tax for line in lines for tax in line.taxes} - {tax.name for tax in company.taxes}
    for tax in sorted(taxes):
        yield _not_found(f"the back office has no tax {tax!r} on sales", "taxes", "name one of its own in the settings")
    if warehouse is not None and warehouse not in {one.name for one in company.warehouses}:
        hint = f"there is: {', '.join(one.name for one in company.warehouses)}"
        yield _not_found(f"the back office has no warehouse {warehouse!r}", "warehouses", hint)
    if order.currency != company.identity.currency:
        yield Problem(
            code="currency_differs",
            message=f"the order is in {order.currency}, the company keeps its books in {company.identity.currency}",
            field="currency",
            hint="connect the shop to a company of its currency, or have the back office book foreign currency",
            stops=False,
        )


def _differing(books: Books, company: Company) -> Iterator[Problem]:
    """A total that the back office will not come to, by its own rates; each line may be off by its rounding."""
    rates = {tax.name: Decimal(tax.rate) for tax in company.taxes if tax.rate is not None}
    if any(tax not in rates for line in books.lines for tax in line.taxes):
        return
    computed = sum(
        (line.amount.decimal * (1 + sum((rates[tax] for tax in line.taxes), Decimal(0))) for line in books.lines),
        Decimal(0),
    )
    smallest = Decimal(1).scaleb(-books.total.exponent)
    if abs(books.total.decimal - computed) > books.rounding.limit.decimal + smallest * len(books.lines):
        yield Problem(
            code="totals_differ",
            message=f"the storefront's total is {books.total}, by the back office's rates it is {computed:.2f}",
            field="total",
            hint="compare the taxes in the settings with those of the back office",
        )


def _unbooked(order: Order, rules: BookRules, company: Company) -> Iterator[Problem]:
    """Payments that the books leave out, and those whose method the back office does not have."""
    if not company.office.capabilities.payments:
        return
    for method in sorted(_methods(order)):
        name = rules.payment_methods.get(method, rules.payment_methods.get(AnyMethod))
        if name is None:
            yield Problem(
                code="payment_not_booked",
                message=f"payments by {method!r} are not booked",
                field="payment_methods",
                hint=f'to book them: payment_methods = {{ "{method}" = "…" }}',
                stops=False,
            )
        elif name not in company.payment_methods:
            hint = f"there is: {', '.join(company.payment_methods)}"
            yield _not_found(f"the back office has no payment method {name!r}", "payment_methods", hint)


def _methods(order: Order) -> set[str]:
    """How money came in, as the storefront calls it."""
    by_transactions = {
        transaction.gateway or ""
        for transaction in order.transactions
        if transaction.status.lower() == "success" and transaction.kind.lower() in ("sale", "capture")
    }
    return by_transactions or set(order.payment_methods)


def _planned(books: Books) -> PlannedSale:
    return PlannedSale(
        stage=books.stage,
        warehouse=books.warehouse,
        currency=books.currency,
        lines=books.lines,
        total=books.total,
        invoice=books.invoice_due,
        customer=books.customer,
        payments=books.payments,
        returns=books.returns,
        recalled=books.recalled,
        credits=books.credits,
    )


def _not_found(message: str, field: str, hint: str) -> Problem:
    return Problem(code="backoffice_not_found", message=message, field=field, hint=hint)
