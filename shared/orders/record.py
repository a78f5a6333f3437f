"""The order as we keep it: states, holds, and what each line holds of the stock. No personal data, about 600 bytes."""

from datetime import datetime
from enum import StrEnum

from shared.inventory.models import Cause
from shared.kernel.identifiers import OrderKey
from shared.kernel.model import Canonical
from shared.kernel.money import Money
from shared.kernel.versions import Version
from shared.orders.lifecycle import FulfilmentState, ReviewState, status
from shared.orders.models import PaymentState

NOT_FROM_STOCK = ""
"""In `LineState.shipped`: units that left without being taken from a stock line (see `demand`)."""


class LineKind(StrEnum):
    STOCKED = "stocked"
    UNTRACKED = "untracked"
    """Gift cards, services, custom lines: nothing on a shelf belongs to it."""
    UNMAPPED = "unmapped"
    """A placeholder: its SKU is missing or no stock line carries it. A task says so; the rest of the order goes on."""


class LineState(Canonical):
    """One line's claim on the stock, in units."""

    line_id: str
    sku: str | None
    kind: LineKind
    open: int
    """Still to be shipped."""
    allocated: dict[str, int] = {}
    """Reserved for it, by location."""
    shipped: dict[str, int] = {}
    """Gone to the buyer, by the location they were taken from."""
    returned: int = 0
    """Came back and went on the shelf."""
    components: dict[str, int] | None = None
    """A bundle: what one of it is made of, as it was when the stock was taken."""
    dispatched: int = 0
    """Units that the back office says have left. The storefront hears of them from us, so it may know of fewer."""

    @property
    def short(self) -> int:
        """Units that wait for stock."""
        return max(0, self.open - sum(self.allocated.values())) if self.kind is LineKind.STOCKED else 0


class HoldReason(StrEnum):
    STOCK_SHORT = "stock_short"
    PAYMENT_PENDING = "payment_pending"
    PAYMENT_LOST = "payment_lost"
    """Voided, refunded or disputed while goods are still to be shipped."""
    ADDRESS_INCOMPLETE = "address_incomplete"
    TOTAL_MISMATCH = "total_mismatch"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    TEST_ORDER = "test_order"
    RISK_HIGH = "risk_high"
    RISK_TOTAL = "risk_total"
    RISK_QUANTITY = "risk_quantity"
    RISK_COUNTRY = "risk_country"
    RISK_ADDRESSES_DIFFER = "risk_addresses_differ"
    REFUND_UNCLEAR = "refund_unclear"
    """The storefront names a refund without its lines, and we could not ask it which."""
    CUSTOMER_UNVERIFIED = "customer_unverified"
    """The buyer has not proven yet that the e-mail address is theirs, and the shop asks for it."""
    CUSTOMER_REJECTED = "customer_rejected"
    """The owner of the e-mail address said that it was not them, or staff refused the customer."""


class Hold(Canonical):
    reason: HoldReason
    detail: str = ""
    """In figures, never a buyer's data: `EUR 388.00 claimed, 398.00 computed`."""


class OrderRecord(Canonical):
    shop: str
    order_id: str
    platform: str
    name: str
    revision: int
    """Grows by one with every commit, whoever caused it: effects are keyed by it."""
    version: Version
    """The newest account by the storefront that this record was built from."""
    review: ReviewState
    holds: tuple[Hold, ...] = ()
    overridden: tuple[HoldReason, ...] = ()
    """Reasons that an operator has overruled for this order."""
    fulfilment: FulfilmentState
    payment: PaymentState
    total: Money
    placed_at: datetime
    lines: tuple[LineState, ...]
    settled: bool = True
    """False while an order of more stock lines than one transaction takes is allocated in steps."""
    cancelled_by: str | None = None
    """`storefront`, or the operator's name."""
    dispatches: str | None = None
    """Which consignments the back office has told of, as a short digest: it changes when they or their tracking do."""
    delivered: bool = False
    """Whether the buyer has all that the back office has sent."""
    attention_since: datetime | None = None
    """Since when a person or the stock must act; None when nothing is open."""
    cause: Cause

    @property
    def key(self) -> OrderKey:
        return OrderKey(self.shop, self.order_id)

    @property
    def status(self) -> str:
        return status(self.review, self.fulfilment, self.payment)

    @property
    def unmapped(self) -> tuple[LineState, ...]:
        return tuple(line for line in self.lines if line.kind is LineKind.UNMAPPED and line.open)
