"""The same company over JSON-RPC, as Odoo 17 and 18 are called."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.contract.backoffices import odoo_world
from tests.contract.backoffices.odoo_world import OdooWorld, unavailable

__all__ = ["unavailable", "world"]


@contextmanager
def world() -> Iterator[OdooWorld]:
    with odoo_world.world("jsonrpc") as made:
        yield made
