"""One execution environment: AWS's own runtime client in a child process, and the Runtime API that it talks to.

The Runtime API is documented in AWS's Lambda Developer Guide ("Using the Lambda runtime API for custom runtimes").
Not imitated: the memory limit, the freeze between invocations, the read-only file system.
"""

import queue
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from infra.local.answers import Answer, json_answer
from infra.local.children import Children, clean_environment
from infra.local.http_server import LoopbackServer, QuietHandler
from infra.local.intrinsics import REGION
from infra.local.outcomes import MAX_RESPONSE_BYTES, Outcome, failure
from infra.local.template import Function

INIT_LIMIT: Final = 60.0
"""Seconds for the imports. Lambda allows 10, but a developer's machine may start many functions at once."""
_API = "/2018-06-01/runtime/"


@dataclass(frozen=True)
class Launch:
    """How functions are run: the interpreter, the folder that Lambda would unpack, and where AWS is."""

    interpreter: Path
    task_root: Path
    aws: Mapping[str, str]
    """Endpoints and credentials."""
    python_path: tuple[Path, ...] = ()
    """More places to import from, such as the runtime client's."""


@dataclass(frozen=True, slots=True)
class _Invocation:
    request_id: str
    payload: bytes
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class _Ready:
    """The runtime asked for its first event: the handler's module is imported."""


@dataclass(frozen=True, slots=True)
class _Exited:
    status: int


class Environment:
    """Runs one function, one event at a time. Any end but an answer leaves it dead: throw it away."""

    def __init__(self, function: Function, launch: Launch, children: Children, log: Path) -> None:
        self._function = function
        self._events: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self._reports: queue.SimpleQueue[_Ready | _Exited | Outcome] = queue.SimpleQueue()
        self._server = _RuntimeApi(self._events, self._reports, function.arn)
        self._alive = True
        with log.open("ab") as output:
            self._process = children.start(
                [str(launch.interpreter), "-m", "awslambdaric", function.handler],
                env=_environment(function, launch, self._server.address),
                cwd=launch.task_root,
                output=output,
            )
        threading.Thread(target=self._watch, name=f"watch-{function.name}", daemon=True).start()
        self._ready = False

    @property
    def alive(self) -> bool:
        return self._alive and self._process.poll() is None

    def invoke(self, payload: bytes) -> Outcome:
        """Hand the event to the runtime and wait for its answer, as long as the function's timeout allows."""
        request_id = str(uuid.uuid4())
        if not self._ready:
            broken = self._await_init(request_id)
            if broken is not None:
                return broken
        deadline_ms = int((time.time() + self._function.timeout) * 1000)
        self._events.put(_Invocation(request_id, payload, deadline_ms))
        try:
            report = self._reports.get(timeout=self._function.timeout)
        except queue.Empty:
            self.close()
            seconds = f"{self._function.timeout:.2f}"
            return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds} seconds")
        return self._judge(report, request_id)

    def close(self) -> None:
        """Kill the process and end its Runtime API."""
        self._alive = False
        self._process.kill()
        self._process.wait()
        self._events.put(None)
        self._server.stop()

    def _await_init(self, request_id: str) -> Outcome | None:
        try:
            report = self._reports.get(timeout=INIT_LIMIT)
        except queue.Empty:
            self.close()
            return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: the imports took over {INIT_LIMIT:g} s")
        if isinstance(report, _Ready):
            self._ready = True
            return None
        return self._judge(report, request_id, init=True)

    def _judge(self, report: _Ready | _Exited | Outcome, request_id: str, *, init: bool = False) -> Outcome:
        if isinstance(report, Outcome):
            if init:
                self.close()
            return report
        self.close()
        status = report.status if isinstance(report, _Exited) else 0
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")

    def _watch(self) -> None:
        self._reports.put(_Exited(self._process.wait()))


class _RuntimeApi:
    """The HTTP side. Its threads only move events and reports between the process and :class:`Environment`."""

    def __init__(
        self,
        events: "queue.SimpleQueue[_Invocation | None]",
        reports: "queue.SimpleQueue[_Ready | _Exited | Outcome]",
        function_arn: str,
    ) -> None:
        self.events = events
        self.reports = reports
        self.function_arn = function_arn
        self.asked_once = False
        self._server = LoopbackServer(0, lambda *given: _RuntimeHandler(self, *given))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.port}"

    def stop(self) -> None:
        self._server.close()


class _RuntimeHandler(QuietHandler):
    def __init__(
        self, api: _RuntimeApi, connection: Any, client_address: tuple[str, int], server: ThreadingHTTPServer
    ) -> None:
        self._api = api
        super().__init__(connection, client_address, server)

    def do_GET(self) -> None:  # noqa: N802  # http.server calls it so
        if self.path != f"{_API}invocation/next":
            self.answer(json_answer(HTTPStatus.NOT_FOUND, {"errorMessage": "no such call"}))
            return
        if not self._api.asked_once:
            self._api.asked_once = True
            self._api.reports.put(_Ready())
        event = self._api.events.get()
        if event is None:
            self.close_connection = True
            return
        self.answer(
            Answer(
                HTTPStatus.OK,
                event.payload,
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": event.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
                    "Lambda-Runtime-Invoked-Function-Arn": self._api.function_arn,
                    "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
                },
            )
        )

    def do_POST(self) -> None:  # noqa: N802  # http.server calls it so
        body = self.read_body()
        if self.path.startswith(f"{_API}invocation/") and self.path.endswith("/response"):
            self._respond(body)
            return
        if self.path == f"{_API}init/error" or self.path.endswith("/error"):
            self.answer(json_answer(HTTPStatus.ACCEPTED, {"status": "OK"}))
            self._api.reports.put(Outcome(body, failed=True))
            return
        self.answer(json_answer(HTTPStatus.NOT_FOUND, {"errorMessage": "no such call"}))

    def _respond(self, body: bytes) -> None:
        self.answer(json_answer(HTTPStatus.ACCEPTED, {"status": "OK"}))
        if len(body) > MAX_RESPONSE_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            self._api.reports.put(failure("Function.ResponseSizeTooLarge", message))
            return
        self._api.reports.put(Outcome(body))


def _environment(function: Function, launch: Launch, runtime_api: str) -> dict[str, str]:
    return {
        **clean_environment(),
        **launch.aws,
        **function.environment,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_LEVEL": function.log_level,
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_REGION": REGION,
        "LAMBDA_TASK_ROOT": str(launch.task_root),
        "LANG": "en_US.UTF-8",
        "PYTHONPATH": ":".join(str(place) for place in (launch.task_root, *launch.python_path)),
        "PYTHONUNBUFFERED": "1",  # a killed function's last words are in its log
        "TZ": ":UTC",
        "WEBHOOK_BASE_URL": "",  # no shop can reach this machine, so none is asked to send here
        "_HANDLER": function.handler,
    }
