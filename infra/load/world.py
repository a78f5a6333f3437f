"""What is outside of the stack and outlives its crash: two live shops, and an Odoo that is not there."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from infra.fakes.odoo import DATABASE, OUR_KEY, WAREHOUSE, FakeOdoo
from infra.fakes.twins import Twins, contents, twins
from infra.load.traffic import SKUS
from infra.local.provision import Contents
from shared.kernel.clock import utc_now

OFFICE = "erp"


@dataclass
class World:
    shops: Twins
    office: FakeOdoo | None
    contents: Contents
    """Settings and secrets for the stack that serves them."""

    def shown(self) -> dict[str, dict[str, int | None]]:
        """What each shop shows of each SKU."""
        return {
            sku: {shop: None if units is None else int(units) for shop, units in self.shops.shown(sku).items()}
            for sku in SKUS
        }


@contextmanager
def world(*, with_backoffice: bool) -> Iterator[World]:
    """Both shops on loopback, and the back office where it is wanted. They show nothing yet."""
    with twins() as shops:
        for sku in SKUS:
            shops.stock(sku, 0)
        if not with_backoffice:
            yield World(shops, None, contents())
            return
        office = FakeOdoo(utc_now)
        with closing(office.serve()) as server:
            yield World(shops, office, _joined(contents(), f"http://127.0.0.1:{server.port}"))


def _joined(made: Contents, address: str) -> Contents:
    office = {
        "vendor": "odoo",
        "address": address,
        "database": DATABASE,
        "warehouses": {"main": WAREHOUSE},
        "payment_methods": {"*": "Bank"},
        "products": {"gift_card": "FEE", "adjustment": "FEE", "tip": "FEE", "duty": "FEE"},
        "taxes": {"0.21": "VAT 21", "0.09": "VAT 9"},
        "complete_when": "shipped",
        "look_every_minutes": 0,
    }
    shops = {name: {**shop, "backoffice": OFFICE} for name, shop in made.settings["shops"].items()}
    settings = {**made.settings, "shops": shops, "backoffices": {OFFICE: office}}
    return replace(
        made, settings=settings, secrets={**made.secrets, "api": {**made.secrets["api"], OFFICE: {"api_key": OUR_KEY}}}
    )
