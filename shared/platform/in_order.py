"""The records of a stream, one after the other."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.kernel.errors import StorebridgeError
from shared.platform.observability import failures_told

Change = Mapping[str, Any]
"""What a stream record says of one item: keys, old and new image."""


def in_order(records: Sequence[Mapping[str, Any]], take: Callable[[Change, datetime], None]) -> dict[str, Any]:
    """Take in one change after the other, up to the first that fails: it comes again, with all that are behind it.

    Whoever went on with those behind it would see a later change of an item before an earlier one, and take the earlier
    one for old news when it comes again: a level that was low in between would never have been.

    An error that nobody foresaw is raised: Lambda halves the batch until the record that it lies in stands alone.
    """
    for record in records:
        change = record["dynamodb"]
        try:
            with failures_told():
                take(change, datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC))
        except StorebridgeError:
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
    return {"batchItemFailures": []}
