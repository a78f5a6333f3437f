"""A real DynamoDB engine for the tests, and fresh tables in it, shaped by the template."""

import os
import time
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import settings
from pynamodb.connection import Connection

from infra.fakes.aws.dynamodb.connection import MemoryConnection
from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
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
def memory() -> MemoryDynamoDb:
    """A DynamoDB in memory: also what tests with the parameter `memory` have in the place of the engine."""
    return MemoryDynamoDb(time.time)


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Connection:
    if _is_in_memory(request):
        return MemoryConnection(request.getfixturevalue("memory").call)
    engine: str = request.getfixturevalue("engine")
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
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
def table_names(request: pytest.FixtureRequest, connection: Connection) -> dict[str, str]:
    """Fresh tables by their role: `orders`, `stock`, `movements`, `stocktakes`, `sync`, `customers`."""
    in_memory = _is_in_memory(request)
    client = None if in_memory else boto3.client("dynamodb", endpoint_url=request.getfixturevalue("engine"))
    run = next(_numbers)
    names = {}
    for table in _tables():
        role = table.name.rpartition("-")[2]
        names[role] = f"{table.name}-{run:04}"
        definition: Any = {**table.definition, "TableName": names[role]}
        if client is None:
            request.getfixturevalue("memory").create_table(definition)
        else:
            client.create_table(**definition)
    return names


def _is_in_memory(request: pytest.FixtureRequest) -> bool:
    """Whether one of the test's parameters is `memory`."""
    callspec = getattr(request.node, "callspec", None)
    return callspec is not None and "memory" in callspec.params.values()


@cache
def _tables() -> tuple[Table, ...]:
    """Of the template, which takes a second to read."""
    return load_deployment(_ROOT / "template.yaml").tables
