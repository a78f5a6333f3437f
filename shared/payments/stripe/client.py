"""One Stripe account by its API: movements on the balance, payouts, single payments.

Facts: stripe/stripe-python 15.3.1 and docs.stripe.com/api. Lists are the newest first, of at most 100; the next page
starts after an object's id. Only automatic payouts can be asked for their movements, so those are walked one by one:
that is how a line learns its payout.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import httpx

from shared.finance.models import Fact, Feed, Payment
from shared.kernel import strict_json
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected
from shared.payments.http import TIMEOUT, exchange, refused, refused_access
from shared.payments.lenient import read
from shared.payments.port import AccountContext, FeedCapabilities, FeedPage
from shared.payments.stripe import schemas
from shared.payments.stripe.mapping import intent_charges
from shared.payments.stripe.objects import (
    PROVIDER,
    Statement,
    balances,
    charge_payment,
    dispute_payment,
    payments_in,
    payout,
    refund_payment,
    settlement_line,
)

ADDRESS: Final = "https://api.stripe.com"
API_VERSION: Final = "2026-06-24.dahlia"
PAGE: Final = 100
_ID: Final = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
_CURSOR: Final = re.compile(
    r"(?P<stage>moved|issued|arriving)(?::(?P<after>[A-Za-z0-9_]{0,255}))?(?::(?P<line>[A-Za-z0-9_]{0,255}))?", re.ASCII
)
_TEST_KEYS: Final = ("sk_test_", "rk_test_")
_ACCESS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_STAGES: Final = {"issued": "created", "arriving": "arrival_date"}
"""Payouts are listed twice: by when they were made, and by when they arrive, for then their state changes."""
_Params = Mapping[str, str | int | list[str]]


class _Place(NamedTuple):
    """Where a walk through a window stands."""

    stage: str
    after: str = ""
    """The last movement that was told, or the payout whose turn it is or was."""
    line: str | None = None
    """While a payout's movements are walked: the last one of them; blank before the first."""

    def __str__(self) -> str:
        return ":".join(part for part in self if part is not None)


@misfits_are(refused)
class StripeClient:
    """A `PaymentFeed`. Credentials: `secret_key`, best a restricted key that may read balance, charges, disputes,
    checkout sessions, payment intents, payouts and refunds."""

    def __init__(
        self, context: AccountContext, address: str | None, credentials: Credentials, http: httpx.Client, clock: Clock
    ) -> None:
        self._context = context
        self._base = (address or ADDRESS).rstrip("/") + "/v1/"
        self._credentials = credentials
        self._http = http
        self._clock = clock

    @property
    def capabilities(self) -> FeedCapabilities:
        return FeedCapabilities(
            vendor="stripe",
            tried="a fake that pages, filters and refuses as Stripe's documentation says; never the real API",
        )

    def settled(self, since: datetime, until: datetime, cursor: str | None) -> FeedPage:
        """One page: first the movements that came about, with the charges, refunds and disputes behind them; then
        payout by payout, each followed by its movements.

        Raises:
            Retry: `payments_unreachable`, `payments_throttled`, `payments_failed`.
            Rejected: `payments_auth`, `payments_refused`, `invalid_payload`, `invalid_money`.
        """
        place = _place(cursor)
        window = {"[gte]": int(since.timestamp()), "[lt]": _seconds_up(until)}
        if place.stage == "moved":
            return self._moved(window, place)
        if place.line is None:
            return self._next_payout(window, place)
        return self._lines_of_payout(place, place.line)

    def balances(self) -> FeedPage:
        """What Stripe holds now, by currency; nothing in its test mode.

        Raises:
            Retry, Rejected: as :meth:`settled`.
        """
        asked_at = self._clock()
        told = read(schemas.Balance, self._get("balance"), PROVIDER)
        if told.livemode is False:
            return FeedPage((), None)
        return FeedPage(balances(told, self._context.account, asked_at), None)

    def payment(self, payment_id: str) -> Payment | None:
        """A charge, refund or dispute by its id; by that of a payment intent or a checkout session, its latest charge,
        with the references of all of them.

        Raises:
            Retry, Rejected: as :meth:`settled`.
        """
        ask = next((ask for prefix, ask in _LOOK_UPS.items() if payment_id.startswith(prefix)), None)
        if ask is None or not _ID.fullmatch(payment_id):
            return None
        said = self._said()
        told = self._find(f"{ask.resource}/{payment_id}", {"expand[]": list(ask.expanded)} if ask.expanded else {})
        return ask.mapped(told, said) if told is not None else None

    def _moved(self, window: Mapping[str, int], place: _Place) -> FeedPage:
        params: dict[str, str | int | list[str]] = {f"created{bound}": at for bound, at in window.items()}
        said = self._said()
        page = self._list("balance_transactions", params | {"expand[]": ["data.source"]}, place.after)
        facts: list[Fact] = []
        for item in page.items:
            line = read(schemas.BalanceTransaction, item, PROVIDER)
            facts += (settlement_line(line, said), *payments_in(line, said))
        following = _Place("moved", page.last) if page.has_more else _Place("issued")
        return FeedPage(tuple(facts), str(following))

    def _next_payout(self, window: Mapping[str, int], place: _Place) -> FeedPage:
        stage = place.stage
        params: dict[str, str | int | list[str]] = {f"{_STAGES[stage]}{bound}": at for bound, at in window.items()}
        said = self._said()
        page = self._list("payouts", params | {"limit": 1}, place.after)
        if not page.items:
            return FeedPage((), str(_Place("arriving")) if stage == "issued" else None)
        told = read(schemas.Payout, page.items[0], PROVIDER)
        facts = () if told.livemode is False else (payout(told, said),)
        is_itemised = told.automatic is not False
        return FeedPage(facts, str(_Place(stage, told.id, "" if is_itemised else None)))

    def _lines_of_payout(self, place: _Place, after: str) -> FeedPage:
        said = self._said()
        page = self._list("balance_transactions", {"payout": place.after, "expand[]": ["data.source"]}, after)
        lines = tuple(
            settlement_line(read(schemas.BalanceTransaction, item, PROVIDER), said, payout_id=place.after)
            for item in page.items
        )
        return FeedPage(lines, str(_Place(place.stage, place.after, page.last if page.has_more else None)))

    def _said(self) -> Statement:
        """As of now, before a question is put: so an event that overtakes its answer is never taken for older."""
        is_test = self._key(fresh=False).startswith(_TEST_KEYS)
        return Statement(self._context.account, self._clock(), Feed.API, is_test)

    def _list(self, resource: str, params: _Params, after: str) -> "_Page":
        asked = {"limit": PAGE, **params}
        answer = self._get(resource, asked | {"starting_after": after} if after else asked)
        items = answer.get("data")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise refused("Stripe answers with something other than a list")
        has_more = bool(answer.get("has_more")) and bool(items)
        return _Page(items, read(schemas.Expandable, items[-1], PROVIDER).id if items else "", has_more)

    def _get(self, path: str, params: _Params | None = None) -> Mapping[str, Any]:
        found = self._find(path, params or {})
        if found is None:
            raise refused(f"Stripe knows no {path.partition('/')[0]}")
        return found

    def _find(self, path: str, params: _Params) -> Mapping[str, Any] | None:
        """None where Stripe has no such object."""
        response = self._send(path, params, fresh=False)
        if response.status_code in _ACCESS:
            response = self._send(path, params, fresh=True)
        if response.status_code in _ACCESS:
            raise refused_access(f"Stripe refuses the key (HTTP {response.status_code}{_code_of(response)})")
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        if response.status_code != HTTPStatus.OK:
            raise refused(f"Stripe answers with HTTP {response.status_code}{_code_of(response)}")
        return _body(response)

    def _send(self, path: str, params: _Params, *, fresh: bool) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._key(fresh=fresh)}", "stripe-version": API_VERSION}
        return exchange(
            lambda: self._http.get(
                self._base + path, params=dict(params), headers=headers, follow_redirects=False, timeout=TIMEOUT
            )
        )

    def _key(self, *, fresh: bool) -> str:
        try:
            return self._credentials(fresh=fresh)["secret_key"]
        except KeyError as error:
            raise refused_access("the account's credentials lack secret_key") from error


class _Page(NamedTuple):
    items: list[dict[str, Any]]
    last: str
    has_more: bool


def _place(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place("moved")
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise refused("the place to go on from is none of Stripe's", hint="start again without a cursor")
    return _Place(found["stage"], found["after"] or "", found["line"])


def _seconds_up(instant: datetime) -> int:
    return -int(-instant.timestamp() // 1)


def _body(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = strict_json.parse(response.content)
    except Rejected as error:
        raise refused(f"Stripe's answer is not JSON ({error.code})") from error
    if not isinstance(body, dict):
        raise refused("Stripe answers with something other than an object")
    return body


def _code_of(response: httpx.Response) -> str:
    """Stripe's own code of the error. Its message may name the object, so it stays out."""
    try:
        error = _body(response).get("error")
    except Rejected:
        return ""
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    return f", {code}" if isinstance(code, str) and _ID.fullmatch(code) else ""


def _charge(told: Mapping[str, Any], said: Statement) -> Payment:
    return charge_payment(read(schemas.Charge, told, PROVIDER), said)


def _refund(told: Mapping[str, Any], said: Statement) -> Payment:
    return refund_payment(read(schemas.Refund, told, PROVIDER), said)


def _dispute(told: Mapping[str, Any], said: Statement) -> Payment:
    return dispute_payment(read(schemas.Dispute, told, PROVIDER), said)


def _intent(told: Mapping[str, Any], said: Statement) -> Payment | None:
    charges = intent_charges(read(schemas.PaymentIntent, told, PROVIDER), said)
    return charges[-1] if charges else None


def _session(told: Mapping[str, Any], said: Statement) -> Payment | None:
    session = read(schemas.CheckoutSession, told, PROVIDER)
    if not isinstance(session.payment_intent, schemas.PaymentIntent):
        return None
    charges = intent_charges(session.payment_intent, said, *session.references)
    return charges[-1] if charges else None


class _LookUp(NamedTuple):
    resource: str
    mapped: Callable[[Mapping[str, Any], Statement], Payment | None]
    expanded: tuple[str, ...] = ()


_OF_CHARGE: Final = _LookUp("charges", _charge, ("payment_intent",))
_OF_REFUND: Final = _LookUp("refunds", _refund)
_OF_DISPUTE: Final = _LookUp("disputes", _dispute)
_LOOK_UPS: Final = {
    "ch_": _OF_CHARGE,
    "py_": _OF_CHARGE,
    "pyr_": _OF_REFUND,
    "re_": _OF_REFUND,
    "dp_": _OF_DISPUTE,
    "du_": _OF_DISPUTE,
    "pi_": _LookUp("payment_intents", _intent, ("latest_charge",)),
    "cs_": _LookUp("checkout/sessions", _session, ("payment_intent.latest_charge",)),
}
