import pytest

from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from tests.builders.dynamodb import definition


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> MemoryDynamoDb:
    """With one table, `t`."""
    made = MemoryDynamoDb(clock)
    made.create_table(definition("t"))
    return made
