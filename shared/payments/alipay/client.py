"""One merchant at Alipay, by its open API: bills day by day, and single trades and refunds."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx

from shared.finance.models import Fact, Payment
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected
from shared.payments.alipay.bills import MOST_BYTES, read_bill
from shared.payments.alipay.gateway import ADDRESS, AlipayGateway, require_done, sub_code
from shared.payments.alipay.mapping import refund_payment, trade_payment
from shared.payments.alipay.schemas import BillAddress
from shared.payments.alipay.signature import ZONE
from shared.payments.bill_days import BillDays
from shared.payments.http import download, place_of, refused
from shared.payments.lenient import read
from shared.payments.port import AccountContext, FeedCapabilities, FeedPage

READY_AFTER: Final = timedelta(hours=10)
"""After a day's end, in China: bills are made in the morning (general knowledge: before 9 or 10 o'clock)."""
_BILLS: Final = ("trade", "signcustomer")
_ID: Final = re.compile(r"(?P<trade>[A-Za-z0-9_-]{1,64})(?:/(?P<refund>[!-~]{1,64}))?", re.ASCII)
_DOMAINS: Final = ("alipay.com", "alipaydev.com", "alipayobjects.com")


@misfits_are(refused)
class AlipayClient:
    """A `PaymentFeed`. Credentials as :class:`~shared.payments.alipay.gateway.AlipayGateway` says."""

    def __init__(
        self, context: AccountContext, address: str | None, credentials: Credentials, http: httpx.Client, clock: Clock
    ) -> None:
        self._context = context
        self._address = address or ADDRESS
        self._gateway = AlipayGateway(address, credentials, http, clock)
        self._http = http
        self._clock = clock
        self._days = BillDays(ZONE, READY_AFTER, clock)

    @property
    def capabilities(self) -> FeedCapabilities:
        return FeedCapabilities(
            vendor="alipay",
            lag_hours=self._days.lag_hours,
            tried="a fake that signs, packs and refuses as Alipay's documents say; never the real gateway",
        )

    def settled(self, since: datetime, until: datetime, cursor: str | None) -> FeedPage:
        """One day's two bills.

        Raises:
            Retry: Alipay is out of reach or busy.
            Rejected: `payments_auth`, `payments_refused`, `unreadable_file` or `unreadable_bill` for a bill that we
                cannot read.
        """
        return self._days.page(since, until, cursor, self._bills)

    def balances(self) -> FeedPage:
        """What the account held after the last movement that a bill tells of; nothing where none has moved of late."""
        return self._days.newest_balance(lambda day: self._bill(day, "signcustomer"))

    def payment(self, payment_id: str) -> Payment | None:
        """A trade by its `trade_no`, or a refund by `trade_no/out_request_no`.

        Raises:
            Retry, Rejected: as :meth:`settled`; `invalid_payload` for an answer of an unknown shape.
        """
        found = _ID.fullmatch(payment_id)
        if found is None:
            return None
        asked_at = self._clock()
        if found["refund"]:
            content = {"trade_no": found["trade"], "out_request_no": found["refund"]}
            node = self._gateway.call("alipay.trade.fastpay.refund.query", content)
            return None if _is_absent(sub_code(node)) else refund_payment(require_done(node), self._account, asked_at)
        node = self._gateway.call("alipay.trade.query", {"trade_no": found["trade"]})
        return None if _is_absent(sub_code(node)) else trade_payment(require_done(node), self._account, asked_at)

    @property
    def _account(self) -> str:
        return self._context.account

    def _bills(self, day: date) -> Iterator[Fact]:
        for kind in _BILLS:
            yield from self._bill(day, kind)

    def _bill(self, day: date, kind: str) -> tuple[Fact, ...]:
        content = {"bill_type": kind, "bill_date": day.isoformat()}
        node = self._gateway.call("alipay.data.dataservice.bill.downloadurl.query", content)
        if _is_absent(sub_code(node)):
            return ()
        url = self._of_alipay(read(BillAddress, require_done(node), "Alipay").bill_download_url)
        bill = read_bill(download(self._http, url, most_bytes=MOST_BYTES), self._context)
        if bill.faults:
            first = bill.faults[0]
            raise Rejected(
                "unreadable_bill",
                f"the {kind} bill of {day} has {len(bill.faults)} rows that cannot be read: {first.code}",
                field=first.where,
                hint="download the bill and import it as a file to see all of them",
            )
        return bill.facts

    def _of_alipay(self, url: str) -> str:
        """The address is signed by Alipay; all the same, nothing is fetched from anywhere else, nor in the clear."""
        ours, theirs = urlsplit(self._address), place_of(url)
        if (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc):
            return url
        known = any(theirs.netloc == domain or theirs.netloc.endswith(f".{domain}") for domain in _DOMAINS)
        if theirs.scheme not in ("http", "https") or not known:
            raise refused("the bill's address is not one of Alipay's")
        return theirs._replace(scheme="https").geturl()


def _is_absent(reason: str) -> bool:
    return reason.replace("-", "_").endswith(("not_exist", "not_exists"))
