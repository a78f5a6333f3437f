"""What the conformance suite cannot ask Dynoxide: the clock, units of what was refused, expiry, and whether callers can
harm what is stored."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from tests.builders.dynamodb import (
    GROUPS,
    at_table,
    condition,
    definition,
    get,
    key,
    n,
    put,
    query,
    s,
    transact,
    update,
)
from tests.unit.fakes.dynamodb.conftest import Clock

_P = {":p": s("p")}


def _call(memory: MemoryDynamoDb, call: Any) -> Any:
    return memory.call(*at_table(call, "t"))


def _refusal(memory: MemoryDynamoDb, call: Any) -> Any:
    with pytest.raises(ClientError) as refused:
        _call(memory, call)
    return refused.value.response


# ---- what is stored belongs to nobody ----


@pytest.mark.parametrize(
    "reading",
    [
        lambda memory: _call(memory, get())["Item"],
        lambda memory: _call(memory, query("pk = :p", _P))["Items"][0],
        lambda memory: _call(memory, query("g = :p", {":p": s("g")}, IndexName=GROUPS))["Items"][0],
        lambda memory: _call(memory, ("Scan", {}))["Items"][0],
        lambda memory: _call(memory, update("SET a = :a", {":a": n(1)}, ReturnValues="ALL_NEW"))["Attributes"],
        lambda memory: _call(memory, ("PutItem", {"Item": _item(), "ReturnValues": "ALL_OLD"}))["Attributes"],
        lambda memory: _refusal(
            memory, condition("attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD")
        )["Item"],
        lambda memory: memory.stream("t")[0]["dynamodb"]["NewImage"],
    ],
)
def test_answers_can_be_changed_without_harm(
    memory: MemoryDynamoDb, reading: Callable[[MemoryDynamoDb], dict[str, Any]]
) -> None:
    _call(memory, put(a=n(1), g=s("g"), r=n(1)))
    answer = reading(memory)
    answer.pop("pk")
    answer["a"] = s("changed")
    answer["new"] = s("new")
    assert _call(memory, get())["Item"] == _item()
    assert memory.stream("t")[0]["dynamodb"]["Keys"] == key()


def _item() -> dict[str, Any]:
    return {**key(), "a": n(1), "g": s("g"), "r": n(1)}


def test_requests_can_be_changed_afterwards() -> None:
    memory = MemoryDynamoDb(Clock())
    memory.create_table(definition("t"))
    given_item: dict[str, Any] = {**key(), "l": {"L": [n(1)]}, "m": {"M": {"a": s("x")}}, "t": s("x")}
    value: dict[str, Any] = {"L": [s("x")]}
    _call(memory, ("PutItem", {"Item": given_item}))
    _call(memory, update("SET q = :a", {":a": value}))
    given_item["l"]["L"].append(n(2))
    given_item["m"]["M"]["a"]["S"] = "y"
    given_item["t"]["S"] = "y"
    value["L"][0]["S"] = "y"
    item = _call(memory, get())["Item"]
    assert item == {**key(), "l": {"L": [n(1)]}, "m": {"M": {"a": s("x")}}, "t": s("x"), "q": {"L": [s("x")]}}


def test_old_images_stay_as_they_were(memory: MemoryDynamoDb) -> None:
    _call(memory, put(l={"L": [n(1), n(2)]}, m={"M": {"a": n(1)}}))
    _call(memory, update("SET l[0] = :a, m.b = :a REMOVE m.a, l[1]", {":a": n(9)}))
    first, second = memory.stream("t")
    assert (
        first["dynamodb"]["NewImage"]
        == second["dynamodb"]["OldImage"]
        == {
            **key(),
            "l": {"L": [n(1), n(2)]},
            "m": {"M": {"a": n(1)}},
        }
    )
    assert second["dynamodb"]["NewImage"] == {**key(), "l": {"L": [n(9)]}, "m": {"M": {"b": n(9)}}}


def test_a_refused_transaction_leaves_everything(memory: MemoryDynamoDb) -> None:
    _call(memory, put(g=s("g"), r=n(1)))
    before = list(memory.stream("t"))
    _refusal(
        memory,
        transact(
            ("Put", {"Item": {**key("new"), "g": s("g"), "r": n(2)}}),
            ("Update", {"Key": key(), "UpdateExpression": "SET r = :a", "ExpressionAttributeValues": {":a": s("x")}}),
        ),
    )
    assert _call(memory, query("g = :g", {":g": s("g")}, IndexName=GROUPS))["Items"] == [
        {**key(), "g": s("g"), "r": n(1)}
    ]
    assert memory.stream("t") == before


# ---- units ----


def test_units_are_told_call_by_call(memory: MemoryDynamoDb) -> None:
    told: list[tuple[str, str, float, float]] = []
    memory.on_consumed = lambda *consumed: told.append(consumed)
    _call(memory, put(a=s("x" * 3000), g=s("g"), r=n(1)))
    _call(memory, get())
    _call(memory, get(ConsistentRead=True))
    _refusal(memory, condition("attribute_not_exists(pk)"))
    _refusal(memory, update("SET a = :a", {":a": n(1)}, ConditionExpression="attribute_not_exists(pk)"))
    big = {"Item": {**key("new"), "a": s("x" * 5000)}, "ConditionExpression": "attribute_exists(pk)"}
    _refusal(memory, ("PutItem", big))
    _call(memory, transact(("Delete", {"Key": key()}), ("Put", {"Item": key("2")})))
    _refusal(memory, transact(("Put", big), ("Put", {"Item": key("3")})))
    assert told == [
        ("PutItem", "t", 0, 3 + 3 + 3),
        ("GetItem", "t", 0.5, 0),
        ("GetItem", "t", 1, 0),
        ("DeleteItem", "t", 0, 3),
        ("UpdateItem", "t", 0, 3),
        ("PutItem", "t", 0, 5),
        ("TransactWriteItems", "t", 0, 2 * 3 + 3 + 3 + 2),
        ("TransactWriteItems", "t", 0, 2 * (5 + 1)),
    ]
    assert memory.consumed == {"t": (sum(call[2] for call in told), sum(call[3] for call in told))}


def test_mistakes_cost_nothing(memory: MemoryDynamoDb) -> None:
    _refusal(memory, put(""))
    _refusal(memory, update("SET"))
    assert memory.consumed == {}


# ---- time ----


def test_a_token_is_good_for_ten_minutes(memory: MemoryDynamoDb, clock: Clock) -> None:
    adding = {"Key": key(), "UpdateExpression": "ADD n :a", "ExpressionAttributeValues": {":a": n(1)}}
    call = transact(("Update", adding), ClientRequestToken="token")
    for seconds, expected in ((0, 1), (599, 1), (1, 2), (599, 2)):
        clock.now += seconds
        _call(memory, call)
        assert _call(memory, get())["Item"]["n"] == n(expected)
    other = transact(("Update", {**adding, "ExpressionAttributeValues": {":a": n(2)}}), ClientRequestToken="token")
    assert _refusal(memory, other)["Error"]["Code"] == "IdempotentParameterMismatchException"


def test_expired_items_go_when_it_is_said(memory: MemoryDynamoDb, clock: Clock) -> None:
    now = int(clock.now)
    _call(memory, put("past", ends=n(now - 1), g=s("g"), r=n(1)))
    _call(memory, put("now", ends=n(now)))
    _call(memory, put("later", ends=n(now + 10)))
    _call(memory, put("text", ends=s(str(now - 1))))
    _call(memory, put("mistake", ends=n(now - 6 * 365 * 86400)))
    _call(memory, put("never"))
    units = dict(memory.consumed)
    assert memory.expire("t", "ends") == 1
    assert memory.expire("t", "ends") == 0
    left = {item["sk"]["S"] for item in _call(memory, query("pk = :p", _P))["Items"]}
    assert left == {"now", "later", "text", "mistake", "never"}
    assert _call(memory, query("g = :g", {":g": s("g")}, IndexName=GROUPS))["Items"] == []
    record = memory.stream("t")[-1]
    assert (record["eventName"], record["dynamodb"]["Keys"]) == ("REMOVE", key("past"))
    assert record["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert memory.consumed["t"][1] == units["t"][1]
    clock.now += 11
    assert memory.expire("t", "ends") == 2


def test_all_is_forgotten_but_the_tables(memory: MemoryDynamoDb) -> None:
    call = transact(("Put", {"Item": {**key(), "g": s("g"), "r": n(1)}}), ClientRequestToken="token")
    histories = []
    for _ in range(2):
        _call(memory, call)
        histories.append((list(memory.stream("t")), dict(memory.consumed), _call(memory, get())))
        memory.clear()
        assert (list(memory.stream("t")), memory.consumed) == ([], {})
        assert _call(memory, ("Scan", {"IndexName": GROUPS}))["Items"] == []
        memory.clear()
    assert histories[0] == histories[1]


# ---- streams ----


def test_sizes_are_those_of_lambdas_sample_events() -> None:
    """Lambda's own samples of stream records state 26 bytes for the first of these changes and 59 for the second."""
    memory = MemoryDynamoDb(Clock())
    memory.create_table(
        {
            "TableName": "t",
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "N"}],
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }
    )
    for message in ("New item!", "This item has changed"):
        memory.call("PutItem", {"TableName": "t", "Item": {"Id": n(101), "Message": s(message)}})
    memory.call("DeleteItem", {"TableName": "t", "Key": {"Id": n("1.01e2")}})
    records = memory.stream("t")
    assert [record["dynamodb"]["SizeBytes"] for record in records] == [26, 59, 38]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert numbers == sorted(set(numbers))
    assert len({record["eventID"] for record in records}) == len(records)


@pytest.mark.parametrize(
    ("view", "images"),
    [("KEYS_ONLY", set()), ("NEW_IMAGE", {"NewImage"}), ("OLD_IMAGE", {"OldImage"}), (None, None)],
)
def test_views(view: str | None, images: set[str] | None) -> None:
    memory = MemoryDynamoDb(Clock())
    stream = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
    memory.create_table({**definition("t"), "StreamSpecification": stream})
    _call(memory, put(b={"B": b"\x00\xff"}, l={"L": [{"B": b"a"}]}))
    _call(memory, put(b={"BS": [b"b", b"a"]}))
    records = memory.stream("t")
    if images is None:
        assert not records
        return
    change = records[1]["dynamodb"]
    assert {name for name in change if name.endswith("Image")} == images
    if "OldImage" in images:
        assert change["OldImage"] == {**key(), "b": {"B": "AP8="}, "l": {"L": [{"B": "YQ=="}]}}
    if "NewImage" in images:
        assert change["NewImage"] == {**key(), "b": {"BS": ["YQ==", "Yg=="]}}


# ---- pages ----


@given(
    sorts=st.sets(st.integers(-5, 20), min_size=1),
    limit=st.integers(1, 7),
    forward=st.booleans(),
    bounds=st.tuples(st.integers(-5, 20), st.integers(-5, 20)),
)
def test_pages_hold_each_item_once_and_in_order(
    sorts: set[int], limit: int, forward: bool, bounds: tuple[int, int]
) -> None:
    memory = MemoryDynamoDb(Clock())
    memory.create_table(_numbered())
    for sort in sorts:
        memory.call("PutItem", {"TableName": "t", "Item": {"pk": {"B": b"p"}, "sk": n(sort), "g": s("g")}})
    low, high = sorted(bounds)
    request: dict[str, Any] = {
        "TableName": "t",
        "KeyConditionExpression": "pk = :p AND sk BETWEEN :l AND :h",
        "ExpressionAttributeValues": {":p": {"B": b"p"}, ":l": n(low), ":h": n(high)},
        "Limit": limit,
        "ScanIndexForward": forward,
    }
    found = [int(item["sk"]["N"]) for item in _all_pages(memory, "Query", request)]
    assert found == sorted((sort for sort in sorts if low <= sort <= high), reverse=not forward)
    scanned = _all_pages(memory, "Scan", {"TableName": "t", "Limit": limit})
    assert sorted(int(item["sk"]["N"]) for item in scanned) == sorted(sorts)
    indexed = _all_pages(memory, "Scan", {"TableName": "t", "IndexName": "groups", "Limit": limit})
    assert sorted(int(item["sk"]["N"]) for item in indexed) == sorted(sorts)


@given(st.sets(st.text(min_size=1, max_size=3), min_size=1), st.integers(1, 5))
def test_a_scan_comes_past_every_partition_once(partitions: set[str], limit: int) -> None:
    memory = MemoryDynamoDb(Clock())
    memory.create_table(definition("t"))
    for partition in partitions:
        _call(memory, put(pk=partition))
    found = [item["pk"]["S"] for item in _all_pages(memory, "Scan", {"TableName": "t", "Limit": limit})]
    assert sorted(found) == sorted(partitions)


def _numbered() -> dict[str, Any]:
    """A table with keys of other types than text."""
    return {
        "TableName": "t",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "B"},
            {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "groups",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    }


def _all_pages(memory: MemoryDynamoDb, operation: str, request: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    while True:
        page = memory.call(operation, request)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}


def test_an_answer_of_sixteen_megabytes_leaves_the_rest_unread(memory: MemoryDynamoDb) -> None:
    keys = [key(f"{number:02}") for number in range(45)]
    for one in keys:
        _call(memory, put(one["sk"]["S"], a=s("x" * 400_000)))
    answer = _call(memory, ("BatchGetItem", {"RequestItems": {"TABLE": {"Keys": keys, "ConsistentRead": True}}}))
    left = answer["UnprocessedKeys"]["t"]
    assert len(answer["Responses"]["t"]) == 41
    assert left == {"Keys": keys[41:], "ConsistentRead": True}


# ---- limits of the imitation ----


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("UpdateItem", {"Key": key(), "AttributeUpdates": {}}),
        ("Query", {"KeyConditions": {}}),
        ("Scan", {"Segment": 0, "TotalSegments": 2}),
        ("ExecuteStatement", {"Statement": "SELECT * FROM t"}),
        ("PutItem", {"Item": key(), "ReturnItemCollectionMetrics": "SIZE"}),
    ],
)
def test_what_is_not_imitated_is_said(memory: MemoryDynamoDb, operation: str, request_: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match=operation):
        memory.call(operation, {"TableName": "t", **request_})


def test_a_table_is_made_once(memory: MemoryDynamoDb) -> None:
    with pytest.raises(ValueError, match="already"):
        memory.create_table(definition("t"))
