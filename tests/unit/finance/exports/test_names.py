"""Accounts have the merchant's names where it has any, and legal ones whatever those are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.exports.names import WORDS, path_name, plain_name
from shared.finance.journal import Role
from tests.builders.ledger_entries import posting

FEES = posting(Role.FEES, "stripe-eu", 5)


def test_every_role_has_a_word() -> None:
    assert set(WORDS) == set(Role)


@pytest.mark.parametrize(
    ("names", "path", "plain"),
    [
        ({}, "Expenses:Payment-Fees:Stripe-Eu", "Payment fees:stripe-eu EUR"),
        ({"fees": "Bank charges"}, "Expenses:Bank-Charges", "Bank charges"),
        ({"fees": "Fees:{of} {currency}"}, "Expenses:Fees:Stripe-Eu-EUR", "Fees:stripe-eu EUR"),
        ({"fees": "A", "fees/stripe-eu": "6800 Stripe"}, "Expenses:6800-Stripe", "6800 Stripe"),
        ({"fees": "A", "fees/paypal": "B"}, "Expenses:A", "A"),
        ({"fees": "Income:Less:Fees"}, "Income:Less:Fees", "Income:Less:Fees"),
        ({"fees": "支付手续费"}, "Expenses:X支付手续费", "支付手续费"),
        ({"fees": "Fees {0} {of!r}"}, "Expenses:Fees-0-Of-R", "Fees {0} {of!r}"),
        ({"fees": " : "}, None, ":"),
    ],
)
def test_a_merchants_name_goes_first(names: dict[str, str], path: str | None, plain: str) -> None:
    assert plain_name(FEES, names) == plain
    if path:
        assert path_name(FEES, names) == path


@given(
    st.sampled_from(Role),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_a_path_is_legal_whatever_it_is_made_of(role: Role, of: str | None, name: str) -> None:
    for names in ({}, {str(role): name}):
        path = path_name(posting(role, of, 5), names)
        assert not re.search(r"[\s;\"'|()\[\]]", path)
        assert all(part and (part[0].isupper() or part[0].isdecimal()) for part in path.split(":"))
        assert path.split(":")[0] in ("Assets", "Liabilities", "Income", "Expenses", "Equity")
        assert len(path.split(":")) >= 2


short = st.text(st.sampled_from("ab-_ .AB1"), min_size=1, max_size=4)


@given(short, short)
def test_accounts_that_differ_stay_different(one: str, other: str) -> None:
    paths = {path_name(posting(Role.CLEARING, of, 5), {}) for of in (one, other)}
    assert len(paths) == len({one, other})
