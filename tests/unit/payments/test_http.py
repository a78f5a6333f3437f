"""A file that a provider has ready, fetched with care."""

import gzip
from collections.abc import Callable, Iterator

import httpx
import pytest

from shared.kernel.errors import Rejected, Retry
from shared.payments.http import download, exchange, place_of

URL = "https://provider.example/bill"


def fetched(answer: httpx.Response | Callable[[httpx.Request], httpx.Response], most_bytes: int = 100) -> bytes:
    handler = answer if callable(answer) else lambda _request: answer
    with httpx.Client(transport=httpx.MockTransport(handler)) as http:
        return download(http, URL, most_bytes=most_bytes, headers={"authorization": "made up"})


def code_of(answer: httpx.Response | Callable[[httpx.Request], httpx.Response], most_bytes: int = 100) -> str:
    with pytest.raises((Rejected, Retry)) as error:
        fetched(answer, most_bytes)
    assert isinstance(error.value, Rejected | Retry)
    return error.value.code


def test_a_file_is_asked_for_unpacked_and_with_our_headers() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["authorization"] == "made up"
        return httpx.Response(200, content=b"a,b\n")

    assert fetched(answer) == b"a,b\n"
    assert fetched(httpx.Response(200, content=b"x" * 100)) == b"x" * 100


def test_a_file_is_read_no_further_than_is_allowed() -> None:
    sent: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(1000):
            sent.append(number)
            yield b"x" * 60

    assert code_of(httpx.Response(200, content=chunks())) == "file_too_large"
    assert len(sent) < 10


def test_a_packed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 1_000_000)
    assert code_of(httpx.Response(200, content=bomb, headers={"content-encoding": "gzip"})) == "payments_refused"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(302, headers={"location": "http://127.0.0.1/"}), "payments_refused"),
        (httpx.Response(404), "payments_refused"),
        (httpx.Response(429), "payments_throttled"),
        (httpx.Response(500), "payments_failed"),
    ],
)
def test_any_other_answer_is_none(answer: httpx.Response, code: str) -> None:
    assert code_of(answer) == code


def test_a_provider_that_breaks_off_is_asked_again_later() -> None:
    def broken(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    assert code_of(broken) == "payments_unreachable"


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "https://evil.example\\.provider.example/bill",
        "https://user@provider.example/bill",
        "https://provider.example%2f.evil.example/bill",
        "https://provider.example\0/bill",
        "https://provider.example/b ill",
        "https://provider\u3002example/bill",
        "https:///bill",
        "/bill",
    ],
)
def test_an_address_that_may_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(Rejected, match="payments_refused"):
        place_of(url)


def test_an_ordinary_address_is_taken_apart() -> None:
    assert place_of("https://provider.example:8443/bill?day=1").netloc == "provider.example:8443"
    assert place_of("http://127.0.0.1:9/bill").path == "/bill"


def test_an_address_that_cannot_be_asked_is_refused() -> None:
    with httpx.Client() as http, pytest.raises(Rejected, match="payments_refused"):
        exchange(lambda: http.get("https://provider.example:port/"))
