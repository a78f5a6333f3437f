"""A PayPal account in memory, spoken to over HTTP: what a reconciliation asks of it.

Built from developer.paypal.com and paypal/paypal-rest-api-specifications, never compared with the real API. As
documented: tokens for client credentials, that end; a search of at most 31 days, of pages of at most 500, of at most
10,000 rows, by when a transaction began; balances by currency; errors are `{"name", "message", "debug_id"}`. Buyers are
told of wherever PayPal tells of them.
"""

import base64
import itertools
import json
from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from math import ceil
from typing import Any
from urllib.parse import parse_qs

import httpx

from infra.samples import paypal as samples
from shared.kernel.clock import Clock, parse_time
from shared.kernel.money import currency_exponent

Json = dict[str, Any]
CLIENT_ID = "an-app"
CLIENT_SECRET = "a-made-up-secret"  # noqa: S105 - opens nothing
_LONGEST = timedelta(days=31)
_TOKEN_LIFE = timedelta(hours=9)
_MOST_PAGE = 500


class ApiError(Exception):
    def __init__(self, status: int, name: str) -> None:
        super().__init__(name)
        self.status = status
        self.name = name


class FakePayPal:
    """One account. An instance is a handler for `httpx.MockTransport`. Amounts are minor units by ISO 4217."""

    def __init__(self, clock: Clock, *, client_id: str = CLIENT_ID, client_secret: str = CLIENT_SECRET) -> None:
        self._clock = clock
        self.app = (client_id, client_secret)
        self.most_rows = 10_000
        self.requests: list[str] = []
        """Method and target of each request that was made with a token that holds."""
        self.tokens_granted = 0
        self._troubles: deque[int] = deque()
        self._tokens: dict[str, datetime] = {}
        self._numbers = itertools.count(1)
        self._transactions: list[Json] = []
        self._objects: dict[tuple[str, str], Json] = {}

    # What happens in the account

    def pay(self, minor: int, currency: str, at: datetime, *, fee: int = 0, **members: Any) -> str:
        """A buyer pays; the id of the capture. `members`: `invoice_id`, `custom_id`."""
        capture_id = self._new_id()
        capture = samples.capture(
            id=capture_id, amount=_money(minor, currency), create_time=_z(at), update_time=_z(at), **members
        )
        self._objects["captures", capture_id] = capture
        self.move(
            "T0006",
            minor,
            currency,
            at,
            fee=fee,
            transaction_id=capture_id,
            invoice_id=capture["invoice_id"],
            custom_field=capture["custom_id"],
        )
        return capture_id

    def give_back(self, capture_id: str, minor: int, at: datetime) -> str:
        """Money goes back to the buyer; the id of the refund."""
        capture, refund_id = self._objects["captures", capture_id], self._new_id()
        currency = capture["amount"]["currency_code"]
        link = {"href": f"https://api.paypal.com/v2/payments/captures/{capture_id}", "rel": "up"}
        self._objects["refunds", refund_id] = samples.refund(
            id=refund_id, amount=_money(minor, currency), links=[link], create_time=_z(at), update_time=_z(at)
        )
        self.move(
            "T1107",
            -minor,
            currency,
            at,
            transaction_id=refund_id,
            paypal_reference_id=capture_id,
            paypal_reference_id_type="TXN",
            invoice_id=capture["invoice_id"],
            custom_field=capture["custom_id"],
        )
        return refund_id

    def dispute(self, capture_id: str, at: datetime, **members: Any) -> str:
        """A buyer complains, and the money is held; the id of the dispute."""
        capture, number = self._objects["captures", capture_id], next(self._numbers)
        dispute_id = f"PP-D-{number}"
        disputed = {"seller_transaction_id": capture_id, "invoice_number": capture["invoice_id"]}
        self._objects["disputes", dispute_id] = samples.dispute(
            dispute_id=dispute_id,
            disputed_transactions=[disputed],
            dispute_amount=capture["amount"],
            create_time=_z(at),
            update_time=_z(at),
            **members,
        )
        return dispute_id

    def move(self, code: str, minor: int, currency: str, at: datetime, *, fee: int = 0, **members: Any) -> str:
        """A movement with this T-code; its transaction id."""
        info = {
            "transaction_id": self._new_id(),
            "transaction_event_code": code,
            "transaction_initiation_date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "transaction_amount": _money(minor, currency),
            "fee_amount": _money(-fee, currency) if fee else None,
            "invoice_id": None,
            "custom_field": None,
        }
        told = samples.transaction(**(info | members))
        self._transactions.append(told)
        return str(told["transaction_info"]["transaction_id"])

    def answer_next(self, *statuses: int) -> None:
        """The next requests with a token that holds are answered with these statuses, whatever they ask."""
        self._troubles.extend(statuses)

    def forget_tokens(self) -> None:
        """Every token that was granted is refused from now on."""
        self._tokens.clear()

    def held(self) -> dict[str, int]:
        """What the account holds, in minor units by currency."""
        sums: dict[str, int] = {}
        for told in self._transactions:
            for name in ("transaction_amount", "fee_amount"):
                amount = told["transaction_info"][name]
                if amount is not None:
                    currency = amount["currency_code"]
                    sums[currency] = sums.get(currency, 0) + _minor(amount)
        return sums

    def _new_id(self) -> str:
        return f"{next(self._numbers):08d}XV020574X"

    # What callers of its API meet

    def __call__(self, request: httpx.Request) -> httpx.Response:
        try:
            return _json(HTTPStatus.OK, self._answer(request))
        except ApiError as error:
            message = "Zoë Ünal cannot be served"  # such texts may say anything
            return _json(error.status, {"name": error.name, "message": message, "debug_id": "b1d1f06c7246c"})

    def _answer(self, request: httpx.Request) -> Json:
        path = request.url.path
        if path == "/v1/oauth2/token":
            return self._grant(request)
        self._admit(request)
        if request.method == "GET" and path == "/v1/reporting/transactions":
            return self._search(request.url.params)
        if request.method == "GET" and path == "/v1/reporting/balances":
            return self._balances()
        _, _, rest = path.partition("/payments/" if "/payments/" in path else "/customer/")
        resource, _, object_id = rest.partition("/")
        found = self._objects.get((resource, object_id))
        if found is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "RESOURCE_NOT_FOUND")
        return found

    def _grant(self, request: httpx.Request) -> Json:
        wanted = base64.b64encode(":".join(self.app).encode()).decode()
        asked = parse_qs(request.read().decode())
        if request.headers.get("authorization") != f"Basic {wanted}":
            raise ApiError(HTTPStatus.UNAUTHORIZED, "invalid_client")
        if request.method != "POST" or asked != {"grant_type": ["client_credentials"]}:
            raise ApiError(HTTPStatus.BAD_REQUEST, "unsupported_grant_type")
        self.tokens_granted += 1
        token = f"A21AA-{self.tokens_granted}"
        self._tokens[token] = self._clock() + _TOKEN_LIFE
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(_TOKEN_LIFE.total_seconds())}

    def _admit(self, request: httpx.Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, self._clock()) <= self._clock():
            raise ApiError(HTTPStatus.UNAUTHORIZED, "AUTHENTICATION_FAILURE")
        self.requests.append(f"{request.method} {request.url.raw_path.decode()}")
        if self._troubles:
            raise ApiError(self._troubles.popleft(), "MADE_UP_TROUBLE")

    def _search(self, params: httpx.QueryParams) -> Json:
        since, until = parse_time(params["start_date"]), parse_time(params["end_date"])
        size, page = int(params.get("page_size", "100")), int(params.get("page", "1"))
        if not timedelta(0) <= until - since <= _LONGEST or not 1 <= size <= _MOST_PAGE:
            raise ApiError(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST")
        found = [told for told in self._transactions if since <= _began(told) <= until]
        found.sort(key=_began)
        if len(found) > self.most_rows:
            raise ApiError(HTTPStatus.BAD_REQUEST, "RESULTSET_TOO_LARGE")
        shown = found[(page - 1) * size : page * size]
        only = params.get("fields", "transaction_info")
        details = shown if only == "all" else [{only: told[only]} for told in shown]
        return {
            "transaction_details": details,
            "account_number": samples.MERCHANT_ID,
            "last_refreshed_datetime": _z(self._clock()),
            "page": page,
            "total_items": len(found),
            "total_pages": ceil(len(found) / size),
        }

    def _balances(self) -> Json:
        held = [
            {"currency": currency, "primary": False, "total_balance": _money(amount, currency)}
            for currency, amount in self.held().items()
        ]
        return {"balances": held, "account_id": samples.MERCHANT_ID, "as_of_time": _z(self._clock())}


def _money(minor: int, currency: str) -> Json:
    return samples.money(f"{Decimal(minor).scaleb(-currency_exponent(currency)):f}", currency)


def _minor(amount: Json) -> int:
    return int(Decimal(amount["value"]).scaleb(currency_exponent(amount["currency_code"])))


def _began(told: Json) -> datetime:
    return parse_time(told["transaction_info"]["transaction_initiation_date"])


def _z(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(status: int, body: Json) -> httpx.Response:
    content = json.dumps(body, ensure_ascii=False).encode("utf-8")
    return httpx.Response(status, content=content, headers={"content-type": "application/json"})
