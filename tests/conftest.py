"""A real DynamoDB engine for the tests, and fresh tables in it, shaped by the template."""

import os
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

import boto3
import pytest
from hypothesis import settings
from pynamodb.connection import Connection

from infra.local.children import Children
from infra.local.dynoxide import start_engine
from infra.local.template import Table, load_deployment
from shared.dynamodb.table import connect

# The test command tries the same cases each time; `HYPOTHESIS_PROFILE=searching` looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

_ROOT = Path(__file__).parents[1]
_numbers = count(1)


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The endpoint of a DynamoDB engine in memory."""
    with Children() as children:
        yield start_engine(children, _ROOT / ".cache" / "dynoxide", None)


@pytest.fixture
def connection(engine: str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    for name, value in {
        "AWS_ENDPOINT_URL_DYNAMODB": engine,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    return connect()


@pytest.fixture
def table_names(connection: Connection, engine: str) -> dict[str, str]:
    """Fresh tables by their role: `orders`, `stock`, `movements`, `stocktakes`, `sync`, `customers`."""
    client = boto3.client("dynamodb", endpoint_url=engine)
    run = next(_numbers)
    names = {}
    for table in _tables():
        role = table.name.rpartition("-")[2]
        names[role] = f"{table.name}-{run:04}"
        client.create_table(**{**table.definition, "TableName": names[role]})
    return names


@cache
def _tables() -> tuple[Table, ...]:
    """Of the template, which takes a second to read."""
    return load_deployment(_ROOT / "template.yaml").tables
