"""External ids: legible, unique, and taken apart again."""

from hypothesis import given
from hypothesis import strategies as st

from shared.backoffices.odoo.names import external_id, key_of

_KEYS = st.text(st.characters(min_codepoint=ord("!"), max_codepoint=ord("~")), min_size=1, max_size=40)


def test_a_key_stays_legible() -> None:
    assert external_id("sale", "aurora/5001", "line", "shipping/1") == "storebridge.sale-aurora__5001-line-shipping__1"


@given(_KEYS, _KEYS)
def test_a_line_is_found_again_by_its_name(sale: str, line: str) -> None:
    name = external_id("sale", sale, "line", line)
    assert key_of(name, "sale", sale, "line") == line
    assert key_of(external_id("sale", sale), "sale") == sale
    assert name.count(".") == 1


@given(_KEYS, _KEYS)
def test_no_two_keys_have_one_name(one: str, other: str) -> None:
    assert (external_id("sale", one) == external_id("sale", other)) is (one == other)


def test_an_order_does_not_claim_the_lines_of_another() -> None:
    name = external_id("sale", "aurora/50010", "line", "1")
    assert key_of(name, "sale", "aurora/5001", "line") is None
    assert key_of(name, "sale") is None
    assert key_of("__export__.res_partner_7", "customer") is None
