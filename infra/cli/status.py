"""`storebridge status`: how a deployment is, in one sentence, and line by line with what to type next."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from infra.cli import status_business, status_cloud
from infra.cli.failures import AWS_ERRORS, of_aws
from infra.cli.order_facts import Json, time
from infra.cli.output import printable, table
from infra.cli.status_lines import CANNOT_TELL, Line, State, exit_code, verdict
from infra.cli.status_queues import SET_ASIDE, WORKING, Depth, depth_of, queue_lines
from infra.cli.target import Session, Target, session
from shared.kernel.clock import utc_now
from shared.kernel.errors import StorebridgeError
from shared.platform import aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

app = typer.Typer()

STAGES: Final = (
    "alarms",
    "webhooks",
    "intake",
    "relays",
    "errands",
    "shops",
    "back offices",
    "orders",
    "people",
    "stock",
    "money",
    "schedules",
    "tasks",
    "functions",
    "versions",
)
"""In the order in which they are shown: what rings first, then an order's way."""
_STYLES: Final = {"ok": "green", "to do": "yellow", "attention": "bold red", "unknown": "magenta", "not here": "dim"}


@app.command(epilog="Example: storebridge status --watch 60")
def status(
    ctx: typer.Context,
    watch: Annotated[
        int | None, typer.Option(metavar="SECONDS", min=5, help="Look again every so often, until Ctrl-C.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is well and has nothing to say.")] = False,
) -> None:
    """How the deployment is. Ends with 0 if it is healthy, 1 if something needs attention, 2 if that cannot be told.

    What waits for people as on any day (held orders, cases, low stock) is shown, and is no fault.
    """
    here = session(ctx)
    try:
        target = here.target
    except (StorebridgeError, *AWS_ERRORS) as error:
        here.output.fail(error if isinstance(error, StorebridgeError) else of_aws(error))
        raise typer.Exit(CANNOT_TELL) from error
    while True:
        with here.output.progress("Looking …"):
            lines = look(target, utc_now())
        _show(here, target, lines, everything=everything)
        if watch is None:
            raise typer.Exit(exit_code(lines))
        sleep(watch)


def look(target: Target, now: datetime) -> list[Line]:
    """Everything that can be said of it. What cannot be asked is a line that says so, and stops nothing else."""
    lines = list(_queues_and_measures(target, now))
    for stage, read in status_business.readers(clock_runs=not target.local).items():
        lines += _apart(stage, stage, partial(read, now))
    return sorted(lines, key=lambda line: STAGES.index(line.stage))


def _apart(stage: str, subject: str, read: Callable[[], Iterable[Line]]) -> list[Line]:
    try:
        return list(read())
    except (StorebridgeError, *AWS_ERRORS) as error:
        told = error if isinstance(error, StorebridgeError) else of_aws(error)
        return [Line(stage, subject, State.UNKNOWN, told.describe(), told.hint)]


def _queues_and_measures(target: Target, now: datetime) -> Iterator[Line]:
    oldest: dict[str, float] | None = None
    if target.stack is None:
        yield from status_cloud.NOT_MEASURED
    else:
        measures = _Measures(target.stack, list(_names(target).values()), now)
        for stage, read in measures.readers().items():
            yield from _apart(stage, stage, read)
        oldest = measures.oldest
    yield from _apart("intake", "queues", lambda: queue_lines(_depths(target, aws.sqs()), oldest, _names(target)))


def _depths(target: Target, sqs: "SQSClient") -> dict[str, Depth]:
    return {output: depth_of(target.outputs[output], sqs) for output in (*WORKING, *SET_ASIDE)}


def _names(target: Target) -> dict[str, str]:
    return {output: target.outputs[output].rpartition("/")[2] for output in WORKING}


@dataclass
class _Measures:
    """What AWS measured, each part asked apart from the others."""

    stack: str
    queues: list[str]
    now: datetime
    oldest: dict[str, float] | None = None
    """Seconds, by the queue's name; None until it was asked with success."""

    @cached_property
    def _parts(self) -> status_cloud.Parts:
        return status_cloud.parts_of(self.stack, _client("cloudformation"))

    def readers(self) -> dict[str, Callable[[], Iterable[Line]]]:
        return {
            "alarms": lambda: status_cloud.alarm_lines(self.stack, self._parts.alarms, _client("cloudwatch")),
            "functions": self._figures,
            "versions": lambda: status_cloud.version_lines(self._parts.functions, _client("lambda")),
        }

    def _figures(self) -> Iterable[Line]:
        cloudwatch = _client("cloudwatch")
        measured = status_cloud.measure(self.stack, self.queues, self._parts.functions, cloudwatch, self.now)
        self.oldest = dict(measured.oldest)
        return status_cloud.measured_lines(measured)


def _client(service: str) -> Any:
    import boto3  # noqa: PLC0415 - only a stack in AWS has these

    return boto3.client(service)  # type: ignore[call-overload] # not all of their stubs are ours


# What is shown


def _show(here: Session, target: Target, lines: list[Line], *, everything: bool) -> None:
    code = exit_code(lines)
    facts: Json = {
        "deployment": target.name,
        "at": time(utc_now()),
        "exit_code": code,
        "healthy": not code,
        "verdict": verdict(lines),
        "lines": [line.facts() for line in lines],
    }
    here.output.show(facts, lambda shown: _rendered(shown, everything=everything))


def _rendered(facts: Json, *, everything: bool) -> Iterator[RenderableType]:
    style = ("bold green", "bold red", "bold magenta")[facts["exit_code"]]
    yield Text(printable(f"{facts['deployment']}: {facts['verdict']}"), style=style)
    dull = () if everything else (State.NOT_HERE.value,)
    rows = [line for line in facts["lines"] if line["state"] not in dull]
    made = table("stage", "", "what", "says", "next", rows=())
    for line in rows:
        cells = [Text(printable(str(line[name] or ""))) for name in ("stage", "state", "subject", "said", "next")]
        cells[1].stylize(_STYLES[line["state"]])
        made.add_row(*cells)
    yield made
