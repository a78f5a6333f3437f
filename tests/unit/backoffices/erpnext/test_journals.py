"""Daily journals in ERPNext beside the contract: accounts without a number or of another currency, cancelled ones."""

import pytest

from infra.fakes.erpnext import FakeErpNext
from shared.backoffices.documents import Journal, JournalLine
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected
from tests.contract.backoffices.erpnext_world import COMPANY
from tests.unit.backoffices.erpnext.site import NOW, eur, office, site

KEY = "storebridge/journal/2026-11-23/EUR"


def _journal(account: str = "6200") -> Journal:
    lines = (
        JournalLine(account="1200", amount=-eur("12.34"), label="Clearing"),
        JournalLine(account=account, amount=eur("12.34"), label="Payment fees"),
    )
    return Journal(key=KEY, name="Storebridge 2026-11-23", posted_on=NOW.date(), currency="EUR", lines=lines)


def _add_account(fake: FakeErpNext, name: str, **values: str) -> None:
    document = fake.site.fresh("Account", {"account_name": name, "company": COMPANY, **values})
    document["name"] = f"{name} - EX"
    fake.site.keep(document)


def test_the_entry_is_as_staff_would_enter_it() -> None:
    fake = site()
    number = office(fake).post_journal(_journal())
    entry = fake.site.documents["Journal Entry"][number]
    assert (entry["voucher_type"], entry["posting_date"], entry["docstatus"]) == ("Journal Entry", "2026-11-23", 1)
    assert (entry["cheque_no"], entry["user_remark"]) == (KEY, "Storebridge 2026-11-23")
    assert [(row["account"], row["user_remark"]) for row in entry["accounts"]] == [
        ("1200 - Payments - EX", "Clearing"),
        ("6200 - Payment fees - EX", "Payment fees"),
    ]


def test_an_account_without_a_number_is_named_by_its_name() -> None:
    fake = site()
    _add_account(fake, "Bank charges")
    office(fake).post_journal(_journal("Bank charges - EX"))
    posted = office(fake).posted_journal(KEY)
    assert posted is not None
    assert set(posted.sums) == {"1200", "Bank charges - EX"}


def test_an_account_of_another_currency_is_refused() -> None:
    fake = site()
    _add_account(fake, "Dollars", account_number="1290", account_currency="USD")
    with pytest.raises(Rejected) as refusal:
        office(fake).post_journal(_journal("1290"))
    assert refusal.value.code == "journal_currency"
    assert not fake.site.documents["Journal Entry"]


def test_groups_take_no_entries() -> None:
    fake = site()
    assert "Expenses - EX" not in {account.code for account in office(fake).accounts()}


def test_missing_rights_for_journals_are_named() -> None:
    fake = site()
    fake.denied.add(("Journal Entry", "submit"))
    (missing,) = office(fake).missing_rights()
    assert missing.what == "submit Journal Entry"


def test_a_cancelled_entry_is_none() -> None:
    fake = site()
    number = office(fake).post_journal(_journal())
    fake.site.documents["Journal Entry"][number]["docstatus"] = 2
    assert office(fake).posted_journal(KEY) is None
    assert office(fake).post_journal(_journal()) != number
    with pytest.raises(Rejected) as refusal:
        office(fake).post_journal(_journal("9999").model_copy(update={"key": f"{KEY}/2"}))
    assert refusal.value.code == Refusal.NOT_FOUND
