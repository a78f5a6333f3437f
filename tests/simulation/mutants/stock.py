"""Defects of stock: promised twice, given back twice, told wrongly, alerted too often or never."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from shared.inventory.table import MovementTable, StockItem, StockTable
from shared.kernel.errors import Retry
from shared.notifications import low_stock as watching
from shared.wiring import stock_push, stock_relay
from tests.simulation.mutants.mutant import Mutant, always, doing_nothing, swallowing


def _blindly(real: Callable[..., Any]) -> Callable[..., Any]:
    def moving(self: StockTable, move: Any) -> Any:
        return always(real(self, move))

    return moving


def _given_back_twice(real: Callable[..., Any]) -> Callable[..., Any]:
    def moving(self: StockTable, move: Any) -> Any:
        shares = tuple(
            share.model_copy(update={"reserved": 2 * share.reserved}) if share.reserved < 0 else share
            for share in move.shares
        )
        return real(self, move.model_copy(update={"shares": shares}))

    return moving


def _one_of_a_batch(real: Callable[..., Any]) -> Callable[..., Any]:
    def add(self: MovementTable, movements: Iterable[Any]) -> None:
        real(self, list(movements)[-1:])

    return add


def _at_every_change(real: Callable[..., Any]) -> Callable[..., Any]:
    def observe(_kept: Any, line: Any, **words: Any) -> Any:
        return real(None, line, **words)

    return observe


def _moved_on_untold(real: Callable[..., Any]) -> Callable[..., Any]:
    """A crossing that was stored and not told is forgotten with the next change."""

    def tell(alert: Any, _crossing: Any, stock_watch: Any) -> Any:
        try:
            return real(alert, _crossing, stock_watch)
        except Retry:
            return alert.told(stock_watch.clock())

    return tell


MUTANTS: Final = (
    Mutant(
        "blind stock write",
        "stock is taken without the condition that it is there",
        StockTable,
        "moving",
        _blindly,
        "rush",
    ),
    Mutant(
        "given back twice",
        "what an order no longer holds is given back once for the line and once for the order",
        StockTable,
        "moving",
        _given_back_twice,
    ),
    Mutant(
        "a movement without a number",
        "a stock line moves and its sequence does not: one movement hides another",
        StockItem.seq,
        "add",
        lambda real: lambda _units: real(0),
    ),
    Mutant(
        "one movement of a batch",
        "of several movements in one batch of the stream only the last is written to the ledger",
        MovementTable,
        "add",
        _one_of_a_batch,
        "shelf",
    ),
    Mutant(
        "a lost movement",
        "when the ledger is out of reach the stream goes on",
        MovementTable,
        "add",
        swallowing(Retry),
        "shelf",
    ),
    Mutant(
        "a push that is not asked for",
        "when the queue is out of reach nobody looks at the changed SKUs",
        stock_relay,
        "request_push",
        doing_nothing,
        "shelf",
    ),
    Mutant(
        "a push given up",
        "a shop that was out of reach is not looked at again",
        stock_push,
        "_postpone",
        doing_nothing,
        "shelf",
    ),
    Mutant(
        "an alert for every change",
        "people are told at each change below the reorder point",
        watching,
        "observe",
        _at_every_change,
        "shelf",
    ),
    Mutant(
        "an alert that is forgotten",
        "a notice that a channel did not take counts as told",
        watching,
        "_tell",
        _moved_on_untold,
        "shelf",
    ),
)
