"""What names a private person is not kept."""

import pytest

from shared.payments.bank.privacy import kept_text, mentions, redacted


@pytest.mark.parametrize(
    "iban",
    ["NL91ABNA0417164300", "DE02120300000000202051", "DE02 1203 0000 0000 2020 51", "GB29NWBK60161331926819"],
)
def test_account_numbers_are_hidden_wherever_they_stand(iban: str) -> None:
    assert redacted(f"from {iban} thanks") == "from [account] thanks"
    assert redacted(iban) == "[account]"
    assert redacted(f"{iban}, {iban.lower()}") == "[account], [account]"


@pytest.mark.parametrize("kept", ["po_1AbCdEfGh", "NL92ABNA0417164300", "PO12 3456", "STRIPE X8F2K9"])
def test_references_stay(kept: str) -> None:
    assert redacted(f"ref {kept} end") == f"ref {kept} end"


def test_names_stay_only_where_they_are_a_provider_s() -> None:
    assert kept_text(("payout",), ("Stripe Inc", "Jane Doe"), ("stripe",)) == "Stripe Inc payout"
    assert kept_text(("payout",), ("Stripe Inc",), ()) == "payout"
    assert mentions("STRI\nPE", ["stripe"])


def test_long_texts_are_cut() -> None:
    assert len(kept_text(("a@" * 10_000_000,), (), ())) == 300
