"""One call to a storefront's API: what its failures mean, and credentials that are read again once when refused."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

import httpx

from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import Credentials

TIMEOUT = httpx.Timeout(20.0, connect=3.0)
"""Seconds. Shorter than any function's own timeout, so that a slow shop is an error here and not a killed function."""

Send = Callable[[Mapping[str, str]], httpx.Response]
"""Make the request with these credentials."""


def call(send: Send, credentials: Credentials) -> httpx.Response:
    """Send, and return a response that is neither a refusal of credentials, nor throttled, nor a server's failure.

    Raises:
        Retry: `storefront_unreachable`, `storefront_throttled`, `storefront_failed`.
        Rejected: `api_access`, after fresh credentials were refused too.
    """
    response = _send(send, credentials())
    if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        response = _send(send, credentials(fresh=True))
    return _judge(response)


def _send(send: Send, credentials: Mapping[str, str]) -> httpx.Response:
    try:
        return send(credentials)
    except httpx.HTTPError as error:
        raise Retry("storefront_unreachable", f"the shop does not answer: {type(error).__name__}") from error


def _judge(response: httpx.Response) -> httpx.Response:
    status = response.status_code
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise Rejected(
            "api_access",
            f"the shop refuses our credentials (HTTP {status})",
            field="api",
            hint="renew the shop's API credentials and check their scopes",
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Retry("storefront_throttled", "the shop asks us to slow down")
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Retry("storefront_failed", f"the shop fails with HTTP {status}")
    return response


def odd_answer(what: str) -> Retry:
    """Of an answer that cannot be read: what became of a write is unknown, and the repeated call looks first."""
    return Retry("storefront_failed", what)
