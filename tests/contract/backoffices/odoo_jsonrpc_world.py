"""The same real Odoo over JSON-RPC, as 17 and 18 are called."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.contract.backoffices import odoo_world
from tests.contract.backoffices.odoo_company import OdooWorld
from tests.contract.backoffices.odoo_world import unavailable

__all__ = ["unavailable", "world"]


@contextmanager
def world() -> Iterator[OdooWorld]:
    with odoo_world.world("jsonrpc") as made:
        yield made
