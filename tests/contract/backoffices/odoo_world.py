"""A real Odoo, where one is installed, over JSON-2."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.odoo import server
from infra.odoo.template import company
from shared.backoffices.odoo.backoffice import TransportName
from tests.contract.backoffices.odoo_company import Address, OdooWorld


def unavailable() -> str | None:
    return server.missing()


@contextmanager
def world(transport: TransportName = "json2") -> Iterator[OdooWorld]:
    with company() as real:
        address = Address(
            real.server.url, real.server.database, real.warehouse, real.keys["storebridge"], real.keys["admin"]
        )
        made = OdooWorld(address, transport)
        try:
            yield made
        finally:
            made.close()
