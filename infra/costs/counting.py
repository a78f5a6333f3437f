"""Counts what a running function does to the outside: requests to AWS as the services bill them, calls to vendors."""

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import httpx

from infra.costs.usage import Item, Place, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Metric = str
"""A custom metric of CloudWatch, its name and its dimensions: `StockDrift service=stock-sync, shop=aurora`. Each
combination is billed."""

_CHUNK: Final = 64 * 1024
"""SQS and EventBridge bill a request, and an event, for each 64 KB begun."""
_LOG_EVENT_BYTES: Final = 26
"""CloudWatch bills so much for every log event beside its text (CloudWatch Logs' documentation of PutLogEvents)."""
_LOOPBACK: Final = "127.0.0.1"
"""Where the back office and the payment provider are; storefronts are called by their names."""
_LINE_NUMBER: Final = re.compile(r'("location":"[^":]*):\d+"')

WAIT_MS: Final[Mapping[str, float]] = {
    "TransactWriteItems": 25.0,
    "BatchWriteItem": 10.0,
    "SendMessage": 10.0,
    "SendMessageBatch": 10.0,
    "PutEvents": 15.0,
    "PutObject": 30.0,
    "GetObject": 20.0,
    "SendEmail": 50.0,
    "storefront": 500.0,
    "vendor": 250.0,
}
"""Milliseconds that a function waits for one call. A transaction of five: DeBrie's measurement from Lambda (2020),
median; a storefront's: half a second, as planned for Shopify; the others are assumptions, none is published."""
OTHER_WAIT_MS: Final = 7.6
"""Of one item in DynamoDB, by the same measurement; taken for every other call too."""

_SDK_MS: Final[Mapping[str, float]] = {"TransactWriteItems": 0.787}
_OTHER_SDK_MS: Final = 0.365
"""CPU of botocore for a call to DynamoDB, as measured for this project's plan; the engine here is called without it."""


class Counts:
    """What was counted since the last look, by the function that runs. One function at a time."""

    def __init__(self) -> None:
        self.function: str | None = None
        """Who runs now; what happens meanwhile is its doing. None: it is the provider's or the operator's."""
        self.object_bytes = 0
        """Written to S3 so far, by functions."""
        self._amounts: Counter[Place] = Counter()
        self.operations: Counter[tuple[str, str]] = Counter()
        """Calls by function and operation, for whoever wants to know where an amount comes from."""

    def add(self, item: Item, amount: float, *, function: str | None = None) -> None:
        owner = function or self.function
        if owner is not None and amount:
            self._amounts[owner, item] += amount  # type: ignore[assignment]  # a Counter of floats does as well

    def called(self, operation: str) -> None:
        """A call to anything but DynamoDB."""
        if self.function is not None:
            self.operations[self.function, operation] += 1
            self.add(Item.WAIT_MS, WAIT_MS.get(operation.partition(" ")[0], OTHER_WAIT_MS))

    def take(self) -> Usage:
        taken, self._amounts = Usage(dict(self._amounts)), Counter()
        return taken

    def put(self, usage: Usage) -> None:
        """Take this for what was counted."""
        self._amounts = Counter(usage.amounts)

    # ---- DynamoDB ----

    def consumed(self, operation: str, table: str, read: float, written: float) -> None:
        """A table's part of a call: the engine's own account of it."""
        self.add(Item.READ_UNITS, read)
        self.add(Item.WRITE_UNITS, written)
        if self.function is not None:
            self.operations[self.function, f"{operation} {table.rpartition('-')[2]}"] += 1

    def database_called(self, operation: str) -> None:
        self.add(Item.WAIT_MS, WAIT_MS.get(operation, OTHER_WAIT_MS))
        self.add(Item.SDK_MS, _SDK_MS.get(operation, _OTHER_SDK_MS))

    # ---- the other services, at the server that stands for them ----

    def watching(self, application: "WSGIApplication") -> "WSGIApplication":
        """The same WSGI application, with its requests counted."""

        def counted(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length)
            environ["wsgi.input"] = io.BytesIO(body)
            if self.function is not None:
                self._requested(environ, body)
            return application(environ, start_response)

        return counted

    def _requested(self, environ: "WSGIEnvironment", body: bytes) -> None:
        service, _, operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")
        if service == "AmazonSQS":
            self.add(Item.QUEUE_REQUESTS, chunks(len(body)))
        elif service == "AWSEvents":
            self.add(Item.EVENTS, sum(chunks(len(json.dumps(entry))) for entry in json.loads(body)["Entries"]))
        elif service == "secretsmanager":
            self.add(Item.SECRET_READS, 1)
        elif not service:
            operation = self._other(environ, body)
        self.called(operation)

    def _other(self, environ: "WSGIEnvironment", body: bytes) -> str:
        """Services whose operation is in the method and path: S3, SES. Any other would go uncounted, so it fails."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path.startswith("/v2/email/"):
            self.add(Item.MAILS, len(json.loads(body)["Destination"]["ToAddresses"]))
            return "SendEmail"
        if parse_qs(environ.get("QUERY_STRING", "")).get("list-type"):
            self.add(Item.OBJECT_WRITES, 1)  # S3 bills a list as a write
            return "ListObjectsV2"
        if method in {"GET", "HEAD"}:
            self.add(Item.OBJECT_READS, 1)
            return "GetObject"
        if method == "PUT":
            self.add(Item.OBJECT_WRITES, 1)
            self.object_bytes += len(body)
            return "PutObject"
        raise AssertionError(f"no price is known for {method} {path}")

    # ---- vendors ----

    @contextmanager
    def watching_vendors(self) -> "Iterator[None]":
        """Count every HTTP request that a function sends to a vendor, whichever client it has."""
        send: Callable[..., httpx.Response] = httpx.Client.send

        def counted(client: httpx.Client, request: httpx.Request, **given: Any) -> httpx.Response:
            self.add(Item.CALLS_TO_VENDORS, 1)
            self.called(f"{'vendor' if request.url.host == _LOOPBACK else 'storefront'} {request.url.host}")
            return send(client, request, **given)

        httpx.Client.send = counted  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            httpx.Client.send = send  # type: ignore[method-assign]


def chunks(size: int) -> int:
    return max(1, ceil(size / _CHUNK))


def log_bytes(lines: Iterable[str]) -> int:
    """What CloudWatch bills for these lines. Line numbers of our code count as three digits, so that the figure does
    not change with every edit."""
    return sum(len(_LINE_NUMBER.sub(r'\1:100"', line).encode()) + _LOG_EVENT_BYTES for line in lines)


_START: Final = (
    '{"time":"2026-11-25T09:00:00.000Z","type":"platform.start","record":'
    '{"requestId":"00000000-0000-4000-8000-000000000000","version":"$LATEST"}}'
)
_REPORT: Final = (
    '{"time":"2026-11-25T09:00:00.000Z","type":"platform.report","record":'
    '{"requestId":"00000000-0000-4000-8000-000000000000","metrics":{"durationMs":12.345,"billedDurationMs":13,'
    '"memorySizeMB":256,"maxMemoryUsedMB":128},"status":"success"}}'
)
PLATFORM_LINES: Final = (_START, _REPORT)
"""What Lambda itself logs of each run at level INFO (Lambda Developer Guide, "Log level event mapping" and "Lambda
Telemetry API Event schema reference"): nothing of it at WARN."""
