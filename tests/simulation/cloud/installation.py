"""The deployed functions, joined to a simulated cloud instead of AWS: the template says which queue feeds which.

Installed once for the process, since modules and caches are the process's; every history begins with a new cloud.
"""

import importlib
import logging
import os
import random
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import time_machine
from greenlet import getcurrent

from infra.fakes.aws.dynamodb.connection import MemoryConnection
from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from infra.fakes.virtual_time import VirtualTime
from infra.local.intrinsics import REGION
from infra.local.template import STACK_NAME, Deployment, load_deployment
from shared.inventory.bundles import Bundles
from shared.platform import aws, configuration, emf, observability
from shared.platform.aws_http import AwsService
from shared.platform.settings import Settings, parse_settings
from shared.sync.backoffice.outage import Outages
from shared.wiring import backoffice_push, order_desk, order_lanes, storefront, tables, webhooks
from tests.simulation.cloud import clients, reading
from tests.simulation.cloud.cloud import Cloud, QueueSource, StreamReader
from tests.simulation.cloud.queues import Queue
from tests.simulation.cloud.weather import Weather

ROOT: Final = Path(__file__).resolve().parents[3]
START: Final = 1_795_000_000.0
"""When every history begins: a day in November 2026."""
_LARGEST_BATCH: Final = 99
FUNCTIONS: Final = (
    "order-webhook",
    "order-intake",
    "order-relay",
    "order-review",
    "order-repair",
    "backoffice-pull",
    "backoffice-push",
    "storefront-push",
    "stock-relay",
    "stock-push",
    "stock-sync",
    "low-stock-notification",
)


@cache
def deployment() -> Deployment:
    return load_deployment(Path(os.environ.get("SIM_TEMPLATE", ROOT / "template.yaml")))


def short(name: str) -> str:
    """A resource's name without the stack's."""
    return name.removeprefix(f"{STACK_NAME}-")


class Installation:
    """Everything of the process that a history uses; :meth:`history` starts one from nothing."""

    def __init__(self) -> None:
        self.now = START
        self.database = MemoryDynamoDb(lambda: self.now)
        for table in deployment().tables:
            self.database.create_table(table.definition)
        self.traveller = time_machine.travel(START, tick=False)
        self.coordinates: Any = None
        self.cloud: Cloud
        self.heard: list[tuple[str, str, Mapping[str, Any]]] = []
        """What functions logged and counted: level or metric, words, facts."""
        self.modules = [importlib.import_module(f"functions.{name.replace('-', '_')}.handler") for name in FUNCTIONS]
        handlers = (module.lambda_handler for module in self.modules)
        self.handlers: dict[str, Callable[[dict[str, Any], Any], Any]] = dict(zip(FUNCTIONS, handlers, strict=True))
        self.settings: Settings

    def history(
        self, dice: random.Random, weather: Weather, settings: Mapping[str, Any], *, functions: frozenset[str]
    ) -> Cloud:
        """A new deployment with nothing in it, of these functions only: what feeds the others is left lying."""
        self.settings = settings_of(settings)
        self.heard.clear()
        self.database.clear()
        self._turn_to(START)
        virtual = VirtualTime(START, order=dice.random, on_switch=self._turn_to)
        cloud = self.cloud = Cloud(dice, weather, virtual, self.database)
        cloud.handlers.update({name: self.handlers[name] for name in functions & self.handlers.keys()})
        _lay_queues(cloud, functions)
        _forget()
        random.seed(dice.random())
        return cloud

    def _database_call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.cloud.database_call(operation, request)

    def _sleep(self, seconds: float) -> None:
        self.cloud.time.sleep(seconds)

    def _turn_to(self, now: float) -> None:
        self.now = now
        self.coordinates.move_to(now)

    @contextmanager
    def installed(self) -> Iterator["Installation"]:
        """Within it, functions reach this cloud, and its time is theirs."""
        before = os.environ
        os.environ = _Environment(before)  # type: ignore[assignment]  # noqa: B003 - read at each call by each function
        self.coordinates = self.traveller.start()
        undo = self._reroute()
        try:
            yield self
        finally:
            for back in undo:
                back()
            _forget()
            self.traveller.stop()
            os.environ = before  # noqa: B003

    def _reroute(self) -> list[Callable[[], None]]:
        connection = MemoryConnection(self._database_call)
        log = clients.Listener(self.heard)
        return [
            _swap(tables, "connection", lambda: connection),
            _swap(aws, "sqs", lambda: clients.Sqs(self.cloud)),
            _swap(aws, "s3", lambda: clients.S3(self.cloud)),
            _swap(aws, "secrets_manager", clients.Secrets),
            _swap(aws, "events", lambda: clients.Bus(self.cloud)),
            _swap(AwsService, "call", lambda _self, target, body, **_: clients.stdlib_call(self.cloud, target, body)),
            _swap(AwsService, "put_object", lambda _self, _bucket, key, body: clients.store(self.cloud, key, body)),
            _swap(storefront, "reader", reading.reader),
            _swap(order_desk, "_bundles", _NoBundles()),
            _swap(configuration, "_settings", _Always(lambda: self.settings)),
            *(_swap(module, "_processor", _OnePerWorker(module._processor)) for module in self._in_batches()),
            _swap(time, "monotonic", lambda: self.now),
            _swap(time, "sleep", self._sleep),
            _swap(zlib, "compress", _hardly_compressed),
            *_listen(log),
        ]

    def _in_batches(self) -> list[Any]:
        return [module for module in self.modules if hasattr(module, "_processor")]


def _swap(owner: Any, name: str, new: Any) -> Callable[[], None]:
    """Replace it wherever a module has imported it by name, and return how to put it back."""
    old = getattr(owner, name)
    holders = _holders(owner, name, old)
    for holder in holders:
        setattr(holder, name, new)

    def back() -> None:
        for holder in holders:
            setattr(holder, name, old)

    return back


_known_holders: dict[tuple[int, str], list[Any]] = {}


def _holders(owner: Any, name: str, old: Any) -> list[Any]:
    """Looked for once: every module that functions use is loaded when they are installed."""
    key = (id(owner), name)
    if key not in _known_holders:
        others = (module for module in _ours() if module is not owner and module.__dict__.get(name) is old)
        _known_holders[key] = [owner, *others]
    return _known_holders[key]


@contextmanager
def swapped(owner: Any, **new: Any) -> Iterator[None]:
    """Within it, these names of a module mean something else, wherever they were imported."""
    undo = [_swap(owner, name, value) for name, value in new.items()]
    try:
        yield
    finally:
        for back in undo:
            back()


def _listen(log: "clients.Listener") -> list[Callable[[], None]]:
    """Hear what functions say in place of printing it: Powertools' words and the standard library's."""
    ours = logging.getLogger("shared")
    ours.addHandler(log)
    before, ours.propagate = ours.propagate, False

    def back() -> None:
        ours.removeHandler(log)
        ours.propagate = before

    return [
        back,
        _swap(observability, "logger", lambda: log),
        _swap(observability, "count", log.count),
        _swap(emf, "count", log.count),
    ]


def _ours() -> list[Any]:
    return [module for name, module in list(sys.modules.items()) if name.startswith(("shared.", "functions."))]


class _OnePerWorker:
    """A batch processor for each worker: each is an environment of its own, and works on one batch at a time."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def _mine(self) -> Any:
        worker: Any = getcurrent().worker  # type: ignore[attr-defined]
        if not hasattr(worker, "processor"):
            worker.processor = type(self._made)(self._made.event_type, raise_on_entire_batch_failure=False)
        return worker.processor

    def __call__(self, *args: Any, **words: Any) -> Any:
        return self._mine()(*args, **words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mine(), name)


def _lay_queues(cloud: Cloud, functions: frozenset[str]) -> None:
    stack = deployment()
    for queue in stack.queues:
        cloud.queues[queue.name] = Queue(queue.name, float(queue.attributes.get("VisibilityTimeout", 30)))
    for queue in stack.queues:
        policy = queue.attributes.get("RedrivePolicy")
        if policy:
            rules = clients.parsed(policy)
            cloud.queues[queue.name].most_receives = int(rules["maxReceiveCount"])
            cloud.queues[queue.name].dead_letters = cloud.queues[rules["deadLetterTargetArn"].rpartition(":")[2]]
    for source in stack.queue_sources:
        if short(source.function) in functions:
            cloud.sources[source.queue] = QueueSource(
                cloud,
                cloud.queues[source.queue],
                short(source.function),
                min(source.batch_size, _LARGEST_BATCH),
                float(stack.functions[source.function].timeout),
                source.maximum_concurrency or 10,
            )
    for stream in stack.stream_sources:
        if short(stream.function) in functions:
            seconds = float(stack.functions[stream.function].timeout)
            reader = StreamReader(cloud, stream.table, short(stream.function), min(stream.batch_size, 10), seconds)
            cloud.readers.append(reader)


class _Environment(MutableMapping[str, str]):
    """The environment of the function whose worker runs; outside of functions, all of them together."""

    def __init__(self, before: MutableMapping[str, str]) -> None:
        self._before = before
        functions = deployment().functions.values()
        region = {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
        self._all = region | {name: value for function in functions for name, value in function.environment.items()}
        self._of = {short(function.name): region | dict(function.environment) for function in functions}

    def _current(self) -> Mapping[str, str]:
        worker = getattr(getcurrent(), "worker", None)
        return self._of.get(worker.function, self._all) if worker is not None else self._all

    def __getitem__(self, name: str) -> str:
        current = self._current()
        return current[name] if name in current else self._before[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._before[name] = value

    def __delitem__(self, name: str) -> None:
        del self._before[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._before, **self._current()})

    def __len__(self) -> int:
        return len({**self._before, **self._current()})

    def copy(self) -> dict[str, str]:
        return dict(self)


class _Always:
    """In the place of what each environment keeps of the settings for some minutes."""

    def __init__(self, current: Callable[[], Settings]) -> None:
        self._current = current

    def get(self, *, fresh: bool = False) -> Settings:
        del fresh
        return self._current()


_parsed: dict[str, Settings] = {}


def settings_of(document: Mapping[str, Any]) -> Settings:
    key = repr(document)
    if key not in _parsed:
        _parsed[key] = parse_settings(document)
    return _parsed[key]


def _forget() -> None:
    """What functions remember between two events: a new deployment remembers nothing."""
    backoffice_push._outages = Outages(_monotonic)
    webhooks.order_reception.cache_clear()
    order_lanes._heat.cache_clear()


_compress: Final = zlib.compress


def _hardly_compressed(data: Any, /, level: int = -1, wbits: int = zlib.MAX_WBITS) -> bytes:
    """In the place of the real one, which takes a twentieth of a history; what reads it cannot tell."""
    del level
    return _compress(data, level=0, wbits=wbits)


def _monotonic() -> float:
    return time.monotonic()  # looked up at each call: it is this history's


class _NoBundles:
    """In the place of what each environment keeps for some minutes: here all environments are one process, and one of
    them would find that another has just begun to read."""

    def get(self) -> Bundles:
        return {}
