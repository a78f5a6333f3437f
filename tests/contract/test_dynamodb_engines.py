"""The DynamoDB in memory answers as an engine does that was not made here: Dynoxide.

Where Dynoxide differs from what AWS documents or is known to do, the case is in `_AWS_ALONE` with the answer that AWS
gives and where that is said ("dynalite": its tests were run against AWS).
"""

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from infra.local.streams import stream_arn_of, stream_record
from tests.builders import dynamodb as build
from tests.builders.dynamodb import EVERYTHING, GROUPS, Call, condition, get, key, n, put, query, s, transact, update

_NOON = 1_795_000_000.0
_numbers = count(1)

Outcome = Mapping[str, Any]


class Pair:
    """The same calls to both engines, each time on fresh tables."""

    def __init__(self, endpoint: str) -> None:
        # No second try: some refusals would be tried again, and no check of the parameters: pynamodb wants none.
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
        who: Any = {
            "endpoint_url": endpoint,
            "region_name": "eu-west-1",
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }
        self.client: Any = boto3.client("dynamodb", config=config, **who)
        self.streams: Any = boto3.client("dynamodbstreams", **who)

    def compare(self, calls: Sequence[Call], *, by_words: bool = True) -> None:
        """`by_words`: mistakes are the same mistakes. Of two in one request either engine may find another first."""
        table = f"conformance-{next(_numbers):05}"
        memory = MemoryDynamoDb(lambda: _NOON)
        memory.create_table(build.definition(table))
        self.client.create_table(**build.definition(table))
        try:
            for number, call in enumerate(calls):
                operation, request = build.at_table(call, table)
                ours = outcome(memory.call, operation, request)
                theirs = outcome(self.client._make_api_call, operation, request)
                if not by_words and ours.get("error") == theirs.get("error") == "ValidationException":
                    continue
                assert ours == theirs, f"call {number}: {call}"
            everything: Call = ("Scan", {"TableName": table})
            assert outcome(memory.call, *everything) == outcome(self.client._make_api_call, *everything)
            assert _changes(memory.stream(table)) == _changes(self._stream(table))
        finally:
            self.client.delete_table(TableName=table)

    def _stream(self, table: str) -> list[Any]:
        arn = stream_arn_of(table, self.client)
        (shard,) = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = self.streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        found, page = [], self.streams.get_records(ShardIterator=start["ShardIterator"])
        while page["Records"]:
            found += [stream_record(record, arn) for record in page["Records"]]
            page = self.streams.get_records(ShardIterator=page["NextShardIterator"])
        return found


@pytest.fixture(scope="module")
def pair(engine: str) -> Pair:
    return Pair(engine)


def outcome(call: Any, operation: str, request: Mapping[str, Any]) -> Outcome:
    """An answer or an error, without what engines may choose: order, and how a mistake is put into words."""
    try:
        answer = call(operation, request)
    except ClientError as error:
        return _refusal(error.response)
    found = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    if operation == "Scan" and "Items" in found:
        found["Items"] = sorted(found["Items"], key=_sortable)
    if operation == "BatchGetItem":
        found["Responses"] = {name: sorted(items, key=_sortable) for name, items in found["Responses"].items()}
    return {name: _plain(value) for name, value in found.items()}


def _refusal(response: Any) -> Outcome:
    refusal: dict[str, Any] = {"error": response["Error"]["Code"], "why": _gist(response["Error"]["Message"])}
    if "Item" in response:
        refusal["item"] = _plain(response["Item"])
    if "CancellationReasons" in response:
        refusal["reasons"] = [
            {**reason, "Message": _gist(reason.get("Message", "")), "Item": _plain(reason.get("Item"))}
            for reason in response["CancellationReasons"]
        ]
    return refusal


_OTHER_WORDS = {
    "Operands for + must be numbers": "An operand in the update expression has an incorrect data type",
    "Operands for - must be numbers": "An operand in the update expression has an incorrect data type",
    "list_append requires two list operands": "An operand in the update expression has an incorrect data type",
}


_LENGTH = "failed to satisfy constraint: "


def _gist(message: str) -> str:
    """What a message says, however it is put: Dynoxide has its own words for slips of syntax."""
    text = message.removeprefix("1 validation error detected: ")
    text = _OTHER_WORDS.get(text, text)
    if "contains duplicates" in text:
        return "duplicates"
    if _LENGTH in text:
        return text.partition(_LENGTH)[2]
    kind, _, rest = text.partition("Expression: ")
    if kind in _KINDS and (rest.startswith(("Syntax error", "Expected")) or "Incorrect number of operands" in rest):
        return f"{kind}Expression: syntax"
    if kind in _KINDS and rest.startswith("An expression attribute "):
        return rest
    return text.replace("operator or function; operator or function:", "operator or function; operator:")


_KINDS = {f"Invalid {kind}" for kind in ("Condition", "Update", "Filter", "Projection")}


def _plain(value: Any) -> Any:
    """Sets in one order."""
    if isinstance(value, dict):
        return {
            name: sorted(inner) if name in {"SS", "NS", "BS"} and isinstance(inner, list) else _plain(inner)
            for name, inner in value.items()
        }
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _sortable(item: Any) -> str:
    return json.dumps(_plain(item), sort_keys=True, default=repr)


def _changes(records: Sequence[Any]) -> list[Any]:
    """What was changed to what, in order. Dynoxide also writes a record where nothing changed ("does not write a stream
    record", says AWS: "Change data capture for DynamoDB Streams"), and counts a record's bytes by its JSON."""
    found = []
    for record in records:
        keys, old, new, view = (
            _plain(record["dynamodb"].get(name)) for name in ("Keys", "OldImage", "NewImage", "StreamViewType")
        )
        if old != new:
            found.append((record["eventName"], keys, old, new, view, record["eventSource"], record["eventVersion"]))
    return found


# ---- cases ----

_ALL_KINDS = put(
    n=n(1),
    s=s("abc"),
    l={"L": [n(1), s("x")]},
    m={"M": {"a": n(1), "b": {"M": {"c": s("deep")}}}},
    ss={"SS": ["a", "b"]},
    ns={"NS": ["1", "2"]},
    bs={"BS": [b"x", b"y"]},
    b={"B": b"abc"},
    t={"BOOL": True},
    u={"NULL": True},
)
_ONE = {":a": n(1)}

_WRITES: dict[str, Sequence[Call]] = {
    "numbers come back in one form": [
        put(a=n("1.50"), b=n("1e5"), c=n("-0"), d=n("0.00012300"), e=n("1e-7"), f=n("007"), h=n(".5"), i=n("5.")),
        get(),
        put(a=n("12345678901234567890123456789012345678"), b=n("1E125"), c=n("1e-130"), d=n("+5"), e=n("-1.0E+2")),
        get(),
    ],
    "numbers out of range": [
        put(a=n(text))
        for text in ("1e126", "-1e126", "1e-131", "1" * 39, "abc", "", "NaN", " 1", "1_0", "Infinity", "1e", "--1", ".")
    ],
    "values of no type, of two, of none": [
        put(a={}),
        put(a={"S": "a", "N": "1"}),
        put(a={"SS": []}),
        put(a={"NULL": False}),
        put(a={"SS": ["a", "a"]}),
        put(a={"NS": ["1", "1.0"]}),
        put(a={"L": [{"M": {"x": {"SS": []}}}]}),
    ],
    "all kinds of values": [
        _ALL_KINDS,
        get(),
        put(a={"NS": ["2", "1.0"]}, b={"L": [n("1.0"), {"M": {"x": n("01")}}]}, e=s(""), f={"B": b""}),
        get(),
    ],
    "keys": [
        put(""),
        put(pk=""),
        ("PutItem", {"Item": {"pk": s("a")}}),
        ("PutItem", {"Item": {"pk": s("a"), "sk": n(1)}}),
        put(pk="p" * 2048),
        put(pk="p" * 2049),
        put("s" * 1024),
        put("s" * 1025),
        put("é" * 512, pk="é" * 1024),
        put("é" * 513),
        ("GetItem", {"Key": {"pk": s("p")}}),
        ("GetItem", {"Key": {"pk": s("p"), "sk": n(1)}}),
        ("GetItem", {"Key": {**key(), "x": s("a")}}),
        ("GetItem", {"Key": {}}),
        get(""),
        ("DeleteItem", {"Key": {"pk": s(""), "sk": s("s")}}),
        ("UpdateItem", {"Key": {"pk": s("p")}, "UpdateExpression": "REMOVE x"}),
    ],
    "keys of indexes": [
        put(g=s("")),
        put(g=n(1)),
        put(g=s("g"), r=s("1")),
        put(g=s("g"), r=n(1)),
        update("SET g = :a", _ONE),
        update("SET g = :a", {":a": s("")}),
        update("SET r = :a", {":a": s("x")}),
        update("ADD r :a", _ONE, ReturnValues="ALL_NEW"),
    ],
    "sizes of items": [
        put(a=s("x" * 409_600)),
        put(a=s("x" * (409_600 - 7))),
        put(a=s("x" * (409_600 - 6))),
        update("SET b = :a", {":a": s("x")}),
        put("2", a=s("é" * 511)),
        put("3", a=s("é" * 509)),
        put("4", a={"L": [n(12)] * 253}),
        put("5", a={"M": {f"{number:03}": {"BOOL": True} for number in range(203)}}),
        put("6", a={"NS": [str(number) for number in range(1, 500)]}),
        get("2"),
        get("5", ConsistentRead=True),
    ],
    "units of a table": [
        put(a=s("x" * 5000)),
        put(a=s("x")),
        put(a=s("x" * 5000)),
        get(),
        get(ConsistentRead=True),
        get("missing"),
        get("missing", ConsistentRead=True),
        update("SET b = :a", _ONE),
        update("REMOVE a"),
        update("REMOVE a"),
        put("2", a=s("x" * 3000)),
        condition("attribute_exists(pk)", sk="2"),
        condition("attribute_not_exists(pk)", sk="2"),
    ],
    "units of indexes": [
        put(g=s("g"), r=n(1)),
        put(g=s("g"), r=n(2)),
        put(g=s("g"), r=n(2), zz=s("1")),
        put(g=s("g"), r=n(2), zz=s("1"), a=s("x" * 1500)),
        put(g=s("g"), r=n(2), zz=s("1" * 3000), a=s("x" * 1500)),
        put(g=s("g")),
        put(g=s("h")),
        put(),
        put(r=n(1)),
        update("SET g = :a", {":a": s("g")}),
        update("SET zz = :a", {":a": s("z" * 2000)}),
        update("REMOVE r"),
        ("DeleteItem", {"Key": key(), "ReturnConsumedCapacity": "INDEXES"}),
        ("DeleteItem", {"Key": key(), "ReturnConsumedCapacity": "INDEXES"}),
    ],
    "what writes return": [
        ("PutItem", {"Item": {**key(), "a": n(1)}, "ReturnValues": "ALL_OLD"}),
        ("PutItem", {"Item": {**key(), "a": n(2)}, "ReturnValues": "ALL_OLD"}),
        ("PutItem", {"Item": {**key(), "a": n(2)}, "ReturnValues": "ALL_NEW"}),
        update("SET a = :a", _ONE, ReturnValues="UPDATED_OLD"),
        update("SET a = a + :a", _ONE, ReturnValues="UPDATED_NEW"),
        update("SET b = :a", _ONE, ReturnValues="UPDATED_OLD"),
        update("SET b = :a", _ONE, ReturnValues="ALL_NEW"),
        update("REMOVE b", ReturnValues="ALL_OLD"),
        update("REMOVE b", ReturnValues="UPDATED_NEW"),
        update("SET a = :a", _ONE, ReturnValues="FOO"),
        ("UpdateItem", {"Key": key("new"), "ReturnValues": "ALL_NEW", "ReturnConsumedCapacity": "TOTAL"}),
        ("UpdateItem", {"Key": key("new"), "ReturnValues": "ALL_NEW"}),
        ("DeleteItem", {"Key": key(), "ReturnValues": "ALL_OLD"}),
        ("DeleteItem", {"Key": key(), "ReturnValues": "ALL_OLD"}),
    ],
    "a condition that does not hold": [
        put(a=n(1)),
        ("PutItem", {"Item": key(), "ConditionExpression": "attribute_not_exists(pk)"}),
        (
            "PutItem",
            {
                "Item": key(),
                "ConditionExpression": "attribute_not_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        ),
        condition("attribute_exists(pk)", sk="missing", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        update("SET a = :a", _ONE, ConditionExpression="a > :a", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    ],
    "sizes of text": [
        put(a=s("é\U0001f600x")),
        condition("size(a) = :a", {":a": n(3)}, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        condition("size(a) = :a", {":a": n(4)}, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        condition("size(a) = :a", {":a": n(7)}, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    ],
    "no such table": [
        ("GetItem", {"TableName": "no-such-table", "Key": key()}),
        ("PutItem", {"TableName": "no-such-table", "Item": key()}),
        (
            "Query",
            {"TableName": "no-such-table", "KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": _ONE},
        ),
        transact(("Put", {"TableName": "no-such-table", "Item": key()})),
        ("BatchGetItem", {"RequestItems": {"no-such-table": {"Keys": [key()]}}}),
        ("BatchWriteItem", {"RequestItems": {"no-such-table": [{"PutRequest": {"Item": key()}}]}}),
    ],
}

_UPDATES: Sequence[tuple[str, Mapping[str, Any] | None]] = [
    ("SET n = n + :a", {":a": n(2)}),
    ("SET n = n - :a", {":a": n("0.5")}),
    ("SET n = :a - n", {":a": n(2)}),
    ("SET x = :a + :a", {":a": n("0.1")}),
    ("SET n = n - :a", {":a": n("-3")}),
    ("SET n = n + :a", {":a": n("1e37")}),
    ("SET n = n + :a", {":a": n("1e38")}),
    ("SET n = s + :a", _ONE),
    ("SET n = n + :a", {":a": s("x")}),
    ("SET q = q + :a", _ONE),
    ("SET q = if_not_exists(q, :a) + :a", _ONE),
    ("SET n = if_not_exists(n, :a) + :a", _ONE),
    ("SET q = if_not_exists(zz, n)", None),
    ("SET q = if_not_exists(zz, yy)", None),
    ("SET l = list_append(l, :a)", {":a": {"L": [n(3)]}}),
    ("SET l = list_append(:a, l)", {":a": {"L": [n(3)]}}),
    ("SET q = list_append(if_not_exists(q, :e), :a)", {":a": {"L": [n(3)]}, ":e": {"L": []}}),
    ("SET l = list_append(l, :a)", _ONE),
    ("SET l = list_append(n, :a)", {":a": {"L": []}}),
    ("SET l[0] = :a, m.a = :a, m.x = :a, m.b.c = :a", _ONE),
    ("SET l[2] = :a", _ONE),
    ("SET n = l[0]", None),
    ("SET n = l[9]", None),
    ("SET m.z.y = :a", _ONE),
    ("SET zz.y = :a", _ONE),
    ("SET n.y = :a", _ONE),
    ("SET n[0] = :a", _ONE),
    ("SET m[0] = :a", _ONE),
    ("SET l.a = :a", _ONE),
    ("SET n = s, s = n", None),
    ("SET n = :a, n = :a", _ONE),
    ("SET m = :a, m.a = :a", _ONE),
    ("SET m.b.c = :a, m.b = :a", _ONE),
    ("SET n = :a REMOVE n", _ONE),
    ("SET n = :a SET s = :a", _ONE),
    ("SET pk = :a", {":a": s("x")}),
    ("REMOVE sk", None),
    ("ADD pk :a", _ONE),
    ("SET n = :a", None),
    ("SET n = :a", {":a": n(1), ":b": n(2)}),
    ("SET #n = :a", _ONE),
    ("SET n = zz", None),
    ("ADD n :a", _ONE),
    ("ADD n :a", {":a": n("-2.5")}),
    ("ADD q :a", _ONE),
    ("ADD s :a", _ONE),
    ("ADD n :a", {":a": s("1")}),
    ("ADD n :a", {":a": {"L": []}}),
    ("ADD ss :a", {":a": {"SS": ["b", "c"]}}),
    ("ADD ns :a", {":a": {"NS": ["3.0", "1"]}}),
    ("ADD bs :a", {":a": {"BS": [b"z", b"y"]}}),
    ("ADD ss :a", {":a": {"NS": ["1"]}}),
    ("ADD q :a", {":a": {"SS": ["q"]}}),
    ("DELETE ss :a", {":a": {"SS": ["b", "zz"]}}),
    ("DELETE ss :a", {":a": {"SS": ["a", "b"]}}),
    ("DELETE ns :a", {":a": {"NS": ["2"]}}),
    ("DELETE q :a", {":a": {"SS": ["a"]}}),
    ("DELETE n :a", {":a": {"SS": ["a"]}}),
    ("DELETE n :a", _ONE),
    ("REMOVE l[1]", None),
    ("REMOVE l[7]", None),
    ("REMOVE m.a, m.zz, m.b.c", None),
    ("REMOVE zz", None),
    ("REMOVE n, s, l, m, ss, ns, bs, b, t, u", None),
    ("SET x = :a REMOVE s ADD n :a, q :a DELETE ss :b", {":a": n(1), ":b": {"SS": ["a"]}}),
    ("set x = :a remove s", _ONE),
    ("SET x=:a,y=:a", _ONE),
    ("SET x = (:a)", _ONE),
    ("SET x = (n + :a)", _ONE),
    ("SET x = n + (n - :a)", _ONE),
    ("SET x = pk", None),
    ("SET x = n + :a - :a", _ONE),
    ("SET n = attribute_exists(s)", None),
    ("SET n = size(s)", None),
    ("SET n = foo(s)", None),
    ("SET if_not_exists(n, :a) = :a", _ONE),
    ("SET n = if_not_exists(:a, :a)", _ONE),
    ("SET n = if_not_exists(n)", None),
    ("SET n = list_append(l, :a, :a)", {":a": {"L": []}}),
    ("", None),
    ("SET", None),
    ("SET n", None),
    ("SET n =", None),
    ("SET n = :a,", _ONE),
    ("FOO n", None),
    ("SET n : :a", _ONE),
]

_CONDITIONS: Sequence[tuple[str, Mapping[str, Any] | None]] = [
    ("n = :a", {":a": n("1.0")}),
    ("n = :a", {":a": n(2)}),
    ("n = :a", {":a": s("1")}),
    ("n <> :a", _ONE),
    ("n <> :a", {":a": s("1")}),
    ("zz <> :a", _ONE),
    ("zz = :a", _ONE),
    ("zz = yy", None),
    ("zz < :a", _ONE),
    ("NOT zz < :a", _ONE),
    ("n < :a", {":a": n(2)}),
    ("n <= :a", _ONE),
    ("n >= :a", _ONE),
    ("n > :a", _ONE),
    ("n > :a", {":a": n("0.9999999999999999999999999999999999999")}),
    ("n < :a", {":a": s("x")}),
    ("s < :a", {":a": s("abd")}),
    ("s < :a", {":a": s("ab")}),
    ("s < :a", {":a": s("abc\U0001f600")}),
    ("b < :a", {":a": {"B": b"abd"}}),
    ("b < :a", {":a": {"B": b"abc"}}),
    ("n = :a", {":a": {"BOOL": True}}),
    ("t = :a", {":a": {"BOOL": True}}),
    ("u = :a", {":a": {"NULL": True}}),
    ("l = :a", {":a": {"L": [n("1.0"), s("x")]}}),
    ("l = :a", {":a": {"L": [s("x"), n(1)]}}),
    ("ss = :a", {":a": {"SS": ["b", "a"]}}),
    ("ss = :a", {":a": {"SS": ["b"]}}),
    ("m.b = :a", {":a": {"M": {"c": s("deep")}}}),
    ("n BETWEEN :a AND :b", {":a": n(0), ":b": n(1)}),
    ("n BETWEEN :a AND :b", {":a": n(2), ":b": n(3)}),
    ("n BETWEEN :a AND :b", {":a": n(2), ":b": n(1)}),
    ("n BETWEEN :a AND :b", {":a": n(2), ":b": s("x")}),
    (":a BETWEEN n AND l[0]", _ONE),
    ("n IN (:a, :b)", {":a": n(3), ":b": n("1.0")}),
    ("n IN (:a)", {":a": s("1")}),
    ("zz IN (:a)", _ONE),
    ("attribute_exists(n) AND attribute_exists(l[1]) AND attribute_exists(m.b.c)", None),
    ("attribute_exists(n.x)", None),
    ("attribute_exists(l[2])", None),
    ("attribute_not_exists(zz)", None),
    ("attribute_not_exists(m.zz) AND attribute_not_exists(s[0])", None),
    ("attribute_type(n, :a)", {":a": s("N")}),
    ("attribute_type(n, :a)", {":a": s("S")}),
    ("attribute_type(zz, :a)", {":a": s("S")}),
    ("begins_with(s, :a)", {":a": s("ab")}),
    ("begins_with(s, :a)", {":a": s("b")}),
    ("begins_with(b, :a)", {":a": {"B": b"ab"}}),
    ("begins_with(n, :a)", {":a": s("1")}),
    ("begins_with(:a, s)", {":a": s("abcd")}),
    ("begins_with(s, :a)", _ONE),
    ("contains(s, :a)", {":a": s("bc")}),
    ("contains(s, :a)", {":a": s("z")}),
    ("contains(s, :a)", _ONE),
    ("contains(ss, :a)", {":a": s("a")}),
    ("contains(ns, :a)", {":a": n("2.0")}),
    ("contains(ns, :a)", {":a": s("2")}),
    ("contains(bs, :a)", {":a": {"B": b"y"}}),
    ("contains(b, :a)", {":a": {"B": b"bc"}}),
    ("contains(l, n)", None),
    ("contains(l, :a)", {":a": s("x")}),
    ("contains(m, :a)", {":a": s("a")}),
    ("contains(n, :a)", _ONE),
    ("contains(s, s)", None),
    ("size(s) = :a", {":a": n(3)}),
    ("size(s) = :a", {":a": n(4)}),
    ("size(l) = :a AND size(m) = :a AND size(ss) = :a AND size(ns) = :a", {":a": n(2)}),
    ("size(b) = :a", {":a": n(3)}),
    ("size(n) = :a", _ONE),
    ("size(t) > :a", {":a": n(0)}),
    ("size(zz) > :a", {":a": n(0)}),
    ("size(s) = :a", {":a": s("a")}),
    ("size(s)", None),
    (":a = :a", _ONE),
    (":b < :a", {":a": n(2), ":b": n(3)}),
    ("n = l[0]", None),
    ("n <= l[0] AND s > l[1]", None),
    ("n = :a OR s = :b AND t = :c", {":a": n(9), ":b": s("abc"), ":c": {"BOOL": True}}),
    ("(n = :a OR s = :b) AND t = :c", {":a": n(1), ":b": s("x"), ":c": {"BOOL": False}}),
    ("NOT n = :a AND s = :b", {":a": n(1), ":b": s("abc")}),
    ("NOT (n = :a AND s = :b)", {":a": n(1), ":b": s("x")}),
    ("not not n = :a", _ONE),
    ("((n = :a))", _ONE),
    ("((n = :a) AND (n = :a))", _ONE),
    ("(n = :a) OR (n = :a)", _ONE),
    ("n=:a", _ONE),
    ("n <:a", _ONE),
    ("n", None),
    ("n =", None),
    ("(n = :a", _ONE),
    ("n = :a)", _ONE),
    ("n = :a AND", _ONE),
    ("n = :a n = :a", _ONE),
    ("foo(n)", None),
    ("if_not_exists(n, :a)", _ONE),
    ("n == :a", _ONE),
    ("n != :a", _ONE),
    ("n IN :a", _ONE),
    ("n IN ()", None),
    ("n = (:a)", _ONE),
    ("l[-1] = :a", _ONE),
    ("l[a] = :a", _ONE),
    ("l[0 = :a", _ONE),
    ("1n = :a", _ONE),
    ("n-x = :a", _ONE),
    ("m..a = :a", _ONE),
    ("attribute_exists(n, s)", None),
    ("", None),
    ("#a = :a", _ONE),
    ("n.#a = :a", _ONE),
    ("n = :b", _ONE),
]

_GROUP = [
    *(put(f"s{number}", n=n(number), g=s("g"), r=n(number // 2), a=s("A"), z=s("Z")) for number in range(5)),
    put("t1", g=s("g"), r=n(-1.5)),
    put("t2", g=s("other"), r=n(10)),
    put("t3", g=s("g")),
    put("s0", pk="q"),
]
_P, _G = {":p": s("p")}, {":p": s("g")}


def _after(sk: str, **further: Any) -> dict[str, Any]:
    return {**key(sk), **further}


_READS: dict[str, Sequence[Call]] = {
    "the order of sort keys": [
        query("pk = :p", _P),
        query("pk = :p", _P, ScanIndexForward=False),
        query("pk = :p", {":p": s("nothing")}),
        query("pk = :p", {":p": s("nothing")}, ConsistentRead=True),
    ],
    "ranges": [
        query("pk = :p AND sk > :s", {**_P, ":s": s("s2")}),
        query("pk = :p AND sk >= :s", {**_P, ":s": s("s2")}, ScanIndexForward=False),
        query("pk = :p AND sk < :s", {**_P, ":s": s("s2")}),
        query("pk = :p AND sk <= :s", {**_P, ":s": s("s2")}),
        query("pk = :p AND sk = :s", {**_P, ":s": s("s2")}),
        query("pk = :p AND sk = :s", {**_P, ":s": s("s22")}),
        query("pk = :p AND begins_with(sk, :s)", {**_P, ":s": s("s")}),
        query("pk = :p AND begins_with(sk, :s)", {**_P, ":s": s("t1x")}),
        query("pk = :p AND sk BETWEEN :s AND :t", {**_P, ":s": s("s2"), ":t": s("t1")}),
        query("pk = :p AND sk BETWEEN :s AND :t", {**_P, ":s": s("t"), ":t": s("s")}),
        query("(pk = :p) AND (sk = :s)", {**_P, ":s": s("s2")}),
        query("(pk = :p AND sk = :s)", {**_P, ":s": s("s2")}),
        query(":p = pk AND :s < sk", {**_P, ":s": s("s2")}),
        query("#p = :p", _P, ExpressionAttributeNames={"#p": "pk"}),
    ],
    "pages": [
        query("pk = :p", _P, Limit=3),
        query("pk = :p", _P, Limit=3, ExclusiveStartKey=key("s2")),
        query("pk = :p", _P, Limit=3, ExclusiveStartKey=key("s2"), ScanIndexForward=False),
        query("pk = :p", _P, Limit=8),
        query("pk = :p", _P, Limit=9),
        query("pk = :p", _P, ExclusiveStartKey=key("s22")),
        query("pk = :p", _P, ExclusiveStartKey={"pk": s("p")}),
        query("pk = :p", _P, ExclusiveStartKey={**key("s2"), "x": s("x")}),
        query("pk = :p", _P, Limit=0),
        query("pk = :p AND sk > :s", {**_P, ":s": s("s2")}, Limit=1),
    ],
    "filters": [
        query("pk = :p", {**_P, ":n": n(2)}, FilterExpression="n > :n"),
        query("pk = :p", {**_P, ":n": n(2)}, FilterExpression="n > :n", Limit=2),
        query("pk = :p", {**_P, ":n": n(2)}, FilterExpression="sk > :n"),
        query("pk = :p", _P, FilterExpression="attribute_exists(pk)"),
        query("pk = :p", _P, FilterExpression="n ="),
        query("pk = :p", {**_P, ":n": n(2)}, FilterExpression="n > :n", Select="COUNT"),
    ],
    "projections": [
        query("pk = :p", _P, ProjectionExpression="n, #r", ExpressionAttributeNames={"#r": "r"}, Limit=1),
        query("pk = :p", _P, ProjectionExpression="n, n"),
        query("pk = :p", _P, ProjectionExpression="n.a, n"),
        query("pk = :p", _P, ProjectionExpression=""),
        query("pk = :p", _P, ProjectionExpression="n,"),
        query("pk = :p", _P, ProjectionExpression="zz"),
        _ALL_KINDS,
        get(ProjectionExpression="l[1], m.b.c, pk"),
        get(ProjectionExpression="l[0], l[1], m.a, m.zz, s.x, n[0]"),
        get(ProjectionExpression="l[7], m.b"),
    ],
    "selections": [
        query("pk = :p", _P, Select="COUNT"),
        query("pk = :p", _P, Select="FOO"),
        query("pk = :p", _P, Select="SPECIFIC_ATTRIBUTES"),
        query("pk = :p", _P, Select="SPECIFIC_ATTRIBUTES", ProjectionExpression="n"),
        query("pk = :p", _P, Select="COUNT", ProjectionExpression="n"),
        query("pk = :p", _P, Select="ALL_ATTRIBUTES"),
    ],
    "mistakes": [
        query("pk = :p", {**_P, ":x": s("x")}),
        query("#a = :p", _P, ExpressionAttributeNames={"#a": "pk", "#b": "x"}),
        query("sk = :p", _P),
        query("pk = :p AND n = :n", {**_P, ":n": n(1)}),
        query("pk.a = :p", _P),
        query("", _P),
        ("Query", {"ExpressionAttributeValues": _P}),
    ],
    "an index": [
        query("g = :p", _G, IndexName=GROUPS, Select="COUNT"),
        query("g = :p AND r > :r", {**_G, ":r": n(0)}, IndexName=GROUPS, ProjectionExpression="r"),
        query("g = :p AND r = :r", {**_G, ":r": n("2.0")}, IndexName=GROUPS),
        query("g = :p AND r < :r", {**_G, ":r": n(0)}, IndexName=GROUPS),
        query("g = :p AND r BETWEEN :r AND :t", {**_G, ":r": n(2), ":t": n(10)}, IndexName=GROUPS),
        query("g = :p", {":p": s("other")}, IndexName=GROUPS, Limit=1),
        query("g = :p", {":p": s("other")}, IndexName=GROUPS, Limit=2),
        query("g = :p AND r = :r", {**_G, ":r": n("-1.5")}, IndexName=GROUPS, ScanIndexForward=False),
        query("g = :p", {":p": s("other")}, IndexName=GROUPS, ExclusiveStartKey=_after("t2", g=s("other"), r=n(10))),
        query("g = :p", _G, IndexName=GROUPS, ExclusiveStartKey=key("s1")),
        query("g = :p", _G, IndexName=GROUPS, ConsistentRead=True),
        query("g = :p", _G, IndexName="nope"),
        query("g = :p", _G, IndexName=GROUPS, Select="ALL_ATTRIBUTES"),
        query("g = :p", {":p": s("other")}, IndexName=EVERYTHING, Select="ALL_ATTRIBUTES"),
        query("g = :p", {":p": s("other")}, IndexName=EVERYTHING),
        query("pk = :p", _P, IndexName=GROUPS),
    ],
    "an index follows": [
        update("SET g = :a", {":a": s("other")}, sk="s0"),
        query("g = :p AND r = :r", {":p": s("other"), ":r": n(0)}, IndexName=GROUPS),
        update("REMOVE r", sk="s0"),
        query("g = :p AND r = :r", {":p": s("other"), ":r": n(0)}, IndexName=GROUPS),
        ("DeleteItem", {"Key": key("t2")}),
        query("g = :p", {":p": s("other")}, IndexName=GROUPS),
        query("g = :p", {":p": s("other")}, IndexName=EVERYTHING),
    ],
    "scans": [
        ("Scan", {"ReturnConsumedCapacity": "INDEXES"}),
        ("Scan", {"ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL"}),
        (
            "Scan",
            {
                "FilterExpression": "sk > :n AND attribute_exists(n)",
                "ExpressionAttributeValues": {":n": s("s2")},
                "ReturnConsumedCapacity": "TOTAL",
            },
        ),
        ("Scan", {"Select": "COUNT"}),
        ("Scan", {"Limit": 100}),
        ("Scan", {"IndexName": GROUPS, "ReturnConsumedCapacity": "INDEXES"}),
        ("Scan", {"IndexName": EVERYTHING}),
        ("Scan", {"IndexName": GROUPS, "ConsistentRead": True}),
        ("Scan", {"ProjectionExpression": "n"}),
        ("Scan", {"FilterExpression": "n >"}),
        ("Scan", {"Limit": 0}),
    ],
}


def _batch_get(*keys: Any, **further: Any) -> Call:
    return "BatchGetItem", {
        "RequestItems": {"TABLE": {"Keys": list(keys), **further}},
        "ReturnConsumedCapacity": "TOTAL",
    }


def _batch_write(*requests: Any) -> Call:
    return "BatchWriteItem", {"RequestItems": {"TABLE": list(requests)}, "ReturnConsumedCapacity": "INDEXES"}


def _putting(sk: str, **attributes: Any) -> dict[str, Any]:
    return {"PutRequest": {"Item": {**key(sk), **attributes}}}


_BATCHES: dict[str, Sequence[Call]] = {
    "reads": [
        _batch_get(key("s0"), key("s4"), key("nothing"), key("s0", "q"), ConsistentRead=True),
        _batch_get(key("s0"), key("nothing")),
        _batch_get(key("s0"), ProjectionExpression="n"),
        _batch_get(key("s0"), key("s0")),
        _batch_get(key("")),
        _batch_get({"pk": s("p")}),
        _batch_get(),
        _batch_get(*(key(str(number)) for number in range(100))),
        _batch_get(*(key(str(number)) for number in range(101))),
        ("BatchGetItem", {"RequestItems": {}}),
    ],
    "writes": [
        _batch_write(_putting("b1", g=s("g"), r=n(1)), {"DeleteRequest": {"Key": key("s1")}}),
        _batch_write(_putting("b1", g=s("h"), r=n(1)), {"DeleteRequest": {"Key": key("nothing")}}),
        _batch_write(_putting("b1"), {"DeleteRequest": {"Key": key("b1")}}),
        _batch_write(_putting("c1"), _putting("")),
        _batch_write(_putting("c1"), _putting("c2", a=s("x" * 409_600))),
        _batch_write(_putting("c1"), _putting("c2", g=n(1))),
        _batch_write(*(_putting(f"d{number}") for number in range(25))),
        _batch_write(),
    ],
}


def _action(kind: str, sk: str, **further: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"Key": key(sk), **further}


def _put_action(sk: str, **attributes: Any) -> tuple[str, dict[str, Any]]:
    return "Put", {"Item": {**key(sk), **attributes}}


def _add(sk: str, by: Any = 1, **further: Any) -> tuple[str, dict[str, Any]]:
    return _action("Update", sk, UpdateExpression="ADD n :a", ExpressionAttributeValues={":a": n(by)}, **further)


_OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
_THERE = "attribute_exists(pk)"

_TRANSACTIONS: dict[str, Sequence[Call]] = {
    "all kinds at once": [
        transact(
            _put_action("new", a=s("x" * 1500), g=s("g"), r=n(7)),
            _add("s1"),
            _action("Delete", "s2"),
            _action("ConditionCheck", "s3", ConditionExpression=_THERE),
            _add("made"),
        ),
        get("new"),
        get("made"),
        query("g = :p AND r > :r", {**_G, ":r": n(2)}, IndexName=GROUPS),
    ],
    "units": [
        transact(_put_action("big", a=s("x" * 2500))),
        transact(_put_action("big", a=s("x")), _action("ConditionCheck", "s3", ConditionExpression=_THERE)),
        transact(_action("Update", "s1", UpdateExpression="SET g = :a", ExpressionAttributeValues={":a": s("k")})),
        transact(_action("Update", "s1", UpdateExpression="SET z = :a", ExpressionAttributeValues={":a": s("k")})),
        transact(_action("Delete", "nothing")),
        transact(_action("Update", "made", UpdateExpression="REMOVE n")),
    ],
    "one condition stops all": [
        transact(
            _add("s1", ConditionExpression="n = :a", **_OLD),
            _add("s2", ConditionExpression="n = :a", **_OLD),
            _put_action("new"),
            _action("ConditionCheck", "nothing", ConditionExpression=_THERE, **_OLD),
            _action("Delete", "s3", ConditionExpression="attribute_not_exists(pk)"),
        ),
        get("new"),
        get("s1"),
    ],
    "an update that cannot be made stops all": [
        transact(
            _action("Update", "s1", UpdateExpression="SET n = z + :a", ExpressionAttributeValues=_ONE),
            _put_action("new"),
            _action("ConditionCheck", "nothing", ConditionExpression=_THERE),
        ),
        transact(_action("Update", "s1", UpdateExpression="SET n = nope + :a", ExpressionAttributeValues=_ONE)),
        transact(
            _put_action("new"), _action("Update", "s1", UpdateExpression="SET g = :a", ExpressionAttributeValues=_ONE)
        ),
        get("new"),
    ],
    "mistakes": [
        transact(),
        transact(_put_action("new"), _put_action("new")),
        transact(_put_action("new"), _action("ConditionCheck", "new", ConditionExpression=_THERE)),
        transact(*(_put_action(str(number)) for number in range(101))),
        transact(_put_action("new"), _put_action("")),
        transact(_put_action("new"), _put_action("new2", a=s("x" * 409_600))),
        transact(*(_put_action(str(number), a=s("x" * 399_000)) for number in range(12))),
        transact(_put_action("new", g=n(1))),
        transact(("Put", {"Item": {**key("new"), "g": n(1)}, "ConditionExpression": _THERE})),
    ],
    "a hundred": [transact(*(_put_action(f"{number:03}") for number in range(100)))],
    "the same once more": [
        transact(_add("s1"), ClientRequestToken="one"),
        transact(_add("s1"), ClientRequestToken="one"),
        transact(_add("s1", 2), ClientRequestToken="one"),
        transact(_add("s1"), ClientRequestToken="two"),
        transact(_add("s9", ConditionExpression=_THERE), ClientRequestToken="three"),
        put("s9", n=n(5)),
        transact(_add("s9", ConditionExpression=_THERE), ClientRequestToken="three"),
    ],
    "reads at one moment": [
        (
            "TransactGetItems",
            {
                "TransactItems": [{"Get": {"Key": key("s1")}}, {"Get": {"Key": key("nothing")}}],
                "ReturnConsumedCapacity": "TOTAL",
            },
        ),
    ],
    "what changes nothing is in no stream": [
        put("s1", n=n(1), g=s("g"), r=n(0), a=s("A"), z=s("Z")),
        update("SET n = :a", {":a": n("1.0")}, sk="s1"),
        update("ADD q :a DELETE w :b", {":a": {"SS": ["b", "a"]}, ":b": {"SS": ["x"]}}, sk="s1"),
        update("ADD q :a", {":a": {"SS": ["a", "b"]}}, sk="s1"),
        update("SET q = :a", {":a": {"SS": ["b", "a"]}}, sk="s1"),
        update("REMOVE nope", sk="s1"),
        transact(_add("s1", 0), _action("ConditionCheck", "s3", ConditionExpression=_THERE)),
        ("UpdateItem", {"Key": key("made")}),
        ("UpdateItem", {"Key": key("made")}),
        ("DeleteItem", {"Key": key("nothing")}),
    ],
}


@pytest.mark.parametrize("calls", [pytest.param(calls, id=name) for name, calls in _WRITES.items()])
def test_writes(pair: Pair, calls: Sequence[Call]) -> None:
    pair.compare(calls)


@pytest.mark.parametrize("returned", ["ALL_NEW", "ALL_OLD"])
def test_updates(pair: Pair, returned: str) -> None:
    pair.compare(
        [
            call
            for expression, values in _UPDATES
            for call in (_ALL_KINDS, update(expression, values, ReturnValues=returned))
        ]
    )


def test_conditions(pair: Pair) -> None:
    pair.compare([call for expression, values in _CONDITIONS for call in (_ALL_KINDS, condition(expression, values))])


@pytest.mark.parametrize(
    "calls", [pytest.param(calls, id=name) for name, calls in {**_READS, **_BATCHES, **_TRANSACTIONS}.items()]
)
def test_with_items_there(pair: Pair, calls: Sequence[Call]) -> None:
    pair.compare([*_GROUP, *calls])


# ---- where AWS alone is followed ----

_UPDATE_GUIDE = "developer guide, Using update expressions"
_DYNALITE = "dynalite, whose tests were run against AWS"


def _refused(why: str, error: str = "ValidationException") -> Outcome:
    return {"error": error, "why": why}


def _updated(**attributes: Any) -> Outcome:
    return {"Attributes": attributes, "ConsumedCapacity": _one_unit("Table")}


def _one_unit(*parts: str) -> dict[str, Any]:
    return {"TableName": "t", "CapacityUnits": 1.0, **{part: {"CapacityUnits": 1.0} for part in parts}}


_LIST = put(l={"L": [n(1), s("x"), n(3)]}, ns={"NS": ["1", "2"]}, n=n(1), m={"M": {"a": n(1), "b": n(2)}})
_WRONG_KIND = "Incorrect operand type for operator or function; operator:"
_AWS_ALONE: Sequence[tuple[str, str, Call, Outcome]] = [
    (
        "indexes behind the end append in their order",
        _UPDATE_GUIDE,
        update("SET l[9] = :a, l[7] = :b", {":a": n(9), ":b": n(7)}, ReturnValues="ALL_NEW"),
        _updated(**_LIST[1]["Item"] | {"l": {"L": [n(1), s("x"), n(3), n(7), n(9)]}}),
    ),
    (
        "indexes mean places in the list as it was",
        _UPDATE_GUIDE,
        update("REMOVE l[0], l[1]", ReturnValues="ALL_NEW"),
        _updated(**_LIST[1]["Item"] | {"l": {"L": [n(3)]}}),
    ),
    (
        "only what was updated is returned",
        "API reference, UpdateItem, ReturnValues; " + _DYNALITE,
        update("SET l[1] = :a, m.b = :a", {":a": n(5)}, ReturnValues="UPDATED_NEW"),
        _updated(l={"L": [n(5)]}, m={"M": {"b": n(5)}}),
    ),
    (
        "there is nothing old of a new item",
        _DYNALITE,
        update("SET a = :a", _ONE, sk="new", ReturnValues="ALL_OLD"),
        {"ConsumedCapacity": _one_unit("Table")},
    ),
    (
        "numbers in sets are equal as numbers",
        "developer guide, Supported data types",
        update("DELETE ns :a", {":a": {"NS": ["2.0"]}}, ReturnValues="UPDATED_NEW"),
        _updated(ns={"NS": ["1"]}),
    ),
    (
        "nothing is removed from a map that is not there",
        _DYNALITE,
        update("REMOVE zz.y"),
        _refused("The document path provided in the update expression is invalid for update"),
    ),
    (
        "one value is not a map and a list",
        _DYNALITE,
        update("SET m.a = :a, m[0] = :a", _ONE),
        _refused(
            "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these"
            " paths; path one: [m, a], path two: [m, [0]]"
        ),
    ),
    (
        "only numbers, text and binary have an order",
        _DYNALITE,
        condition("n < :a", {":a": {"BOOL": True}}),
        _refused(f"Invalid ConditionExpression: {_WRONG_KIND} <, operand type: BOOL"),
    ),
    (
        "types have names",
        _DYNALITE,
        condition("attribute_type(n, :a)", {":a": s("X")}),
        _refused("Invalid ConditionExpression: Invalid attribute type name found; type: X"),
    ),
    (
        "an attribute is not compared with itself",
        _DYNALITE,
        condition("n = n"),
        _refused(
            "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this"
            " operator or function; operator: =, first operand: [n]"
        ),
    ),
    (
        "names that nobody uses are refused before the condition is looked at",
        _DYNALITE,
        condition("n > :a", _ONE, ExpressionAttributeNames={"#x": "x"}),
        _refused("Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"),
    ),
    (
        "names have a letter at least",
        "developer guide, Naming rules",
        ("PutItem", {"Item": {**key(), "": s("a")}}),
        _refused("One or more parameter values were invalid: An attribute name must not be empty"),
    ),
    (
        "a transaction does not change a key",
        "API reference, TransactWriteItems: the rules of UpdateItem hold",
        transact(_action("Update", "s", UpdateExpression="SET pk = :a", ExpressionAttributeValues={":a": s("x")})),
        _refused(
            "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"
        ),
    ),
    (
        "a mistake in an expression is one of the whole transaction",
        "developer guide, Managing complex workflows with transactions: reasons are about items, mistakes are not",
        transact(_action("Update", "s", UpdateExpression="ADD n :a", ExpressionAttributeValues={":a": s("x")})),
        _refused(f"Invalid UpdateExpression: {_WRONG_KIND} ADD, operand type: STRING"),
    ),
    (
        "an action is one action",
        "API reference, TransactWriteItem",
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"Item": key()}, "Delete": {"Key": key()}}]},
        ),
        _refused("TransactItems can only contain one of Check, Put, Update or Delete"),
    ),
    (
        "the keys of a query come in any order",
        "developer guide, Key condition expressions for the Query operation",
        query("sk = :s AND pk = :p", {":p": s("p"), ":s": s("s")}, Select="COUNT"),
        {"Count": 1, "ScannedCount": 1, "ConsumedCapacity": _one_unit("Table") | {"CapacityUnits": 0.5}},
    ),
    (
        "a key has two parts at most",
        _DYNALITE,
        query("pk = :p AND sk > :p AND sk < :p", {":p": s("p")}),
        _refused("Conditions can be of length 1 or 2 only"),
    ),
    (
        "a partition is named",
        _DYNALITE,
        query("pk > :p", {":p": s("p")}),
        _refused("Query key condition not supported"),
    ),
    (
        "a key has its type",
        _DYNALITE,
        query("pk = :p", {":p": n(1)}),
        _refused("One or more parameter values were invalid: Condition parameter type does not match schema type"),
    ),
    (
        "no key is empty",
        _DYNALITE,
        query("pk = :p", {":p": s("")}),
        _refused(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
            " string value. Key: pk"
        ),
    ),
    (
        "a page starts in its partition",
        _DYNALITE,
        query("pk = :p", {":p": s("p")}, ExclusiveStartKey=key("s", "other")),
        _refused("The provided starting key is outside query boundaries based on provided conditions"),
    ),
]


@pytest.mark.parametrize(("call", "expected"), [pytest.param(call, out, id=name) for name, _, call, out in _AWS_ALONE])
def test_as_aws_has_it(call: Call, expected: Outcome) -> None:
    memory = MemoryDynamoDb(lambda: _NOON)
    memory.create_table(build.definition("t"))
    memory.call(*build.at_table(_LIST, "t"))
    found = dict(outcome(memory.call, *build.at_table(call, "t")))
    if call[0] == "Query" and "ConsumedCapacity" in found:
        found["ConsumedCapacity"] = {**found["ConsumedCapacity"], "Table": {"CapacityUnits": 1.0}}
    assert found == expected


def test_a_page_is_a_megabyte() -> None:
    """Dynoxide counts the item that no longer fits among those that were read."""
    memory = MemoryDynamoDb(lambda: _NOON)
    memory.create_table(build.definition("t"))
    for number in range(5):
        memory.call(*build.at_table(put(str(number), a=s("x" * 300_000)), "t"))
    page = memory.call(*build.at_table(query("pk = :p", _P), "t"))
    assert (page["Count"], page["ScannedCount"], page["LastEvaluatedKey"]) == (3, 3, key("2"))
    assert page["ConsumedCapacity"]["CapacityUnits"] == 110
    rest = memory.call(*build.at_table(query("pk = :p", _P, ExclusiveStartKey=page["LastEvaluatedKey"]), "t"))
    assert (rest["Count"], "LastEvaluatedKey" in rest) == (2, False)


# ---- any calls ----

_SORTS = st.sampled_from(["1", "2", "3"])
_NUMBERS = st.sampled_from(["0", "1", "-1", "2", "0.5", "10", "-0.25", "1e3"])
_TEXTS = st.sampled_from(["", "a", "ab", "b", "é", "x" * 1100])
_SCALARS = st.one_of(
    _NUMBERS.map(n), _TEXTS.map(s), st.sampled_from([{"BOOL": True}, {"NULL": True}, {"B": b"ab"}, {"B": b""}])
)
_VALUES = st.one_of(
    _SCALARS,
    st.lists(_SCALARS, max_size=3).map(lambda values: {"L": values}),
    st.dictionaries(st.sampled_from(["a", "b"]), _SCALARS).map(lambda values: {"M": values}),
    st.sets(st.sampled_from("abc"), min_size=1).map(lambda members: {"SS": sorted(members)}),
    st.sets(st.sampled_from("123"), min_size=1).map(lambda members: {"NS": sorted(members)}),
)
_ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("a", "b", "c"), _VALUES),
        "g": st.sampled_from([s("g"), s("h"), s(""), n(1)]),
        "r": st.one_of(_NUMBERS.map(n), st.just(s("x"))),
    },
)
_NAMES = st.sampled_from(["a", "b", "c"])
_RETURNED = st.sampled_from(["NONE", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])


_FORMS = (
    "{path} = {any}",
    "{path} <> {any}",
    "{path} < {ordered}",
    "{path} >= {ordered}",
    "{path} BETWEEN {low} AND {high}",
    "{path} IN ({any}, {scalar})",
    "attribute_exists({path})",
    "attribute_not_exists({path})",
    "contains({path}, {scalar})",
    "size({path}) > {high}",
)


@st.composite
def _condition(draw: st.DrawFn) -> dict[str, Any]:
    """A condition of up to three parts, with its values."""
    values: dict[str, Any] = {}

    def value(of: st.SearchStrategy[Any] = _VALUES) -> str:
        name = f":c{len(values)}"
        values[name] = draw(of)
        return name

    def part() -> str:
        path = draw(st.sampled_from(["a", "b", "c", "a.a", "b[0]", "c.b", "c[1]", "pk", "g"]))
        form = draw(st.sampled_from(_FORMS))
        return form.format(
            path=path,
            any=value(_VALUES) if "{any}" in form else "",
            scalar=value(_SCALARS) if "{scalar}" in form else "",
            ordered=value(st.one_of(_NUMBERS.map(n), _TEXTS.map(s))) if "{ordered}" in form else "",
            low=value(st.just(n(0))) if "{low}" in form else "",
            high=value(st.sampled_from([n(0), n(1), n("2.5")])) if "{high}" in form else "",
        )

    parts = [f"{draw(st.sampled_from(['', 'NOT ']))}{part()}" for _ in range(draw(st.integers(1, 3)))]
    text = parts[0]
    for further in parts[1:]:
        text += f" {draw(st.sampled_from(['AND', 'OR']))} {further}"
    # Where a part decides, Dynoxide does not look at names that are wrong further on: there are none here.
    return {"ConditionExpression": text, **({"ExpressionAttributeValues": values} if values else {})}


@st.composite
def _changes_of(draw: st.DrawFn) -> dict[str, Any]:
    """An update expression whose paths do not overlap, with its values."""
    values: dict[str, Any] = {}
    sections: dict[str, list[str]] = {}

    def value(of: st.SearchStrategy[Any]) -> str:
        name = f":u{len(values)}"
        values[name] = draw(of)
        return name

    sets = st.sampled_from([{"SS": ["a"]}, {"SS": ["b", "c"]}, {"NS": ["1", "3"]}])
    for name in draw(st.sets(st.sampled_from(["a", "b", "c", "g", "r"]), min_size=1)):
        kind = draw(st.sampled_from(["SET", "SET", "count", "default", "append", "REMOVE", "ADD", "ADD set", "DELETE"]))
        if kind == "SET":
            action = f"{name} = {value(_VALUES)}"
        elif kind == "count":
            action = f"{name} = {name} {draw(st.sampled_from('+-'))} {value(_NUMBERS.map(n))}"
        elif kind == "default":
            action = f"{name} = if_not_exists({draw(_NAMES)}, {value(_VALUES)})"
        elif kind == "append":
            action = f"{name} = list_append({name}, {value(st.just({'L': [n(7)]}))})"
        elif kind == "REMOVE":
            action = name
        else:
            action = f"{name} {value(_NUMBERS.map(n) if kind == 'ADD' else sets)}"
        section = {"count": "SET", "default": "SET", "append": "SET", "ADD set": "ADD"}.get(kind, kind)
        sections.setdefault(section, []).append(action)
    text = " ".join(f"{section} {', '.join(actions)}" for section, actions in sections.items())
    return {"UpdateExpression": text, **({"ExpressionAttributeValues": values} if values else {})}


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    values = {**one.get("ExpressionAttributeValues", {}), **other.get("ExpressionAttributeValues", {})}
    return {**one, **other, **({"ExpressionAttributeValues": values} if values else {})}


_CONDITIONED = st.one_of(st.just({}), _condition())
_PUTS = st.builds(lambda sk, item, further: {"Item": {**item, **key(sk)}, **further}, _SORTS, _ATTRIBUTES, _CONDITIONED)
_UPDATED = st.builds(
    lambda sk, change, further: {"Key": key(sk), **_joined(change, further)}, _SORTS, _changes_of(), _CONDITIONED
)
_DELETED = st.builds(lambda sk, further: {"Key": key(sk), **further}, _SORTS, _CONDITIONED)
_FAILING = st.sampled_from([{}, _OLD])
_ALONE = {"ReturnConsumedCapacity": "INDEXES"}
_ACTIONS = st.one_of(
    st.tuples(st.just("Put"), _PUTS),
    st.tuples(st.just("Update"), _UPDATED),
    st.tuples(st.just("Delete"), _DELETED),
    st.tuples(st.just("ConditionCheck"), st.builds(lambda sk, held: {"Key": key(sk), **held}, _SORTS, _condition())),
)
_CALLS = st.one_of(
    st.builds(lambda given, old: ("PutItem", {**given, **old, **_ALONE}), _PUTS, _FAILING),
    st.builds(
        lambda given, old, kind: ("UpdateItem", {**given, **old, **_ALONE, "ReturnValues": kind}),
        _UPDATED,
        _FAILING,
        _RETURNED,
    ),
    st.builds(lambda given, old: ("DeleteItem", {**given, **old, **_ALONE}), _DELETED, _FAILING),
    st.builds(
        lambda actions: transact(*actions), st.lists(st.builds(lambda a, o: (a[0], {**a[1], **o}), _ACTIONS, _FAILING))
    ),
    st.builds(get, _SORTS),
    st.builds(
        lambda g, forward: query("g = :g", {":g": s(g)}, IndexName=GROUPS, ScanIndexForward=forward, Select="COUNT"),
        st.sampled_from(["g", "h"]),
        st.booleans(),
    ),
    st.builds(
        lambda sk, limit, forward: query(
            "pk = :p AND sk >= :s", {**_P, ":s": s(sk)}, Limit=limit, ScanIndexForward=forward
        ),
        _SORTS,
        st.integers(1, 3),
        st.booleans(),
    ),
)


@settings(max_examples=settings().max_examples // 2)
@given(calls=st.lists(_CALLS, min_size=4, max_size=14))
def test_any_calls(pair: Pair, calls: list[Call]) -> None:
    pair.compare(calls, by_words=False)
