"""Where the second act plays: a stack of its own, two live shops, and a real Tryton that all of them tell and hear."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx

from infra.demo.stage import Stage
from infra.fakes.twins import contents, twins
from infra.fakes.woocommerce_state import Order as WooOrder
from infra.local.provision import Contents
from infra.local.stack import ROOT, LocalStack, Options
from infra.tryton import company
from infra.tryton.server import Server, serving
from infra.tryton.staff import Staff
from infra.tryton.template import admin, copy_database
from shared.backoffices.documents import Sale
from shared.backoffices.tryton.backoffice import TrytonBackOffice
from shared.customers.table import CustomerTable
from shared.dynamodb.table import connect
from shared.inventory.table import MovementTable
from shared.kernel.identifiers import OrderKey
from shared.kernel.money import Money
from shared.orders.record import OrderRecord
from shared.sync.backoffice.mirror import Stopped
from shared.sync.backoffice.table import MirrorTable
from shared.sync.privacy.table import PrivacyTable

LOOK: Final = "backoffice-pull"
SHOPS: Final = ("aurora", "borealis")
SENDER: Final = "shop@example.test"
_PATIENCE_SECONDS: Final = 60.0
_LOOK_EVERY: Final = 0.5
_ASK: Final = {"aurora": "registration", "borealis": "first_order"}
"""When each shop has its customers prove their addresses."""
_ROUNDS: Final = 3
"""Of settling: what a shop is told makes it send a webhook, and what that changes may be told again."""


@dataclass
class House:
    """Both shops, our stack, and the Tryton behind them."""

    stage: Stage
    server: Server
    staff: Staff
    erp: TrytonBackOffice
    mirrors: MirrorTable
    ledger: MovementTable
    customers: CustomerTable
    requests: PrivacyTable

    def have(self, sku: str, units: int) -> None:
        """Count so many here, and have both shops sell them."""
        self.stage.count_in(sku, units)
        if self.stage.shops.borealis.shop.by_sku(sku) is None:
            self.stage.shops.stock(sku, units)
        self.settle()

    def buy(self, shop: str, sku: str, units: int) -> OrderKey:
        """A buyer orders at a shop; returns once both sides know of it."""
        before = self.keys()
        self.stage.shops.buy(shop, sku, units)
        self.settle()
        (key,) = self.keys() - before
        return key

    def keys(self) -> set[OrderKey]:
        return {record.key for shop in SHOPS for record in self.stage.orders.all_records(shop)}

    def record(self, key: OrderKey) -> OrderRecord:
        return self.stage.order(key.shop, key.order_id)

    def sale(self, key: OrderKey) -> Sale:
        """What Tryton holds for the order, or `LookupError`."""
        found = self.erp.find_sale(str(key))
        if found is None:
            raise LookupError(f"Tryton has no sale for {key}")
        return found

    def net(self, key: OrderKey) -> Money:
        """What the buyer owes: the order's total less its refunds, in the shop's currency."""
        account = self.stage.orders.find_account(key)
        if account is None:
            raise LookupError(f"order {key} has no account")
        refunded = Money.total((refund.amount.shop for refund in account.refunds), account.totals.total.shop.currency)
        return account.totals.total.shop - refunded

    def stopped(self) -> list[Stopped]:
        return [entry for shop in SHOPS for entry in self.mirrors.stopped(shop)]

    def settle(self) -> None:
        """Wait until nothing moves any more: webhooks, queues, streams, errands."""
        for _ in range(_ROUNDS):
            self.stage.settle()

    def look(self) -> None:
        """The scheduled look at Tryton, and all that follows from it."""
        self.stage.fire(LOOK)
        self.settle()

    def wait_until(self, holds: Callable[[], bool]) -> bool:
        """Look again and again, without waiting for errands that can only be tried later; whether it came to hold."""
        deadline, bell = monotonic() + _PATIENCE_SECONDS, self.stage.stack.bell
        while not (held := holds()) and monotonic() < deadline:
            bell.wait_beyond(bell.count, _LOOK_EVERY)
        return held

    def operate(self, *words: str) -> Any:
        """What the operators' command line answers, run as they run it."""
        command = [sys.executable, "-m", "infra.cli.main", "--json", f"--local={self.stage.stack.url}", *words]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own program
        return json.loads(done.stdout)

    def shelves(self, *skus: str) -> dict[str, tuple[int, int]]:
        """Units on hand by SKU: ours, and Tryton's."""
        there = self.erp.stock(skus, company.WAREHOUSE)
        return {sku: (self.stage.level(sku).on_hand, there[sku].on_hand) for sku in skus}

    def woo_order(self, key: OrderKey) -> WooOrder:
        """An order of Borealis as that shop has it."""
        return self.stage.shops.borealis.shop.orders[int(key.order_id)]

    def tracking_shown(self, key: OrderKey) -> list[str]:
        """Tracking numbers that the shop shows its buyer."""
        if key.shop == "aurora":
            shipments = self.stage.shops.aurora.order(key.order_id)["fulfillments"]
            return sorted(number for shipment in shipments for number in shipment["tracking_numbers"])
        meta = {entry["key"]: entry["value"] for entry in self.woo_order(key).body["meta_data"]}
        return sorted(item["tracking_number"] for item in meta.get("_wc_shipment_tracking_items", ()))

    def mails(self, key: OrderKey) -> int:
        """How often the shop wrote to the order's buyer that something was sent."""
        shops = self.stage.shops
        if key.shop == "aurora":
            gid = shops.aurora.order(key.order_id)["admin_graphql_api_id"]
            return sum(mail.order == gid for mail in shops.aurora.fulfilment.mails)
        return sum(mail.order == int(key.order_id) for mail in shops.borealis.shop.mails)


@contextmanager
def house(tell: Callable[[str], None]) -> Iterator[House]:
    """All of it, up until the block ends.

    Raises:
        TrytonUnavailable: it is not set up, or does not start.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        httpx.Client(trust_env=False, timeout=_PATIENCE_SECONDS) as http,
        twins() as shops,
    ):
        copy_database(Path(folder), tell)
        with serving(Path(folder)) as server:
            made = joined(contents(), server)
            with LocalStack(Options(contents=made, environment=shops.environment)) as stack:
                stage = Stage.on(stack, shops)
                stack.client("sesv2").create_email_identity(EmailIdentity=SENDER)
                tables = {table.name.rpartition("-")[2]: table.name for table in stack.deployment.tables}
                yield House(
                    stage=stage,
                    server=server,
                    staff=Staff(admin(server, http)),
                    erp=TrytonBackOffice(server.url, server.database, _credentials, http),
                    mirrors=MirrorTable(connect(), tables["sync"]),
                    ledger=MovementTable(connect(), tables["movements"]),
                    customers=CustomerTable(connect(), tables["customers"]),
                    requests=PrivacyTable(connect(), tables["sync"]),
                )


def joined(made: Contents, server: Server) -> Contents:
    """The shops' settings, joined with the Tryton; what each asks of its customers, and writes to them."""
    office = {
        "vendor": "tryton",
        "address": server.url,
        "database": server.database,
        "warehouses": {"main": company.WAREHOUSE},
        "payment_methods": {"*": company.METHOD},
        "products": {"gift_card": "FEE", "adjustment": "FEE", "tip": "FEE", "duty": "FEE"},
        "taxes": {"0.21": company.VAT_21, "0.09": company.VAT_9},
        "complete_when": "shipped",
        "look_every_minutes": 0,
    }
    mail = {"sender": SENDER, "sender_name": "Example Goods", "notices": ["confirmed"]}
    shops = {
        name: {**shop, "backoffice": "erp", "buyers": mail, "customers": {"verification": {"ask": _ASK[name]}}}
        for name, shop in made.settings["shops"].items()
    }
    settings = {**made.settings, "shops": shops, "backoffices": {"erp": office}}
    return replace(
        made, settings=settings, secrets={**made.secrets, "api": {**made.secrets["api"], "erp": company.USER}}
    )


def _credentials(*, fresh: bool = False) -> Mapping[str, str]:  # noqa: ARG001 - the port's signature
    return company.USER
