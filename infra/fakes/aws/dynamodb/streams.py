"""A table's stream: what Lambda hands to a function for each change."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.fakes.aws.dynamodb.storage import Stored
from infra.fakes.aws.dynamodb.values import Item, Value, item_size

StreamRecord = Mapping[str, Any]

_REGION: Final = "eu-west-1"
_ACCOUNT: Final = "000000000000"
_FIRST_NUMBER: Final = 10**20
"""Sequence numbers have at least 21 digits."""
_BY_SERVICE: Final = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""Who deletes what has expired ("DynamoDB Streams and Time to Live")."""


class Stream:
    """Changes in the order in which they were made. Records are written out when they are asked for."""

    def __init__(self, table: str, view: str | None, key_names: tuple[str, ...]) -> None:
        self._view = view
        self._key_names = key_names
        self._arn = f"arn:aws:dynamodb:{_REGION}:{_ACCOUNT}:table/{table}/stream/2026-01-01T00:00:00.000"
        self._changes: list[tuple[Stored | None, Stored | None, float, bool]] = []
        self._records: list[StreamRecord] = []

    def clear(self) -> None:
        self._changes.clear()
        self._records = []

    def append(self, old: Stored | None, new: Stored | None, at: float, *, expired: bool = False) -> None:
        if self._view is not None:
            self._changes.append((old, new, at, expired))

    @property
    def records(self) -> Sequence[StreamRecord]:
        for number in range(len(self._records), len(self._changes)):
            self._records.append(self._record(number, *self._changes[number]))
        return self._records

    def _record(self, number: int, old: Stored | None, new: Stored | None, at: float, expired: bool) -> StreamRecord:
        item = (new or old).item  # type: ignore[union-attr] # there is one of them
        keys = {name: item[name] for name in self._key_names}
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": float(int(at)),
            "Keys": _written(keys),
            "SequenceNumber": str(_FIRST_NUMBER + number),
            "SizeBytes": item_size(keys),
            "StreamViewType": self._view,
        }
        for image, stored in (("NewImage", new), ("OldImage", old)):
            if stored is not None and self._view in {image_view(image), "NEW_AND_OLD_IMAGES"}:
                change[image] = _written(stored.item)
                # Keys and images together: so are Lambda's own sample events ("Using AWS Lambda with DynamoDB").
                change["SizeBytes"] += stored.size
        record = {
            "eventID": f"{number + 1:032x}",
            "eventName": "MODIFY" if old and new else "INSERT" if new else "REMOVE",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": _REGION,
            "dynamodb": change,
            "eventSourceARN": self._arn,
        }
        return {**record, "userIdentity": dict(_BY_SERVICE)} if expired else record


def image_view(image: str) -> str:
    """The view of a stream that has only this image."""
    return {"NewImage": "NEW_IMAGE", "OldImage": "OLD_IMAGE"}[image]


def _written(item: Item) -> Item:
    """As JSON has it: binary values are base64."""
    return {name: _value(value) for name, value in item.items()}


def _value(value: Value) -> Value:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: _encoded(content)}
    if kind == "BS":
        return {kind: [_encoded(one) for one in content]}
    if kind == "L":
        return {kind: [_value(one) for one in content]}
    return {kind: _written(content)} if kind == "M" else value


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
