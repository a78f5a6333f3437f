"""A month without any traffic: what schedules do in vain, how Lambda asks empty queues, what stands there anyway."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from infra.costs import prices
from infra.costs.cloud import MeteredCloud
from infra.costs.counting import Metric
from infra.costs.prices import Standing
from infra.costs.topology import Topology
from infra.costs.usage import Item, Usage, summed
from infra.costs.world import world
from infra.local.template import Schedule

MONTH: Final = timedelta(hours=730)
POLLS_A_MINUTE: Final = 15
"""Of an empty queue: five pollers that wait up to 20 seconds for a message each time (Lambda Developer Guide, "Using
Lambda with Amazon SQS": long polling; five concurrent at first; 20 seconds is SQS's longest wait)."""
_WATCHED: Final = timedelta(hours=6)
_MOST_RUNS: Final = 24
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNITS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_KEY_READS: Final = 12 * 730
"""A month's requests to KMS for one table: DynamoDB keeps a table's key for five minutes (DynamoDB Developer Guide,
"Usage notes: encryption at rest"). At most, for tables that are asked all the time."""
_KEY_REQUEST: Final = 0.03 / 10_000


@dataclass(frozen=True)
class IdleRuns:
    """What one run of each scheduled function uses where there is nothing to do."""

    usage: Mapping[str, Usage]
    cpu_ms: Mapping[str, float]
    metrics: Mapping[Metric, str]
    """Counted again and again, and by which function."""


def interval_of(schedule: Schedule) -> timedelta:
    """How often it comes round; schedules by the calendar are daily ones."""
    found = _RATE.fullmatch(schedule.expression)
    return int(found[1]) * _UNITS[found[2]] if found else timedelta(days=1)


def play_idle(*, connected: bool) -> IdleRuns:
    """Have every schedule come round for some hours, and take the mean of a run."""
    with world(connected=connected, batch=1) as around:
        cloud = around.cloud
        if connected:
            around.furnish()
        schedules = cloud.topology.deployment.schedules
        for schedule in schedules:
            cloud.fire(cloud.topology.short(schedule.function), schedule.payload)
            cloud.settle()
        cloud.forget()
        usages: dict[str, Usage] = {}
        spent: dict[str, float] = {}
        metrics: dict[Metric, str] = {}
        for schedule in schedules:
            function = cloud.topology.short(schedule.function)
            usages[function], spent[function] = _mean_run(cloud, function, schedule)
            metrics |= dict.fromkeys(sorted(cloud.metrics), function)
            cloud.forget()
        return IdleRuns(usages, spent, metrics)


def _mean_run(cloud: MeteredCloud, function: str, schedule: Schedule) -> tuple[Usage, float]:
    interval = interval_of(schedule)
    runs = min(_MOST_RUNS, max(1, _WATCHED // interval))
    for _ in range(runs):
        cloud.pass_time(interval)
        cloud.fire(function, schedule.payload)
        cloud.settle()
    usage, cpu = cloud.take()
    return usage.times(1 / runs), sum(cpu.values()) / runs


def runs_a_month(topology: Topology) -> Mapping[str, float]:
    return {
        topology.short(schedule.function): MONTH / interval_of(schedule) for schedule in topology.deployment.schedules
    }


def month_of(runs: IdleRuns, topology: Topology) -> Usage:
    """Of schedules and of Lambda's asking."""
    often = runs_a_month(topology)
    scheduled = summed(usage.times(often[function]) for function, usage in runs.usage.items())
    minutes = MONTH / timedelta(minutes=1)
    polled = summed(
        Usage({(topology.short(source.function), Item.QUEUE_REQUESTS): POLLS_A_MINUTE * minutes})
        for source in topology.deployment.queue_sources
    )
    return scheduled + polled


def standing_in(topology: Topology, metrics: float) -> list[tuple[Standing, float]]:
    """What stands there by the month, and how much of it. `metrics`: custom metrics that are alive all month."""
    kinds = topology.kinds
    return [
        (prices.SECRET, kinds["AWS::SecretsManager::Secret"]),
        (prices.ALARM, topology.alarm_metrics),
        (prices.COMPOSITE_ALARM, kinds["AWS::CloudWatch::CompositeAlarm"]),
        (prices.DASHBOARD, kinds["AWS::CloudWatch::Dashboard"]),
        (prices.CUSTOM_METRIC, metrics),
    ]


def metrics_alive(runs: IdleRuns, topology: Topology) -> float:
    """Months of custom metrics: one is billed for each hour in which it was counted."""
    often = runs_a_month(topology)
    hours = MONTH / timedelta(hours=1)
    return sum(min(1.0, often[function] / hours) for function in runs.metrics.values())


def key_requests(topology: Topology) -> float:
    """Dollars for KMS, at most."""
    return topology.kinds["AWS::DynamoDB::Table"] * _KEY_READS * _KEY_REQUEST
