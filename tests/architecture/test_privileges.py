"""Each function may do what its code can reach, and nothing more; it is told what it reads, and nothing more.

What the code reaches is derived from the code (`reach.py`, `aws_calls.py`); what Lambda does in the function's name
(logs, traces, its event sources, where its failures go) from the template. Both together must equal the role.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import pytest
from mypy import nodes

from infra.local.intrinsics import ACCOUNT, REGION, Resolver
from infra.local.template import load_resolver
from tests.architecture.aws_calls import (
    AWS_SERVICE,
    RAW_OPERATION,
    TABLE,
    TABLE_ACTIONS,
    TABLE_CARRIERS,
    Calls,
    Need,
    asks_aws,
    client_service,
    made_client,
)
from tests.architecture.reach import ROOT, Code, Reached

DATA_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0b1f"
PERSONAL_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/9c2e"
IDENTITY = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/shop.example"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:notices"
PARAMETERS = {
    "DataKeyArn": DATA_KEY,
    "PersonalDataKeyArn": PERSONAL_KEY,
    "EmailIdentityArn": IDENTITY,
    "NoticeTopicArn": TOPIC,
}

CONNECTION = "pynamodb.connection.base.Connection"
OF_DATA_KEY = frozenset(
    {
        "API_SECRET_ID", "ARCHIVE_BUCKET", "FINANCE_TABLE", "MOVEMENTS_TABLE", "ORDERS_TABLE", "PRIVACY_SECRET_ID",
        "REPORTS_BUCKET", "STOCK_TABLE", "SYNC_TABLE", "WEBHOOK_SECRET_ID",
    }
)  # fmt: skip
"""What the merchant's own key encrypts."""

Grant = tuple[str, str]
"""An action and the ARN that it may be done to."""

OF_THE_RUNTIME = frozenset(
    {"AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
)  # fmt: skip
"""Variables that Lambda itself sets."""
OF_DEVELOPERS = frozenset(
    {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_*", "STOREBRIDGE_LOCAL_STOREFRONTS", "STOREBRIDGE_SETTINGS"}
)
"""Variables that only the local stack and tests set."""
OF_POWERTOOLS = frozenset({"LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"})
"""Variables that Powertools reads, in every function that logs."""

NOT_DONE = {
    ("backoffice_push", "dynamodb:PutItem", "ORDERS_TABLE"): "it notes dispatches of orders that are there",
    ("customer_relay", "dynamodb:PutItem", "ORDERS_TABLE"): "it looks again at orders that are there",
    ("order_review", "dynamodb:PutItem", "ORDERS_TABLE"): "it looks again at orders that are there",
    ("customer_verification", "dynamodb:DeleteItem", "CUSTOMERS_TABLE"): "a proof changes neither profile nor marks",
    ("order_intake", "sqs:SendMessage", "ORDERS_QUEUE_URL"): "what is passed on goes to the hot queue alone",
}
"""What the derivation takes for possible because it knows no values, and what speaks against it. These are not granted:
where somebody writes code that does them after all, a run in the cloud fails with `AccessDenied`."""

_ARN_OF = {
    "_TABLE": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}",
    "_URL": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    "_SECRET_ID": "{}",
    "_BUCKET": "arn:aws:s3:::{}",
    "_BUS_NAME": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{{}}",
    "_PARAMETER": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{{}}",
}


@dataclass(frozen=True)
class Deployed:
    """The template, its parameters given."""

    resources: Mapping[str, Mapping[str, Any]]

    def of_type(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, resource in self.resources.items():
            if resource["Type"] == kind:
                yield name, resource["Properties"]

    def function(self, name: str) -> Mapping[str, Any]:
        handler = f"functions.{name}.handler.lambda_handler"
        return next(found for _, found in self.of_type("AWS::Lambda::Function") if found["Handler"] == handler)

    def granted(self, name: str) -> set[Grant]:
        role = self.function(name)["Role"].rpartition("storebridge-")[2]
        properties = next(found for logical, found in self.of_type("AWS::IAM::Role") if logical.lower() == role)
        documents = [policy["PolicyDocument"] for policy in properties["Policies"]]
        attached = set(properties.get("ManagedPolicyArns") or ())
        documents += [
            found["PolicyDocument"]
            for logical, found in self.of_type("AWS::IAM::ManagedPolicy")
            if f"arn:aws:iam::{ACCOUNT}:policy/storebridge-{logical.lower()}" in attached
        ]
        return {
            (action, arn)
            for document in documents
            for statement in document["Statement"]
            for action in _listed(statement["Action"])
            for arn in _listed(statement["Resource"])
        }

    def of_lambda(self, name: str) -> set[Grant]:
        """What Lambda does with the function's role."""
        function = self.function(name)
        group = next(
            logical
            for logical, found in self.of_type("AWS::Logs::LogGroup")
            if found["LogGroupName"] == function["LoggingConfig"]["LogGroup"]
        )
        log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.resources[group]['Properties']['LogGroupName']}:*"
        found = {(f"logs:{action}", log) for action in ("CreateLogStream", "PutLogEvents")}
        found |= {(f"xray:{action}", "*") for action in ("PutTraceSegments", "PutTelemetryRecords")}
        for kind in ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig"):
            for _, properties in self.of_type(kind):
                # The name alone, or the ARN of the version that serves.
                if function["FunctionName"] in properties["FunctionName"].split(":"):
                    found.update(_of_source(properties))
        return found


def _of_source(properties: Mapping[str, Any]) -> Iterator[Grant]:
    """Reading an event source, and sending on what failed. (AWS Lambda Developer Guide, "execution role".)"""
    source = properties.get("EventSourceArn", "")
    actions = {
        "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
        "dynamodb": ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
        "": (),
    }
    service = source.split(":")[2] if source else ""
    yield from ((f"{service}:{action}", source) for action in actions[service])
    target = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if target:
        yield "sqs:SendMessage", target


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _arn(need: Need, function: Mapping[str, Any]) -> str:
    outside = {
        "itself": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function['FunctionName']}",
        "parameter EmailIdentityArn": IDENTITY,
        "parameter NoticeTopicArn": TOPIC,
    }
    if need.where in outside:
        return outside[need.where]
    value = function["Environment"]["Variables"][need.where]
    suffix = next(suffix for suffix in _ARN_OF if need.where.endswith(suffix))
    arn = _ARN_OF[suffix].format(value.rpartition("/")[2] if suffix == "_URL" else value)
    if suffix == "_TABLE":
        return f"{arn}/index/{need.part}" if need.part else arn
    return f"{arn}/{need.part}*" if need.part else arn


FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


@pytest.fixture(scope="module")
def code() -> Code:
    return Code()


@pytest.fixture(scope="module")
def deployed() -> Deployed:
    resolver: Resolver = load_resolver(ROOT / "template.yaml", PARAMETERS)
    return Deployed(
        {
            name: {"Type": resource["Type"], "Properties": resolver.resolve(resource.get("Properties", {}))}
            for name, resource in resolver.template["Resources"].items()
            if resolver.exists(resource)
        }
    )


@pytest.fixture(scope="module", params=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def calls(code: Code, function: str) -> Calls:
    return Calls(code, Reached(code, f"functions.{function}.handler.lambda_handler"))


def test_a_role_allows_what_the_function_needs_and_nothing_more(
    calls: Calls, function: str, deployed: Deployed
) -> None:
    properties = deployed.function(function)
    reached = {need for need in calls.needs if (function, need.action, need.where) not in NOT_DONE}
    needed = deployed.of_lambda(function) | {(need.action, _arn(need, properties)) for need in reached}
    granted = {grant for grant in deployed.granted(function) if not grant[0].startswith("kms:")}
    assert _compared(granted, needed) == _EQUAL


def test_what_is_said_to_be_never_done_is_still_thought_possible(calls: Calls, function: str) -> None:
    """An exception whose reason went is an exception that hides something."""
    reached = {(function, need.action, need.where) for need in calls.needs}
    assert {entry for entry in NOT_DONE if entry[0] == function} <= reached


def test_a_function_is_told_what_it_reads_and_nothing_more(calls: Calls, function: str, deployed: Deployed) -> None:
    told = set(deployed.function(function)["Environment"]["Variables"])
    read = calls.variables - OF_THE_RUNTIME - OF_DEVELOPERS
    assert _compared(told - OF_POWERTOOLS, read - OF_POWERTOOLS) == _EQUAL
    assert told >= OF_POWERTOOLS


def test_a_function_may_use_the_keys_of_the_tables_it_works_with(
    calls: Calls, function: str, deployed: Deployed
) -> None:
    """The merchant's own keys: one for customers, one for all other data and the secrets."""
    works_with = {need.where for need in calls.needs}
    streams = {arn for action, arn in deployed.of_lambda(function) if action == "dynamodb:GetRecords"}
    needs_personal = "CUSTOMERS_TABLE" in works_with or any("/storebridge-customers/" in arn for arn in streams)
    needs_data = bool(works_with & OF_DATA_KEY) or bool(streams)
    keys = {arn for action, arn in deployed.granted(function) if action.startswith("kms:")}
    assert keys == {key for key, needed in ((PERSONAL_KEY, needs_personal), (DATA_KEY, needs_data)) if needed}


_EQUAL: dict[str, list[object]] = {"missing": [], "too much": []}


def _compared(given: Set[Any], needed: Set[Any]) -> dict[str, list[Any]]:
    return {"missing": sorted(needed - given), "too much": sorted(given - needed)}


# ---- nothing goes past the derivation -------------------------------------------------------------------------


def test_every_client_is_made_by_a_factory_and_asked_at_once(code: Code) -> None:
    """Else its calls would not be seen: `aws.sqs().send_message(…)` is the one form that the derivation reads."""
    for unit in code.units:
        mentions = code.mentions(unit)
        made = [call for call in mentions.calls if _calls(call, "boto3.client")]
        assert not made or made_client(code, unit), unit
        assert not {name for name in mentions.names if name.startswith(("boto3.", "botocore."))} - _ALLOWED, unit
        asked = [call for call in mentions.calls if client_service(code, call.callee)]
        factories = {name for name in mentions.names if made_client(code, name)}
        mentioned = [call for call in mentions.calls if any(_calls(call, name) for name in factories)]
        assert len(asked) == len(mentioned), unit
        assert bool(factories) == bool(mentioned), unit


def test_tables_are_asked_in_the_ways_that_are_known(code: Code) -> None:
    public = {name for name in code.classes[TABLE].names if not name.startswith("_")}
    assert public == TABLE_ACTIONS.keys() | TABLE_CARRIERS
    rooms = [unit for unit in code.units if not unit.startswith("shared.dynamodb.")]
    asked = {name for unit in rooms for owner, name in code.mentions(unit).members if owner == CONNECTION}
    assert asked == {RAW_OPERATION}


def test_what_calls_aws_is_called_where_it_is_named(code: Code) -> None:
    """A table's method that is handed on would be called where nobody sees which table it is."""
    for unit in code.units:
        mentions = code.mentions(unit)
        named = {name for owner, name in mentions.members if owner in (TABLE, AWS_SERVICE)}
        called = {call.callee.name for call in mentions.calls if isinstance(call.callee, nodes.MemberExpr)}
        assert named <= called | TABLE_CARRIERS | {"__call__", "endpoint"} or unit.startswith(_THEIR_OWN), unit


def test_webhooks_reach_aws_in_the_two_ways_that_are_known(code: Code) -> None:
    asked = {name for unit in code.units for owner, name in code.mentions(unit).members if owner == AWS_SERVICE}
    assert asked - {name for name in asked if name.startswith("_")} == {"call", "endpoint", "put_object"}


def test_nothing_of_unknown_type_is_asked_to_call_aws(code: Code) -> None:
    """What such an object is asked of leads nowhere in the derivation. So it must bear no name that leads to AWS."""
    ours = [unit for unit in code.units if not unit.startswith("shared.dynamodb.")]  # which reads pynamodb's answers
    leading = {unit.rpartition(".")[2] for unit in ours if asks_aws(code, unit)}
    assert {"commit", "find", "set_aside"} <= leading
    found = {(unit, name) for unit in ours for name in code.mentions(unit).unknown & leading - {"get"}}
    assert found == _NO_TABLES


_THEIR_OWN = (AWS_SERVICE, TABLE)
_NO_TABLES = {
    ("shared.finance.closing.close_day", "entries"),  # of a copy of a model
    ("shared.finance.reports.render_xlsx.render_xlsx", "close"),  # a workbook
    ("shared.payments.bank.mt940._statement", "all"),  # an expression's matches
    ("shared.sync.backoffice.table._changes", "promised"),  # of a model
}
"""Of unknown type, for most libraries are not followed; looked at one by one. `get` is what dictionaries are asked."""


def _calls(call: nodes.CallExpr, name: str) -> bool:
    return isinstance(call.callee, nodes.RefExpr) and call.callee.fullname == name


_ALLOWED = frozenset({"boto3.client"})
