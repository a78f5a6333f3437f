"""Requests to the fake shop, its REST errors, and the trouble that it may be told to make."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from math import ceil
from typing import Any, TypeVar

from infra.local.answers import Answer
from infra.samples.woocommerce import encode

Json = dict[str, Any]
_T = TypeVar("_T")


class RestError(Exception):
    """An answer in WooCommerce's place for errors: `{"code", "message", "data": {"status"}}`."""

    def __init__(self, status: int, code: str, message: str = "", params: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.params = dict(params) if params else None
        self.status = status
        self.code = code
        self.message = message or code.replace("_", " ")

    def body(self) -> Json:
        data: Json = {"status": self.status}
        if self.params is not None:
            data["params"] = self.params
        return {"code": self.code, "message": self.message, "data": data}

    def in_batch(self, item_id: Any) -> Json:
        return {"id": item_id, "error": self.body()}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """After `/wp-json/wc/v3`."""
    query: Mapping[str, str]
    body: Any = None


def answer(body: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, encode(body), {"content-type": "application/json; charset=UTF-8", **(headers or {})})


def invalid_parameter(name: str, params: Mapping[str, str] | None = None) -> RestError:
    return RestError(HTTPStatus.BAD_REQUEST, "rest_invalid_param", f"Invalid parameter(s): {name}", params)


def page_of(items: Sequence[_T], query: Mapping[str, str], render: Callable[[_T], Json]) -> Answer:
    """One page of a list, with WordPress's headers. `offset` goes before `page`. Only what is shown is rendered."""
    size, page = _number(query, "per_page", 10, 100), _number(query, "page", 1, 10**9)
    start = int(query["offset"]) if "offset" in query else (page - 1) * size
    shown = items[start : start + size]
    headers = {"X-WP-Total": str(len(items)), "X-WP-TotalPages": str(ceil(len(items) / size))}
    return answer([_only(query.get("_fields"), render(item)) for item in shown], headers=headers)


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid_parameter(name)
    return int(text)


def _only(fields: str | None, item: Json) -> Json:
    if fields is None:
        return item
    wanted = {name.strip() for name in fields.split(",")}
    return {name: value for name, value in item.items() if name in wanted}


class Kind(StrEnum):
    THROTTLE = "throttle"
    FAIL = "fail"
    SILENT = "silent"
    """No answer: the caller's time runs out."""
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with one request."""

    kind: Kind
    after: bool = False
    """After the shop has done what was asked."""
    status: int = 503
    retry_after: str | None = None
    seconds: float = 0.0


def throttled(retry_after: str | None = None) -> Trouble:
    return Trouble(Kind.THROTTLE, status=HTTPStatus.TOO_MANY_REQUESTS, retry_after=retry_after)


def failing(status: int = HTTPStatus.SERVICE_UNAVAILABLE, *, after: bool = False) -> Trouble:
    return Trouble(Kind.FAIL, after=after, status=status)


def silent(*, after: bool) -> Trouble:
    return Trouble(Kind.SILENT, after=after)


def slow(seconds: float) -> Trouble:
    return Trouble(Kind.SLOW, after=True, seconds=seconds)


def no_trouble() -> Trouble | None:
    return None


@dataclass(slots=True)
class Troubles:
    """What will go wrong: a plan for the next requests, then whatever `otherwise` says for each."""

    otherwise: Callable[[], Trouble | None] = no_trouble
    _plan: deque[Trouble | None] = field(default_factory=deque)

    def plan(self, *troubles: Trouble | None) -> None:
        self._plan.extend(troubles)

    def next(self) -> Trouble | None:
        return self._plan.popleft() if self._plan else self.otherwise()
