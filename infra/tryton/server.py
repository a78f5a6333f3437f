"""A real Tryton on a free loopback port over SQLite, for the tests, the demo and developers.

It lives in an environment of its own, `.venv-tryton`: nothing of Tryton is deployed.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from infra.local.children import Children, clean_environment
from infra.local.dynoxide import free_port

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-tryton"
DATABASE = "storebridge"
START_LIMIT = 60.0
"""Seconds until it must answer: it reads all its modules first."""

_CONFIGURATION = """\
[database]
uri = sqlite://
path = {folder}
[web]
listen = 127.0.0.1:{port}
[session]
authentications = password
"""
_LOOK_EVERY = 0.05


class TrytonUnavailable(Exception):
    """There is no Tryton here. Says what to do."""


class Server:
    """One Tryton at an address that stays its own, whether it is up or down."""

    database = DATABASE

    def __init__(self, folder: Path, children: Children) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "tryton.log"
        self.database_file = folder / f"{DATABASE}.sqlite"
        self._folder = folder
        self._children = children
        self._settings = configure(folder, port)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve, and return once it answers; what was in the database is there.

        Raises:
            TrytonUnavailable: it is not set up, or does not start.
        """
        command = [str(program("trytond")), "-c", str(self._settings), "-d", DATABASE]
        with self.log.open("ab") as log:
            self._process = self._children.start(command, env=clean_environment(), cwd=self._folder, output=log)
        _await_answer(self._process, self)

    def stop(self) -> None:
        """End it without a farewell, as a machine that loses its power: nothing listens at its address any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve the folder's database, the file `storebridge.sqlite`, until the block ends.

    Raises:
        TrytonUnavailable: it is not set up, or does not start.
    """
    with Children() as children:
        server = Server(folder, children)
        server.start()
        yield server


def program(name: str) -> Path:
    """One of Tryton's own programs, or `TrytonUnavailable`."""
    path = ENVIRONMENT / "bin" / name
    if not path.exists():
        raise TrytonUnavailable("Tryton is not set up: `make tryton` installs requirements/tryton.txt in .venv-tryton")
    return path


def configure(folder: Path, port: int) -> Path:
    """Write Tryton's settings for a database in this folder, and say where."""
    settings = folder / "trytond.conf"
    settings.write_text(_CONFIGURATION.format(folder=folder.resolve(), port=port), encoding="utf-8")
    return settings


def _await_answer(process: subprocess.Popen[bytes], server: Server) -> None:
    question = {"id": 1, "method": "common.db.list", "params": []}
    with httpx.Client(trust_env=False, timeout=START_LIMIT) as http:
        for _ in range(int(START_LIMIT / _LOOK_EVERY)):
            try:
                http.post(f"{server.url}/rpc/", json=question).raise_for_status()
            except httpx.ConnectError:
                if _has_ended(process):
                    raise TrytonUnavailable(f"Tryton ended at once: see {server.log}") from None
            else:
                return
    raise TrytonUnavailable(f"Tryton did not answer within {START_LIMIT:g} seconds: see {server.log}")


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=_LOOK_EVERY)
    except subprocess.TimeoutExpired:
        return False
    return True
