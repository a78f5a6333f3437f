"""Buyers' pages in a real browser: read, laid out small and without scripts, and answered. Skipped where none is."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pynamodb.connection import Connection

from infra.local.answers import Answer
from infra.local.gateway import Request
from infra.local.http_server import LoopbackServer, QuietHandler
from shared.customers.record import Verification, VerificationState
from shared.kernel.identifiers import CustomerKey
from shared.orders.lifecycle import FulfilmentState
from shared.platform.errand_queue import VerificationErrand
from shared.sync.backoffice.mirror import Mirror
from shared.wiring.customer_tables import marker
from tests.builders.buyers import NUMBER, parcel, record, sent
from tests.builders.customers import customer, kept
from tests.builders.orders import NOON, line, order
from tests.fakes.html_pages import Html
from tests.fakes.pages_house import BASE, PagesHouse, pages_house, settings

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="there is no Chromium here")

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
EVE = CustomerKey.parse("aurora/customer/17")
LONG = "1Z" + "999AA10123456784" * 3
FAR = NOON + timedelta(days=1)


class Served:
    """The house behind a loopback address, and every request that the browser made."""

    def __init__(self, house: PagesHouse) -> None:
        self.house = house
        self.asked: list[str] = []
        self._server = LoopbackServer(0, lambda *given: _Handler(self.respond, *given))
        self.url = f"http://127.0.0.1:{self._server.port}"

    def respond(self, request: Request) -> Answer:
        self.asked.append(f"{request.method} {urlsplit(request.target).path}")
        headers = {name.replace("-", "_"): value for name, value in request.headers if name.lower() != "content-type"}
        return self.house.ask(request.method, request.target, request.body, **headers)

    def close(self) -> None:
        self._server.close()


class _Handler(QuietHandler):
    def __init__(self, respond: Any, *given: Any) -> None:
        self._respond = respond
        super().__init__(*given)

    def _serve(self) -> None:
        body = self.read_body()
        self.answer(self._respond(Request(self.command, self.path, tuple(self.headers.items()), body, "127.0.0.1")))

    do_GET = do_POST = _serve  # noqa: N815 - http.server calls them so


@contextmanager
def chromium(*switches: str, scripts: bool = True) -> Iterator["Browser"]:
    """A headless Chromium with a profile of its own, until the end of the block."""
    assert DRIVER is not None
    options: dict[str, Any] = {"binary": CHROMIUM, "args": [*SWITCHES, *switches]}
    if not scripts:
        options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as profile,  # the browser may still be writing into it
        subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as driver,
    ):
        options["args"].append(f"--user-data-dir={profile}")
        try:
            assert driver.stdout is not None
            started = next(said for said in driver.stdout if "successfully on port" in said)
            port = started.rstrip(".\n").rpartition(" ")[2]
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
                made = http.post("/session", json={"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
                assert made.status_code == 200, made.text
                session = f"/session/{made.json()['value']['sessionId']}"
                try:
                    yield Browser(http, session)
                finally:
                    http.delete(session)
        finally:
            driver.terminate()


class Browser:
    """A browser's session, driven as WebDriver (W3C) has it: plain JSON over HTTP."""

    def __init__(self, http: httpx.Client, session: str) -> None:
        self._http = http
        self._session = session
        self._post("timeouts", implicit=30_000)

    def open(self, url: str) -> Html:
        self._post("url", url=url)
        return self.page

    @property
    def page(self) -> Html:
        return Html(str(self._get("source")).replace("</html>", "", 1) + "</html>")

    def click(self, selector: str, *, then: str) -> None:
        """Click, and wait until the page that follows says this: a click does not wait for where it leads."""
        (element,) = self._find(selector).values()
        self._post(f"element/{element}/click")
        self._post("element", using="xpath", value=f"//*[contains(text(), '{then}')]")

    def enter(self, selector: str) -> None:
        """Look into a frame from now on."""
        self._post("frame", id=self._find(selector))

    def _find(self, selector: str) -> dict[str, str]:
        found: dict[str, str] = self._post("element", using="css selector", value=selector)
        return found

    def run(self, script: str) -> Any:
        return self._post("execute/sync", script=f"return {script}", args=[])

    def command(self, name: str, **params: Any) -> Any:
        return self._post("goog/cdp/execute", cmd=name, params=params)

    def narrow(self, pixels: int) -> None:
        self.command("Emulation.setDeviceMetricsOverride", width=pixels, height=640, deviceScaleFactor=1, mobile=False)

    def _post(self, what: str, **body: Any) -> Any:
        return self._value(self._http.post(f"{self._session}/{what}", json=body))

    def _get(self, what: str) -> Any:
        return self._value(self._http.get(f"{self._session}/{what}"))

    @staticmethod
    def _value(answer: httpx.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]


@pytest.fixture
def served(connection: Connection, table_names: dict[str, str], tmp_path: Path) -> Iterator[Served]:
    with pages_house(connection, table_names, settings(), tmp_path) as house:
        made = Served(house)
        yield made
        made.close()


def shipped(served: Served) -> str:
    """The address of a shipped order's page."""
    account = order(line("MUG", 2))
    parcels = (parcel(), parcel(LONG, "A carrier with a name that is rather longer than any telephone is wide"))
    goods = sent(("line-MUG", 2), parcels=parcels)
    served.house.keep(account, record(account, fulfilment=FulfilmentState.PARTIALLY_SHIPPED))
    served.house.sends(Mirror(shop="aurora", order_id="5001", backoffice="erp", dispatches=(goods,)))
    return served.url + served.house.address("track", "aurora/5001", FAR)


def asked(served: Served) -> str:
    """The address of the page that asks the customer, out of the mail."""
    pending = Verification(state=VerificationState.PENDING, mark=marker().email("eve@example.test"), asked=1)
    kept(served.house.customers, customer(), verification=pending)
    served.house.run(VerificationErrand(customer=str(EVE), asked=1))
    (link,) = Html(served.house.mails[-1].body).links
    return link.replace(BASE, served.url)


def verified(served: Served) -> VerificationState:
    found = served.house.customers.find(EVE)
    assert found is not None
    return found.verification.state


FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SMALLEST_TARGET = "Math.min(...[...document.querySelectorAll('a,button')].map(e => e.getBoundingClientRect().height))"


def test_the_order_page_is_styled_read_small_and_loads_nothing_else(served: Served) -> None:
    url = shipped(served)
    with chromium() as browser:
        page = browser.open(url)
        assert NUMBER in page.text
        assert "Partly shipped" in page.text
        # The style sheet passes its own policy: a browser drops what the policy does not name.
        assert browser.run("getComputedStyle(document.querySelector('ol')).listStyleType") == "none"
        assert browser.run("document.querySelectorAll('[aria-current=step]').length") == 1
        for width in (320, 1280):
            browser.narrow(width)
            assert browser.run(FITS), width
        assert browser.run(SMALLEST_TARGET) >= 24  # WCAG 2.2, 2.5.8
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        light = browser.run("getComputedStyle(document.body).backgroundColor")
        browser.command("Emulation.setEmulatedMedia", features=dark)
        assert browser.run("getComputedStyle(document.body).backgroundColor") != light
        browser.click("nav a", then="部分发货")
    assert {request.partition("/")[0] for request in served.asked} == {"GET "}
    assert {request.rpartition("/")[0] for request in served.asked} <= {"GET /track", "GET "}


def test_focus_is_seen_and_goes_through_links_in_order(served: Served) -> None:
    with chromium() as browser:
        browser.open(shipped(served))
        for place in ("nav", "main"):
            browser.command("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
            assert browser.run(f"document.querySelector('{place}').contains(document.activeElement)"), place
            assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_screen_reader_hears_landmarks_headings_and_the_current_step(served: Served) -> None:
    with chromium() as browser:
        browser.open(shipped(served))
        nodes = browser.command("Accessibility.getFullAXTree")["nodes"]
        heard = [
            (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")
        ]
    roles = {role for role, _ in heard}
    assert {"banner", "navigation", "main", "contentinfo", "list", "listitem"} <= roles
    assert [name for role, name in heard if role == "heading"] == ["Order #5001", "The way of your order", "Parcels"]
    assert any(role == "link" and NUMBER in name for role, name in heard)


def test_without_scripts_the_question_is_answered_once(served: Served) -> None:
    url = asked(served)
    with chromium(scripts=False) as browser:
        question = browser.open(url)
        assert "Is this your e-mail address?" in question.text
        assert verified(served) is VerificationState.PENDING
        browser.click("button[value=confirm]", then="Your e-mail address is confirmed")
        assert verified(served) is VerificationState.VERIFIED
        assert "This link was used already" in browser.open(url).text
    assert verified(served) is VerificationState.VERIFIED


def test_no_answer_is_taken_in_a_frame_of_somebody_else(served: Served, tmp_path: Path) -> None:
    frame = tmp_path / "frame.html"
    frame.write_text(f'<!doctype html><title>x</title><iframe src="{asked(served)}"></iframe>', encoding="utf-8")
    with chromium() as browser:
        browser.open(frame.as_uri())
        browser.enter("iframe")
        assert browser.run("document.querySelectorAll('button').length") == 0


def test_a_forged_link_shows_nothing(served: Served) -> None:
    url = shipped(served)
    with chromium("--lang=zh-CN", "--accept-lang=zh-CN,zh") as browser:
        page = browser.open(url[:-2] + "xx")
        assert "此处没有内容" in page.text
        assert "5001" not in page.text
        browser.narrow(320)
        assert browser.run(FITS)
