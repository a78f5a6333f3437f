"""Rounding is what the provider's own rate does not explain; two rates that differ are no rounding."""

import pytest

from shared.finance.inputs import Reconciliation
from shared.finance.matching.reconcile import reconcile
from shared.finance.models import Action, DiscrepancyKind
from tests.builders.finance import document, inputs, line_of, movement, statement


def settled(gross: int, *, books: int, rate: str | None) -> Reconciliation:
    """USD 100.00 bought, kept as EUR; the shop's books say `books`."""
    paid = movement(10_000, movement_id="t5001", currency="USD", references=("ch_5001",))
    order = statement("5001", 10_000, movements=[paid], buyer_currency="USD", sale=document(books))
    told = {"buyer_currency": "USD", "buyer_amount": 10_000, "exchange_rate": rate}
    return reconcile(inputs(order, line_of(order, gross=gross, currency="EUR", **told)))


def rounded(outcome: Reconciliation) -> list[tuple[int, Action]]:
    kind = DiscrepancyKind.FX_ROUNDING
    return [(one.difference, one.action) for one in outcome.discrepancies if one.kind is kind]


@pytest.mark.parametrize("books", [9_217, 9_218, 9_216, 9_250])
def test_what_the_providers_rate_gives_is_no_rounding_whatever_the_books_say(books: int) -> None:
    assert rounded(settled(9_217, books=books, rate="0.921700")) == []


@pytest.mark.parametrize("off", [-1, 1])
def test_a_unit_beside_the_providers_rate_is_rounding(off: int) -> None:
    assert rounded(settled(9_217 + off, books=9_250, rate="0.921700")) == [(off, Action.AUTO_ROUND)]


def test_without_a_rate_the_books_are_what_there_is() -> None:
    assert rounded(settled(9_217, books=9_218, rate=None)) == [(-1, Action.AUTO_ROUND)]
    assert rounded(settled(9_217, books=9_250, rate=None)) == []
