"""What the service's failures become: what the caller is to do next."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from infra.fakes.aws.dynamodb.connection import MemoryConnection
from shared.dynamodb.table import Table, transact
from shared.kernel.errors import Retry
from shared.orders.table import ClaimItem

_TIMEOUTS = [ReadTimeoutError(endpoint_url="https://dynamodb.example"), ConnectTimeoutError(endpoint_url="https://x")]
_BUSY = ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "PutItem")


def _table(failure: Exception) -> Table:
    def fail(_operation: str, _request: Mapping[str, Any]) -> Mapping[str, Any]:
        raise failure

    return Table(MemoryConnection(fail), "orders", ClaimItem)


def _claim() -> ClaimItem:
    return ClaimItem("fingerprint/1", "claim", order="aurora/5001", placed=1, expires_at=2)


def _write_together(table: Table) -> None:
    transact(table.connection, puts=[table.putting(_claim())], updates=[])


CALLS = {
    "get": lambda table: table.get(("a", "b")),
    "get many": lambda table: list(table.get_many([("a", "b")])),
    "query": lambda table: list(table.query("a")),
    "put": lambda table: table.put(_claim()),
    "put many": lambda table: table.put_many([_claim()]),
    "delete": lambda table: table.delete(("a", "b")),
    "transaction": _write_together,
}


@pytest.mark.parametrize("failure", _TIMEOUTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("call", CALLS)
def test_a_time_out_leaves_the_outcome_unknown(call: str, failure: Exception) -> None:
    """pynamodb looks for a code in the response of what it wraps, and a time-out's response is None."""
    with pytest.raises(Retry) as caught:
        CALLS[call](_table(failure))
    assert caught.value.code == "database_unreachable"


@pytest.mark.parametrize("call", CALLS)
def test_a_throttled_table_is_tried_again(call: str) -> None:
    with pytest.raises(Retry) as caught:
        CALLS[call](_table(_BUSY))
    assert caught.value.code == "database_busy"
