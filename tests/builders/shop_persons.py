"""People with accounts at a Shopify and at a WooCommerce shop that are not there, and parties in a back office: the
vendors' own clients and mappings, the real intake, and whatever its manner a back office in memory.

What buyers do causes the shops' own webhooks; a test decides which of them arrive, and when.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from infra.fakes.backoffice import MemoryBackOffice
from infra.fakes.shopify_admin import TOKEN, Plan, ShopifyAdmin
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.samples.shopify import delivery
from shared.backoffices.documents import Address, CustomerCard
from shared.backoffices.port import BackOffice
from shared.customers.commits import MergeCommit
from shared.customers.effects import persons_to_bring_together
from shared.customers.intake import take_in
from shared.customers.merges import Merge, Moved
from shared.customers.models import Customer, Profile, ProfileField
from shared.customers.readings import CompleteCustomer, CustomerDeleted, CustomerHint
from shared.customers.rules import CustomerRules
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Conflict, Retry
from shared.kernel.identifiers import CustomerKey
from shared.storefronts.port import CustomerReader, CustomerRegister
from shared.storefronts.shopify.customer_mapping import read_customer as read_shopify_customer
from shared.storefronts.shopify.customers import ShopifyCustomers
from shared.storefronts.woocommerce.customer_mapping import read_customer as read_woocommerce_customer
from shared.storefronts.woocommerce.customers import WooCommerceCustomers
from shared.storefronts.woocommerce.subscriptions import CUSTOMER_TOPICS
from shared.sync.customers.feed import FeedDesk, whom_to_look_at
from shared.sync.customers.reconcile import PersonDesk, Together, bring_together
from shared.sync.customers.sides import Shop
from shared.webhooks.delivery import Delivery
from tests.builders.customers import MARKER, customer_desk, revised
from tests.builders.orders import NOON
from tests.fakes.customers import FakeCustomerBook, FakeCustomerSide
from tests.fakes.person_mirrors import FakePersonMirrors

ADDRESSES = {"aurora": "aurora.myshopify.com", "borealis": "borealis.example"}
OVERLAP = timedelta(minutes=5)
_READ = ("GET", "HEAD")

Interrupt = Callable[[str, str], None]


class OdoosManner(MemoryBackOffice):
    """The address for invoices is the customer's own and has no name beside; the other one has no company."""

    def _keep(self, card: CustomerCard, *, is_ours: bool = True) -> Any:
        billing = card.billing and card.billing.model_copy(update={"name": None})
        shipping = card.shipping and card.shipping.model_copy(update={"company": None})
        if shipping and shipping.name is None:
            shipping = shipping.model_copy(update={"name": card.name})
        return super()._keep(card.model_copy(update={"billing": billing, "shipping": shipping}), is_ours=is_ours)


class TrytonsManner(MemoryBackOffice):
    """An address with a company and without a person reads as one of somebody with that name."""

    def _keep(self, card: CustomerCard, *, is_ours: bool = True) -> Any:
        def as_read(address: Address | None) -> Address | None:
            if address is None or address.name is not None or address.company is None:
                return address
            return address.model_copy(update={"name": address.company, "company": None})

        update = {"billing": as_read(card.billing), "shipping": as_read(card.shipping)}
        return super()._keep(card.model_copy(update=update), is_ours=is_ours)


class ShortensStreets(MemoryBackOffice):
    """Has room for one line of a street."""

    def _keep(self, card: CustomerCard, *, is_ours: bool = True) -> Any:
        def shortened(address: Address | None) -> Address | None:
            return address and address.model_copy(update={"street": address.street[:1]})

        update = {"billing": shortened(card.billing), "shipping": shortened(card.shipping)}
        return super()._keep(card.model_copy(update=update), is_ours=is_ours)


MANNERS: Mapping[str, type[MemoryBackOffice]] = {
    "plain": MemoryBackOffice,
    "odoo": OdoosManner,
    "tryton": TrytonsManner,
    "shortens": ShortensStreets,
}


class RealAccounts:
    """One shop's register in canonical words, over its own API. `writes` are requests that may change something."""

    def __init__(self, shop: str, reader: CustomerReader) -> None:
        self.shop = shop
        self.register: CustomerRegister
        self.reader = reader
        self.interrupt: Interrupt = lambda _what, _when: None
        self.requests: list[str] = []
        self.writes = 0

    def fetch(self, customer_id: str) -> Customer | None:
        fetched = self.register.fetch(customer_id)
        if fetched is None:
            return None
        reading = self.reader(fetched)
        assert isinstance(reading, CompleteCustomer)
        return reading.customer

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        self.register.write(customer_id, profile, fields)

    def transport(self, handler: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
        def handle(request: httpx.Request) -> httpx.Response:
            changes = b'"query":"mutation' in request.content if "graphql" in request.url.path else False
            is_write = changes or ("graphql" not in request.url.path and request.method not in _READ)
            what = "write" if is_write else "read"
            self.interrupt(what, "before")
            self.requests.append(what)
            self.writes += is_write
            response = handler(request)
            self.interrupt(what, "after")
            return response

        return httpx.Client(transport=httpx.MockTransport(handle))


class ShopPersons:
    """Time goes on by a millisecond with every look at the clock."""

    def __init__(self, rules: CustomerRules, office: Callable[[Callable[[], datetime]], BackOffice]) -> None:
        self.now = NOON
        self.rules = rules
        self.book = FakeCustomerBook()
        self.mirrors = FakePersonMirrors()
        self.office = office(self.tick)
        self.aurora = ShopifyAdmin(self.tick, plan=Plan(maximum_available=1e9))
        self.borealis = WooCommerceFake(self.tick, address=ADDRESSES["borealis"], send=self._sent)
        for topic in CUSTOMER_TOPICS:
            self.borealis.webhooks.register(topic, "https://hooks.example/webhooks/borealis/customers", secret="s")
        self.accounts = {
            "aurora": RealAccounts("aurora", read_shopify_customer),
            "borealis": RealAccounts("borealis", read_woocommerce_customer),
        }
        self.accounts["aurora"].register = ShopifyCustomers(
            "aurora", ADDRESSES["aurora"], _token, self.accounts["aurora"].transport(self.aurora.handler), self.tick
        )
        self.accounts["borealis"].register = WooCommerceCustomers(
            "borealis", ADDRESSES["borealis"], _keys, self.accounts["borealis"].transport(self.borealis), self.tick
        )
        self.desk = PersonDesk(
            name="erp",
            office=self.office,
            rehearsal=False,
            shops={
                name: Shop(rules, accounts, "DE", has_one_address=name == "aurora")
                for name, accounts in self.accounts.items()
            },
            book=self.book,
            mirrors=self.mirrors,
            marker=MARKER,
            clock=self.tick,
        )
        self.on_the_way: list[Delivery] = []
        self.errands: list[CustomerKey] = []
        self.last_look = self.now
        self.merges = 0
        self.looks = 0
        """How often a person was brought together."""

    def tick(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    # ---- webhooks and errands ----

    def collect(self) -> None:
        """What the shops send now is on the way."""
        for topic, body in self.aurora.customers.take_webhooks():
            at = as_sortable(self.tick())
            self.on_the_way.append(delivery(body, topic=topic, received_at=at, triggered_at=at))
        while self.borealis.deliver():
            pass

    def _sent(self, _url: str, headers: Mapping[str, str], body: bytes) -> int:
        topic = {name.lower(): value for name, value in headers.items()}.get("x-wc-webhook-topic")
        if topic:
            self.on_the_way.append(Delivery("borealis", "woocommerce", topic, as_sortable(self.tick()), body))
        return 202

    def arrives(self, told: Delivery) -> None:
        """Through the reader and the intake; the relay's errands follow."""
        reading = self.accounts[told.shop].reader(told)
        if isinstance(reading, (CompleteCustomer, CustomerHint, CustomerDeleted)):
            self.take_in(reading, told.shop)

    def take_in(self, reading: CompleteCustomer | CustomerHint | CustomerDeleted, shop: str) -> None:
        before = dict(self.book.records)
        desk = customer_desk(
            self.book,
            shop=shop,
            storefront=FakeCustomerSide(self.accounts[shop].fetch),
            policy=self.rules,
            clock=self.tick,
        )
        take_in(reading, desk)
        for key, record in self.book.records.items():
            if record != before.get(key):
                self.errands += persons_to_bring_together(before.get(key), record)

    def repair(self, key: CustomerKey) -> None:
        """The repair finds an account whose webhook was lost."""
        self.take_in(CustomerHint(key.id, "repair"), key.shop)

    def look_at_feed(self) -> int:
        """Returns how many echoes cost no errand."""
        desk = FeedDesk("erp", frozenset(ADDRESSES), self.book, self.mirrors, MARKER, lambda _shop: "DE")
        since, self.last_look = self.last_look - OVERLAP, self.now
        changed = whom_to_look_at(self._changed(since), desk)
        self.errands += changed.leaders
        return changed.echoes

    def _changed(self, since: datetime) -> Iterator[Any]:
        cursor = None
        while True:
            page = self.office.changed_customers(since, cursor)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    def run(self, errand: CustomerKey) -> Together | None:
        record = self.book.find(errand)
        if record is None:
            return None
        if not record.is_leader:
            self.errands.append(CustomerKey.parse(record.leader))
            return None
        self.looks += 1
        try:
            return bring_together(errand, self.desk)
        except (Retry, Conflict):
            self.errands.append(errand)
            return None

    def come_to_rest(self, rounds: int = 8) -> None:
        for _ in range(rounds):
            self.now += timedelta(seconds=5)
            self.collect()
            while self.on_the_way:
                self.arrives(self.on_the_way.pop(0))
            self.look_at_feed()
            while self.errands:
                self.run(self.errands.pop(0))
        assert not self.on_the_way
        assert not self.errands

    # ---- merging ----

    def merge(self, leader: CustomerKey, member: CustomerKey) -> Merge:
        self.merges += 1
        moved = (Moved(customer=str(member), from_leader=str(member)),)
        merge = Merge(id=str(self.merges), leader=str(leader), moved=moved, reasons=(), by="rule", at=self.tick())
        self._go_by(member, leader, merge)
        return merge

    def part(self, merge: Merge) -> None:
        member = CustomerKey.parse(merge.moved[0].customer)
        self._go_by(member, member, merge.model_copy(update={"undone_by": "op", "undone_at": self.tick()}))

    def _go_by(self, member: CustomerKey, leader: CustomerKey, merge: Merge) -> None:
        before = self.book.records[member]
        record = revised(before, leader=str(leader))
        self.book.commit_merge(MergeCommit(merge, (record,)))
        self.errands += persons_to_bring_together(before, record)

    # ---- what there is ----

    @property
    def writes(self) -> int:
        """At both storefronts."""
        return sum(accounts.writes for accounts in self.accounts.values())

    def personal(self, key: CustomerKey) -> Profile:
        account = self.accounts[key.shop].fetch(key.id)
        assert account is not None
        return account.personal

    def party(self, key: CustomerKey) -> CustomerCard | None:
        found = self.office.find_customer(str(key))
        return found.card if found else None

    def edit_party(self, key: CustomerKey, **fields: Any) -> None:
        """Staff change fields; None: the customer is without it from now on."""
        found = self.party(key)
        assert found is not None
        cleared = frozenset(name for name, value in fields.items() if value is None)
        stated = {"key": str(key), "name": found.name, **fields, "cleared": cleared}
        self.office.save_customer(CustomerCard.model_validate(stated))

    def interrupted(self, interrupt: Interrupt) -> None:
        for accounts in self.accounts.values():
            accounts.interrupt = interrupt
        if isinstance(self.office, MemoryBackOffice):
            self.office.interrupt = interrupt


def _token(*, fresh: bool = False) -> Mapping[str, str]:
    return {"access_token": TOKEN}


def _keys(*, fresh: bool = False) -> Mapping[str, str]:
    return {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
