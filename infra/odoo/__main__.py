"""`python -m infra.odoo`: a fresh Odoo for a developer, until Ctrl-C."""

import signal
import sys

from infra.odoo.postgres import PostgresUnavailable
from infra.odoo.server import OdooUnavailable
from infra.odoo.template import company


def run() -> int:
    """Serve until interrupted; 1 when there is no Odoo here."""
    try:
        with company() as fresh:
            sys.stdout.write(
                f"Odoo:      {fresh.server.url} (database {fresh.server.database}, sign in as admin / admin)\n"
                f"API key:   {fresh.keys['storebridge']} (user storebridge)\n"
                f"warehouse: {fresh.warehouse}\n"
                f"log:       {fresh.server.log}\nCtrl-C ends it, and forgets everything.\n"
            )
            sys.stdout.flush()
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except (OdooUnavailable, PostgresUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
