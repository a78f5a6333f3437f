"""What the doctor says of a back office: each thing that may be wrong by itself, in a company that is in order."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from infra.fakes.backoffice import MemoryBackOffice
from shared.backoffices.documents import MissingRight, Tax
from shared.kernel.errors import Rejected, Retry
from shared.sync.backoffice import doctor
from shared.sync.backoffice.doctor import Expected, facts_of, judge, rate_of
from shared.sync.backoffice.rules import BookRules, ChargeProducts, InvoiceMoment
from shared.sync.findings import Finding, Side, Verdict
from tests.builders.books import RULES, SteppingClock

READS = {"identify", "products", "stock"}
FULL = RULES.model_copy(update={"products": ChargeProducts(gift_card="FEE", adjustment="FEE")})
SOUND = Expected(
    name="erp",
    rules=FULL,
    locations={"aurora": ("main",)},
    stock_skus=frozenset({"MUG", "CAP"}),
    ordered_skus=frozenset({"MUG"}),
)


def office(**capabilities: bool) -> MemoryBackOffice:
    made = MemoryBackOffice(SteppingClock())
    made.capabilities = made.capabilities.model_copy(update=capabilities)
    for sku in ("MUG", "CAP"):
        made.add_product(sku, 10)
    for sku in ("SHIPPING", "FEE", "TIP", "DUTY", "ROUNDING"):
        made.add_product(sku)
    return made


def ruled(**changes: Any) -> Expected:
    return replace(SOUND, rules=FULL.model_copy(update=changes))


def findings(at: MemoryBackOffice, expected: Expected = SOUND) -> tuple[Finding, ...]:
    found = judge(facts_of(at, expected), expected)
    assert set(at.calls) <= READS
    return found


def wrong(found: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [
        (one.check, one.verdict.value, one.found) for one in found if one.verdict in (Verdict.WARNING, Verdict.FAULT)
    ]


def the_one(found: tuple[Finding, ...]) -> Finding:
    (one,) = [one for one in found if one.verdict in (Verdict.WARNING, Verdict.FAULT)]
    return one


def test_a_company_that_is_in_order() -> None:
    found = findings(office())
    assert wrong(found) == []
    by_check = {one.check: one for one in found}
    assert by_check["answers"].found == "memory 1, as storebridge"
    assert by_check["company"].found == "Example Goods, books in EUR"
    assert by_check["taxes"].found == "2 named, all there at their rates"
    assert {one.side for one in found} == {Side.BACKOFFICE}
    assert {one.subject for one in found} == {"erp"}


@pytest.mark.parametrize(
    ("changes", "check", "verdict", "words"),
    [
        ({"warehouses": {"main": "Attic"}}, "warehouses", "fault", "'Attic', which is not there"),
        ({"warehouses": {"annexe": "WH2"}}, "warehouses", "fault", "no location of shop aurora has a warehouse"),
        ({"taxes": {"0.21": "VAT 20"}}, "taxes", "fault", "0.21 is to be 'VAT 20', which is not there"),
        ({"taxes": {"NL/0.21": "VAT 9"}}, "taxes", "fault", "VAT 9 is 0.09 in the back office"),
        ({"taxes": {}}, "taxes", "warning", "every order that bears one will stop"),
        ({"payment_methods": {"*": "Till"}}, "payments", "fault", "no payment method 'Till'"),
        ({"payment_methods": {}}, "payments", "warning", "payments are not booked"),
        (
            {"products": ChargeProducts(gift_card="FEE", adjustment="FEE", tip="TIPS")},
            "charge products",
            "warning",
            "TIPS",
        ),
        (
            {"products": ChargeProducts(gift_card="FEE", adjustment="FEE", rounding="R")},
            "charge products",
            "fault",
            "R, ",
        ),
        (
            {"products": ChargeProducts(gift_card="FEE", adjustment="FEE", tip="MUG")},
            "charge products",
            "fault",
            "kept",
        ),
    ],
)
def test_what_the_settings_name_must_be_there(changes: dict[str, Any], check: str, verdict: str, words: str) -> None:
    one = the_one(findings(office(), ruled(**changes)))
    assert (one.check, one.verdict.value) == (check, verdict)
    assert words in one.found
    assert one.mend


def test_a_line_without_sku_may_be_sold_as_goods() -> None:
    products = ChargeProducts(gift_card="FEE", adjustment="FEE", no_sku="MUG")
    assert wrong(findings(office(), ruled(products=products))) == []


def test_a_location_without_warehouse_beside_one_with() -> None:
    expected = replace(SOUND, locations={"aurora": ("main", "annexe")})
    one = the_one(findings(office(), expected))
    assert (one.check, one.verdict) == ("warehouses", Verdict.WARNING)
    assert "annexe of shop aurora" in one.found


def test_a_title_bears_no_rate_and_a_fixed_tax_is_looked_at() -> None:
    at = office()
    assert wrong(findings(at, ruled(taxes={"MwSt": "VAT 21"}))) == []
    facts = facts_of(at, SOUND)
    fixed = replace(facts, taxes=(Tax(name="VAT 21", rate=None), Tax(name="VAT 9", rate="0.090")))
    one = the_one(judge(fixed, SOUND))
    assert (one.check, one.verdict) == ("taxes", Verdict.WARNING)


@pytest.mark.parametrize(
    ("key", "rate"),
    [("0.21", "0.21"), ("NL/0.210", "0.21"), ("US/CA/0.0725", "0.0725"), ("MwSt", None), ("NaN", None), ("", None)],
)
def test_the_rate_of_a_key(key: str, rate: str | None) -> None:
    assert rate_of(key) == (None if rate is None else Decimal(rate))


def test_products_that_are_missing_are_counted_and_the_first_named() -> None:
    many = frozenset(f"S{number:03}" for number in range(30))
    expected = replace(SOUND, stock_skus=many, ordered_skus=frozenset({"MUG", "GONE"}))
    found = {check: (verdict, words) for check, verdict, words in wrong(findings(office(), expected))}
    assert found["products in orders"] == ("fault", "1 of 2 SKUs are no products there: GONE")
    verdict, words = found["products in stock"]
    assert verdict == "warning"
    assert words.startswith("30 of 30")
    assert words.endswith("S019 and 10 more")


def test_nothing_sold_yet_is_nothing_wrong() -> None:
    expected = replace(SOUND, stock_skus=frozenset(), ordered_skus=frozenset())
    assert wrong(findings(office(), expected)) == []


def test_many_products_are_asked_for_in_parts() -> None:
    at = office()
    expected = replace(SOUND, stock_skus=frozenset(f"S{number:03}" for number in range(450)))
    facts_of(at, expected)
    assert at.calls.count("products") == 3


@pytest.mark.parametrize(
    ("stocked", "capabilities", "verdict", "words"),
    [
        ({"MUG", "CAP"}, {}, "ok", "figures for 2 of 2"),
        ({"OTHER"}, {}, "fault", "figures for 0 of 1"),
        (set(), {}, "info", "nothing is on our shelves"),
        ({"MUG"}, {"stock": False}, "fault", "tells no stock"),
    ],
)
def test_a_location_whose_stock_the_back_office_owns(
    stocked: set[str], capabilities: Mapping[str, bool], verdict: str, words: str
) -> None:
    expected = replace(ruled(owns_stock=("main",)), stock_skus=frozenset(stocked))
    (one,) = [one for one in findings(office(**capabilities), expected) if one.check == "stock"]
    assert one.verdict.value == verdict
    assert words in one.found


def test_another_company_than_the_settings_name() -> None:
    one = the_one(findings(office(), replace(SOUND, company="Other Goods")))
    assert (one.check, one.verdict) == ("company", Verdict.FAULT)


def _booked(**accounts: str) -> Expected:
    return replace(SOUND, journal_accounts=accounts)


def test_accounts_that_daily_journals_go_to() -> None:
    at = office()
    found = judge(facts_of(at, _booked(fees="6200", clearing="1200")), _booked(fees="6200", clearing="1200"))
    assert wrong(found) == []
    assert {one.check: one.found for one in found}["accounts"] == "2 named for daily journals, all there"


def test_an_account_of_daily_journals_that_is_not_there() -> None:
    expected = _booked(fees="6299", clearing="1200")
    one = the_one(judge(facts_of(office(), expected), expected))
    assert (one.check, one.verdict) == ("accounts", Verdict.FAULT)
    assert one.found == "fees is to be '6299', which takes no entries or is not there"
    assert one.mend is not None
    assert "6200 Payment fees" in one.mend


def test_daily_journals_without_any_account() -> None:
    one = the_one(judge(facts_of(office(), _booked()), _booked()))
    assert (one.check, one.verdict) == ("accounts", Verdict.FAULT)


def test_daily_journals_for_a_back_office_that_takes_none() -> None:
    expected = _booked(fees="6200")
    one = the_one(judge(facts_of(office(journals=False), expected), expected))
    assert (one.check, one.verdict) == ("journals", Verdict.FAULT)


def test_rights_that_are_missing() -> None:
    facts = replace(
        facts_of(office(), SOUND), missing_rights=(MissingRight(what="create sales orders", hint="add to Sales"),)
    )
    one = the_one(judge(facts, SOUND))
    assert (one.check, one.found, one.mend) == ("rights", "our user may not create sales orders", "add to Sales")


def test_a_back_office_that_does_not_answer_is_asked_nothing_else() -> None:
    at = office()

    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_unreachable", "the back office does not answer", hint="start it")

    at.interrupt = down
    one = the_one(findings(at))
    assert (one.check, one.verdict, one.mend) == ("answers", Verdict.FAULT, "start it")
    assert at.calls == ["identify"]


def test_one_question_that_is_refused_stops_no_other() -> None:
    at = office()

    def refuse(method: str, _when: str) -> None:
        if method == "products":
            raise Rejected("backoffice_auth", "no right to read products")

    at.interrupt = refuse
    found = findings(at)
    assert wrong(found) == [("products", "fault", "backoffice_auth: no right to read products")]
    assert "taxes" in {one.check for one in found}


def test_every_capability_that_is_off_is_said() -> None:
    flags = {name for name, value in office().capabilities if isinstance(value, bool)}
    assert set(doctor._WITHOUT) == flags
    found = findings(office(**dict.fromkeys(flags, False)))
    said = [one for one in found if one.check == "cannot"]
    assert len(said) == len(flags)
    assert {one.verdict for one in said} == {Verdict.INFO}
    assert wrong(found) == []
    assert any(one.check == "invoices" for one in found)


def test_completion_that_never_comes() -> None:
    one = the_one(findings(office(tells_delivery=False), ruled(complete_when="delivered")))
    assert (one.check, one.verdict) == ("completion", Verdict.FAULT)


def test_a_rehearsal_is_said() -> None:
    found = findings(office(), ruled(rehearsal=True, invoice=InvoiceMoment.NEVER))
    assert "rehearsal" in {one.check for one in found}
    assert wrong(found) == []


def test_settings_as_they_come_say_what_is_missing() -> None:
    """What somebody sees who has named nothing but the address."""
    found = wrong(findings(office(), replace(SOUND, rules=BookRules())))
    assert {check for check, _, _ in found} == {"warehouses", "taxes", "payments", "charge products"}
