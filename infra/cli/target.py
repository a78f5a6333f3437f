"""Where a command works: a stack in AWS or a local one. Both end in the environment that the functions get."""

import getpass
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

import typer

from infra.cli.output import Output
from shared.kernel.errors import Rejected, Retry

DEFAULT_STACK = "storebridge"
DEFAULT_LOCAL = "http://127.0.0.1:8787"
STACK_VARIABLE = "STOREBRIDGE_STACK"
LOCAL_VARIABLE = "STOREBRIDGE_LOCAL"
ACTOR_VARIABLE = "STOREBRIDGE_ACTOR"
START_LOCAL = "start it with: python -m infra.local.serve"

_VARIABLES = {
    "SettingsParameterName": "SETTINGS_PARAMETER",
    "OrdersTableName": "ORDERS_TABLE",
    "StockTableName": "STOCK_TABLE",
    "SyncTableName": "SYNC_TABLE",
    "CustomersTableName": "CUSTOMERS_TABLE",
    "MovementsTableName": "MOVEMENTS_TABLE",
    "StocktakesTableName": "STOCKTAKES_TABLE",
    "ApiSecretId": "API_SECRET_ID",
    "WebhookSecretId": "WEBHOOK_SECRET_ID",
    "PrivacySecretId": "PRIVACY_SECRET_ID",
    "OrdersQueueUrl": "ORDERS_QUEUE_URL",
    "HotOrdersQueueUrl": "HOT_ORDERS_QUEUE_URL",
    "OrdersDeadLetterQueueUrl": "ORDERS_DLQ_URL",
    "CustomersQueueUrl": "CUSTOMERS_QUEUE_URL",
    "CustomersDeadLetterQueueUrl": "CUSTOMERS_DLQ_URL",
    "BuyerQueueUrl": "BUYER_QUEUE_URL",
    "PaymentsQueueUrl": "PAYMENTS_QUEUE_URL",
    "PaymentsDeadLetterQueueUrl": "PAYMENTS_DLQ_URL",
    "FinanceTableName": "FINANCE_TABLE",
    "ReportsBucketName": "REPORTS_BUCKET",
    "BuyerDeadLetterQueueUrl": "BUYER_DLQ_URL",
    "LowStockFailuresUrl": "NOTICE_FAILURES_URL",
    "StockPushQueueUrl": "PUSH_QUEUE_URL",
    "BackOfficeQueueUrl": "BACKOFFICE_QUEUE_URL",
    "BackOfficeDeadLetterQueueUrl": "BACKOFFICE_DLQ_URL",
    "StorefrontQueueUrl": "STOREFRONT_QUEUE_URL",
    "StorefrontDeadLetterQueueUrl": "STOREFRONT_DLQ_URL",
    "ManualSyncFunctionName": "MANUAL_SYNC_FUNCTION",
    "ArchiveBucketName": "ARCHIVE_BUCKET",
    "EventBusName": "EVENT_BUS_NAME",
}
"""The stack's outputs, and what template.yaml calls them in the functions' environment."""

_LEADS_ELSEWHERE = frozenset(
    {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}
)
_LOCAL_TIMEOUT_SECONDS = 10.0
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Target:
    """A deployment that was found."""

    name: str
    """What people call it: `stack storebridge`, `http://127.0.0.1:8787`."""
    webhook_base_url: str
    variables: Mapping[str, str]
    """The environment in which `shared.wiring` builds what the functions work with."""
    local: bool = False
    stack: str | None = None
    """Its name in CloudFormation; None where it is none."""
    outputs: Mapping[str, str] = field(default_factory=dict)

    def endpoint_of(self, shop: str) -> str:
        """The URL that a shop is to send its order webhooks to."""
        return f"{self.webhook_base_url}/webhooks/{shop}/orders"

    def customers_endpoint_of(self, shop: str) -> str:
        """The URL for its webhooks about customers, and for what people ask for under the law."""
        return f"{self.webhook_base_url}/webhooks/{shop}/customers"

    def enter(self, environment: MutableMapping[str, str]) -> None:
        """Make this process look like one of the deployment's functions."""
        if self.local:  # nothing of the operator's own AWS set-up may lead a local command into the cloud
            for name in [name for name in environment if name.startswith("AWS_ENDPOINT_URL")]:
                del environment[name]
            for name in _LEADS_ELSEWHERE:
                environment.pop(name, None)
        environment.pop("STOREBRIDGE_SETTINGS", None)  # the functions decide by the deployed settings, and so do we
        environment.update(self.variables)


@dataclass(frozen=True)
class Session:
    """One run of the command line: where it works, how it answers, who is asking."""

    output: Output
    stack: str | None = None
    local: str | None = None

    @cached_property
    def target(self) -> Target:
        """The deployment, found and entered on first use.

        Raises:
            Rejected: `unknown_stack`, `incomplete_stack`.
            Retry: `no_local_stack`.
        """
        found = local_target(self.local) if self.local else stack_target(self.stack or DEFAULT_STACK)
        found.enter(os.environ)
        return found


def session(ctx: typer.Context) -> Session:
    """This run's session; `ctx.obj` of every command."""
    current: Session = ctx.obj
    return current


def connected(ctx: typer.Context) -> Session:
    """The same, once its deployment is found: from here on `shared.wiring` builds what the functions work with."""
    here = session(ctx)
    _ = here.target
    return here


def choose(stack: str | None, local: str | None, environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Which stack or which local URL: what is asked for on the command line goes before the environment."""
    if not (stack or local):
        stack, local = environment.get(STACK_VARIABLE), environment.get(LOCAL_VARIABLE)
    if stack and local:
        raise typer.BadParameter(f"either a stack ({stack}) or a local one ({local})", param_hint="--local")
    return stack, local


def actor(by: str | None) -> str:
    """Who answers for the change: `--by`, the environment, or the user of this machine."""
    return by or os.environ.get(ACTOR_VARIABLE) or getpass.getuser()


def stack_target(name: str) -> Target:
    """Ask CloudFormation for a deployed stack."""
    import boto3  # noqa: PLC0415 - costs 200 ms, and a local command does without
    from botocore.exceptions import ClientError  # noqa: PLC0415

    own = boto3.session.Session()
    client: Any = own.client("cloudformation")  # type: ignore[call-overload,unused-ignore] # its stubs are not ours
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise _unknown_stack(name) from error
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    region = {"AWS_REGION": own.region_name, "AWS_DEFAULT_REGION": own.region_name} if own.region_name else {}
    variables = {**region, **variables_of(outputs)}
    return Target(f"stack {name}", outputs.get("WebhookBaseUrl", ""), variables, stack=name, outputs=outputs)


def local_target(url: str) -> Target:
    """Ask a running local stack."""
    found = ask_local(url, "GET", "/_local/outputs")
    lambdas = {"AWS_ENDPOINT_URL_LAMBDA": url.rstrip("/")}
    variables = {**found["environment"], **lambdas, **variables_of(found["outputs"])}
    return Target(url, url.rstrip("/"), variables, local=True, outputs=found["outputs"])


def variables_of(outputs: Mapping[str, str]) -> dict[str, str]:
    missing = sorted(set(_VARIABLES) - set(outputs))
    if missing:
        hint = "deploy this version of the template"
        raise Rejected("incomplete_stack", f"the stack has no output {', '.join(missing)}", field="stack", hint=hint)
    return {variable: outputs[name] for name, variable in _VARIABLES.items()}


def ask_local(url: str, method: str, path: str) -> dict[str, Any]:
    """Ask the local stack's control, which is on this machine only.

    Raises:
        Rejected: `invalid_local_url`, or `not_a_local_stack` when something else answers.
        Retry: `no_local_stack`.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        hint = f"write it as {DEFAULT_LOCAL}"
        raise Rejected("invalid_local_url", f"{url!r} is no URL of a local stack", field="local", hint=hint)
    request = urllib.request.Request(url.rstrip("/") + quote(path), method=method)  # noqa: S310 - checked above
    try:
        with _NO_PROXY.open(request, timeout=_LOCAL_TIMEOUT_SECONDS) as answer:
            document: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise Rejected("not_found", f"{url} knows no {path}", field="local", hint=_offer(error)) from error
    except OSError as error:
        raise Retry("no_local_stack", f"nothing answers at {url}", field="local", hint=START_LOCAL) from error
    except ValueError as error:
        raise Rejected("not_a_local_stack", f"what answers at {url} is no local stack", field="local") from error
    return document


def _offer(error: urllib.error.HTTPError) -> str:
    """What the local stack has instead."""
    try:
        schedules = json.load(error).get("schedules", [])
    except (ValueError, AttributeError):
        return "is this a local stack of this version?"
    return f"there is: {', '.join(schedules) or 'nothing'}"


def _unknown_stack(name: str) -> Rejected:
    return Rejected(
        "unknown_stack",
        f"there is no stack {name!r} in this account and region",
        field="stack",
        hint="deploy it with sam deploy, name another with --stack, or work on a local one with --local",
    )
