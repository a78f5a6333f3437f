"""One deployment in one thread: functions, queues, streams, tables and bus, in virtual time and under some weather.

Whatever a function does to the outside is one call of :meth:`Cloud.call`: others run while it is under way, and the
weather says what becomes of it. A worker that dies does nothing any more, whatever its `finally` blocks try.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from greenlet import getcurrent
from pynamodb.exceptions import PynamoDBException

from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from infra.fakes.virtual_time import VirtualTime
from shared.kernel.errors import StorebridgeError
from tests.simulation.cloud.queues import Message, Queue
from tests.simulation.cloud.weather import Fate, Weather

_T = TypeVar("_T")
Handler = Callable[[dict[str, Any], Any], Any]


class Crash(BaseException):
    """The worker is gone. No `except Exception` sees it, as nothing sees the death of a process."""


@dataclass(frozen=True)
class Failures:
    """How one kind of service says that a call timed out, and that it was throttled."""

    timeout: Callable[[], Exception]
    throttled: Callable[[], Exception]
    conflict: Callable[[], Exception] | None = None
    """Of a transaction."""


def _throttled(code: str) -> Callable[[], Exception]:
    answer: Any = {"Error": {"Code": code, "Message": "slow down"}}
    return lambda: ClientError(answer, "Call")


AWS = Failures(lambda: ReadTimeoutError(endpoint_url="https://aws.example"), _throttled("ThrottlingException"))
DYNAMODB = Failures(AWS.timeout, _throttled("ProvisionedThroughputExceededException"))


@cache
def _of_transaction(actions: int) -> Failures:
    reasons = [{"Code": "TransactionConflict", "Message": "ongoing"}, *([{"Code": "None"}] * (actions - 1))]
    error: Any = {"Error": {"Code": "TransactionCanceledException", "Message": "cancelled"}}
    conflict: Any = {**error, "CancellationReasons": reasons}
    return Failures(AWS.timeout, DYNAMODB.throttled, lambda: ClientError(conflict, "TransactWriteItems"))


@dataclass
class Worker:
    """One execution environment at one event."""

    function: str
    run: str
    deadline: float
    alive: bool = True

    # What Lambda's context object has.

    @property
    def aws_request_id(self) -> str:
        return self.run

    @property
    def function_name(self) -> str:
        return self.function

    remaining: Callable[[], float] = field(default=lambda: 60.0)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(self.remaining() * 1000))


class Cloud:
    def __init__(self, dice: random.Random, weather: Weather, time: VirtualTime, database: MemoryDynamoDb) -> None:
        self.dice = dice
        self.weather = weather
        self.time = time
        self.database = database
        self.queues: dict[str, Queue] = {}
        self.bus: list[dict[str, Any]] = []
        self.objects: dict[str, bytes] = {}
        self.handlers: dict[str, Handler] = {}
        self.sources: dict[str, QueueSource] = {}
        """By the queue's name."""
        self.readers: list[StreamReader] = []
        self.after_commit: Callable[[], None] = lambda: None
        """Called after every write to a table: what must hold at each commit."""
        self.is_over = False
        """Once a history has ended, whoever still hangs in it does nothing more."""
        self.deaths: Counter[str] = Counter()
        """Workers that died, by function."""
        self.failures: list[tuple[str, str]] = []
        """Functions that ended with an error, and its name."""
        self._runs = 0

    # ---- what functions call ----

    def call(self, service: str, do: Callable[[], _T], failures: Failures = AWS) -> _T:
        """One call to the outside, from within a function; from outside of all functions it simply happens."""
        worker: Worker | None = getattr(getcurrent(), "worker", None)
        if worker is None:
            return do()
        if self.is_over or not worker.alive:
            raise Crash
        fate = self.weather.fate(f"{worker.function}: {service}")
        self.time.sleep(self.weather.latency())
        if self.time.now() > worker.deadline:
            self._kill(worker)
        if fate is Fate.FINE:
            return do()
        return self._befallen(fate, worker, do, failures)

    def _befallen(self, fate: Fate, worker: Worker, do: Callable[[], _T], failures: Failures) -> _T:
        match fate:
            case Fate.THROTTLED:
                raise failures.throttled()
            case Fate.CONFLICT:
                raise (failures.conflict or failures.throttled)()
            case Fate.LOST:
                raise failures.timeout()
            case Fate.CRASH_BEFORE:
                self._kill(worker)
        do()
        if fate is Fate.CRASH_AFTER:
            self._kill(worker)
        self.time.sleep(self.weather.latency())
        raise failures.timeout()

    def _kill(self, worker: Worker) -> None:
        worker.alive = False
        self.deaths[worker.function] += 1
        raise Crash

    def database_call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What stands for DynamoDB's client."""

        def do() -> Mapping[str, Any]:
            answer = self.database.call(operation, request)
            if operation not in _READS:
                self.after_commit()
                self._ring_streams()
            return answer

        failures = _of_transaction(len(request["TransactItems"])) if "TransactItems" in request else DYNAMODB
        return self.call(f"{operation} {_tables_of(request)}", do, failures)

    # ---- queues ----

    def send(self, queue: str, body: str, attributes: Mapping[str, Any] | None = None, *, delay: float = 0.0) -> None:
        if self.weather.chance("newer"):
            body = f'{body[:-1]},"said_by_newer":1}}'  # as a newer version of the code would send it
        message = self.queues[queue].send(body, attributes, at=self.time.now() + delay)
        self._wake(queue, message.visible_at)

    def change_visibility(self, queue: str, receipt: str, seconds: float) -> None:
        visible_at = self.queues[queue].change_visibility(receipt, seconds, now=self.time.now())
        if visible_at is not None:
            self._wake(queue, visible_at)

    def _wake(self, queue: str, at: float) -> None:
        source = self.sources.get(queue)
        if source is not None:
            self.time.spawn(source.look, after=max(0.0, at - self.time.now()) + self.weather.latency())

    # ---- functions ----

    def run(self, function: str, event: dict[str, Any], *, seconds: float) -> Any:
        """Run a function in the worker that is running now. `Crash` when it dies of what the weather does."""
        self._runs += 1
        began = self.time.now()
        worker = Worker(function, f"{function}-{self._runs}", began + seconds)
        worker.remaining = lambda: worker.deadline - self.time.now()
        me: Any = getcurrent()
        before = getattr(me, "worker", None)
        me.worker = worker
        try:
            answer = self.handlers[function](event, worker)
            if not worker.alive:
                raise Crash
            return answer
        finally:
            me.worker = before

    def failed(self, function: str, error: Exception) -> None:
        """A function ended with an error: one that a call to the outside may raise, or else it is a defect."""
        if not isinstance(error, StorebridgeError | BotoCoreError | ClientError | PynamoDBException):
            raise error
        self.failures.append((function, type(error).__name__))

    def act(self, who: str, do: Callable[[], object], *, after: float = 0.0) -> None:
        """Have an operator do something with the same code, from a process of their own that may die as well."""

        def work() -> None:
            self.handlers[who] = lambda _event, _worker: do()
            try:
                self.run(who, {}, seconds=3600.0)
            except Crash:
                return
            except Exception as error:  # noqa: BLE001 - as a person: reads it and goes home, unless it is a defect
                self.failed(who, error)

        self.time.spawn(work, after=after)

    def _ring_streams(self) -> None:
        for reader in self.readers:
            reader.ring()


_READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})


def _tables_of(request: Mapping[str, Any]) -> str:
    if "TableName" in request:
        return str(request["TableName"])
    if "RequestItems" in request:
        return ",".join(request["RequestItems"])
    first: Mapping[str, Any] = next(iter(request["TransactItems"][0].values()))
    return str(first["TableName"])


@dataclass
class QueueSource:
    """A queue that feeds a function, as Lambda's event source mapping does."""

    cloud: Cloud
    queue: Queue
    function: str
    batch: int
    seconds: float
    """How long the function may run."""
    concurrency: int = 10
    running: int = 0

    def look(self) -> None:
        """Hand out what is visible, if another invocation may run."""
        cloud, queue = self.cloud, self.queue
        if self.running >= self.concurrency:
            cloud.time.spawn(self.look, after=1.0)
            return
        batch = queue.receive(self._size(), cloud.dice, now=cloud.time.now())
        if not batch:
            return
        for message in batch:
            self._come_again(message)
        if any(message.visible_at <= cloud.time.now() for message in queue.messages.values()):
            cloud.time.spawn(self.look)
        self.running += 1
        try:
            self._invoke(batch)
        finally:
            self.running -= 1

    def _size(self) -> int:
        return self.cloud.dice.randint(1, self.batch) if self.batch > 1 else 1

    def _come_again(self, message: Message) -> None:
        """When its visibility ends it is handed out again, if it is still there: at times at once, for a standard queue
        delivers at least once."""
        cloud = self.cloud
        if cloud.weather.chance("duplicate"):
            message.visible_at = cloud.time.now() + cloud.weather.latency()
        cloud.time.spawn(self.look, after=message.visible_at - cloud.time.now() + 0.001)

    def _invoke(self, batch: Sequence[Message]) -> None:
        cloud = self.cloud
        receipts = {message.id: f"{message.id}/{message.received}" for message in batch}
        event = {"Records": [message.record(self.queue.name) for message in batch]}
        try:
            answer = cloud.run(self.function, event, seconds=self.seconds)
        except Crash:
            return
        except Exception as error:  # noqa: BLE001 - as Lambda: the whole batch comes again
            cloud.failed(self.function, error)
            return
        failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
        for name, receipt in receipts.items():
            if name not in failed and not cloud.weather.chance("ack_lost"):
                self.queue.delete(receipt)


@dataclass
class StreamReader:
    """A table's stream that feeds a function: in order, again from where it failed, at times twice."""

    cloud: Cloud
    table: str
    function: str
    batch: int
    seconds: float
    position: int = 0
    is_rung: bool = False
    failures: int = 0

    def ring(self) -> None:
        if not self.is_rung and self.position < len(self.cloud.database.stream(self.table)):
            self.is_rung = True
            self.cloud.time.spawn(self._read, after=0.2 + self.cloud.weather.latency())

    def _read(self) -> None:
        cloud = self.cloud
        size = cloud.dice.randint(1, self.batch)
        records = list(cloud.database.stream(self.table)[self.position : self.position + size])
        if records:
            self._hand_out(records)
        self.is_rung = False
        self.ring()

    def _hand_out(self, records: list[Any]) -> None:
        cloud = self.cloud
        try:
            answer = cloud.run(self.function, {"Records": records}, seconds=self.seconds)
        except Crash:
            cloud.time.sleep(1.0)
            return
        except Exception as error:  # noqa: BLE001 - as Lambda
            cloud.failed(self.function, error)
            self.failures += 1
            cloud.time.sleep(1.0)
            return
        failed = [failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())]
        done = _before_first(failed, records)
        if done < len(records):
            self.failures += 1
            cloud.time.sleep(1.0)
        elif cloud.weather.chance("redelivered"):
            return
        self.position += done


def _before_first(failed: Sequence[str], records: Sequence[Mapping[str, Any]]) -> int:
    """How many records come before the first that failed."""
    if not failed:
        return len(records)
    numbers = [str(record["dynamodb"]["SequenceNumber"]) for record in records]
    return min(numbers.index(number) for number in failed)


def decoded(detail: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(detail)
    return found


def messages_of(queues: Mapping[str, Queue]) -> Iterator[tuple[str, Message]]:
    for name, queue in queues.items():
        for message in queue.messages.values():
            yield name, message
