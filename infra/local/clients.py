"""AWS clients that reach only the local stack."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from infra.local.intrinsics import REGION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

_CONFIG = Config(connect_timeout=2, read_timeout=60, max_pool_connections=32, retries={"mode": "standard"}, proxies={})


class Clients:
    """One client for each service, made when first asked for. Clients are safe to share between threads."""

    def __init__(self, endpoints: Mapping[str, str], otherwise: str) -> None:
        self._endpoints = dict(endpoints)
        self._otherwise = otherwise
        self._session = boto3.session.Session(
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106  # any will do on loopback
            region_name=REGION,
        )

    def use(self, service: str, endpoint: str) -> None:
        """Reach a service that has come up since."""
        self._endpoints[service] = endpoint

    def make(self, service: str, config: Config | None = None) -> Any:
        """A new client for any service, by boto3's name."""
        endpoint = self._endpoints.get(service, self._otherwise)
        merged = _CONFIG.merge(config) if config else _CONFIG
        # boto3's overloads want a literal name
        return self._session.client(service, endpoint_url=endpoint, config=merged)  # type: ignore[call-overload]

    def environment(self) -> dict[str, str]:
        """What points a function's own clients here."""
        return {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": self._otherwise,
            "AWS_ENDPOINT_URL_DYNAMODB": self._endpoints["dynamodb"],
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self._endpoints["dynamodbstreams"],
        }

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = self.make("dynamodb")
        return client

    @cached_property
    def streams(self) -> "DynamoDBStreamsClient":
        # The local engine's sequence numbers are shorter than botocore believes them to be.
        client: DynamoDBStreamsClient = self.make("dynamodbstreams", Config(parameter_validation=False))
        return client

    @cached_property
    def events(self) -> "EventBridgeClient":
        client: EventBridgeClient = self.make("events")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self.make("s3")
        return client

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        client: SecretsManagerClient = self.make("secretsmanager")
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        client: SQSClient = self.make("sqs")
        return client

    @cached_property
    def ssm(self) -> "SSMClient":
        client: SSMClient = self.make("ssm")
        return client
