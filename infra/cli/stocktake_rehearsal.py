"""A stocktake book for `--dry-run`: reads the real one, and keeps to itself what would be written."""

from collections.abc import Iterable, Sequence

from shared.inventory.stocktake import Correction, Stocktake, StocktakeLine
from shared.inventory.stocktakes import StocktakeBook


class RehearsedBook:
    """What would be written is read back, so that a use case of several writes comes to its end."""

    def __init__(self, book: StocktakeBook) -> None:
        self._book = book
        self._sessions: dict[str, Stocktake] = {}
        self._lines: dict[tuple[str, str], StocktakeLine] = {}

    def open(self, session: Stocktake, lines: Sequence[StocktakeLine]) -> None:
        self._sessions[session.id] = session
        self._lines |= {(session.id, line.sku): line for line in lines}

    def sessions(self) -> Iterable[Stocktake]:
        return self._book.sessions()

    def find(self, session_id: str) -> Stocktake | None:
        return self._sessions.get(session_id) or self._book.find(session_id)

    def save(self, session: Stocktake) -> None:
        self._sessions[session.id] = session

    def lines(self, session_id: str) -> Sequence[StocktakeLine]:
        rehearsed = {sku: line for (name, sku), line in self._lines.items() if name == session_id}
        kept = {line.sku: line for line in self._book.lines(session_id)} | rehearsed
        return [kept[sku] for sku in sorted(kept)]

    def find_line(self, session_id: str, sku: str) -> StocktakeLine | None:
        return self._lines.get((session_id, sku)) or self._book.find_line(session_id, sku)

    def record(self, session_id: str, line: StocktakeLine) -> None:
        self._lines[session_id, line.sku] = line

    def post(self, session_id: str, line: StocktakeLine, correction: Correction) -> None:  # noqa: ARG002 - the port's
        self._lines[session_id, line.sku] = line
