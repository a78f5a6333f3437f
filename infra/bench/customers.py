"""What a customer costs: DynamoDB units and items of the customers' table, messages that follow. Exact.

Counted is what the intake does with one delivery or one order: it takes the account in, looks for the same person among
all customers, and asks for proof where the shop's policy wants it. The shop asks at registration. Each customer has an
e-mail address at a domain of their own, a telephone number, and an address.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from infra.bench.bodies import VENDORS, Vendor
from infra.bench.units import READS, Meter, Request, tables
from infra.fakes.shopify_customers import Customers
from infra.samples import shopify, woocommerce
from shared.customers.effects import persons_to_bring_together, wants_link
from shared.customers.intake import Outcome, take_in
from shared.customers.marks import Marker
from shared.customers.matcher import match
from shared.customers.merges import MergeReason
from shared.customers.merging import merge, unmerge
from shared.customers.models import Customer
from shared.customers.ports import CustomerDesk
from shared.customers.readings import CompleteCustomer
from shared.customers.record import CustomerRecord
from shared.customers.rules import AskFor, CustomerRules, VerificationRules
from shared.customers.table import CustomerTable
from shared.customers.verify import Occasion, ask
from shared.kernel.clock import parse_time
from shared.kernel.identifiers import CustomerKey
from shared.orders.buyer import buyer_of
from shared.orders.models import Order
from shared.orders.readings import CompleteOrder
from shared.sync.customers.learn import learn
from shared.webhooks.delivery import Delivery
from shared.wiring.customer_desk import customer_reader
from shared.wiring.order_desk import retry_conflicts
from shared.wiring.storefront import reader

REGISTERED: Final = "registration"
AGAIN: Final = "the same again"
_RECEIVED_AT: Final = "2026-11-23T12:00:00.000000000Z"
_NOON: Final = parse_time(_RECEIVED_AT)
_RULES: Final = CustomerRules(verification=VerificationRules(ask=AskFor.REGISTRATION))
_NUMBERS: Final = {"shopify": 9101, "woocommerce": 9201}


@dataclass(frozen=True)
class CustomerCost:
    """One thing that happened to a customer."""

    platform: str
    account: str
    result: str
    requests: tuple[Request, ...]
    messages: int
    """To the back office and to the buyer, that the changes of the record caused."""

    @property
    def read(self) -> float:
        return sum(request.units for request in self.requests if request.operation in READS)

    @property
    def written(self) -> float:
        return sum(request.units for request in self.requests if request.operation not in READS)

    @property
    def items(self) -> int:
        """Written or deleted, each time that they were."""
        return sum(request.items for request in self.requests if request.operation not in READS)


@dataclass(frozen=True)
class Counter:
    """Where one shop's customers are taken in, and what that costs."""

    vendor: Vendor
    desk: CustomerDesk
    meter: Meter

    def takes(self, account: str, customer: Customer) -> CustomerCost:
        return self._cost(account, customer.key, lambda: take_in(CompleteCustomer(customer), self.desk))

    def learns(self, account: str, order: Order) -> CustomerCost:
        key = buyer_of(order, self.desk.marker)
        if key is None:
            raise LookupError("the order does not say who its buyer is")
        return self._cost(account, key, lambda: learn(order, self.desk), Occasion.ORDER)

    def _cost(
        self,
        account: str,
        key: CustomerKey,
        step: Callable[[], Outcome],
        occasion: Occasion = Occasion.REGISTRATION,
    ) -> CustomerCost:
        before = self.desk.book.find(key)
        self.meter.take()
        outcome = step()
        match(key, self.desk, rules_of=lambda _shop: _RULES)
        ask(key, self.desk, occasion=occasion)
        requests = self.meter.take()
        after = self.desk.book.find(key)
        taken = outcome.record or before
        steps = ((before, taken), (taken, after))
        messages = sum(_messages(old, new) for old, new in steps if new is not None and old != new)
        return CustomerCost(self.vendor.platform, account, outcome.result.value, requests, messages)


def measure() -> list[CustomerCost]:
    """A customer registers, is told of again, and changes; buyers are learned from orders; two become one person."""
    costs = []
    for vendor in VENDORS:  # apart, for they would be proposed as one person
        with _open(vendor) as (counter,):
            costs += list(story(counter))
    with _open(*VENDORS) as counters:
        return costs + list(joined(counters))


@contextmanager
def _open(*vendors: Vendor) -> Iterator[list[Counter]]:
    """Shops whose customers are in one table, on a real engine in memory."""
    with tables() as (connection, names):
        book, meter = CustomerTable(connection, names["customers"]), Meter(connection.client)
        yield [Counter(vendor, desk_of(vendor.shop, book), meter) for vendor in vendors]


def story(counter: Counter) -> Iterator[CustomerCost]:
    vendor, number = counter.vendor, _NUMBERS[counter.vendor.platform]
    registered = account_of(vendor, number)
    yield counter.takes(REGISTERED, registered)
    yield counter.takes(AGAIN, registered)
    yield counter.takes("another telephone", account_of(vendor, number, phone="+49 30 901822", minute=1))
    for account, order in (
        ("a guest's order", _order(vendor, number + 10)),
        ("the same order again", _order(vendor, number + 10)),
        ("an order of the account", _order(vendor, number + 11, account=number)),
    ):
        yield counter.learns(account, order)


def joined(counters: list[Counter]) -> Iterator[CustomerCost]:
    """The accounts of both shops are one person's, an operator says; and then that they are not."""
    one, other = (CustomerKey.of_account(each.vendor.shop, str(_NUMBERS[each.vendor.platform])) for each in counters)
    desk, meter = counters[0].desk, counters[0].meter
    for each in counters:
        each.takes(REGISTERED, account_of(each.vendor, _NUMBERS[each.vendor.platform]))
    before = desk.book.find_many([one, other])
    meter.take()
    made = merge(one, other, desk, reasons=(MergeReason(kind="operator", weight=0),), by="bench")
    requests = meter.take()
    together = desk.book.find_many([one, other])
    yield CustomerCost("both", "two are joined", "joined", requests, _all_messages(before, together))
    meter.take()
    unmerge(made.id, CustomerKey.parse(made.leader), desk, by="bench")
    requests = meter.take()
    parted = desk.book.find_many([one, other])
    yield CustomerCost("both", "and parted", "parted", requests, _all_messages(together, parted))


def _messages(before: CustomerRecord | None, after: CustomerRecord) -> int:
    return len(persons_to_bring_together(before, after)) + wants_link(before, after)


def _all_messages(before: Mapping[CustomerKey, CustomerRecord], after: Mapping[CustomerKey, CustomerRecord]) -> int:
    return sum(_messages(before[key], after[key]) for key in after)


def desk_of(shop: str, book: CustomerTable) -> CustomerDesk:
    return CustomerDesk(
        shop=shop,
        book=book,
        storefront=None,
        marker=Marker(b"of no deployment at all"),
        rules=_RULES,
        clock=lambda: _NOON + timedelta(minutes=5),
        retrying=retry_conflicts,
        country="DE",
    )


# ---- what the shops send ----


def account_of(vendor: Vendor, number: int, *, phone: str = "+49 30 901820", minute: int = 0) -> Customer:
    """The whole customer, as a webhook tells of it."""
    at = _NOON + timedelta(minutes=minute)
    address = {"phone": phone, "email": f"kate@{vendor.shop}.example"}
    body = _of_shopify(number, address, at) if vendor.platform == "shopify" else _of_woocommerce(number, address, at)
    topic = {"shopify": "customers/update", "woocommerce": "customer.updated"}[vendor.platform]
    delivery = Delivery(vendor.shop, vendor.platform, topic, _RECEIVED_AT, woocommerce.encode(body))
    reading = customer_reader(vendor.platform)(delivery)
    if not isinstance(reading, CompleteCustomer):
        raise TypeError(f"the body is no whole customer: {reading}")
    return reading.customer


def _of_shopify(number: int, contact: dict[str, str], at: datetime) -> dict[str, Any]:
    shop = Customers(lambda: at, count(number))
    parts = {"address1": "Weg 2", "zip": "10115", "city": "Berlin", "country_code": "DE"}
    home = {"first_name": "Kate", "last_name": "Shopper", **parts}
    known = shop.register(first_name="Kate", last_name="Shopper", address=home, **contact)
    return shop.body(known) | {"created_at": f"{_NOON:%Y-%m-%dT%H:%M:%SZ}"}


def _of_woocommerce(number: int, contact: dict[str, str], at: datetime) -> dict[str, Any]:
    named = {"first_name": "Kate", "last_name": "Shopper"}
    return woocommerce.customer(
        id=number,
        email=contact["email"],
        username="kate",
        **named,
        billing=woocommerce.address(**named, **contact),
        shipping={},
        date_created_gmt=f"{_NOON:%Y-%m-%dT%H:%M:%S}",
        date_modified_gmt=f"{at:%Y-%m-%dT%H:%M:%S}",
    )


def _order(vendor: Vendor, number: int, *, account: int | None = None) -> Order:
    """Of a guest, or of the owner of an account."""
    buyer: dict[str, Any] = {"customer_id": account or 0}
    if vendor.platform == "shopify":
        named = {"id": account, "admin_graphql_api_id": shopify.gid("Customer", account or 0)}
        buyer = {"customer": shopify.customer(**named) if account else None}
    post = vendor.of_lines(number, 1, **buyer)
    topic = {"shopify": "orders/create", "woocommerce": "order.created"}[vendor.platform]
    reading = reader(vendor.platform)(Delivery(vendor.shop, vendor.platform, topic, _RECEIVED_AT, post.request.body))
    if not isinstance(reading, CompleteOrder):
        raise TypeError(f"the body is no whole order: {reading}")
    return reading.order
