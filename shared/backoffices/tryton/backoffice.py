"""One company in one Tryton (a `BackOffice`)."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import httpx

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
from shared.backoffices.http import bug
from shared.backoffices.port import Capabilities, Feed
from shared.backoffices.tryton.amendments import Amendments
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.customers import Customers
from shared.backoffices.tryton.erasure import Erasure
from shared.backoffices.tryton.invoices import Invoices
from shared.backoffices.tryton.journals import Journals
from shared.backoffices.tryton.masters import Masters
from shared.backoffices.tryton.rights import missing_rights
from shared.backoffices.tryton.sales import Sales
from shared.backoffices.tryton.shipments import Shipments
from shared.backoffices.tryton.stock import Stock
from shared.kernel.answers import misfits_are
from shared.kernel.credentials import Credentials

CAPABILITIES = Capabilities(
    vendor="tryton",
    tells_delivery=True,
    sellable="forecast quantity of the warehouse's storage zone, less customer shipments that are drafts",
    tried="Tryton 8.2.1 over SQLite",
)


@misfits_are(bug)
class TrytonBackOffice:
    """The user's current company, over JSON-RPC. Credentials: `user` and `password`.

    The numbers of requests that methods name do not count what is read once and kept: a login, the user's preferences,
    products, taxes, warehouses, currencies and methods of payment by the name that they were asked for. Where goods of
    a sale have left, each account of the sale takes one more, for the moments when they did.

    Tryton says that a shipment is `shipped` before it is `done`. A company that takes its shipments from packed to
    done in one step is never told of as having delivered.
    """

    def __init__(self, address: str, database: str, credentials: Credentials, http: httpx.Client) -> None:
        self._api = TrytonApi(address, database, credentials, http)
        self._masters = Masters(self._api)
        self._customers = Customers(self._api)
        self._erasure = Erasure(self._api)
        self._sales = Sales(self._api, self._masters, self._customers)
        self._amendments = Amendments(self._api, self._sales)
        self._shipments = Shipments(self._api, self._masters, self._sales, self._amendments)
        self._invoices = Invoices(self._api, self._masters, self._sales)
        self._journals = Journals(self._api)
        self._stock = Stock(self._api, self._masters)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    # ---- what is there ----

    def identify(self) -> Identity:
        """Two requests."""
        fields = ["rec_name", "currency.code"]
        found = self._api.rows("company.company", [["id", "=", self._api.company]], fields)
        if not found:
            raise bug("Tryton does not know the company of its own user")
        return Identity(
            vendor=CAPABILITIES.vendor,
            version=self._api.version(),
            company=str(found[0]["rec_name"]),
            currency=str(found[0]["currency."]["code"]),
            user=self._api.user,
        )

    def missing_rights(self) -> tuple[MissingRight, ...]:
        return missing_rights(self._api)

    def warehouses(self) -> tuple[Warehouse, ...]:
        return tuple(Warehouse(id=str(row.id), name=row.name) for row in self._masters.warehouses())

    def taxes(self) -> tuple[Tax, ...]:
        return tuple(
            Tax(name=row.name, rate=f"{row.rate.normalize():f}" if row.type == "percentage" and row.rate else None)
            for row in self._masters.taxes()
        )

    def payment_methods(self) -> tuple[str, ...]:
        return self._masters.methods()

    def products(self, skus: Iterable[str]) -> Mapping[str, Product]:
        return {
            sku: Product(id=str(row.id), sku=sku, name=row.name, stocked=row.type == "goods")
            for sku, row in self._masters.products(skus).items()
        }

    # ---- customers ----

    def save_customer(self, card: CustomerCard) -> str:
        return self._customers.save(card)

    def find_customer(self, key: str) -> KnownCustomer | None:
        return self._customers.find(key)

    def forget_customer(self, key: str) -> Forgotten | None:
        return self._erasure.forget(key)

    def changed_customers(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        return self._customers.changed(since, cursor)

    # ---- orders ----

    def find_sale(self, key: str) -> Sale | None:
        """One request, and another where goods have left."""
        row = self._sales.find_row(key)
        return self._sales.told(row) if row else None

    def record_sale(self, order: SalesOrder) -> Sale:
        return self._sales.told(self._sales.record(order))

    def confirm_sale(self, key: str) -> Sale:
        return self._sales.told(self._sales.confirm(key))

    def amend_sale(self, order: SalesOrder) -> Sale:
        return self._sales.told(self._amendments.amend(order))

    def cancel_sale(self, key: str) -> Sale:
        return self._sales.told(self._amendments.cancel(key))

    def changed_sales(self, since: datetime, cursor: str | None) -> Feed[str]:
        return self._sales.changed(since, cursor)

    # ---- after the order ----

    def ship(self, shipping: Shipping) -> Sale:
        return self._sales.told(self._shipments.ship(shipping))

    def take_back(self, goods: GoodsReturn) -> str:
        return self._shipments.take_back(goods)

    def post_invoice(self, key: str) -> Sale:
        return self._sales.told(self._invoices.post(key))

    def credit(self, note: CreditNote) -> Invoice:
        return self._invoices.credit(note)

    def register_payment(self, payment: PaymentEntry) -> str:
        return self._invoices.pay(payment)

    # ---- journals ----

    def accounts(self) -> tuple[LedgerAccount, ...]:
        return self._journals.accounts()

    def posted_journal(self, key: str) -> PostedJournal | None:
        return self._journals.posted(key)

    def post_journal(self, journal: Journal) -> str:
        return self._journals.post(journal)

    # ---- stock ----

    def stock(self, skus: Iterable[str], warehouse: str) -> Mapping[str, StockFigure]:
        return self._stock.figures(skus, warehouse)

    def changed_stock(self, since: datetime, cursor: str | None) -> Feed[str]:
        return self._stock.changed(since, cursor)

    def apply_count(self, count: StockCount) -> str:
        return self._stock.count(count)
