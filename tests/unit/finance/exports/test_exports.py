"""The journal as other programs read it: everything is there, balanced, and nothing breaks out of its place."""

import csv
import io
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.exports.beancount import quoted
from shared.finance.journal import JournalEntry, Role, Topic
from shared.finance.reports.catalogue import EXPORTS, make_export
from shared.finance.reports.scope import Scope
from shared.kernel.errors import Rejected
from tests.builders.ledger_entries import DAY, Deal, entry, fee, month, posting, receipt, sale

BEAN_CHECK = shutil.which("bean-check", path=str(Path(sys.executable).parent)) or shutil.which("bean-check")
HLEDGER = shutil.which("hledger")
ONE_DAY = Scope(since=DAY, until=DAY)
HOSTILE = (
    'He said "hello" \\ and left\\',
    "two\nlines\r\nand a\ttab",
    "; comment | payee (code) [x] {y}",
    "=HYPERLINK(1)",
    "0\0nul\x1b",
    '"\n2026-01-01 open Assets:Evil\n"',
    "高山乌龙茶 🍵 \u202eesrever",
    "x" * 500,
    "'",
    "",
)


def random_entries(seed: int) -> list[JournalEntry]:
    """Entries of any account, currency and text, on some days."""
    chance = random.Random(seed)  # noqa: S311 - made-up figures
    found = []
    for number in range(300):
        postings = []
        for currency in chance.sample(("EUR", "JPY", "KWD", "USD"), chance.choice((1, 1, 2))):
            amounts = [chance.randrange(1, 10 ** chance.randrange(1, 15)) for _ in range(chance.randrange(1, 4))]
            for amount in (*amounts, -sum(amounts)):
                of = chance.choice((None, "stripe-eu", "a_b", "a-b", "2 shops", "支付宝", "Ünïcode", "😀"))
                postings.append(posting(chance.choice(list(Role)), of, amount, currency, title=chance.choice(HOSTILE)))
        text = chance.choice(HOSTILE)
        source = f"line/stripe-eu/{number}{text}"
        found.append(entry(source, chance.choice(list(Topic)), *postings, narration=text or "-"))
    return found


def export(name: str, *entries: JournalEntry, names: dict[str, str] | None = None, scope: Scope = ONE_DAY) -> str:
    return make_export(name, entries, scope, names or {}).decode()


def check(text: str, path: Path) -> subprocess.CompletedProcess[str]:
    path.write_text(text, encoding="utf-8")
    assert BEAN_CHECK is not None
    return subprocess.run([BEAN_CHECK, str(path)], capture_output=True, text=True, check=False, timeout=120)


needs_bean_check = pytest.mark.skipif(BEAN_CHECK is None, reason="there is no bean-check here")


@needs_bean_check
@pytest.mark.parametrize(
    "names", [{}, {"fees": "Expenses:6800 Fees {of}", "sales": "收入:{currency}", "tax": "lower case"}]
)
def test_beancount_accepts_random_entries_with_hostile_text(tmp_path: Path, names: dict[str, str]) -> None:
    done = check(export("beancount", *random_entries(seed=3), names=names), tmp_path / "journal.beancount")
    assert done.returncode == 0, done.stderr[:2000]


@needs_bean_check
@pytest.mark.parametrize(("right", "wrong"), [("-10.00 EUR", "-10.01 EUR"), ("-1000 JPY", "-1001 JPY")])
def test_beancount_refuses_a_minor_unit_too_much(tmp_path: Path, right: str, wrong: str) -> None:
    text = export("beancount", sale(), sale(Deal(number=2, currency="JPY")))
    assert right in text
    done = check(text.replace(right, wrong), tmp_path / "journal.beancount")
    assert done.returncode != 0
    assert "does not balance" in done.stderr


@needs_bean_check
def test_beancount_accepts_a_month(tmp_path: Path) -> None:
    entries = month(orders=150)
    scope = Scope(since=entries[0].posted_on, until=entries[-1].posted_on)
    done = check(export("beancount", *entries, scope=scope), tmp_path / "journal.beancount")
    assert done.returncode == 0, done.stderr[:2000]


@pytest.mark.skipif(HLEDGER is None, reason="there is no hledger here")
def test_hledger_accepts_random_entries(tmp_path: Path) -> None:
    path = tmp_path / "entries.journal"
    path.write_text(export("hledger", *random_entries(seed=3)), encoding="utf-8")
    assert HLEDGER is not None
    command = [HLEDGER, "-f", str(path), "check", "--strict"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[:2000]


def test_a_beancount_transaction_names_its_entry() -> None:
    text = export("beancount", sale(Deal(net=1250, tax=0, shipping=0, currency="KWD")))
    assert "2026-03-02 commodity KWD\n  precision: 3\n" in text
    assert "2026-03-02 open Assets:Receivable:Aurora\n" in text
    assert text.endswith(
        '2026-03-02 * "#1001 sale"\n'
        '  id: "order/aurora/1001/sale#1"\n'
        '  source: "order/aurora/1001/sale"\n'
        '  topic: "sale"\n'
        "  Assets:Receivable:Aurora  1.250 KWD\n"
        "  Income:Sales:Aurora  -1.250 KWD\n\n"
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_string_of_beancount_ends_where_it_should(text: str) -> None:
    string = quoted(text)
    assert re.fullmatch(r'"(?:[^"\\\n]|\\["\\])*"', string)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_adds_a_line_to_a_plain_text_journal(text: str) -> None:
    made = sale().model_copy(update={"narration": text, "source": f"order/aurora/{text}"})
    for name in ("beancount", "hledger"):
        assert len(export(name, made).splitlines()) == len(export(name, sale()).splitlines())


@pytest.mark.parametrize("name", ["beancount", "hledger"])
def test_every_posting_is_in_a_plain_text_journal_to_the_minor_unit(name: str) -> None:
    entries = random_entries(seed=5)
    written: Counter[str] = Counter(re.findall(r"  (-?[\d.]+ [A-Z]{3})$", export(name, *entries), flags=re.MULTILINE))
    decimals = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
    expected = Counter(
        f"{Decimal(one.amount).scaleb(-decimals[one.currency]):.{decimals[one.currency]}f} {one.currency}"
        for made in entries
        for one in made.postings
    )
    assert written == expected


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_quickbooks_has_one_balanced_journal_for_each_day_topic_and_currency() -> None:
    found = rows(export("quickbooks", sale(), sale(Deal(number=2)), receipt(), sale(Deal(number=3, currency="JPY"))))
    assert [row["Journal No"] for row in found if row["Debits"]] == [
        "20260302-EUR-RECE",
        "20260302-EUR-SALE",
        "20260302-JPY-SALE",
    ]
    assert [
        (row["Account Name"], row["Debits"], row["Credits"], row["Name"])
        for row in found
        if "EUR-SALE" in row["Journal No"]
    ] == [
        ("Receivable:aurora EUR", "34.10", "", "aurora"),
        ("Sales:aurora EUR", "", "20.00", ""),
        ("Shipping:aurora EUR", "", "9.90", ""),
        ("Tax payable:aurora EUR", "", "4.20", ""),
    ]
    assert {row["Journal Date"] for row in found} == {"03/02/2026"}
    assert {row["Description"] for row in found if "JPY" in row["Journal No"]} == {"Sales 2026-03-02 JPY, entries: 1"}


def test_xero_has_signed_amounts_and_taxes_nothing_again() -> None:
    found = rows(export("xero", fee()))
    assert [(row["*AccountCode"], row["*Amount"]) for row in found] == [
        ("Payment fees:stripe-eu EUR", "0.49"),
        ("Clearing:stripe-eu EUR", "-0.49"),
    ]
    assert {(row["*Date"], row["*TaxRate"]) for row in found} == {("02/03/2026", "Tax Exempt")}


@pytest.mark.parametrize("seed", range(3))
def test_summaries_balance_and_come_to_the_postings(seed: int) -> None:
    entries = random_entries(seed)
    debits: Counter[str] = Counter()
    journals: Counter[str] = Counter()
    for row in rows(export("quickbooks", *entries)):
        debit, credit = (int(Decimal(row[side] or 0).scaleb(3)) for side in ("Debits", "Credits"))
        assert (debit > 0) != (credit > 0)
        debits[row["Currency"]] += debit
        journals[row["Journal No"]] += debit - credit
    assert set(journals.values()) == {0}
    assert max(len(number) for number in journals) <= 21
    decimals = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
    expected: Counter[str] = Counter()
    for made in entries:
        for one in made.postings:
            expected[one.currency] += max(one.amount, 0) * 10 ** (3 - decimals[one.currency])
    assert debits == expected
    signed = sum(Decimal(row["*Amount"]) for row in rows(export("xero", *entries)))
    assert signed == 0


def test_a_name_that_runs_is_guarded_in_a_summary() -> None:
    for name, column in (("quickbooks", "Account Name"), ("xero", "*AccountCode")):
        found = rows(export(name, fee(), names={"fees": "=cmd|' /C calc'!A0"}))
        assert "'=cmd|' /C calc'!A0" in {row[column] for row in found}


@pytest.mark.parametrize("name", EXPORTS)
def test_a_rerun_gives_the_same_bytes_and_other_days_are_left_out(name: str) -> None:
    entries = month(orders=40)
    assert make_export(name, entries, ONE_DAY, {}) == make_export(name, entries, ONE_DAY, {})
    mine = [made for made in entries if made.posted_on == DAY]
    assert len(mine) > 1
    assert make_export(name, entries, ONE_DAY, {}) == make_export(name, mine, ONE_DAY, {})


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_of_nothing_is_a_file(name: str) -> None:
    assert export(name)


def test_topics_have_journal_numbers_of_their_own() -> None:
    assert len({topic[:4] for topic in Topic}) == len(Topic)


def test_an_export_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(Rejected, match="xero") as refused:
        make_export("sap", [], ONE_DAY, {})
    assert refused.value.code == "unknown_export"
