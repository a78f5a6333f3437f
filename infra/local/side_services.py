"""Queues, bucket, secrets, parameters and the bus: moto in this process, one request at a time.

moto takes no locks of its own, so that two requests at once can lose or double a message.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from infra.local.bell import Bell
from infra.local.journal import Journal
from infra.local.remembering import Memory

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_BRINGS_WORK = frozenset(
    {
        "AmazonSQS.ChangeMessageVisibility",
        "AmazonSQS.SendMessage",
        "AmazonSQS.SendMessageBatch",
        "AWSEvents.PutEvents",
    }
)


class SideServices:
    """The server, on a free loopback port. Its state belongs to the process, so there can be one at a time."""

    _in_use: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        bell: Bell,
        *,
        journal: Path | None = None,
        observe: "Callable[[WSGIApplication], WSGIApplication]" = lambda served: served,
    ) -> None:
        """`journal`: a file that keeps messages, objects and what is set up beside the template; without it they are
        gone with the process. `observe`: wraps what is served, for whoever counts requests."""
        if not self._in_use.acquire(blocking=False):
            raise RuntimeError("another local stack is running in this process")
        moto_api_backend.reset()
        self._exits = ExitStack()
        self._memory = Memory(self._exits.enter_context(closing(Journal(journal)))) if journal else None
        self._services = _OneAtATime(_Dispatcher(), bell, self._memory)
        application = observe(self._services)
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="side-services", daemon=True
        )
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def recall(self) -> None:
        """Once all that the template names is there: make again what was set up beside it in earlier runs."""
        if self._memory is not None:
            self._memory.recall(self._services)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._exits.close()
        moto_api_backend.reset()
        self._in_use.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Dispatcher(DomainDispatcherApplication):
    """Remembers which service answers for which host: moto lists the folders of its package anew at each request, and
    gives way to every other thread at each of them."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


class _Quiet(MotoRequestHandler):
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of each request."""


class _OneAtATime:
    """Holds every request back until the one before is carried out, and rings when a request may bring work.

    With a memory no answer leaves before what it acknowledges is on the disk. The wait for the disk is outside the
    lock, so that requests share it.
    """

    def __init__(self, application: "WSGIApplication", bell: Bell, memory: Memory | None = None) -> None:
        self._application = application
        self._bell = bell
        self._memory = memory
        self._lock = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._memory is None:
            with self._lock:
                body = list(self._application(environ, start_response))
        else:
            with self._lock:
                body = self._memory.carried_out(self._application, environ, start_response)
            self._memory.durable()
        if environ.get("HTTP_X_AMZ_TARGET") in _BRINGS_WORK:
            self._bell.ring()
        return body
