"""Errands that were given up: the dead-letter queues of the errand queues, and the way back.

An errand carries no content, so it goes back as a new one: its attempts are counted from the beginning.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from infra.cli.mail import Letter, delete, set_aside
from shared.kernel.errors import Rejected
from shared.orders.errands import Office
from shared.platform.errand_queue import AnErrand, CountErrand, parse, send

DEAD_LETTERS_OF: Final[Mapping[Office, str]] = {
    Office.BACKOFFICE: "BACKOFFICE_DLQ_URL",
    Office.STOREFRONT: "STOREFRONT_DLQ_URL",
    Office.BUYER: "BUYER_DLQ_URL",
}
"""The environment variable that names each office's dead-letter queue.

Not that of the customers' intake: it holds deliveries beside errands, and is `events replay --customers`' business.
"""

_PER_CALL = 10


@dataclass(frozen=True)
class GivenUp:
    """One message of a dead-letter queue."""

    letter: Letter
    errand: AnErrand | None
    """None where it is no errand of ours: it stays where it is."""

    @property
    def subject(self) -> str | None:
        """`aurora/5001`, `aurora/customer/17`, or the count that was to be told."""
        if isinstance(self.errand, CountErrand):
            return f"count of {self.errand.sku} at {self.errand.location}"
        return str(self.errand.key) if self.errand else None


@contextmanager
def given_up(office: Office, most: int) -> Iterator[list[GivenUp]]:
    """Up to so many messages of the office's dead-letter queue; those that are not taken off it go back afterwards."""
    with set_aside(most, queue=DEAD_LETTERS_OF[office]) as letters:
        yield [GivenUp(letter, _errand(letter)) for letter in letters]


def put_back(letters: Sequence[GivenUp], office: Office) -> Iterator[int]:
    """Put the errands on their queue, and tell after each batch how many it took so far.

    Each leaves the dead-letter queue only after the queue has it. One that is put back twice does no harm.

    Raises:
        Retry: `queue_refused`; the rest stays where it is.
    """
    done = 0
    readable = [letter for letter in letters if letter.errand is not None]
    for start in range(0, len(readable), _PER_CALL):
        batch = readable[start : start + _PER_CALL]
        send([letter.errand.model_copy(update={"attempt": 0}) for letter in batch if letter.errand], office)
        delete([one.letter for one in batch], DEAD_LETTERS_OF[office])
        done += len(batch)
        yield done


def _errand(letter: Letter) -> AnErrand | None:
    try:
        return parse(letter.text)
    except Rejected:
        return None
