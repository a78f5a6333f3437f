"""An Odoo that is installed on this machine, served on loopback over a PostgreSQL of our own."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from infra.local.children import Children, clean_environment
from infra.local.dynoxide import free_port
from infra.odoo import postgres
from infra.odoo.postgres import Database

COMMAND_VARIABLE = "STOREBRIDGE_ODOO_COMMAND"
DATABASE = "storebridge"
START_LIMIT = 90.0
"""Seconds until it must answer: it reads all its modules first."""
_LOOK_EVERY = 0.1

_CONFIGURATION = """\
[options]
db_host = 127.0.0.1
db_port = {database.port}
db_user = {role}
db_password = {database.password}
db_name = {name}
data_dir = {files}
http_interface = 127.0.0.1
http_port = {port}
list_db = False
max_cron_threads = 0
workers = 0
log_level = warn
"""


class OdooUnavailable(Exception):
    """There is no Odoo here. Says what to do."""


class Server(NamedTuple):
    url: str
    database: str
    log: Path


def command() -> list[str]:
    """How Odoo is called here, or `OdooUnavailable`."""
    given = shlex.split(os.environ.get(COMMAND_VARIABLE, "odoo"))
    if not given or shutil.which(given[0]) is None:
        raise OdooUnavailable(f"Odoo is not installed: put `odoo` on PATH, or name it in {COMMAND_VARIABLE}")
    return given


def missing() -> str | None:
    """Why no Odoo can be started here; None when it can."""
    try:
        command()
    except OdooUnavailable as error:
        return str(error)
    return postgres.missing()


def version() -> str:
    """What Odoo says of itself: `Odoo Server 19.0`."""
    said = subprocess.run(  # noqa: S603  # the command that the user names
        [*command(), "--version"], env=clean_environment(), capture_output=True, text=True, check=True
    )
    return said.stdout.strip()


def configure(folder: Path, database: Database, port: int = 0) -> Path:
    """Write Odoo's settings into the folder, and say where. Its files go to the folder `files` in it."""
    settings = folder / "odoo.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        _CONFIGURATION.format(database=database, role=postgres.ROLE, name=DATABASE, files=folder / "files", port=port),
        encoding="utf-8",
    )
    return settings


@contextmanager
def serving(folder: Path, database: Database) -> Iterator[Server]:
    """Serve the furnished database until the block ends."""
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}", DATABASE, folder / "odoo.log")
    settings = configure(folder, database, port)
    with Children() as children, server.log.open("wb") as log:
        process = children.start([*command(), "-c", str(settings)], env=clean_environment(), cwd=folder, output=log)
        _await_answer(process, server)
        yield server


def _await_answer(process: subprocess.Popen[bytes], server: Server) -> None:
    with httpx.Client(trust_env=False, timeout=START_LIMIT) as http:
        for _ in range(int(START_LIMIT / _LOOK_EVERY)):
            try:
                http.get(f"{server.url}/web/version").raise_for_status()
            except httpx.TransportError:
                if _has_ended(process):
                    raise OdooUnavailable(f"Odoo ended at once: see {server.log}") from None
            else:
                return
    raise OdooUnavailable(f"Odoo did not answer within {START_LIMIT:g} seconds: see {server.log}")


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=_LOOK_EVERY)
    except subprocess.TimeoutExpired:
        return False
    return True
