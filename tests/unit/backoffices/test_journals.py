"""Journals as values: none that does not balance can be handed to a back office at all."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.backoffices.documents import Journal, JournalLine, PostedJournal
from shared.backoffices.ledger import holds, sums_of
from shared.kernel.money import Money


def _line(account: str, amount: str, currency: str = "EUR") -> JournalLine:
    return JournalLine(account=account, amount=Money.parse(amount, currency), label="fees")


def _journal(*lines: JournalLine, currency: str = "EUR") -> Journal:
    return Journal(key="storebridge/journal/1", name="1", posted_on=date(2026, 11, 23), currency=currency, lines=lines)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((_line("1200", "-1.00"), _line("6200", "0.99")), "differ by -0.01 EUR"),
        ((_line("1200", "1.00"), _line("6200", "-1.00"), _line("1300", "0")), "every line moves"),
        ((_line("1200", "1.00"), _line("6200", "-1.00", "USD")), "every line moves an amount of EUR"),
        ((_line("1200", "1.00"),), "at least 2"),
        ((), "at least 2"),
    ],
)
def test_what_does_not_balance_is_no_journal(lines: tuple[JournalLine, ...], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        _journal(*lines)


def test_finer_amounts_than_the_currency_has_balance_as_well() -> None:
    assert _journal(_line("1200", "-0.005"), _line("6200", "0.0050")).lines


_AMOUNTS = st.integers(-(10**12), 10**12).map(lambda minor: Money(minor=minor, currency="EUR", exponent=2))


@given(st.lists(st.tuples(st.sampled_from("abc"), _AMOUNTS)))
def test_sums_are_those_of_each_account_and_never_zero(moved: list[tuple[str, Money]]) -> None:
    sums = sums_of(moved, "EUR")
    assert all(sums.values())
    for account in "abc":
        wanted = sum(amount.minor for name, amount in moved if name == account)
        assert sums.get(account, Money.zero("EUR")).minor == wanted


def test_a_draft_holds_a_journal_whatever_its_lines_are_parted_into() -> None:
    journal = _journal(_line("1200", "-3.00"), _line("6200", "1.00"), _line("6200", "2.00"))
    draft = PostedJournal(id="1", sums={"1200": Money.parse("-3", "EUR"), "6200": Money.parse("3.000", "EUR")})
    assert holds(draft, journal)
    assert not holds(draft.model_copy(update={"sums": {"1200": Money.parse("-3", "EUR")}}), journal)
    assert not holds(draft, _journal(_line("1200", "-3.00"), _line("1300", "3.00")))
