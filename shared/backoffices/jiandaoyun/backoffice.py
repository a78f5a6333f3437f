"""Jiandaoyun (简道云) as a back office: the part of one that fits into forms."""

import httpx

from shared.backoffices.documents import CreditNote, GoodsReturn, Invoice, PaymentEntry, Sale
from shared.backoffices.http import bug
from shared.backoffices.jiandaoyun.client import JiandaoyunApi
from shared.backoffices.jiandaoyun.customers import Customers
from shared.backoffices.jiandaoyun.journals import Journals
from shared.backoffices.jiandaoyun.masters import Masters
from shared.backoffices.jiandaoyun.pace import Pace
from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping
from shared.backoffices.jiandaoyun.stock import Stock
from shared.backoffices.port import Capabilities
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected


@misfits_are(bug)
class JiandaoyunBackOffice(Masters, Customers, Stock, Journals):
    """One company's forms, as its mapping names them (a `BackOffice`). Not shared between threads.

    `address` is `https://api.jiandaoyun.com`; the credential is `api_key`. The pace is one for all that use the key
    within a process.

    What it can do depends on the mapping: cancelling needs a status of the orders; telling shipments a status, or a
    form of shipments; taking shipments such a form with a field for our key; stock, counts and daily
    journals forms of their own.
    Drafts, invoices, returns, credit notes and payments are no rows of a table, so they are left to whoever keeps the
    books; nor does a form promise goods to an order.

    A customer who is to be forgotten is emptied as far as the mapping goes. The forms' log of operations
    (数据操作日志) notes every change, those of the API too (14224), and no call reaches it: an erasure says so.

    Writes start neither workflows nor assistants (智能助手): the merchant's own rules see our rows as they see those of
    an import, and aggregate tables do count them (14223).
    """

    def __init__(
        self,
        address: str,
        mapping: JiandaoyunMapping,
        credentials: Credentials,
        http: httpx.Client,
        clock: Clock,
        pace: Pace,
    ) -> None:
        super().__init__(JiandaoyunApi(address, credentials, http, pace), mapping, clock)
        self.capabilities = capabilities_of(mapping)

    def take_back(self, goods: GoodsReturn) -> str:
        raise _is_none("returns", goods.key)

    def post_invoice(self, key: str) -> Sale:
        raise _is_none("invoices", key)

    def credit(self, note: CreditNote) -> Invoice:
        raise _is_none("credit notes", note.key)

    def register_payment(self, payment: PaymentEntry) -> str:
        raise _is_none("payments", payment.key)


def capabilities_of(mapping: JiandaoyunMapping) -> Capabilities:
    shipments = mapping.shipments
    sellable = mapping.stock.sellable if mapping.stock is not None else None
    return Capabilities(
        vendor="jiandaoyun",
        confirms=False,
        cancels=mapping.orders.status is not None,
        ships=shipments is not None and shipments.key is not None,
        tells_shipments=shipments is not None or mapping.orders.status is not None,
        tracks_parcels=(shipments.tracking if shipments is not None else mapping.orders.tracking) is not None,
        returns=False,
        invoices=False,
        credits=False,
        payments=False,
        journals=mapping.journals is not None,
        stock=mapping.stock is not None,
        counts=mapping.counts is not None and mapping.stock is not None,
        sellable=f"the field {sellable}" if sellable is not None else "all that is on hand",
        tried="a fake built from the documentation; never run against the real system",
    )


def _is_none(what: str, key: str) -> Rejected:
    return bug(f"Jiandaoyun keeps no {what}, as its capabilities say, and was asked for {key}")
