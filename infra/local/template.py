"""Read `template.yaml` into what the local stack has to bring up. Nothing of the topology is written twice."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from infra.local.intrinsics import REGION, Resolver, TemplateError

logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of feature flags that only AWS has

STACK_NAME = "storebridge"
DEFAULT_ASYNC_RETRIES = 2
"""What Lambda does with an asynchronous event when nothing is configured."""

_TABLE_PROPERTIES = (
    "TableName",
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
)
_QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DelaySeconds",
    "FifoQueue",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)


@dataclass(frozen=True)
class Function:
    """One deployed function. Times in seconds."""

    logical_id: str
    name: str
    arn: str
    handler: str
    timeout: int
    memory_mb: int
    environment: Mapping[str, str]
    log_group: str
    log_level: str
    log_format: str
    async_retries: int
    async_failure_queue: str | None
    """Name of the queue that takes asynchronous events which failed for good."""


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    function: str


@dataclass(frozen=True)
class QueueSource:
    """A queue that feeds a function."""

    queue: str
    function: str
    batch_size: int
    partial_failures: bool
    maximum_concurrency: int | None


@dataclass(frozen=True)
class StreamSource:
    """A table's stream that feeds a function. `max_age` in seconds; -1 means without bound, as in Lambda."""

    table: str
    function: str
    batch_size: int
    starting_position: str
    partial_failures: bool
    bisect: bool
    max_retries: int
    max_age: int
    failure_queue: str | None


@dataclass(frozen=True)
class Schedule:
    name: str
    expression: str
    function: str
    payload: str | None
    """The event to send, or None for the scheduler's own."""


@dataclass(frozen=True)
class Table:
    name: str
    definition: Mapping[str, Any]
    """Arguments of CreateTable."""
    ttl_attribute: str | None


@dataclass(frozen=True)
class Queue:
    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Deployment:
    """All that the template deploys, by physical name."""

    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    queue_sources: tuple[QueueSource, ...]
    stream_sources: tuple[StreamSource, ...]
    schedules: tuple[Schedule, ...]
    tables: tuple[Table, ...]
    queues: tuple[Queue, ...]
    buckets: tuple[str, ...]
    buses: tuple[str, ...]
    secrets: Mapping[str, str]
    """Name by logical id."""
    generated_secrets: Mapping[str, str]
    """By the name of a secret that the deployment makes up: the key under which it stands."""
    parameters: Mapping[str, Any]
    outputs: Mapping[str, str]

    @property
    def archive(self) -> str:
        """The bucket of raw deliveries."""
        return self.outputs["ArchiveBucketName"]


def load_deployment(
    path: Path, parameters: Mapping[str, Any] | None = None, stack_name: str = STACK_NAME
) -> Deployment:
    """Transform the template as SAM does when deploying, and read the result.

    Raises:
        TemplateError: SAM refuses the template, or it uses what the local stack does not know.
    """
    return _read(load_resolver(path, parameters, stack_name))


def load_resolver(path: Path, parameters: Mapping[str, Any] | None = None, stack_name: str = STACK_NAME) -> Resolver:
    """The transformed template with its parameters' values."""
    source = yaml_parse(path.read_text(encoding="utf-8"))
    defaults = {name: declared.get("Default") for name, declared in source.get("Parameters", {}).items()}
    values = {**defaults, **(parameters or {})}
    # SAM transforms templates after upload: where the code lies is of no concern here.
    for properties in (source.get("Globals", {}).get("Function", {}), *_function_properties(source)):
        if "CodeUri" in properties:
            properties["CodeUri"] = "s3://local/code"
    try:
        translator = Translator(None, Parser(), boto_session=boto3.session.Session(region_name=REGION))
        transformed = translator.translate(source, parameter_values=values)
    except InvalidDocumentException as error:
        raise TemplateError(f"{path.name}: " + "; ".join(str(cause.message) for cause in error.causes)) from error
    return Resolver(template=transformed, parameters=values, stack_name=stack_name)


def _function_properties(source: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            yield resource["Properties"]


def _read(resolver: Resolver) -> Deployment:
    functions = {function.name: function for function in _functions(resolver)}
    mappings = [properties for _, properties in _of_type(resolver, "AWS::Lambda::EventSourceMapping")]
    return Deployment(
        functions=functions,
        routes=tuple(_routes(resolver)),
        queue_sources=tuple(_queue_source(given) for given in mappings if ":sqs:" in given["EventSourceArn"]),
        stream_sources=tuple(_stream_source(given) for given in mappings if "/stream/" in given["EventSourceArn"]),
        schedules=tuple(_schedules(resolver)),
        tables=tuple(_table(given) for _, given in _of_type(resolver, "AWS::DynamoDB::Table")),
        queues=tuple(_queue(resolver, name, given) for name, given in _of_type(resolver, "AWS::SQS::Queue")),
        buckets=tuple(resolver.name_of(name) for name, _ in _of_type(resolver, "AWS::S3::Bucket")),
        buses=tuple(resolver.name_of(name) for name, _ in _of_type(resolver, "AWS::Events::EventBus")),
        secrets={name: resolver.name_of(name) for name, _ in _of_type(resolver, "AWS::SecretsManager::Secret")},
        generated_secrets={
            resolver.name_of(name): str(properties["GenerateSecretString"]["GenerateStringKey"])
            for name, properties in _of_type(resolver, "AWS::SecretsManager::Secret")
            if "GenerateSecretString" in properties
        },
        parameters=resolver.parameters,
        outputs={
            name: str(resolver.resolve(given["Value"])) for name, given in resolver.template.get("Outputs", {}).items()
        },
    )


def _of_type(resolver: Resolver, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, resource in resolver.template["Resources"].items():
        if resource["Type"] == kind and resolver.exists(resource):
            yield logical_id, resolver.resolve(resource.get("Properties", {}))


def _functions(resolver: Resolver) -> Iterator[Function]:
    asynchronous = {given["FunctionName"]: given for _, given in _of_type(resolver, "AWS::Lambda::EventInvokeConfig")}
    for logical_id, given in _of_type(resolver, "AWS::Lambda::Function"):
        name = resolver.name_of(logical_id)
        logging = given.get("LoggingConfig", {})
        events = asynchronous.get(name, {})
        yield Function(
            logical_id=logical_id,
            name=name,
            arn=resolver.resolve({"Fn::GetAtt": [logical_id, "Arn"]}),
            handler=given["Handler"],
            timeout=int(given.get("Timeout", 3)),
            memory_mb=int(given.get("MemorySize", 128)),
            environment={key: str(value) for key, value in given.get("Environment", {}).get("Variables", {}).items()},
            log_group=logging.get("LogGroup", f"/aws/lambda/{name}"),
            log_level=logging.get("ApplicationLogLevel", "INFO"),
            log_format=logging.get("LogFormat", "Text"),
            async_retries=int(events.get("MaximumRetryAttempts", DEFAULT_ASYNC_RETRIES)),
            async_failure_queue=_failure_queue(events),
        )


def _failure_queue(properties: Mapping[str, Any]) -> str | None:
    destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    return _last(destination) if destination else None


def _last(arn: str) -> str:
    return arn.rsplit(":", 1)[-1]


def function_of(reference: str) -> str:
    """The name of the function in a name or an ARN, with an alias or a version behind it or without. On the local stack
    every alias leads to the one version that there is."""
    return (reference.partition(":function:")[2] or reference).partition("/")[0].partition(":")[0]


def _routes(resolver: Resolver) -> Iterator[Route]:
    for _, given in _of_type(resolver, "AWS::ApiGatewayV2::Api"):
        for path, methods in given["Body"]["paths"].items():
            for method, operation in methods.items():
                uri: str = operation["x-amazon-apigateway-integration"]["uri"]
                function = function_of(uri)
                yield Route(method="ANY" if "any" in method else method.upper(), path=path, function=function)


def _queue_source(given: Mapping[str, Any]) -> QueueSource:
    concurrency = given.get("ScalingConfig", {}).get("MaximumConcurrency")
    return QueueSource(
        queue=_last(given["EventSourceArn"]),
        function=function_of(given["FunctionName"]),
        batch_size=int(given.get("BatchSize", 10)),
        partial_failures="ReportBatchItemFailures" in given.get("FunctionResponseTypes", []),
        maximum_concurrency=int(concurrency) if concurrency is not None else None,
    )


def _stream_source(given: Mapping[str, Any]) -> StreamSource:
    return StreamSource(
        table=given["EventSourceArn"].partition(":table/")[2].partition("/")[0],
        function=function_of(given["FunctionName"]),
        batch_size=int(given.get("BatchSize", 100)),
        starting_position=given["StartingPosition"],
        partial_failures="ReportBatchItemFailures" in given.get("FunctionResponseTypes", []),
        bisect=bool(given.get("BisectBatchOnFunctionError", False)),
        max_retries=int(given.get("MaximumRetryAttempts", -1)),
        max_age=int(given.get("MaximumRecordAgeInSeconds", -1)),
        failure_queue=_failure_queue(given),
    )


def _schedules(resolver: Resolver) -> Iterator[Schedule]:
    for logical_id, given in _of_type(resolver, "AWS::Scheduler::Schedule"):
        yield Schedule(
            name=resolver.name_of(logical_id),
            expression=given["ScheduleExpression"],
            function=function_of(given["Target"]["Arn"]),
            payload=given["Target"].get("Input"),
        )


def _table(given: Mapping[str, Any]) -> Table:
    definition = {key: given[key] for key in _TABLE_PROPERTIES if key in given}
    if "StreamSpecification" in given:
        definition["StreamSpecification"] = {"StreamEnabled": True, **given["StreamSpecification"]}
    ttl = given.get("TimeToLiveSpecification", {})
    return Table(
        name=given["TableName"],
        definition=definition,
        ttl_attribute=ttl.get("AttributeName") if ttl.get("Enabled") else None,
    )


def _queue(resolver: Resolver, logical_id: str, given: Mapping[str, Any]) -> Queue:
    return Queue(
        name=resolver.name_of(logical_id),
        attributes={key: _attribute(given[key]) for key in _QUEUE_ATTRIBUTES if key in given},
    )


def _attribute(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict) else str(value)
