"""People with accounts at two shops, and parties in a back office in memory: everything that bringing them together
works with. Webhooks go through the real intake; a test decides when they arrive."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.fakes.backoffice import MemoryBackOffice
from shared.backoffices.documents import CustomerCard
from shared.customers.commits import MergeCommit
from shared.customers.intake import take_in
from shared.customers.merges import Merge, Moved
from shared.customers.models import Customer, ProfileField
from shared.customers.readings import CompleteCustomer
from shared.customers.rules import AskFor, CustomerRules, MaintenanceRules, Owner, SuspicionRules, VerificationRules
from shared.kernel.identifiers import CustomerKey
from shared.sync.customers.mirror import PersonMirror
from shared.sync.customers.reconcile import PersonDesk, Together, bring_together
from shared.sync.customers.sides import Shop
from tests.builders.customers import MARKER, customer_desk, revised
from tests.builders.orders import NOON
from tests.fakes.accounts import FakeAccounts
from tests.fakes.customers import FakeCustomerBook, FakeCustomerSide
from tests.fakes.person_mirrors import FakePersonMirrors

SHOPS = ("aurora", "borealis")
EVE = CustomerKey("aurora", "customer", "17")
TWIN = CustomerKey("borealis", "customer", "4")
OFFICE = "backoffice/erp"


def shop_rules(
    *, owners: dict[ProfileField, Owner] | None = None, tell_storefront: bool = True, ask: AskFor = AskFor.OFF
) -> CustomerRules:
    return CustomerRules(
        maintenance=MaintenanceRules(owners=owners or {}, tell_storefront=tell_storefront),
        verification=VerificationRules(ask=ask),
        suspicion=SuspicionRules(flag_disposable=True),
    )


class Persons:
    """Time goes on by ten seconds with every look at the clock that a test takes, and by a millisecond for programs."""

    def __init__(self, rules: CustomerRules | None = None, *, rehearsal: bool = False) -> None:
        self.now = NOON
        self.book = FakeCustomerBook()
        self.mirrors = FakePersonMirrors()
        self.office = MemoryBackOffice(self.tick)
        self.shops = {name: FakeAccounts(name, self.tick) for name in SHOPS}
        self.rules = rules or shop_rules()
        self.desk = PersonDesk(
            name="erp",
            office=self.office,
            rehearsal=rehearsal,
            shops={name: Shop(self.rules, accounts, "DE") for name, accounts in self.shops.items()},
            book=self.book,
            mirrors=self.mirrors,
            marker=MARKER,
            clock=self.tick,
        )
        for accounts in self.shops.values():
            accounts.told = self.deliver
        self.merges = 0

    def tick(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def later(self) -> None:
        self.now += timedelta(seconds=10)

    # ---- what happens ----

    def deliver(self, account: Customer) -> None:
        """A webhook arrives."""
        desk = customer_desk(
            self.book,
            shop=account.shop,
            storefront=FakeCustomerSide(self.shops[account.shop].fetch),
            policy=self.rules,
            clock=self.tick,
        )
        take_in(CompleteCustomer(account), desk)

    def register(self, key: CustomerKey = EVE, **fields: Any) -> None:
        self.later()
        self.shops[key.shop].register(key.id, **fields)

    def edit(self, key: CustomerKey = EVE, **fields: Any) -> None:
        """A buyer edits the account."""
        self.later()
        self.shops[key.shop].edit(key.id, **fields)

    def edit_party(self, key: CustomerKey = EVE, **fields: Any) -> None:
        """The back office's staff edit the party."""
        self.later()
        self.office.edit_customer(str(key), **fields)

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
        record = revised(self.book.records[member], leader=str(leader))
        self.book.commit_merge(MergeCommit(merge, (record,)))

    # ---- bringing together ----

    def bring(self, key: CustomerKey = EVE) -> Together:
        self.later()
        return bring_together(key, self.desk)

    def party(self, key: CustomerKey = EVE) -> CustomerCard:
        return self.office.customers()[str(key)]

    def mirror(self, key: CustomerKey = EVE) -> PersonMirror:
        return self.mirrors.mirrors[key, "erp"]

    def personal(self, key: CustomerKey = EVE) -> Any:
        return self.shops[key.shop].personal(key.id)

    def interrupted(self, interrupt: Callable[[str, str], None]) -> None:
        self.office.interrupt = interrupt
        for accounts in self.shops.values():
            accounts.interrupt = interrupt
