"""Daily journals in Jiandaoyun beside the contract: what depends on the mapping."""

from datetime import date

import pytest

from shared.backoffices.documents import Journal, JournalLine
from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected
from shared.kernel.money import Money
from tests.contract.backoffices.jiandaoyun_world import MAPPING, add_accounts
from tests.unit.backoffices.jiandaoyun.company import Company

KEY = "storebridge/journal/2026-11-23/EUR"


def _journal(currency: str = "EUR", amount: str = "12.34") -> Journal:
    moved = Money.parse(amount, currency)
    lines = (
        JournalLine(account="1012", amount=-moved, label="Clearing"),
        JournalLine(account="6603", amount=moved, label="Payment fees"),
    )
    return Journal(key=KEY, name="Storebridge", posted_on=date(2026, 11, 23), currency=currency, lines=lines)


def _mapped(**journals: str) -> JiandaoyunMapping:
    values = MAPPING.model_dump()
    values["journals"] |= journals
    return JiandaoyunMapping.model_validate(values)


def test_the_row_is_as_staff_would_enter_it() -> None:
    company = Company()
    add_accounts(company.fake)
    row = company.form(7).rows[company.office.post_journal(_journal())]
    assert (row["key"], row["name"], row["posted_on"]) == (KEY, "Storebridge", "2026-11-23T00:00:00.000Z")
    assert [(line["account"], f"{line['debit']}", f"{line['credit']}") for line in row["lines"]] == [
        ("1012", "0", "12.34"),
        ("6603", "12.34", "0"),
    ]


def test_other_currencies_are_entered_where_a_field_says_which() -> None:
    company = Company(_mapped(currency="currency"))
    add_accounts(company.fake)
    company.form(7).widgets["currency"] = "combo"
    company.office.post_journal(_journal("JPY", "150"))
    posted = company.office.posted_journal(KEY)
    assert posted is not None
    assert {code: str(amount) for code, amount in posted.sums.items()} == {"1012": "-150 JPY", "6603": "150 JPY"}


def test_codes_are_taken_as_they_are_where_no_form_has_them() -> None:
    company = Company(MAPPING.model_copy(update={"accounts": None}))
    assert company.office.accounts() == ()
    assert company.office.post_journal(_journal())


def test_a_company_without_a_form_of_journals_takes_none() -> None:
    company = Company(MAPPING.model_copy(update={"journals": None}))
    assert not company.office.capabilities.journals
    with pytest.raises(Rejected) as refusal:
        company.office.post_journal(_journal())
    assert refusal.value.code == Refusal.BUG


def test_a_field_of_journals_that_is_not_there_is_named() -> None:
    company = Company(_mapped(journal="book"))
    (missing,) = company.office.missing_rights()
    assert missing.what == "use journals.journal (book)"
