"""`python -m infra.tryton`: a Tryton with the example company, until Ctrl-C."""

import signal
import sys
import tempfile
import threading
from pathlib import Path

from rich.console import Console

from infra.tryton.company import USER
from infra.tryton.server import TrytonUnavailable, serving
from infra.tryton.template import ADMIN, copy_database

console = Console()


def main() -> int:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        with tempfile.TemporaryDirectory() as folder:
            _serve(Path(folder), stopping)
    except TrytonUnavailable as error:
        console.print(f"[red]{error}[/red]")
        return 1
    return 0


def _serve(folder: Path, stopping: threading.Event) -> None:
    copy_database(folder, lambda step: console.print(f"{step} …"))
    console.print("starting Tryton …")
    with serving(folder) as server:
        console.print(
            f"Tryton: {server.url}, database {server.database}. It forgets everything at its end.", soft_wrap=True
        )
        for who in (USER, ADMIN):
            console.print(f"User {who['user']}, password {who['password']}", highlight=False)
        console.print("Ctrl-C stops it.")
        stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
