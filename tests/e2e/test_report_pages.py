"""Reports in a real browser: small, wide, dark, on paper, without a script or a request. Skipped where none is."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.finance.reports.catalogue import EVERYTHING, make_reports, write_reports
from shared.finance.reports.report import Language
from shared.finance.reports.scope import Scope, Tie
from tests.builders.ledger_entries import Deal, month, sale
from tests.e2e.test_pages import CHROMIUM, DRIVER, FITS, SMALLEST_TARGET, Browser, chromium

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="there is no Chromium here")

MARCH = Scope(
    since=date(2026, 3, 1),
    until=date(2026, 3, 31),
    ties=(Tie("stripe-eu", "EUR", 120_000, 119_900), Tie("paypal", "JPY", 500, None)),
    digest="5e" * 32,
)
ENDLESS = "Endless" * 60
SMALLEST_LETTER = (
    "Math.min(...[...document.querySelectorAll('svg text')].filter(e => e.getClientRects().length)"
    ".map(e => parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getBoundingClientRect().width"
    " / e.ownerSVGElement.viewBox.baseVal.width))"
)
READ = (".about", "dt", "thead th", "td.num", "td.neg", "td.zero", ".notes", "section a")
LEAST_CONTRAST = """(() => {
  const channel = v => v <= 10.31475 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = e => {
    const colour = getComputedStyle(e).backgroundColor;
    return colour == "rgba(0, 0, 0, 0)" ? ground(e.parentElement) : colour;
  };
  return Math.min(...SELECTORS.map(selector => {
    const e = document.querySelector(selector);
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
})()""".replace("SELECTORS", str(list(READ)))
SHOWN = "[...document.querySelectorAll('svg')].filter(e => e.getClientRects().length).length"
LOADED = "performance.getEntriesByType('resource').length + document.scripts.length"


def page(folder: Path, language: Language) -> str:
    entries = [*month(orders=120), sale(Deal(number=9999, title=ENDLESS, sku=ENDLESS, shop="aurora"))]
    reports = make_reports(EVERYTHING, entries, MARCH)
    path = folder / "report.html"
    path.write_bytes(write_reports(EVERYTHING, reports, "html", language=language)["all.html"])
    return path.as_uri()


def heard(browser: Browser) -> list[tuple[str, str]]:
    nodes: list[dict[str, Any]] = browser.command("Accessibility.getFullAXTree")["nodes"]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_is_read_at_every_width_and_loads_nothing(language: Language, tmp_path: Path) -> None:
    with chromium() as browser:
        browser.open(page(tmp_path, language))
        assert browser.run(LOADED) == 0
        for width in (320, 768, 1280, 1920):
            browser.narrow(width)
            assert browser.run(FITS), width
            # Of the two pictures of each chart, one is seen, and its letters are large enough to be read.
            assert browser.run(SHOWN) * 2 == browser.run("document.querySelectorAll('svg').length") > 0
            assert browser.run(SMALLEST_LETTER) >= 9, width
            assert browser.run(SMALLEST_TARGET) >= 24, width  # WCAG 2.2, 2.5.8


def test_dark_and_light_differ_and_both_can_be_read(tmp_path: Path) -> None:
    grounds = set()
    with chromium() as browser:
        browser.open(page(tmp_path, "en"))
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            browser.command("Emulation.setEmulatedMedia", features=features)
            grounds.add(browser.run("getComputedStyle(document.body).backgroundColor"))
            assert browser.run(LEAST_CONTRAST) >= 4.5, scheme  # WCAG 2.2, 1.4.3
    assert len(grounds) == 2


def test_a_long_table_keeps_its_heading_and_totals_in_sight(tmp_path: Path) -> None:
    region = "document.querySelector('#open-orders .scroll, #sales-by-day .scroll')"
    edge = f"{region}.getBoundingClientRect()"
    with chromium() as browser:
        browser.open(page(tmp_path, "en"))
        browser.narrow(1280)
        assert browser.run(f"{region}.scrollHeight > {region}.clientHeight")
        browser.run(f"({region}.scrollTop = 200, {region}.scrollTop)")
        top = browser.run(f"{region}.querySelector('thead th').getBoundingClientRect().top - {edge}.top")
        bottom = browser.run(
            f"{edge}.bottom - {region}.querySelector('tfoot tr:last-child').getBoundingClientRect().bottom"
        )
        assert abs(top) <= 2
        assert abs(bottom) <= 2


def test_on_paper_nothing_is_cut_off_and_navigation_is_left_out(tmp_path: Path) -> None:
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollHeight > e.clientHeight + 1).length"
    with chromium() as browser:
        browser.open(page(tmp_path, "en"))
        browser.command("Emulation.setEmulatedMedia", media="print")
        assert browser.run(cut) == 0
        assert browser.run("getComputedStyle(document.querySelector('nav')).display") == "none"
        assert browser.command("Page.printToPDF", preferCSSPageSize=True)["data"].startswith("JVBERi")


def test_a_screen_reader_hears_landmarks_tables_and_charts(tmp_path: Path) -> None:
    with chromium() as browser:
        browser.open(page(tmp_path, "en"))
        nodes = heard(browser)
    roles = [role for role, _ in nodes]
    assert {"banner", "navigation", "main", "contentinfo", "table", "columnheader", "rowheader", "region"} <= set(roles)
    charts = [name for role, name in nodes if role in ("img", "image")]
    assert any(name.startswith("Net sales by day (EUR). Goods less returns: least") for name in charts)
    assert all(charts)


def test_a_table_that_is_wider_than_the_screen_is_reached_by_keyboard(tmp_path: Path) -> None:
    with chromium() as browser:
        browser.open(page(tmp_path, "en"))
        browser.narrow(320)
        assert browser.run("[...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0)")
        assert browser.run("[...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)")
