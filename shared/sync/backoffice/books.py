"""How an order is to stand in the books, as values: what `bookkeeping` works out and `plan` brings about.

The books follow the goods: a line counts the units that have left or are still to leave. What was taken out before it
left was never sold; what was refunded after it left is a return, a credit note, or both, for goods and money go apart.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from shared.backoffices.documents import CustomerCard, Rounding, SaleLine, SalesOrder, Shipping
from shared.kernel.model import Canonical
from shared.kernel.money import Money
from shared.sync.backoffice.rules import InvoiceMoment

SHIPPED = "/shipped/"
"""In the key of what we enter for the storefront's own shipments."""
CANCELLED_BY_US = "/cancelled"
"""End of the key under which we note that the sale was cancelled because the order was."""


class Stage(StrEnum):
    ABSENT = "absent"
    """Nothing is to be recorded (yet)."""
    DRAFT = "draft"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Taken(Canonical):
    """Units of a sale's line, all of one kind."""

    key: str
    sku: str
    quantity: int


class Return(Canonical):
    """Goods of one refund that came back."""

    key: str
    lines: tuple[Taken, ...]


class CreditLine(Canonical):
    line: SaleLine
    gross: Money
    """Net plus the storefront's own tax."""
    before_shipping: bool
    """The units never left: if they are on no invoice either, there is nothing to credit."""


class Credit(Canonical):
    """Money of one refund."""

    key: str
    name: str
    issued_on: date
    lines: tuple[CreditLine, ...]
    paid_out: tuple["PaymentDue", ...] = ()


class PaymentDue(Canonical):
    key: str
    amount: Money
    method: str
    paid_on: date
    reference: str


class Books(Canonical):
    """The whole of one order as it should be."""

    key: str
    name: str
    placed_on: date
    currency: str
    warehouse: str
    stage: Stage
    customer: CustomerCard
    lines: tuple[SaleLine, ...]
    """Of what was sold, charges included, the rounding line not."""
    placed: Mapping[str, int]
    """Units of each line as placed, edits that added included."""
    total: Money
    rounding: Rounding
    shipped_by_others: tuple[Shipping, ...]
    """What the storefront itself shows as shipped."""
    returns: tuple[Return, ...]
    recalled: tuple[Taken, ...]
    """Goods that left although the buyer had them taken out: the warehouse was faster. They are expected back."""
    credits: tuple[Credit, ...]
    payments: tuple[PaymentDue, ...]
    invoice_due: InvoiceMoment
    is_paid: bool

    def sales_order(self, customer_id: str) -> SalesOrder:
        return SalesOrder(
            key=self.key,
            name=self.name,
            placed_on=self.placed_on,
            customer=self.customer,
            customer_id=customer_id,
            currency=self.currency,
            warehouse=self.warehouse,
            lines=self.lines,
            total=self.total,
            rounding=self.rounding,
        )
