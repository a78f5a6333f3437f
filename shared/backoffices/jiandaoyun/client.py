"""One way of calling Jiandaoyun's API v5, and what its answers mean.

Facts are from its documentation, never tried on the real system: hc.jiandaoyun.com/open/11261 (access, errors, limits),
14216 (fields of a form), 14220 to 14225 (reading and writing data).
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx

from shared.backoffices.http import TIMEOUT, bug, exchange, refused, refused_access
from shared.backoffices.jiandaoyun.pace import Pace
from shared.backoffices.jiandaoyun.settings import FormFields, Row
from shared.kernel import strict_json
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected, Retry

ADDRESS = "https://api.jiandaoyun.com"
PAGE = 100
"""The most rows that a list gives at once."""
MOST_VALUES = 200
"""The most values that a filter `in` takes."""

_TOO_FAST = 8303
_ACCESS = ("api key", "apikey", "api_key", "unauthor", "permission", "密钥", "鉴权", "权限")
"""What the message of a refused key speaks of: the documentation that could be read names no code for it."""
_OURS = uuid.uuid5(uuid.NAMESPACE_DNS, "storebridge.jiandaoyun")


class Condition(NamedTuple):
    field: str
    values: Sequence[str]


class Form(NamedTuple):
    """What a form consists of."""

    widgets: tuple[Row, ...]
    changed_at: str | None
    """When any of its data changed last."""


class JiandaoyunApi:
    """One company's forms, with an API key of its.

    Raises (every method):
        Retry: as the port says; `backoffice_busy` when a limit is passed, which is an HTTP 400 here.
        Rejected: `backoffice_auth`, `backoffice_refused` with Jiandaoyun's code and message, `backoffice_bug`.
    """

    def __init__(self, address: str, credentials: Credentials, http: httpx.Client, pace: Pace) -> None:
        address = address.strip().rstrip("/")
        self._base = (address if "://" in address else f"https://{address}") + "/api/v5/app/entry/"
        self._credentials = credentials
        self._http = http
        self._pace = pace

    def form(self, form: FormFields) -> Form:
        body = self._call("widget/list", form, {})
        widgets = body.get("widgets")
        if not isinstance(widgets, list):
            raise bug("Jiandaoyun answers with something other than the fields of a form")
        changed_at = body.get("dataModifyTime")
        return Form(tuple(widget for widget in widgets if isinstance(widget, dict)), str(changed_at or "") or None)

    def page(self, form: FormFields, after: str | None = None, *conditions: Condition) -> list[Row]:
        """Up to 100 rows in the order of their data ids, after the one of this id."""
        body: Row = {"limit": PAGE}
        if after:
            body["data_id"] = after
        if conditions:
            body["filter"] = {"rel": "and", "cond": [_as_sent(condition) for condition in conditions]}
        rows = self._call("data/list", form, body).get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "_id" in row for row in rows):
            raise bug("Jiandaoyun answers with something other than rows of a form")
        return rows

    def rows(self, form: FormFields, *conditions: Condition) -> Iterator[Row]:
        """All rows that pass the conditions, the oldest first."""
        after: str | None = None
        while True:
            page = self.page(form, after, *conditions)
            yield from page
            if len(page) < PAGE:
                return
            after = str(page[-1]["_id"])

    def find(self, form: FormFields, field: str, value: str) -> Row | None:
        """The oldest row with this value: forms of the merchant's do not see to uniqueness, not for the API."""
        return next(iter(self.page(form, None, Condition(field, [value]))), None)

    def create(self, form: FormFields, field: str, key: str, data: Row, *, shown_as: str | None = None) -> Row:
        """Create the row of this key, and find it by its `field`, which shows the key itself or `shown_as`.

        By the call for many rows, as that alone knows an idempotency key (14223; the one for a single row, 14222, takes
        its `transaction_id` for uploaded files only): derived from ours, so that a lost answer makes no second row.

        Raises:
            Retry: `backoffice_outcome_unknown` when the row does not show: as after staff have deleted it, since the
                same key creates nothing again.
        """
        transaction = str(uuid.uuid5(_OURS, f"{form.app}/{form.form}/{key}"))
        self._call("data/batch_create", form, {"data_list": [data], "transaction_id": transaction}, writes=True)
        row = self.find(form, field, shown_as or key)
        if row is None:
            raise Retry("backoffice_outcome_unknown", f"the row {key} does not show: has it been deleted before?")
        return row

    def update(self, form: FormFields, data_id: str, data: Row) -> None:
        self._call("data/update", form, {"data_id": data_id, "data": data}, writes=True)

    def _call(self, kind: str, form: FormFields, body: Row, *, writes: bool = False) -> Row:
        content = encode({"app_id": form.app, "entry_id": form.form, **body})
        response = self._send(kind, content, self._credentials(), writes=writes)
        if _is_refused_access(response):
            response = self._send(kind, content, self._credentials(fresh=True), writes=writes)
        return _judged(response)

    def _send(self, kind: str, content: bytes, credentials: Mapping[str, str], *, writes: bool) -> httpx.Response:
        headers = {"content-type": "application/json", "authorization": _authorisation(credentials)}
        self._pace.wait_for(kind)
        return exchange(
            lambda: self._http.post(
                self._base + kind, content=content, headers=headers, follow_redirects=False, timeout=TIMEOUT
            ),
            writes=writes,
        )


def encode(value: Any) -> bytes:
    """JSON in UTF-8. Amounts are numbers there, digit for digit and never binary fractions."""
    return _json(value).encode("utf-8")


def _json(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _as_sent(condition: Condition) -> Row:
    method = "eq" if len(condition.values) == 1 else "in"
    return {"field": condition.field, "method": method, "value": list(condition.values)}


def _authorisation(credentials: Mapping[str, str]) -> str:
    try:
        return f"Bearer {credentials['api_key']}"
    except KeyError as error:
        raise refused_access(f"Jiandaoyun's credentials lack {error.args[0]}") from error


def _judged(response: httpx.Response) -> Row:
    if response.is_success:
        return _body(response)
    code, message = _fault(response)
    if _is_refused_access(response):
        raise refused_access(f"Jiandaoyun refuses the API key (HTTP {response.status_code}, code {code})")
    if code == _TOO_FAST:
        raise Retry("backoffice_busy", "Jiandaoyun's limit of calls a second is passed (code 8303)")
    if response.status_code == HTTPStatus.BAD_REQUEST and code is not None:
        raise refused(f"Jiandaoyun {code}: {message}")
    raise bug(f"Jiandaoyun answers with HTTP {response.status_code} and no code of its own")


def _is_refused_access(response: httpx.Response) -> bool:
    if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return True
    if response.status_code != HTTPStatus.BAD_REQUEST:
        return False
    message = _fault(response)[1].lower()
    return any(word in message for word in _ACCESS)


def _fault(response: httpx.Response) -> tuple[int | None, str]:
    try:
        body = _body(response)
    except Rejected:
        return None, ""
    code = body.get("code")
    return code if isinstance(code, int) else None, str(body.get("msg") or "")


def _body(response: httpx.Response) -> Row:
    try:
        body = strict_json.parse(response.content)
    except Rejected as error:
        raise bug(f"Jiandaoyun's answer is not JSON ({error.code})") from error
    if not isinstance(body, dict):
        raise bug("Jiandaoyun answers with something other than an object")
    return body
