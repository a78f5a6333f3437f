"""One merchant at WeChat Pay, by its API v3: bills day by day, and single payments."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

import httpx

from shared.finance.models import Fact, Payment
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected
from shared.payments.bill_days import BillDays
from shared.payments.http import refused
from shared.payments.lenient import read
from shared.payments.port import AccountContext, FeedCapabilities, FeedPage
from shared.payments.wechatpay.api import WeChatPayApi, require_done
from shared.payments.wechatpay.bills import MOST_BYTES, read_bill
from shared.payments.wechatpay.mapping import ZONE, transaction_payment
from shared.payments.wechatpay.schemas import BillAddress

READY_AFTER: Final = timedelta(hours=10)
"""After a day's end, in China. Source: the error code STATEMENT_CREATING, which says ten o'clock of the balance's
bills."""
_BILLS: Final = ("tradebill", "fundflowbill")
_NO_BILL: Final = "NO_STATEMENT_EXIST"
_NO_PAYMENT: Final = frozenset({"ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"})
_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)


@misfits_are(refused)
class WeChatPayClient:
    """A `PaymentFeed`. Credentials as :class:`~shared.payments.wechatpay.api.WeChatPayApi` says."""

    def __init__(
        self, context: AccountContext, address: str | None, credentials: Credentials, http: httpx.Client, clock: Clock
    ) -> None:
        """Raises:
        Rejected: `bad_configuration`, for an account without a merchant id.
        """
        if context.merchant_id is None:
            raise Rejected("bad_configuration", "WeChat Pay is asked by the merchant's number", field="merchant_id")
        self._context = context
        self._merchant_id = context.merchant_id
        self._api = WeChatPayApi(context.merchant_id, address, credentials, http, clock)
        self._clock = clock
        self._days = BillDays(ZONE, READY_AFTER, clock)

    @property
    def capabilities(self) -> FeedCapabilities:
        return FeedCapabilities(
            vendor="wechatpay",
            lag_hours=self._days.lag_hours,
            tried="a fake that signs, encrypts and refuses as WeChat's documents say; never the real API",
        )

    def settled(self, since: datetime, until: datetime, cursor: str | None) -> FeedPage:
        """One day's two bills.

        Raises:
            Retry: WeChat Pay is out of reach, busy, or has not made a bill yet.
            Rejected: `payments_auth`, `payments_refused`, `unreadable_file` or `unreadable_bill` for a bill that we
                cannot read.
        """
        return self._days.page(since, until, cursor, self._bills)

    def balances(self) -> FeedPage:
        """What the account held after the last movement that a bill tells of; nothing where none has moved of late."""
        return self._days.newest_balance(lambda day: self._bill(day, "fundflowbill"))

    def payment(self, payment_id: str) -> Payment | None:
        """A payment by its `transaction_id`. Refunds cannot be asked for by the id that WeChat gives them.

        Raises:
            Retry, Rejected: as :meth:`settled`; `invalid_payload` for an answer of an unknown shape.
        """
        if _ID.fullmatch(payment_id) is None:
            return None
        asked_at = self._clock()
        answer = self._api.get(f"/v3/pay/transactions/id/{payment_id}", {"mchid": self._merchant_id})
        if answer.error in _NO_PAYMENT:
            return None
        return transaction_payment(require_done(answer), self._context, asked_at)

    def _bills(self, day: date) -> Iterator[Fact]:
        for kind in _BILLS:
            yield from self._bill(day, kind)

    def _bill(self, day: date, kind: str) -> tuple[Fact, ...]:
        answer = self._api.get(f"/v3/bill/{kind}", {"bill_date": day.isoformat()})
        if answer.error == _NO_BILL:
            return ()
        place = read(BillAddress, require_done(answer), "WeChat Pay")
        bill = read_bill(self._api.file(place, most_bytes=MOST_BYTES), self._context)
        if bill.faults:
            first = bill.faults[0]
            raise Rejected(
                "unreadable_bill",
                f"the {kind} of {day} has {len(bill.faults)} places that cannot be read: {first.code}",
                field=first.where,
                hint="download the bill and import it as a file to see all of them",
            )
        return bill.facts
