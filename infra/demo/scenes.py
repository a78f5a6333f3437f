"""The day, scene by scene. Each plays something that happens to real merchants and tells what became of it."""

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from infra.demo.shops import aurora, aurora_line, aurora_raw, borealis, borealis_line, borealis_odd, borealis_ping
from infra.demo.stage import WORKERS, Stage
from infra.samples import shopify
from shared.inventory.low_stock import StockState
from shared.inventory.stocktake import ApprovalLimit, Tolerance
from shared.inventory.stocktake_posting import post as post_stocktake
from shared.inventory.stocktake_scope import SkuScope
from shared.inventory.stocktakes import Entry, Plan, approve, close_counting, count, open_stocktake
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.orders.cancel import cancel
from shared.orders.ports import Desk
from shared.orders.record import OrderRecord
from shared.orders.release import release
from shared.orders.review import ReviewRules
from shared.wiring.order_desk import retry_conflicts

ORDINARY_ORDERS = 20
FLASH_UNITS = 50
FLASH_ORDERS = 200
LIVE_UNITS = 24
LIVE_BUYERS = 60
BUYERS_PER_QUEUE_RUN = 10


@dataclass(frozen=True)
class Told:
    """One row of the table at the end. `as_expected` is checked against what is really in the tables."""

    happened: str
    outcome: str
    why: str
    as_expected: bool


Scene = Callable[[Stage], Iterator[Told]]


def opening(stage: Stage) -> Iterator[Told]:
    for sku, units in (("MUG", 60), ("CAP", 30), ("SOCKS", 2), ("LAMP", FLASH_UNITS)):
        stage.count_in(sku, units)
    levels = ", ".join(f"{sku} {stage.level(sku).on_hand}" for sku in ("MUG", "CAP", "SOCKS", "LAMP"))
    yield Told("The shelf is counted", levels, "both shops sell from this one pool", as_expected=True)


def ordinary_orders(stage: Stage) -> Iterator[Told]:
    posts = []
    for number in range(ORDINARY_ORDERS // 2):
        sku = ("MUG", "CAP")[number % 2]
        posts += [aurora(1001 + number, aurora_line(sku)), borealis(2001 + number, borealis_line(sku))]
    stage.deliver_at_once(posts)
    stage.settle()
    ready = [stage.order(post.shop, post.order_id).status for post in posts].count("ready")
    all_ready = ready == ORDINARY_ORDERS
    yield Told("20 orders come in at both shops", f"{ready} ready to ship", "paid, in stock, complete", all_ready)


def duplicates(stage: Stage) -> Iterator[Told]:
    before = stage.level("MUG").reserved
    post = aurora(1101, aurora_line("MUG", 2))
    stage.deliver_at_once([post] * 20)
    stage.settle()
    kept, moved = stage.order("aurora", 1101), stage.level("MUG").reserved - before
    yield Told(
        "One delivery comes 20 times",
        f"revision {kept.revision}, {moved} MUG reserved",
        "the order's own version is the only memory of what was applied",
        (kept.revision, moved) == (1, 2),
    )


def out_of_order(stage: Stage) -> Iterator[Told]:
    newer = aurora(1102, aurora_line("MUG", 1), minute=3, topic="orders/updated")
    stage.deliver(newer)
    stage.settle()
    stage.deliver(aurora(1102, aurora_line("MUG", 5)))
    stage.settle()
    kept = stage.order("aurora", 1102)
    yield Told(
        "The update arrives before the order",
        f"{_units(kept)} MUG allocated, revision {kept.revision}",
        "the older account is superseded, whatever its topic says",
        (_units(kept), kept.revision) == (1, 1),
    )


def edit(stage: Stage) -> Iterator[Told]:
    stage.deliver(aurora(1103, aurora_line("MUG", 3)))
    stage.settle()
    fewer = aurora_line("MUG", 3, current_quantity=1, fulfillable_quantity=1)
    stage.deliver(aurora(1103, fewer, aurora_line("CAP", 1), minute=4, topic="orders/updated"))
    stage.settle()
    kept = stage.order("aurora", 1103)
    yield Told(
        "The buyer has 2 of 3 mugs taken out, a cap added",
        f"{_units(kept, 'MUG')} MUG and {_units(kept, 'CAP')} CAP allocated",
        "stock follows the difference of the lines",
        (_units(kept, "MUG"), _units(kept, "CAP")) == (1, 1),
    )


def refund(stage: Stage) -> Iterator[Told]:
    shop = shopify.Shop()
    stage.deliver(aurora(1104, aurora_line("MUG", 2)))
    stage.settle()
    line = aurora_line("MUG", 2, current_quantity=1, fulfillable_quantity=1)
    given_back = shop.refund(
        refund_line_items=[shop.refund_line(line, restock="cancel")],
        transactions=[shop.transaction(kind="refund", amount="12.50")],
    )
    stage.deliver(
        aurora(
            1104, line, minute=5, topic="orders/updated", refunds=[given_back], financial_status="partially_refunded"
        )
    )
    stage.settle()
    kept = stage.order("aurora", 1104)
    yield Told(
        "One of two mugs is refunded before shipping",
        f"{kept.payment}, {_units(kept)} MUG allocated",
        "the refunded unit is free to sell again",
        (str(kept.payment), _units(kept)) == ("partially_refunded", 1),
    )


def cancellation(stage: Stage) -> Iterator[Told]:
    before = stage.level("CAP").available
    stage.deliver(borealis(2101, borealis_line("CAP", 4)))
    stage.settle()
    stage.deliver(borealis(2101, borealis_line("CAP", 4), minute=6, status="cancelled", topic="order.updated"))
    stage.settle()
    kept, after = stage.order("borealis", 2101), stage.level("CAP").available
    yield Told(
        "An order is cancelled at the shop",
        f"{kept.status}, {after} CAP available again",
        "what was allocated and not shipped goes back",
        (kept.status, after) == ("cancelled", before),
    )


def holds(stage: Stage) -> Iterator[Told]:
    nowhere: dict[str, Any] = {"shipping_address": None}
    wrong_total: dict[str, Any] = {"total_price": "1.00", "total_price_set": shopify.bag("1.00")}
    twice: dict[str, Any] = {"email": "twice@example.test", "contact_email": "twice@example.test"}
    unpaid: dict[str, Any] = {"status": "on-hold", "date_paid": None, "date_paid_gmt": None}
    posts = [
        borealis(2102, borealis_line("MUG"), **unpaid),
        aurora(1105, aurora_line("MUG"), **nowhere),
        aurora(1106, aurora_line("MUG"), **wrong_total),
        aurora(1107, aurora_line("MUG"), **twice),
    ]
    stage.deliver(*posts)
    stage.settle()
    stage.deliver(aurora(1108, aurora_line("MUG"), **twice))
    stage.settle()
    for what, shop, number, reason in (
        ("An order is not paid yet", "borealis", 2102, "payment_pending"),
        ("An order has no address", "aurora", 1105, "address_incomplete"),
        ("An order's figures do not add up", "aurora", 1106, "total_mismatch"),
        ("A buyer sends the same order twice", "aurora", 1108, "possible_duplicate"),
    ):
        kept = stage.order(shop, number)
        why = "; ".join(f"{hold.reason}: {hold.detail}" for hold in kept.holds)
        yield Told(what, kept.status, why, [str(hold.reason) for hold in kept.holds] == [reason])


def operators(stage: Stage) -> Iterator[Told]:
    released = release(OrderKey("borealis", "2102"), _desk(stage), by="mia")
    yield Told(
        "Mia releases the unpaid order", released.status, "she overrules payment_pending", _is(released, "ready")
    )
    cancelled = cancel(OrderKey("aurora", "1108"), _desk(stage), by="mia")
    yield Told("Mia cancels the duplicate", cancelled.status, "it stays so", _is(cancelled, "cancelled"))
    stage.settle()


def unknown_sku(stage: Stage) -> Iterator[Told]:
    stage.deliver(aurora(1109, aurora_line("MUG"), aurora_line("MYSTERY")))
    stage.settle()
    kept, tasks = stage.order("aurora", 1109), [task.subject for task in stage.tasks.all()]
    yield Told(
        "An order names a SKU that nobody knows",
        f"{kept.status}; task for {', '.join(tasks)}",
        "a placeholder line and a task; the rest goes on",
        (kept.status, tasks) == ("ready", ["MYSTERY"]),
    )


def shortage(stage: Stage) -> Iterator[Told]:
    stage.deliver(borealis(2103, borealis_line("SOCKS", 3)))
    stage.settle()
    kept = stage.order("borealis", 2103)
    why = "; ".join(hold.detail for hold in kept.holds)
    yield Told("3 socks are ordered, 2 are there", f"{kept.status}, {_units(kept)} allocated", why, _is(kept, "held"))
    stage.count_in("SOCKS", 10)
    stage.fire("order-review")
    kept = stage.order("borealis", 2103)
    yield Told("More socks come in", kept.status, "the scheduled review allocates them", _is(kept, "ready"))


def forgeries(stage: Stage) -> Iterator[Told]:
    good = aurora(1199, aurora_line("MUG"))
    attempts = {
        "A forged signature": good.with_headers({"x-shopify-hmac-sha256": "Zm9yZ2Vk"}),
        "A changed body under a genuine signature": good.with_body(good.request.body.replace(b"MUG", b"TVS")),
        "A genuine body sent on to another shop": good.with_headers({"x-shopify-shop-domain": "evil.example"}),
    }
    for what, post in attempts.items():
        (status,) = stage.deliver(post)
        stage.settle()
        refused = status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and not stage.is_known("aurora", 1199)
        yield Told(what, f"HTTP {status}, nothing written", "only the signed bytes are believed", refused)
    (status,) = stage.deliver(borealis_ping())
    accepted = status == HTTPStatus.OK
    yield Told("WooCommerce tests the URL, unsigned", f"HTTP {status}", "it takes nothing but 200", accepted)


def hint(stage: Stage) -> Iterator[Told]:
    whole = json.loads(aurora(1110, aurora_line("MUG")).request.body)
    stage.shops.aurora.put_order(whole)
    stage.deliver(aurora_raw(1110, {"id": 1110}, topic="orders/updated"))
    stage.settle()
    kept = stage.order("aurora", 1110)
    yield Told("A delivery holds only an id", kept.status, "the shop is asked for the whole order", _is(kept, "ready"))
    stage.deliver(borealis_odd(2110))
    stage.settle()
    reasons = [f"{reason['code']} [{reason['field']}]" for reason in stage.set_aside()]
    yield Told(
        "A plugin sells one and a half units",
        "set aside on the dead-letter queue",
        ", ".join(reasons),
        reasons == ["invalid_payload [line_items.0.quantity]"],
    )


def flash_sale(stage: Stage) -> Iterator[Told]:
    posts = [
        aurora(5000 + number, aurora_line("LAMP")) if number % 2 else borealis(5000 + number, borealis_line("LAMP"))
        for number in range(FLASH_ORDERS)
    ]
    crowd = posts + posts[::10]
    random.Random(7).shuffle(crowd)  # noqa: S311 - a repeatable crowd
    stage.deliver_at_once(crowd)
    stage.settle()
    kept = [stage.order(post.shop, post.order_id) for post in posts]
    sold, level = sum(_units(record) for record in kept), stage.level("LAMP")
    ready = sum(record.status == "ready" for record in kept)
    yield Told(
        f"Flash sale: {FLASH_ORDERS} orders for {FLASH_UNITS} lamps, 20 sent twice",
        f"{sold} sold, {ready} ready, {len(kept) - ready} held",
        f"on hand {level.on_hand}, reserved {level.reserved}, available {level.available}",
        (sold, ready, level.reserved, level.available) == (FLASH_UNITS, FLASH_UNITS, FLASH_UNITS, 0),
    )


def in_step(stage: Stage) -> Iterator[Told]:
    stage.count_in("KETTLE", LIVE_UNITS)
    stage.shops.stock("KETTLE", 0)
    stage.fire("stock-sync")
    yield _shown(stage, "Both shops list a kettle and show 0", LIVE_UNITS, "the sweep finds it and writes the level")
    stage.shops.buy("aurora", "KETTLE", 4)
    stage.settle()
    yield _shown(stage, "Aurora sells 4", LIVE_UNITS - 4, "a sale at one shop shows at the other within seconds")
    kettle = stage.shops.borealis.shop.by_sku("KETTLE")
    if kettle is not None:
        kettle.stock = 999
    stage.fire("stock-sync")
    yield _shown(stage, "Somebody types 999 at Borealis", LIVE_UNITS - 4, "the sweep corrects it and logs why")


def live_flash_sale(stage: Stage) -> Iterator[Told]:
    def visit(number: int) -> None:
        stage.shops.buy(("aurora", "borealis")[number % 2], "KETTLE")
        if number % BUYERS_PER_QUEUE_RUN == 0:
            stage.shops.deliver()

    before = sum(stage.shops.sold.values())
    with ThreadPoolExecutor(WORKERS) as buyers:
        list(buyers.map(visit, range(LIVE_BUYERS)))
    stage.settle()
    stage.fire("stock-sync")
    sold, level = sum(stage.shops.sold.values()) - before, stage.level("KETTLE")
    left = LIVE_UNITS - 4
    yield Told(
        f"{LIVE_BUYERS} buyers at both shops want {left} kettles at once",
        f"{sold} ordered, {min(sold, left)} allocated, {LIVE_BUYERS - sold} turned away by the shops",
        f"on hand {level.on_hand}, reserved {level.reserved}; what the shops took beyond it is held",
        level.reserved == min(LIVE_UNITS, sold + 4),
    )
    yield _shown(stage, "Afterwards", level.available, "once quiet, each shop shows the pool")


def low_stock(stage: Stage) -> Iterator[Told]:
    stage.count_in("VASE", 5, reorder_point=4)
    for number, units in ((1201, 1), (1202, 2)):
        stage.deliver(aurora(number, aurora_line("VASE", units)))
        stage.settle()
    (alert,) = [kept for kept in stage.alerts.open_alerts() if kept.sku == "VASE"]
    crossed = alert.state is StockState.LOW and alert.seq == stage.level("VASE").seq
    yield Told(
        "Two orders take a vase to its reorder point and below",
        f"{alert.sku} is {alert.state}, {stage.level('VASE').available} left",
        "one alert for one crossing; the daily digest lists it with a proposal",
        crossed,
    )


def stocktake(stage: Stage) -> Iterator[Told]:
    desk, scope = stage.stocktakes, SkuScope(skus=("VASE",))
    plan = Plan("main", scope, {}, Tolerance(units=0), ApprovalLimit(units=0))
    session, _ = open_stocktake(desk, plan, actor="mia")
    count(desk, session.id, Entry("VASE", 4, "mia"))
    stage.deliver(aurora(1203, aurora_line("VASE")))  # selling goes on
    stage.settle()
    count(desk, session.id, Entry("VASE", 4, "ben"))
    close_counting(desk, session.id, actor="mia")
    approve(desk, session.id, actor="zoe")
    post_stocktake(desk, session.id, actor="zoe")
    stage.settle()
    level = stage.level("VASE")
    yield Told(
        "Mia counts 4 vases where the book says 5; Ben counts again; Zoe approves",
        f"on hand {level.on_hand}, reserved {level.reserved}",
        "outside the tolerance a second person counts; the difference is posted, not the level",
        (level.on_hand, level.reserved) == (4, 4),
    )


DAY: tuple[tuple[str, Scene], ...] = (
    ("Counting the shelf", opening),
    ("Ordinary orders", ordinary_orders),
    ("Duplicates", duplicates),
    ("Out of order", out_of_order),
    ("An edit", edit),
    ("A refund", refund),
    ("A cancellation", cancellation),
    ("Orders that must wait", holds),
    ("Operators at work", operators),
    ("An unknown SKU", unknown_sku),
    ("A shortage", shortage),
    ("Forgeries", forgeries),
    ("A mere hint", hint),
    ("Flash sale", flash_sale),
    ("Shops in step", in_step),
    ("Flash sale at live shops", live_flash_sale),
    ("Low stock", low_stock),
    ("A stocktake", stocktake),
)


def _desk(stage: Stage) -> Desk:
    return Desk(stage.orders, stage.stock, None, ("main",), ReviewRules(), utc_now, retry_conflicts)


def _shown(stage: Stage, happened: str, expected: int, why: str) -> Told:
    shown = stage.shops.shown("KETTLE")
    outcome = ", ".join(f"{shop} shows {level}" for shop, level in shown.items())
    return Told(happened, outcome, why, set(shown.values()) == {expected})


def _units(record: OrderRecord, sku: str | None = None) -> int:
    return sum(sum(line.allocated.values()) for line in record.lines if sku in (None, line.sku))


def _is(record: OrderRecord, status: str) -> bool:
    return record.status == status
