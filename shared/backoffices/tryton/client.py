"""One way of calling Tryton's JSON-RPC, and what its answers mean.

Facts are from trytond 8.2.1: run, and read in `trytond.protocols.dispatcher`. Each call is one transaction. A refusal
of the business comes with HTTP 200 and an `error`; a warning stops a call until its key is noted as read, and then the
call is made again. Keys of applications (`res.user.application`) open Tryton's REST routes only, not its RPC: the
credentials are a user's name and password.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx

from shared.backoffices.http import TIMEOUT, bug, exchange, refused, refused_access
from shared.backoffices.tryton.wire import parsed, written
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Retry

Domain = Sequence[Any]
Values = Mapping[str, Any]

HARMLESS_WARNINGS = frozenset({"no_carrier", "invoice_taxes"})
"""Ends of warnings' keys that we take note of and go on. `no_carrier` (module stock_package_shipping): the parcel's
carrier is the storefront's matter. `invoice_taxes` (module account_invoice): a line's taxes are not its product's
usual ones; ours are named one by one. Every other warning is for a person."""

MOST_WARNINGS = 5
"""One call never had more than two."""

_READING = frozenset({"read", "search", "search_read", "search_count", "get_preferences", "fields_get", "get_access"})
_LOCKED = ("database is locked", "could not serialize", "could not obtain lock", "deadlock detected")
"""In the text of SQLite's and PostgreSQL's errors, which Tryton hands on after its own retries."""
_NOT_ALLOWED = "You are not allowed to"
"""How Tryton's access errors begin in English, the only thing that tells them from rules of the business."""


_QUOTED = re.compile(r'(field )?"([^"]*)"')
_IS_DOCUMENT = re.compile(r"[A-Za-z-]{0,6}\d[\d-]*(?:\s*\[[!-~]+\])?|\[[!-~]+\]")


class TrytonApi:
    """One database, as one user. The session is kept, and begun again when Tryton has forgotten it.

    Every call carries the user's preferences as its context, as Tryton's own clients do: they hold the company.

    Raises (every method):
        Retry: as the port says; `backoffice_busy` for a concurrent change as well.
        Rejected: `backoffice_auth`, `backoffice_refused` with Tryton's own message, `backoffice_bug`.
    """

    def __init__(self, address: str, database: str, credentials: Credentials, http: httpx.Client) -> None:
        address = address.strip().rstrip("/")
        self._root = address if "://" in address else f"https://{address}"
        self._database = database
        self._credentials = credentials
        self._http = http
        self._session: str | None = None
        self._user_id = 0
        self._preferences: dict[str, Any] | None = None

    @property
    def preferences(self) -> Mapping[str, Any]:
        """The user's context: `company`, `language`, `groups` … One request, once."""
        if self._preferences is None:
            found = self._call("model.res.user.get_preferences", [True, {}])
            if not isinstance(found, dict):
                raise bug("Tryton answers with something other than a user's preferences")
            self._preferences = found
        return self._preferences

    @property
    def company(self) -> int:
        company = self.preferences.get("company")
        if not isinstance(company, int):
            raise refused_access("Tryton's user has no company: choose one in the user's preferences")
        return company

    @property
    def user_id(self) -> int:
        """Known as soon as a call was made."""
        return self._user_id

    @property
    def user(self) -> str:
        """The name that we log in with."""
        return self._credentials()["user"]

    def forget(self) -> None:
        """Read the preferences again before the next call: they were changed."""
        self._preferences = None

    def version(self) -> str:
        return str(self._judged(self._post("/rpc/", "common.server.version", [], session=None, writes=False)))

    def call(self, method: str, *params: Any, context: Values | None = None) -> Any:
        """Call `model.<model>.<method>` or `wizard.<wizard>.<method>`, warnings that are harmless acknowledged."""
        arguments = [*params, {**self.preferences, **(context or {})}]
        for _ in range(MOST_WARNINGS):
            answer = self._call_for_answer(method, arguments)
            warning = _warning_of(answer)
            if warning is None:
                return _result(answer, method)
            key, message = warning
            if key.rpartition(".")[2] not in HARMLESS_WARNINGS:
                raise refused(_discreet(message))
            self._acknowledge(key)
        raise bug(f"Tryton warns again and again ({method})")

    def rows(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        context: Values | None = None,
    ) -> list[dict[str, Any]]:
        """Records that match, by ascending id. `party.name` among the fields reads on from a record to the next."""
        found = self.call(
            f"model.{model}.search_read", domain, 0, limit, [["id", "ASC"]], list(fields), context=context
        )
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise bug(f"Tryton answers with something other than a list of {model}")
        return found

    def create(self, model: str, values: Values) -> int:
        ids = self.call(f"model.{model}.create", [values])
        if not isinstance(ids, list) or len(ids) != 1 or not isinstance(ids[0], int):
            raise bug(f"Tryton answers with something other than the id of a new {model}")
        return ids[0]

    def write(self, model: str, ids: Sequence[int], values: Values) -> None:
        self.call(f"model.{model}.write", list(ids), values)

    def delete(self, model: str, ids: Sequence[int]) -> None:
        """Those that are gone already are let pass."""
        self.call(f"model.{model}.delete", list(ids))

    def press(self, model: str, button: str, *ids: int) -> Any:
        """What staff do with a button of a form."""
        return self.call(f"model.{model}.{button}", list(ids))

    def _acknowledge(self, key: str) -> None:
        """As Tryton's own client does when a user says yes: it holds for the next call alone."""
        self._call("model.res.user.warning.skip", [key, False, {}])

    def _call(self, method: str, params: Sequence[Any]) -> Any:
        return _result(self._call_for_answer(method, params), method)

    def _call_for_answer(self, method: str, params: Sequence[Any]) -> Any:
        writes = method.rpartition(".")[2] not in _READING
        response = self._post(self._path, method, params, session=self._logged_in(), writes=writes)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._post(self._path, method, params, session=self._log_in(), writes=writes)
        return _answer(response, method)

    @property
    def _path(self) -> str:
        return f"/{self._database}/rpc/"

    def _logged_in(self) -> str:
        return self._session or self._log_in()

    def _log_in(self) -> str:
        response = self._ask_for_session(self._credentials())
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._ask_for_session(self._credentials(fresh=True))
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            raise refused_access("Tryton does not accept the user's name and password")
        session = _result(_answer(response, "common.db.login"), "common.db.login")
        if not isinstance(session, list) or len(session) < 2 or not isinstance(session[0], int):  # noqa: PLR2004
            raise bug("Tryton answers a login with something other than a session")
        self._user_id = session[0]
        name = self._credentials()["user"]
        token = f"{name}:{session[0]}:{session[1]}".encode()
        self._session = f"Session {base64.b64encode(token).decode('ascii')}"
        return self._session

    def _ask_for_session(self, credentials: Mapping[str, str]) -> httpx.Response:
        try:
            params = [credentials["user"], {"password": credentials["password"]}, "en"]
        except KeyError as error:
            raise refused_access(f"Tryton's credentials lack {error.args[0]}") from error
        return self._post(self._path, "common.db.login", params, session=None, writes=False)

    def _post(
        self, path: str, method: str, params: Sequence[Any], *, session: str | None, writes: bool
    ) -> httpx.Response:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if session is not None:
            headers["authorization"] = session
        return exchange(
            lambda: self._http.post(
                self._root + path,
                content=written({"id": 1, "method": method, "params": params}),
                headers=headers,
                follow_redirects=False,
                timeout=TIMEOUT,
            ),
            writes=writes,
        )

    def _judged(self, response: httpx.Response) -> Any:
        return _result(_answer(response, "common.server.version"), "common.server.version")


def _answer(response: httpx.Response, method: str) -> Any:
    """What Tryton said with HTTP 200, or who has to act."""
    status = response.status_code
    if response.is_redirect:
        raise bug("the back office redirects: set its address to the one that it redirects to")
    if status == HTTPStatus.UNAUTHORIZED:
        raise refused_access("Tryton ends each session at once")
    if status == HTTPStatus.NOT_FOUND:
        raise bug("there is no Tryton with this database at the back office's address")
    if status != HTTPStatus.OK:
        raise bug(f"Tryton answers {method} with HTTP {status}")
    answer = parsed(response.content)
    if not isinstance(answer, dict) or not answer.keys() & {"result", "error"}:
        raise bug(f"Tryton answers {method} with something other than a result")
    return answer


def _warning_of(answer: Mapping[str, Any]) -> tuple[str, str] | None:
    match answer.get("error"):
        case ["UserWarning", [str() as key, str() as message, *_]]:
            return key, message
        case _:
            return None


def _result(answer: Mapping[str, Any], method: str) -> Any:
    """The result; an error is raised by what it asks of whom, a traceback never shown."""
    match answer.get("error"):
        case None:
            return answer.get("result")
        case ["UserError", [str() as message, *_]]:
            text = _discreet(message)
            raise refused_access(text) if message.startswith(_NOT_ALLOWED) else refused(text)
        case ["UserWarning", [str(), str() as message, *_]]:
            raise refused(_discreet(message))
        case ["ConcurrencyException", *_]:
            raise Retry("backoffice_busy", "somebody else has changed the same records meanwhile")
        case ["LoginException", *_]:
            raise refused_access("Tryton wants more of a login than a password: exempt this user from it")
        case [str() as message, *_] if any(text in message for text in _LOCKED):
            raise Retry("backoffice_busy", "somebody else has the same records locked")
        case _:
            raise bug(f"Tryton fails at {method}")


def _discreet(message: str) -> str:
    """The message in one line without the records that it quotes, which may be people and their addresses.

    Names of fields, and numbers of documents with our reference (`12 [aurora/5001]`), stay.
    """
    text = _QUOTED.sub(lambda found: found[0] if found[1] or _IS_DOCUMENT.fullmatch(found[2]) else '"…"', message)
    return " ".join(text.split())[:300]
