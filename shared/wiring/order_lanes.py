"""The two ways into the order intake, each with a queue of its own.

In the ordinary lane many workers take orders in, a few at a time. Orders of a SKU at which others are often faster
leave it for the hot lane: there few workers commit many orders in each transaction, and nothing is passed on any more.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import tenacity

from shared.kernel.clock import utc_now
from shared.orders.decision import Contended
from shared.orders.heat import Heat
from shared.orders.ports import Desk
from shared.orders.table import OrderTable
from shared.platform.intake_queue import HOT_ORDERS, ORDERS, IntakeQueue
from shared.platform.observability import count, logger
from shared.wiring.order_desk import desk, retry_conflicts
from shared.wiring.tables import order_table

MOST_LOSSES: Final = 2
"""Of an order in the ordinary lane against others at the same stock, before it is passed on."""


@dataclass(frozen=True)
class Lane:
    queue: IntakeQueue
    is_hot: bool

    def desk(self, shop: str) -> Desk:
        """The shop's desk, or `Rejected` with code `unknown_shop`."""
        return replace(desk(shop), book=self.book(), retrying=self.retrying)

    def book(self) -> OrderTable:
        return order_table() if self.is_hot else order_table(told=_note)

    def retrying(self) -> tenacity.Retrying:
        return retry_conflicts() if self.is_hot else until_lost_often(retry_conflicts())

    def leads_elsewhere(self, skus: Iterable[str]) -> bool:
        """Whether an order of these SKUs is to be passed on at once."""
        now = utc_now()
        return not self.is_hot and any(_heat().is_hot(sku, now) for sku in skus)

    def note_beaten(self, skus: Collection[str]) -> None:
        """An order lost twice at these: the next ones of theirs are to be passed on at once."""
        _heat().note_beaten(skus, utc_now())


ORDINARY: Final = Lane(ORDERS, is_hot=False)
HOT: Final = Lane(HOT_ORDERS, is_hot=True)


def lane_of(messages: Sequence[Mapping[str, Any]]) -> Lane:
    """Where the messages of one invocation, as Lambda hands them over, come from."""
    return HOT if messages and HOT.queue.is_source_of(messages[0]) else ORDINARY


def pass_on(bodies: Sequence[str], skus: Collection[str]) -> list[bool]:
    """Put messages of the ordinary lane onto the hot one; of each, whether it is there now. Twice does no harm.

    `skus`: at which others are faster, for the log.
    """
    taken = HOT.queue.pass_on(bodies)
    logger().info("deliveries passed on", extra={"count": sum(taken), "skus": sorted(skus)})
    if any(taken):
        count("DeliveryPassedOn", sum(taken))
    return taken


def until_lost_often(retrying: tenacity.Retrying) -> tenacity.Retrying:
    """The same, but over as soon as others were faster at the stock for the second time."""
    losses = 0

    def is_over(state: tenacity.RetryCallState) -> bool:
        nonlocal losses
        losses += state.outcome is not None and isinstance(state.outcome.exception(), Contended)
        return losses >= MOST_LOSSES or retrying.stop(state)

    return retrying.copy(stop=is_over)


@cache
def _heat() -> Heat:
    """What this environment has met. Others have met the like, or will."""
    return Heat()


def _note(wanted: Collection[str], lost: Collection[str]) -> None:
    _heat().note(wanted, lost, utc_now())
