"""Figures added up by what tells them apart: the middle of nearly every report."""

from collections.abc import Sequence
from datetime import date

from shared.finance.reports.report import Amounts, Cell, Column, Row, Text

Keys = tuple[Cell, ...]


class Grouping:
    """Rows that grow while postings go by; holds one list of integers for each row and nothing of the postings."""

    def __init__(self, columns: Sequence[Column], *, keeps_zeros: bool = False) -> None:
        self._keeps_zeros = keeps_zeros
        self._figures = tuple(column for column in columns if not column.is_key)
        self._added = {column.key: place for place, column in enumerate(c for c in self._figures if not c.derive)}
        self._sums: dict[tuple[Keys, str | None], list[int]] = {}

    def add(self, keys: Keys, currency: str | None, **amounts: int) -> None:
        """Add figures to the row of these keys. A name that is no column is an error of ours: `KeyError`."""
        sums = self._sums.get((keys, currency))
        if sums is None:
            sums = self._sums[keys, currency] = [0] * len(self._added)
        for name, amount in amounts.items():
            sums[self._added[name]] += amount

    def rows(self, *, rank: str | None = None, as_added: bool = False) -> tuple[Row, ...]:
        """Rows in the order of their keys, or within each currency the largest `rank` first, or as they were added.

        One of zeros alone is left out, unless such are kept.
        """
        found = [
            (keys, currency, self._figured(keys, sums))
            for (keys, currency), sums in self._sums.items()
            if self._keeps_zeros or any(sums)
        ]

        def order(row: tuple[Keys, str | None, Amounts]) -> tuple[object, ...]:
            keys, currency, amounts = row
            ranked = ((currency or "", -(amounts[rank] or 0)),) if rank else ()
            return (*ranked, tuple(_sortable(key) for key in keys), currency or "")

        if not as_added:
            found.sort(key=order)
        return tuple(Row(currency, (*keys, *amounts.values())) for keys, currency, amounts in found)

    def totals(self) -> tuple[Row, ...]:
        """One row for each currency, in the order of their codes; nothing where there are no rows."""
        totals: dict[str | None, list[int]] = {}
        width = 0
        for (keys, currency), sums in self._sums.items():
            width = len(keys)
            if any(sums):
                total = totals.setdefault(currency, [0] * len(sums))
                for place, amount in enumerate(sums):
                    total[place] += amount
        hidden = {column.key for column in self._figures if not column.totalled}
        return tuple(
            Row(
                currency,
                (
                    *(None,) * width,
                    *(None if key in hidden else value for key, value in self._figured((), totals[currency]).items()),
                ),
            )
            for currency in sorted(totals, key=lambda code: code or "")
        )

    def _figured(self, keys: Keys, sums: Sequence[int]) -> Amounts:
        amounts: dict[str, int | None] = {}
        for column in self._figures:
            amounts[column.key] = column.derive(keys, amounts) if column.derive else sums[self._added[column.key]]
        return amounts


def _sortable(cell: Cell) -> str:
    if isinstance(cell, Text):
        return cell.code or cell.en
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell)
