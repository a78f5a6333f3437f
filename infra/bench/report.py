"""Tell what was measured: as tables for people, or as one JSON document."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from infra.bench.backoffice import IDLE, RECORDED, BookCost
from infra.bench.cpu import CpuCost
from infra.bench.customers import AGAIN, REGISTERED, CustomerCost
from infra.bench.flash_sale import figures
from infra.bench.flash_sale.figures import Figures
from infra.bench.imports import ImportCost
from infra.bench.letters import WHOLE, LetterCost
from infra.bench.money import AGAIN as DONE_AGAIN
from infra.bench.money import MoneyCost
from infra.bench.persons import UNCHANGED, PersonCost
from infra.bench.target import Target
from infra.bench.throughput import Throughput
from infra.bench.units import UnitCost

WEBHOOK_MILLISECONDS: Final = 90
"""Over bare Python. Shopify waits 5 seconds for a webhook, cold start, TLS and queue included."""
WEBHOOK_SHARE: Final = 0.25
"""Of what the intake imports, in each respect."""
TRANSACTION_UNITS: Final = 8
"""Of a new order of three lines: two units for each of its four items, as transactions cost."""
PUSH_UNITS: Final = 10
"""Of recording such an order in a back office: its stand, three promises, and the errand's lease."""
IDLE_CALLS: Final = 1
"""Of a look with nothing to do: where the sale stands."""

REGISTRATION_UNITS: Final = 20
"""Of a new customer who is asked for proof: the record and the profile, what it is found by, two counters of sign-ups,
and the record once more when a link is asked for."""
MAILS: Final = 3
"""To the buyer of an order of one parcel, whose shop sends every notice: confirmed, shipped, delivered."""


@dataclass(frozen=True)
class Report:
    """What was measured; a part that was left out is empty."""

    units: tuple[UnitCost, ...] = ()
    backoffice: tuple[BookCost, ...] = ()
    customers: tuple[CustomerCost, ...] = ()
    persons: tuple[PersonCost, ...] = ()
    letters: tuple[LetterCost, ...] = ()
    money: tuple[MoneyCost, ...] = ()
    imports: tuple[ImportCost, ...] = ()
    cpu: tuple[CpuCost, ...] = ()
    throughput: tuple[Throughput, ...] = ()
    sales: tuple[Figures, ...] = ()

    def targets(self) -> Iterator[Target]:
        """The limits that this design promises to keep, exact ones first."""
        for cost in self.units:
            if cost.account == "new order":
                what = f"transaction of a new 3-line order, {cost.platform}: write units"
                yield Target(what, cost.transaction, TRANSACTION_UNITS, exact=True)
        yield from _backoffice_targets(self.backoffice)
        yield from _customer_targets(self.customers)
        yield from _person_targets(self.persons, self.letters)
        for booked in self.money:
            if booked.account.endswith(DONE_AGAIN):
                yield Target(f"{booked.account}: write units", booked.written, 0, exact=True)
        yield from figures.targets(self.sales)
        for row in self.throughput:
            yield Target("queue messages for each order", row.messages_per_order, 1.0, exact=True)
        if self.imports:
            yield from _import_targets({cost.function: cost for cost in self.imports})

    def as_document(self) -> dict[str, Any]:
        """Everything, derived figures included."""
        return {
            "targets": [{**asdict(target), "met": target.met} for target in self.targets()],
            "units": [_with(cost, "read", "written", "transaction") for cost in self.units],
            "backoffice": [_with(cost) for cost in self.backoffice],
            "customers": [_with(cost, "read", "written", "items") for cost in self.customers],
            "persons": [_with(cost) for cost in self.persons],
            "letters": [_with(cost) for cost in self.letters],
            "money": [_with(cost, "read", "written", "items") for cost in self.money],
            "imports": [_with(cost) for cost in self.imports],
            "cpu": [_with(cost, "webhook_ratio", "order_ratio") for cost in self.cpu],
            "throughput": [
                _with(row, "orders_per_second", "accepted_per_second", "messages_per_order", "bytes_per_order")
                for row in self.throughput
            ],
            "sales": [figures.document(sale) for sale in self.sales],
        }


def show(report: Report, console: Console) -> None:
    for title, columns, rows in _tables(report):
        table = Table(*columns, title=title, title_justify="left", header_style="bold")
        for row in rows:
            table.add_row(*row)
        if table.row_count:
            console.print(table)


def _backoffice_targets(costs: Iterable[BookCost]) -> Iterator[Target]:
    for cost in costs:
        if cost.account == RECORDED:
            yield Target(f"a sale in {cost.vendor}: write units", cost.written, PUSH_UNITS, exact=True)
        if cost.account == IDLE:
            yield Target(f"{IDLE} in {cost.vendor}: port calls", cost.port_calls, IDLE_CALLS, exact=True)


def _customer_targets(costs: Iterable[CustomerCost]) -> Iterator[Target]:
    for cost in costs:
        if cost.account == REGISTERED:
            what = f"a registration, {cost.platform}: write units"
            yield Target(what, cost.written, REGISTRATION_UNITS, exact=True)
        if cost.account == AGAIN:
            yield Target(f"told of again, {cost.platform}: write units", cost.written, 0, exact=True)


def _person_targets(persons: Iterable[PersonCost], letters: Iterable[LetterCost]) -> Iterator[Target]:
    for cost in persons:
        if cost.account == UNCHANGED:
            yield Target(f"a person in step with {cost.vendor}: port calls", cost.port_calls, IDLE_CALLS, exact=True)
    for letter in letters:
        if letter.account == WHOLE:
            yield Target("mails to an order's buyer", letter.mails, MAILS, exact=True)


def _import_targets(by_function: Mapping[str, ImportCost]) -> Iterator[Target]:
    webhook, intake = by_function["order_webhook"], by_function["order_intake"]
    modules, size = webhook.modules / intake.modules, webhook.source_bytes / intake.source_bytes
    yield Target("webhook's share of the intake's modules", modules, WEBHOOK_SHARE, exact=True)
    yield Target("webhook's share of the intake's source bytes", size, WEBHOOK_SHARE, exact=True)
    share = webhook.ms_over_bare / intake.ms_over_bare
    yield Target("webhook's share of the intake's import time", share, WEBHOOK_SHARE, exact=False)
    yield Target("webhook's import over bare Python, ms", webhook.ms_over_bare, WEBHOOK_MILLISECONDS, exact=False)


_Rows = Iterable[tuple[str, ...]]
_UNITS: Final = ("vendor", "account", "result", "written", "read", "by request")
_BACKOFFICE: Final = ("back office", "account", "calls", "HTTP", "written", "read", "errands")
_CUSTOMERS: Final = ("vendor", "account", "result", "written", "items", "read", "messages")
_PERSONS: Final = ("back office", "account", "calls", "HTTP", "at the shop", "written", "read")
_LETTERS: Final = ("order", "mails", "written", "read")
_MONEY: Final = ("what", "result", "written", "items", "read", "requests")
_IMPORTS: Final = ("function", "modules", "source KB", "ms over bare Python")
_CPU: Final = ("vendor", "lines", "bytes", "webhook", "order", "µs json", "µs webhook", "µs order")
_THROUGHPUT: Final = ("orders", "messages/order", "bytes/order", "accepted/s", "orders/s, drained")
_TARGETS: Final = ("", "what", "measured", "limit", "kind")


def _tables(report: Report) -> Iterator[tuple[str, tuple[str, ...], _Rows]]:
    yield "DynamoDB units", _UNITS, map(_units, report.units)
    yield (
        "A 3-line order in the back office: calls, units",
        _BACKOFFICE,
        map(_backoffice, report.backoffice),
    )
    yield "Customers: units, items, messages that follow", _CUSTOMERS, map(_customer, report.customers)
    yield "A person in the back office: calls, units", _PERSONS, map(_person, report.persons)
    yield "Mails to an order's buyer", _LETTERS, map(_letter, report.letters)
    yield "Money: units and items of the books", _MONEY, map(_money, report.money)
    yield "Imports", _IMPORTS, map(_imports, report.imports)
    yield "CPU, × json.loads of the same body", _CPU, map(_cpu, report.cpu)
    yield "Through the local stack", _THROUGHPUT, map(_throughput, report.throughput)
    yield "A flash sale, in virtual time", figures.COLUMNS, map(figures.row, report.sales)
    yield "Targets", _TARGETS, map(_target, report.targets())


def _units(cost: UnitCost) -> tuple[str, ...]:
    requests = "\n".join(f"{operation} {_terms(units)}" for operation, units in _by_operation(cost).items())
    return cost.platform, cost.account, cost.result, f"{cost.written:g}", f"{cost.read:g}", requests


def _by_operation(cost: UnitCost) -> dict[str, list[float]]:
    grouped: dict[str, list[float]] = {}
    for request in cost.requests:
        grouped.setdefault(request.operation, []).append(request.units)
    return grouped


def _terms(units: Iterable[float]) -> str:
    return " + ".join(f"{unit:g}" for unit in units)


def _backoffice(cost: BookCost) -> tuple[str, ...]:
    counts = (cost.port_calls, cost.http_requests, cost.written, cost.read, cost.errands)
    return cost.vendor, cost.account, *(f"{count:g}" for count in counts)


def _customer(cost: CustomerCost) -> tuple[str, ...]:
    counts = (cost.written, cost.items, cost.read, cost.messages)
    return cost.platform, cost.account, cost.result, *(f"{count:g}" for count in counts)


def _person(cost: PersonCost) -> tuple[str, ...]:
    counts = (cost.port_calls, cost.http_requests, cost.shop_requests, cost.written, cost.read)
    return cost.vendor, cost.account, *(f"{count:g}" for count in counts)


def _letter(cost: LetterCost) -> tuple[str, ...]:
    return cost.account, *(f"{count:g}" for count in (cost.mails, cost.written, cost.read))


def _money(cost: MoneyCost) -> tuple[str, ...]:
    counts = (cost.written, cost.items, cost.read, len(cost.requests))
    return cost.account, cost.result, *(f"{count:g}" for count in counts)


def _imports(cost: ImportCost) -> tuple[str, ...]:
    return cost.function, str(cost.modules), f"{cost.source_bytes / 1024:,.0f}", f"{cost.ms_over_bare:.0f}"


def _cpu(cost: CpuCost) -> tuple[str, ...]:
    ratios = (f"{cost.webhook_ratio:.1f}", f"{cost.order_ratio:.1f}")
    times = tuple(f"{time:,.0f}" for time in (cost.json_loads_us, cost.webhook_us, cost.order_us))
    return cost.platform, str(cost.lines), f"{cost.body_bytes:,}", *ratios, *times


def _throughput(row: Throughput) -> tuple[str, ...]:
    rates = (f"{row.accepted_per_second:.0f}", f"{row.orders_per_second:.0f}")
    return str(row.orders), f"{row.messages_per_order:.2f}", f"{row.bytes_per_order:,.0f}", *rates


def _target(target: Target) -> tuple[str, ...]:
    mark = "[green]✓[/]" if target.met else "[red]✗[/]"
    return mark, target.what, f"{target.measured:.3g}", f"{target.limit:g}", "exact" if target.exact else "this machine"


def _with(row: Any, *derived: str) -> dict[str, Any]:
    return {**asdict(row), **{name: getattr(row, name) for name in derived}}
