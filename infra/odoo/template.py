"""A furnished company, made once and copied for each run: installing Odoo's modules takes minutes, a copy a second.

The copy is of PostgreSQL's whole cluster, stopped in order, and of Odoo's files: runs at the same time share nothing.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from infra.local.children import clean_environment
from infra.odoo import postgres, server
from infra.odoo.postgres import Database
from infra.odoo.server import OdooUnavailable, Server

CACHE = Path(__file__).parents[2] / ".cache" / "odoo"
MODULES = ("sale_management", "sale_stock", "stock_delivery", "account", "contacts")
"""Odoo's Sales, Inventory, Delivery, Invoicing and Contacts, with what they need."""

_FURNISH = Path(__file__).with_name("furnish.py")
_FACTS = "facts.json"


class Company(NamedTuple):
    """A running Odoo with one furnished company."""

    server: Server
    warehouse: str
    keys: Mapping[str, str]
    """API keys by login: `storebridge` with the rights that we ask for, and `admin`."""


@contextmanager
def company() -> Iterator[Company]:
    """A fresh company, gone when the block ends.

    Raises:
        OdooUnavailable: Odoo or PostgreSQL is not installed, or does not start.
    """
    template = _template()
    facts = json.loads((template / _FACTS).read_text(encoding="utf-8"))
    with _workshop() as folder:
        for part in ("cluster", "files"):
            shutil.copytree(template / part, folder / part, symlinks=True)
        (folder / "cluster").chmod(0o700)
        postgres.hand_over(folder / "cluster")
        with (
            postgres.serving(folder / "cluster", facts["password"]) as database,
            server.serving(folder, database) as up,
        ):
            yield Company(up, facts["warehouse"], facts["keys"])


def _template() -> Path:
    """The folder with the furnished company, made when this Odoo and this furniture have none yet."""
    reason = server.missing()
    if reason:
        raise OdooUnavailable(reason)
    made_of = (server.version(), *MODULES, _FURNISH.read_text(encoding="utf-8"))
    template = CACHE / hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]
    if not (template / _FACTS).exists():
        _make(template)
    return template


def _make(template: Path) -> None:
    with _workshop() as folder:
        cluster = folder / "cluster"
        password = postgres.create_cluster(cluster)
        with postgres.serving(cluster, password) as database:
            facts = {**_furnish(folder, database), "password": password}
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=CACHE))
        for part in ("cluster", "files"):
            shutil.copytree(folder / part, fresh / part, symlinks=True)
        secret = fresh / _FACTS
        secret.touch(mode=0o600)
        secret.write_text(json.dumps(facts), encoding="utf-8")
        shutil.rmtree(template, ignore_errors=True)
        fresh.rename(template)


def _furnish(folder: Path, database: Database) -> dict[str, object]:
    (folder / "files").mkdir()
    settings = str(server.configure(folder, database))
    _odoo(["-c", settings, "-i", ",".join(MODULES), "--without-demo=all", "--stop-after-init"], "")
    said = _odoo(["shell", "-c", settings, "--no-http"], _FURNISH.read_text(encoding="utf-8"))
    facts = [line.partition("FACTS")[2] for line in said.splitlines() if "FACTS{" in line]
    if not facts:
        raise OdooUnavailable(f"Odoo could not be furnished: {said.strip()[-600:]}")
    furnished: dict[str, object] = json.loads(facts[-1])
    return furnished


def _odoo(arguments: list[str], script: str) -> str:
    done = subprocess.run(  # noqa: S603  # the command that the user names
        [*server.command(), *arguments],
        env=clean_environment(),
        input=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OdooUnavailable(f"odoo {arguments[0]} fails: {done.stdout.strip()[-600:]}")
    return done.stdout


@contextmanager
def _workshop() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter as well."""
    with tempfile.TemporaryDirectory(prefix="storebridge-odoo-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder
