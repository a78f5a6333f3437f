"""A database with a company in it, made once and copied for each run.

Making it takes half a minute, copying it an instant. It is made anew when the lock file, the code that sets it up or
the year changes: its fiscal years are counted from today.
"""

import hashlib
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import httpx

from infra.local.children import clean_environment
from infra.tryton import company
from infra.tryton.server import DATABASE, ROOT, Server, TrytonUnavailable, configure, program, serving
from shared.backoffices.tryton.client import TrytonApi

CACHE = ROOT / ".cache" / "tryton"
MODULES = ("account_invoice_stock", "sale_amendment", "stock_package_shipping")
"""What the adapter needs; each brings what it needs itself, `sale` and `account_invoice` among them."""
ADMIN = {"user": "admin", "password": "admin-of-the-example"}

_FILE = f"{DATABASE}.sqlite"
_MADE_OF = (ROOT / "requirements" / "tryton.txt", Path(__file__), Path(company.__file__))

Tell = Callable[[str], None]


def copy_database(folder: Path, tell: Tell = lambda _: None) -> None:
    """Put a fresh copy of the template into the folder, made first where there is none.

    SQLite's own backup is used: a copied file lacks what its write-ahead log still holds.

    Raises:
        TrytonUnavailable: Tryton is not set up here.
    """
    template = _template(tell)
    with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(folder / _FILE)) as target:
        source.backup(target)


def admin(server: Server, http: httpx.Client) -> TrytonApi:
    """The administrator's client: it may do what staff do."""
    return TrytonApi(server.url, server.database, lambda *, fresh=False: ADMIN, http)  # noqa: ARG005


def _template(tell: Tell) -> Path:
    today = datetime.now(UTC).date()
    program("trytond-admin")
    kept = CACHE / f"{_fingerprint(today)}.sqlite"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            made = _make(Path(folder), today, tell)
            made.replace(kept)  # at once, so that whoever made it at the same time is not in the way
        for old in CACHE.glob("*.sqlite"):
            if old != kept:
                old.unlink(missing_ok=True)
    return kept


def _fingerprint(today: date) -> str:
    seal = hashlib.sha256(str(today.year).encode())
    for path in _MADE_OF:
        seal.update(path.read_bytes())
    return seal.hexdigest()[:16]


def _make(folder: Path, today: date, tell: Tell) -> Path:
    tell("installing Tryton's modules in an empty database (half a minute, once)")
    _install(folder)
    tell("founding the example company")
    with serving(folder) as server, httpx.Client(trust_env=False) as http:
        company.found(admin(server, http), today)
    finished = folder / "finished.sqlite"
    with closing(sqlite3.connect(folder / _FILE)) as source, closing(sqlite3.connect(finished)) as target:
        source.backup(target)
    return finished


def _install(folder: Path) -> None:
    (folder / _FILE).touch()
    password = folder / "password"
    password.write_text(ADMIN["password"], encoding="utf-8")
    command = [str(program("trytond-admin")), "-c", str(configure(folder, 0)), "-d", DATABASE]
    command += ["-u", *MODULES, "--activate-dependencies", "--email", "admin@example.test"]
    done = subprocess.run(  # noqa: S603  # Tryton's own program, no shell
        command,
        env={**clean_environment(), "TRYTONPASSFILE": str(password)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise TrytonUnavailable(f"trytond-admin ended with status {done.returncode}: {done.stderr[-300:].decode()}")
