"""The deployment in one process and one thread: real handlers by the template's wiring, on the DynamoDB in memory and
on moto, in a time that stands still until it is moved. Everything that AWS would bill is counted.

Not imitated: retries, concurrency, throttling. Whoever plays a life here has it go well.
"""

import importlib
import io
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from types import SimpleNamespace
from typing import Any, Final, TextIO, cast

import time_machine
from moto.moto_api._internal import mock_random
from moto.sqs.models import sqs_backends
from pynamodb.connection import Connection

from infra.costs.counting import PLATFORM_LINES, Counts, Metric, chunks, log_bytes
from infra.costs.topology import Topology, meets
from infra.costs.usage import Item, Usage
from infra.fakes.aws.dynamodb.connection import MemoryConnection
from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from infra.fakes.aws.dynamodb.streams import StreamRecord
from infra.local.bell import Bell
from infra.local.clients import Clients
from infra.local.gateway import Request, Routes, to_event
from infra.local.intrinsics import ACCOUNT, REGION
from infra.local.pollers import RECEIVE_LIMIT, sqs_record
from infra.local.provision import Contents, provision
from infra.local.side_services import SideServices
from infra.local.template import QueueSource, StreamSource
from shared.platform import kept, observability
from shared.sync.backoffice import services
from shared.wiring import tables

START: Final = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
_MOST_ROUNDS: Final = 400
_PATIENCE: Final = timedelta(minutes=20)
"""An errand or a push that is put off comes again within this."""
_STEP: Final = timedelta(seconds=5)
_ITEM_BYTES: Final = 100
"""DynamoDB bills so much storage for every item beside its size (DynamoDB Developer Guide, "Item sizes")."""


@dataclass
class MeteredCloud:
    """Made by :func:`metered_cloud`."""

    topology: Topology
    clients: Clients
    database: MemoryDynamoDb
    counts: Counts
    batch: int
    """Messages of a queue, and records of a stream, that a function is given at once where it waits for no more."""
    traveller: Any
    log: "Recorder"
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)
    """Of every run, by function."""
    metrics: set[Metric] = field(default_factory=set)
    """Names and dimensions of what functions counted in CloudWatch."""
    _readers: list["_StreamReader"] = field(default_factory=list)
    _handlers: dict[str, Callable[[dict[str, Any], Any], Any]] = field(default_factory=dict)
    _runs: int = 0

    # ---- what happens from outside ----

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """A storefront or provider sends a webhook; the status that it is answered with."""
        found = Routes(self.topology.deployment.routes).find("POST", path)
        if found is None:
            raise LookupError(f"no route for {path}")
        route, parameters = found
        request = Request("POST", path, tuple(headers.items()), body, "203.0.113.7")
        function = self.topology.short(route.function)
        self.counts.add(Item.API_REQUESTS, max(1, ceil(len(body) / (512 * 1024))), function=function)
        answer: dict[str, Any] = self.run(function, to_event(request, route, parameters))
        return int(answer["statusCode"])

    def fire(self, function: str, payload: str | None = None) -> Any:
        """A schedule comes round."""
        self.counts.add(Item.SCHEDULED, 1, function=function)
        event = {"time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"} if payload is None else json.loads(payload)
        return self.run(function, event)

    def pass_time(self, length: timedelta) -> None:
        self.traveller.shift(length)

    def settle(self) -> None:
        """Feed the functions until every queue and stream is empty; errands that wait for later come, time passing."""
        waited = timedelta()
        for _ in range(_MOST_ROUNDS):
            if self._round():
                continue
            if not self._anything_later():
                return
            if waited > _PATIENCE:
                break
            self.pass_time(_STEP)
            waited += _STEP
        raise RuntimeError("the queues do not empty")

    def take(self) -> tuple[Usage, Mapping[str, float]]:
        """What was used since this was asked last, and the CPU that it took, by function, in ms of this machine."""
        spent, self.cpu_ms = self.cpu_ms, {}
        return self.counts.take(), {function: sum(runs) for function, runs in spent.items()}

    def stored(self) -> Mapping[str, float]:
        """Bytes that are there now: in tables as DynamoDB bills them, and in S3."""
        names = (table.name for table in self.topology.deployment.tables)
        store = self.database._database.store  # noqa: SLF001 - a scan would say no more
        sizes = (stored.size + _ITEM_BYTES for name in names for _, stored in store(name).everything())
        return {"tables": sum(sizes), "objects": self.counts.object_bytes}

    def forget(self) -> None:
        """Nothing of what was counted so far is asked for."""
        self.take()
        self.counts.operations.clear()
        self.metrics.clear()

    @contextmanager
    def taken_off(self) -> Iterator[None]:
        """Count what happens inside as negative: it is counted elsewhere."""
        before, spent = self.counts.take(), self.cpu_ms
        self.cpu_ms = {}
        operations = self.counts.operations.copy()
        yield
        self.counts.put(before - self.counts.take())
        for function, runs in self.cpu_ms.items():
            spent.setdefault(function, []).append(-sum(runs))
        self.cpu_ms, self.counts.operations = spent, operations

    # ---- what feeds functions ----

    def _round(self) -> bool:
        """Feed every function once. Those that wait for more come last, when nothing else moves any more."""
        for waits in (False, True):
            streams = [reader.step() for reader in self._readers if self.waits(reader.source) is waits]
            queues = [self._step(one) for one in self.topology.deployment.queue_sources if self.waits(one) is waits]
            if any(streams) or any(queues):
                return True
        return False

    def waits(self, source: QueueSource | StreamSource) -> bool:
        """Whether what comes within some seconds is handed out together."""
        name = source.queue if isinstance(source, QueueSource) else source.table
        return (name, self.topology.short(source.function)) in self.topology.gathered

    def at_once(self, source: QueueSource | StreamSource) -> int:
        """How much of a queue or a stream a function is given at once, of what is there."""
        return source.batch_size if self.waits(source) else min(self.batch, source.batch_size)

    def _step(self, source: QueueSource) -> bool:
        if not _queue(source).approximate_number_of_messages:
            return False
        url = self.clients.sqs.get_queue_url(QueueName=source.queue)["QueueUrl"]
        most = self.at_once(source)
        messages = self.clients.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(most, RECEIVE_LIMIT),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        function = self.topology.short(source.function)
        received = chunks(sum(len(message["Body"].encode()) for message in messages))
        self.counts.add(Item.QUEUE_REQUESTS, received + 1, function=function)  # one more to delete them
        answer = self.run(function, {"Records": [sqs_record(message, source.queue) for message in messages]})
        if (answer or {}).get("batchItemFailures"):
            raise RuntimeError(f"{function} failed on {answer['batchItemFailures']}:\n{self.log.tail()}")
        for message in messages:
            self.clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return True

    def _anything_later(self) -> bool:
        queues = (_queue(source) for source in self.topology.deployment.queue_sources)
        return any(queue.approximate_number_of_messages_delayed for queue in queues)

    # ---- running one ----

    def run(self, function: str, event: dict[str, Any]) -> Any:
        """One run of a function, with its own environment, and everything that it does noted as its doing."""
        deployed = self.topology.functions[function]
        self._runs += 1
        before = dict(os.environ)
        os.environ.update(deployed.environment)
        handler = self._handler(function)
        observability.logger.cache_clear()  # each process has a logger of its own service
        observability.logger()
        context = SimpleNamespace(
            aws_request_id=f"{self._runs:08x}-0000-4000-8000-000000000000",
            function_name=deployed.name,
            get_remaining_time_in_millis=lambda: deployed.timeout * 1000,
        )
        self.counts.function = function
        began = time.thread_time()
        try:
            answer = handler(event, context)
        finally:
            spent = (time.thread_time() - began) * 1000
            self.counts.function = None
            os.environ.clear()
            os.environ.update(before)
        self._note_run(function, spent)
        return answer

    def _note_run(self, function: str, spent: float) -> None:
        self.cpu_ms.setdefault(function, []).append(spent)
        lines = self.log.take()
        for line in lines:
            self.metrics |= metrics_in(line)
        platform = PLATFORM_LINES if self.topology.logs_platform(function) else ()
        self.counts.add(Item.LOG_BYTES, log_bytes([*lines, *platform]), function=function)
        self.counts.add(Item.INVOCATIONS, 1, function=function)
        self.counts.add(Item.TRACES, 1 if self.topology.traces(function) else 0, function=function)

    def _handler(self, function: str) -> Callable[[dict[str, Any], Any], Any]:
        if function not in self._handlers:
            module, _, name = self.topology.functions[function].handler.rpartition(".")
            self._handlers[function] = getattr(importlib.import_module(module), name)
        return self._handlers[function]

    def read_streams(self) -> None:
        """Begin to feed functions from the tables' streams."""
        self._readers = [_StreamReader(self, source) for source in self.topology.deployment.stream_sources]


@dataclass
class _StreamReader:
    cloud: MeteredCloud
    source: StreamSource
    read: int = 0

    def step(self) -> bool:
        most = self.cloud.at_once(self.source)
        records = self.cloud.database.stream(self.source.table)[self.read : self.read + most]
        if not records:
            return False
        self.read += len(records)
        batch = [record for record in records if self._is_wanted(record)]
        if not batch:
            return True
        function = self.cloud.topology.short(self.source.function)
        answer = self.cloud.run(function, {"Records": batch})
        if (answer or {}).get("batchItemFailures"):
            raise RuntimeError(f"{function} failed:\n{self.cloud.log.tail()}")
        return True

    def _is_wanted(self, record: StreamRecord) -> bool:
        """What a filter drops costs nothing."""
        patterns = self.cloud.topology.filters.get((self.source.table, self.cloud.topology.short(self.source.function)))
        return patterns is None or any(meets(pattern, record) for pattern in patterns)


class Recorder(io.TextIOBase):
    """Stands for standard output while functions run."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._last: list[str] = []

    def write(self, text: str) -> int:
        self._text.append(text)
        return len(text)

    def take(self) -> list[str]:
        """The lines since the last look."""
        lines = [line for line in "".join(self._text).split("\n") if line]
        self._last = [*self._last, *lines][-20:]
        self._text.clear()
        return lines

    def tail(self) -> str:
        return "\n".join([*self._last, *self.take()])


def metrics_in(line: str) -> set[Metric]:
    """The custom metrics that a line in CloudWatch's embedded metric format counts."""
    if '"_aws"' not in line:
        return set()
    told = json.loads(line)
    found: set[Metric] = set()
    for directive in told["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = ", ".join(f"{name}={told[name]}" for name in sorted(names))
            found |= {f"{metric['Name']} {dimensions}".strip() for metric in directive["Metrics"]}
    return found


def _queue(source: QueueSource) -> Any:
    """As moto keeps it: to look at it over HTTP takes a hundred times as long."""
    return sqs_backends[ACCOUNT][REGION].queues[source.queue]


def _database(topology: Topology, counts: Counts) -> MemoryDynamoDb:
    """The tables, where functions find them."""
    database = MemoryDynamoDb(time.time, on_consumed=counts.consumed)
    for table in topology.deployment.tables:
        database.create_table(table.definition)

    def call(operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        counts.database_called(operation)
        return database.call(operation, request)

    def connect() -> Connection:
        return MemoryConnection(call)

    setattr(tables, "connect", connect)  # noqa: B010 - it is the module's own import
    return database


def standing_time() -> time_machine.travel:
    """Time as it is in a metered cloud. Whatever looks at a clock is made in it: none may ever see time go back."""
    return time_machine.travel(START, tick=False)


@contextmanager
def metered_cloud(
    contents: Contents, environment: Mapping[str, str], traveller: Any, *, batch: int
) -> Iterator[MeteredCloud]:
    """The deployment, up in this process until the block ends. One at a time, and one for the life of a process:
    functions keep what they read. `traveller`: of `standing_time`, in which everything around it was made too."""
    topology = Topology.load()
    counts, log = Counts(), Recorder()
    out = sys.stdout
    with ExitStack() as exits:
        side = exits.enter_context(SideServices(Bell(), observe=counts.watching))
        clients = Clients({"dynamodb": side.endpoint, "dynamodbstreams": side.endpoint}, side.endpoint)
        mock_random.seed(0)  # ids of messages are in what is archived, and decide how well it is compressed
        provision(replace(topology.deployment, tables=()), contents, clients)
        database = _database(topology, counts)
        os.environ.update(
            clients.environment(), AWS_REGION=REGION, AWS_DEFAULT_REGION=REGION, AWS_EC2_METADATA_DISABLED="true"
        )
        os.environ.update(environment)
        exits.enter_context(counts.watching_vendors())
        sys.stdout = cast("TextIO", log)
        exits.callback(setattr, sys, "stdout", out)
        # Real seconds pass beside those of this cloud: what is kept for some minutes is kept for good.
        kept._KEEP_SECONDS = services._KEEP_SECONDS = math.inf  # noqa: SLF001
        cloud = MeteredCloud(topology, clients, database, counts, batch, traveller, log)
        cloud.read_streams()
        yield cloud
