"""Reports as files: exact figures, the same bytes again, and nothing in them that runs."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.reports.catalogue import EVERYTHING, make_reports
from shared.finance.reports.columns import DAY, count, money, percent, text
from shared.finance.reports.figures import compact, plain, read
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.render_csv import render_csv
from shared.finance.reports.render_html import render_html
from shared.finance.reports.render_json import render_json
from shared.finance.reports.render_xlsx import render_xlsx
from shared.finance.reports.report import Kind, Report, Text, ratio
from shared.finance.reports.scope import Scope
from shared.kernel.strict_json import parse
from tests.builders.ledger_entries import month

TITLE = Text("Finance report", "财务报表")
COLUMNS = (
    DAY,
    text("name", "Name", "名称"),
    count("units", "Units", "件数"),
    money("net", "Net", "净额"),
    money("tax", "Tax", "税额"),
    percent("rate", "Rate", "税率", ratio("tax", "net")),
)
FIRST = date(2026, 3, 1)
HOSTILE = '=HYPERLINK("http://x.example"),<script>alert(1)</script>\u202e'


def report(*given_rows: tuple[str, str, int], name: str = "sample", title: str = "Sample") -> Report:
    grouping = Grouping(COLUMNS)
    for words, currency, net in given_rows:
        grouping.add((FIRST, words), currency, units=1, net=net, tax=net // 4)
    return Report(
        name=name,
        title=Text(title, f"{title}表"),
        about=Text("For tests.", "测试用。"),
        since=FIRST,
        until=FIRST,
        columns=COLUMNS,
        rows=grouping.rows(),
        totals=grouping.totals(),
    )


SAMPLE = report(("A mug", "EUR", -123_456), (HOSTILE, "JPY", 1200), ("Oud", "KWD", 1250))


def month_of_reports() -> tuple[Report, ...]:
    entries = month(orders=60)
    return make_reports(EVERYTHING, entries, Scope(since=entries[0].posted_on, until=entries[-1].posted_on))


# ---- figures ----


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (1250, "JPY", "1250"),
        (-1250, "KWD", "-1.250"),
        (10**30, "EUR", f"{10**28}.00"),
    ],
)
def test_an_amount_is_written_to_the_last_digit(minor: int, currency: str, expected: str) -> None:
    assert plain(minor, currency) == expected


@given(st.integers(-(10**36), 10**36), st.sampled_from(("EUR", "JPY", "KWD")))
def test_what_is_written_reads_back_to_the_same_minor_units(minor: int, currency: str) -> None:
    decimals = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    for written in (plain(minor, currency), read(minor, Kind.MONEY, currency).replace(",", "")):
        whole, _, fraction = written.partition(".")
        assert len(fraction) == decimals
        assert int(whole + fraction) == minor


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (150_000, Kind.MONEY, "1.5k"),
        (-200_000_000, Kind.MONEY, "-2m"),
        (250, Kind.PERCENT, "2.5%"),
        (0, Kind.COUNT, "0"),
    ],
)
def test_an_axis_is_labelled_as_short_as_can_be(value: int, kind: Kind, expected: str) -> None:
    assert compact(value, kind, "EUR") == expected


# ---- all forms ----

FORMS: Sequence[Callable[[Sequence[Report]], bytes]] = (
    render_json,
    lambda reports: render_xlsx(reports, "zh"),
    lambda reports: render_html(reports, "en", title=TITLE),
    lambda reports: b"".join(render_csv(one, "zh") for one in reports),
)


@pytest.mark.parametrize("form", FORMS)
def test_a_rerun_gives_the_same_bytes(form: Callable[[Sequence[Report]], bytes]) -> None:
    assert form(month_of_reports()) == form(month_of_reports())


# ---- JSON ----


def test_json_tells_minor_units_their_exponent_and_decimal_text() -> None:
    document: Any = parse(render_json([SAMPLE]))
    (found,) = document["reports"]
    first = found["rows"][1]
    assert (first["currency"], first["exponent"]) == ("EUR", 2)
    assert first["cells"]["net"] == {"minor": -123456, "amount": "-1234.56"}
    assert first["cells"]["rate"] == "25.00"
    assert first["cells"]["day"] == "2026-03-01"
    assert found["rows"][0]["cells"]["name"] == HOSTILE
    assert found["title"] == {"en": "Sample", "zh": "Sample表"}


# ---- CSV ----


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_has_numbers_as_numbers_and_text_that_stays_text() -> None:
    content = render_csv(SAMPLE, "en")
    assert content.startswith(b"\xef\xbb\xbf")
    heading, *rows = table(content)
    assert heading == ["Day", "Name", "Currency", "Units", "Net", "Tax", "Rate"]
    assert rows[0][1:5] == [f"'{HOSTILE}", "JPY", "1", "1200"]
    assert rows[1] == ["2026-03-01", "A mug", "EUR", "1", "-1234.56", "-308.64", "25.00"]
    assert [row[:5] for row in rows[3:]] == [
        ["Total", "", "EUR", "1", "-1234.56"],
        ["Total", "", "JPY", "1", "1200"],
        ["Total", "", "KWD", "1", "1.250"],
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(10**9), 10**9).filter(bool))
def test_whatever_a_name_is_the_figures_beside_it_stay_in_their_columns(name: str, net: int) -> None:
    row = table(render_csv(report((name, "EUR", net)), "en"))[1]
    assert row[1] in (name, f"'{name}")
    assert Decimal(row[4]) == Decimal(net) / 100


# ---- XLSX ----

_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet(content: bytes, number: int = 1) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))


def cells(content: bytes, number: int = 1) -> dict[str, tuple[str, str]]:
    """Type and value by reference; text is inline."""
    found = {}
    for cell in sheet(content, number).iter(f"{_NAMESPACE}c"):
        words = "".join(part.text or "" for part in cell.iter(f"{_NAMESPACE}t"))
        value = cell.find(f"{_NAMESPACE}v")
        found[cell.get("r")] = (cell.get("t", "n"), words if value is None else value.text)
    return found


def test_a_workbook_has_real_numbers_and_no_formula() -> None:
    content = render_xlsx([SAMPLE], "en")
    found = cells(content)
    assert found["B2"] == ("inlineStr", HOSTILE)
    assert found["E3"] == ("n", "-1234.56")
    assert found["E2"] == ("n", "1200")
    assert found["E4"] == ("n", "1.250")
    assert found["G3"] == ("n", "0.2500")
    assert found["A3"] == ("n", "46082")  # 2026-03-01 as Excel counts days
    assert not list(sheet(content).iter(f"{_NAMESPACE}f"))


LOOKALIKES = ("=1+1", "{=1+1}", "http://x.example", "internal:A1", "12", "-5", "true", "\0\x1b\ufffe")


@pytest.mark.parametrize("name", LOOKALIKES)
def test_whatever_a_name_looks_like_its_cell_is_text(name: str) -> None:
    content = render_xlsx([report((name, "EUR", 1))], "en")
    assert cells(content)["B2"][0] == "inlineStr"
    assert not [tag for tag in ("f", "hyperlink") if list(sheet(content).iter(f"{_NAMESPACE}{tag}"))]


def test_a_sheet_has_a_frozen_heading_and_a_filter_over_its_rows_without_totals() -> None:
    found = sheet(render_xlsx([SAMPLE], "en"))
    pane = next(found.iter(f"{_NAMESPACE}pane"))
    assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    assert next(found.iter(f"{_NAMESPACE}autoFilter")).get("ref") == "A1:G4"


def test_number_formats_are_the_currencies() -> None:
    with zipfile.ZipFile(io.BytesIO(render_xlsx([SAMPLE], "en"))) as archive:
        styles = archive.read("xl/styles.xml").decode()
    for number in ("#,##0.00;[Red]-#,##0.00", "#,##0;[Red]-#,##0", "#,##0.000;[Red]-#,##0.000"):
        assert f'formatCode="{number}"' in styles


def test_an_amount_that_excel_would_round_is_written_as_text() -> None:
    found = cells(render_xlsx([report(("Rich", "EUR", 10**15 + 1))], "en"))
    assert found["E2"] == ("inlineStr", "10000000000000.01")


def test_a_workbook_is_dated_by_its_period() -> None:
    with zipfile.ZipFile(io.BytesIO(render_xlsx([SAMPLE], "en"))) as archive:
        assert b"2026-03-01T00:00:00Z" in archive.read("docProps/core.xml")
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def sheet_names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    return [found.get("name", "") for found in book.iter(f"{_NAMESPACE}sheet")]


def test_sheets_have_names_that_excel_takes_whatever_the_titles() -> None:
    titles = ("A/B:C*[D]?", "a/b:c*[d]?", "x" * 40, "x" * 41, "''")
    names = sheet_names(render_xlsx([report(("A", "EUR", 1), title=title) for title in titles], "en"))
    assert len({name.casefold() for name in names}) == len(titles)
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in names)


def test_what_is_longer_than_a_sheet_goes_on_in_the_next() -> None:
    content = render_xlsx([report(*((f"n{n}", "EUR", 1) for n in range(5)))], "en", most_rows=4)
    assert sheet_names(content) == ["Sample", "Sample (2)"]
    assert cells(content, 1)["B4"] == ("inlineStr", "n2")
    assert cells(content, 2)["B2"] == ("inlineStr", "n3")
    assert cells(content, 2)["A4"] == ("inlineStr", "Total")


# ---- HTML ----


class Page(HTMLParser):
    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(reports: Sequence[Report], **more: Any) -> Page:
    return Page(render_html(reports, more.pop("language", "en"), title=TITLE, **more))


def test_a_page_is_one_file_without_a_script_or_anything_to_load() -> None:
    found = page([*month_of_reports(), SAMPLE])
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"}
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "style")], tag
        assert (attributes.get("href") or "#").startswith("#")
    style = next(text for text in found.text if ":root" in text)
    assert "url(" not in style
    assert "@import" not in style


def test_a_hostile_name_is_text() -> None:
    html = render_html([SAMPLE], "en", title=TITLE).decode()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "\u202e" not in html


def test_every_chart_has_a_role_a_title_and_words() -> None:
    reports = month_of_reports()
    found = page(reports)
    pictures = found.attributes("svg")
    assert len(pictures) == 2 * sum(len(one.charts) for one in reports) > 0
    for picture in pictures:
        assert picture["role"] == "img"
        assert picture["aria-label"]
    assert len(found.attributes("desc")) == len(pictures)


def test_contents_lead_to_every_report_and_ids_are_unique() -> None:
    reports = month_of_reports()
    found = page(reports)
    ids = [attributes["id"] for _, attributes in found.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for attributes in found.attributes("a")}
    assert {f"#{one.name}" for one in reports} <= links
    assert {str(link)[1:] for link in links} <= set(ids)


def test_one_report_needs_no_contents() -> None:
    assert not page([SAMPLE]).attributes("nav")


def test_headings_have_a_scope_and_figures_stand_to_the_right() -> None:
    found = page([SAMPLE])
    assert all(attributes.get("scope") in ("row", "col") for attributes in found.attributes("th"))
    assert "-1,234.56" in found.text
    assert {"class": "num neg"} in found.attributes("td")


def test_a_long_table_is_cut_and_says_so_and_its_totals_are_of_all() -> None:
    html = render_html([report(*((f"n{n}", "EUR", 100) for n in range(9)))], "en", title=TITLE, most_rows=4).decode()
    assert "first 4 of 9 rows" in html
    assert "n3" in html
    assert "n4" not in html
    assert "9.00" in html


def test_a_page_is_in_the_language_that_was_asked_for() -> None:
    found = page([SAMPLE], language="zh")
    assert found.attributes("html") == [{"lang": "zh-Hans"}]
    assert "净额" in found.text
    assert "Net" not in found.text


def test_a_page_of_nothing_says_so() -> None:
    assert "Nothing in this period." in "".join(page([report()]).text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_name_breaks_the_page(name: str) -> None:
    found = page([report((name, "EUR", 5), ("second", "EUR", 7))])
    assert len(found.attributes("tr")) == 4
    assert len(found.attributes("td")) == 3 * 6


def test_json_of_all_reports_is_read_by_a_strict_reader() -> None:
    assert json.loads(render_json(month_of_reports()))["format"] == 1
