"""One PayPal account by its API: movements on the balance, and single payments.

Facts: paypal/paypal-rest-api-specifications and developer.paypal.com, "Transaction Search". A search covers 31 days at
most, and 10,000 rows; its pages have 500 at most. Only what the transaction itself says is asked for: payer, cart and
addresses are not needed, so they are not fetched.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx

from shared.finance.models import Fact, Feed, Payment
from shared.kernel import strict_json
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock, parse_time
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected, Retry
from shared.payments.http import TIMEOUT, exchange, refused, refused_access
from shared.payments.lenient import read
from shared.payments.paypal import schemas
from shared.payments.paypal.codes import moves
from shared.payments.paypal.movements import facts_of
from shared.payments.paypal.objects import (
    PROVIDER,
    Statement,
    authorisation_payment,
    balances,
    capture_payment,
    dispute_payment,
    movement_of,
    refund_payment,
)
from shared.payments.port import AccountContext, FeedCapabilities, FeedPage

ADDRESS: Final = "https://api-m.paypal.com"
LONGEST_SEARCH: Final = timedelta(days=31)
LAG_HOURS: Final = 3
"""How long PayPal may take until a transaction is found; by its documentation."""
PAGE: Final = 500
_SHORTEST_SEARCH: Final = timedelta(minutes=1)
_TOO_MANY_ROWS: Final = "RESULTSET_TOO_LARGE"
_INVALID: Final = "INVALID_REQUEST"
_NOT_REFRESHED: Final = timedelta(days=1)
"""A search that begins after PayPal's data were refreshed last is an invalid request there: from general knowledge, not
checked. Of a time that is longer past, it is our fault and final."""
_DENIED: Final = "D"
_DISPUTE: Final = "PP-"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_CURSOR: Final = re.compile(r"(?P<since>[0-9TZ:-]{20})/(?P<until>[0-9TZ:-]{20})/(?P<page>[1-9][0-9]{0,4})", re.ASCII)
_ACCESS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_TOKEN: Final = re.compile(r"[!-~]{1,4096}", re.ASCII)
_LONGEST_TOKEN_SECONDS: Final = 86_400
_EARLY: Final = timedelta(minutes=1)
"""How long before its end a token is no longer used."""
_Params = Mapping[str, str | int]


class _Place(NamedTuple):
    """The search that is under way, and which of its pages comes next."""

    since: datetime
    until: datetime
    page: int = 1

    def __str__(self) -> str:
        return f"{_written(self.since)}/{_written(self.until)}/{self.page}"


class _Token(NamedTuple):
    text: str
    ends_at: datetime


@misfits_are(refused)
class PayPalClient:
    """A `PaymentFeed`. Credentials: `client_id` and `client_secret` of a REST app with the feature Transaction Search.
    PayPal takes up to nine hours to grant that."""

    def __init__(
        self, context: AccountContext, address: str | None, credentials: Credentials, http: httpx.Client, clock: Clock
    ) -> None:
        self._context = context
        self._base = (address or ADDRESS).rstrip("/")
        self._is_sandbox = ".sandbox." in (urlsplit(self._base).hostname or "")
        self._credentials = credentials
        self._http = http
        self._clock = clock
        self._token: _Token | None = None

    @property
    def capabilities(self) -> FeedCapabilities:
        return FeedCapabilities(
            vendor="paypal",
            lag_hours=LAG_HOURS,
            tried="a fake that pages, bounds and refuses as PayPal's documentation says; never the real API",
        )

    def settled(self, since: datetime, until: datetime, cursor: str | None) -> FeedPage:
        """One page of one search. A window longer than PayPal allows is searched in parts; one with more rows than it
        gives, in halves.

        Raises:
            Retry: `payments_unreachable`, `payments_throttled`, `payments_failed`.
            Rejected: `payments_auth`, `payments_refused`, `invalid_payload`, `invalid_money`, `invalid_time`.
        """
        end = _whole_second(until)
        place = _place(cursor) if cursor is not None else _search(since.replace(microsecond=0), end)
        asked_at = self._clock()
        response = self._call("/v1/reporting/transactions", _asked(place))
        if response.status_code == HTTPStatus.BAD_REQUEST:
            name = _name_of(response)
            if name == _TOO_MANY_ROWS:
                return FeedPage((), str(_halved(place)))
            if name == _INVALID and place.since > asked_at - _NOT_REFRESHED:
                raise Retry("payments_failed", "PayPal has nothing to tell of so recent a time yet")
        page = read(schemas.TransactionPage, _judged(response), PROVIDER)
        if page.transaction_details is None and page.total_pages is None:
            raise refused("PayPal answers with something other than a list")
        details = page.transaction_details or ()
        facts = tuple(fact for detail in details for fact in self._facts(detail.transaction_info, asked_at))
        return FeedPage(facts, _after(place, page.total_pages or 0, end))

    def balances(self) -> FeedPage:
        """What PayPal held when it last counted, by currency; nothing in its sandbox.

        Raises:
            Retry, Rejected: as :meth:`settled`.
        """
        if self._is_sandbox:
            return FeedPage((), None)
        asked_at = self._clock()
        answer = _judged(self._call("/v1/reporting/balances", {"currency_code": "ALL"}))
        return FeedPage(balances(read(schemas.Balances, answer, PROVIDER), self._context.account, asked_at), None)

    def payment(self, payment_id: str) -> Payment | None:
        """A capture, refund, authorisation or dispute by its id, which tells only of a dispute what it is.

        Raises:
            Retry, Rejected: as :meth:`settled`.
        """
        if not _ID.fullmatch(payment_id):
            return None
        said = Statement(self._context.account, self._clock(), Feed.API, self._is_sandbox)
        if payment_id.startswith(_DISPUTE):
            told = self._find(f"/v1/customer/disputes/{payment_id}")
            return dispute_payment(read(schemas.Dispute, told, PROVIDER), said) if told is not None else None
        for resource, mapped in _LOOK_UPS.items():
            told = self._find(f"/v2/payments/{resource}/{payment_id}")
            if told is not None:
                return mapped(read(schemas.Transaction, told, PROVIDER), said)
        return None

    def _facts(self, told: schemas.TransactionInfo, asked_at: datetime) -> tuple[Fact, ...]:
        """What PayPal lists has moved, pending or not; what it denied, and what it only shows, has not."""
        if told.transaction_status == _DENIED or not moves(told.transaction_event_code):
            return ()
        return facts_of(movement_of(told), self._context.account, Feed.API, asked_at, test=self._is_sandbox)

    def _find(self, path: str) -> Mapping[str, Any] | None:
        """None where PayPal has no such object."""
        response = self._call(path, {})
        return None if response.status_code == HTTPStatus.NOT_FOUND else _judged(response)

    def _call(self, path: str, params: _Params) -> httpx.Response:
        """With a token; a refused one is replaced once, by credentials that were read anew."""
        response = self._send(path, params, self._bearer())
        if response.status_code in _ACCESS:
            self._token = self._granted(fresh=True)
            response = self._send(path, params, self._token.text)
        if response.status_code in _ACCESS:
            raise refused_access(f"PayPal refuses our app (HTTP {response.status_code}{_shown(_name_of(response))})")
        return response

    def _send(self, path: str, params: _Params, token: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        return exchange(
            lambda: self._http.get(
                self._base + path, params=dict(params), headers=headers, follow_redirects=False, timeout=TIMEOUT
            )
        )

    def _bearer(self) -> str:
        if self._token is None or self._token.ends_at <= self._clock():
            self._token = self._granted(fresh=False)
        return self._token.text

    def _granted(self, *, fresh: bool) -> _Token:
        """A token for our credentials; for fresh ones, where those that were kept are refused."""
        asked_at = self._clock()
        response = self._ask_for_token(fresh=fresh)
        if response.status_code in _ACCESS and not fresh:
            response = self._ask_for_token(fresh=True)
        if response.status_code in _ACCESS:
            raise refused_access(f"PayPal refuses the app's id and secret (HTTP {response.status_code})")
        answer = _judged(response)
        text, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(text, str) or not _TOKEN.fullmatch(text) or not isinstance(seconds, int):
            raise refused("PayPal answers with something other than a token")
        return _Token(text, asked_at + timedelta(seconds=min(max(seconds, 0), _LONGEST_TOKEN_SECONDS)) - _EARLY)

    def _ask_for_token(self, *, fresh: bool) -> httpx.Response:
        credentials = self._credentials(fresh=fresh)
        try:
            app = (credentials["client_id"], credentials["client_secret"])
        except KeyError as error:
            raise refused_access(f"the account's credentials lack {error.args[0]}") from error
        return exchange(
            lambda: self._http.post(
                f"{self._base}/v1/oauth2/token",
                data={"grant_type": "client_credentials"},
                auth=app,
                follow_redirects=False,
                timeout=TIMEOUT,
            )
        )


_LOOK_UPS: Final = {
    "captures": capture_payment,
    "refunds": refund_payment,
    "authorizations": authorisation_payment,
}


def _place(cursor: str) -> _Place:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise refused("the place to go on from is none of PayPal's", hint="start again without a cursor")
    since, until = (parse_time(found[name], field="cursor") for name in ("since", "until"))
    return _Place(since, until, int(found["page"]))


def _search(since: datetime, end: datetime) -> _Place:
    return _Place(since, min(since + LONGEST_SEARCH - timedelta(seconds=1), end))


def _halved(place: _Place) -> _Place:
    length = place.until - place.since
    if length <= _SHORTEST_SEARCH:
        raise refused("PayPal has more transactions within a minute than it lists")
    return _Place(place.since, (place.since + length / 2).replace(microsecond=0))


def _after(place: _Place, pages: int, end: datetime) -> str | None:
    """The next page, or else the next search, which begins with the last one's last second: nothing falls between."""
    if place.page < pages:
        return str(place._replace(page=place.page + 1))
    return str(_search(place.until, end)) if place.until < end else None


def _asked(place: _Place) -> _Params:
    return {
        "start_date": _written(place.since),
        "end_date": _written(place.until),
        "fields": "transaction_info",
        "balance_affecting_records_only": "Y",
        "page_size": PAGE,
        "page": place.page,
    }


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole_second(instant: datetime) -> datetime:
    return instant if not instant.microsecond else instant.replace(microsecond=0) + timedelta(seconds=1)


def _judged(response: httpx.Response) -> Mapping[str, Any]:
    if response.status_code != HTTPStatus.OK:
        raise refused(f"PayPal answers with HTTP {response.status_code}{_shown(_name_of(response))}")
    return _body(response)


def _body(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = strict_json.parse(response.content)
    except Rejected as error:
        raise refused(f"PayPal's answer is not JSON ({error.code})") from error
    if not isinstance(body, dict):
        raise refused("PayPal answers with something other than an object")
    return body


def _name_of(response: httpx.Response) -> str | None:
    """PayPal's own name of the error. Its message may name people, so it stays out."""
    try:
        body = _body(response)
    except Rejected:
        return None
    name = body.get("name") or body.get("error")
    return name if isinstance(name, str) and _ID.fullmatch(name) else None


def _shown(name: str | None) -> str:
    return f", {name}" if name else ""
