"""What stands for boto3's clients and for the webhooks' own: the few calls that our code makes of them."""

import io
import json
import logging
from collections.abc import Mapping
from typing import Any

from shared.kernel.errors import Retry
from tests.simulation.cloud.cloud import Cloud, Failures

SECRET = "wh-secret-1"
STDLIB = Failures(lambda: Retry("aws_unreachable", "time-out"), lambda: Retry("aws_refused", "throttled"))


def parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


class Sqs:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def send_message(self, **request: Any) -> dict[str, Any]:
        queue = _name(request["QueueUrl"])

        def do() -> dict[str, Any]:
            self._cloud.send(queue, request["MessageBody"], request.get("MessageAttributes"))
            return {"MessageId": "sent"}

        return self._cloud.call(f"SendMessage {queue}", do)

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        queue, entries = _name(request["QueueUrl"]), request["Entries"]

        def do() -> dict[str, Any]:
            refused = [entry for entry in entries if self._cloud.weather.chance("entry_refused")]
            for entry in entries:
                if entry not in refused:
                    self._cloud.send(queue, entry["MessageBody"], delay=entry.get("DelaySeconds", 0))
            return {"Failed": [{"Id": entry["Id"]} for entry in refused]}

        return self._cloud.call(f"SendMessageBatch {queue}", do)

    def change_message_visibility(self, **request: Any) -> None:
        queue = _name(request["QueueUrl"])
        receipt, seconds = request["ReceiptHandle"], float(request["VisibilityTimeout"])
        self._cloud.call(
            f"ChangeMessageVisibility {queue}", lambda: self._cloud.change_visibility(queue, receipt, seconds)
        )


class S3:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def put_object(self, **request: Any) -> None:
        store(self._cloud, request["Key"], request["Body"])

    def get_object(self, **request: Any) -> dict[str, Any]:
        objects = self._cloud.objects
        return self._cloud.call("GetObject", lambda: {"Body": io.BytesIO(objects[request["Key"]])})


def store(cloud: Cloud, key: str, body: bytes) -> None:
    def do() -> None:
        cloud.objects[key] = body

    cloud.call("PutObject", do)


class Secrets:
    """The keys of marks and links; no shop's credentials, for nobody is asked over HTTP here."""

    def get_secret_value(self, **_: Any) -> dict[str, Any]:
        return {"SecretString": json.dumps({"root": "simulated-secret-of-thirty-two-characters"})}


class Bus:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def put_events(self, **request: Any) -> dict[str, Any]:
        entries = request["Entries"]

        def do() -> dict[str, Any]:
            refused = [entry for entry in entries if self._cloud.weather.chance("entry_refused")]
            self._cloud.bus += [entry for entry in entries if entry not in refused]
            return {"FailedEntryCount": len(refused)}

        return self._cloud.call("PutEvents", do)


def stdlib_call(cloud: Cloud, target: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The webhooks' calls, made without boto3."""
    match target:
        case "AmazonSQS.SendMessage":
            queue = _name(body["QueueUrl"])
            cloud.call(f"SendMessage {queue}", lambda: cloud.send(queue, body["MessageBody"]), STDLIB)
            return {}
        case "AmazonSSM.GetParameter":
            return {"Parameter": {"Value": json.dumps(SHOPS)}}
        case "secretsmanager.GetSecretValue":
            return {"SecretString": json.dumps({shop: [SECRET] for shop in SHOPS["shops"]})}
    raise NotImplementedError(target)


SHOPS: dict[str, Any] = {
    "shops": {
        "aurora": {"platform": "shopify", "address": "aurora.myshopify.com"},
        "borealis": {"platform": "woocommerce", "address": "borealis.example"},
    }
}
"""What the webhooks read of the settings: who the shops are."""


class Listener(logging.Handler):
    """Stands for the logger and the metrics: keeps what it hears."""

    def __init__(self, heard: list[tuple[str, str, Mapping[str, Any]]]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        facts = {name: getattr(record, name) for name in ("code", "field", "reason") if hasattr(record, name)}
        self._heard.append((record.levelname.lower(), record.getMessage(), facts))

    def info(self, words: str, *, extra: Mapping[str, Any] | None = None) -> None:
        self._heard.append(("info", words, extra or {}))

    def warning(self, words: str, *, extra: Mapping[str, Any] | None = None) -> None:
        self._heard.append(("warning", words, extra or {}))

    def error(self, words: str, *, extra: Mapping[str, Any] | None = None) -> None:
        self._heard.append(("error", words, extra or {}))

    def count(self, metric: str, amount: int = 1, **dimensions: str) -> None:
        del amount
        self._heard.append(("metric", metric, dimensions))


def _name(url: str) -> str:
    return url.rpartition("/")[2]
