"""The whole deployment on one machine: the template's functions in AWS's runtime client, on local services."""

import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from infra.local.bell import Bell
from infra.local.checkpoints import FileCheckpoints, MemoryCheckpoints
from infra.local.children import Children
from infra.local.clients import Clients
from infra.local.control import Control, NotDrained
from infra.local.data_folder import held
from infra.local.dynoxide import free_port, start_engine
from infra.local.gateway import Gateway
from infra.local.intrinsics import REGION
from infra.local.lambdas import Lambdas
from infra.local.pollers import Poller, PollerThread, QueuePoller
from infra.local.provision import Contents, provision, read_contents
from infra.local.runtime_api import Launch
from infra.local.schedules import Schedules
from infra.local.side_services import SideServices
from infra.local.streams import Delivery, StreamPoller, stream_arn_of
from infra.local.template import STACK_NAME, Deployment, StreamSource, load_deployment
from shared.kernel.clock import Clock, utc_now

ROOT: Final = Path(__file__).resolve().parents[2]
HERE: Final = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Options:
    """How to run the stack. The defaults keep nothing and take any free port."""

    port: int = 0
    data: Path | None = None
    """Keep tables, queues, buckets and the bus's rules in this folder; None keeps them in memory."""
    template: Path = ROOT / "template.yaml"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stack_name: str = STACK_NAME
    contents: Contents | None = None
    """Settings and secrets; None reads settings.toml and secrets.toml of this folder."""
    task_root: Path = ROOT / "infra" / "lambda"
    """What Lambda would unpack: the build root, or a built artefact."""
    interpreter: Path = Path(sys.executable)
    python_path: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """More variables for every function, such as where a test's own storefront listens."""
    environments_per_function: int = 2
    retry_after: int = 1
    """Seconds until SQS hands out a message again that a function failed on. AWS waits for the visibility timeout."""
    cache: Path = ROOT / ".cache" / "dynoxide"
    clock: Clock = utc_now


class LocalStack:
    """A context manager: up on entering, drained by :meth:`drain`, gone with every child on leaving.

    Raises:
        DataFolderInUse: another stack runs on the data folder.
        EngineUnavailable: there is no DynamoDB engine for this machine.
        TemplateError: the template uses what the local stack does not know.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.deployment: Deployment = load_deployment(
            self.options.template, self.options.parameters, self.options.stack_name
        )
        self.bell = Bell()
        self._exits = ExitStack()
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            self._start(exits)
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._exits.close()

    @property
    def url(self) -> str:
        """Where the webhooks are received."""
        return self._gateway.url

    def client(self, service: str) -> Any:
        """A boto3 client of this stack, by boto3's name of the service; `lambda` invokes the functions."""
        return self.clients.make(service)

    def drain(self, timeout: float = 60.0) -> None:
        """Return when no function runs, no queue that feeds one holds a message, and every stream is read to its end.

        Raises:
            NotDrained: it took more than `timeout` seconds.
        """
        deadline = monotonic() + timeout
        while True:
            mark = self.bell.ring()
            if not self.bell.wait_until(lambda mark=mark: self._quiet(mark), deadline - monotonic()):  # type: ignore[misc]
                raise NotDrained(self._unfinished(mark))
            if not any(poller.waiting() for poller in self._pollers) and self.bell.count == mark:
                return
            if monotonic() > deadline:
                raise NotDrained(self._unfinished(mark))
            self.bell.wait_beyond(self.bell.count, _DRAIN_PAUSE)

    def _quiet(self, mark: int) -> bool:
        return self.lambdas.idle and all(thread.quiet_since(mark) for thread in self._threads)

    def _unfinished(self, mark: int) -> str:
        busy = [thread.name for thread in self._threads if not thread.quiet_since(mark)]
        waiting = [poller.name for poller in self._pollers if poller.waiting()]
        return f"busy: {busy or 'none'}; work for later: {waiting or 'none'}"

    def _start(self, exits: ExitStack) -> None:
        options = self.options
        lock = exits.enter_context(held(options.data.resolve())) if options.data else None
        children = self.children = exits.enter_context(Children())
        self.logs = self._folder(exits)
        tables = options.data / "tables.sqlite" if options.data else None
        engine = start_engine(children, options.cache, tables, keeping=() if lock is None else (lock,))
        side = exits.enter_context(
            SideServices(self.bell, journal=options.data / "side.sqlite" if options.data else None)
        )
        self.clients = Clients({"dynamodb": engine, "dynamodbstreams": engine}, side.endpoint)
        self.contents = options.contents or _own_contents()
        provision(self.deployment, self.contents, self.clients)
        side.recall()
        self._port = options.port or free_port()
        launch = Launch(
            interpreter=options.interpreter,
            task_root=options.task_root,
            aws={
                **self.clients.environment(),
                "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{self._port}",  # a function may invoke itself
                **options.environment,
            },
            python_path=options.python_path,
        )
        self.lambdas = Lambdas(
            self.deployment.functions,
            launch=launch,
            children=children,
            logs=self.logs,
            bell=self.bell,
            limit=options.environments_per_function,
        )
        exits.callback(self.lambdas.close)
        self._start_gateway(exits)
        self._start_pollers(exits)

    def _folder(self, exits: ExitStack) -> Path:
        if self.options.data is not None:
            return self.options.data.resolve() / "logs"
        return Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="storebridge-")))

    def _start_gateway(self, exits: ExitStack) -> None:
        clock = self.options.clock
        self.schedules = Schedules(self.deployment.schedules, self.lambdas, send=self._send, clock=clock)
        outputs = {
            "outputs": self.deployment.outputs,
            "environment": {**self.clients.environment(), "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION},
        }
        control = Control(self.lambdas, self.schedules, drain=self.drain, send=self._send, clock=clock, outputs=outputs)
        self._gateway = Gateway(self._port, self.deployment.routes, self.lambdas.invoke, control)
        exits.callback(self._gateway.close)
        self.clients.use("lambda", self._gateway.url)

    def _start_pollers(self, exits: ExitStack) -> None:
        self._pollers: list[Poller] = []
        self._threads: list[PollerThread] = []
        for source in self.deployment.queue_sources:
            poller = QueuePoller(source, self.clients.sqs, self.lambdas.invoke, retry_after=self.options.retry_after)
            most = self.options.environments_per_function
            self._run(poller, exits, workers=min(most, source.maximum_concurrency or most))
        for stream in self.deployment.stream_sources:
            self._run(self._stream_poller(stream), exits, workers=1)

    def _run(self, poller: Poller, exits: ExitStack, *, workers: int) -> None:
        self._pollers.append(poller)
        for _ in range(workers):
            thread = PollerThread(poller, self.bell)
            exits.callback(thread.stop)
            self._threads.append(thread)

    def _stream_poller(self, source: StreamSource) -> StreamPoller:
        arn = stream_arn_of(source.table, self.clients.dynamodb)
        delivery = Delivery(
            source,
            arn,
            self.deployment.functions[source.function].arn,
            invoke=self.lambdas.invoke,
            send=self._send,
            clock=self.options.clock,
            wait=self._wait,
        )
        data = self.options.data
        checkpoints = FileCheckpoints(data / f"{source.table}.{source.function}.json") if data else MemoryCheckpoints()
        return StreamPoller(source, arn, self.clients.streams, delivery, checkpoints)

    def _wait(self, seconds: float) -> bool:
        return self._stopping.wait(seconds)

    def _send(self, queue: str, message: str) -> None:
        url = self.clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        self.clients.sqs.send_message(QueueUrl=url, MessageBody=message)


_DRAIN_PAUSE = 0.05
"""Seconds between two looks at a queue whose messages wait for their next try."""


def _own_contents() -> Contents:
    return read_contents(HERE / "settings.toml", HERE / "secrets.toml", HERE / "secrets.example.toml")
