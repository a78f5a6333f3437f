"""What a report is: columns, rows, totals for each currency, and what is drawn of them. Pure values.

Amounts are minor units of the row's currency, percentages are hundredths of a percent: 143 is 1.43 %. How any of them
is written is the renderers' business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


class Text(NamedTuple):
    """Words for people, in both languages."""

    en: str
    zh: str
    code: str = ""
    """What programs read in its place, where it stands in a cell; empty: the English words."""

    def read(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class Kind(StrEnum):
    TEXT = "text"
    DAY = "day"
    MONEY = "money"
    PERCENT = "percent"
    COUNT = "count"


Cell = str | Text | date | int | None
Amounts = Mapping[str, int | None]
"""The figures of one row by their columns' keys."""
Derivation = Callable[["tuple[Cell, ...]", Amounts], int | None]
"""A figure out of a row's keys and its other figures. Of totals, the keys are empty."""


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    """For programs: stable."""
    kind: Kind
    heading: Text
    derive: Derivation | None = None
    """How it comes from the columns before it; None: it is added up."""
    totalled: bool = True
    """Whether a total of it means anything."""

    @property
    def is_key(self) -> bool:
        """Whether it tells rows apart; else it is a figure."""
        return self.kind in (Kind.TEXT, Kind.DAY)


class Row(NamedTuple):
    currency: str | None
    """Of its amounts. None where it has none."""
    cells: tuple[Cell, ...]


class Series(NamedTuple):
    name: Text
    values: tuple[int | None, ...]
    """One for each label; None where there is nothing to draw."""


class Drawing(StrEnum):
    BARS = "bars"
    """Upright, stacked where there are several series; negative ones go down."""
    LINES = "lines"
    RANKING = "ranking"
    """Lying bars of one series, each with its name and figure."""


@dataclass(frozen=True, slots=True)
class Chart:
    title: Text
    drawing: Drawing
    labels: tuple[str | Text, ...]
    series: tuple[Series, ...]
    kind: Kind = Kind.MONEY
    currency: str | None = None


class Tile(NamedTuple):
    """One figure that is read first."""

    label: Text
    kind: Kind
    value: int
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One table with what belongs to it. The same entries in any order give the same report to the byte."""

    name: str
    """For programs and file names: `sales-by-day`."""
    title: Text
    about: Text
    """What it shows and what it is made of, in a sentence or two."""
    since: date
    until: date
    """The last day that it covers. Both are days of the books: what was posted on them."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: tuple[Row, ...] = ()
    """One for each currency; cells of key columns are None."""
    notes: tuple[Text, ...] = ()
    charts: tuple[Chart, ...] = ()
    tiles: tuple[Tile, ...] = ()

    @property
    def has_currency(self) -> bool:
        """Whether its rows are of a currency each."""
        return any(column.kind is Kind.MONEY for column in self.columns)

    @property
    def keys(self) -> int:
        """How many columns tell rows apart; they come first."""
        return sum(column.is_key for column in self.columns)


def share(part: int | None, whole: int | None) -> int | None:
    """`part` of `whole` in hundredths of a percent, the nearest, halves away from zero; None where it means nothing."""
    if part is None or not whole:
        return None
    hundredths, rest = divmod(abs(part) * 10_000, abs(whole))
    rounded = hundredths + (2 * rest >= abs(whole))
    return rounded if (part < 0) == (whole < 0) else -rounded


def sum_of(*keys: str) -> Derivation:
    """The sum of other columns; those with a minus in front are taken off: `sum_of("gross", "-returns")`."""
    signed = tuple((key.removeprefix("-"), -1 if key.startswith("-") else 1) for key in keys)

    def derive(_: tuple[Cell, ...], amounts: Amounts) -> int:
        return sum(sign * (amounts[key] or 0) for key, sign in signed)

    return derive


def ratio(part: str, whole: str) -> Derivation:
    """One column as a share of another, in hundredths of a percent."""

    def derive(_: tuple[Cell, ...], amounts: Amounts) -> int | None:
        return share(amounts[part], amounts[whole])

    return derive


def figure(columns: Sequence[Column], row: Row, key: str) -> int:
    """One figure of a row; 0 where there is none."""
    value = row.cells[[column.key for column in columns].index(key)]
    return value if isinstance(value, int) else 0


def tiles_of(label: Text, columns: Sequence[Column], totals: Sequence[Row], key: str) -> tuple[Tile, ...]:
    """One figure of the totals, for each currency."""
    kind = next(column.kind for column in columns if column.key == key)
    return tuple(Tile(label, kind, figure(columns, total, key), total.currency) for total in totals)
