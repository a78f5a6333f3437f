"""`python -m infra.odoo`: a fresh Odoo with the example company, until Ctrl-C."""

import signal
import sys
import threading

from rich.console import Console

from infra.odoo.postgres import PostgresUnavailable
from infra.odoo.server import OdooUnavailable
from infra.odoo.template import company

console = Console()


def main() -> int:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    console.print("starting Odoo; the first time its modules are installed, which takes a minute or two …")
    try:
        with company() as fresh:
            console.print(f"Odoo: {fresh.server.url}, database {fresh.server.database}, user admin, password admin")
            console.print(f"API key of the user storebridge: {fresh.keys['storebridge']}", highlight=False)
            console.print(f"Its warehouse is {fresh.warehouse}, its log {fresh.server.log}", highlight=False)
            console.print("Ctrl-C stops it, and it forgets everything.")
            stopping.wait()
    except (OdooUnavailable, PostgresUnavailable) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
