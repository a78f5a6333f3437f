"""One company in Odoo (a `BackOffice`)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

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
from shared.backoffices.odoo.client import Json2, JsonRpc, OdooApi
from shared.backoffices.odoo.customers import Customers
from shared.backoffices.odoo.dialect import Dialect
from shared.backoffices.odoo.erasure import Erasure
from shared.backoffices.odoo.invoices import Invoices
from shared.backoffices.odoo.journals import Journals
from shared.backoffices.odoo.masters import Masters
from shared.backoffices.odoo.sales import Sales
from shared.backoffices.odoo.shipments import Shipments
from shared.backoffices.odoo.stock import Stock
from shared.backoffices.port import Capabilities, Feed
from shared.kernel.answers import misfits_are
from shared.kernel.credentials import Credentials

TransportName = Literal["json2", "jsonrpc"]
"""`json2` since Odoo 19; `jsonrpc` for 17 and 18, and gone with 20."""

CAPABILITIES = Capabilities(
    vendor="odoo",
    sellable="quantity on hand less all outgoing quantities of the warehouse (qty_available - outgoing_qty)",
    tried="Odoo 19.0 Community over JSON-2 and JSON-RPC; 17 and 18 as a fake with the field names of their source",
)


@misfits_are(bug)
class OdooBackOffice:
    """The company of our Odoo user, who must have no other.

    `credentials` are `api_key`, and for JSON-RPC the `user` that it belongs to. `http` is the caller's. Not shared
    between threads: what staff have set up is remembered as long as it lives.
    """

    def __init__(
        self,
        address: str,
        database: str,
        credentials: Credentials,
        http: httpx.Client,
        *,
        transport: TransportName = "json2",
    ) -> None:
        way = Json2 if transport == "json2" else JsonRpc
        api = OdooApi(way(address, database, credentials, http))
        dialect = Dialect(api)
        self._masters = Masters(api, dialect)
        self._customers = Customers(api, self._masters)
        self._erasure = Erasure(api, dialect, self._customers)
        self._sales = Sales(api, dialect, self._masters, self._customers)
        self._shipments = Shipments(api, dialect, self._masters, self._sales)
        self._invoices = Invoices(api, dialect, self._masters, self._sales)
        self._journals = Journals(api, dialect, self._masters)
        self._stock = Stock(api, dialect, self._masters)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    # ---- what is there ----

    def identify(self) -> Identity:
        return self._masters.identity()

    def missing_rights(self) -> tuple[MissingRight, ...]:
        return self._masters.missing_rights()

    def warehouses(self) -> tuple[Warehouse, ...]:
        return self._masters.warehouses()

    def taxes(self) -> tuple[Tax, ...]:
        return self._masters.taxes()

    def payment_methods(self) -> tuple[str, ...]:
        return self._masters.payment_methods()

    def products(self, skus: Iterable[str]) -> Mapping[str, Product]:
        return self._masters.products(skus)

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
        found = self._sales.find(key)
        return found.told if found is not None else None

    def record_sale(self, order: SalesOrder) -> Sale:
        return self._sales.record(order)

    def confirm_sale(self, key: str) -> Sale:
        return self._sales.confirm(key)

    def amend_sale(self, order: SalesOrder) -> Sale:
        return self._sales.amend(order)

    def cancel_sale(self, key: str) -> Sale:
        return self._sales.cancel(key)

    def changed_sales(self, since: datetime, cursor: str | None) -> Feed[str]:
        return self._sales.changed(since, cursor)

    # ---- after the order ----

    def ship(self, shipping: Shipping) -> Sale:
        return self._shipments.ship(shipping)

    def take_back(self, goods: GoodsReturn) -> str:
        return self._shipments.take_back(goods)

    def post_invoice(self, key: str) -> Sale:
        return self._invoices.post(key)

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
