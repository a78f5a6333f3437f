"""Who is around the deployment whose costs are counted: a Shopify shop that sells, a WooCommerce shop that sells the
same stock, an Odoo that ships, a Stripe account. All of them are the fakes of this repository, over loopback.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any, Final

from infra.costs.cloud import MeteredCloud, metered_cloud, standing_time
from infra.demo.shops import aurora_line
from infra.fakes import odoo
from infra.fakes.odoo import FakeOdoo
from infra.fakes.payment_twins import STRIPE, PaymentTwins, payment_twins
from infra.fakes.shopify_admin import LOCATION
from infra.fakes.twins import AURORA, SECRET, Twins, contents, twins
from infra.local.provision import Contents
from infra.local.template import STACK_NAME
from infra.samples import shopify
from infra.samples import stripe as stripe_samples
from shared.inventory.levels import set_level
from shared.inventory.models import LevelRequest
from shared.inventory.table import StockTable
from shared.kernel.clock import utc_now
from shared.payments.stripe.signature import request_headers
from shared.wiring.tables import connection

LINES: Final = 3
FIRST: Final = 5001
"""The shop's number of the first order."""
SENDER: Final = "shop@example.test"
_SHELF: Final = 100
Json = dict[str, Any]


@dataclass
class World:
    cloud: MeteredCloud
    shops: Twins
    erp: FakeOdoo
    payments: PaymentTwins
    buyers: int
    """Who buy in turn, each the same goods each time."""
    bodies: dict[int, Json] = field(default_factory=dict)
    """What the shop says of each order now."""
    _told: dict[int, str] = field(default_factory=dict)
    """The hash of what was told last of each order."""
    charges: dict[int, str] = field(default_factory=dict)
    """What Stripe calls each order's payment."""

    # ---- before anything is counted ----

    def furnish(self) -> None:
        """Put on the shelf, in both shops and in the back office what the buyers take: other goods for each."""
        stock = StockTable(connection(), f"{STACK_NAME}-stock", ("main",))
        for sku in (sku for buyer in range(self.buyers) for sku in skus_of(buyer)):
            self.erp.store.create(
                "product.product", {"name": sku, "default_code": sku, "type": "consu", "is_storable": True}
            )
            self.shops.stock(sku, _SHELF)
            request = LevelRequest(sku=sku, location="main", on_hand=_SHELF)
            set_level(stock, utc_now, request, actor="costs")
        self.cloud.settle()

    # ---- what the buyer and the shop do ----

    def order(self, number: int, *, buyer: int | None = None, **said: Any) -> Json:
        """A new order of three lines, as the shop tells of it. The shop's own levels fall at once. `buyer`: somebody
        else than the one whose turn it is."""
        goods = skus_of(number % self.buyers)
        lines = [aurora_line(sku) for sku in goods]
        for sku in goods:
            item = self.shops.aurora._by_sku[sku]  # noqa: SLF001 - what its own `sell` does
            item.available[shopify.gid("Location", LOCATION)] -= 1
        now = utc_now().isoformat()
        order_id, person = FIRST + number, number % self.buyers if buyer is None else buyer
        address = f"buyer-{1000 + person}@example.test"
        body = shopify.Shop().order(
            *lines,
            id=order_id,
            admin_graphql_api_id=shopify.gid("Order", order_id),
            name=f"#{order_id}",
            email=address,
            contact_email=address,
            customer=shopify.customer(
                id=90_000 + person,
                admin_graphql_api_id=shopify.gid("Customer", 90_000 + person),
                email=address,
                last_name=f"Ünal-{person}",
                phone=f"+4930{1_000_000 + person}",
            ),
            shipping_address=shopify.address(last_name=f"Ünal-{person}", phone=f"+4930{1_000_000 + person}"),
            billing_address=shopify.address(last_name=f"Ünal-{person}", phone=f"+4930{1_000_000 + person}"),
            payment_gateway_names=["stripe"],
            **dict.fromkeys(("created_at", "processed_at", "updated_at"), now),
            **said,
        )
        self.bodies[number] = body
        self.shops.aurora.put_order(body)
        return body

    def change(self, number: int, **said: Any) -> Json:
        """The shop says something else of the order from now on."""
        stated = {**self.bodies[number], **said, "updated_at": utc_now().isoformat()}
        self.bodies[number] = stated
        kept = self.shops.aurora.order(stated["id"])
        kept.update({name: value for name, value in stated.items() if name in said or name == "updated_at"})
        return stated

    def tell(self, body: Json, topic: str = "orders/updated") -> None:
        """The shop's webhook of an order. What it says of the buyer is taken over where the body's hash is the greater
        one, for orders say nothing of when the buyer changed: here it always is, which is what costs more."""
        number, told = int(body["id"]) - FIRST, body
        before = self._told.get(number, "")
        for attempt in count():
            told = {**body, "cart_token": f"{attempt:08d}"}
            digest = hashlib.sha256(shopify.encode(told)).hexdigest()
            if digest > before:
                break
        self.bodies[number], self._told[number] = told, digest
        self.tell_again(told, topic)

    def tell_again(self, body: Json, topic: str) -> None:
        """The same to the byte, where it was told before."""
        request = shopify.signed_request(body, topic=topic, secret=SECRET, address=AURORA)
        self._accepted(self.cloud.post("/webhooks/aurora/orders", request.headers, request.body))

    def give_back(self, number: int) -> Json:
        """One piece comes back, and its money goes back at Stripe; what the shop says of the order then."""
        body, shop = self.bodies[number], shopify.Shop()
        line, price = body["line_items"][0], "12.50"
        left = str(Decimal(body["total_price"]) - Decimal(price))
        refund = shop.refund(
            FIRST + number,
            order_id=body["id"],
            created_at=utc_now().isoformat(),
            refund_line_items=[shop.refund_line(line)],
            transactions=[shop.transaction(FIRST + number, price, kind="refund", gateway="stripe")],
        )
        self.payments.stripe.refund(self.charges[number], 1250)
        return self.change(
            number,
            refunds=[refund],
            financial_status="partially_refunded",
            current_total_price=left,
            current_total_price_set=shop.bag(left),
        )

    def pay(self, number: int) -> None:
        """The buyer pays at Stripe, which tells of it."""
        total = int(Decimal(self.bodies[number]["total_price"]) * 100)
        order_id, name = str(self.bodies[number]["id"]), str(self.bodies[number]["name"])
        charge = self.payments.stripe.charge
        self.charges[number] = charge(total, "EUR", fee=60, order_id=order_id, order_number=name)

    def pay_out(self) -> None:
        """Stripe sends to the bank what came together."""
        twin = self.payments.stripe
        twin.arrive(twin.pay_out("EUR", arrives=utc_now()))
        self.tell_of_payments()

    def tell_of_payments(self) -> None:
        """Stripe's webhooks of what happened."""
        twin = self.payments.stripe
        waiting, twin.waiting = twin.waiting, []
        for event in waiting:
            body = stripe_samples.encode(event)
            headers = request_headers(body, *twin.secrets, signed_at=int(utc_now().timestamp()))
            self._accepted(self.cloud.post(f"/webhooks/{STRIPE}/payments", headers, body))

    def tell_what_follows(self) -> None:
        """The shop's webhooks of what we, or others, did to its orders since."""
        for body in self.shops.aurora.take_webhooks():
            self.tell(body)

    # ---- what the back office does ----

    def ship(self, number: int) -> None:
        """The warehouse sends everything off in one parcel, with a number to follow it by."""
        key = f"aurora/{FIRST + number}"
        (order,) = [one for one in self.erp.store.records["sale.order"].values() if one["origin"] == key]
        pickings = self.erp.store.search("stock.picking", [["sale_id", "=", order["id"]], ["state", "!=", "done"]])
        for picking in pickings:
            moves = self.erp.store.search("stock.move", [["picking_id", "=", picking["id"]]])
            commands = [[1, move["id"], {"quantity": int(move["product_uom_qty"]), "picked": True}] for move in moves]
            values = {"move_ids": commands, "carrier_tracking_ref": f"1Z{number:08d}"}
            self.erp.call("stock.picking", "write", [picking["id"]], {"vals": values})
            self.erp.call("stock.picking", "button_validate", [picking["id"]], {"context": {"skip_backorder": True}})

    def _accepted(self, status: int) -> None:
        if status != 200:  # noqa: PLR2004 - HTTP's OK
            raise RuntimeError(f"the webhook was answered with {status}: {self.cloud.log.tail()}")


def skus_of(buyer: int) -> tuple[str, ...]:
    return tuple(f"GOODS-{buyer:03d}-{line}" for line in range(1, LINES + 1))


@contextmanager
def world(*, connected: bool, batch: int) -> Iterator[World]:
    """`connected`: with the back office, buyers' mail and books; else two shops alone, which tell of orders only."""
    with (
        standing_time() as traveller,
        twins() as shops,
        payment_twins() as payments,
        closing((erp := FakeOdoo(utc_now)).serve()) as server,
    ):
        made = _alone(contents())
        if connected:
            made = _with_office(payments.contents(contents(), stripe_eu=_STRIPE), f"http://127.0.0.1:{server.port}")
        shops.borealis.webhooks.send = _takes_all
        with metered_cloud(made, shops.environment, traveller, batch=batch) as cloud:
            cloud.clients.make("sesv2").create_email_identity(EmailIdentity=SENDER)
            yield World(cloud, shops, erp, payments, buyers=batch)


def _takes_all(_url: str, _headers: Mapping[str, str], _body: bytes) -> int:
    """The WooCommerce shop's own webhooks: only Shopify's orders are followed here."""
    return 200


_STRIPE: Final[Mapping[str, Any]] = {
    "gateways": ["stripe"],
    "look_every_minutes": 180,
}


def _alone(made: Contents) -> Contents:
    quiet = {"push_stock": False, "tell_storefront": False, "repair": {"check_subscriptions": False}}
    shops = {name: {**shop, **quiet} for name, shop in made.settings["shops"].items()}
    return replace(made, settings={**made.settings, "shops": shops})


def _with_office(made: Contents, address: str) -> Contents:
    office = {
        "vendor": "odoo",
        "address": address,
        "database": odoo.DATABASE,
        "warehouses": {"main": odoo.WAREHOUSE},
        "payment_methods": {"*": "Bank"},
        "products": {"gift_card": "FEE", "adjustment": "FEE", "tip": "FEE", "duty": "FEE"},
        "taxes": {"0.21": "VAT 21", "0.09": "VAT 9"},
        "complete_when": "shipped",
    }
    mail = {"sender": SENDER, "sender_name": "Example Goods", "notices": ["confirmed", "shipped"]}
    shops = {
        name: {**shop, "backoffice": "erp", "buyers": mail, "sweep_every_minutes": 360}
        for name, shop in made.settings["shops"].items()
    }
    settings = {
        **made.settings,
        "shops": shops,
        "backoffices": {"erp": office},
        "finance": {"time_zone": "Europe/Amsterdam"},
    }
    api = {**made.secrets["api"], "erp": {"api_key": odoo.OUR_KEY}}
    return replace(made, settings=settings, secrets={**made.secrets, "api": api})
