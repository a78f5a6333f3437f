"""Under which key a back office knows an order's buyer."""

import pytest

from shared.customers.guests import guest_key
from shared.kernel.errors import Retry
from shared.kernel.identifiers import CustomerKey
from shared.orders.models import Order, PersonalData
from shared.sync.backoffice.customer import Buyer
from shared.sync.customers.buyers import Buyers
from tests.builders.customers import MARKER, record
from tests.builders.orders import order
from tests.fakes.customers import FakeCustomerBook

ACCOUNT = CustomerKey("aurora", "customer", "17")


def bought(**personal: str | None) -> Order:
    return order(personal=PersonalData.model_validate(personal))


def test_a_buyer_goes_by_the_person() -> None:
    book = FakeCustomerBook()
    buyers = Buyers(book, MARKER)
    assert buyers(bought(customer_id="17")) == Buyer("aurora/customer/17")
    book.records[ACCOUNT] = record("aurora/customer/17")
    assert buyers(bought(customer_id="17")) == Buyer("aurora/customer/17", is_kept_up=True)
    book.records[ACCOUNT] = record("aurora/customer/17", leader="borealis/customer/4")
    assert buyers(bought(customer_id="17")) == Buyer("borealis/customer/4", is_kept_up=True)


def test_a_guest_is_known_by_a_key_that_tells_nobody() -> None:
    book = FakeCustomerBook()
    key = guest_key("aurora", "eve@example.test", None, MARKER)
    assert key is not None
    assert Buyers(book, MARKER)(bought(email=" Eve@Example.test ", customer_id="0")) == Buyer(str(key))
    book.records[key] = record(str(key))
    assert Buyers(book, MARKER)(bought(email="eve@example.test")) == Buyer(str(key))
    book.records[key] = record(str(key), leader="aurora/customer/17")
    assert Buyers(book, MARKER)(bought(email="eve@example.test")) == Buyer("aurora/customer/17", is_kept_up=True)


def test_all_whom_nobody_knows_are_one() -> None:
    assert Buyers(FakeCustomerBook(), MARKER)(bought()) == Buyer("aurora/guest")


def test_nobody_is_guessed_while_the_customers_are_out_of_reach() -> None:
    class Gone(FakeCustomerBook):
        def find(self, key: CustomerKey) -> None:
            raise Retry("store_unreachable", f"no answer about {key}")

    with pytest.raises(Retry):
        Buyers(Gone(), MARKER)(bought(customer_id="17"))
