"""Requests for DynamoDB engines, and the table that they are about."""

from collections.abc import Mapping
from typing import Any

Call = tuple[str, Mapping[str, Any]]
"""Operation and request in boto3's form; a missing `TableName` is the table under test."""

GROUPS = "by-group"
EVERYTHING = "everything"


def s(text: str) -> dict[str, str]:
    return {"S": text}


def n(number: object) -> dict[str, str]:
    return {"N": str(number)}


def key(sk: str = "s", pk: str = "p") -> dict[str, Any]:
    return {"pk": s(pk), "sk": s(sk)}


def definition(name: str) -> dict[str, Any]:
    """A table with text keys, an index by text and number that holds `a` besides, and one that holds everything."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "g", "AttributeType": "S"},
            {"AttributeName": "r", "AttributeType": "N"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": GROUPS,
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a"]},
            },
            {
                "IndexName": EVERYTHING,
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            },
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def put(sk: str = "s", *, pk: str = "p", **attributes: Any) -> Call:
    return "PutItem", {"Item": {**key(sk, pk), **attributes}, "ReturnConsumedCapacity": "INDEXES"}


def update(expression: str, values: Mapping[str, Any] | None = None, *, sk: str = "s", **further: Any) -> Call:
    request = {"Key": key(sk), "UpdateExpression": expression, "ReturnConsumedCapacity": "INDEXES", **further}
    if values:
        request["ExpressionAttributeValues"] = values
    return "UpdateItem", request


def condition(expression: str, values: Mapping[str, Any] | None = None, *, sk: str = "s", **further: Any) -> Call:
    """A condition: whether a delete of what is there is refused."""
    request = {"Key": key(sk), "ConditionExpression": expression, "ReturnConsumedCapacity": "TOTAL", **further}
    if values:
        request["ExpressionAttributeValues"] = values
    return "DeleteItem", request


def get(sk: str = "s", **further: Any) -> Call:
    return "GetItem", {"Key": key(sk), "ReturnConsumedCapacity": "TOTAL", **further}


def query(expression: str, values: Mapping[str, Any], **further: Any) -> Call:
    return "Query", {
        "KeyConditionExpression": expression,
        "ExpressionAttributeValues": values,
        "ReturnConsumedCapacity": "INDEXES",
        **further,
    }


def transact(*actions: tuple[str, Mapping[str, Any]], **further: Any) -> Call:
    """Actions by kind; a missing `TableName` is the table under test."""
    items = [{kind: given} for kind, given in actions]
    return "TransactWriteItems", {"TransactItems": items, "ReturnConsumedCapacity": "INDEXES", **further}


def at_table(call: Call, table: str) -> Call:
    """The call with the table's name wherever it belongs."""
    operation, request = call
    if operation.startswith("Transact"):
        items = [
            {kind: {"TableName": table, **given} for kind, given in item.items()} for item in request["TransactItems"]
        ]
        return operation, {**request, "TransactItems": items}
    if operation.startswith("Batch"):
        by_table = {table if name == "TABLE" else name: given for name, given in request["RequestItems"].items()}
        return operation, {**request, "RequestItems": by_table}
    return operation, {"TableName": table, **request}
