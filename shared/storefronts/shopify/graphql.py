"""The one way of calling a shop's Admin GraphQL API (REST has been legacy since October 2024).

Shopify grants each app points per second in a bucket that refills, and tells its state with every answer. A query is
refused when the points that it may cost are not there, whatever it would cost in the end.
Source: shopify.dev, "Shopify API limits" (GraphQL Admin API, cost fields of the response).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

import httpx

from shared.kernel import strict_json
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.http import TIMEOUT, call
from shared.storefronts.port import Credentials

API_VERSION: Final = "2026-10"
MOST_ATTEMPTS: Final = 5
"""How often a paced caller puts a question that the shop throttles. Another app's calls cannot be foreseen."""

Node = dict[str, Any]
Pause = Callable[[float], None]
"""Wait so many seconds."""

_PASSING = frozenset({"IDEMPOTENCY_CONCURRENT_REQUEST", "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})
_MICROSECONDS = 1_000_000


class AdminApi:
    """Puts questions to one shop. `address` is the shop's own (`name.myshopify.com`).

    `scopes` is what the app must be granted, for the one who reads a refusal. Without a `pacer` nothing is waited
    for: a throttled question is the caller's to repeat.
    """

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        http: httpx.Client,
        api_version: str,
        *,
        scopes: str,
        pacer: "Pacer | None" = None,
    ) -> None:
        self._url = f"https://{address}/admin/api/{api_version}/graphql.json"
        self._credentials = credentials
        self._http = http
        self._scopes = scopes
        self._pacer = pacer

    def ask(self, document: str, variables: Mapping[str, Any]) -> Node:
        """The answer's data.

        Raises:
            Retry: `storefront_unreachable`, `storefront_throttled`, `storefront_failed`. What became of a mutation
                is unknown then.
            Rejected: `api_access` for refused credentials or missing scopes, `api_error` for anything else.
        """
        pacer = self._pacer
        answer = self._paced(pacer, document, variables) if pacer else self._send(document, variables)
        _judge_errors(answer, self._scopes)
        data = answer.get("data")
        if not isinstance(data, dict):
            raise Retry("storefront_failed", "the shop's answer holds no data")
        return data

    def _paced(self, pacer: "Pacer", document: str, variables: Mapping[str, Any]) -> Node:
        answer: Node = {}
        for _ in range(MOST_ATTEMPTS):
            pacer.wait_for(document)
            answer = self._send(document, variables)
            pacer.note(document, answer)
            if "THROTTLED" not in _codes(answer):
                break
        return answer

    def _send(self, document: str, variables: Mapping[str, Any]) -> Node:
        def send(credentials: Mapping[str, str]) -> httpx.Response:
            return self._http.post(
                self._url,
                json={"query": document, "variables": variables},
                headers={"X-Shopify-Access-Token": credentials["access_token"]},
                timeout=TIMEOUT,
            )

        return _answer(call(send, self._credentials))


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What the shop said of our points at one time."""

    maximum: float
    available: float
    restore_rate: float
    told_at: datetime

    def seconds_until(self, points: float, now: datetime) -> float:
        """How long until a question of so many points is let in; a full bucket lets in any that is let in at all.

        No longer than an empty bucket takes to fill, however far a clock was put back since."""
        restored = (now - self.told_at).total_seconds() * self.restore_rate
        missing = min(points, self.maximum) - self.available - restored
        return max(0.0, min(missing, self.maximum)) / self.restore_rate


class Pacer:
    """Waits before a question just as long as the bucket needs to let it in. For one thread, and one shop."""

    def __init__(self, clock: Clock, pause: Pause) -> None:
        self._clock = clock
        self._pause = pause
        self._bucket: _Bucket | None = None
        self._points: dict[str, float] = {}

    def wait_for(self, document: str) -> None:
        """Wait until the points are there that this document was last asked for. The first time nothing is known."""
        if self._bucket is None:
            return
        seconds = self._bucket.seconds_until(self._points.get(document, 0.0), self._clock())
        if seconds > 0:
            self._pause(math.ceil(seconds * _MICROSECONDS) / _MICROSECONDS)

    def note(self, document: str, answer: Node) -> None:
        """Remember what the answer tells of its cost and of the bucket; an answer may tell nothing."""
        cost = _object(_object(answer.get("extensions")).get("cost"))
        points = _number(cost.get("requestedQueryCost"))
        if points is not None:
            self._points[document] = points
        state = _object(cost.get("throttleStatus"))
        maximum, available, rate = (
            _number(state.get(name)) for name in ("maximumAvailable", "currentlyAvailable", "restoreRate")
        )
        if maximum is not None and available is not None and rate:
            self._bucket = _Bucket(maximum, available, rate, self._clock())


def _object(value: Any) -> Node:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | Decimal) else None


def _answer(response: httpx.Response) -> Node:
    if response.status_code != HTTPStatus.OK:
        raise Rejected(
            "api_error",
            f"the shop answers with HTTP {response.status_code}",
            field="api",
            hint="check the shop's address, that it is open, and that the API version is still served",
        )
    try:
        answer = strict_json.parse(response.content)
    except Rejected as error:
        raise Retry("storefront_failed", "the shop's answer is not JSON") from error
    if not isinstance(answer, dict):
        raise Retry("storefront_failed", "the shop's answer is not an object")
    return answer


def _judge_errors(answer: Node, scopes: str) -> None:
    """Turn GraphQL's errors into ours by their code alone: messages may quote data."""
    codes = _codes(answer)
    if not codes:
        return
    if "THROTTLED" in codes:
        raise Retry("storefront_throttled", "the shop asks us to slow down")
    if "ACCESS_DENIED" in codes:
        raise Rejected(
            "api_access", "the shop's app may not do all that we ask", field="api", hint=f"grant it {scopes}"
        )
    if codes <= _PASSING:
        raise Retry("storefront_failed", "the shop fails to answer the query")
    raise Rejected("api_error", "the shop refuses the query", field="api", hint="check the API version in the settings")


def _codes(answer: Node) -> frozenset[str]:
    """The codes of the answer's errors; an error without one counts as the empty code."""
    errors = answer.get("errors")
    if not errors:
        return frozenset()
    return frozenset(_code(error) for error in errors) if isinstance(errors, list) else frozenset({""})


def _code(error: Any) -> str:
    code = _object(_object(error).get("extensions")).get("code")
    return code if isinstance(code, str) else ""
