"""What a developer asks of the local stack over HTTP, and Lambda's Invoke call.

* `GET  /_local/outputs`: the stack's outputs, and the environment that points an AWS client here
* `GET  /_local/schedules`: the schedules' names
* `POST /_local/schedules/{name}`: fire one now
* `POST /_local/drain`: answer when queues and streams are quiet
* `POST /2015-03-31/functions/{name}/invocations`: as in the AWS API
"""

import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from infra.local.answers import Answer, json_answer
from infra.local.lambdas import Lambdas, PayloadTooLarge, SendToQueue
from infra.local.schedules import Schedules
from shared.kernel.clock import Clock

_INVOKE_HEAD = "/2015-03-31/functions/"
_INVOKE_TAIL = "/invocations"
_SCHEDULES = "/_local/schedules"


class NotDrained(Exception):
    """Work was left when the time to drain was over. Says where."""


class Control:
    """Answers the paths above, and None for any other."""

    def __init__(
        self,
        lambdas: Lambdas,
        schedules: Schedules,
        *,
        drain: Callable[[], None],
        send: SendToQueue,
        clock: Clock,
        outputs: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._lambdas = lambdas
        self._schedules = schedules
        self._drain = drain
        self._send = send
        self._clock = clock
        self._outputs = outputs

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        path = urlsplit(target).path
        if path.startswith(_INVOKE_HEAD) and path.endswith(_INVOKE_TAIL) and method == "POST":
            name = unquote(path[len(_INVOKE_HEAD) : -len(_INVOKE_TAIL)]).rpartition(":")[2]
            return self._invoke(name, {key.lower(): value for key, value in headers.items()}, body)
        if path.startswith("/_local/"):
            return self._local(method, path)
        return None

    def _local(self, method: str, path: str) -> Answer:
        if (method, path) == ("GET", "/_local/outputs"):
            return json_answer(HTTPStatus.OK, self._outputs)
        if (method, path) == ("GET", _SCHEDULES):
            return json_answer(HTTPStatus.OK, {"schedules": self._schedules.names})
        if (method, path) == ("POST", "/_local/drain"):
            return self._drained()
        name = unquote(path.removeprefix(f"{_SCHEDULES}/"))
        if method == "POST" and name in self._schedules.names:
            return json_answer(HTTPStatus.ACCEPTED, {"fired": name, "request_id": self._schedules.fire(name)})
        return json_answer(HTTPStatus.NOT_FOUND, {"message": "Not Found", "schedules": self._schedules.names})

    def _drained(self) -> Answer:
        try:
            self._drain()
        except NotDrained as error:
            return json_answer(HTTPStatus.GATEWAY_TIMEOUT, {"drained": False, "message": str(error)})
        return json_answer(HTTPStatus.OK, {"drained": True})

    def _invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if name not in self._lambdas:
            document = {"Type": "User", "Message": f"Function not found: {name}"}
            return json_answer(HTTPStatus.NOT_FOUND, document, {"x-amzn-errortype": "ResourceNotFoundException"})
        payload = body or b"{}"
        if headers.get("x-amz-invocation-type") == "Event":
            request_id = str(uuid.uuid4())
            self._lambdas.invoke_later(name, payload, request_id=request_id, send=self._send, clock=self._clock)
            return Answer(HTTPStatus.ACCEPTED, b"", {"x-amzn-requestid": request_id})
        try:
            outcome = self._lambdas.invoke(name, payload)
        except PayloadTooLarge as error:
            document = {"Type": "User", "Message": str(error)}
            headers = {"x-amzn-errortype": "RequestTooLargeException"}
            return json_answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, document, headers)
        answered = {"content-type": "application/json", "x-amz-executed-version": "$LATEST"}
        if outcome.failed:
            answered["x-amz-function-error"] = "Unhandled"
        return Answer(HTTPStatus.OK, outcome.payload, answered)
