"""A storefront's delivery, from the HTTP request to the queue and out of it. Standard library only.

The raw body travels unchanged (zlib, then base64): queues refuse some characters that JSON may hold, and a later
reader can verify the signature again.
"""

import base64
import json
import re
import zlib
from typing import Any, NamedTuple, Self

from shared.kernel.errors import Rejected, Retry

MESSAGE_FORMAT = 1
MAX_BODY_BYTES = 6 * 1024 * 1024
"""Shopify sends bodies of some MB; Lambda itself takes no more than 6 MB."""


class Delivery(NamedTuple):
    """One authenticated account of a resource, as a storefront sent it or as we fetched it.

    `topic` is a hint: on both platforms it is not covered by the signature.
    """

    shop: str
    platform: str
    topic: str
    received_at: str
    """When we took it, sortable UTC text."""
    body: bytes
    delivery_id: str | None = None
    triggered_at: str | None = None
    api_version: str | None = None
    test: bool = False
    fetched: bool = False
    """Our client asked the storefront for it: the truth at `received_at`."""

    def to_message(self) -> str:
        """The queue message: JSON text without a buyer's data in the clear."""
        return json.dumps(
            {
                "format": MESSAGE_FORMAT,
                "shop": self.shop,
                "platform": self.platform,
                "topic": self.topic,
                "received_at": self.received_at,
                "delivery_id": self.delivery_id,
                "triggered_at": self.triggered_at,
                "api_version": self.api_version,
                "test": self.test,
                "fetched": self.fetched,
                "body": base64.b64encode(zlib.compress(self.body, 1)).decode("ascii"),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_message(cls, text: str) -> Self:
        """Read :meth:`to_message` back. Fields that only a newer version of the code knows are left out.

        Raises:
            Rejected: the message is not one of ours.
            Retry: a newer version wrote it in a form of its own: it waits in the queue for one that can read it.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            written = fields.pop("format")
            if isinstance(written, int) and written > MESSAGE_FORMAT:
                raise Retry("unknown_message_format", "the message was written by a newer version")
            if written != MESSAGE_FORMAT:
                raise _not_ours()
            body = _inflate(base64.b64decode(fields.pop("body"), validate=True))
            delivery = cls(body=body, **{name: value for name, value in fields.items() if name in cls._fields})
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, zlib.error) as error:
            raise _not_ours() from error
        if not delivery.is_well_typed:
            raise _not_ours()
        return delivery

    @property
    def is_well_typed(self) -> bool:
        """Whether each field is of its kind: JSON can hold anything, and what reads a delivery relies on it."""
        texts: tuple[object, ...] = (self.shop, self.platform, self.topic, self.received_at)
        perhaps: tuple[object, ...] = (self.delivery_id, self.triggered_at, self.api_version)
        marks: tuple[object, ...] = (self.test, self.fetched)
        return (
            all(isinstance(text, str) for text in texts)
            and all(text is None or isinstance(text, str) for text in perhaps)
            and all(isinstance(mark, bool) for mark in marks)
        )


def pointer_to(key: str) -> str:
    """The message in place of one that is too large for the queue: it names where that is stored."""
    return json.dumps({"stored": key})


def stored_key(message: str) -> str | None:
    """Where the real message is stored, if this is a pointer. Pointers are short, so no other message is parsed."""
    if len(message) > _LONGEST_POINTER:
        return None
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    key = found.get("stored") if isinstance(found, dict) else None
    return key if isinstance(key, str) and _STORED.fullmatch(key) else None


_LONGEST_POINTER = 1_000
_STORED = re.compile(r"oversize/[A-Za-z0-9_-]{1,100}\.json", re.ASCII)
"""Where such messages are kept, and nothing else of the archive."""


def _not_ours() -> Rejected:
    return Rejected("invalid_message", "the queue message is not a delivery of ours")


def _inflate(packed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    body = inflater.decompress(packed, MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES or not inflater.eof:
        raise Rejected("invalid_message", "the body is larger than any that we accept")
    return body
