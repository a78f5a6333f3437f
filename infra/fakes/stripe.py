"""A Stripe account in memory, spoken to over HTTP: the part of API v1 that a reconciliation reads.

Built from docs.stripe.com/api and Stripe's OpenAPI description, never compared with the real API. As documented: lists
are the newest first, of 10 unless told otherwise and 100 at most, and go on after an id that has to exist; `created`
and `arrival_date` are filtered by bounds; `payout` lists the movements of an automatic payout and refuses another; what
is asked for is expanded; errors are `{"error": {"type", "code", "message"}}`. Every charge names a buyer, as real ones
do.
"""

import itertools
import json
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx

from infra.samples import stripe as samples
from shared.payments.stripe.amounts import stripe_amount

Json = dict[str, Any]
_MOST = 100
_USUAL = 10
_RESERVED = "risk_reserved_funds"
_LISTS = ("balance_transactions", "payouts", "charges", "refunds", "disputes")


class ApiError(Exception):
    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message or code.replace("_", " ")


class FakeStripe:
    """One account. An instance is a handler for `httpx.MockTransport`. Amounts are minor units by ISO 4217."""

    def __init__(self, key: str = "sk_made_up") -> None:
        self.key = key
        self.requests: list[str] = []
        """Method and target of each request that was made with the right key."""
        self._troubles: deque[int] = deque()
        self._numbers = itertools.count(1)
        self._objects: dict[str, dict[str, Json]] = {}
        self._payout_of: dict[str, str] = {}

    # What happens in the account

    def charge(
        self, minor: int, currency: str, at: datetime, *, metadata: Mapping[str, str] | None = None, fee: int = 0
    ) -> str:
        """A buyer pays; the id of the charge."""
        amount, kept = stripe_amount(minor, currency), stripe_amount(fee, currency)
        number, created = next(self._numbers), int(at.timestamp())
        intent = samples.payment_intent(
            id=f"pi_{number}",
            amount=amount,
            amount_received=amount,
            created=created,
            currency=currency.lower(),
            latest_charge=f"ch_{number}",
            metadata=dict(metadata or {}),
        )
        charge = samples.charge(
            id=f"ch_{number}",
            amount=amount,
            amount_captured=amount,
            balance_transaction=f"txn_{number}",
            created=created,
            currency=currency.lower(),
            metadata=dict(metadata or {}),
            payment_intent=intent["id"],
        )
        self._add("payment_intents", intent)
        self._add("charges", charge)
        self._move(f"txn_{number}", "charge", amount, currency, created, source=charge["id"], fee=kept)
        return str(charge["id"])

    def refund(self, charge_id: str, minor: int, at: datetime, **members: Any) -> str:
        """Money goes back to the buyer; the id of the refund."""
        charge, number, created = self._objects["charges"][charge_id], next(self._numbers), int(at.timestamp())
        amount = stripe_amount(minor, charge["currency"].upper())
        refund = samples.refund(
            id=f"re_{number}",
            amount=amount,
            charge=charge_id,
            created=created,
            currency=charge["currency"],
            payment_intent=charge["payment_intent"],
            balance_transaction=f"txn_{number}",
            **members,
        )
        charge["amount_refunded"] += amount
        self._add("refunds", refund)
        self._move(f"txn_{number}", "refund", -amount, charge["currency"], created, source=refund["id"])
        return str(refund["id"])

    def dispute(self, charge_id: str, at: datetime, *, fee: int = 0, status: str = "needs_response") -> str:
        """A buyer's bank takes the charge back; the id of the dispute."""
        charge, number, created = self._objects["charges"][charge_id], next(self._numbers), int(at.timestamp())
        dispute = samples.dispute(
            id=f"dp_{number}",
            amount=charge["amount"],
            charge=charge_id,
            created=created,
            currency=charge["currency"],
            payment_intent=charge["payment_intent"],
            status=status,
        )
        self._add("disputes", dispute)
        kept = stripe_amount(fee, charge["currency"].upper())
        self._move(
            f"txn_{number}", "dispute", -charge["amount"], charge["currency"], created, source=dispute["id"], fee=kept
        )
        return str(dispute["id"])

    def move(self, category: str, minor: int, currency: str, at: datetime) -> str:
        """A movement of any category, that comes from nothing else; its id."""
        line_id = f"txn_{next(self._numbers)}"
        self._move(line_id, category, stripe_amount(minor, currency), currency, int(at.timestamp()))
        return line_id

    def pay_out(
        self, currency: str, at: datetime, *, arrives: datetime, automatic: bool = True, minor: int | None = None
    ) -> str:
        """Send what is there to the bank: all movements that no payout has, or an amount by hand; the payout's id."""
        open_lines = [
            line
            for line in self._objects.get("balance_transactions", {}).values()
            if line["currency"] == currency.lower() and line["id"] not in self._payout_of
        ]
        amount = sum(line["net"] for line in open_lines) if minor is None else stripe_amount(minor, currency)
        number, created = next(self._numbers), int(at.timestamp())
        payout = samples.payout(
            id=f"po_{number}",
            amount=amount,
            arrival_date=int(arrives.timestamp()),
            automatic=automatic,
            balance_transaction=f"txn_{number}",
            created=created,
            currency=currency.lower(),
        )
        self._add("payouts", payout)
        self._move(f"txn_{number}", "payout", -amount, currency, created, source=payout["id"])
        if automatic:
            self._payout_of.update({line["id"]: payout["id"] for line in open_lines})
        self._payout_of[f"txn_{number}"] = payout["id"]
        return str(payout["id"])

    def arrive(self, payout_id: str) -> None:
        """The bank has it."""
        self._objects["payouts"][payout_id]["status"] = "paid"

    def check_out(self, charge_id: str, client_reference_id: str) -> str:
        """The charge was paid on Stripe's own page; the id of the session."""
        charge = self._objects["charges"][charge_id]
        session = samples.checkout_session(
            id=f"cs_live_{next(self._numbers)}",
            client_reference_id=client_reference_id,
            payment_intent=charge["payment_intent"],
        )
        self._add("checkout/sessions", session)
        return str(session["id"])

    def shown(self, resource: str, object_id: str) -> Json:
        """What the API shows of it: for events, and to change it."""
        return self._objects[resource][object_id]

    def answer_next(self, *statuses: int) -> None:
        """The next requests are answered with these statuses, whatever they ask."""
        self._troubles.extend(statuses)

    def held(self) -> dict[str, int]:
        """What the account holds, its reserve included, in Stripe's units, by currency in small letters."""
        sums = self._reserved()
        for line in self._objects.get("balance_transactions", {}).values():
            sums[line["currency"]] = sums.get(line["currency"], 0) + line["net"]
        return sums

    @property
    def movements(self) -> int:
        """How many movements there are on the balance."""
        return len(self._objects.get("balance_transactions", {}))

    def _add(self, resource: str, told: Json) -> None:
        self._objects.setdefault(resource, {})[str(told["id"])] = told

    def _move(
        self,
        line_id: str,
        category: str,
        amount: int,
        currency: str,
        created: int,
        *,
        source: str | None = None,
        fee: int = 0,
    ) -> None:
        line = samples.balance_transaction(
            id=line_id,
            amount=amount,
            available_on=created + 172_800,
            created=created,
            currency=currency.lower(),
            fee=fee,
            net=amount - fee,
            reporting_category=category,
            source=source,
            type=category,
        )
        self._add("balance_transactions", line)

    # What callers of its API meet

    def __call__(self, request: httpx.Request) -> httpx.Response:
        try:
            self._admit(request)
            return _json(HTTPStatus.OK, self._answer(request))
        except ApiError as error:
            told = {"type": "invalid_request_error", "code": error.code, "message": error.message}
            return _json(error.status, {"error": told})

    def _admit(self, request: httpx.Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise ApiError(HTTPStatus.UNAUTHORIZED, "api_key_invalid", "Invalid API Key provided")
        self.requests.append(f"{request.method} {request.url.raw_path.decode()}")
        if self._troubles:
            raise ApiError(self._troubles.popleft(), "made_up_trouble")

    def _answer(self, request: httpx.Request) -> Json:
        path = request.url.path.removeprefix("/v1/")
        params = request.url.params
        if request.method != "GET" or not request.url.path.startswith("/v1/"):
            raise ApiError(HTTPStatus.NOT_FOUND, "url_invalid")
        if path == "balance":
            return self._balance()
        if path in _LISTS:
            return self._listed(path, params)
        resource, _, object_id = path.rpartition("/")
        found = self._objects.get(resource, {}).get(object_id)
        if found is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "resource_missing", f"No such object: {object_id}")
        return self._expanded(found, params.get_list("expand[]"))

    def _balance(self) -> Json:
        """What is kept in reserve is no part of what is available, and is told beside it."""
        reserved = self._reserved()
        held = [
            {"amount": amount - reserved.get(currency, 0), "currency": currency}
            for currency, amount in sorted(self.held().items())
        ]
        kept = [{"amount": amount, "currency": currency} for currency, amount in sorted(reserved.items())]
        more = {"risk_reserved": {"available": kept, "pending": []}} if kept else {}
        pending = [{"amount": 0, "currency": item["currency"]} for item in held]
        return samples.balance(available=held, pending=pending, **more)

    def _reserved(self) -> dict[str, int]:
        sums: dict[str, int] = {}
        for line in self._objects.get("balance_transactions", {}).values():
            if line["reporting_category"] == _RESERVED:
                sums[line["currency"]] = sums.get(line["currency"], 0) - line["net"]
        return sums

    def _listed(self, resource: str, params: httpx.QueryParams) -> Json:
        items = sorted(self._objects.get(resource, {}).values(), key=_newest_first)
        items = [item for item in items if _is_within(item, params)]
        if "payout" in params:
            items = self._of_payout(items, params["payout"])
        limit = int(params.get("limit", _USUAL))
        if not 1 <= limit <= _MOST:
            raise ApiError(HTTPStatus.BAD_REQUEST, "parameter_invalid_integer")
        start = _index_after(items, params.get("starting_after"))
        page = items[start : start + limit]
        expanded = [part.removeprefix("data.") for part in params.get_list("expand[]")]
        return {
            "object": "list",
            "data": [self._expanded(item, expanded) for item in page],
            "has_more": start + limit < len(items),
            "url": f"/v1/{resource}",
        }

    def _of_payout(self, items: list[Json], payout_id: str) -> list[Json]:
        payout = self._objects.get("payouts", {}).get(payout_id)
        if payout is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "resource_missing")
        if not payout["automatic"]:
            raise ApiError(HTTPStatus.BAD_REQUEST, "balance_transactions_manual_payout")
        return [item for item in items if self._payout_of.get(item["id"]) == payout_id]

    def _expanded(self, told: Json, paths: Iterable[str]) -> Json:
        shown = dict(told)
        for path in paths:
            name, _, rest = path.partition(".")
            found = self._any(shown.get(name))
            if found is not None:
                shown[name] = self._expanded(found, [rest] if rest else [])
        return shown

    def _any(self, object_id: str | None) -> Json | None:
        return next((of[object_id] for of in self._objects.values() if object_id in of), None)


def _newest_first(item: Json) -> tuple[int, str]:
    return -int(item["created"]), str(item["id"])


def _is_within(item: Json, params: httpx.QueryParams) -> bool:
    for name in ("created", "arrival_date"):
        if f"{name}[gte]" in params and item[name] < int(params[f"{name}[gte]"]):
            return False
        if f"{name}[lt]" in params and item[name] >= int(params[f"{name}[lt]"]):
            return False
    return True


def _index_after(items: list[Json], object_id: str | None) -> int:
    if object_id is None:
        return 0
    for index, item in enumerate(items):
        if item["id"] == object_id:
            return index + 1
    raise ApiError(HTTPStatus.BAD_REQUEST, "resource_missing", f"No such object: {object_id}")


def _json(status: int, body: Json) -> httpx.Response:
    content = json.dumps(body, ensure_ascii=False).encode("utf-8")
    return httpx.Response(status, content=content, headers={"content-type": "application/json"})
