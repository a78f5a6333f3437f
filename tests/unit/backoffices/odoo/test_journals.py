"""Daily journals in Odoo beside the contract: locked days of each generation, entries that staff have cancelled."""

from datetime import date

import pytest

from infra.fakes.odoo import FakeOdoo
from shared.backoffices.documents import Journal, JournalLine
from shared.backoffices.odoo.backoffice import OdooBackOffice
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected
from tests.unit.backoffices.odoo.company import NOW, eur, odoo, office

KEY = "storebridge/journal/2026-11-23/EUR"
DAY = NOW.date()


def _journal(amount: str = "12.34", day: date = DAY) -> Journal:
    lines = (
        JournalLine(account="101401", amount=-eur(amount), label="Clearing"),
        JournalLine(account="620000", amount=eur(amount), label="Payment fees"),
    )
    return Journal(key=KEY, name="Storebridge 2026-11-23", posted_on=day, currency="EUR", lines=lines)


def _client(fake: FakeOdoo) -> OdooBackOffice:
    return office(fake, "json2" if fake.generation == 19 else "jsonrpc")


@pytest.mark.parametrize(
    ("generation", "field"),
    [
        (17, "fiscalyear_lock_date"),
        (17, "period_lock_date"),
        (18, "user_hard_lock_date"),
        (19, "user_fiscalyear_lock_date"),
        (19, "user_hard_lock_date"),
    ],
)
def test_a_locked_day_is_refused_before_anything_is_written(generation: int, field: str) -> None:
    fake = odoo(generation=generation)
    (company,) = fake.store.records["res.company"].values()
    company[field] = "2026-11-23"
    with pytest.raises(Rejected) as refusal:
        _client(fake).post_journal(_journal())
    assert (refusal.value.code, refusal.value.message) == (
        Refusal.REFUSED,
        "the books are locked up to 2026-11-23 in Odoo, and the journal is of 2026-11-23",
    )
    assert not fake.store.records["account.move"]
    assert _client(fake).post_journal(_journal(day=date(2026, 11, 24)))


def test_a_lock_that_does_not_hold_for_our_user_does_not_count() -> None:
    fake = odoo()
    (company,) = fake.store.records["res.company"].values()
    company["fiscalyear_lock_date"] = "2026-11-23"
    assert _client(fake).post_journal(_journal())


def test_an_entry_that_staff_have_cancelled_is_theirs() -> None:
    fake = odoo()
    number = int(_client(fake).post_journal(_journal()))
    fake.store.write("account.move", [number], {"state": "cancel"})
    assert _client(fake).posted_journal(KEY) is None
    with pytest.raises(Rejected) as refusal:
        _client(fake).post_journal(_journal())
    assert refusal.value.code == Refusal.REFUSED
    assert "cancelled in Odoo" in refusal.value.message


def test_accounts_are_asked_for_once() -> None:
    fake = odoo()
    back = _client(fake)
    back.post_journal(_journal())
    back.post_journal(_journal().model_copy(update={"key": f"{KEY}/2"}))
    assert fake.calls.count("account.account/search_read") == 1
