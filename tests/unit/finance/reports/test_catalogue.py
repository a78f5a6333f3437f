"""Reports by their names, and what a close keeps of a day."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.finance.journal import JournalEntry
from shared.finance.reports.catalogue import (
    EVERYTHING,
    EXPORTS,
    REPORTS,
    Format,
    make_export,
    make_reports,
    statements_of_day,
    write_reports,
)
from shared.finance.reports.scope import Scope
from shared.kernel.strict_json import parse
from tests.builders.ledger_entries import DAY, Deal, month, sale

ONE_DAY = Scope(since=DAY, until=DAY)


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("html", {"sales.html"}),
        ("xlsx", {"sales.xlsx"}),
        ("json", {"sales.json"}),
        ("csv", {"sales-by-day.csv", "sales-by-channel.csv", "sales-by-product.csv"}),
    ],
)
def test_a_report_is_one_file_and_one_csv_file_for_each_table(form: Format, files: set[str]) -> None:
    reports = make_reports("sales", [sale()], ONE_DAY)
    assert set(write_reports("sales", reports, form, language="en")) == files


def test_all_reports_stand_in_one_page() -> None:
    reports = make_reports(EVERYTHING, [sale()], ONE_DAY)
    html = write_reports(EVERYTHING, reports, "html", language="zh")["all.html"].decode()
    assert "<title>财务报表 2026-03-02</title>" in html
    assert all(f'id="{report.name}"' in html for report in reports)


def test_a_close_keeps_all_reports_and_exports_reading_the_entries_once() -> None:
    reads = 0

    def stream() -> Iterator[JournalEntry]:
        nonlocal reads
        reads += 1
        yield sale(Deal(number=1), on=DAY - timedelta(days=1))
        yield sale(Deal(number=2))

    files = statements_of_day(stream(), ONE_DAY, names={}, language="en")
    assert reads == 1
    assert {"report.html", "report.xlsx", "report.json"} < set(files)
    assert {name.partition("/")[2].partition(".")[0] for name in files if name.startswith("journal/")} == set(EXPORTS)
    names = {report["name"] for report in parse(files["report.json"])["reports"]}
    assert names == {name.removeprefix("csv/").removesuffix(".csv") for name in files if name.startswith("csv/")}
    # Yesterday's order is open still, and no part of today's journal.
    assert b"aurora/1" in files["csv/open-orders.csv"]
    assert b"aurora/1" not in files["journal/beancount.beancount"]
    assert files["journal/beancount.beancount"] == make_export("beancount", stream(), ONE_DAY, {})


def test_a_close_gives_the_same_bytes_again() -> None:
    entries = month(orders=50)
    scope = Scope(since=DAY, until=DAY + timedelta(days=3), digest="0" * 64)
    first = statements_of_day(entries, scope, names={}, language="zh")
    assert statements_of_day(iter(entries), scope, names={}, language="zh") == first


def test_every_report_says_what_it_is_in_both_languages() -> None:
    for about in (*(known.about for known in REPORTS.values()), *(known.about for known in EXPORTS.values())):
        assert about.en
        assert about.zh
