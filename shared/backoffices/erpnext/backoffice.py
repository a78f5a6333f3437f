"""ERPNext as a back office."""

import httpx

from shared.backoffices.erpnext.client import FrappeApi
from shared.backoffices.erpnext.forgetting import Forgetting
from shared.backoffices.erpnext.invoices import Invoices
from shared.backoffices.erpnext.journals import Journals
from shared.backoffices.erpnext.masters import Masters
from shared.backoffices.erpnext.sales import Sales
from shared.backoffices.erpnext.shipments import Shipments
from shared.backoffices.erpnext.stock import Stock
from shared.backoffices.http import bug
from shared.backoffices.port import Capabilities
from shared.kernel.answers import misfits_are
from shared.kernel.credentials import Credentials

CAPABILITIES = Capabilities(
    vendor="erpnext",
    sellable="Bin: actual_qty less reserved_qty, also for production and for subcontracting",
    tried="a fake built from the documentation and the source of ERPNext 13 to 16; never run against the real system",
)


@misfits_are(bug)
class ErpNextBackOffice(Masters, Forgetting, Sales, Shipments, Invoices, Journals, Stock):
    """One company on one ERPNext site of version 13 to 16 (a `BackOffice`). Not shared between threads.

    `address` is the site's, `https://erp.example.com`; `company` its name in ERPNext; the credentials are `api_key` and
    `api_secret` of a user. The port's taxes are Item Tax Templates, its warehouses and payment methods are named as
    their lists in ERPNext name them (`Stores - EX`).

    Our keys stand where staff can read them, in standard fields: customers in *Additional information*, orders,
    Delivery Notes and credit notes in *Customer's Purchase Order*, payments in *Remarks*, daily journals in *Reference
    Number*, an order's rows in *Additional Notes*. Two doctypes have no such field, and need a Custom Field
    `storebridge_key` (Data, *Allow on Submit*): `Stock Reconciliation` for counts, and `Sales Order Item` for lines
    that are added to a confirmed order. All else works without them.

    A customer who is to be forgotten is written over everywhere but in submitted documents. *Track Changes* of Customer
    and Comment (on by default; off in Customize Form) keeps what was there before, which only the Administrator can
    delete: where it is on, an erasure says so. To empty comments the user needs the right to write them.

    An item that has Item Tax Templates of its own takes no other (`validate_item_tax_template` in ERPNext's source), so
    list there those that the storefront's orders use. A rate is rounded to the site's *Currency Precision*: set it to
    4 or more in System Settings, or unit prices that do not divide make larger rounding lines.
    """

    capabilities = CAPABILITIES

    def __init__(self, address: str, company: str, credentials: Credentials, http: httpx.Client) -> None:
        super().__init__(FrappeApi(address, credentials, http), company)
