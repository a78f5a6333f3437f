"""AWS in this process, for one thread: moto stands in for the services beside the tables."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from shared.platform import aws

_CLIENTS = (aws.sqs, aws.s3, aws.ssm, aws.secrets_manager, aws.events)


@pytest.fixture
def aws_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh, empty services. The clients that functions keep for life are made anew."""
    for name in ("AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        for client in _CLIENTS:
            client.cache_clear()
        yield
    for client in _CLIENTS:
        client.cache_clear()
