"""The page of costs, written from the counts alone: the same counts write the same page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from infra.costs import prices
from infra.costs.bill import Bill, idle_months
from infra.costs.counting import OTHER_WAIT_MS, WAIT_MS
from infra.costs.durations import COLD, RUNTIME_MS, Measured
from infra.costs.idle import (
    POLLS_A_MINUTE,
    interval_of,
    key_requests,
    metrics_alive,
    month_of,
    runs_a_month,
    standing_in,
)
from infra.costs.lives import AGES, ALONE, RECONCILIATION, TOGETHER
from infra.costs.prices import PRICES, SERVICES, cost_of, free_of
from infra.costs.topology import Topology
from infra.costs.usage import Item, Usage

MILLION: Final = 1_000_000
TARGET: Final = 8.5
STRETCH: Final = 5.0
IDLE_TARGET: Final = 3.0
INGEST: Final = "ingest"
OF_THE_TARGET: Final = ("order-webhook", "order-intake", "order-relay")
"""What the plan's figure counts: webhook, queue, intake with its transaction, personal data and archive, relay."""
_MINIMUM: Final = 2 + 2 * 3
"""Write units of one transaction for an order of three lines, the least that is one transaction for each order."""
_LIVES: Final[Mapping[str, str]] = {
    INGEST: "A paid order of three lines comes in from Shopify, of a buyer who bought before: webhook, queue, intake "
    "(one transaction with the stock, personal data, archive), relay, stock movements, the customer.",
    "ingest of a new buyer's order": "The same, and the buyer was never seen.",
    "usual order": "The order comes in and is paid at Stripe; Odoo gets it, ships it, and is looked at; the shop is "
    "told of the parcel and sends its update; two shops are told their levels, the buyer gets two mails.",
    "the same again": "The shop delivers the same webhook once more: what that adds.",
    "update without stock": "Staff write a note on the order: what that adds, everywhere.",
    "return": "One piece comes back and its money goes back at Stripe: what that adds, everywhere.",
}


def page_of(bill: Bill, measured: Measured, topology: Topology) -> str:
    """The whole page."""
    parts = (
        _HEAD,
        *_summary(bill, measured, topology),
        *_lives(bill, measured, topology),
        *_functions(bill, measured, topology),
        *_books(bill, measured, topology),
        *_stored(bill, topology),
        *_idle(bill, measured, topology),
        *_metrics(bill),
        *_assumptions(measured),
    )
    return "\n".join(parts).rstrip() + "\n"


_HEAD: Final = """# What it costs

Written by `make costs` from counts: the real functions play an order's whole way in one process, and everything that
AWS bills is counted (`infra/costs/`). The counts are exact and held by a test; times are measured or assumed, see the
end. Prices are us-east-1's, on demand, without the free tier where nothing else is said.
"""


# ---- orders ----


def _summary(bill: Bill, measured: Measured, topology: Topology) -> Iterator[str]:
    met, events = target_cost(bill, measured, topology)
    yield "## In short\n"
    yield from _table(
        ("$ per million orders", "one at a time", "ten at a time"),
        [
            (name, *(_dollars(cost_of(bill.timed(name, batch, measured, topology)) * MILLION) for batch in _BATCHES))
            for name in _LIVES
        ],
    )
    yield (
        f"The plan's target of {TARGET} $ (stretch {STRETCH:g} $) is for taking an order in, ten at a time: "
        f"{', '.join(OF_THE_TARGET)} of the first line. They cost **{_dollars(met)} $**{_verdict(met)}, and "
        f"{_dollars(events)} $ more for events on the bus of the merchant's own rules, which the plan left out.\n"
        f"Of it {_dollars(_writes(bill))} $ are write units, of which one transaction for each order, with its three "
        f"stock lines, is {_dollars(_MINIMUM * PRICES[Item.WRITE_UNITS] * MILLION)} $ at the least.\n"
    )


_BATCHES: Final = (ALONE, TOGETHER)


def _verdict(dollars: float) -> str:
    if dollars <= STRETCH:
        return " (the stretch is met)"
    return " (met)" if dollars <= TARGET else f" ({_dollars(dollars - TARGET)} $ more than that)"


def target_cost(bill: Bill, measured: Measured, topology: Topology) -> tuple[float, float]:
    """Dollars per million orders of what the plan's target counts, and of the events beside it."""
    usage = bill.timed(INGEST, TOGETHER, measured, topology)
    whole = sum(cost_of(usage.of(function)) for function in OF_THE_TARGET) * MILLION
    events = sum(cost_of(usage.of(function), Item.EVENTS) for function in OF_THE_TARGET) * MILLION
    return whole - events, events


def _writes(bill: Bill) -> float:
    usage = bill.lives[INGEST, TOGETHER].usage
    return sum(cost_of(usage.of(function), Item.WRITE_UNITS) for function in OF_THE_TARGET) * MILLION


def _lives(bill: Bill, measured: Measured, topology: Topology) -> Iterator[str]:
    yield "## By service\n"
    yield "$ per million orders; one at a time / ten at a time.\n"
    for name, story in _LIVES.items():
        yield f"- **{name}**: {story}"
    yield ""
    usages = {(name, batch): bill.timed(name, batch, measured, topology) for name in _LIVES for batch in _BATCHES}

    def pair(name: str, items: Sequence[Item]) -> str:
        return " / ".join(_dollars(cost_of(usages[name, batch], *items) * MILLION) for batch in _BATCHES)

    rows = [(service, *(pair(name, items) for name in _LIVES)) for service, items in SERVICES.items()]
    rows.append(("**all**", *(pair(name, ()) for name in _LIVES)))
    rows.append(("mails, apart", *(pair(name, (Item.MAILS,)) for name in _LIVES)))
    yield from _table(("", *_LIVES), rows)
    yield "## What was counted\n"
    yield "For one order; one at a time / ten at a time.\n"
    counted = [item for item in Item if item not in {Item.GB_SECONDS, Item.SCHEDULED, Item.WAIT_MS, Item.SDK_MS}]
    yield from _table(
        ("", *_LIVES),
        [
            (
                item.value,
                *(" / ".join(_amount(usages[name, batch].total(item)) for batch in _BATCHES) for name in _LIVES),
            )
            for item in counted
        ],
    )


def _functions(bill: Bill, measured: Measured, topology: Topology) -> Iterator[str]:
    yield "## The usual order by function\n"
    yield "One at a time; $ per million orders, and what was counted for one.\n"
    usage = bill.timed("usual order", ALONE, measured, topology)
    rows = [
        (
            function,
            _dollars(cost_of(usage.of(function)) * MILLION),
            *(_amount(usage.of(function).total(item)) for item in _COLUMNS),
        )
        for function in sorted(usage.functions, key=lambda name: -cost_of(usage.of(name)))
    ]
    yield from _table(("", "$", *(item.value for item in _COLUMNS)), rows)


_COLUMNS: Final = (
    Item.INVOCATIONS,
    Item.GB_SECONDS,
    Item.WRITE_UNITS,
    Item.READ_UNITS,
    Item.QUEUE_REQUESTS,
    Item.EVENTS,
    Item.LOG_BYTES,
    Item.CALLS_TO_VENDORS,
)


# ---- what stays ----


def _stored(bill: Bill, topology: Topology) -> Iterator[str]:
    tables, objects = (bill.lives["usual order", ALONE].stored[where] for where in ("tables", "objects"))
    days = topology.deployment.parameters["ArchiveRetentionDays"]
    a_month = tables / _KILO * prices.TABLE_GB_MONTH, objects / _KILO * prices.OBJECT_GB_MONTH
    yield "## What stays\n"
    yield (
        f"A usual order leaves {tables / _KILO:.1f} KB in tables and {objects / _KILO:.1f} KB of raw deliveries in the "
        f"archive, which keeps them {days} days. A million cost {_dollars(a_month[0])} $ a month in tables, with "
        f"what point-in-time recovery takes, and {_dollars(a_month[1])} $ in the archive.\n"
    )


_KILO: Final = 1000


# ---- books ----


def _books(bill: Bill, measured: Measured, topology: Topology) -> Iterator[str]:
    runs_a_day = timedelta(days=1) / interval_of(
        next(one for one in topology.deployment.schedules if topology.short(one.function) == RECONCILIATION)
    )
    usages = {age: bill.timed(f"books, {age}", TOGETHER, measured, topology) for age in AGES}
    often = {age: runs_a_day * days for age, (_, days) in AGES.items()}
    whole = sum(cost_of(usages[age]) * often[age] for age in AGES) * MILLION
    yield "## The books of an order\n"
    yield (
        f"A paid order is looked at by every run of the reconciliation for {sum(days for _, days in AGES.values())} "
        f"days: judged for {AGES['judged'][1]}, then read because what is judged may belong to it. That adds "
        f"**{_dollars(whole)} $** per million orders to the usual order, where there are payment accounts. Read units "
        "are those of orders of three SKUs that no other order has; a run without any order is in the next chapter.\n"
    )
    yield from _table(
        ("an order is", "runs", "read units a run", "GB-seconds a run", "$ per million orders"),
        [
            (
                age,
                f"{often[age]:,.0f}",
                _amount(usages[age].total(Item.READ_UNITS)),
                f"{usages[age].total(Item.GB_SECONDS):.4f}",
                _dollars(cost_of(usages[age]) * often[age] * MILLION),
            )
            for age in AGES
        ],
    )


# ---- idle ----


def _idle(bill: Bill, measured: Measured, topology: Topology) -> Iterator[str]:
    yield "## A month without orders\n"
    yield (
        "The deployment alone with two shops, and connected to a back office and a payment account that have nothing "
        "to tell. $ a month, and what is left where the free tier is not used up by others. AWS gives an account three "
        f"dashboards and ten alarms for good. The plan's target is {IDLE_TARGET:g} $ without the free tier.\n"
    )
    for connected, runs in sorted(idle_months(bill, measured, topology)):
        usage = month_of(runs, topology)
        standing = standing_in(topology, metrics_alive(runs, topology))
        rows = [(what, _dollars(cost), _dollars(left)) for what, cost, left in _idle_rows(usage, standing, topology)]
        whole = idle_cost(usage, standing, topology)
        yield f"### {'Connected' if connected else 'Shops alone'}: {_dollars(whole[0])} $ ({_dollars(whole[1])} $)\n"
        yield from _table(("", "$ a month", "with the free tier"), rows)
        yield from _schedules(runs.usage, topology)


def _idle_rows(
    usage: Usage, standing: Iterable[tuple[prices.Standing, float]], topology: Topology
) -> Iterator[tuple[str, float, float]]:
    for service, items in SERVICES.items():
        cost = cost_of(usage, *items)
        free = free_of(Usage({place: amount for place, amount in usage.amounts.items() if place[1] in items}))
        if cost:
            yield service, cost, cost - free
    for one, number in standing:
        if number:
            yield f"{_amount(number)} × {one.what}", number * one.each, max(0.0, number - one.free) * one.each
    yield "KMS, at most", key_requests(topology), key_requests(topology)


def idle_cost(
    usage: Usage, standing: Iterable[tuple[prices.Standing, float]], topology: Topology
) -> tuple[float, float]:
    """Dollars of a month, and with the free tier."""
    rows = list(_idle_rows(usage, standing, topology))
    return sum(cost for _, cost, _ in rows), sum(left for _, _, left in rows)


def _schedules(runs: Mapping[str, Usage], topology: Topology) -> Iterator[str]:
    often = runs_a_month(topology)
    yield from _table(
        ("schedule", "runs a month", "$ a month", "GB-seconds a run", "write units", "read units", "calls to vendors"),
        [
            (
                function,
                f"{often[function]:,.0f}",
                _dollars(cost_of(usage) * often[function]),
                *(
                    _amount(usage.total(item))
                    for item in (Item.GB_SECONDS, Item.WRITE_UNITS, Item.READ_UNITS, Item.CALLS_TO_VENDORS)
                ),
            )
            for function, usage in sorted(runs.items(), key=lambda one: -cost_of(one[1]) * often[one[0]])
        ],
    )


# ---- the rest ----


def _metrics(bill: Bill) -> Iterator[str]:
    yield "## Custom metrics\n"
    yield (
        f"CloudWatch bills {prices.CUSTOM_METRIC.each} $ a month for each name with its dimensions, by the hours in "
        "which it was counted. These are what the lives above, and schedules that find nothing, count; those with a "
        "shop or a code among their dimensions come once for each. A merchant who sells all day keeps these alive all "
        f"month: {_dollars(len(bill.metrics) * prices.CUSTOM_METRIC.each)} $.\n"
    )
    for metric in bill.metrics:
        yield f"- `{metric}`"
    yield ""


def _assumptions(measured: Measured) -> Iterator[str]:
    yield "## What the figures rest on\n"
    waits = ", ".join(f"{name} {wait:g}" for name, wait in WAIT_MS.items())
    yield (
        f"- CPU: {measured.how}, {measured.when}; kept in `infra/costs/measured.toml`. A function of M MB has M/1769 "
        "of a core.\n"
        f"- Waiting, in ms for a call: {waits}, any other {OTHER_WAIT_MS:g}; beside our code {RUNTIME_MS:g} for each "
        "run. Transactions and single items by published measurements, storefronts as planned for Shopify, the others "
        "are assumptions.\n"
        f"- Starts of environments: {COLD[ALONE]:.1%} of the runs one at a time, {COLD[TOGETHER]:.1%} ten at a time; "
        "every run of a schedule that comes rarer than every ten minutes.\n"
        "- One at a time means that each message and each change of a table is a run of its own. Ten at a time means "
        "that ten orders with different goods come together, and batches hold ten.\n"
        f"- An empty queue is asked {POLLS_A_MINUTE} times a minute, as Lambda's documentation of long polling says.\n"
        "- The look at the back office counts with an order only where it finds something of it; the rest of it is in "
        "the month without orders.\n"
        "- Not counted: traffic to the internet, storage, and what vendors take. Mails are apart.\n"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join([' --- ', *(' ---: ' for _ in head[1:])])}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _dollars(amount: float) -> str:
    return f"{amount:.2f}"


def _amount(number: float) -> str:
    return f"{number:,.2f}".rstrip("0").rstrip(".")
