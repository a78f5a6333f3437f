"""What the doctor says of a shop."""

import pytest

from shared.storefronts.port import Need, ShopFacts, ShopLocation, ShopRight
from shared.sync.findings import Finding, Side, Trouble, Verdict
from shared.sync.shop_doctor import ExpectedShop, judge_shop

ALL = frozenset(Need)
FACTS = ShopFacts(
    name="Example Goods",
    currency="EUR",
    prices_include_tax=True,
    rights=(
        ShopRight(what="read_orders", needs=(Need.ORDERS,), granted=True),
        ShopRight(what="write_inventory", needs=(Need.STOCK,), granted=True),
        ShopRight(what="read_all_orders", needs=(), granted=False, without="older orders cannot be read"),
    ),
    locations=(ShopLocation(id="61", name="Main", active=True),),
)
EXPECTED = ExpectedShop("aurora", needs=ALL, stock_location="61", books_currency="EUR")


def said(facts: ShopFacts | Trouble | None = FACTS, expected: ExpectedShop = EXPECTED) -> dict[str, Finding]:
    found = judge_shop(facts, expected)
    assert {(one.side, one.subject) for one in found} == {(Side.STOREFRONT, "aurora")}
    return {one.check: one for one in sorted(found, key=lambda one: list(Verdict).index(one.verdict))}


def verdict(check: str, facts: ShopFacts = FACTS, expected: ExpectedShop = EXPECTED) -> str:
    return said(facts, expected)[check].verdict.value


def test_a_shop_that_is_in_order() -> None:
    found = judge_shop(FACTS, EXPECTED)
    assert {one.verdict for one in found} == {Verdict.OK, Verdict.INFO}
    assert {one.check for one in found} == {"answers", "rights", "currency", "stock location", "prices"}


def test_a_shop_that_may_not_be_asked() -> None:
    (one,) = judge_shop(None, EXPECTED)
    assert (one.check, one.verdict) == ("answers", Verdict.INFO)


def test_a_shop_that_refuses_us() -> None:
    (one,) = judge_shop(Trouble(code="api_access", message="refused", hint="renew"), EXPECTED)
    assert (one.verdict, one.found, one.mend) == (Verdict.FAULT, "api_access: refused", "renew")


@pytest.mark.parametrize(
    ("granted", "needs", "expected"),
    [(False, ALL, "fault"), (False, frozenset({Need.ORDERS}), "info"), (None, ALL, "warning")],
)
def test_a_right_matters_where_it_is_needed(granted: bool | None, needs: frozenset[Need], expected: str) -> None:
    right = ShopRight(what="write_inventory", needs=(Need.STOCK,), granted=granted)
    facts = FACTS.model_copy(update={"rights": (right,)})
    one = judge_shop(facts, ExpectedShop("aurora", needs))[1]
    assert (one.check, one.verdict.value) == ("rights", expected)


def test_currencies_must_be_one() -> None:
    other = ExpectedShop("aurora", ALL, "61", "GBP")
    assert verdict("currency", expected=other) == "fault"
    assert verdict("currency", expected=ExpectedShop("aurora", ALL, "61")) == "ok"
    assert verdict("currency", FACTS.model_copy(update={"currency": None})) == "warning"


@pytest.mark.parametrize(
    ("locations", "expected"),
    [
        ((ShopLocation(id="62", name="Shop", active=True),), "fault"),
        ((ShopLocation(id="61", name="Main", active=False),), "fault"),
        ((), "fault"),
        (None, "warning"),
    ],
)
def test_the_stock_location_must_be_there(locations: tuple[ShopLocation, ...] | None, expected: str) -> None:
    assert verdict("stock location", FACTS.model_copy(update={"locations": locations})) == expected


def test_a_shop_whose_levels_are_left_alone_hears_of_its_locations() -> None:
    left_alone = ExpectedShop("aurora", frozenset({Need.ORDERS}))
    one = said(FACTS, left_alone)["stock location"]
    assert one.verdict is Verdict.INFO
    assert "61 (Main)" in (one.mend or "")
