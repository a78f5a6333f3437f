"""A rehearsal foretells what a push does, tells every problem at once, and only reads the back office."""

from typing import Any

import pytest

from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders.cancel import cancel
from shared.orders.models import Order, PaymentState, RestockKind
from shared.sync.backoffice.company import company_of
from shared.sync.backoffice.rehearse import Rehearsed, rehearse
from shared.sync.backoffice.rules import InvoiceMoment
from tests.builders.books import KEY, RULES, Company, account, company, paid_by, shipping, taxed
from tests.builders.orders import line, shipment
from tests.unit.sync.backoffice.test_push import given_back, mugs_and_cap, without_cap

READS = {"find_sale", "identify", "products", "payment_methods", "taxes", "warehouses"}


def rehearsed(at: Company, key: OrderKey = KEY) -> Rehearsed:
    """What a rehearsal says; fails if anything but reading was done."""
    before = len(at.office.calls)
    mirrors = dict(at.mirrors.mirrors)
    found = rehearse(key, at.desk, company_of(at.office))
    assert set(at.office.calls[before:]) <= READS
    assert at.mirrors.mirrors == mirrors
    return found


def stocked() -> Company:
    return company(MUG=10, CAP=10)


def told(at: Company, *orders: Order) -> Company:
    for order in orders:
        at.take_in(order)
    return at


def test_the_documents_of_a_new_order() -> None:
    at = told(stocked(), mugs_and_cap())
    found = rehearsed(at)
    assert (found.steps, found.problems, found.passes) == (("Record", "Confirm"), (), True)
    planned = found.planned
    assert planned is not None
    assert [(one.sku, one.quantity, str(one.amount), one.taxes) for one in planned.lines] == [
        ("MUG", 3, "30.99 EUR", ("VAT 21",)),
        ("CAP", 1, "9.17 EUR", ("VAT 9",)),
        ("SHIPPING", 1, "4.13 EUR", ("VAT 21",)),
    ]
    assert (str(planned.total), planned.warehouse, planned.invoice) == ("52.50 EUR", "WH", InvoiceMoment.SHIPPED)
    assert [(one.method, str(one.amount)) for one in planned.payments] == [("Bank", "52.50 EUR")]


LIVES: dict[str, tuple[Order, ...]] = {
    "new": (mugs_and_cap(),),
    "held": (mugs_and_cap(payment=PaymentState.PENDING, transactions=()),),
    "test": (mugs_and_cap(test=True),),
    "changed": (mugs_and_cap(), without_cap()),
    "shipped by the shop": (mugs_and_cap(fulfilments=(shipment(("line-MUG", 3), ("line-CAP", 1)),), minute=3),),
    "part shipped by the shop": (mugs_and_cap(fulfilments=(shipment(("line-MUG", 2)),), minute=3),),
    "returned": (
        mugs_and_cap(
            fulfilments=(shipment(("line-MUG", 3), ("line-CAP", 1)),),
            refunds=(given_back("line-MUG", 1, "12.50", "2.17", RestockKind.RETURNED),),
            payment=PaymentState.PARTIALLY_REFUNDED,
            minute=7,
        ),
    ),
}


@pytest.mark.parametrize("moment", InvoiceMoment)
@pytest.mark.parametrize("life", LIVES)
def test_it_foretells_what_a_push_does(life: str, moment: InvoiceMoment) -> None:
    at = stocked()
    at.rules = RULES.model_copy(update={"invoice": moment})
    for order in LIVES[life]:
        at.take_in(order)
        foretold = rehearsed(at).steps
        assert at.push().steps == foretold
        assert rehearsed(at).steps == ()


def test_it_foretells_the_end_of_a_sale_that_the_warehouse_has_sent() -> None:
    at = told(stocked(), mugs_and_cap())
    at.push()
    at.office.send_off(str(KEY))
    found = rehearsed(at)
    assert (found.sale_number, found.sale_state) == ("SO-1", "confirmed")
    assert found.steps == ("PostInvoice", "Pay")
    assert at.push().steps == found.steps


def test_it_foretells_a_cancellation() -> None:
    at = told(stocked(), mugs_and_cap())
    at.push()
    cancel(KEY, at.orders, by="mia")
    assert rehearsed(at).steps == ("Cancel",)
    assert at.push().steps == ("Cancel",)


def test_it_says_the_same_where_nothing_may_be_written() -> None:
    at = told(stocked(), mugs_and_cap())
    earnest = rehearsed(at)
    at.rules = RULES.model_copy(update={"rehearsal": True})
    assert rehearsed(at) == earnest
    assert at.push().steps == ()


def test_every_problem_is_told_at_once() -> None:
    at = company(MUG=10)
    at.rules = RULES.model_copy(
        update={"taxes": {"0.09": "VAT 9"}, "payment_methods": {"card": "Till"}, "warehouses": {}}
    )
    at.take_in(
        account(
            taxed("MUG", 1, "12.10", "2.10"),
            taxed("CAP", 1, "10.90", "0.90", "0.09"),
            line(None, 1, id="custom", subtotal=mugs_and_cap().totals.shipping),
            ship=shipping("5.00", "0.87"),
            transactions=(paid_by("33.00"), paid_by("1.00", "t2", gateway="cod")),
        )
    )
    found = rehearsed(at)
    assert not found.passes
    assert found.planned is None
    told_of = [(problem.code, problem.field) for problem in found.problems]
    assert ("no_warehouse", "backoffices.erp.warehouses") in told_of
    assert ("missing_sku", "sku") in told_of
    assert told_of.count(("unmapped_tax", "taxes")) == 2
    assert ("payment_not_booked", "payment_methods") in told_of
    messages = " ".join(problem.message for problem in found.problems)
    assert "CAP is no product" in messages
    assert "no payment method 'Till'" in messages
    assert len(set(found.problems)) == len(found.problems)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"warehouses": {"main": "Attic"}}, "no warehouse 'Attic'"),
        ({"taxes": {"0.21": "VAT 20", "0.09": "VAT 9"}}, "no tax 'VAT 20'"),
    ],
)
def test_what_the_settings_name_must_be_there(change: dict[str, Any], words: str) -> None:
    at = told(stocked(), mugs_and_cap())
    at.rules = RULES.model_copy(update=change)
    (problem,) = rehearsed(at).problems
    assert words in problem.message
    assert problem.stops


def test_a_tax_of_the_wrong_rate_is_noticed_by_the_total() -> None:
    at = told(stocked(), mugs_and_cap())
    at.rules = RULES.model_copy(update={"taxes": {"0.21": "VAT 9", "0.09": "VAT 9"}})
    (problem,) = rehearsed(at).problems
    assert (problem.code, problem.stops) == ("totals_differ", True)
    assert "52.50 EUR" in problem.message
    with pytest.raises(Rejected, match="totals_differ"):
        at.push()


def test_a_company_of_another_currency_is_noticed() -> None:
    at = told(stocked(), mugs_and_cap())
    at.office.currency = "GBP"
    assert [problem.code for problem in rehearsed(at).problems] == ["currency_differs"]


def test_an_account_on_its_way_is_a_passing_problem() -> None:
    at = told(stocked(), mugs_and_cap())
    at.orders.book.write_account(mugs_and_cap(minute=9))
    found = rehearsed(at)
    assert [problem.code for problem in found.problems] == ["account_ahead"]


def test_an_order_that_the_back_office_cancelled_is_a_problem() -> None:
    at = told(stocked(), mugs_and_cap())
    at.push()
    at.office.cancel_sale(str(KEY))
    found = rehearsed(at)
    assert [problem.code for problem in found.problems] == ["cancelled_in_backoffice"]
    assert found.planned is not None


def test_an_unknown_order() -> None:
    with pytest.raises(Rejected, match="unknown_order"):
        rehearsed(stocked())


def test_products_are_asked_for_once() -> None:
    at = told(stocked(), mugs_and_cap())
    known = company_of(at.office)
    before = at.office.calls.count("products")
    for _ in range(3):
        rehearse(KEY, at.desk, known)
    assert at.office.calls.count("products") == before + 2
    assert known.products(["MUG", "NOTHING"]).keys() == {"MUG"}
