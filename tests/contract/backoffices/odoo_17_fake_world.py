"""The Odoo that is not there with the names and the rounded prices of 17, over JSON-RPC."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.contract.backoffices import odoo_fake_world
from tests.contract.backoffices.odoo_company import OdooWorld
from tests.contract.backoffices.odoo_fake_world import unavailable

__all__ = ["unavailable", "world"]


@contextmanager
def world() -> Iterator[OdooWorld]:
    with odoo_fake_world.world("jsonrpc", 17) as made:
        yield made
