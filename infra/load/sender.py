"""Send every delivery at its time, whatever became of those before, and again until it is acknowledged, as shops do.

The rate is the shops', not the stack's (an open loop): while nothing answers, deliveries pile up as they would in life.
How long one took is counted from the time at which it was to be sent, so that a sender that lags cannot flatter.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import httpx

from infra.load.traffic import Kind, Sending

ANSWER_LIMIT: Final = 60.0
"""Seconds that a shop waits for an answer. Shopify waits 5. But this machine is all of AWS, and where it cannot keep
up, a sender who gives up early and sends again only adds to what it cannot keep up with."""
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 8.0
"""Seconds until a delivery is sent again. Shops wait for minutes and hours; here time is compressed."""
MOST_ATTEMPTS: Final = 60
UNANSWERED: Final = 0
"""In place of a status: refused, reset or too late."""


@dataclass
class Sent:
    """What became of one delivery."""

    sending: Sending
    statuses: list[int] = field(default_factory=list)
    """One for each attempt."""
    seconds: float = 0.0
    """From its time until it was acknowledged, or refused for good."""
    lag: float = 0.0
    """How much later than its time it was first sent: the generator's own fault."""

    @property
    def acknowledged(self) -> bool:
        return bool(self.statuses) and HTTPStatus.OK <= self.statuses[-1] < HTTPStatus.MULTIPLE_CHOICES

    @property
    def attempts(self) -> int:
        return len(self.statuses)


Progress = Callable[[Sent], None]


async def send_all(
    sendings: Iterable[Sending], base_url: str, *, start: float, heard: Progress = lambda _sent: None
) -> list[Sent]:
    """Send each at `start` (on the event loop's clock) plus its time; return when the last has its final answer."""
    clock = asyncio.get_running_loop().time
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with (
        httpx.AsyncClient(base_url=base_url, timeout=ANSWER_LIMIT, trust_env=False, limits=limits) as http,
        asyncio.TaskGroup() as group,
    ):

        async def follow(sending: Sending) -> Sent:
            sent = Sent(sending, lag=clock() - start - sending.at)
            await _until_answered(sent, lambda: _post(http, sending))
            sent.seconds = clock() - start - sending.at
            heard(sent)
            return sent

        tasks = []
        for sending in sendings:
            await asyncio.sleep(max(0.0, start + sending.at - clock()))
            tasks.append(group.create_task(follow(sending)))
    return [task.result() for task in tasks]


async def _until_answered(sent: Sent, post: Callable[[], Awaitable[int]]) -> None:
    """Attempt after attempt. A forger is not that patient: he takes a refusal for an answer."""
    pause = FIRST_PAUSE
    while sent.attempts < MOST_ATTEMPTS:
        status = await post()
        sent.statuses.append(status)
        is_refusal = sent.sending.kind is Kind.FORGED and status == HTTPStatus.UNAUTHORIZED
        if is_refusal or sent.acknowledged:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _post(http: httpx.AsyncClient, sending: Sending) -> int:
    request = sending.post.request
    path = f"/webhooks/{sending.post.shop}/orders"
    try:
        answer = await http.post(path, content=request.body, headers=dict(request.headers))
    except httpx.TransportError:
        return UNANSWERED
    return answer.status_code
