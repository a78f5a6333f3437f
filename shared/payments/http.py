"""One call to a payment provider's API: what failures on the way mean, the same for every vendor.

What an answer means in the provider's own words is judged by its client.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from shared.kernel.errors import Rejected, Retry

_HOST: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
TIMEOUT = httpx.Timeout(20.0, connect=3.0)
"""Seconds. Shorter than any function's own timeout, so that a slow provider is an error here, not a killed function."""


def exchange(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send, and return any answer that is neither "slow down" nor a failure of the provider's servers.

    Raises:
        Retry: `payments_unreachable`, `payments_throttled`, `payments_failed`.
        Rejected: `payments_refused` for an address that is none.
    """
    try:
        response = send()
    except httpx.InvalidURL as error:
        raise refused("the address is not one that can be asked") from error
    except httpx.HTTPError as error:
        raise Retry("payments_unreachable", f"the provider does not answer: {type(error).__name__}") from error
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Retry("payments_throttled", "the provider asks us to slow down")
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Retry("payments_failed", f"the provider fails with HTTP {status}")
    return response


def download(http: httpx.Client, url: str, *, most_bytes: int, headers: Mapping[str, str] | None = None) -> bytes:
    """A file that the provider has ready, read no further than is allowed, and from nowhere that it redirects to. It
    is asked for unpacked, and not taken otherwise: what is small on the way may be huge when it is unpacked.

    Raises:
        Retry: as :func:`exchange`.
        Rejected: `payments_refused` for any answer but 200, `file_too_large`.
    """
    content = bytearray()
    asked = {**(headers or {}), "accept-encoding": "identity"}

    def send() -> httpx.Response:
        with http.stream("GET", url, headers=asked, follow_redirects=False, timeout=TIMEOUT) as response:
            if response.status_code == HTTPStatus.OK and "content-encoding" not in response.headers:
                for chunk in response.iter_bytes():
                    content.extend(chunk)
                    if len(content) > most_bytes:
                        break
            return response

    response = exchange(send)
    if response.status_code != HTTPStatus.OK or "content-encoding" in response.headers:
        raise refused(f"the provider's file cannot be had: HTTP {response.status_code}")
    if len(content) > most_bytes:
        raise Rejected("file_too_large", f"the provider's file has more than {most_bytes} bytes", field="file")
    return bytes(content)


def place_of(url: str) -> SplitResult:
    """The parts of an address that a provider told us, where every parser reads the same ones: no user, no escapes in
    the host, no blanks.

    Raises:
        Rejected: `payments_refused`.
    """
    try:
        place = urlsplit(url)
    except ValueError as error:
        raise refused("the file's address cannot be read") from error
    if not url.isascii() or not url.isprintable() or " " in url or not _HOST.fullmatch(place.netloc):
        raise refused("the file's address cannot be read")
    return place


def refused_access(message: str, *, field: str = "api") -> Rejected:
    return Rejected(
        "payments_auth",
        message,
        field=field,
        hint="renew the account's credentials in the API secret, and check what they may do",
    )


def refused(message: str, *, hint: str = "check the account in the settings, and what its API offers") -> Rejected:
    return Rejected("payments_refused", message, field="api", hint=hint)
