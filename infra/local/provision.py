"""Make the resources that the template declares, on the local services."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from botocore.exceptions import ClientError

from infra.local.clients import Clients
from infra.local.template import Deployment, Queue, Table
from shared.platform.settings import parse_settings, read_settings_file

SECRETS_HEAD = "# Secrets of the local stack only. Git ignores this file.\n"


@dataclass(frozen=True)
class Contents:
    """What an operator fills in after a deployment: the settings document and the two secrets."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, Mapping[str, Any]]
    """By section: `webhooks`, `api`, `privacy`. The secret whose name ends in `/section` takes it; one that the
    deployment makes up needs none."""


def read_contents(settings: Path, secrets: Path, example: Path) -> Contents:
    """Read the files, TOML or JSON; secrets.toml is copied from the example on the first run.

    Raises:
        Rejected: the settings are not valid; the message names every fault.
    """
    if not secrets.exists():
        secrets.write_text(SECRETS_HEAD + example.read_text(encoding="utf-8"), encoding="utf-8")
        secrets.chmod(0o600)
    document = read_settings_file(settings)
    parse_settings(document)
    text = secrets.read_text(encoding="utf-8")
    return Contents(settings=document, secrets=json.loads(text) if secrets.suffix == ".json" else tomllib.loads(text))


def provision(deployment: Deployment, contents: Contents, clients: Clients) -> None:
    """Create everything; tables that are there already (a data folder) stay as they are."""
    for table in deployment.tables:
        _make_table(table, clients)
    for queue in _dead_letter_queues_first(deployment.queues):
        clients.sqs.create_queue(QueueName=queue.name, Attributes=dict(queue.attributes))  # type: ignore[arg-type]
    for bucket in deployment.buckets:
        clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for bus in deployment.buses:
        clients.events.create_event_bus(Name=bus)
    for name in deployment.secrets.values():
        content = contents.secrets.get(name.rpartition("/")[2]) or _made_up(name, deployment)
        clients.secretsmanager.create_secret(Name=name, SecretString=json.dumps(content))
    clients.ssm.put_parameter(
        Name=deployment.parameters["SettingsParameterName"],
        Value=json.dumps(contents.settings, ensure_ascii=False),
        Type="String",
        Tier="Advanced",
    )


def _made_up(name: str, deployment: Deployment) -> dict[str, str]:
    key = deployment.generated_secrets.get(name)
    return {key: token_hex(32)} if key else {}


def _make_table(table: Table, clients: Clients) -> None:
    try:
        clients.dynamodb.create_table(**table.definition)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
        return
    if table.ttl_attribute is not None:
        clients.dynamodb.update_time_to_live(
            TableName=table.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute}
        )


def _dead_letter_queues_first(queues: tuple[Queue, ...]) -> list[Queue]:
    return sorted(queues, key=lambda queue: "RedrivePolicy" in queue.attributes)
