"""Functions that do what they are told, for the tests of the local stack."""

import json
import os
import signal
import threading
from typing import Any

import boto3


def echo(event: dict[str, Any], _context: object) -> Any:
    told = event.get("queryStringParameters", {}).get("do", "echo") if "version" in event else event.get("do", "echo")
    if told == "fail":
        raise ValueError("told to fail")
    if told == "exit":
        os._exit(7)
    if told == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if told == "hang":
        threading.Event().wait()
    if told == "too much":
        return "x" * (6 * 1024 * 1024 + 200)
    if told == "nonsense":
        return {"statusCode": "many"}
    seen = {"event": event, "environment": dict(os.environ)}
    return {"statusCode": 201, "headers": {"X-Told": "echo"}, "body": json.dumps(seen)}


def work(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Keep each message's body as an item; report the ones that say `fail`."""
    table = boto3.client("dynamodb")
    failures = []
    for record in event["Records"]:
        if record["body"].startswith("fail"):
            failures.append({"itemIdentifier": record["messageId"]})
        else:
            table.put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": record["body"]}, "raw": {"B": b"\x00\xff"}})
    return {"batchItemFailures": failures}


def watch(event: dict[str, Any], _context: object) -> None:
    """Name each new item on a queue; fail on the ones that say `poison`."""
    names = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
    if any(name.startswith("poison") for name in names):
        raise ValueError("poison")
    for record in event["Records"]:
        _note(json.dumps(record))


def tick(event: dict[str, Any], _context: object) -> None:
    if event["do"] == "fail":
        raise ValueError("told to fail")
    _note("ticked")


def _note(text: str) -> None:
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN_URL"], MessageBody=text)
