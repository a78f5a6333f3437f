"""Two shops, the deployed stack and a real back office, all on this machine: what the end-to-end tests play in."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from infra.fakes.twins import Twins, contents, twins
from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from infra.tryton import company as tryton_company
from shared.backoffices.documents import Sale
from shared.dynamodb.table import connect
from shared.inventory.ledger import audit
from shared.inventory.table import MovementTable, StockTable
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.orders.record import OrderRecord
from shared.orders.table import OrderTable
from shared.sync.backoffice.table import MirrorTable
from tests.builders.stock import counted
from tests.contract.backoffices import odoo_world, tryton_world
from tests.contract.backoffices.world import World


@dataclass
class House:
    shops: Twins
    stack: LocalStack
    erp: World
    stock: StockTable
    orders: OrderTable
    mirrors: MirrorTable
    ledger: MovementTable

    def have(self, sku: str, units: int) -> None:
        """Count so many on the shelf; the back office hears of the count, and both shops sell them."""
        self.stock.set_level(counted(sku, units, at=utc_now()))
        if self.shops.borealis.shop.by_sku(sku) is None:
            self.shops.stock(sku, units)
        self.settle()
        assert self.on_shelf(sku) == (units, units)

    def buy(self, shop: str, sku: str, units: int) -> OrderKey:
        before = {record.key for record in self.orders.all_records(shop)}
        assert self.shops.buy(shop, sku, units)
        self.settle()
        (key,) = {record.key for record in self.orders.all_records(shop)} - before
        return key

    def settle(self) -> None:
        """Until nothing moves any more: shops' webhooks, queues, streams, errands."""
        for _ in range(3):
            self.shops.deliver()
            self.stack.drain()

    def look(self) -> None:
        """The scheduled look at the back office, and all that follows."""
        self.fire("backoffice-pull")

    def fire(self, schedule: str) -> None:
        (name,) = [known for known in self.stack.schedules.names if known.endswith(schedule)]
        self.stack.schedules.fire(name)
        self.settle()

    def record(self, key: OrderKey) -> OrderRecord:
        found = self.orders.find(key)
        assert found is not None
        return found

    def sale(self, key: OrderKey) -> Sale:
        found = self.erp.fresh().find_sale(str(key))
        assert found is not None
        return found

    def explains_its_stock(self, sku: str) -> bool:
        """Whether the ledger of movements is whole and comes to the level."""
        return audit(self.ledger.of(sku, "main"), self.stock.read([sku])[sku]["main"]).agrees

    def on_shelf(self, sku: str) -> tuple[int, int]:
        """Ours, and the back office's."""
        ours = self.stock.read([sku])[sku]["main"].on_hand
        return ours, self.erp.fresh().stock([sku], self.erp.warehouse)[sku].on_hand


def tryton(stack: ExitStack) -> tuple[World, dict[str, Any], dict[str, str]]:
    reason = tryton_world.unavailable()
    if reason:
        pytest.skip(reason)
    erp = stack.enter_context(tryton_world.world())
    server = erp._server
    return erp, {"vendor": "tryton", "address": server.url, "database": server.database}, tryton_company.USER


def odoo(stack: ExitStack) -> tuple[World, dict[str, Any], dict[str, str]]:
    reason = odoo_world.unavailable()
    if reason:
        pytest.skip(reason)
    erp = stack.enter_context(odoo_world.world())
    at = erp._address
    return erp, {"vendor": "odoo", "address": at.url, "database": at.database}, {"api_key": at.ours}


def with_backoffice(made: Contents, erp: World, connection: dict[str, Any], secret: dict[str, str]) -> Contents:
    """The shops' settings, joined with the back office."""
    office = {
        **connection,
        "warehouses": {"main": erp.warehouse},
        "payment_methods": {"*": erp.method},
        "products": {"gift_card": "FEE", "adjustment": "FEE", "tip": "FEE", "duty": "FEE"},
        "taxes": {"0.21": erp.vat21, "0.09": erp.vat9},
        "complete_when": "shipped",
        "look_every_minutes": 0,
    }
    shops = {name: {**shop, "backoffice": "erp"} for name, shop in made.settings["shops"].items()}
    settings = {**made.settings, "shops": shops, "backoffices": {"erp": office}}
    return replace(made, settings=settings, secrets={**made.secrets, "api": {**made.secrets["api"], "erp": secret}})


Opening = Any
"""Opens a back office: its world, its settings, its credentials."""


@contextmanager
def opened(opening: Opening, *, of_shops: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[House]:
    """The house with this back office. `of_shops`: more settings, by shop."""
    with ExitStack() as stack:
        erp, connection, secret = opening(stack)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        shops = stack.enter_context(twins())
        made = with_backoffice(contents(), erp, connection, secret)
        both = {name: {**shop, **(of_shops or {}).get(name, {})} for name, shop in made.settings["shops"].items()}
        made = replace(made, settings={**made.settings, "shops": both})
        running = stack.enter_context(LocalStack(Options(contents=made, environment=shops.environment)))
        for name, value in running.clients.environment().items():
            patch.setenv(name, value)
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        shops.connect(running.url)
        database = connect()
        stock = StockTable(database, "storebridge-stock", ("main",))
        yield House(
            shops=shops,
            stack=running,
            erp=erp,
            stock=stock,
            orders=OrderTable(database, "storebridge-orders", stock),
            mirrors=MirrorTable(database, "storebridge-sync"),
            ledger=MovementTable(database, "storebridge-movements"),
        )
