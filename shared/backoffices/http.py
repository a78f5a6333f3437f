"""One call to a back office: what its failures on the way mean, the same for every vendor.

What an answer means in the vendor's own words is judged by the vendor's client.
"""

from collections.abc import Callable
from http import HTTPStatus

import httpx

from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected, Retry

TIMEOUT = httpx.Timeout(30.0, connect=3.0)
"""Seconds. Confirming a large order may take a back office ten; no function that calls one lives shorter."""

_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.LOCKED, HTTPStatus.SERVICE_UNAVAILABLE})


def exchange(send: Callable[[], httpx.Response], *, writes: bool) -> httpx.Response:
    """Send, and return any answer that the back office itself has given.

    Raises:
        Retry: `backoffice_unreachable` when nothing was done; `backoffice_outcome_unknown` when a write may have been;
            `backoffice_busy` when it asks us to come later.
    """
    try:
        response = send()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Retry("backoffice_unreachable", f"the back office does not answer: {type(error).__name__}") from error
    except httpx.HTTPError as error:
        code = "backoffice_outcome_unknown" if writes else "backoffice_unreachable"
        raise Retry(code, f"the back office's answer did not come: {type(error).__name__}") from error
    if response.status_code in _BUSY:
        raise Retry("backoffice_busy", f"the back office asks us to come later (HTTP {response.status_code})")
    if response.status_code in (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT):
        code = "backoffice_outcome_unknown" if writes else "backoffice_unreachable"
        raise Retry(code, f"something in front of the back office answers with HTTP {response.status_code}")
    return response


def refused_access(message: str) -> Rejected:
    return Rejected(
        Refusal.AUTH,
        message,
        field="api",
        hint="renew the back office's credentials in the API secret, and check the user's rights",
    )


def not_found(message: str, field: str, hint: str) -> Rejected:
    return Rejected(Refusal.NOT_FOUND, message, field=field, hint=hint)


def refused(message: str) -> Rejected:
    """A rule of the business: `message` is the back office's own, cut to a line."""
    return Rejected(
        Refusal.REFUSED, " ".join(message.split())[:300], hint="act in the back office, then retry the order"
    )


def bug(message: str) -> Rejected:
    return Rejected(Refusal.BUG, message, hint="report it with this message: it is a fault of this program")
