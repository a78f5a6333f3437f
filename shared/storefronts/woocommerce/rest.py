"""One way of calling a shop's WooCommerce REST API v3, and what its answers mean."""

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import httpx

from shared.kernel import strict_json
from shared.kernel.errors import Rejected
from shared.storefronts.http import TIMEOUT, call
from shared.storefronts.port import Credentials

PAGE_SIZE = 100
"""The most that WooCommerce lists at once."""

_ERROR_CODE = re.compile(r"[a-z_-]{1,80}")
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)

Observer = Callable[[httpx.Response], None]
"""Sees every answer, before anybody judges it."""


class RestApi:
    """One shop's API, over TLS with the shop's REST key. `observe` sees every answer, throttled and failed ones too.

    Raises (every method):
        Retry: the shop is out of reach, throttles, or fails.
        Rejected: `api_access` when the shop refuses our credentials.
    """

    def __init__(
        self, address: str, credentials: Credentials, http: httpx.Client, observe: Observer | None = None
    ) -> None:
        self._base = f"https://{_SCHEME.sub('', address.strip()).rstrip('/')}/wp-json/wc/v3"
        self._credentials = credentials
        self._http = http
        self._observe = observe

    def get(self, path: str, params: Mapping[str, str] | None = None) -> httpx.Response:
        return self._request("GET", path, params=params)

    def post(self, path: str, body: Any) -> httpx.Response:
        """Send JSON. A timeout leaves the outcome unknown: WooCommerce knows no idempotency key."""
        return self._request("POST", path, content=json.dumps(body, separators=(",", ":")).encode("ascii"))

    def delete(self, path: str, params: Mapping[str, str]) -> httpx.Response:
        return self._request("DELETE", path, params=params)

    def _request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> httpx.Response:
        def send(credentials: Mapping[str, str]) -> httpx.Response:
            response = self._http.request(
                method,
                self._base + path,
                params=params,
                content=content,
                headers={"content-type": "application/json"} if content is not None else None,
                auth=_basic_auth(credentials),
                follow_redirects=False,
                timeout=TIMEOUT,
            )
            if self._observe is not None:
                self._observe(response)
            return response

        return call(send, self._credentials)


def require_ok(response: httpx.Response) -> httpx.Response:
    if response.is_redirect:
        raise unexpected("the shop redirects", hint="set the shop's address to the one it redirects to")
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise unexpected(
            f"the shop has no such route ({error_code(response) or 'not an answer of its REST API'})",
            hint="check the shop's address, and that its permalinks are not set to plain",
        )
    if response.status_code != HTTPStatus.OK:
        raise unexpected(f"HTTP {response.status_code} ({error_code(response) or 'no code'})")
    return response


def unexpected(message: str, *, hint: str = "check the shop's address and its WooCommerce") -> Rejected:
    return Rejected("api_error", message, field="address", hint=hint)


def json_body(response: httpx.Response) -> Any:
    try:
        return strict_json.parse(response.content)
    except Rejected as error:
        raise unexpected(
            f"the answer is not JSON: {error.message}",
            hint="a plugin, a firewall or a maintenance page may answer in WooCommerce's place",
        ) from error


def serialised(resource: Any) -> bytes:
    """The same bytes for the same account: keys sorted, and numbers with a fraction as text, digit for digit."""
    return json.dumps(resource, sort_keys=True, separators=(",", ":"), default=str).encode("utf-8")


def error_code(response: httpx.Response) -> str | None:
    """The REST error's code, if that is what was sent: nothing else of a strange answer goes into a message."""
    try:
        body = strict_json.parse(response.content)
    except Rejected:
        return None
    return plain_code(body.get("code")) if isinstance(body, dict) else None


def plain_code(code: Any) -> str | None:
    """A code that looks like WooCommerce's own, so that it may go into messages and logs."""
    return code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else None


def _basic_auth(credentials: Mapping[str, str]) -> httpx.BasicAuth:
    try:
        return httpx.BasicAuth(credentials["consumer_key"], credentials["consumer_secret"])
    except KeyError as error:
        raise Rejected(
            "api_access",
            f"the shop's credentials lack {error.args[0]}",
            field="api",
            hint="create a REST API key in WooCommerce and store its consumer_key and consumer_secret",
        ) from error
