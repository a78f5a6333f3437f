"""Defects towards others: events that nobody hears, sales that are not made, shipments shown twice."""

from collections.abc import Callable
from typing import Any, Final

from shared.kernel.errors import Conflict, Retry
from shared.platform import bus
from shared.sync import storefront_push as telling
from shared.sync.backoffice import push as books
from shared.wiring import backoffice_pull, backoffice_push, order_relay
from shared.wiring import errands as runner
from tests.simulation.mutants.mutant import Mutant, doing_nothing, swallowing


def _half_refused(_real: object) -> Callable[..., None]:
    """The bus may take some entries of a call and refuse others."""

    def put(source: str, events: Any) -> None:
        from shared.platform import aws  # noqa: PLC0415 - as it is swapped now

        entries: list[Any] = [
            {"EventBusName": "bus", "Source": source, "DetailType": kind, "Detail": event.model_dump_json()}
            for kind, event in events
        ]
        if entries:
            aws.events().put_events(Entries=entries)

    return put


def _none_of_the_first(real: Callable[..., Any]) -> Callable[..., Any]:
    def events(old: Any, new: Any) -> Any:
        return real(old, new)[:1]

    return events


def _never_stopped(real: Callable[..., Any]) -> Callable[..., Any]:
    def push(key: Any, desk: Any) -> Any:
        try:
            return real(key, desk)
        except (Retry, Conflict):
            return books.Pushed(None, (), 0)

    return push


def _entered_anew(real: Callable[..., Any]) -> Callable[..., Any]:
    """The consignment's key is made up at each look."""

    def tell(record: Any, dispatches: Any, told: Any, desk: Any) -> Any:
        stamp = desk.clock().isoformat()
        anew = tuple(one.model_copy(update={"key": f"{one.key}/{stamp}"}) for one in dispatches)
        return real(record, anew, told, desk)

    return tell


MUTANTS: Final = (
    Mutant(
        "an event that the bus refused",
        "that the bus took only some of the entries is not looked at",
        bus,
        "_put",
        _half_refused,
        "books",
    ),
    Mutant(
        "events lost with the bus",
        "when the bus is out of reach the stream goes on",
        order_relay,
        "relay",
        swallowing(Retry, Conflict, OSError),
        "books",
    ),
    Mutant(
        "only the first event",
        "of several things that one commit did only the first is told",
        order_relay,
        "events_of",
        _none_of_the_first,
        "books",
    ),
    Mutant(
        "an errand that is not put back",
        "an errand that failed for now is acknowledged and forgotten",
        runner,
        "_put_back",
        doing_nothing,
        "books",
    ),
    Mutant(
        "pushed, whatever happened",
        "a push that was stopped raises nothing, so that nobody tries again",
        backoffice_push,
        "push",
        _never_stopped,
        "books",
    ),
    Mutant(
        "shown again",
        "a consignment has another key at each look, so that the shop enters it twice",
        telling,
        "_tell",
        _entered_anew,
        "books",
    ),
    Mutant(
        "nobody hears of dispatches",
        "what left the warehouse is in the mirror and never in the order's record",
        books,
        "note_dispatches",
        lambda _real: lambda key, _dispatches, desk: desk.book.find(key),
        "books",
    ),
    Mutant(
        "a look that forgets",
        "what changed in the back office is listed, and no errand is sent",
        backoffice_pull,
        "send",
        doing_nothing,
        "books",
    ),
)
