"""A real Tryton as a world of the contract suite. Staff's acts go over RPC as its administrator."""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import httpx

from infra.tryton import company
from infra.tryton.server import Server, TrytonUnavailable, program, serving
from infra.tryton.staff import SHIPMENT, Staff
from infra.tryton.template import admin, copy_database
from shared.backoffices.documents import CustomerCard
from shared.backoffices.port import BackOffice
from shared.backoffices.tryton.backoffice import TrytonBackOffice
from tests.contract.backoffices.world import Killed

__all__ = ["SHIPMENT", "TrytonWorld", "unavailable", "world"]


def unavailable() -> str | None:
    try:
        program("trytond")
    except TrytonUnavailable as error:
        return str(error)
    return None


@contextmanager
def world() -> Iterator["TrytonWorld"]:
    with tempfile.TemporaryDirectory() as folder:
        copy_database(Path(folder))
        with serving(Path(folder)) as server, httpx.Client(trust_env=False) as http:
            yield TrytonWorld(server, http)


class TrytonWorld(Staff):
    vat21 = company.VAT_21
    vat9 = company.VAT_9
    method = company.METHOD
    accounts = ("1.1.1", "5.2.2", "2.3.7")
    journal = "Miscellaneous"

    def __init__(self, server: Server, http: httpx.Client) -> None:
        super().__init__(admin(server, http))
        self._server = server
        self._http = http
        self._first = self._client(http)
        self._first.identify()
        self.office: BackOffice = self._first

    def fresh(self) -> BackOffice:
        return self._client(self._http)

    def killing(self, at: int, *, after: bool, logged_in: bool = False) -> BackOffice:
        """`logged_in`: the worker has a session already, so that it dies at its work."""
        office = self._client(httpx.Client(transport=_Deadly(self._http, at, after=after)))
        if logged_in:
            for name in ("_session", "_user_id", "_preferences"):
                setattr(office._api, name, getattr(self._first._api, name))
        return office

    def held(self, card: CustomerCard) -> CustomerCard:
        return card

    def traces(self, word: str) -> list[str]:
        """From the database itself: a row is named with its table."""
        with closing(sqlite3.connect(self._server.database_file)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return [
                f"{table}: {row}"
                for table in tables
                for row in database.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # the database's own names
                if any(word in str(cell) for cell in row)
            ]

    def count_journals(self, key: str) -> int:
        return len(self.staff.rows("account.move", [["description", "like", f"{key}%"]], ["id"]))

    def close_books(self, until: date) -> bool:
        domain = [["end_date", "<=", until], ["state", "=", "open"]]
        for period in self.staff.rows("account.period", domain, ["id"]):
            self.staff.press("account.period", "close", period["id"])
        return True

    def as_user(self, login: str) -> BackOffice:
        """A client of another user, made here, who belongs to no group and to the company."""
        password = "nobody-in-particular"
        values = {"name": login, "login": login, "password": password, "company": self.staff.company}
        self.staff.create("res.user", {**values, "companies": [["add", [self.staff.company]]]})

        def credentials(*, fresh: bool = False) -> Mapping[str, str]:
            return {"user": login, "password": password}

        return TrytonBackOffice(self._server.url, self._server.database, credentials, self._http)

    def _client(self, http: httpx.Client) -> TrytonBackOffice:
        def credentials(*, fresh: bool = False) -> Mapping[str, str]:
            return company.USER

        return TrytonBackOffice(self._server.url, self._server.database, credentials, http)


class _Deadly(httpx.BaseTransport):
    """Passes requests on until the worker dies at one of them."""

    def __init__(self, http: httpx.Client, at: int, *, after: bool) -> None:
        self._http = http
        self._left = at
        self._after = after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_last = self._left == 0
        self._left -= 1
        if is_last and not self._after:
            raise Killed
        answer = self._http.send(request)
        if is_last:
            raise Killed
        return httpx.Response(answer.status_code, headers={"content-type": "application/json"}, content=answer.content)
