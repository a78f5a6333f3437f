"""One way of calling an ERPNext site's REST API, and what its answers mean.

Facts are from Frappe's documentation ("REST API") and from the source of Frappe and ERPNext 13 to 16, read and never
run: `frappe/exceptions.py` (which status an error has), `frappe/client.py` (the methods that are called here).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from shared.backoffices.http import TIMEOUT, bug, exchange, not_found, refused, refused_access
from shared.kernel import strict_json
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected, Retry

Filter = tuple[str, str, Any]
"""Field, operator (`=`, `in`, `>=` …) and value; of a child table's field: `Delivery Note Item.against_sales_order`."""

EVERYTHING = 0
"""As a limit: all rows. Frappe lists 20 where none is given."""

MOST_VALUES = 100
MOST_CHARACTERS = 3000
"""Of one `in` filter: a list is asked for in the address, and servers commonly take 8 kB of that."""

_PASSING = frozenset(
    {"TimestampMismatchError", "QueryDeadlockError", "QueryTimeoutError", "DocumentLockedError", "DuplicateEntryError"}
)
"""Somebody else was at the same documents. Frappe has rolled our transaction back: look again, and go on."""

_NAME_OF_ERROR = re.compile(r"[A-Za-z_.]{1,80}")
_TAG = re.compile(r"<[^>]{0,300}>")


class FrappeApi:
    """One site, as the user of an API key. Every request is one transaction of its own on the site.

    Raises (every method):
        Retry: as the port says; `backoffice_busy` for a concurrent change as well.
        Rejected: `backoffice_auth`, `backoffice_refused` with ERPNext's own message, `backoffice_bug`.
    """

    def __init__(self, address: str, credentials: Credentials, http: httpx.Client) -> None:
        address = address.strip().rstrip("/")
        self._base = (address if "://" in address else f"https://{address}") + "/api"
        self._credentials = credentials
        self._http = http

    def rows(
        self,
        doctype: str,
        fields: Sequence[str],
        filters: Sequence[Filter] = (),
        *,
        parent: str | None = None,
        order_by: str | None = None,
        limit: int = EVERYTHING,
    ) -> list[dict[str, Any]]:
        """Documents that pass all filters. A child table's rows need the name of their `parent` doctype."""
        params = {
            "fields": json.dumps(list(fields)),
            "filters": json.dumps([_as_frappe(each) for each in filters], default=str),
            "limit_page_length": str(limit),
        }
        params |= {"parent": parent} if parent else {}
        params |= {"order_by": order_by} if order_by else {}
        found = _judged(self._call("GET", f"/resource/{quote(doctype)}", params=params)).get("data")
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise bug(f"ERPNext answers with something other than a list of {doctype}")
        return found

    def rows_in(
        self,
        doctype: str,
        fields: Sequence[str],
        field: str,
        values: Iterable[str],
        *filters: Filter,
        parent: str | None = None,
    ) -> list[dict[str, Any]]:
        """Documents whose `field` is one of the values, in as few requests as their length allows."""
        return [
            row
            for batch in batches(values)
            for row in self.rows(doctype, fields, ((field, "in", list(batch)), *filters), parent=parent)
        ]

    def document(self, doctype: str, name: str) -> dict[str, Any] | None:
        """The whole document with its child tables; None when there is none of this name."""
        response = self._call("GET", _path(doctype, name))
        if response.status_code == HTTPStatus.NOT_FOUND and _error_of(response) == "DoesNotExistError":
            return None
        return _document(_judged(response))

    def create(self, doctype: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return _document(_judged(self._call("POST", f"/resource/{quote(doctype)}", body=values)))

    def update(self, doctype: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Change these fields. A child table is replaced as a whole; rows with their `name` stay the same rows."""
        return _document(_judged(self._call("PUT", _path(doctype, name), body=values)))

    def submit(self, doctype: str, name: str) -> None:
        self.update(doctype, name, {"docstatus": 1})

    def cancel(self, doctype: str, name: str) -> None:
        self.update(doctype, name, {"docstatus": 2})

    def delete(self, doctype: str, name: str) -> None:
        """Delete a draft; one that is gone already is as good."""
        response = self._call("DELETE", _path(doctype, name))
        if response.status_code != HTTPStatus.NOT_FOUND:
            _judged(response)

    def ask(self, method: str, **params: str) -> Any:
        """Call a method that only reads."""
        return _judged(self._call("GET", f"/method/{method}", params=params)).get("message")

    def tell(self, method: str, body: Mapping[str, Any]) -> Any:
        """Call a method that writes."""
        return _judged(self._call("POST", f"/method/{method}", body=body)).get("message")

    def _call(
        self, verb: str, path: str, *, params: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        response = self._send(verb, path, params, body, self._credentials())
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._send(verb, path, params, body, self._credentials(fresh=True))
        return response

    def _send(
        self,
        verb: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        credentials: Mapping[str, str],
    ) -> httpx.Response:
        headers = {"accept": "application/json", "authorization": _authorisation(credentials)}
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(body, separators=(",", ":"), default=str).encode("ascii")  # amounts go as text
        return exchange(
            lambda: self._http.request(
                verb,
                self._base + path,
                params=params,
                content=content,
                headers=headers,
                follow_redirects=False,
                timeout=TIMEOUT,
            ),
            writes=verb != "GET",
        )


def batches(values: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The distinct values, in groups that fit into one filter."""
    batch: list[str] = []
    room = MOST_CHARACTERS
    for value in dict.fromkeys(values):
        if batch and (len(batch) == MOST_VALUES or len(value) > room):
            yield tuple(batch)
            batch, room = [], MOST_CHARACTERS
        batch.append(value)
        room -= len(value)
    if batch:
        yield tuple(batch)


def _as_frappe(condition: Filter) -> list[Any]:
    field, operator, value = condition
    doctype, dot, name = field.rpartition(".")
    return [doctype, name, operator, value] if dot else [field, operator, value]


def _path(doctype: str, name: str) -> str:
    return f"/resource/{quote(doctype)}/{quote(name, safe='')}"


def _authorisation(credentials: Mapping[str, str]) -> str:
    try:
        return f"token {credentials['api_key']}:{credentials['api_secret']}"
    except KeyError as error:
        raise refused_access(f"ERPNext's credentials lack {error.args[0]}") from error


def _document(body: Mapping[str, Any]) -> dict[str, Any]:
    found = body.get("data")
    if not isinstance(found, dict):
        raise bug("ERPNext answers with something other than a document")
    return found


def _judged(response: httpx.Response) -> dict[str, Any]:
    """The body of a success; anything else is raised by what it asks of whom."""
    status = response.status_code
    if status in (HTTPStatus.OK, HTTPStatus.ACCEPTED):
        return _body(response)
    error = _error_of(response)
    if response.is_redirect:
        raise bug("the back office redirects: set its address to the one that it redirects to")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise refused_access(f"ERPNext refuses access (HTTP {status}, {error or 'no reason'})")
    if error in _PASSING or status == HTTPStatus.CONFLICT:
        raise Retry("backoffice_busy", f"somebody else is at the same documents ({error or 'HTTP 409'})")
    if status == HTTPStatus.NOT_FOUND:
        raise _nowhere(error)
    if status == HTTPStatus.EXPECTATION_FAILED:
        raise refused(_message(response) or f"ERPNext refuses it without a reason ({error or 'no name'})")
    raise bug(f"ERPNext answers with HTTP {status} ({error or 'not an answer of its API'})")


def _nowhere(error: str | None) -> Rejected:
    if error == "DoesNotExistError":
        return not_found("a document of ERPNext is gone", "document", "act in the back office, then retry the order")
    return bug("there is no ERPNext API of version 13 or newer at the back office's address")


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = strict_json.parse(response.content)
    except Rejected as error:
        raise bug(f"ERPNext's answer is not JSON ({error.code})") from error
    if not isinstance(body, dict):
        raise bug("ERPNext answers with something other than an object")
    return body


def _error_of(response: httpx.Response) -> str | None:
    """The error's class without its module. `exc`, beside it, is a traceback and goes nowhere."""
    if response.is_success:
        return None
    try:
        name = str(_body(response).get("exc_type") or "")
    except Rejected:
        return None
    return name.rpartition(".")[2] if _NAME_OF_ERROR.fullmatch(name) else None


def _message(response: httpx.Response) -> str:
    """What a user would have been shown: the last of `_server_messages`, each a JSON text within a JSON text."""
    body = _body(response)
    shown = _parsed(body.get("_server_messages"))
    last = _parsed(shown[-1]) if isinstance(shown, list) and shown else None
    text = last.get("message") if isinstance(last, dict) else str(body.get("exception") or "").partition(":")[2]
    return _TAG.sub("", str(text or "")).strip()


def _parsed(text: Any) -> Any:
    try:
        return strict_json.parse(text.encode("utf-8")) if isinstance(text, str) else None
    except Rejected:
        return None
