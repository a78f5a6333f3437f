"""The sender of a load run: at its time whatever the answers, again until acknowledged, and honest about the wait."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Barrier, Lock

import pytest

from infra.load import sender
from infra.load.sender import Sent, send_all
from infra.load.traffic import Kind, Sending, plan
from infra.local.answers import Answer
from infra.local.http_server import LoopbackServer, QuietHandler


class Endpoint:
    """Answers one status after the other, the last one for ever."""

    def __init__(self, *statuses: int, together: int = 1) -> None:
        self.statuses = list(statuses)
        self.asked = 0
        self._lock = Lock()
        self._meeting = Barrier(together)

    def answer(self) -> int:
        self._meeting.wait(timeout=30)
        with self._lock:
            self.asked += 1
            return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[str]:
    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802  # http.server calls it so
            self.read_body()
            self.answer(Answer(endpoint.answer(), b""))

    with closing(LoopbackServer(0, Handler)) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_PAUSE", 0.0)


def of_kind(*kinds: Kind) -> list[Sending]:
    """One delivery of each kind, all at once."""
    found = {sending.kind: sending for sending in plan(300, 100.0, seed=1)}
    return [Sending(0.0, kind, found[kind].account, found[kind].post) for kind in kinds]


def sent(endpoint: Endpoint, sendings: list[Sending]) -> list[Sent]:
    async def go(url: str) -> list[Sent]:
        return await send_all(sendings, url, start=asyncio.get_running_loop().time())

    with serving(endpoint) as url:
        return asyncio.run(go(url))


def test_a_delivery_is_sent_again_until_it_is_acknowledged() -> None:
    (one,) = sent(Endpoint(500, 503, 200), of_kind(Kind.NEW))
    assert one.statuses == [500, 503, 200]
    assert one.acknowledged


def test_where_nobody_answers_it_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "MOST_ATTEMPTS", 3)

    async def go() -> list[Sent]:
        return await send_all(of_kind(Kind.NEW), "http://127.0.0.1:1", start=asyncio.get_running_loop().time())

    (one,) = asyncio.run(go())
    assert one.statuses == [sender.UNANSWERED] * 3
    assert not one.acknowledged


def test_a_forger_takes_a_refusal_for_an_answer() -> None:
    endpoint = Endpoint(401)
    (one,) = sent(endpoint, of_kind(Kind.FORGED))
    assert (one.statuses, endpoint.asked) == ([401], 1)


def test_no_delivery_waits_for_the_answer_to_another() -> None:
    """The endpoint answers none before all three are there."""
    endpoint = Endpoint(200, together=3)
    assert all(one.acknowledged for one in sent(endpoint, of_kind(Kind.NEW, Kind.CHANGED, Kind.CANCELLED)))


def test_the_wait_is_counted_from_the_intended_time() -> None:
    """A sender that starts an hour late is an hour late with everything it sends."""

    async def go(url: str) -> list[Sent]:
        return await send_all(of_kind(Kind.NEW), url, start=asyncio.get_running_loop().time() - 3600)

    with serving(Endpoint(200)) as url:
        (one,) = asyncio.run(go(url))
    assert one.lag >= 3600
    assert one.seconds >= one.lag
