"""`storebridge report` on the local stack: the same figures on the terminal, in files, and for other books."""

import csv
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from shared.finance.models import Document, SoldLine
from shared.finance.reconcile_books import reconcile_books
from shared.finance.reports.catalogue import EXPORTS, REPORTS
from shared.wiring.finance_desk import books_desk
from tests.builders.finance import NOON
from tests.integration.cli.books import SETTINGS, Books, set_clock
from tests.integration.cli.conftest import CommandLine, disconnect
from tests.integration.cli.quiet import SECRETS, QuietStack

BEAN_CHECK = shutil.which("bean-check", path=str(Path(sys.executable).parent)) or shutil.which("bean-check")
FORMULA = '=HYPERLINK("http://evil.example","Mug")'


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with QuietStack(Options(contents=Contents(SETTINGS, SECRETS), retry_after=0)) as running:
        books = Books(running)
        item = SoldLine(key="1", sku=FORMULA, title=FORMULA, units=2, net=5000)
        books.sold("5001", sale=Document(id="sale", at=NOON, lines=(item,), total=5000))
        books.sold("5002", total=1250)
        books.stated()
        with pytest.MonkeyPatch.context() as patch, books.inside():
            set_clock(patch)
            reconcile_books(books_desk())
        yield running
    disconnect()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)


def test_what_there_is_needs_no_deployment_to_be_listed(storebridge: CommandLine) -> None:
    listed = storebridge.json("report", "list")
    assert [one["name"] for one in listed["reports"]] == list(REPORTS)
    assert [one["name"] for one in listed["exports"]] == list(EXPORTS)


@pytest.mark.parametrize(
    "period", [("--month", "2026-11"), ("--from", "2026-11-01", "--to", "2026-11-30"), ("--day", "2026-11-02")]
)
def test_the_same_days_said_in_any_way_are_the_same_sales(storebridge: CommandLine, period: tuple[str, ...]) -> None:
    told = storebridge.json("report", "show", "sales", *period)
    by_day = table_of(told, "sales-by-day")
    (total,) = by_day["totals"]
    assert (total["currency"], total["cells"]["net"]) == ("EUR", {"minor": 6250, "amount": "62.50"})
    (row,) = by_day["rows"]
    assert (row["cells"]["day"], row["cells"]["orders"]) == ("2026-11-02", 2)


def table_of(told: Any, name: str) -> Any:
    return next(report for report in told["reports"] if report["name"] == name)


def test_the_table_on_the_terminal_has_the_figures_and_either_language(storebridge: CommandLine) -> None:
    english = storebridge("report", "show", "sales", "--month", "2026-11")
    assert (english.exit_code, "62.50" in english.stdout, "Sales by day" in english.stdout) == (0, True, True)
    chinese = storebridge("report", "show", "sales", "--month", "2026-11", "--language", "zh")
    assert "按日销售" in chinese.stdout
    assert "按日销售" not in english.stdout
    empty = storebridge("report", "show", "sales", "--month", "2020-01")
    assert (empty.exit_code, "62.50" in empty.stdout) == (0, False)


def test_text_that_a_spreadsheet_would_run_is_guarded(storebridge: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "csv"
    done = storebridge.json("report", "show", "sales", "--month", "2026-11", "--format", "csv", "--output", str(folder))
    assert [Path(file).parent for file in done["files"]] == [folder] * len(done["files"])
    content = (folder / "sales-by-product.csv").read_text(encoding="utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    assert any(cell == f"'{FORMULA}" for cell in cells)
    assert not any(cell.startswith(("=", "@", "+")) for cell in cells)


def test_all_reports_go_into_one_file(storebridge: CommandLine, tmp_path: Path) -> None:
    page, book, document = tmp_path / "all.html", tmp_path / "all.xlsx", tmp_path / "all.json"
    for form, place in (("html", page), ("xlsx", book), ("json", document)):
        words = ("report", "show", "all", "--month", "2026-11", "--format", form, "--output", str(place))
        assert storebridge.json(*words)["files"] == [str(place)]
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "62.50" in text
    assert zipfile.is_zipfile(book)
    assert {report["name"] for report in json.loads(document.read_text())["reports"]} >= {
        "sales-by-day",
        "fees",
        "payouts",
        "trial-balance",
    }
    again = tmp_path / "again.html"
    storebridge.json("report", "show", "all", "--month", "2026-11", "--format", "html", "--output", str(again))
    assert again.read_bytes() == page.read_bytes()


@pytest.mark.parametrize(
    ("name", "figure"), [("beancount", "12.50"), ("hledger", "12.50"), ("quickbooks", "60.50"), ("xero", "60.50")]
)
def test_the_journal_goes_to_other_books(storebridge: CommandLine, tmp_path: Path, name: str, figure: str) -> None:
    done = storebridge.json("report", "export", name, "--month", "2026-11", "--output", str(tmp_path))
    (file,) = map(Path, done["files"])
    assert file.name == f"{name}-2026-11-01-2026-11-30.{EXPORTS[name].suffix}"
    content = file.read_text(encoding="utf-8-sig")
    assert figure in content
    empty = storebridge.json("report", "export", name, "--day", "2026-01-01", "--output", str(tmp_path / "empty"))
    assert figure not in Path(empty["files"][0]).read_text(encoding="utf-8-sig")


@pytest.mark.skipif(BEAN_CHECK is None, reason="there is no bean-check here")
def test_beancount_accepts_the_export(storebridge: CommandLine, tmp_path: Path) -> None:
    place = tmp_path / "november.beancount"
    storebridge.json("report", "export", "beancount", "--month", "2026-11", "--output", str(place))
    assert BEAN_CHECK is not None
    done = subprocess.run([BEAN_CHECK, str(place)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[:2000]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "nothing", "--day", "2026-11-02"), "unknown_report"),
        (("export", "nothing", "--day", "2026-11-02"), "unknown_export"),
        (("show", "sales"), "no_period"),
        (("show", "sales", "--day", "2026-11-02", "--month", "2026-11"), "two_periods"),
        (("show", "sales", "--from", "2026-11-02"), "invalid_period"),
        (("show", "sales", "--from", "2026-11-02", "--to", "2026-11-01"), "invalid_period"),
        (("show", "sales", "--day", "yesterday"), "invalid_day"),
        (("show", "sales", "--month", "2026-13"), "invalid_month"),
    ],
)
def test_what_cannot_be_asked_is_refused(storebridge: CommandLine, words: tuple[str, ...], code: str) -> None:
    assert storebridge.refusal("report", *words)["error"] == code


def test_files_are_written_where_they_can_be(storebridge: CommandLine, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"x")
    words = ("report", "show", "sales", "--day", "2026-11-02", "--format")
    assert storebridge.refusal(*words, "csv", "--output", str(there))["error"] == "not_a_folder"
    assert storebridge.refusal(*words, "html", "--output", str(there / "x.html"))["error"] == "unwritable_file"
    assert storebridge.refusal(*words, "table", "--output", str(there), exit_code=2)["error"] == "usage"
    assert there.read_bytes() == b"x"
