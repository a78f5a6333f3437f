"""What watches the deployment is whole and true: alarms, dashboards, runbooks, and how a new version takes over."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
from samtranslator.yaml_helper import yaml_parse
from typer._click.exceptions import UsageError
from typer.main import get_command

from infra.cli.main import app
from infra.cli.status_business import MOST_DAYS_OPEN
from infra.cli.status_cloud import ALIAS, PATIENCE_OF_RELAYS, RELAYS
from infra.cli.status_queues import SET_ASIDE, WORKING
from infra.local.intrinsics import Resolver
from infra.local.template import Deployment, function_of, load_deployment, load_resolver
from shared.inventory.low_stock import AlertKind
from shared.orders.errands import Office
from shared.orders.intake import Result
from tests.architecture.metrics import Emitted, emitted
from tests.architecture.test_template import TEMPLATE, of_type, resources_of

ROOT = TEMPLATE.parent
RUNBOOKS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "infra/runbooks").glob("*.md")}
EVERYTHING = {"AlarmEmail": "ops@example.com", "AlarmScope": "all"}
ESSENTIAL = {"AlarmEmail": "ops@example.com"}
OURS = "Storebridge/storebridge"
DEPLOYMENT: Deployment = load_deployment(TEMPLATE)
Metric = tuple[str, str, dict[str, str]]
"""Namespace, name, dimensions."""


@cache
def resolver(*parameters: tuple[str, str]) -> Resolver:
    return load_resolver(TEMPLATE, dict(parameters))


def alarms(parameters: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By their names without the stack's."""
    found = resources_of(resolver(*parameters.items()))
    return {
        resource["Properties"]["AlarmName"].removeprefix("storebridge-"): resource["Properties"]
        for resource in found.values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def metrics_of(alarm: dict[str, Any]) -> list[Metric]:
    if "MetricName" in alarm:
        return [_metric(alarm)]
    return [_metric(part["MetricStat"]["Metric"]) for part in alarm["Metrics"] if "MetricStat" in part]


def _metric(given: dict[str, Any]) -> Metric:
    dimensions = {pair["Name"]: str(pair["Value"]) for pair in given.get("Dimensions", [])}
    return given["Namespace"], given["MetricName"], dimensions


def dashboards() -> dict[str, list[dict[str, Any]]]:
    """The widgets by the dashboard's name."""
    found = of_type(resources_of(resolver()), "AWS::CloudWatch::Dashboard")
    return {board["DashboardName"]: json.loads(board["DashboardBody"])["widgets"] for board in found.values()}


def graphed() -> list[Metric]:
    return [metric for widgets in dashboards().values() for widget in widgets for metric in _rows(widget)]


def _rows(widget: dict[str, Any]) -> Iterator[Metric]:
    for row in widget["properties"].get("metrics", []):
        words = [word for word in row if isinstance(word, str)]
        yield words[0], words[1], dict(zip(words[2::2], words[3::2], strict=True))


# Alarms and what they cost


def test_nobody_is_watched_who_gave_no_address() -> None:
    assert alarms({}) == {}


def test_the_parameters_say_what_alarms_cost() -> None:
    """$0.10 a month for each metric that an alarm looks at (CloudWatch's list price; those in an expression too)."""

    def number(parameters: dict[str, str]) -> int:
        return sum(len(metrics_of(alarm)) for name, alarm in alarms(parameters).items() if name != "new-version-fails")

    essential, everything = number(ESSENTIAL), number(EVERYTHING)
    said = resolver().template["Parameters"]["AlarmScope"]["Description"]
    assert essential == 10
    assert f"ten alarms, ${essential / 10:.2f} a month" in said
    assert f"{everything} alarms, ${everything / 10:.2f} a month" in said
    own = len(metrics_of(alarms(ESSENTIAL)["new-version-fails"]))
    assert f"${own / 10:.2f} a month" in resolver().template["Parameters"]["DeploymentType"]["Description"]


def test_alarms_reach_somebody_and_say_when_it_is_over() -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:pager"
    for parameters, reached in ((EVERYTHING, "storebridge-alarms"), ({**EVERYTHING, "AlarmTopicArn": topic}, "pager")):
        for name, alarm in alarms(parameters).items():
            (action,) = alarm["AlarmActions"]
            assert action.endswith(f":{reached}"), name
            assert alarm["OKActions"] == alarm["AlarmActions"], name


def test_every_queue_and_every_stream_has_its_alarm() -> None:
    found = alarms(EVERYTHING)
    depth = {_of_queue(alarm): alarm for alarm in found.values() if _is(alarm, "ApproximateNumberOfMessagesVisible")}
    age = {_of_queue(alarm): alarm for alarm in found.values() if _is(alarm, "ApproximateAgeOfOldestMessage")}
    lag = {m["Dimensions"][0]["Value"]: m for m in found.values() if _is(m, "IteratorAge")}
    working = {source.queue for source in DEPLOYMENT.queue_sources}
    assert age.keys() == working
    assert depth.keys() == {queue.name for queue in DEPLOYMENT.queues} - working
    assert lag.keys() == {source.function for source in DEPLOYMENT.stream_sources}
    for alarm in depth.values():  # CloudWatch measures a queue for some hours only after something happened in it
        assert (alarm["Threshold"], alarm["TreatMissingData"]) == (0, "ignore")


def _is(alarm: dict[str, Any], metric: str) -> bool:
    return alarm.get("MetricName") == metric


def _of_queue(alarm: dict[str, Any]) -> str:
    return str(alarm["Dimensions"][0]["Value"])


def test_the_command_line_judges_by_the_alarms_own_thresholds() -> None:
    found = alarms(EVERYTHING)
    ages = {_of_queue(one): one["Threshold"] for one in found.values() if _is(one, "ApproximateAgeOfOldestMessage")}
    assert ages == {DEPLOYMENT.outputs[name].rpartition("/")[2]: queue.patience for name, queue in WORKING.items()}
    lags = {one["Threshold"] for one in found.values() if _is(one, "IteratorAge")}
    assert lags == {PATIENCE_OF_RELAYS * 1000}
    assert found["day-not-closed"]["Threshold"] == MOST_DAYS_OPEN
    assert {source.function.removeprefix("storebridge-") for source in DEPLOYMENT.stream_sources} == set(RELAYS)


@pytest.mark.parametrize("name", sorted(alarms(EVERYTHING)))
def test_an_alarm_can_be_evaluated(name: str) -> None:
    """At most a day is looked back on, or a week where a period is an hour or longer (CloudWatch's documentation)."""
    alarm = alarms(EVERYTHING)[name]
    period = alarm.get("Period", 60)
    assert period % 60 == 0
    assert period * alarm["EvaluationPeriods"] <= (7 if period >= 3600 else 1) * 86_400
    assert alarm.get("DatapointsToAlarm", 1) <= alarm["EvaluationPeriods"]


# What is emitted


@cache
def emitters() -> dict[str, frozenset[Emitted]]:
    """By service: what the modules that its handler imports, however far down, count."""
    graph = grimp.build_graph("functions", "shared", cache_dir=None)
    found = {}
    for function in DEPLOYMENT.functions.values():
        handler = function.handler.rpartition(".")[0]
        reached = graph.find_upstream_modules(handler)
        service = function.environment["POWERTOOLS_SERVICE_NAME"]
        found[service] = frozenset(one for one in emitted() if one.module in reached)
    return found


VALUES: dict[str, set[str]] = {"result": {*Result}, "kind": {*AlertKind}, "office": {*Office}}
"""What a dimension may hold, of those that dashboards show."""


@pytest.mark.parametrize(
    "metric", [*graphed(), *(metric for alarm in alarms(EVERYTHING).values() for metric in metrics_of(alarm))], ids=str
)
def test_what_is_shown_or_watched_is_emitted_by_code_or_by_aws_of_a_resource_of_ours(metric: Metric) -> None:
    namespace, name, dimensions = metric
    if namespace != OURS:
        assert (name, tuple(dimensions)) in FROM_AWS[namespace]
        for dimension, value in dimensions.items():
            assert value in known()[dimension], metric
        return
    others = {key: value for key, value in dimensions.items() if key != "service"}
    places = {one.dimensions for one in emitters()[dimensions["service"]] if one.name == name}
    assert frozenset(others) in places, metric
    for key, value in others.items():
        assert value in VALUES[key]


FROM_AWS: dict[str, set[tuple[str, tuple[str, ...]]]] = {
    "AWS/SQS": {
        ("ApproximateNumberOfMessagesVisible", ("QueueName",)),
        ("ApproximateAgeOfOldestMessage", ("QueueName",)),
    },
    "AWS/Lambda": {
        *((name, ("FunctionName",)) for name in ("Duration", "Invocations", "IteratorAge")),
        ("Errors", ("FunctionName", "Resource", "ExecutedVersion")),
        ("Errors", ()),
        ("Throttles", ()),
    },
    "AWS/ApiGateway": {("4xx", ("ApiId",)), ("5xx", ("ApiId",))},
}
"""Metrics as AWS documents them (Monitoring SQS queues; Lambda function metrics; HTTP API metrics)."""


@cache
def known() -> dict[str, set[str]]:
    functions = set(DEPLOYMENT.functions)
    apis = [name for name, one in resolver().template["Resources"].items() if one["Type"] == "AWS::ApiGatewayV2::Api"]
    return {
        "QueueName": {queue.name for queue in DEPLOYMENT.queues},
        "FunctionName": functions,
        "Resource": {f"{name}:{ALIAS}" for name in functions},
        "ExecutedVersion": {"1"},
        "ApiId": {resolver().name_of(name) for name in apis},
    }


def test_metrics_are_found_in_the_code_however_they_are_named() -> None:
    """By a constant, a loop, a parameter, a word in a text: what the tests above lean on."""
    names = {one.name for one in emitted()}
    assert {"ShopSilent", "DiscrepanciesBlocking", "OrdersMissed", "DeliverySetAside", "WebhookRefused"} <= names
    assert Emitted("ErrandGivenUp", frozenset({"office"}), "shared.wiring.errands") in emitted()
    assert not {one.name for one in emitters()["order-tracking"]} & {"ShopSilent", "DaysOpen"}


# Dashboards


def test_dashboards_stay_within_what_three_hold_for_nothing() -> None:
    assert len(dashboards()) <= 3
    for name, widgets in dashboards().items():
        assert sum(len(list(_rows(widget))) for widget in widgets) <= 50, name


def test_no_dashboards_are_made_where_they_are_not_wanted() -> None:
    kinds = {one["Type"] for one in resources_of(resolver(("Dashboards", "no"))).values()}
    assert "AWS::CloudWatch::Dashboard" not in kinds


def test_every_queue_and_every_function_is_on_a_dashboard() -> None:
    shown = {value for _, _, dimensions in graphed() for value in dimensions.values()}
    assert {queue.name for queue in DEPLOYMENT.queues} <= shown
    durations = [(dimensions["FunctionName"]) for _, name, dimensions in graphed() if name == "Duration"]
    assert sorted(durations) == sorted([*DEPLOYMENT.functions, *DEPLOYMENT.functions])  # p50 and p99


def test_widgets_lie_on_the_grid_and_not_on_each_other() -> None:
    for name, widgets in dashboards().items():
        cells = [
            (column, row)
            for one in widgets
            for column in range(one["x"], one["x"] + one["width"])
            for row in range(one["y"], one["y"] + one["height"])
        ]
        assert len(set(cells)) == len(cells), name
        assert all(column < 24 for column, _ in cells), name


def test_dashboards_lead_to_every_runbook() -> None:
    widgets = [one for widgets in dashboards().values() for one in widgets if one["type"] == "text"]
    texts = [one["properties"]["markdown"] for one in widgets]
    led_to = set(re.findall(r"\(infra/runbooks/([a-z-]+)\.md\)", " ".join(texts)))
    assert led_to <= RUNBOOKS.keys()
    assert RUNBOOKS.keys() - led_to == set()


# Runbooks

PARTS = ("What it means", "Look first", "Likely causes", "Mend it", "It is over when", "What not to do")


def test_each_alarm_has_its_runbook_and_each_runbook_its_alarms() -> None:
    named: dict[str, list[str]] = {}
    for name, alarm in alarms(EVERYTHING).items():
        found = re.search(r" infra/runbooks/([a-z-]+)\.md$", alarm["AlarmDescription"])
        assert found, name
        named.setdefault(found[1], []).append(name)
    assert named.keys() == RUNBOOKS.keys()
    for runbook, text in RUNBOOKS.items():
        (line,) = re.findall(r"^Alarms: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
        assert re.findall("`([a-z-]+)`", line) == sorted(named[runbook]), runbook


def test_a_runbook_lies_where_the_operator_says() -> None:
    where = {**ESSENTIAL, "RunbookBaseUrl": "https://wiki.example/runbooks"}
    description = alarms(where)["orders-set-aside"]["AlarmDescription"]
    assert description.endswith(" https://wiki.example/runbooks/orders-set-aside.md")


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_a_runbook_has_all_its_parts(name: str) -> None:
    text = RUNBOOKS[name]
    assert [line for line in text.splitlines() if line.startswith("## ")] == [f"## {part}" for part in PARTS]
    assert all(len(line) <= 120 for line in text.splitlines())
    (look,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert all(line.startswith("storebridge ") for line in look.splitlines())
    bodies = re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]
    assert all(body.strip() for body in bodies)


def commands_in(text: str) -> list[str]:
    blocks = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    return [line for line in (*blocks, *inline) if line.startswith("storebridge ")]


NAMED = sorted(
    {
        *(command for text in RUNBOOKS.values() for command in commands_in(text)),
        *(dead.next for dead in SET_ASIDE.values() if dead.next.startswith("storebridge ")),
        *(
            " ".join(words.replace("{name}", "aurora").split())
            for path in (ROOT / "infra/cli").glob("status*.py")
            for words in re.findall(r'"(storebridge [^"]+)"', path.read_text(encoding="utf-8"))
        ),
    }
)


@pytest.mark.parametrize("command", NAMED)
def test_a_command_that_somebody_is_told_to_type_exists(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typer's own parser takes it: groups, commands, arguments and options. Nothing is run."""
    monkeypatch.chdir(tmp_path)
    for name in ("settings.toml", "settlement.csv"):
        (tmp_path / name).touch()
    _parse(get_command(app), shlex.split(command)[1:])


def _parse(command: Any, words: list[str], parent: Any = None) -> None:
    context = command.make_context(command.name or "storebridge", list(words), parent=parent)
    if hasattr(command, "resolve_command"):
        left = [*context._protected_args, *context.args]
        _, below, rest = command.resolve_command(context, left)
        _parse(below, rest, context)


@pytest.mark.parametrize("words", ["events liszt", "desk list --pasing", "orders show"])
def test_a_command_that_does_not_exist_would_be_found(words: str) -> None:
    with pytest.raises(UsageError, match=r"(?i)no such|missing"):
        _parse(get_command(app), shlex.split(words))


# A new version takes a tenth first


def canaries(parameters: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The deployment groups, by the function's name."""
    found = resources_of(resolver(*parameters.items()))
    return {
        resolver(*parameters.items()).name_of(name.removesuffix("DeploymentGroup")): resource["Properties"]
        for name, resource in found.items()
        if resource["Type"] == "AWS::CodeDeploy::DeploymentGroup"
    }


CANARIES = {
    f"storebridge-{name}"
    for name in (
        "order-webhook",
        "registration-webhook",
        "payment-webhook",
        "order-intake",
        "customer-intake",
        "payment-intake",
    )
}


def test_a_new_version_of_webhooks_and_intakes_takes_a_tenth_first() -> None:
    found = canaries(ESSENTIAL)
    assert found.keys() == CANARIES
    for group in found.values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert group["AlarmConfiguration"]["Alarms"] == [{"Name": "storebridge-new-version-fails"}]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]


@pytest.mark.parametrize("parameters", [{}, {**ESSENTIAL, "DeploymentType": "AllAtOnce"}])
def test_without_somebody_who_watches_it_takes_over_at_once(parameters: dict[str, str]) -> None:
    assert "new-version-fails" not in alarms(parameters)
    for group in canaries(parameters).values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
        assert group["AlarmConfiguration"] == {}


def test_the_alarm_that_takes_it_back_looks_at_the_new_version_of_each() -> None:
    watched = metrics_of(alarms(ESSENTIAL)["new-version-fails"])
    assert {dimensions["FunctionName"] for _, _, dimensions in watched} == CANARIES
    for _, _, dimensions in watched:
        assert dimensions["Resource"] == f"{dimensions['FunctionName']}:{ALIAS}"
        assert set(dimensions) == {"FunctionName", "Resource", "ExecutedVersion"}


def test_whatever_wakes_such_a_function_wakes_the_alias() -> None:
    resources = resources_of(resolver())
    sources = [one["FunctionName"] for one in of_type(resources, "AWS::Lambda::EventSourceMapping").values()]
    permitted = [one["FunctionName"] for one in of_type(resources, "AWS::Lambda::Permission").values()]
    (api,) = of_type(resources, "AWS::ApiGatewayV2::Api").values()
    routed = [
        operation["x-amazon-apigateway-integration"]["uri"]
        for methods in api["Body"]["paths"].values()
        for operation in methods.values()
    ]
    for reference in (*sources, *permitted, *routed):
        assert (f":{ALIAS}" in reference) == (function_of(reference) in CANARIES), reference


def test_every_change_of_a_function_is_a_new_version() -> None:
    """Without this SAM publishes one only when the code changes, and new memory or settings never go live."""
    source = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    functions = [one.get("Properties", {}) for one in source["Resources"].values()]
    published = [one for one in functions if "AutoPublishAlias" in one]
    assert len(published) == len(CANARIES)
    assert all(one["AutoPublishAliasAllProperties"] is True and one["AutoPublishAlias"] == ALIAS for one in published)


def test_codedeploy_may_shift_these_functions_and_nothing_else() -> None:
    role = resources_of(resolver())["DeploymentRole"]["Properties"]
    shift, see = role["Policies"][0]["PolicyDocument"]["Statement"]
    head = "arn:aws:lambda:eu-west-1:123456789012:function:"
    assert set(shift["Resource"]) == {f"{head}{name}{end}" for name in CANARIES for end in ("", f":{ALIAS}")}
    assert see["Resource"] == "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:storebridge-new-version-fails"
