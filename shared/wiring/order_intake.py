"""Put the order intake together: from queue messages to the order desk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.kernel.clock import utc_now
from shared.kernel.errors import StorebridgeError
from shared.orders.decision import Contended
from shared.orders.demand import skus_of
from shared.orders.intake import Outcome, take_in
from shared.orders.ports import Arrival, Desk
from shared.orders.readings import CompleteOrder, Reading
from shared.platform.intake import done_with
from shared.platform.intake_queue import ORDERS, unpack
from shared.platform.observability import count, logger
from shared.webhooks.delivery import stored_key
from shared.wiring.order_lanes import Lane, lane_of, pass_on
from shared.wiring.storefront import reader

if TYPE_CHECKING:
    from shared.orders.take_in_together import Taken

_MOST_DELIVERIES = 3
"""Of a message, after which it is taken in by itself: whatever it is that it fails on, it fails nobody else then."""


def archive(messages: list[Mapping[str, Any]]) -> None:
    """Keep the raw messages before anything is done with them. What was passed on is kept already."""
    if not lane_of(messages).is_hot:
        ORDERS.archive_batch(messages, day=f"{utc_now():%Y/%m/%d}")


class _PassedOn:
    """The hot lane has the message now."""


@dataclass
class Batch:
    """The messages of one invocation: some of their orders may be committed together."""

    messages: Sequence[Mapping[str, Any]]
    _readings: dict[str, tuple[str, Reading]] = field(default_factory=dict)
    """The shop, and what it tells, of the messages that were read already."""
    _desks: dict[str, Desk] = field(default_factory=dict)
    _taken: "dict[str, Taken | _PassedOn] | None" = None

    def process(self, message_id: str, body: str, *, receipt_handle: str, received: int) -> None:
        """Take one of the messages in. When this returns, it is done with: applied, superseded, passed on or set aside.

        The first call takes in what goes together. Should that break down unforeseen, it fails this one message, and
        each of the others is taken in by itself.

        Raises:
            Retry, Conflict: the message must stay in the queue; its next delivery is put off for a while.
        """
        lane = lane_of(self.messages)
        with done_with(lane.queue, body, receipt_handle=receipt_handle, received=received, thing="Delivery"):
            taken = self._taken_together(lane).get(message_id) or self._take_alone(message_id, body, lane)
            if isinstance(taken, StorebridgeError):
                raise taken
            if isinstance(taken, Outcome):
                report(taken)

    def _taken_together(self, lane: Lane) -> "dict[str, Taken | _PassedOn]":
        if self._taken is None:
            self._taken = {}
            self._taken = self._take_together(lane)
        return self._taken

    def _take_together(self, lane: Lane) -> "dict[str, Taken | _PassedOn]":
        bodies = {message["messageId"]: message["body"] for message in self.messages if _may_go_together(message)}
        self._readings = dict(_read_all(bodies))
        arrivals = dict(self._arrivals(lane))
        leaving = {name: skus for name, arrival in arrivals.items() if lane.leads_elsewhere(skus := _skus_of(arrival))}
        passed_on = _pass_on({name: bodies[name] for name in leaving}, leaving.values())
        staying = {name: arrival for name, arrival in arrivals.items() if name not in passed_on}
        return {**passed_on, **_take_groups(staying, bodies, lane)} if len(staying) > 1 else {**passed_on}

    def _take_alone(self, message_id: str, body: str, lane: Lane) -> Outcome | _PassedOn:
        shop, reading = self._readings.get(message_id) or _read(body)
        try:
            return take_in(shop, reading, self._desk(shop, lane))
        except Contended as error:
            lane.note_beaten(error.skus)
            if lane.is_hot or not all(pass_on([body], error.skus)):
                raise
            return _PassedOn()

    def _arrivals(self, lane: Lane) -> Iterator[tuple[str, Arrival]]:
        """Whole accounts of orders, with their shops' desks."""
        for name, (shop, reading) in self._readings.items():
            if isinstance(reading, CompleteOrder):
                with suppress(StorebridgeError):
                    yield name, Arrival(reading.order, self._desk(shop, lane))

    def _desk(self, shop: str, lane: Lane) -> Desk:
        if shop not in self._desks:
            self._desks[shop] = lane.desk(shop)
        return self._desks[shop]


def _may_go_together(message: Mapping[str, Any]) -> bool:
    """Neither one that came back too often, nor one whose body must be fetched first."""
    received = int(message["attributes"]["ApproximateReceiveCount"])
    return received <= _MOST_DELIVERIES and stored_key(message["body"]) is None


def _read(body: str) -> tuple[str, Reading]:
    delivery = unpack(body)
    return delivery.shop, reader(delivery.platform)(delivery)


def _read_all(bodies: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, Reading]]]:
    """What can be read; why the others cannot is told when each is taken in by itself."""
    for name, body in bodies.items():
        with suppress(StorebridgeError):
            yield name, _read(body)


def _take_groups(
    arrivals: Mapping[str, Arrival], bodies: Mapping[str, str], lane: Lane
) -> "dict[str, Taken | _PassedOn]":
    from shared.orders.take_in_together import Pace, take_in_together  # noqa: PLC0415 - most batches hold one order

    results = take_in_together(list(arrivals.values()), lane.book(), Pace(lane.retrying, hurried=lane.is_hot))
    taken: dict[str, Taken | _PassedOn] = dict(zip(arrivals, results, strict=True))
    contended = {name: result.skus for name, result in taken.items() if isinstance(result, Contended)}
    lane.note_beaten(frozenset[str]().union(*contended.values()))
    passed_on = _pass_on({name: bodies[name] for name in contended}, contended.values())
    return {name: passed_on.get(name) if name in contended else result for name, result in taken.items()}


def _skus_of(arrival: Arrival) -> frozenset[str]:
    return skus_of(arrival.order, (), arrival.desk.bundles())


def _pass_on(bodies: Mapping[str, str], skus: Iterable[frozenset[str]]) -> dict[str, _PassedOn]:
    """Those that the hot lane has now."""
    if not bodies:
        return {}
    taken = pass_on(list(bodies.values()), frozenset[str]().union(*skus))
    return {name: _PassedOn() for name, is_there in zip(bodies, taken, strict=True) if is_there}


def report(outcome: Outcome) -> None:
    """One line and one metric for what became of a delivery; one more for each thing that looks odd."""
    logger().info(
        "delivery taken in",
        extra={
            "result": outcome.result.value,
            "order": str(outcome.key or ""),
            "revision": outcome.record.revision if outcome.record else None,
            "status": outcome.record.status if outcome.record else None,
            "reason": outcome.reason,
        },
    )
    count("DeliveryTakenIn", result=outcome.result.value)
    for oddity in outcome.oddities:
        logger().warning("order looks odd", extra={"order": str(outcome.key), "oddity": oddity})
        count("OrderOddity", shop=outcome.key.shop if outcome.key else "unknown")
