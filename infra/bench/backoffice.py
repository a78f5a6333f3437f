"""What one order costs on its way through a back office: port calls, HTTP requests, write units, errands. Exact.

The order desk is in memory, so the units are those of the sync table alone: the errand's lease and the order's stand.
The read of the buyer's record, one for each errand, is not among them.
The order has three lines of goods and shipping; the shop's own staff ship it, and we tell the back office. A worker
asks for what it keeps (taxes, warehouses, products, a session) at its first order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import Any, Final, cast

from infra.bench.companies import GOODS, Company, Opening, companies, fill_shelves
from infra.bench.memory import LOCATION, empty_desk
from infra.bench.units import READS, Meter, Request, sync_table
from infra.demo.shops import Post, aurora, aurora_line
from infra.samples import shopify
from shared.backoffices.port import BackOffice
from shared.customers.marks import Marker
from shared.customers.record import CustomerRecord
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.errands import Errand, Office, errands_of
from shared.orders.intake import take_in
from shared.orders.ports import Desk
from shared.sync.backoffice.push import BooksDesk, push
from shared.sync.backoffice.rules import BookRules
from shared.sync.backoffice.services import ServiceCatalogue
from shared.sync.backoffice.table import MirrorTable
from shared.sync.customers.buyers import Buyers
from shared.sync.jobs import leased
from shared.sync.table import JobTable
from shared.webhooks.delivery import Delivery
from shared.wiring.storefront import reader

_LEASE: Final = timedelta(minutes=6)
_FIRST: Final = "a worker's first order"
RECORDED: Final = "its next order"
IDLE: Final = "nothing to do"
_SHIPPED: Final = "all is shipped"
LIFE: Final = "whole life"


@dataclass(frozen=True)
class BookCost:
    vendor: str
    account: str
    steps: tuple[str, ...]
    port_calls: int
    http_requests: int
    written: float
    """Units of the sync table, the lease's included."""
    read: float
    errands: int
    """To the back office, that the change of the record caused."""

    def __add__(self, other: "BookCost") -> "BookCost":
        return BookCost(
            self.vendor,
            LIFE,
            self.steps + other.steps,
            self.port_calls + other.port_calls,
            self.http_requests + other.http_requests,
            self.written + other.written,
            self.read + other.read,
            self.errands + other.errands,
        )


class Counting:
    """A back office that counts what is asked of it, by name of the port's method."""

    def __init__(self, office: BackOffice) -> None:
        self._office = office
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._office, name)
        return self._counted(name, found) if callable(found) else found

    def _counted(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.calls.append(name)
            return method(*given, **named)

        return call


@dataclass(frozen=True)
class _Bench:
    """One vendor's company with the books in front of it."""

    company: Company
    office: Counting
    orders: Desk
    books: BooksDesk
    jobs: JobTable
    meter: Meter

    def errand(self, account: str, post: Post | None, key: OrderKey) -> BookCost:
        """Take an account of the order in, if any, then run one errand about it."""
        errands = list(self._take_in(post, key)) if post else []
        self._forget()
        with leased(self.jobs, f"{Office.BACKOFFICE}/{key}", "bench", now=utc_now(), lease=_LEASE):
            pushed = push(key, self.books)
        requests = self.meter.take()
        return BookCost(
            self.company.vendor,
            account,
            pushed.steps,
            len(self.office.calls),
            self.company.requests.take(),
            _units(requests, reading=False),
            _units(requests, reading=True),
            sum(errand.office is Office.BACKOFFICE for errand in errands),
        )

    def _take_in(self, post: Post, key: OrderKey) -> Iterator[Errand]:
        before = self.orders.book.find(key)
        received_at = "2026-11-23T12:00:00.000000000Z"
        delivery = Delivery(key.shop, "shopify", "orders/updated", received_at, post.request.body)
        take_in(key.shop, reader("shopify")(delivery), self.orders)
        after = self.orders.book.find(key)
        if after is not None:
            yield from errands_of(before, after)

    def _forget(self) -> None:
        self.office.calls.clear()
        self.company.requests.take()
        self.meter.take()


def measure() -> list[BookCost]:
    """Two orders at each company: the first of a worker, and the whole life of the next."""
    with sync_table() as (mirrors, jobs, meter):
        return [
            cost for number, opening in enumerate(companies()) for cost in _at(opening, number, mirrors, jobs, meter)
        ]


def _at(opening: Opening, number: int, mirrors: MirrorTable, jobs: JobTable, meter: Meter) -> Iterator[BookCost]:
    with opening() as company:
        fill_shelves(company)
        office = Counting(company.office())
        orders = replace(empty_desk(), clock=utc_now)
        bench = _Bench(company, office, orders, _books(company, office, orders, mirrors), jobs, meter)
        first, second = 8000 + 10 * number, 8001 + 10 * number
        yield bench.errand(_FIRST, _order(first), OrderKey("aurora", str(first)))
        yield from _life(bench, second)


def _life(bench: _Bench, number: int) -> Iterator[BookCost]:
    key = OrderKey("aurora", str(number))
    recorded = bench.errand(RECORDED, _order(number), key)
    yield recorded
    yield bench.errand(IDLE, None, key)
    shipped = bench.errand(_SHIPPED, _shipped(number), key)
    yield shipped
    yield recorded + shipped


def _books(company: Company, office: Counting, orders: Desk, mirrors: MirrorTable) -> BooksDesk:
    port = cast("BackOffice", office)
    return BooksDesk(
        name="erp",
        office=port,
        services=ServiceCatalogue(port, monotonic),
        rules=BookRules(warehouses={LOCATION: company.warehouse}, payment_methods={"*": company.method}),
        orders=orders,
        mirrors=mirrors,
        buyers=Buyers(_Strangers(), Marker(b"of no deployment at all")),
        clock=utc_now,
    )


class _Strangers:
    """No customer has been told of: each order's buyer goes by the key of their own."""

    def find(self, _key: CustomerKey) -> None:
        return None

    def find_many(self, _keys: Iterable[CustomerKey]) -> Mapping[CustomerKey, CustomerRecord]:
        return {}

    def find_customer(self, _key: CustomerKey) -> None:
        return None


def _order(number: int) -> Post:
    return aurora(number, *_lines())


def _shipped(number: int) -> Post:
    sent = shopify.Shop().fulfilment(*_lines(), number=number, order_id=number)
    lines = _lines(fulfillable_quantity=0, fulfillment_status="fulfilled")
    return aurora(number, *lines, minute=9, topic="orders/updated", fulfillments=[sent], fulfillment_status="fulfilled")


def _lines(**overrides: Any) -> list[dict[str, Any]]:
    return [aurora_line(sku, **overrides) for sku in GOODS]


def _units(requests: tuple[Request, ...], *, reading: bool) -> float:
    return sum(request.units for request in requests if (request.operation in READS) is reading)
