"""Charts: what is drawn, where, and that any figures can be."""

from datetime import date, timedelta
from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.reports.chart_svg import draw, nice_step, summary
from shared.finance.reports.columns import DAY, money, text
from shared.finance.reports.drawing import by_day, ranking, stacks
from shared.finance.reports.report import Chart, Drawing, Kind, Row, Series, Text

NAME = Text("Net", "净额")
BOTH = (Text("a", "甲"), Text("b", "乙"))


def chart(drawing: Drawing, *values: tuple[int | None, ...], kind: Kind = Kind.MONEY) -> Chart:
    series = tuple(Series(Text(f"s{number}", f"系列{number}"), told) for number, told in enumerate(values))
    labels = tuple(f"label {number}" for number in range(len(values[0])))
    return Chart(NAME, drawing, labels, series, kind, "EUR" if kind is Kind.MONEY else None)


def pictures(drawn: Chart) -> list[Any]:
    return list(ElementTree.fromstring(f"<both>{draw(drawn, 'en')}</both>"))


def test_stacked_bars_reach_from_the_axis_to_their_sum() -> None:
    wide = pictures(chart(Drawing.BARS, (100, 0), (300, 200)))[0]
    bars = list(wide.iter("rect"))
    zero = float(next(line for line in wide.iter("line") if line.get("class") == "zero").get("y1"))
    first, second, third = ((float(bar.get("y")), float(bar.get("height"))) for bar in bars)
    assert first[0] + first[1] == pytest.approx(zero)
    assert second[0] + second[1] == pytest.approx(first[0], abs=0.11)
    assert second[1] == pytest.approx(3 * first[1], abs=0.2)
    assert third[0] + third[1] == pytest.approx(zero)


def test_negative_bars_go_down_from_the_axis() -> None:
    wide = pictures(chart(Drawing.BARS, (-100, 100)))[0]
    zero = float(next(line for line in wide.iter("line") if line.get("class") == "zero").get("y1"))
    down, up = list(wide.iter("rect"))
    assert float(down.get("y")) == pytest.approx(zero)
    assert float(up.get("y")) < zero


def test_a_line_has_a_gap_where_nothing_is_told() -> None:
    wide = pictures(chart(Drawing.LINES, (1, 2, None, 4, 5), kind=Kind.PERCENT))[0]
    assert len(list(wide.iter("polyline"))) == 2
    assert len(list(wide.iter("circle"))) == 4


def test_a_ranking_writes_each_name_with_its_figure() -> None:
    wide = pictures(chart(Drawing.RANKING, (123_456, -50)))[0]
    assert [words.text for words in wide.iter("text")] == ["label 0", "1,234.56", "label 1", "-0.50"]


def test_words_tell_the_least_the_largest_and_the_last() -> None:
    drawn = chart(Drawing.LINES, (100, 900, None, 300))
    assert summary(drawn, "en") == "s0: least 1.00, largest 9.00, last 3.00"
    assert summary(drawn, "zh") == "系列0：最低 1.00，最高 9.00，最后 3.00"


amounts = st.integers(-(10**15), 10**15)


@given(st.data(), st.sampled_from(Drawing), st.sampled_from((Kind.MONEY, Kind.COUNT, Kind.PERCENT)))
def test_any_figures_can_be_drawn_within_the_picture(data: st.DataObject, drawing: Drawing, kind: Kind) -> None:
    places = data.draw(st.integers(1, 70))
    shown = 1 if drawing is Drawing.RANKING else data.draw(st.integers(1, 7))
    values = [tuple(data.draw(st.lists(amounts, min_size=places, max_size=places))) for _ in range(shown)]
    labels = tuple(data.draw(st.text(max_size=50)) for _ in range(places))
    series = tuple(Series(Text(f"<{number}&", "\0"), told) for number, told in enumerate(values))
    for picture in pictures(Chart(NAME, drawing, labels, series, kind, "EUR")):
        _, _, width, height = map(float, picture.get("viewBox").split())
        for bar in picture.iter("rect"):
            x, y, wide, high = (float(bar.get(name)) for name in ("x", "y", "width", "height"))
            assert -1.1 <= x <= x + wide <= width + 1.1
            assert -1.1 <= y <= y + high <= height + 1.1


@given(st.integers(0, 10**18), st.integers(1, 8))
def test_a_step_is_round_and_needs_no_more_than_asked(span: int, steps: int) -> None:
    step = nice_step(span, steps)
    assert step * steps >= span
    assert str(step).rstrip("0") in ("1", "2", "5")


# ---- which rows are drawn ----

COLUMNS = (text("name", "Name", "名称"), money("net", "Net", "净额"))


def test_a_ranking_has_the_ten_largest_of_each_currency_and_adds_up_equal_names() -> None:
    rows = [Row("EUR", (f"n{number:02}", number)) for number in range(15)]
    rows += [Row("EUR", ("n14", 100)), Row("JPY", ("yen", 5))]
    euros, yen = ranking(NAME, COLUMNS, rows, label="name", value="net")
    assert euros.labels[0] == "n14"
    assert euros.series[0].values[0] == 114
    assert len(euros.labels) == 10
    assert yen.labels == ("yen",)


def test_days_without_a_row_are_drawn_as_nothing() -> None:
    first = date(2026, 3, 1)
    rows = [Row("EUR", (first, 5)), Row("EUR", (first + timedelta(days=3), 7))]
    (drawn,) = by_day(NAME, rows, day=0, parts=((NAME, lambda row: int(str(row.cells[1]))),))
    assert drawn.series[0].values == (5, 0, 0, 7)
    assert drawn.drawing is Drawing.BARS


def test_many_days_are_a_line_and_one_day_is_none() -> None:
    def figure(row: Row) -> int:
        return int(str(row.cells[1]))

    rows = [Row("EUR", (date(2026, 1, 1) + timedelta(days=number), 1)) for number in range(90)]
    (drawn,) = by_day(NAME, rows, day=0, parts=((NAME, figure),))
    assert drawn.drawing is Drawing.LINES
    assert by_day(NAME, rows[:1], day=0, parts=((NAME, figure),)) == ()
    assert DAY.is_key


def test_stacks_have_as_many_parts_as_colours_and_lose_nothing() -> None:
    rows = [Row("EUR", (f"shop {number}", number, 1)) for number in range(1, 10)]
    (drawn,) = stacks(NAME, BOTH, rows, label=0, first=1)
    assert len(drawn.series) == 6
    assert sum(int(series.values[0] or 0) for series in drawn.series) == sum(range(1, 10))
