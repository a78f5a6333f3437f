"""What bringing one person's account and party together costs: port calls, HTTP requests, write units. Exact.

Written are the errand's lease and the person's stand, read beside them the person's customers. A worker asks for what
it keeps (a session, countries) at its first person; counted is the next one. Edits change the name, which every back
office has; the shop is one of accounts in memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

from infra.bench.backoffice import Counting
from infra.bench.bodies import VENDORS
from infra.bench.companies import Company, Opening, companies
from infra.bench.customers import account_of, desk_of
from infra.bench.units import READS, Meter, Request, tables
from shared.backoffices.port import BackOffice
from shared.customers.intake import take_in
from shared.customers.models import Customer, Profile, ProfileField
from shared.customers.ports import CustomerDesk
from shared.customers.readings import CompleteCustomer
from shared.customers.rules import CustomerRules
from shared.customers.table import CustomerTable
from shared.kernel.clock import as_sortable, utc_now
from shared.kernel.identifiers import CustomerKey
from shared.kernel.versions import Version
from shared.orders.errands import Office
from shared.sync.customers.reconcile import PersonDesk, bring_together
from shared.sync.customers.sides import Shop
from shared.sync.customers.table import PersonMirrorTable
from shared.sync.jobs import leased
from shared.sync.table import JobTable

MADE: Final = "registration"
UNCHANGED: Final = "nothing to do"
_SHOP: Final = VENDORS[0]
_LEASE: Final = timedelta(minutes=6)


@dataclass(frozen=True)
class PersonCost:
    vendor: str
    account: str
    written_to: tuple[str, ...]
    """`backoffice/erp name`: sides and fields."""
    port_calls: int
    http_requests: int
    shop_requests: int
    """Reads and writes of the account at its shop."""
    written: float
    read: float


class _Accounts:
    """The shop's side: accounts in memory, each call counted as one."""

    def __init__(self) -> None:
        self.calls = 0
        self.kept: dict[str, Customer] = {}

    def fetch(self, customer_id: str) -> Customer | None:
        self.calls += 1
        customer = self.kept.get(customer_id)
        if customer is None:
            return None
        observed = customer.version.model_copy(update={"observed_at": as_sortable(utc_now()), "fetched": True})
        return customer.model_copy(update={"version": observed})

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:  # noqa: ARG002 - the port's signature
        self.calls += 1
        self.put(self.kept[customer_id], profile)

    def put(self, customer: Customer, profile: Profile) -> Customer:
        """The account says this from now on."""
        now = utc_now()
        digest = f"{len(self.kept)}-{now.timestamp()}"
        version = Version(updated_at=as_sortable(now), observed_at=as_sortable(now), body_sha256=digest)
        changed = customer.model_copy(update={"personal": profile, "updated_at": now, "version": version})
        self.kept[customer.customer_id] = changed
        return changed


@dataclass(frozen=True)
class _Bench:
    company: Company
    office: Counting
    accounts: _Accounts
    desk: PersonDesk
    jobs: JobTable
    meter: Meter
    customers: CustomerDesk

    def tell(self, customer: Customer) -> None:
        """The shop's webhook arrives."""
        take_in(CompleteCustomer(customer), self.customers)

    def errand(self, account: str, key: CustomerKey) -> PersonCost:
        """Bring the person together once."""
        self.office.calls.clear()
        self.accounts.calls = 0
        self.company.requests.take()
        self.meter.take()
        with leased(self.jobs, f"{Office.BACKOFFICE}/person/{key}", "bench", now=utc_now(), lease=_LEASE):
            together = bring_together(key, self.desk)
        requests = self.meter.take()
        return PersonCost(
            self.company.vendor,
            account,
            together.written,
            len(self.office.calls),
            self.company.requests.take(),
            self.accounts.calls,
            _units(requests, reading=False),
            _units(requests, reading=True),
        )


def measure() -> list[PersonCost]:
    """Two customers at each company: the first of a worker, and what happens to the next."""
    with tables() as (connection, names):
        customers = desk_of(_SHOP.shop, CustomerTable(connection, names["customers"]))
        mirrors, jobs = PersonMirrorTable(connection, names["sync"]), JobTable(connection, names["sync"])
        meter = Meter(connection.client)
        return [
            cost
            for number, opening in enumerate(companies())
            for cost in _at(opening, 9500 + 10 * number, customers, mirrors, jobs, meter)
        ]


def _at(
    opening: Opening,
    number: int,
    customers: CustomerDesk,
    mirrors: PersonMirrorTable,
    jobs: JobTable,
    meter: Meter,
) -> Iterator[PersonCost]:
    with opening() as company:
        office, accounts = Counting(company.office()), _Accounts()
        desk = PersonDesk(
            name=f"erp-{number}",
            office=cast("BackOffice", office),
            rehearsal=False,
            shops={_SHOP.shop: Shop(CustomerRules(), accounts, "DE")},
            book=customers.book,
            mirrors=mirrors,
            marker=customers.marker,
            clock=utc_now,
        )
        bench = _Bench(company, office, accounts, desk, jobs, meter, customers)
        bench.errand(MADE, _registered(bench, number))
        yield from _life(bench, number + 1)


def _registered(bench: _Bench, number: int) -> CustomerKey:
    customer = account_of(_SHOP, number)
    bench.tell(bench.accounts.put(customer, customer.personal))
    return customer.key


def _life(bench: _Bench, number: int) -> Iterator[PersonCost]:
    key = _registered(bench, number)
    yield bench.errand(MADE, key)
    yield bench.errand(UNCHANGED, key)
    account = bench.accounts.kept[key.id]
    bench.tell(bench.accounts.put(account, account.personal.model_copy(update={"last_name": "Buyer"})))
    yield bench.errand("the buyer's edit", key)
    party = bench.company.office().find_customer(str(key))
    if party is None:
        raise LookupError(f"{bench.company.vendor} has no party of {key}")
    bench.company.office().save_customer(party.card.model_copy(update={"name": "Kate Staffside"}))
    yield bench.errand("the staff's edit", key)
    bench.tell(bench.accounts.kept[key.id])
    yield bench.errand("its echo", key)


def _units(requests: Iterable[Request], *, reading: bool) -> float:
    return sum(request.units for request in requests if (request.operation in READS) is reading)
