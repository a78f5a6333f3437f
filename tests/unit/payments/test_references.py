import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.payments import references


def test_metadata_counts_under_keys_that_speak_of_orders() -> None:
    metadata = {"order_id": 5001, "Shopify_Checkout_Token": "c0ffee", "invoiceNumber": "INV-7", "customer": "12345"}
    assert references.of_metadata(metadata) == ("c0ffee", "INV-7", "5001")


@pytest.mark.parametrize(
    "value", ["Zoë", "two words", "zoe@example.test", "", "x" * 81, None, True, ["5001"], {"a": 1}]
)
def test_what_is_no_token_is_no_reference(value: object) -> None:
    assert references.of_metadata({"order": value}) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#1001", ("#1001",)),
        ("WC-1001", ("WC-1001",)),
        ("Order 1001 of Zoë", ()),
        ("Subscription", ()),
        ("0301234567", ()),
        ("00493012345678", ()),
        (None, ()),
    ],
)
def test_a_description_counts_where_it_is_one_short_token(text: str | None, found: tuple[str, ...]) -> None:
    assert references.numbered(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5001", ("5001",)),
        ('{"order_id": 5001, "order_key": "wc_order_x1", "email": "zoe@example.test"}', ("5001", "wc_order_x1")),
        ('{"order_id": ', ()),
        ('{"order_id": "\ud800"}', ()),
        ("{}", ()),
        (None, ()),
    ],
)
def test_a_free_field_is_a_token_or_metadata(text: str | None, found: tuple[str, ...]) -> None:
    assert references.of_free_field(text) == found


@given(st.text())
def test_no_text_breaks_it_and_no_address_gets_through(text: str) -> None:
    for found in (*references.of_free_field(text), *references.numbered(text), *references.exact(text)):
        assert "@" not in found
        assert " " not in found


@pytest.mark.parametrize("key", ["order_phone", "orderMobile", "checkout_e-mail", "invoice_address", "order.postcode"])
def test_what_is_said_of_who_ordered_is_no_reference(key: str) -> None:
    assert references.of_metadata({key: "0612345678", "private_order": "7"}) == ("7",)


@pytest.mark.parametrize("text", ["Zoe", "zoe.example", "0612345678", "0031612345678"])
def test_a_name_or_a_telephone_number_in_a_free_field_is_no_reference(text: str) -> None:
    assert references.of_free_field(text) == ()
    assert references.of_free_field("wc-1001") == ("wc-1001",)
