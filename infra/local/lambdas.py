"""The functions: a few execution environments of each, started when first needed, and what Lambda promises of calls."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.bell import Bell
from infra.local.children import Children
from infra.local.outcomes import MAX_PAYLOAD_BYTES, Outcome
from infra.local.runtime_api import Environment, Launch
from infra.local.template import Function
from shared.kernel.clock import Clock

SendToQueue = Callable[[str, str], None]
"""Put a message (second) on a queue (first, by name)."""


class PayloadTooLarge(Exception):
    """The event is over Lambda's 6 MB."""


class LocalFunction:
    """One function and its environments."""

    def __init__(self, function: Function, start: Callable[[], Environment], limit: int) -> None:
        self.function = function
        self._start = start
        self._slots = threading.BoundedSemaphore(limit)
        self._idle: list[Environment] = []

    def invoke(self, payload: bytes) -> Outcome:
        """Run one event to its end; waits while all environments are busy.

        Raises:
            PayloadTooLarge: the event exceeds what Lambda takes.
        """
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise PayloadTooLarge(f"{self.function.name}: {len(payload)} bytes")
        with self._slots, self._environment() as environment:
            return environment.invoke(payload)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _environment(self) -> Iterator[Environment]:
        environment = self._take()
        try:
            yield environment
        finally:
            if environment.alive:
                self._idle.append(environment)
            else:
                environment.close()

    def _take(self) -> Environment:
        while True:
            try:
                environment = self._idle.pop()
            except IndexError:
                return self._start()
            if environment.alive:
                return environment
            environment.close()


class Lambdas:
    """All functions of a deployment, by name."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        launch: Launch,
        children: Children,
        logs: Path,
        bell: Bell,
        limit: int,
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)

        def starter(function: Function) -> Callable[[], Environment]:
            return lambda: Environment(function, launch, children, logs / f"{function.name}.log")

        self._functions = {
            name: LocalFunction(function, starter(function), limit) for name, function in functions.items()
        }
        self._bell = bell
        self._running = 0
        self._lock = threading.Lock()

    @property
    def idle(self) -> bool:
        """Whether no function runs, nor waits to be run again."""
        with self._lock:
            return self._running == 0

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def invoke(self, name: str, payload: bytes) -> Outcome:
        """Run a function to its end."""
        self._enter()
        try:
            return self._functions[name].invoke(payload)
        finally:
            self._leave()

    def invoke_later(self, name: str, payload: bytes, *, request_id: str, send: SendToQueue, clock: Clock) -> None:
        """Run a function as Lambda runs an asynchronous event: retries, then the on-failure destination.

        The retries follow at once, where Lambda waits a minute and then two.
        """
        call = _AsynchronousCall(self._functions[name], payload, request_id, send, clock)

        def run() -> None:
            try:
                call.run()
            finally:
                self._leave()

        self._enter()  # here and not in the thread: whoever drains right after us must find it running
        threading.Thread(target=run, name=f"async-{name}", daemon=True).start()

    def close(self) -> None:
        for function in self._functions.values():
            function.close()

    def _enter(self) -> None:
        with self._lock:
            self._running += 1

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1
        self._bell.ring()


@dataclass(frozen=True)
class _AsynchronousCall:
    target: LocalFunction
    payload: bytes
    request_id: str
    send: SendToQueue
    clock: Clock

    def run(self) -> None:
        function = self.target.function
        attempts = 1 + function.async_retries
        for _ in range(attempts):
            outcome = self.target.invoke(self.payload)
            if not outcome.failed:
                return
        if function.async_failure_queue is not None:
            record = _async_failure(function, self.payload, outcome, self.request_id, attempts, self.clock)
            self.send(function.async_failure_queue, json.dumps(record))


def _async_failure(
    function: Function, payload: bytes, outcome: Outcome, request_id: str, attempts: int, clock: Clock
) -> dict[str, Any]:
    """The record of Lambda's on-failure destination."""
    return {
        "version": "1.0",
        "timestamp": f"{clock():%Y-%m-%dT%H:%M:%S.%f}Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function.arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(payload),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": json.loads(outcome.payload),
    }
