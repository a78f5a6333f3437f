"""A Jiandaoyun company in memory, spoken to over HTTP: API v5 as its documentation has it.

Built from hc.jiandaoyun.com/open/11261 and 14216 to 14225, never compared with the real system. As documented: every
call is a POST; errors are HTTP 400 with a code; limits a second for each call and all together; writes wrap values;
`transaction_id` keeps a batch from being created twice, and does nothing for a single row; duplicates and required
fields are not checked; rows of a sub-form keep by their `_id`. Codes but 8303 are the fake's own, and it refuses fields
that a form does not have, so that a misspelt one is found.
"""

import itertools
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from infra.fakes.jiandaoyun_pushes import Push, push_of
from shared.kernel.clock import Clock

Row = dict[str, Any]

LIMITS = {
    "widget/list": 30,
    "data/get": 30,
    "data/list": 30,
    "data/create": 20,
    "data/update": 20,
    "data/delete": 20,
    "data/batch_create": 10,
    "data/batch_update": 10,
}
ALL_LIMIT = 50
_MOST_ROWS = 100
_MOST_VALUES = 200
_FILTERS = {
    "text": {"eq", "ne", "in", "nin", "empty", "not_empty"},
    "combo": {"eq", "ne", "in", "nin", "empty", "not_empty"},
    "radiogroup": {"eq", "ne", "in", "nin", "empty", "not_empty"},
    "number": {"eq", "ne", "range", "empty", "not_empty"},
    "datetime": {"eq", "ne", "range", "empty", "not_empty"},
}
_VALUES: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "textarea": str,
    "combo": str,
    "radiogroup": str,
    "datetime": str,
    "number": (int, Decimal),
    "address": dict,
    "subform": list,
}


class ApiError(Exception):
    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass
class FakeForm:
    """`widgets` are types by field name, of a sub-form its fields; `aliases` are names by the id of the field."""

    app: str
    entry: str
    widgets: dict[str, str | dict[str, str]]
    aliases: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    changed_at: str = "2020-01-01T00:00:00.000Z"

    def kind(self, name: str) -> str:
        widget = self.widgets.get(name)
        if widget is None:
            raise ApiError(1, f"the form has no field {name}")
        return widget if isinstance(widget, str) else "subform"

    def described(self) -> list[Row]:
        return [self._widget(name, widget) for name, widget in self.widgets.items()]

    def _widget(self, name: str, widget: str | dict[str, str]) -> Row:
        ids = {alias: number for number, alias in self.aliases.items()}
        told: Row = {"label": name, "name": name, "widgetName": ids.get(name, name)}
        if isinstance(widget, str):
            return told | {"type": widget}
        items = [{"label": each, "name": each, "widgetName": each, "type": kind} for each, kind in widget.items()]
        return told | {"type": "subform", "items": items}


class FakeJiandaoyun:
    """One company. `answer` is a handler for `httpx.MockTransport`; limits are kept by the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.key = "an-api-key"
        self.secret = "a-push-secret"  # noqa: S105 - of nobody's
        self.forms: dict[tuple[str, str], FakeForm] = {}
        self.requests: list[str] = []
        self.pushes: list[Push] = []
        self.refused_calls = 0
        self._ids = itertools.count(1)
        self._transactions: dict[tuple[str, str, str], Row] = {}
        self._calls: dict[str, deque[datetime]] = {}

    def add_form(self, form: FakeForm) -> None:
        self.forms[form.app, form.entry] = form

    def answer(self, request: httpx.Request) -> httpx.Response:
        kind = request.url.path.removeprefix("/api/v5/app/entry/")
        self.requests.append(kind)
        try:
            return _json(200, self._route(request, kind))
        except ApiError as error:
            return _json(error.status, {"code": error.code, "msg": error.message})

    # ---- what staff do ----

    def staff_enter(self, form: FakeForm, values: Row) -> Row:
        """By the form: it is pushed."""
        row = self._insert(form, values)
        self._push("data_create", row)
        return row

    def staff_change(self, form: FakeForm, row: Row, values: Row, *, in_bulk: bool = False) -> None:
        """By the form, which is pushed, or in bulk, which is not."""
        row |= self._bare(form, values, row)
        self._touch(form, row)
        if not in_bulk:
            self._push("data_update", row)

    def staff_delete(self, form: FakeForm, row: Row) -> None:
        del form.rows[row["_id"]]
        form.changed_at = self._now()
        self._push("data_remove", row)

    # ---- the calls ----

    def _route(self, request: httpx.Request, kind: str) -> Row:
        if request.method != "POST" or kind not in LIMITS:
            raise ApiError(1, "The request is invalid.")
        self._keep_limits(kind)
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise ApiError(8301, "API KEY 鉴权失败")
        body = json.loads(request.content, parse_float=Decimal)
        form = self.forms.get((body.pop("app_id"), body.pop("entry_id")))
        if form is None:
            raise ApiError(3000, "表单不存在")
        calls: dict[str, Callable[[FakeForm, Row], Row]] = {
            "widget/list": lambda at, _: {"widgets": at.described(), "sysWidgets": [], "dataModifyTime": at.changed_at},
            "data/get": lambda at, given: {"data": self._row(at, given["data_id"])},
            "data/list": self._list,
            "data/create": lambda at, given: {"data": self._insert(at, given["data"])},
            "data/update": self._update,
            "data/batch_create": self._batch_create,
        }
        if kind not in calls:
            raise ApiError(1, f"the fake does not know {kind}")
        return calls[kind](form, body)

    def _keep_limits(self, kind: str) -> None:
        now = self._clock()
        for name, limit in ((kind, LIMITS[kind]), ("", ALL_LIMIT)):
            calls = self._calls.setdefault(name, deque())
            while calls and calls[0] <= now - timedelta(seconds=1):
                calls.popleft()
            if len(calls) >= limit:
                self.refused_calls += 1
                raise ApiError(8303, "超出请求频率限制")
            calls.append(now)

    def _list(self, form: FakeForm, body: Row) -> Row:
        limit = body.get("limit", 10)
        if not 1 <= limit <= _MOST_ROWS:
            raise ApiError(1, "limit")
        conditions = body.get("filter", {}).get("cond", [])
        after = body.get("data_id") or ""
        found = [
            row
            for row in form.rows.values()
            if row["_id"] > after and all(_passes(form, row, one) for one in conditions)
        ]
        return {"data": sorted(found, key=lambda row: row["_id"])[:limit]}

    def _update(self, form: FakeForm, body: Row) -> Row:
        row = self._row(form, body["data_id"])
        row |= self._bare(form, body["data"], row)
        self._touch(form, row)
        return {"data": row}

    def _batch_create(self, form: FakeForm, body: Row) -> Row:
        rows = body["data_list"]
        if not 1 <= len(rows) <= _MOST_ROWS:
            raise ApiError(1, "data_list")
        transaction = (form.app, form.entry, str(body.get("transaction_id")))
        if "transaction_id" in body and transaction in self._transactions:
            return self._transactions[transaction]
        ids = [self._insert(form, row)["_id"] for row in rows]
        self._transactions[transaction] = {"status": "success", "success_count": len(ids), "success_ids": ids}
        return self._transactions[transaction]

    def _row(self, form: FakeForm, data_id: str) -> Row:
        if data_id not in form.rows:
            raise ApiError(4001, "数据不存在")
        return form.rows[data_id]

    def _insert(self, form: FakeForm, values: Row) -> Row:
        now = self._now()
        row: Row = {"_id": self._new_id(), "appId": form.app, "entryId": form.entry, "createTime": now}
        row |= self._bare(form, values, {})
        form.rows[row["_id"]] = row
        self._touch(form, row)
        return row

    def _bare(self, form: FakeForm, values: Row, held: Row) -> Row:
        """The values without their wrapping, as they are kept."""
        bare = {}
        for name, wrap in values.items():
            value = _unwrapped(name, wrap)
            if form.kind(name) != "subform":
                _require_kind(name, value, form.kind(name))
                bare[name] = value
            else:
                kept = {line["_id"] for line in held.get(name, [])}
                bare[name] = [self._sub_row(form, name, line, kept) for line in value]
        return bare

    def _sub_row(self, form: FakeForm, table: str, line: Row, kept: set[str]) -> Row:
        kinds = form.widgets[table]
        bare: Row = {"_id": self._new_id()}
        for name, wrap in line.items():
            value = _unwrapped(name, wrap)
            if name == "_id":
                if value not in kept:
                    raise ApiError(4001, "the sub-form has no such row")
            elif not isinstance(kinds, dict) or name not in kinds:
                raise ApiError(1, f"the sub-form {table} has no field {name}")
            else:
                _require_kind(name, value, kinds[name])
            bare[name] = value
        return bare

    def _touch(self, form: FakeForm, row: Row) -> None:
        row["updateTime"] = form.changed_at = self._now()

    def _now(self) -> str:
        now = self._clock()
        return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"

    def _new_id(self) -> str:
        return f"{next(self._ids):024x}"

    def _push(self, operation: str, row: Row) -> None:
        self.pushes.append(push_of(operation, row, self.secret, self._clock(), number=next(self._ids)))


def _passes(form: FakeForm, row: Row, condition: Row) -> bool:
    name, method, values = condition["field"], condition["method"], condition.get("value", [])
    if method not in _FILTERS.get(form.kind(name), set()):
        raise ApiError(1, f"{name} cannot be searched by {method}")
    if len(values) > _MOST_VALUES:
        raise ApiError(1, "too many values")
    held = row.get(name)
    if method == "eq":
        return bool(held == values[0])
    if method == "in":
        return held in values
    raise ApiError(1, f"the fake does not know the method {method}")


def _unwrapped(name: str, wrap: Any) -> Any:
    if not isinstance(wrap, dict) or set(wrap) != {"value"}:
        raise ApiError(1, f"{name} is not wrapped in a value")
    return wrap["value"]


def _require_kind(name: str, value: Any, kind: str) -> None:
    if isinstance(value, bool) or not isinstance(value, _VALUES[kind]):
        raise ApiError(1, f"{name} takes no {type(value).__name__}")


def _json(status: int, body: Any) -> httpx.Response:
    return httpx.Response(
        status,
        content=json.dumps(body, ensure_ascii=False, default=float).encode(),
        headers={"content-type": "application/json"},
    )
