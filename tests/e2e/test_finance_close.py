"""Days that close, over HTTP and with the deployed functions: not while the books do not tie to what the provider says
it holds, and once they do, with reports that other programs read; what comes late does not touch a closed day."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from infra.fakes.payment_twins import STRIPE
from infra.samples import stripe as samples
from shared.finance.audit import Head, faults_in
from shared.finance.cases import CaseState, DayClose, DayState, Resolution
from shared.finance.closing import digest_of_day, reopen_day, require_unchanged
from shared.finance.journal import Role
from shared.finance.models import DiscrepancyKind
from shared.finance.review import Decision, resolve
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.wiring.payment_files import GivenFile, take_in_for_account
from tests.e2e.finance_house import CALENDAR, Business, business, major

FIRST = 4
"""Days ago that the books begin."""
BEAN_CHECK = shutil.which("bean-check", path=str(Path(sys.executable).parent)) or shutil.which("bean-check")
LATE = "5005"
"""The order whose payment Stripe's list lacks."""


@pytest.fixture(scope="module")
def books() -> Iterator[Business]:
    with business(stripe_eu={"gateways": ["stripe"], "calendar": CALENDAR}) as opened:
        stripe = opened.providers.stripe
        for ago in range(FIRST, 0, -1):
            number = 5000 + ago
            taxes = [{"title": "VAT", "rate": 0.21, "price": "2.10"}]
            opened.order(number, 1210 * ago, opened.at(ago), taxes_included=True, tax_lines=taxes)
            stripe.charge(1210 * ago, "EUR", opened.at(ago), fee=30, order_id=str(number))
        opened.order(int(LATE), 990, opened.at(3))
        late = stripe.charge(990, "EUR", opened.at(3), fee=20, order_id=LATE)
        stripe.unlisted.add(stripe.movement_of("charges", late)["id"])
        stripe.move("moon_dust", -77, "EUR", opened.at(2))
        assert set(opened.settle()) == {200}
        yield opened


def row(books: Business, resource: str, object_id: str, **told: str) -> dict[str, str]:
    """A movement as Stripe's report has it."""
    line = books.providers.stripe.movement_of(resource, object_id)
    at = datetime.fromtimestamp(line["created"], utc_now().tzinfo)
    figures = {name: _signed(line[of]) for name, of in (("gross", "amount"), ("fee", "fee"), ("net", "net"))}
    return samples.report_row(
        balance_transaction_id=line["id"],
        payment_intent_id="",
        created_utc=f"{at:%Y-%m-%d %H:%M:%S}",
        created="",
        reporting_category=line["reporting_category"],
        source_id=object_id,
        **figures,
        **told,
    )


def _signed(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{major(abs(minor))}"


def take_in(books: Business, *rows: dict[str, str]) -> None:
    books.desk()
    report = take_in_for_account(GivenFile("activity.csv", samples.report(*rows)), STRIPE, actor="ann")
    assert report.faults == ()


def closed(books: Business, ago: int) -> DayClose:
    found = books.book.day(books.day(ago))
    assert found is not None
    return found


def digest(books: Business, ago: int) -> str:
    return digest_of_day(books.book.entries(books.day(ago), books.day(ago)))


def files_of(books: Business, ago: int, revision: int = 1) -> dict[str, bytes]:
    """What the close of a day wrote, read back."""
    s3 = books.stack.client("s3")
    bucket = books.stack.deployment.outputs["ReportsBucketName"]
    prefix = f"days/{books.day(ago):%Y/%m/%d}/{revision}/"
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    return {key.removeprefix(prefix): s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def test_no_day_closes_before_the_feed_was_read(books: Business) -> None:
    books.reconcile(pull=False)
    refused = books.close(books.day(1))
    assert refused["closed"] == []
    assert "feed_not_read stripe-eu" in refused["missing"]


def test_no_day_closes_while_the_books_do_not_tie_to_the_provider_s_balance(books: Business) -> None:
    assert books.reconcile()["discrepancies"].keys() == {"unknown_txn"}
    refused = books.close(books.day(1))
    assert refused["closed"] == []
    assert str(books.day(FIRST)) in refused["missing"], "the first day is named"
    lacking = books.held_at_stripe() - books.balance(Role.CLEARING, STRIPE)
    assert lacking == 970, "what Stripe holds of the charge that its list lacks"
    assert f"(+{lacking})" in refused["missing"]


def test_what_a_report_tells_closes_the_days_before_and_an_unknown_movement_the_next_one_not(books: Business) -> None:
    take_in(books, row(books, "charges", "ch_5", charge_id="ch_5", **{"payment_metadata[order_id]": LATE}))
    books.reconcile(pull=False)
    assert books.receivable(books.key(int(LATE))) == 0
    refused = books.close(books.day(1))
    assert refused["closed"] == [books.day(4).isoformat(), books.day(3).isoformat()]
    assert "case_blocks" in refused["missing"]
    assert "unknown_txn line:stripe-eu/" in refused["missing"]


def test_once_somebody_has_said_what_it_was_all_days_close(books: Business) -> None:
    unknown = books.case(DiscrepancyKind.UNKNOWN_TXN)
    resolve(unknown.id, Decision(Resolution.ACCEPT, "a fee for dust, says Stripe"), books.desk(), actor="ann")
    done = books.close(books.day(1))
    assert done == {"closed": [books.day(2).isoformat(), books.day(1).isoformat()], "missing": None}
    assert books.close(books.day(1))["closed"] == [], "a closed day stays as it is"
    for ago in range(FIRST, 0, -1):
        assert closed(books, ago).state is DayState.CLOSED
        assert closed(books, ago).digest == digest(books, ago)
    balances = books.book.balances_before(books.today)
    assert balances["clearing", STRIPE, "EUR"] == books.held_at_stripe()
    assert not list(books.book.cases(CaseState.OPEN, CaseState.PROPOSED))


def test_the_reports_can_be_read_back_and_run_nothing(books: Business) -> None:
    files = files_of(books, 3)
    assert {"report.html", "report.xlsx", "report.json", "journal/beancount.beancount", "trail.json"} <= set(files)
    assert tuple(closed(books, 3).documents) == tuple(sorted(closed(books, 3).documents))
    page = files["report.html"].decode()
    assert "<svg" in page
    assert not re.search(r"<script|javascript:|\son\w+\s*=|https?://(?!www\.w3\.org)", page, re.IGNORECASE)
    assert files["report.xlsx"].startswith(b"PK")
    told = json.dumps(json.loads(files["report.json"]))
    assert digest(books, 3) in told
    for buyer in (b"zoe@example.test", "Ünal".encode(), b"Hauptstr"):
        assert not any(buyer in content for content in files.values())
    head = json.loads(files["trail.json"])
    assert head is not None
    assert faults_in(books.book.records(), Head(head["number"], head["hash"])) == ()


@pytest.mark.skipif(BEAN_CHECK is None, reason="there is no bean-check here")
def test_beancount_accepts_the_journal_of_every_day(books: Business, tmp_path: Path) -> None:
    assert BEAN_CHECK is not None
    for ago in range(FIRST, 0, -1):
        journal = tmp_path / f"{ago}.beancount"
        journal.write_bytes(files_of(books, ago)["journal/beancount.beancount"])
        assert b"MUG" in journal.read_bytes() or b"#500" in journal.read_bytes()
        done = subprocess.run([BEAN_CHECK, str(journal)], capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_late_refund_of_a_closed_day_is_in_the_books_of_the_open_one(books: Business) -> None:
    stripe = books.providers.stripe
    before = {ago: digest(books, ago) for ago in range(FIRST, 0, -1)}
    refund = stripe.refund("ch_1", 400, books.at(3, 18))
    stripe.unlisted.add(stripe.movement_of("refunds", refund)["id"])
    books.refunded(5004, 1210 * 4, 400, books.at(4), books.at(3, 18))
    assert books.settle() == [200]
    take_in(books, row(books, "refunds", refund, charge_id="ch_1", **{"payment_metadata[order_id]": ""}))
    done = books.reconcile(pull=False)
    assert done["discrepancies"].get("refund_not_in_store", 0) == 0
    assert {ago: digest(books, ago) for ago in before} == before
    late = [entry for entry in books.entries() if entry.posted_on >= books.today]
    assert late
    assert {entry.on for entry in late if "reversed" not in entry.narration} >= {books.day(3)}
    assert books.receivable(books.key(5004)) == 0
    for ago in before:
        require_unchanged(closed(books, ago), books.book.entries(books.day(ago), books.day(ago)))


def test_a_closed_day_is_opened_for_a_reason_only_and_closes_again_beside_what_it_was(books: Business) -> None:
    with pytest.raises(Rejected, match="reason_missing"):
        reopen_day(books.day(2), "ann", "  ", books.book, utc_now)
    with pytest.raises(Rejected, match="day_not_closed"):
        reopen_day(books.today, "ann", "too early", books.book, utc_now)
    opened = reopen_day(books.day(2), "ann", "the bank's file came late", books.book, utc_now)
    assert opened == (books.day(1), books.day(2)), "a day is not open before one that is closed"
    assert closed(books, 3).state is DayState.CLOSED
    assert [comment.text for comment in closed(books, 2).reopened] == ["the bank's file came late"]
    books.reconcile(pull=False)
    done = books.close(books.day(1))
    assert done["closed"] == [books.day(2).isoformat(), books.day(1).isoformat()]
    assert files_of(books, 2, revision=1)["report.html"], "what was reported first is still there"
    assert files_of(books, 2, revision=3)["report.html"]
    records = list(books.book.records())
    assert faults_in(records) == ()
    assert [record.action for record in records if record.action.startswith("day.")].count("day.reopened") == 2


def test_no_function_failed_and_no_log_names_anybody(books: Business) -> None:
    logs = books.logs()
    assert "days closed" in logs
    assert "Traceback" not in logs
    for buyer in ("zoe@example.test", "Ünal", "\\u00dcnal", "Hauptstr", "+4930"):
        assert buyer not in logs
