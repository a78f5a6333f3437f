"""What the commands about money decide without any deployment: periods, prices, amounts, what to do next."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli.cost_prices import read_costs
from infra.cli.money_advice import advice_on
from infra.cli.money_cases import How, minor_of
from infra.cli.money_facts import amount, link_of, whole_case
from infra.cli.money_tables import case_shown
from infra.cli.report_files import destinations
from infra.cli.report_period import Period, read_period
from shared.finance.cases import Case, CaseState, Proposal, Resolution
from shared.finance.models import DiscrepancyKind, Item, Subject, Suggestion
from shared.finance.ports import CostPrice
from shared.kernel.errors import Rejected
from tests.builders.finance import NOON
from tests.builders.finance_book import case

SINCE = date(2026, 1, 1)


def proposed(resolution: Resolution = Resolution.WRITE_OFF, **told: Any) -> Case:
    proposal = Proposal(resolution=resolution, reason="why", amount=500, by="mia", at=NOON)
    return case(proposal=proposal, **{"state": CaseState.PROPOSED, **told})


# Periods


@pytest.mark.parametrize(
    ("said", "period"),
    [
        ({"month": "2026-11"}, Period(date(2026, 11, 1), date(2026, 11, 30))),
        ({"month": "2028-02"}, Period(date(2028, 2, 1), date(2028, 2, 29))),
        ({"day": "2026-11-24"}, Period(date(2026, 11, 24), date(2026, 11, 24))),
        ({"since": "2026-10-31", "until": "2026-11-01"}, Period(date(2026, 10, 31), date(2026, 11, 1))),
    ],
)
def test_days_may_be_said_in_three_ways(said: dict[str, str], period: Period) -> None:
    words: dict[str, Any] = {"since": None, "until": None, "month": None, "day": None, **said}
    assert read_period(words["since"], words["until"], month=words["month"], day=words["day"]) == period


@pytest.mark.parametrize("month", ["2026-00", "2026-13", "0000-01", "2026-1", "11-2026", "2026-11-01"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(Rejected, match="invalid_month"):
        read_period(None, None, month=month, day=None)


# Costs


def csv_of(*rows: str, heading: str = "sku,currency,cost,since") -> bytes:
    return "\n".join((heading, *rows)).encode()


def test_prices_are_exact_in_their_currencys_own_decimals() -> None:
    read = read_costs(csv_of("MUG,EUR,3.2,2026-01-01", "", "MUG,jpy,500,2026-01-01", "CAP,KWD,1.005,2026-02-01"))
    assert read == (
        CostPrice("MUG", "EUR", 320, SINCE),
        CostPrice("MUG", "JPY", 500, SINCE),
        CostPrice("CAP", "KWD", 1005, date(2026, 2, 1)),
    )


def test_columns_may_stand_in_any_order_between_semicolons_after_a_byte_order_mark() -> None:
    read = read_costs(b"\xef\xbb\xbf" + csv_of("2026-01-01;3.20;x;MUG;EUR", heading="Since;Cost;Note;SKU;Currency"))
    assert read == (CostPrice("MUG", "EUR", 320, SINCE),)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (",EUR,1,2026-01-01", "row 3, sku"),
        ("CAP,EURO,1,2026-01-01", "row 3, currency"),
        ("CAP,EUR,1.005,2026-01-01", "row 3, cost"),
        ("CAP,JPY,1.5,2026-01-01", "row 3, cost"),
        ("CAP,EUR,-1,2026-01-01", "row 3, cost"),
        ("CAP,EUR,NaN,2026-01-01", "row 3, cost"),
        ("CAP,EUR,,2026-01-01", "row 3, cost"),
        ("CAP,EUR,1,01.01.2026", "row 3, since"),
        ("CAP,EUR,1", "row 3, since"),
        ("MUG,EUR,4,2026-01-01", "MUG has two prices in EUR since 2026-01-01"),
    ],
)
def test_one_row_that_cannot_be_read_keeps_all_others_out(row: str, told: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_costs(csv_of("MUG,EUR,3.20,2026-01-01", row))
    assert refused.value.code == "invalid_rows"
    assert told in refused.value.message


@pytest.mark.parametrize("content", [b"", b"sku,cost\nMUG,1", b"\xff\xfe\x00", csv_of('"MUG')])
def test_what_is_no_list_of_prices_is_refused(content: bytes) -> None:
    with pytest.raises(Rejected, match="unreadable_csv"):
        read_costs(content)


# Amounts


@given(st.integers(min_value=0, max_value=10**12), st.sampled_from(["EUR", "JPY", "KWD"]), st.booleans())
def test_what_is_shown_of_an_amount_is_read_back_with_the_sign_of_the_difference(
    minor: int, currency: str, is_short: bool
) -> None:
    about = {"currency": currency, "expected": 1 if is_short else 0, "found": 0 if is_short else 1}
    shown = amount(minor, currency)
    assert shown is not None
    assert minor_of(shown["amount"], case(about=about)) == (-minor if is_short else minor)


@pytest.mark.parametrize(("text", "minor"), [("-2.50", -250), ("+2.50", 250), (" 2.5 ", -250)])
def test_a_sign_that_is_written_counts(text: str, minor: int) -> None:
    assert minor_of(text, case(about={"expected": 1250, "found": 0})) == minor


def test_every_resolution_has_a_word() -> None:
    assert {how.value.replace("-", "_") for how in How} == set(Resolution)


# What to do next


@pytest.mark.parametrize("kind", DiscrepancyKind)
def test_there_is_advice_on_every_kind_and_a_command_that_exists(kind: DiscrepancyKind) -> None:
    told = advice_on(case(about={"kind": kind}))
    assert told[0].endswith(".")
    assert told[-1] == 'storebridge money resolve d1 --as accept --reason "…"'


def test_the_best_suggestion_goes_into_the_command() -> None:
    suggestions = tuple(
        Suggestion(item=Item(subject=Subject.ORDER, id=f"aurora/{score}"), score=score, evidence=())
        for score in (40, 90, 60)
    )
    told = advice_on(case(about={"suggestions": suggestions}))
    assert any("--to aurora/90" in line for line in told)
    facts = whole_case(case(about={"suggestions": suggestions}), NOON.date(), blocks=False, todo=told)
    assert [one["score"] for one in facts["suggestions"]] == [90, 60, 40]
    assert list(case_shown(facts))


def test_only_what_can_be_linked_and_what_moves_money_is_offered() -> None:
    order = Item(subject=Subject.ORDER, id="aurora/5001")
    bank = Item(subject=Subject.BANK, id="main/b1")
    of_order = " ".join(advice_on(case(about={"subject": order})))
    assert "relink" not in of_order
    of_bank = " ".join(advice_on(case(about={"subject": bank})))
    assert ("payout:ACCOUNT/ID" in of_bank, "propose-refund" in of_bank) == (True, False)
    even = " ".join(advice_on(case(about={"subject": order, "expected": 5, "found": 5})))
    assert ("write-off" in even, "propose-refund" in even) == (False, False)


@pytest.mark.parametrize(
    ("known", "word"),
    [
        (proposed(), "money approve d1"),
        (proposed(state=CaseState.RESOLVED), "reopen-case d1"),
        (proposed(Resolution.PROPOSE_REFUND, state=CaseState.RESOLVED), "Refund it at the provider"),
        (case(state=CaseState.CLEARED), "Nothing"),
    ],
)
def test_what_is_to_do_follows_the_state(known: Case, word: str) -> None:
    assert word in " ".join(advice_on(known))


def test_a_payout_is_linked_by_its_kind() -> None:
    assert link_of(Item(subject=Subject.PAYOUT, id="stripe-eu/po_1")) == "payout:stripe-eu/po_1"
    assert link_of(Item(subject=Subject.ORDER, id="aurora/5001")) == "aurora/5001"


# Files


def test_reports_go_into_a_folder_or_into_the_very_file(tmp_path: Path) -> None:
    one, two = {"a.html": b"a"}, {"a.csv": b"a", "b.csv": b"b"}
    assert destinations(one, None, several=False) == {Path("a.html"): b"a"}
    assert destinations(one, tmp_path, several=False) == {tmp_path / "a.html": b"a"}
    assert destinations(one, tmp_path / "x.html", several=False) == {tmp_path / "x.html": b"a"}
    assert destinations(two, tmp_path / "new", several=True) == {
        tmp_path / "new" / "a.csv": b"a",
        tmp_path / "new" / "b.csv": b"b",
    }
