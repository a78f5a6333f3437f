"""SQS's standard queues in virtual time: delays, visibility, receive counts, dead letters. Hands out in any order."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Message:
    id: str
    body: str
    attributes: Mapping[str, Any]
    visible_at: float
    received: int = 0

    def record(self, queue: str) -> dict[str, Any]:
        """What Lambda hands to a function."""
        return {
            "messageId": self.id,
            "receiptHandle": f"{self.id}/{self.received}",
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.received)},
            "messageAttributes": self.attributes,
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{queue}",
        }


@dataclass
class Queue:
    name: str
    visibility: float = 30.0
    most_receives: int | None = None
    dead_letters: "Queue | None" = None
    messages: dict[str, Message] = field(default_factory=dict)
    sent: int = 0

    def send(self, body: str, attributes: Mapping[str, Any] | None = None, *, at: float) -> Message:
        """A message that can be had from `at` on."""
        self.sent += 1
        message = Message(f"{self.name}-{self.sent}", body, attributes or {}, at)
        self.messages[message.id] = message
        return message

    def receive(self, most: int, dice: random.Random, *, now: float) -> list[Message]:
        """Up to `most` messages, out of order; they are invisible to others for a while."""
        visible = [message for message in self.messages.values() if message.visible_at <= now]
        if len(visible) > 1:
            dice.shuffle(visible)
        received = []
        for message in visible[:most]:
            if self.dead_letters is not None and message.received >= (self.most_receives or 0):
                self.delete(message.id)
                self.dead_letters.send(message.body, message.attributes, at=now)
                continue
            message.received += 1
            message.visible_at = now + self.visibility
            received.append(message)
        return received

    def delete(self, receipt: str) -> None:
        """Any receipt of a message removes it, as SQS mostly does."""
        self.messages.pop(receipt.partition("/")[0], None)

    def change_visibility(self, receipt: str, seconds: float, *, now: float) -> float | None:
        """When it can be had again; None for one that is gone."""
        message = self.messages.get(receipt.partition("/")[0])
        if message is None:
            return None
        message.visible_at = now + seconds
        return message.visible_at
