"""pynamodb takes it for DynamoDB."""

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.models import Model

from infra.fakes.aws.dynamodb.connection import MemoryConnection
from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from shared.dynamodb.table import Table, WriteRefused, transact
from shared.kernel.errors import Retry


class _Item(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    units = NumberAttribute(default=0)

    class Meta:
        table_name = "bound by instance"


@pytest.fixture
def table(memory: MemoryDynamoDb) -> Table:
    return Table(MemoryConnection(memory.call), "t", _Item)


def test_a_refused_write_brings_what_refused_it(table: Table) -> None:
    table.put(_Item("p", "s", units=3))
    with pytest.raises(WriteRefused) as alone:
        table.put(_Item("p", "s"), _Item.pk.does_not_exist())
    with pytest.raises(WriteRefused) as together:
        transact(
            table.connection,
            puts=[table.putting(_Item("p", "other"))],
            updates=[table.updating(("p", "s"), [_Item.units.add(1)], _Item.units >= 4)],
        )
    expected = {"pk": {"S": "p"}, "sk": {"S": "s"}, "units": {"N": "3"}}
    assert alone.value.found == together.value.found == expected
    assert table.get(("p", "other")) is None


def test_reasons_come_in_the_order_of_the_actions(table: Table) -> None:
    refused = table.updating(("p", "s"), [_Item.units.add(1)], _Item.pk.exists())
    with pytest.raises(TransactWriteError) as cancelled:
        table.connection.transact_write_items([], [], [table.putting(_Item("p", "other"))], [refused])
    reasons = cancelled.value.cancellation_reasons
    assert [reason.code if reason else None for reason in reasons] == [None, "ConditionalCheckFailed"]


def test_counts(table: Table) -> None:
    assert [table.count(("p", "s"), _Item.units) for _ in range(3)] == [1, 2, 3]


def test_weather_is_put_around_the_call(memory: MemoryDynamoDb) -> None:
    """What a simulation raises in the place of an answer comes out as from botocore."""

    def stormy(operation: str, request: object) -> dict[str, object]:
        memory.call(operation, request)  # type: ignore[arg-type] # pynamodb's request
        raise ReadTimeoutError(endpoint_url="memory")

    table = Table(MemoryConnection(stormy), "t", _Item)
    with pytest.raises(Retry, match="unknown"):
        table.put(_Item("p", "s"))
    assert Table(MemoryConnection(memory.call), "t", _Item).get(("p", "s")) is not None
