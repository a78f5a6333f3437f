"""One history: a deployment, a shop, buyers, staff and a storm, all of one seed.

Not everything takes part in every history: each draws what is deployed, what people do and what goes wrong. Small
histories are many, and what two faults in a small one do not break, six in a large one rarely do.
"""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from greenlet import getcurrent

from infra.fakes.virtual_time import Restless
from shared.inventory.levels import set_level
from shared.inventory.models import LevelRequest
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.orders.cancel import cancel
from shared.orders.release import release
from shared.webhooks.delivery import Delivery
from shared.wiring import order_desk, storefront_client, tables
from tests.simulation.cloud.cloud import Cloud, Worker, messages_of
from tests.simulation.cloud.installation import Installation, swapped
from tests.simulation.cloud.weather import FAULTS, Fate, Storm
from tests.simulation.invariants import NEWER, ORDERS, STOCK, AtRest, Broken, Watchman
from tests.simulation.shop import SHOP, Habits, Shop

MOST_SWITCHES: Final = 8_000
"""More than any history needs to come to rest (I12)."""
_SOME: Final = 0.05
_ORDERS: Final = (1, 1, 1, 1, 1, 1, 2)
_ACTS: Final = (0, 0, 0, 0, 1, 1, 2)
"""How many orders there are, and how often somebody acts: of many small histories, not few large ones."""
_UNEXPECTED: Final = frozenset({"ClientError", "ReadTimeoutError"})


@dataclass(frozen=True)
class Plan:
    """What a history is made of, drawn from its seed before it begins."""

    functions: frozenset[str]
    settings: dict[str, Any]
    habits: Habits
    stock: dict[str, int]
    has_api: bool


@dataclass
class Played:
    """What became of a history."""

    seed: int
    cast: str
    trace: list[str]
    faults: list[tuple[str, Fate]]
    switches: int
    broken: Broken | None = None


SKUS: Final = ("MUG", "CAP")


class History:
    """The order desk alone: webhooks, intake, review and repair."""

    NAME = "order desk"
    FUNCTIONS = frozenset({"order-webhook", "order-intake", "order-review", "order-repair"})
    ALWAYS_API = False
    """Whether this history is of no use without the shop's API."""

    def __init__(self, seed: int, installation: Installation) -> None:
        self.seed = seed
        self.dice = random.Random(seed)  # noqa: S311 - repeatable by its seed
        self.trace: list[str] = []
        self.storm = _storm(self.dice, self.FUNCTIONS)
        self.plan = self._plan()
        self.installation = installation
        self.cloud: Cloud = installation.history(
            self.dice, self.storm, self.plan.settings, functions=self.plan.functions
        )
        self.watchman = Watchman(installation.database, can_ask=self.plan.has_api)
        self.cloud.after_commit = self.watchman.look
        self.shop = Shop(self.cloud, self.plan.habits)
        self.is_repaired = False
        self.newer: set[str] = set()
        """Records that a newer version has written to."""
        self.counts: dict[str, set[int]] = {sku: {units} for sku, units in self.plan.stock.items()}

    # ---- what it is made of ----

    def _plan(self) -> Plan:
        dice = self.dice
        has_api = self.ALWAYS_API or dice.random() < 0.7
        habits = Habits(
            lost=dice.choice((0.0, 0.0, 0.0, 0.0, 0.3)) if has_api else 0.0,
            twice=dice.choice((0.0, 0.0, 0.3)),
            at_once=dice.random() < 0.4,
            late=dice.choice((0.0, 0.0, 0.3)),
            thin=dice.choice((0.0, 0.0, 0.3)) if has_api else dice.choice((0.0, 0.3)),
        )
        return Plan(
            functions=self.FUNCTIONS,
            settings=self._settings(has_api=has_api, twins=dice.random() < 0.2, careful=dice.random() < 0.5),
            habits=habits,
            stock={sku: dice.choice((0, 1, 2, 4, 6)) for sku in SKUS},
            has_api=has_api,
        )

    def _settings(self, *, has_api: bool, twins: bool, careful: bool) -> dict[str, Any]:
        shop = {
            "platform": "woocommerce",
            "address": f"{SHOP}.example",
            "locations": ["main"],
            "api_access": has_api,
            "repair": {"check_subscriptions": False, "customers": False},
            "review": {
                "duplicate_window_minutes": 10 if twins else 0,
                "hold_when_short": careful,
                "hold_total_mismatch": False,  # sums of what the shop said, at a twentieth of a history's time
            },
        }
        locations = {"main": {"name": "Main", "country": "NL"}}
        return {"merchant": "Example Goods", "locations": locations, "shops": {SHOP: shop}}

    # ---- what happens ----

    def play(self) -> Played:
        broken = None
        try:
            with self._neighbours():
                self._begin()
                self._live()
                self._calm_down()
                self._check()
        except Broken as error:
            broken = error
        except Restless as error:
            broken = Broken("I12", str(error))
        finally:
            self.cloud.is_over = True
        return Played(self.seed, self.NAME, self.trace, self.storm.happened, self.cloud.time.switches, broken)

    @contextmanager
    def _neighbours(self) -> Iterator[None]:
        """The systems beside ours, in the place of the vendors' clients."""
        with swapped(storefront_client, client=lambda _shop, _connected: self.shop):
            yield

    def _begin(self) -> None:
        for sku, units in self.plan.stock.items():
            self._on_the_shelf(sku, units)

    def _on_the_shelf(self, sku: str, units: int, **more: Any) -> None:
        """As a count would have left it. Written as it is stored, which takes a tenth of the time of a real count."""
        self.installation.database.call("PutItem", {"TableName": STOCK, "Item": _stock_item(sku, units) | more})

    def _live(self) -> None:
        when = 0.0
        for number in range(self.dice.choice(_ORDERS)):
            self._later(when, f"order {5001 + number}", lambda key=str(5001 + number): self._place(key))  # type: ignore[misc]
            when += self.dice.choice((0.0, 0.4, 3.0))
        for _ in range(self.dice.choice(_ACTS)):
            when += self.dice.choice((0.0, 0.2, 2.0, 30.0))
            self._later(when, "somebody acts", self._act)
        self._run()

    def _later(self, seconds: float, what: str, do: Callable[[], None]) -> None:
        def work() -> None:
            self.trace.append(f"{self._clock()} {what}")
            do()

        self.cloud.time.spawn(work, after=seconds)

    def _run(self) -> None:
        self.cloud.time.run_until_quiet(at_most=MOST_SWITCHES)

    def _clock(self) -> str:
        return f"{utc_now():%d %H:%M:%S.%f}"[:-3]

    def _place(self, order_id: str) -> None:
        units = {sku: self.dice.randint(1, 2) for sku in SKUS if self.dice.random() < 0.7}
        units = units or {SKUS[0]: 1}
        status = self.dice.choice(("processing", "processing", "processing", "pending"))
        self.trace.append(f"  {order_id}: {units} {status}")
        self.shop.place(order_id, units, status=status)

    def _act(self) -> None:
        self.dice.choice(self._acts())()

    def _acts(self) -> tuple[Callable[[], None], ...]:
        return (self._edit, self._edit, self._pay, self._cancel_at_shop, self._restock, self._staff, self._newer)

    def _some_order(self) -> str | None:
        return self.dice.choice(sorted(self.shop.orders)) if self.shop.orders else None

    def _edit(self) -> None:
        order_id = self._some_order()
        if order_id and not self.shop.orders[order_id][-1].is_cancelled:
            before = self.shop.orders[order_id][-1].units
            units = {sku: self.dice.randint(0, 3) for sku in before}
            self._told(f"{order_id}: edited to {units}")
            self.shop.change(order_id, units=units if any(units.values()) else before)

    def _pay(self) -> None:
        order_id = self._some_order()
        if order_id and self.shop.orders[order_id][-1].status == "pending":
            self._told(f"{order_id}: paid")
            self.shop.change(order_id, status="processing")

    def _cancel_at_shop(self) -> None:
        order_id = self._some_order()
        if order_id and not self.shop.orders[order_id][-1].is_cancelled:
            self._told(f"{order_id}: cancelled by the buyer")
            self.shop.change(order_id, status="cancelled")

    def _restock(self) -> None:
        sku = self.dice.choice(SKUS)
        units = self.dice.randint(3, 9)
        self._told(f"{sku}: counted {units}")
        self.counts[sku].add(units)
        self.cloud.act("operator", lambda: self._count(sku, units))

    def _staff(self) -> None:
        order_id = self._some_order()
        do, name = self.dice.choice(((release, "release"), (cancel, "cancel"), (None, "review"), (None, "redrive")))
        self._told(f"{order_id}: staff {name}")
        if name == "review":
            self.cloud.act("order-review-now", self._review)
        elif name == "redrive":
            self._redrive()
        elif order_id and do is not None:
            key = OrderKey(SHOP, order_id)
            self.cloud.act("operator", lambda: do(key, order_desk.desk(SHOP), by="mia"))

    def _newer(self) -> None:
        """A newer version of the code runs beside this one, commits to a record and adds something of its own."""
        order_id = self._some_order()
        key = {"pk": {"S": f"{SHOP}/{order_id}"}, "sk": {"S": "record"}}
        if order_id is None or "Item" not in self.installation.database.call("GetItem", _of_orders(Key=key)):
            return
        self._told(f"{order_id}: committed by a newer version")
        added = f"SET revision = revision + :one, {NEWER} = :what"
        values = {":one": {"N": "1"}, ":what": {"S": "more"}}
        request = _of_orders(Key=key, UpdateExpression=added, ExpressionAttributeValues=values)
        self.cloud.database_call("UpdateItem", request)
        self.newer.add(f"{SHOP}/{order_id}")

    def _redrive(self) -> None:
        """Everything on the orders' dead-letter queue comes again, twice."""
        dead = self.cloud.queues["storebridge-orders-dead"]
        for message in list(dead.messages.values()):
            dead.delete(message.id)
            for _ in range(2):
                self.cloud.send("storebridge-orders", message.body)

    def _count(self, sku: str, units: int) -> None:
        request = LevelRequest(sku=sku, location="main", on_hand=units)
        set_level(tables.stock_table(), utc_now, request, actor="mia")

    def _told(self, words: str) -> None:
        self.trace.append(f"  {words}")

    # ---- and once it is over ----

    def _calm_down(self) -> None:
        self.storm.is_over = True
        self._run()
        self._redrive()
        self._run()
        self.is_repaired = self.plan.has_api and (bool(self.plan.habits.lost) or self.dice.random() < _SOME)
        if self.is_repaired:
            self._schedule("order-repair")
        if any("attention_since" in image for image in self.installation.database.call("Scan", _of_orders())["Items"]):
            self._schedule("order-review")

    def _schedule(self, function: str, *, after: float = 7200.0) -> None:
        """Run a scheduled function some time later, and all that comes of it."""
        self.cloud.act(function, lambda: self.installation.handlers[function]({}, self._context()), after=after)
        self._run()

    def _review(self) -> None:
        from shared.wiring.order_review import review_all  # noqa: PLC0415

        review_all(lambda: True)

    def _rest(self) -> AtRest:
        return AtRest(self.installation.database, self.shop, self._dead(), self.plan.has_api, self.is_repaired)

    def _context(self) -> Worker:
        """Of a function that is run by hand."""
        worker: Worker = getcurrent().worker  # type: ignore[attr-defined]
        return worker

    def _check(self) -> None:
        rest = self._rest()
        rest.nothing_is_lost()
        rest.stock_is_explained({})
        rest.nothing_waits_for_what_is_there()
        rest.buyers_belong_to_their_accounts()
        rest.newer_attributes_are_left_alone(self.newer)
        rest.nobody_is_named(self.installation.heard)
        self._nothing_unexpected()

    def _dead(self) -> frozenset[str]:
        """Orders of which a message lies on the dead-letter queue: named as an operator would find them there."""
        bodies = [message.body for name, message in messages_of(self.cloud.queues) if name == "storebridge-orders-dead"]
        deliveries = [Delivery.from_message(body).body for body in bodies]
        return frozenset(str(json.loads(body)["id"]) for body in deliveries)

    def _nothing_unexpected(self) -> None:
        for level, words, facts in self.installation.heard:
            code = str(facts.get("code", ""))
            is_bug = words == "record failed" and not code.islower() and code not in _UNEXPECTED
            if is_bug:
                raise Broken("errors", f"{level} {words} {dict(facts)}")


def _of_orders(**request: Any) -> dict[str, Any]:
    return {"TableName": ORDERS, **request}


@cache
def _stock_item(sku: str, units: int) -> dict[str, Any]:
    line = {
        "sku": {"S": sku},
        "location": {"S": "main"},
        "on_hand": {"N": str(units)},
        "reserved": {"N": "0"},
        "available": {"N": str(units)},
        "safety_buffer": {"N": "0"},
        "seq": {"N": "1"},
        "counted_at": {"S": "2026-11-17T00:00:00.000000000Z"},
        "cause": {"S": json.dumps({"kind": "count", "reference": "operator", "actor": "mia"})},
    }
    return dict(line)


def _storm(dice: random.Random, functions: frozenset[str]) -> Storm:
    kinds = tuple(fate for fate in FAULTS if dice.random() < 0.6) or FAULTS
    return Storm(
        dice,
        kinds,
        rate=dice.choice((0.0, 0.02, 0.05, 0.2)),
        budget=dice.randint(0, 7),
        stalls=dice.choice((0.0, 0.0, 0.02)),
        focus=dice.choice((None, None, *sorted(functions))),
        chances={
            "duplicate": dice.choice((0.0, 0.0, 0.2)),
            "ack_lost": dice.choice((0.0, 0.0, 0.2)),
            "redelivered": dice.choice((0.0, 0.0, 0.2)),
            "newer": dice.choice((0.0, 0.2)),
            "entry_refused": dice.choice((0.0, 0.05)),
        },
    )
