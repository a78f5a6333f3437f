"""`storebridge status`: what is said of each part, and how the whole is judged."""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from infra.cli import status
from infra.cli.status_business import day_line, feed_line, judged_run, office_line, shop_line
from infra.cli.status_cloud import (
    MANY_REFUSED,
    PATIENCE_OF_RELAYS,
    RELAYS,
    WEBHOOKS,
    Measured,
    alarm_lines,
    measure,
    measured_lines,
    parts_of,
    version_lines,
)
from infra.cli.status_lines import CANNOT_TELL, HEALTHY, NEEDS_ATTENTION, Line, State, exit_code, lasting, verdict
from infra.cli.status_queues import SET_ASIDE, WORKING, Depth, queue_lines
from infra.cli.target import Target
from infra.local.stack import ROOT
from infra.local.template import load_deployment
from shared.kernel.errors import Retry
from shared.sync.finance.progress import FeedProgress
from shared.sync.jobs import Job
from shared.sync.repair.watch import Watch
from tests.unit.cli.conftest import Run

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DEPLOYMENT = load_deployment(ROOT / "template.yaml")
QUIET = Depth(0, 0, 0)
QUARTER = timedelta(minutes=15)


def line(state: State, subject: str = "orders") -> Line:
    return Line("intake", subject, state, "said")


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((), HEALTHY),
        ((State.OK, State.NOT_HERE, State.TODO), HEALTHY),
        ((State.OK, State.UNKNOWN), CANNOT_TELL),
        ((State.UNKNOWN, State.ATTENTION), NEEDS_ATTENTION),
    ],
)
def test_what_does_not_work_goes_before_what_is_not_known(states: tuple[State, ...], code: int) -> None:
    assert exit_code([line(state) for state in states]) == code


def test_the_verdict_names_what_is_wrong_and_what_is_to_do() -> None:
    assert verdict([line(State.OK)]) == "Healthy."
    assert verdict([line(State.TODO, "tasks")]) == "Healthy. For people to do: tasks."
    wrong = [line(State.ATTENTION, name) for name in ("a", "b", "b", "c", "d", "e")]
    assert verdict([*wrong, line(State.UNKNOWN, "x")]) == "Needs attention: a, b, c and 2 more."
    assert verdict([line(State.UNKNOWN, "x"), line(State.TODO, "t")]) == (
        "Cannot tell: x could not be asked. For people to do: t."
    )


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (119, "119 s"), (720, "12 min"), (18_000, "5 h"), (259_200, "3 days")]
)
def test_a_length_of_time_is_said_in_its_own_unit(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


# Queues


def test_every_queue_of_the_stack_is_told_of() -> None:
    told = {DEPLOYMENT.outputs[output].rpartition("/")[2] for output in (*WORKING, *SET_ASIDE)}
    assert told == {queue.name for queue in DEPLOYMENT.queues}
    assert {DEPLOYMENT.outputs[output].rpartition("/")[2] for output in WORKING} == {
        source.queue for source in DEPLOYMENT.queue_sources
    }


def queues(changed: Mapping[str, Depth], oldest: Mapping[str, float] | None = None) -> dict[str, Line]:
    depths = {output: changed.get(output, QUIET) for output in (*WORKING, *SET_ASIDE)}
    return {told.subject: told for told in queue_lines(depths, oldest, {output: output for output in WORKING})}


def test_whatever_was_set_aside_needs_attention() -> None:
    assert {told.state for told in queues({}).values()} == {State.OK}
    for output, dead in SET_ASIDE.items():
        told = queues({output: Depth(1, 1, 0)})[dead.subject]
        assert (told.state, told.said, told.next) == (State.ATTENTION, "2", dead.next)


def test_what_waits_is_judged_by_its_age_and_not_by_its_number() -> None:
    many = {"OrdersQueueUrl": Depth(5000, 10, 3)}
    told = queues(many, {"OrdersQueueUrl": 900.0})["orders to take in"]
    assert (told.state, told.said) == (State.OK, "5000 wait, 10 in work, 3 put back, oldest 15 min")
    assert queues(many, {"OrdersQueueUrl": 901.0})["orders to take in"].state is State.ATTENTION
    assert queues(many, {})["orders to take in"].said.endswith("oldest 0 s")
    assert queues(many)["orders to take in"].said.endswith("age not known here")


# Shops, back offices, runs, money


def test_a_shop_is_silent_or_not_looked_at_or_well() -> None:
    watch = Watch(shop="aurora", listed_until=NOW - QUARTER, last_order_at=NOW - timedelta(hours=3))
    assert shop_line("aurora", None, NOW, clock_runs=True).state is State.OK
    well = shop_line("aurora", watch, NOW, clock_runs=True)
    assert (well.state, well.said) == (State.OK, "last order 3 h ago, looked at 15 min ago")
    silent = watch.model_copy(update={"silent_since": watch.last_order_at})
    told = shop_line("aurora", silent, NOW, clock_runs=False)
    assert (told.state, told.next) == (State.ATTENTION, "storebridge doctor --shop aurora")
    assert shop_line("aurora", watch, NOW + 3 * QUARTER, clock_runs=True).state is State.ATTENTION
    assert shop_line("aurora", watch, NOW + 3 * QUARTER, clock_runs=False).state is State.OK


def test_a_back_office_that_does_not_answer_leaves_its_look_unfinished() -> None:
    pause = timedelta(minutes=5)
    done = Job(name="backoffice_look/erp", started_at=NOW, finished_at=NOW)
    assert office_line("erp", None, pause, NOW, clock_runs=True).said == "not asked yet"
    assert office_line("erp", done, pause, NOW + 3 * pause, clock_runs=True).state is State.OK
    hanging = done.model_copy(update={"finished_at": None})
    late = office_line("erp", hanging, pause, NOW + 4 * pause, clock_runs=True)
    assert (late.state, late.said) == (State.ATTENTION, "has not answered since 2026-11-24T12:00:00Z")
    assert office_line("erp", hanging, pause, NOW + 4 * pause, clock_runs=False).state is State.OK


def test_a_run_is_late_after_three_of_its_own_pauses() -> None:
    job = Job(name="stock_sync/aurora", started_at=NOW, finished_at=NOW)

    def state(after: timedelta, *, known: Job | None = job) -> State:
        return judged_run("stock_sync/aurora", known, QUARTER, NOW + after, clock_runs=True).state

    assert state(timedelta(), known=None) is State.OK
    assert state(3 * QUARTER) is State.OK
    assert state(3 * QUARTER + timedelta(seconds=1)) is State.ATTENTION
    begun = job.model_copy(update={"finished_at": None, "step": 4})
    assert judged_run("n", begun, QUARTER, NOW + QUARTER, clock_runs=True).said == "begun 15 min ago, at step 4"


def test_more_than_three_open_days_need_attention() -> None:
    assert day_line(date(2026, 11, 20), 3).state is State.OK
    told = day_line(date(2026, 11, 20), 4)
    assert (told.state, told.said) == (State.ATTENTION, "closed up to 2026-11-20, 4 days open")
    assert day_line(None, 1).said == "none closed yet, 1 day open"


def test_a_feed_that_stopped_needs_attention() -> None:
    progress = FeedProgress(account="stripe-eu", read_until=NOW)
    assert feed_line("stripe-eu", None, api_access=False).said == "not read yet, by files"
    assert feed_line("stripe-eu", progress, api_access=True).state is State.OK
    assert feed_line("stripe-eu", progress.stopped("unauthorised", NOW), api_access=True).state is State.ATTENTION


# What AWS measured


@pytest.fixture
def aws_here(run: Run) -> Iterator[None]:
    """AWS as moto plays it."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-west-1"}
    with mock_aws():
        yield


def client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def test_everything_is_asked_in_one_question_that_cloudwatch_understands(aws_here: None) -> None:
    """botocore holds the question against the service's own model."""
    cloudwatch = client("cloudwatch")
    values = {
        "ApproximateAgeOfOldestMessage": [40.0, 5.0],
        "IteratorAge": [61_000.0, 0.0],
        "Errors": [0.0, 2.0],
        "WebhookAccepted": [3.0],
        "WebhookRefused": [1.0, 1.0],
    }
    asked: list[Any] = []

    def remember(params: Mapping[str, Any], **_: Any) -> None:
        asked.append(params)

    cloudwatch.meta.events.register("provide-client-params.cloudwatch.GetMetricData", remember)
    order = ["ApproximateAgeOfOldestMessage"] + ["IteratorAge"] * len(RELAYS) + ["Errors"] * 2
    order += ["WebhookAccepted"] * len(WEBHOOKS) + ["WebhookRefused"] * len(WEBHOOKS)
    results = [{"Id": f"q{n}", "Label": name, "Values": values[name]} for n, name in enumerate(order)]
    del results[2]  # a relay that nothing came by has no figure
    with Stubber(cloudwatch) as stub:
        stub.add_response("get_metric_data", {"MetricDataResults": results})
        found = measure("mine", ["mine-orders"], ["mine-notify", "mine-order-intake"], cloudwatch, NOW)
    assert found.oldest == {"mine-orders": 40.0}
    assert found.lags == {name: 61.0 for name in RELAYS if name != RELAYS[1]}
    assert found.errors == {"mine-notify": 2, "mine-order-intake": 2}
    assert (found.accepted, found.refused) == (9, 6)
    (question,) = asked
    names = [one["MetricStat"]["Metric"]["MetricName"] for one in question["MetricDataQueries"]]
    assert names == order
    assert question["EndTime"] - question["StartTime"] == timedelta(hours=1)


def test_what_was_measured_is_judged() -> None:
    quiet = list(measured_lines(Measured({}, {}, {}, 0, 0)))
    assert {told.state for told in quiet} == {State.OK}
    loud = Measured({}, {"order-relay": PATIENCE_OF_RELAYS + 1.0}, {"mine-notify": 1}, 5, MANY_REFUSED + 1)
    wrong = {told.subject: told.said for told in measured_lines(loud) if told.state is State.ATTENTION}
    assert wrong == {
        "order relay": "newest changes 10 min old",
        "mine-notify": "1 error in the last hour",
        "deliveries": "5 accepted, 51 refused in the last hour",
    }


def alarm(name: str, description: str) -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        AlarmDescription=description,
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )


def test_an_alarm_that_rings_is_told_with_its_runbook(aws_here: None) -> None:
    names = ["mine-orders-set-aside", "mine-runs-failed"]
    for name in (*names, "mine-too-orders-set-aside"):
        alarm(name, "Orders could not be taken in. infra/runbooks/orders-set-aside.md")
    cloudwatch = client("cloudwatch")
    assert [told.said for told in alarm_lines("mine", names, cloudwatch)] == ["none of 2 rings"]
    for name in (names[0], "mine-too-orders-set-aside"):  # another stack's alarm is no business of ours
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert list(alarm_lines("mine", names, cloudwatch)) == [
        Line(
            "alarms",
            "orders-set-aside",
            State.ATTENTION,
            "Orders could not be taken in.",
            "infra/runbooks/orders-set-aside.md",
        )
    ]
    assert [told.state for told in alarm_lines("mine", [], cloudwatch)] == [State.TODO]


def test_the_stacks_own_alarms_and_functions_are_found(aws_here: None) -> None:
    cloudformation = client("cloudformation")
    kinds = {"mine-b": "AWS::Lambda::Function", "mine-x": "AWS::CloudWatch::Alarm", "mine-a": "AWS::Lambda::Function"}
    summaries = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": name,
            "ResourceType": kind,
            "LastUpdatedTimestamp": NOW,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name, kind in {**kinds, "mine-orders": "AWS::SQS::Queue"}.items()
    ]
    with Stubber(cloudformation) as stub:
        stub.add_response("list_stack_resources", {"StackResourceSummaries": summaries[:2], "NextToken": "more"})
        stub.add_response("list_stack_resources", {"StackResourceSummaries": summaries[2:]})
        found = parts_of("mine", cloudformation)
    assert (found.functions, found.alarms) == (("mine-a", "mine-b"), ("mine-x",))


def test_versions_are_told_of_functions_that_have_some(aws_here: None) -> None:
    lambdas = client("lambda")
    with Stubber(lambdas) as stub:
        weights = {"AdditionalVersionWeights": {"8": 0.1}}
        stub.add_response("get_alias", {"Name": "live", "FunctionVersion": "7", "RoutingConfig": weights})
        stub.add_client_error("get_alias", "ResourceNotFoundException")
        stub.add_response("get_alias", {"Name": "live", "FunctionVersion": "8"})
        told = list(version_lines(["mine-a", "mine-b", "mine-c"], lambdas))
    assert [(one.subject, one.said) for one in told] == [
        ("mine-a", "version 7, version 8 takes 10%"),
        ("mine-c", "version 8"),
    ]


# The command


def test_without_a_deployment_it_cannot_tell(run: Run) -> None:
    refused = run("status", "--local", "http://127.0.0.1:1", "--json")
    assert refused.exit_code == CANNOT_TELL
    assert json.loads(refused.stderr)["error"] == "no_local_stack"


def test_what_cannot_be_asked_is_a_line_and_stops_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_reach(_now: datetime) -> list[Line]:
        raise Retry("table_unreachable", "the table does not answer", hint="try again")

    readers = {"shops": out_of_reach, "tasks": lambda _now: [Line("tasks", "tasks", State.OK, "none")]}
    monkeypatch.setattr("infra.cli.status_business.readers", lambda **_: readers)
    monkeypatch.setattr(status, "_queues_and_measures", lambda _target, _now: iter(()))
    lines = status.look(Target("here", "http://l", {}, local=True), NOW)
    assert [(one.stage, one.state) for one in lines] == [("shops", State.UNKNOWN), ("tasks", State.OK)]
    assert lines[0].next == "try again"
    assert exit_code(lines) == CANNOT_TELL
