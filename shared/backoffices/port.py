"""The port of a back office: what the syncs ask of any vendor.

Rules that the vendors force on it:

* No vendor has transactions over several calls. Each method below may be killed between any two of its calls and is
  then called again with the same arguments: it finds what is there by our key, goes on from that state, and comes to
  the same end. A caller asks for one order from one place at a time (see `sync.backoffice.push`).
* An answer of success is not believed: the state that was to be reached is read again.
* A time-out of a write is `Retry("backoffice_outcome_unknown")`; nothing is repeated without looking first.
* Feeds say only that something may have changed; the caller reads it anew. They may name a thing twice.

Every method raises, beside what it names:

* `Retry`: `backoffice_unreachable`, `backoffice_busy` (throttled, locked, a concurrent change),
  `backoffice_outcome_unknown`.
* `Rejected` with one of :class:`Refusal` as its code.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

from shared.backoffices.documents import (
    CreditNote,
    CustomerCard,
    Forgotten,
    GoodsReturn,
    Identity,
    Invoice,
    Journal,
    KnownCustomer,
    LedgerAccount,
    MissingRight,
    PaymentEntry,
    PostedJournal,
    Product,
    Sale,
    SalesOrder,
    Shipping,
    StockCount,
    StockFigure,
    Tax,
    Warehouse,
)
from shared.kernel.model import Canonical


class Refusal(StrEnum):
    """Why a back office does not do what it is asked, and so who has to act."""

    AUTH = "backoffice_auth"
    """It refuses our credentials or our rights: the merchant's engineer. Everything else would fail as well."""
    NOT_FOUND = "backoffice_not_found"
    """Something that must be there is not: a product, a tax, a warehouse, a journal. `field` names it."""
    REFUSED = "backoffice_refused"
    """A rule of the business stands against it: staff must act in the back office. The message is its own."""
    BUG = "backoffice_bug"
    """It does not understand our call, or we do not understand its answer: this program is at fault."""


class Capabilities(Canonical):
    """What the vendor's adapter can do. What it cannot is skipped by the syncs, and the doctor says so."""

    vendor: str
    confirms: bool = True
    """Knows drafts beside confirmed orders. False: a recorded order counts at once."""
    amends: bool = True
    cancels: bool = True
    ships: bool = True
    """Takes shipments made elsewhere (`ship`)."""
    tells_shipments: bool = True
    tells_delivery: bool = False
    """Distinguishes delivered from shipped."""
    tracks_parcels: bool = True
    """Tracking per parcel; False: one number for each consignment at most."""
    returns: bool = True
    invoices: bool = True
    credits: bool = True
    payments: bool = True
    journals: bool = True
    """Takes journal entries (`post_journal`)."""
    stock: bool = True
    counts: bool = True
    customer_feed: bool = True
    forgets_customers: bool = True
    """Can take personal data out. False: an erasure says that staff must do it there."""
    sellable: str
    """What `StockFigure.sellable` is, in the vendor's own words."""
    tried: str
    """What this adapter was run against: the real software with its version, or a fake built from its documentation."""


_T = TypeVar("_T")


class Feed(NamedTuple, Generic[_T]):
    """One page of a list of changes."""

    items: tuple[_T, ...]
    cursor: str | None
    """Where the next page starts; None after the last."""


class BackOffice(Protocol):
    """One company in one back office."""

    @property
    def capabilities(self) -> Capabilities: ...

    # ---- what is there ----

    def identify(self) -> Identity:
        """Who answers. The cheapest call that needs our credentials."""
        ...

    def missing_rights(self) -> tuple[MissingRight, ...]:
        """What our user may not do. Tries nothing out: it reads the vendor's own rules of access."""
        ...

    def warehouses(self) -> tuple[Warehouse, ...]: ...

    def taxes(self) -> tuple[Tax, ...]:
        """Taxes on sales."""
        ...

    def payment_methods(self) -> tuple[str, ...]: ...

    def products(self, skus: Iterable[str]) -> Mapping[str, Product]:
        """Those of the SKUs that are products which may be sold. Unknown ones are missing from the result."""
        ...

    # ---- customers ----

    def save_customer(self, card: CustomerCard) -> str:
        """Create or update the customer of this key, and return the back office's id.

        Fields that are None stay, but for those that the card names as cleared. Past documents keep the addresses
        that they were made with. See also `CustomerCard.for_one_order`.
        """
        ...

    def find_customer(self, key: str) -> KnownCustomer | None:
        """The customer of this key as it is now, whether or not staff have deactivated it."""
        ...

    def forget_customer(self, key: str) -> Forgotten | None:
        """Take the customer's personal data out of the back office as far as posted documents allow; None where there
        is no customer of this key. Repeated, it comes to the same end.

        The customer stays under its key, with a name that says that it was erased: sales and invoices point at it.
        """
        ...

    def changed_customers(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """One page of the customers that changed at or after `since`, in any order."""
        ...

    # ---- orders ----

    def find_sale(self, key: str) -> Sale | None:
        """The sale of this key with its consignments and invoices, as it is now."""
        ...

    def record_sale(self, order: SalesOrder) -> Sale:
        """Have a draft (where drafts are known) of exactly this order.

        One that exists already is returned, a draft brought into the order's shape first. The rounding line is added
        or changed so that the total is exact.

        Raises:
            Rejected: `backoffice_not_found` with field `sku`, `taxes` or `warehouse`; `totals_differ` when the back
                office's total is further off than the rounding limit; the draft then stays a draft.
        """
        ...

    def confirm_sale(self, key: str) -> Sale:
        """Have the sale confirmed, so that its goods are promised and the warehouse ships them."""
        ...

    def amend_sale(self, order: SalesOrder) -> Sale:
        """Bring the lines of a confirmed sale to those of the order, its total too.

        Lines are compared by key; a line that the order does not name goes to 0. No line goes below its `settled`
        units: where the order wants less, the line stays at that (the caller compensates), and the total is then the
        back office's own.

        Raises:
            Rejected: as `record_sale`; `backoffice_refused` when the sale takes no amendment any more.
        """
        ...

    def cancel_sale(self, key: str) -> Sale:
        """Have the sale cancelled, open shipments and draft invoices with it.

        Raises:
            Rejected: `backoffice_refused` when goods have been picked or an invoice stands.
        """
        ...

    def changed_sales(self, since: datetime, cursor: str | None) -> Feed[str]:
        """Keys of the sales which changed at or after `since`, or whose consignments or invoices did. Ours only."""
        ...

    # ---- after the order ----

    def ship(self, shipping: Shipping) -> Sale:
        """Have a consignment of exactly these units that has left. It is found again by its key."""
        ...

    def take_back(self, goods: GoodsReturn) -> str:
        """Have a return of these units, received where it says so, and give its id."""
        ...

    def post_invoice(self, key: str) -> Sale:
        """Have one posted invoice over all lines of the confirmed sale as they are now."""
        ...

    def credit(self, note: CreditNote) -> Invoice:
        """Have a posted credit note. Raises `Rejected` `totals_differ` as `record_sale`; a draft then stays a draft."""
        ...

    def register_payment(self, payment: PaymentEntry) -> str:
        """Have the payment of this key booked on the invoice or credit note, and give its id."""
        ...

    # ---- journals ----

    def accounts(self) -> tuple[LedgerAccount, ...]:
        """The accounts that a journal may name; empty where the back office does not tell them."""
        ...

    def posted_journal(self, key: str) -> PostedJournal | None:
        """The posted journal entry of this key. A draft of it, or one that staff have cancelled, is none."""
        ...

    def post_journal(self, journal: Journal) -> str:
        """Have one posted entry of this key, and give its id. One that is posted already stays as it is; a draft that
        a worker has left is brought into the journal's shape first.

        Raises:
            Rejected: `backoffice_not_found` with field `account` or `journal`, naming what is not there, before
                anything is written; `backoffice_refused` for a day whose period is closed; `journal_currency` for a
                currency other than the company's: it would be booked at a rate that nobody has told us.
        """
        ...

    # ---- stock ----

    def stock(self, skus: Iterable[str], warehouse: str) -> Mapping[str, StockFigure]:
        """Figures as they are now. A product without any movement has zeros; an unknown SKU is missing."""
        ...

    def changed_stock(self, since: datetime, cursor: str | None) -> Feed[str]:
        """SKUs whose stock or promises may have changed at or after `since`, in any warehouse."""
        ...

    def apply_count(self, count: StockCount) -> str:
        """Make the back office's shelf agree with the count, once, and give the document's id."""
        ...
