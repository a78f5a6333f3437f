"""Charts out of a report's rows: which rows are drawn, in which currency. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from shared.finance.reports.report import Cell, Chart, Column, Drawing, Kind, Row, Series, Text

MOST_CURRENCIES = 4
"""Charts for so many currencies; the tables have them all."""
_MOST_BARS = 10
_MOST_UPRIGHT = 62
_ELSE = Text("all others", "其他", "others")


def currencies_of(rows: Iterable[Row]) -> list[str]:
    """The currencies with the most rows first; those that are drawn."""
    counted: dict[str, int] = {}
    for row in rows:
        if row.currency:
            counted[row.currency] = counted.get(row.currency, 0) + 1
    return sorted(counted, key=lambda code: (-counted[code], code))[:MOST_CURRENCIES]


def ranking(
    title: Text, columns: Sequence[Column], rows: Sequence[Row], *, label: str, value: str
) -> tuple[Chart, ...]:
    """For each currency: lying bars of the rows with the largest values, the largest first."""
    place = {column.key: number for number, column in enumerate(columns)}
    heading, kind = columns[place[value]].heading, columns[place[value]].kind
    charts = []
    for currency in currencies_of(rows):
        drawn: dict[str | Text, int] = {}
        for row in rows:
            amount = row.cells[place[value]]
            if row.currency == currency and isinstance(amount, int):
                name = _label(row.cells[place[label]])
                drawn[name] = drawn.get(name, 0) + amount
        best = sorted((name for name in drawn if drawn[name]), key=lambda name: (-drawn[name], str(name)))[:_MOST_BARS]
        if best:
            series = (Series(heading, tuple(drawn[name] for name in best)),)
            charts.append(Chart(title, Drawing.RANKING, tuple(best), series, kind, currency))
    return tuple(charts)


def by_day(
    title: Text, rows: Sequence[Row], *, day: int, parts: Sequence[tuple[Text, Callable[[Row], int]]]
) -> tuple[Chart, ...]:
    """For each currency: one parted bar for each day from the first to the last; lines where days are many."""
    charts = []
    for currency in currencies_of(rows):
        mine = [row for row in rows if row.currency == currency and isinstance(row.cells[day], date)]
        days = sorted({str(row.cells[day]) for row in mine})
        if len(days) < 2:  # noqa: PLR2004 - one day is no course of days
            continue
        spread = _every_day(days)
        series = []
        for name, figure in parts:
            sums = dict.fromkeys(spread, 0)
            for row in mine:
                sums[str(row.cells[day])] += figure(row)
            if any(sums.values()):
                series.append(Series(name, tuple(sums.values())))
        if series:
            drawing = Drawing.BARS if len(spread) <= _MOST_UPRIGHT else Drawing.LINES
            charts.append(Chart(title, drawing, tuple(spread), tuple(series), Kind.MONEY, currency))
    return tuple(charts)


def stacks(
    title: Text, buckets: Sequence[Text], rows: Sequence[Row], *, label: int, first: int, kind: Kind = Kind.MONEY
) -> tuple[Chart, ...]:
    """For each currency: one bar for each bucket (columns from `first` on), parted by the rows' labels."""
    wanted: list[str | None] = [*currencies_of(rows)] if kind is Kind.MONEY else [None]
    charts = []
    for currency in wanted:
        parts: dict[str | Text, list[int]] = {}
        for row in rows:
            if kind is not Kind.MONEY or row.currency == currency:
                sums = parts.setdefault(_label(row.cells[label]), [0] * len(buckets))
                for number in range(len(buckets)):
                    sums[number] += _amount(row.cells[first + number])
        series = _few(parts)
        if series:
            charts.append(Chart(title, Drawing.BARS, tuple(buckets), series, kind, currency))
    return tuple(charts)


def _few(parts: dict[str | Text, list[int]]) -> tuple[Series, ...]:
    """As many series as colours can tell apart: the largest by themselves, the others as one."""
    most = 6
    names = sorted((name for name in parts if any(parts[name])), key=lambda n: (-sum(map(abs, parts[n])), str(n)))
    kept = names if len(names) <= most else names[: most - 1]
    series = [Series(_text(name), tuple(parts[name])) for name in kept]
    if len(kept) < len(names):
        others = [parts[name] for name in names[most - 1 :]]
        series.append(Series(_ELSE, tuple(sum(column) for column in zip(*others, strict=True))))
    return tuple(series)


def _every_day(days: Sequence[str]) -> list[str]:
    first, last = date.fromisoformat(days[0]).toordinal(), date.fromisoformat(days[-1]).toordinal()
    return [date.fromordinal(number).isoformat() for number in range(first, last + 1)]


def _label(cell: Cell) -> str | Text:
    return cell if isinstance(cell, Text) else "" if cell is None else str(cell)


def _text(name: str | Text) -> Text:
    return name if isinstance(name, Text) else Text(name, name)


def _amount(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0
