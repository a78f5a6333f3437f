"""A PostgreSQL of our own on a free loopback port, from the programs on PATH. Thrown away, so careless and fast."""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from infra.local.children import Children, clean_environment
from infra.local.dynoxide import free_port

PROGRAMS = ("postgres", "initdb", "pg_ctl", "psql")
ROLE = "storebridge"
"""Odoo refuses to work as the role `postgres`."""
START_LIMIT = 30.0
_LOOK_EVERY = 0.05
_UNPRIVILEGED = "nobody"
_CARELESS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_wal_size=512MB",
    "shared_buffers=128MB",
)


class PostgresUnavailable(Exception):
    """There is no PostgreSQL here. Says what to do."""


class Database(NamedTuple):
    """Where a PostgreSQL is reached."""

    port: int
    password: str
    cluster: Path


def missing() -> str | None:
    """Why no PostgreSQL can be started here; None when it can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"PostgreSQL's programs are not on PATH: {', '.join(absent)}"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL refuses to run as root, and there is no setpriv to run it as somebody else"
    return None


def create_cluster(cluster: Path) -> str:
    """Make an empty cluster in the folder, whose parent anybody may enter, and return its password."""
    password = secrets.token_urlsafe(18)
    secret = cluster.with_suffix(".pw")
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="utf-8")
    cluster.mkdir()
    hand_over(secret, cluster)
    command = ["initdb", "-D", str(cluster), "-U", ROLE, "-A", "scram-sha-256", "--pwfile", str(secret)]
    command += ["-E", "UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(  # noqa: S603  # our own command
        as_unprivileged(command), env=clean_environment(), capture_output=True, text=True, check=False
    )
    secret.unlink()
    if made.returncode:
        raise PostgresUnavailable(f"initdb fails: {made.stderr.strip()[-300:]}")
    return password


@contextmanager
def serving(cluster: Path, password: str) -> Iterator[Database]:
    """Serve the cluster on loopback until the block ends; it is then shut down in order."""
    port = free_port()
    options = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", *_CARELESS]
    command = ["postgres", "-D", str(cluster), *(word for option in options for word in ("-c", option))]
    with Children() as children, cluster.with_suffix(".log").open("wb") as log:
        process = children.start(as_unprivileged(command), env=clean_environment(), cwd=cluster.parent, output=log)
        database = Database(port, password, cluster)
        _await(process, database)
        yield database
        subprocess.run(  # noqa: S603  # our own command
            as_unprivileged(["pg_ctl", "stop", "-D", str(cluster), "-m", "fast", "-s"]),
            env=clean_environment(),
            check=False,
        )


def hand_over(*paths: Path) -> None:
    """Give the files to the user that PostgreSQL runs as, where that is another one."""
    if os.geteuid() != 0:
        return
    owner = pwd.getpwnam(_UNPRIVILEGED)
    for path in paths:
        for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
            os.chown(each, owner.pw_uid, owner.pw_gid)


def as_unprivileged(command: list[str]) -> list[str]:
    """The command as it is, or as somebody else's when we are root."""
    if os.geteuid() != 0:
        return command
    owner = pwd.getpwnam(_UNPRIVILEGED)
    return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", *command]


def _await(process: subprocess.Popen[bytes], database: Database) -> None:
    question = ["psql", "-h", "127.0.0.1", "-p", str(database.port), "-U", ROLE, "-d", "postgres", "-qc", "select 1"]
    environment = {**clean_environment(), "PGPASSWORD": database.password}
    for _ in range(int(START_LIMIT / _LOOK_EVERY)):
        asked = subprocess.run(question, env=environment, capture_output=True, check=False)  # noqa: S603
        if asked.returncode == 0:
            return
        try:
            process.wait(timeout=_LOOK_EVERY)
        except subprocess.TimeoutExpired:
            continue
        break
    raise PostgresUnavailable(f"PostgreSQL does not start: see {database.cluster.with_suffix('.log')}")
