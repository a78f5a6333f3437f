"""What AWS itself measured of a stack: ages, lags, errors, alarms, versions. None of it is there on a local stack."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from infra.cli.status_lines import Line, State, counted, lasting

_LOOK_BACK: Final = timedelta(hours=1)
_PERIOD: Final = 300
PATIENCE_OF_RELAYS: Final = 600
"""Seconds that a change may wait for its relay: the threshold of the alarms."""
RELAYS: Final = ("order-relay", "customer-relay", "stock-relay", "low-stock-notification")
WEBHOOKS: Final = ("order-webhook", "registration-webhook", "payment-webhook")
MANY_REFUSED: Final = 50
"""Refused deliveries in an hour that somebody should look at."""
ALIAS: Final = "live"

Query = tuple[str, str, str, str, str]
"""Namespace, metric, dimension, its value, statistic."""


@dataclass(frozen=True)
class Measured:
    """The last hour. A name without a figure was not used in it."""

    oldest: Mapping[str, float]
    """Seconds, by the queue's name, as the newest figure says."""
    lags: Mapping[str, float]
    """Seconds, by the relay's name without the stack's."""
    errors: Mapping[str, int]
    """By the function's name."""
    accepted: int
    refused: int


def measure(stack: str, queues: Iterable[str], functions: Iterable[str], cloudwatch: Any, now: datetime) -> Measured:
    """Ask CloudWatch once for everything. It bills a cent for a thousand figures; this asks for some forty."""
    ours = f"Storebridge/{stack}"
    queries: dict[tuple[str, str], Query] = {
        **{("age", n): ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", n, "Maximum") for n in queues},
        **{("lag", n): ("AWS/Lambda", "IteratorAge", "FunctionName", f"{stack}-{n}", "Maximum") for n in RELAYS},
        **{("errors", n): ("AWS/Lambda", "Errors", "FunctionName", n, "Sum") for n in functions},
        **{("accepted", n): (ours, "WebhookAccepted", "service", n, "Sum") for n in WEBHOOKS},
        **{("refused", n): (ours, "WebhookRefused", "service", n, "Sum") for n in WEBHOOKS},
    }
    answers = _figures(list(queries.values()), cloudwatch, now)
    found: dict[tuple[str, str], list[float]] = dict(zip(queries, answers, strict=True))

    def sums(kind: str) -> dict[str, int]:
        return {name: int(sum(values)) for (of, name), values in found.items() if of == kind and any(values)}

    def newest(kind: str, scale: float) -> dict[str, float]:
        return {name: values[0] * scale for (of, name), values in found.items() if of == kind and values}

    return Measured(
        oldest=newest("age", 1.0),
        lags=newest("lag", 0.001),
        errors=sums("errors"),
        accepted=sum(sums("accepted").values()),
        refused=sum(sums("refused").values()),
    )


def _figures(queries: list[Query], cloudwatch: Any, now: datetime) -> Iterator[list[float]]:
    """The values of each, the newest first."""
    asked = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                },
                "Period": _PERIOD,
                "Stat": statistic,
            },
        }
        for number, (namespace, metric, dimension, value, statistic) in enumerate(queries)
    ]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=asked, StartTime=now - _LOOK_BACK, EndTime=now, ScanBy="TimestampDescending"
    )
    found: dict[str, list[float]] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            found.setdefault(result["Id"], []).extend(result["Values"])
    yield from (found.get(f"q{number}", []) for number in range(len(queries)))


def measured_lines(measured: Measured) -> Iterator[Line]:
    yield _webhook_line(measured)
    for name in RELAYS:
        lag = measured.lags.get(name)
        late = lag is not None and lag > PATIENCE_OF_RELAYS
        said = f"newest changes {lasting(lag)} old" if lag is not None else "nothing changed in the last hour"
        subject = name.replace("-", " ")
        mend = "infra/runbooks/relay-behind.md" if late else None
        yield Line("relays", subject, State.ATTENTION if late else State.OK, said, mend)
    if not measured.errors:
        yield Line("functions", "errors", State.OK, "none in the last hour")
    for name, number in sorted(measured.errors.items()):
        said = f"{counted(number, 'error', 'errors')} in the last hour"
        yield Line("functions", name, State.ATTENTION, said, "infra/runbooks/functions-failing.md")


def _webhook_line(measured: Measured) -> Line:
    many = measured.refused > MANY_REFUSED
    said = f"{measured.accepted} accepted, {measured.refused} refused in the last hour"
    state = State.ATTENTION if many else State.OK
    return Line("webhooks", "deliveries", state, said, "storebridge shops check" if many else None)


def alarm_lines(stack: str, alarms: Sequence[str], cloudwatch: Any) -> Iterator[Line]:
    """Each of the stack's alarms that rings, with the runbook that its description ends with."""
    if not alarms:
        said = "none are set up: deploy with AlarmEmail or AlarmTopicArn"
        yield Line("alarms", "alarms", State.TODO, said, "sam deploy --guided")
        return
    found = cloudwatch.describe_alarms(AlarmNames=list(alarms), AlarmTypes=["MetricAlarm"], MaxRecords=100)
    ringing = [alarm for alarm in found["MetricAlarms"] if alarm["StateValue"] == "ALARM"]
    if not ringing:
        yield Line("alarms", "alarms", State.OK, f"none of {len(alarms)} rings")
    for alarm in ringing:
        text, _, runbook = alarm.get("AlarmDescription", "").rpartition(" ")
        yield Line("alarms", alarm["AlarmName"].removeprefix(f"{stack}-"), State.ATTENTION, text, runbook or None)


@dataclass(frozen=True)
class Parts:
    """What a stack has of its own, by name."""

    functions: tuple[str, ...]
    alarms: tuple[str, ...]


def parts_of(stack: str, cloudformation: Any) -> Parts:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]

    def named(kind: str) -> tuple[str, ...]:
        return tuple(sorted(one["PhysicalResourceId"] for one in resources if one["ResourceType"] == kind))

    return Parts(named("AWS::Lambda::Function"), named("AWS::CloudWatch::Alarm"))


def version_lines(functions: Iterable[str], lambdas: Any) -> Iterator[Line]:
    """Which versions take what part of the traffic, of the functions whose new version takes a tenth first."""
    for name in functions:
        try:
            alias = lambdas.get_alias(FunctionName=name, Name=ALIAS)
        except lambdas.exceptions.ResourceNotFoundException:
            continue
        others = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        parts = [f"version {alias['FunctionVersion']}"]
        parts += [f"version {version} takes {weight:.0%}" for version, weight in sorted(others.items())]
        yield Line("versions", name, State.OK, ", ".join(parts))


NOT_MEASURED: Final = (
    Line("webhooks", "deliveries", State.NOT_HERE, "not known here: the local stack measures nothing"),
    Line("relays", "age of changes", State.NOT_HERE, "not known here"),
    Line("functions", "errors", State.NOT_HERE, "not known here: see what make dev prints"),
    Line("alarms", "alarms", State.NOT_HERE, "none on a local stack"),
    Line("versions", "versions", State.NOT_HERE, "one, of this checkout"),
)
