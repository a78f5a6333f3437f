"""Charts as inline SVG without any script. Pure: whole numbers in, the same text out.

Each chart is drawn twice, for wide and for narrow screens, because letters in a picture that is scaled down to a
telephone cannot be read; the page's style shows one of them.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from shared.finance.reports.figures import compact, read
from shared.finance.reports.one_line import one_line
from shared.finance.reports.report import Chart, Drawing, Kind, Language, Series, Text

COLOURS: Final = 6
"""How many series a chart tells apart: classes `s0` to `s5` of the style sheet."""
_LETTER: Final = 6.6
"""Pixels of a Latin letter at the size of the charts' text; others (Chinese) are twice as wide."""


class _Size(NamedTuple):
    name: str
    width: int
    height: int


_SIZES: Final = (_Size("wide", 600, 250), _Size("narrow", 320, 220))
_TOP, _BOTTOM, _RIGHT = 12, 26, 8
_RANK_HEIGHT = 38
_MOST_POINTS = 31


def draw(chart: Chart, language: Language) -> str:
    """The chart's two pictures, each with a text alternative."""
    return "".join(_picture(chart, language, size) for size in _SIZES)


def summary(chart: Chart, language: Language) -> str:
    """What the chart shows, in words: of each series the least, the largest and the last figure."""
    parts = []
    for series in chart.series:
        told = [value for value in series.values if value is not None]
        if told:
            least, largest, last = (_figure(value, chart) for value in (min(told), max(told), told[-1]))
            name = one_line(series.name.read(language))
            parts.append(
                f"{name}：最低 {least}，最高 {largest}，最后 {last}"
                if language == "zh"
                else f"{name}: least {least}, largest {largest}, last {last}"
            )
    return "；".join(parts) if language == "zh" else "; ".join(parts)


def title_of(chart: Chart, language: Language) -> str:
    unit = f" ({chart.currency})" if chart.kind is Kind.MONEY else ""
    return chart.title.read(language) + unit


def _picture(chart: Chart, language: Language, size: _Size) -> str:
    height = _RANK_HEIGHT * len(chart.labels) + 4 if chart.drawing is Drawing.RANKING else size.height
    inside = "".join(
        _ranking(chart, language, size.width)
        if chart.drawing is Drawing.RANKING
        else _Plot(chart, language, size).draw()
    )
    title, words = escape(title_of(chart, language)), escape(summary(chart, language))
    return (
        f'<svg class="{size.name}" role="img" viewBox="0 0 {size.width} {height}" aria-label="{title}. {words}">'
        f"<title>{title}</title><desc>{words}</desc>{inside}</svg>"
    )


# ---- upright bars and lines ------------------------------------------------------------------------------------------


class _Plot:
    """Axes, and what is drawn between them."""

    def __init__(self, chart: Chart, language: Language, size: _Size) -> None:
        self._chart = chart
        self._language = language
        low, high = _extent(chart)
        ticks = 4
        step = nice_step(high - low, ticks)
        self._low = low // step * step
        self._high = -(-high // step) * step
        if self._high == self._low:
            self._high += step
        self._ticks = range(self._low, self._high + 1, step)
        longest = max(len(compact(tick, chart.kind, chart.currency)) for tick in self._ticks)
        self._left = int(longest * _LETTER) + 12
        self._right = size.width - _RIGHT
        self._floor = size.height - _BOTTOM

    def draw(self) -> Iterator[str]:
        yield from self._axes()
        yield from self._lines() if self._chart.drawing is Drawing.LINES else self._bars()

    def _y(self, value: int) -> float:
        return self._floor - (value - self._low) * (self._floor - _TOP) / (self._high - self._low)

    @property
    def _slot(self) -> float:
        return (self._right - self._left) / len(self._chart.labels)

    def _middle(self, place: int) -> float:
        return self._left + self._slot * (place + 0.5)

    def _axes(self) -> Iterator[str]:
        for tick in self._ticks:
            y = self._y(tick)
            kind = "zero" if tick == 0 else "grid"
            yield f'<line class="{kind}" x1="{self._left}" x2="{self._right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            words = escape(compact(tick, self._chart.kind, self._chart.currency))
            yield f'<text class="end" x="{self._left - 6}" y="{y + 4:.1f}">{words}</text>'
        labels = [_short(label, self._language) for label in self._chart.labels]
        widest = max(_wide(label) for label in labels) + 10
        every = max(1, -(-int(widest) // max(1, int(self._slot))))
        for place in range(0, len(labels), every):
            words = escape(_fit(labels[place], self._slot * every))
            yield f'<text class="mid" x="{self._middle(place):.1f}" y="{self._floor + 18}">{words}</text>'

    def _bars(self) -> Iterator[str]:
        width = min(48.0, self._slot * 0.72)
        for place, label in enumerate(self._chart.labels):
            above = below = 0
            for number, series in enumerate(self._chart.series):
                value = series.values[place]
                if not value:
                    continue
                start = above if value > 0 else below
                above, below = (above + value, below) if value > 0 else (above, below + value)
                top, bottom = self._y(max(start, start + value)), self._y(min(start, start + value))
                words = self._words(series, label, value)
                yield (
                    f'<rect class="s{number % COLOURS}" x="{self._middle(place) - width / 2:.1f}" y="{top:.1f}" '
                    f'width="{width:.1f}" height="{max(bottom - top, 0.5):.1f}"><title>{words}</title></rect>'
                )

    def _lines(self) -> Iterator[str]:
        for number, series in enumerate(self._chart.series):
            for run in _runs(series.values):
                points = [(self._middle(place), self._y(value)) for place, value in run]
                way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
                yield f'<polyline class="s{number % COLOURS}" points="{way}"/>'
                if len(self._chart.labels) <= _MOST_POINTS or len(run) == 1:
                    for (x, y), (place, value) in zip(points, run, strict=True):
                        words = self._words(series, self._chart.labels[place], value)
                        yield (
                            f'<circle class="s{number % COLOURS}" cx="{x:.1f}" cy="{y:.1f}" r="3">'
                            f"<title>{words}</title></circle>"
                        )

    def _words(self, series: Series, label: str | Text, value: int) -> str:
        name = one_line(series.name.read(self._language))
        return escape(f"{_name(label, self._language)} · {name}: {_figure(value, self._chart)}")


def _extent(chart: Chart) -> tuple[int, int]:
    if chart.drawing is Drawing.LINES:
        told = [value for series in chart.series for value in series.values if value is not None]
        return min(0, *told, 0), max(0, *told, 0)
    columns = [[value or 0 for value in column] for column in zip(*(s.values for s in chart.series), strict=True)]
    low = min(sum(value for value in column if value < 0) for column in columns)
    high = max(sum(value for value in column if value > 0) for column in columns)
    return min(0, low), max(0, high)


def nice_step(span: int, steps: int) -> int:
    """The smallest of 1, 2, 5, 10, 20 … that needs no more than so many steps for the span."""
    wanted = max(1, -(-span // steps))
    power = int(10 ** (len(str(wanted)) - 1))
    return next(size * power for size in (1, 2, 5, 10) if size * power >= wanted)


def _runs(values: Sequence[int | None]) -> Iterator[list[tuple[int, int]]]:
    """Stretches without a gap, with the place of each value."""
    run: list[tuple[int, int]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


# ---- lying bars ------------------------------------------------------------------------------------------------------


def _ranking(chart: Chart, language: Language, width: int) -> Iterator[str]:
    values = [value or 0 for value in chart.series[0].values]
    low, high = min(0, *values, 0), max(0, *values, 0)
    span = high - low or 1
    zero = -low * width / span
    for place, (label, value) in enumerate(zip(chart.labels, values, strict=True)):
        top = place * _RANK_HEIGHT
        figure = _figure(value, chart)
        name = _fit(_name(label, language), width - _wide(figure) - 16)
        length = max(abs(value) * width / span, 1.0)
        x = zero if value >= 0 else zero - length
        yield f'<text x="0" y="{top + 14}">{escape(name)}</text>'
        yield f'<text class="end strong" x="{width}" y="{top + 14}">{escape(figure)}</text>'
        yield f'<rect class="rail" x="0" y="{top + 21}" width="{width}" height="8" rx="2"/>'
        sign = "s0" if value >= 0 else "s1"
        yield f'<rect class="{sign}" x="{x:.1f}" y="{top + 21}" width="{length:.1f}" height="8" rx="2"/>'


# ---- words -----------------------------------------------------------------------------------------------------------


def _figure(value: int, chart: Chart) -> str:
    return read(value, chart.kind, chart.currency)


def _name(label: str | Text, language: Language) -> str:
    return one_line(label.read(language) if isinstance(label, Text) else label)


def _short(label: str | Text, language: Language) -> str:
    """A label under an axis: of a day, month and day are enough; the report says the year."""
    name = _name(label, language)
    is_day = isinstance(label, str) and len(label) == len("2026-03-31") and label[4] == label[7] == "-"
    return name[5:] if is_day else name


def _wide(text: str) -> float:
    return sum(_LETTER if ord(character) < 0x2E80 else 2 * _LETTER for character in text)  # noqa: PLR2004 - CJK begins


def _fit(text: str, pixels: float) -> str:
    if _wide(text) <= pixels:
        return text
    while text and _wide(text) + _LETTER > pixels:
        text = text[:-1]
    return f"{text}…"
