"""The HTTP API: routes of the template, events in payload format 2.0, answers as API Gateway gives them.

Facts from AWS's API Gateway Developer Guide ("Working with AWS Lambda proxy integrations for HTTP APIs").
Not imitated: throttling, CORS, authorisers, the 30-second limit.
"""

import base64
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.answers import Answer, json_answer
from infra.local.control import Control
from infra.local.http_server import LoopbackServer, QuietHandler
from infra.local.intrinsics import ACCOUNT, REGION
from infra.local.lambdas import PayloadTooLarge
from infra.local.outcomes import Outcome
from infra.local.pollers import Invoke
from infra.local.template import Route

MAX_REQUEST_BYTES = 10 * 1024 * 1024
"""HTTP APIs take no larger request."""
_API_ID = "local"
_TEXT = re.compile(r"^(?:text/.*|application/(?:.*\+)?(?:json|xml)|application/javascript)$")
_BRACES = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in. Header names as they were written."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str


class Routes:
    """Finds the route of a request: exact segments before parameters, parameters before `{name+}`."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = [(_pattern(route.path), route) for route in sorted(routes, key=_precedence)]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for pattern, route in self._routes:
            found = pattern.fullmatch(path)
            if found and route.method in {method, "ANY"}:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return None


def _precedence(route: Route) -> tuple[tuple[bool, ...], str]:
    ranks = (route.path == "$default", "+}" in route.path, "{" in route.path)
    return ranks, route.path


def _pattern(path: str) -> re.Pattern[str]:
    if path == "$default":
        return re.compile(".*")
    pieces = []
    position = 0
    for found in _BRACES.finditer(path):
        pieces += [re.escape(path[position : found.start()]), f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"]
        position = found.end()
    return re.compile("".join([*pieces, re.escape(path[position:])]))


def to_event(request: Request, route: Route, path_parameters: Mapping[str, str]) -> dict[str, Any]:
    """The event in payload format 2.0."""
    url = urlsplit(request.target)
    headers = _joined((name.lower(), value) for name, value in request.headers if name.lower() != "cookie")
    cookies = [value for name, value in request.headers if name.lower() == "cookie"]
    query = _joined(parse_qsl(url.query, keep_blank_values=True))
    body, encoded = _body(request.body, headers.get("content-type", ""))
    now = time.time()
    route_key = "$default" if route.path == "$default" else f"{route.method} {route.path}"
    optional: dict[str, Any] = {
        "cookies": cookies,
        "queryStringParameters": query,
        "pathParameters": dict(path_parameters),
        "body": body,
    }
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": url.path,
        "rawQueryString": url.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": _API_ID,
            "domainName": f"{_API_ID}.execute-api.{REGION}.amazonaws.com",
            "domainPrefix": _API_ID,
            "http": {
                "method": request.method,
                "path": url.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex,
            "routeKey": route_key,
            "stage": "$default",
            "time": f"{datetime.fromtimestamp(now, UTC):%d/%b/%Y:%H:%M:%S +0000}",
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": encoded,
        **{name: value for name, value in optional.items() if value},
    }


def _joined(pairs: Any) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(body: bytes, content_type: str) -> tuple[str, bool]:
    if _TEXT.match(content_type.partition(";")[0].strip().lower()):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return (base64.b64encode(body).decode("ascii"), True) if body else ("", False)


def to_answer(outcome: Outcome) -> Answer:
    """What the caller gets for a function's reply. A function that fails or replies nonsense is a 500."""
    if outcome.failed:
        return _message(HTTPStatus.INTERNAL_SERVER_ERROR)
    try:
        reply = json.loads(outcome.payload)
    except ValueError:
        return _message(HTTPStatus.INTERNAL_SERVER_ERROR)
    if not isinstance(reply, dict) or "statusCode" not in reply:
        return Answer(HTTPStatus.OK, outcome.payload, {"content-type": "application/json"})
    try:
        return _formatted(reply)
    except (TypeError, ValueError, AttributeError):
        return _message(HTTPStatus.INTERNAL_SERVER_ERROR)


def _formatted(reply: Mapping[str, Any]) -> Answer:
    text = reply.get("body") or ""
    body = base64.b64decode(text, validate=True) if reply.get("isBase64Encoded") else text.encode("utf-8")
    headers = {name.lower(): str(value) for name, value in (reply.get("headers") or {}).items()}
    headers.pop("content-length", None)
    headers.setdefault("content-type", "text/plain;charset=UTF-8")
    return Answer(int(reply["statusCode"]), body, headers, tuple(reply.get("cookies") or ()))


_MESSAGES = {
    HTTPStatus.NOT_FOUND: "Not Found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Request Entity Too Large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal Server Error",
}


def _message(status: HTTPStatus) -> Answer:
    return json_answer(status, {"message": _MESSAGES[status]})


def handle(request: Request, routes: Routes, invoke: Invoke) -> Answer:
    """One request through route, function and back."""
    if len(request.body) > MAX_REQUEST_BYTES:
        return _message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    found = routes.find(request.method, urlsplit(request.target).path)
    if found is None:
        return _message(HTTPStatus.NOT_FOUND)
    route, path_parameters = found
    payload = json.dumps(to_event(request, route, path_parameters), ensure_ascii=False).encode("utf-8")
    try:
        return to_answer(invoke(route.function, payload))
    except PayloadTooLarge:
        return _message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


class Gateway:
    """The server. Beside the API's routes it answers what :class:`Control` offers to developers."""

    def __init__(self, port: int, routes: tuple[Route, ...], invoke: Invoke, control: Control) -> None:
        found = Routes(routes)

        def respond(request: Request) -> Answer:
            controlled = control.handle(request.method, request.target, dict(request.headers), request.body)
            return controlled if controlled is not None else handle(request, found, invoke)

        self._server = LoopbackServer(port, lambda *given: _Handler(respond, *given))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        self._server.close()


class _Handler(QuietHandler):
    def __init__(
        self,
        respond: Callable[[Request], Answer],
        connection: Any,
        client_address: tuple[str, int],
        server: ThreadingHTTPServer,
    ) -> None:
        self._respond = respond
        super().__init__(connection, client_address, server)

    def _serve(self) -> None:
        body = self.read_body()
        answer = self._respond(
            Request(self.command, self.path, tuple(self.headers.items()), body, str(self.client_address[0]))
        )
        self.answer(answer)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """`do_GET` and its like, of any method: one that no route has is answered as API Gateway does, by 404."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)
