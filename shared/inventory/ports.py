"""What the use cases need of the place where stock is kept."""

from collections.abc import Iterable
from typing import Protocol

from shared.inventory.models import CountedLevel, StockLine, StockView


class StockRoom(Protocol):
    def read(self, skus: Iterable[str]) -> StockView:
        """The lines of these SKUs, read consistently. Unknown SKUs are missing from the result.

        Raises:
            Retry: the store is out of reach or throttles.
        """
        ...

    def set_level(self, level: CountedLevel) -> StockLine:
        """Set what a count found, and return the line as it now is.

        Raises:
            Conflict: `reserved_exceeds_count`, when more is promised to orders than was counted.
        """
        ...
