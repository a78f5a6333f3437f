"""Two ways of calling Odoo with one face, and what its answers mean.

Facts are from Odoo 19.0, run, where nothing else is said. A call is one transaction of its own on the server: an error
leaves nothing behind. An error's `debug` is a traceback and goes nowhere.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NoReturn, Protocol

import httpx

from shared.backoffices.http import TIMEOUT, bug, exchange, refused, refused_access
from shared.kernel import strict_json
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected, Retry

_READS = frozenset(
    {
        "authenticate",
        "check_access_rights",
        "check_object_reference",
        "context_get",
        "fields_get",
        "get_external_id",
        "has_access",
        "read",
        "search_read",
        "version",
        "web_read",
        "web_search_read",
    }
)
_BUSINESS = frozenset({"UserError", "ValidationError", "RedirectWarning"})
_ACCESS = frozenset({"AccessError", "AccessDenied", "Forbidden", "Unauthorized"})
_BUSY = frozenset({"SerializationFailure", "LockNotAvailable", "DeadlockDetected", "TransactionRollbackError"})
_BUSY_WORDS = ("could not serialize access", "deadlock detected", "could not obtain lock")
"""PostgreSQL's own words, which `load` hands on in its messages."""


class Fault(Exception):
    """Odoo refuses one call. `kind` is its exception's name without the module, `message` its own words."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        self.message = message
        super().__init__(kind)


class Transport(Protocol):
    """One way of calling. Raises `Retry`, `Rejected` for what is no answer of Odoo's, and :class:`Fault`."""

    def call(self, model: str, method: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]) -> Any: ...

    def version(self) -> str: ...


class Json2:
    """`POST /json/2/<model>/<method>`, since Odoo 19, with the user's API key as bearer.

    Source: Odoo 19.0's documentation, "External JSON-2 API", and runs.
    """

    def __init__(self, address: str, database: str, credentials: Credentials, http: httpx.Client) -> None:
        self._base = _base(address)
        self._database = database
        self._credentials = credentials
        self._http = http

    def call(self, model: str, method: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]) -> Any:
        body = dict(arguments) if ids is None else {**arguments, "ids": list(ids)}
        path = f"/json/2/{model}/{method}"
        response = self._post(path, body, writes=method not in _READS, fresh=False)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._post(path, body, writes=method not in _READS, fresh=True)
        if response.status_code == HTTPStatus.OK:
            return _parsed(response)
        raise _judged(response, writes=method not in _READS)

    def version(self) -> str:
        response = exchange(
            lambda: self._http.get(f"{self._base}/web/version", follow_redirects=False, timeout=TIMEOUT), writes=False
        )
        if response.status_code != HTTPStatus.OK:
            raise bug(f"HTTP {response.status_code} where Odoo tells its version: Odoo before 19 needs JSON-RPC")
        return str(_object(_parsed(response)).get("version"))

    def _post(self, path: str, body: Mapping[str, Any], *, writes: bool, fresh: bool) -> httpx.Response:
        headers = {"authorization": f"bearer {_credential(self._credentials, 'api_key', fresh=fresh)}"}
        headers |= {"x-odoo-database": self._database} if self._database else {}
        return exchange(lambda: _send(self._http, self._base + path, body, headers), writes=writes)


class JsonRpc:
    """`POST /jsonrpc`, service `object`, method `execute_kw`: Odoo 17 and 18, and 19 for the last time.

    Errors come with HTTP 200. The user's number is asked for once; a key that is renewed meanwhile is read again.
    Source: Odoo 18.0's documentation, "External API", and runs against 19.0.
    """

    def __init__(self, address: str, database: str, credentials: Credentials, http: httpx.Client) -> None:
        self._url = f"{_base(address)}/jsonrpc"
        self._database = database
        self._credentials = credentials
        self._http = http
        self._user: int | None = None

    def call(self, model: str, method: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]) -> Any:
        positional: list[Any] = [] if ids is None else [list(ids)]
        if method == "create":  # takes what it creates by position alone (ran: IndexError otherwise)
            arguments = dict(arguments)
            positional.append(arguments.pop("vals_list"))
        try:
            return self._execute(model, method, positional, arguments, fresh=False)
        except Fault as fault:
            if fault.kind != "AccessDenied":
                raise
        self._user = None
        return self._execute(model, method, positional, arguments, fresh=True)

    def version(self) -> str:
        return str(_object(self._ask("common", "version", [])).get("server_version"))

    def _execute(
        self, model: str, method: str, positional: list[Any], arguments: Mapping[str, Any], *, fresh: bool
    ) -> Any:
        key = _credential(self._credentials, "api_key", fresh=fresh)
        if self._user is None:
            self._user = self._authenticate(key)
        return self._ask(
            "object",
            "execute_kw",
            [self._database, self._user, key, model, method, positional, dict(arguments)],
            writes=method not in _READS,
        )

    def _authenticate(self, key: str) -> int:
        user = self._ask("common", "authenticate", [self._database, _credential(self._credentials, "user"), key, {}])
        if not isinstance(user, int) or isinstance(user, bool):
            raise Fault("AccessDenied", "the user or the API key is wrong")
        return user

    def _ask(self, service: str, method: str, arguments: list[Any], *, writes: bool = False) -> Any:
        params = {"service": service, "method": method, "args": arguments}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        response = exchange(lambda: _send(self._http, self._url, body, {}), writes=writes)
        if response.status_code != HTTPStatus.OK:
            raise _judged(response, writes=writes)
        answer = _object(_parsed(response))
        if "error" in answer:
            data = _object(_object(answer["error"]).get("data") or {})
            raise Fault(_kind(data.get("name")), str(data.get("message") or ""))
        return answer.get("result")


class OdooApi:
    """One database, over either transport.

    Raises (every method):
        Retry: as the port says; `backoffice_busy` for a concurrent change as well.
        Rejected: `backoffice_auth`, `backoffice_refused` with Odoo's own message, `backoffice_bug`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._version: str | None = None

    @property
    def version(self) -> str:
        """What Odoo says of itself, `19.0`. Asked for once."""
        if self._version is None:
            self._version = self._transport.version()
        return self._version

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, /, **arguments: Any) -> Any:
        try:
            return self._transport.call(model, method, ids, arguments)
        except Fault as fault:
            _raise(fault, f"{model}/{method}")

    def attempt(self, model: str, method: str, ids: Sequence[int], /, **arguments: Any) -> str:
        """Call, and return the words of a refusal by a rule of the business, empty where there is none.

        A second `action_confirm` or `action_post` is refused like that (ran): the caller reads what the state is now.
        """
        try:
            self._transport.call(model, method, ids, arguments)
        except Fault as fault:
            if fault.kind not in _BUSINESS:
                _raise(fault, f"{model}/{method}")
            return fault.message or "Odoo refuses, and does not say why"
        return ""

    def reference(self, name: str) -> int | None:
        """The id behind an external id, archived or not; None where there is none, or its record is hidden or gone.

        `ir.model.data` itself is open to Odoo's administrators alone; this method of it is open to all (19.0's source).
        """
        module, _, rest = name.partition(".")
        try:
            found = self._transport.call(
                "ir.model.data",
                "check_object_reference",
                None,
                {"module": module, "xml_id": rest, "context": {"active_test": False}},
            )
        except Fault as fault:
            if fault.kind == "ValueError":
                return None
            _raise(fault, "ir.model.data/check_object_reference")
        return found[1] or None if isinstance(found, list) else None

    def rows(self, model: str, domain: Sequence[Any], fields: Sequence[str], **options: Any) -> list[dict[str, Any]]:
        return _rows(self.call(model, "search_read", domain=list(domain), fields=list(fields), **options))

    def graph(
        self, model: str, domain: Sequence[Any], specification: Mapping[str, Any], **options: Any
    ) -> list[dict[str, Any]]:
        """Records with what hangs on them, in one request."""
        found = self.call(model, "web_search_read", domain=list(domain), specification=dict(specification), **options)
        return _rows(_object(found).get("records"))

    def external_ids(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """External ids by id; records without any are left out."""
        if not ids:
            return {}
        found = _object(self.call(model, "get_external_id", ids))
        return {int(number): str(name) for number, name in found.items() if name}

    def load(
        self,
        model: str,
        record: Mapping[str, str],
        children: str = "",
        lines: Sequence[Mapping[str, str]] = (),
        context: Mapping[str, Any] | None = None,
    ) -> int:
        """Create or change one record and those below it by their external ids, all or nothing, and return its id.

        Whether it worked is told by `ids` alone, the status is 200 either way (ran).
        """
        columns = [*record, *(f"{children}/{name}" for name in (lines[0] if lines else ()))]
        rows = [list(record.values()) + (list(lines[0].values()) if lines else [])]
        rows += [[""] * len(record) + list(line.values()) for line in lines[1:]]
        answer = _object(self.call(model, "load", fields=columns, data=rows, context=dict(context or {})))
        ids = answer.get("ids")
        if not isinstance(ids, list) or not ids:
            _raise_unloaded(model, answer.get("messages"))
        return int(ids[0])


def _raise_unloaded(model: str, messages: Any) -> NoReturn:
    told = [message for message in messages or () if isinstance(message, dict)]
    text = " ".join(str(message.get("message")) for message in told)
    if any(words in text for words in _BUSY_WORDS):
        raise Retry("backoffice_busy", f"somebody else is at the same {model}")
    if model == "res.partner":  # its messages may quote the customer
        raise refused(f"Odoo does not take the customer's {', '.join(_fields(told)) or 'data'}")
    raise refused(text or f"Odoo does not take the {model}")


def _fields(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({str(message["field"]) for message in messages if message.get("field")})


def _raise(fault: Fault, what: str) -> NoReturn:
    if fault.kind in _BUSY or any(words in fault.message for words in _BUSY_WORDS):
        raise Retry("backoffice_busy", f"somebody else changes what {what} is to change") from None
    if fault.kind == "OperationalError":
        raise Retry("backoffice_unreachable", "Odoo does not reach the database that the settings name") from None
    if fault.kind in _BUSINESS:
        raise refused(fault.message) from None
    if fault.kind in _ACCESS:
        raise refused_access(f"Odoo does not allow our user {what}") from None
    raise bug(f"{what}: {fault.kind}") from None


def _judged(response: httpx.Response, *, writes: bool) -> Exception:
    """What an answer other than 200 means. Odoo's own carries the name of its exception."""
    try:
        answer = strict_json.parse(response.content)
    except Rejected:
        answer = None
    if isinstance(answer, dict) and answer.get("name"):
        return Fault(_kind(answer["name"]), str(answer.get("message") or ""))
    if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return refused_access(f"HTTP {response.status_code}")
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code = "backoffice_outcome_unknown" if writes else "backoffice_unreachable"
        return Retry(code, f"HTTP {response.status_code}, and not in Odoo's words")
    return bug(
        f"HTTP {response.status_code}, and not in Odoo's words: is this the address of an Odoo, with this database?"
    )


def _kind(name: Any) -> str:
    """`UserError` of `odoo.exceptions.UserError`."""
    last = str(name).rpartition(".")[2]
    return last if last.isidentifier() else "unknown"


def _base(address: str) -> str:
    address = address.strip().rstrip("/")
    return address if "://" in address else f"https://{address}"


def _send(http: httpx.Client, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
    return http.post(
        url,
        content=json.dumps(body, separators=(",", ":")).encode("utf-8"),
        headers={"content-type": "application/json", **headers},
        follow_redirects=False,
        timeout=TIMEOUT,
    )


def _credential(credentials: Credentials, name: str, *, fresh: bool = False) -> str:
    try:
        return credentials(fresh=fresh)[name]
    except KeyError as error:
        raise refused_access(f"the back office's credentials lack {name}") from error


def _parsed(response: httpx.Response) -> Any:
    try:
        return strict_json.parse(response.content)
    except Rejected as error:
        raise bug(f"the answer is not JSON: {error.code}") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bug("Odoo answers with something other than an object")
    return value


def _rows(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise bug("Odoo answers with something other than a list of records")
    return value
