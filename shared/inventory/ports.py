"""What the use cases need of the place where stock is kept."""

from collections.abc import Iterable
from typing import Protocol

from shared.inventory.models import Cause, CountedLevel, StockChange, StockLine, StockView


class StockReader(Protocol):
    def read(self, skus: Iterable[str]) -> StockView:
        """The lines of these SKUs, read consistently. Unknown SKUs are missing from the result.

        Raises:
            Retry: the store is out of reach or throttles.
        """
        ...


class StockRoom(StockReader, Protocol):
    """A stock room in which people and goods move stock by hand."""

    def set_level(self, level: CountedLevel) -> StockLine:
        """Set what a count found, and return the line as it now is.

        Raises:
            Conflict: `reserved_exceeds_count`, when more is promised to orders than was counted.
        """
        ...

    def follow(self, known: StockLine | None, change: StockChange, cause: Cause) -> StockLine | None:
        """Apply one movement to the line as it was read, or to none where there was none; None if it changed since."""
        ...

    def move(self, change: StockChange, cause: Cause) -> StockLine:
        """Apply one movement by itself, and return the line as it now is. A line that is not there starts at zero.

        Raises:
            Conflict: `not_on_shelf`, when that would take or promise what is not there; `too_many_units`, when it
                would leave more than a line can say.
        """
        ...
