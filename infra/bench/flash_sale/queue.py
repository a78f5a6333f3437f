"""One lane's queue: messages, by when they can be had."""

import heapq
from dataclasses import dataclass, field


@dataclass(order=True)
class Message:
    visible_at: float
    number: int
    arrived_at: float = field(compare=False)
    received: int = field(compare=False, default=0)


@dataclass
class Queue:
    """Hands out what can be had longest. Nobody loses a message here: a worker that takes one finishes it."""

    _messages: list[Message] = field(default_factory=list)

    def put(self, message: Message) -> None:
        heapq.heappush(self._messages, message)

    def ready(self, now: float, most: int) -> int:
        """How many can be had, counted up to so many."""
        return sum(message.visible_at <= now for message in heapq.nsmallest(most, self._messages))

    def take(self, now: float, most: int) -> list[Message]:
        taken: list[Message] = []
        while self._messages and self._messages[0].visible_at <= now and len(taken) < most:
            message = heapq.heappop(self._messages)
            message.received += 1
            taken.append(message)
        return taken
