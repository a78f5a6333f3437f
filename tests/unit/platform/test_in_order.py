from datetime import UTC, datetime
from typing import Any

import pytest

from shared.kernel.errors import Retry
from shared.platform.in_order import in_order


def _records(*numbers: int) -> list[dict[str, Any]]:
    return [{"dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": 1.0}} for number in numbers]


def test_every_change_is_taken_in_with_its_time() -> None:
    seen: list[tuple[str, datetime]] = []
    answer = in_order(_records(1, 2), lambda change, at: seen.append((change["SequenceNumber"], at)))
    second = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert (answer, seen) == ({"batchItemFailures": []}, [("1", second), ("2", second)])


def test_nothing_behind_a_failure_is_taken_in() -> None:
    seen: list[str] = []

    def take(change: Any, _at: datetime) -> None:
        if change["SequenceNumber"] == "2":
            raise Retry("busy", "later")
        seen.append(change["SequenceNumber"])

    assert in_order(_records(1, 2, 3), take) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert seen == ["1"]


def test_what_nobody_foresaw_fails_the_batch_so_that_it_is_halved() -> None:
    def take(_change: Any, _at: datetime) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_order(_records(1), take)
