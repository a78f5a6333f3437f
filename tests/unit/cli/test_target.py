"""Finding a deployment, and making this process look like one of its functions."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from moto import mock_aws

from infra.cli.target import Target, actor, choose, stack_target, variables_of
from infra.local.stack import ROOT
from infra.local.template import load_deployment
from shared.kernel.errors import Rejected
from tests.unit.cli.conftest import Run

DEPLOYMENT = load_deployment(ROOT / "template.yaml")


def test_every_variable_of_the_functions_comes_from_an_output_with_the_same_value() -> None:
    known = variables_of(DEPLOYMENT.outputs)
    not_ours = {"LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME", "DEAD_LETTER_QUEUE_URL"}
    not_ours |= {"WEBHOOK_BASE_URL", "PUBLIC_URL"}  # for the shops, for buyers
    for function in DEPLOYMENT.functions.values():
        wanted = {name: value for name, value in function.environment.items() if name not in not_ours}
        assert wanted.items() <= known.items(), function.name


def test_a_stack_without_an_output_is_of_another_version() -> None:
    outputs = {name: value for name, value in DEPLOYMENT.outputs.items() if name != "StockTableName"}
    with pytest.raises(Rejected, match="StockTableName") as refused:
        variables_of(outputs)
    assert refused.value.code == "incomplete_stack"


@pytest.mark.parametrize(
    ("asked", "environment", "chosen"),
    [
        ((None, None), {}, (None, None)),
        (("mine", None), {"STOREBRIDGE_LOCAL": "http://l"}, ("mine", None)),
        ((None, "http://l"), {"STOREBRIDGE_STACK": "mine"}, (None, "http://l")),
        ((None, None), {"STOREBRIDGE_LOCAL": "http://l"}, (None, "http://l")),
        ((None, None), {"STOREBRIDGE_STACK": "mine"}, ("mine", None)),
    ],
)
def test_the_command_line_goes_before_the_environment(
    asked: tuple[str | None, str | None], environment: dict[str, str], chosen: tuple[str | None, str | None]
) -> None:
    assert choose(*asked, environment) == chosen


def test_two_places_at_once_are_refused() -> None:
    with pytest.raises(typer.BadParameter):
        choose("mine", "http://l", {})


def test_contradicting_variables_are_refused() -> None:
    with pytest.raises(typer.BadParameter):
        choose(None, None, {"STOREBRIDGE_STACK": "mine", "STOREBRIDGE_LOCAL": "http://l"})


LEADING_ELSEWHERE = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "t",
    "AWS_ENDPOINT_URL_SQS": "https://elsewhere",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "STOREBRIDGE_SETTINGS": "other.toml",
    "PATH": "/bin",
}


def test_a_local_command_cannot_be_led_into_the_cloud() -> None:
    environment = dict(LEADING_ELSEWHERE)
    Target("here", "http://l", {"AWS_ENDPOINT_URL": "http://l:1"}, local=True).enter(environment)
    assert environment == {"PATH": "/bin", "AWS_ENDPOINT_URL": "http://l:1"}


def test_a_command_on_aws_keeps_the_operators_own_access_but_not_his_settings_file() -> None:
    environment = dict(LEADING_ELSEWHERE)
    Target("there", "https://x", {"ORDERS_TABLE": "o"}).enter(environment)
    assert environment["AWS_PROFILE"] == "production"
    assert environment["ORDERS_TABLE"] == "o"
    assert "STOREBRIDGE_SETTINGS" not in environment


def test_the_endpoint_of_a_shop() -> None:
    assert Target("t", "https://x", {}).endpoint_of("aurora") == "https://x/webhooks/aurora/orders"


def test_who_answers_for_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOREBRIDGE_ACTOR", raising=False)
    monkeypatch.setenv("LOGNAME", "noa")
    assert actor(None) == "noa"
    monkeypatch.setenv("STOREBRIDGE_ACTOR", "mia")
    assert actor(None) == "mia"
    assert actor("eli") == "eli"


@pytest.fixture
def cloud(run: Run) -> Iterator[Any]:
    """AWS's CloudFormation as moto plays it."""
    import boto3  # noqa: PLC0415 - only after moto's own patches

    os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-west-1"}
    with mock_aws():
        yield boto3.client("cloudformation")  # type: ignore[call-overload,unused-ignore] # its stubs are not ours


def test_a_stack_in_aws_is_found_by_its_outputs(cloud: Any) -> None:
    outputs = {name: {"Value": value} for name, value in DEPLOYMENT.outputs.items()}
    resources = {"Queue": {"Type": "AWS::SQS::Queue"}}
    import json  # noqa: PLC0415

    cloud.create_stack(StackName="mine", TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs}))
    found = stack_target("mine")
    assert found.variables.items() >= variables_of(DEPLOYMENT.outputs).items()
    assert found.variables["AWS_REGION"] == "eu-west-1"
    assert (found.webhook_base_url, found.local) == (DEPLOYMENT.outputs["WebhookBaseUrl"], False)


@pytest.mark.usefixtures("cloud")
def test_a_stack_that_is_not_there() -> None:
    with pytest.raises(Rejected) as refused:
        stack_target("nowhere")
    assert refused.value.code == "unknown_stack"
    assert "--local" in (refused.value.hint or "")
