"""What `stock explain` says adds up to what the shops are told, and bundles that could not be sold are refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli.bundles import read_components, require_sound
from infra.cli.stock_explanation import in_words, ledger_facts, part_of, shop_facts, standing
from shared.inventory.channels import ChannelItem
from shared.inventory.ledger import Movement, movement_of
from shared.inventory.models import Cause, StockLine
from shared.inventory.sellable import sellable
from shared.kernel.errors import Rejected
from shared.platform.settings import ShopSettings
from shared.sync.levels.bindings import Binding

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BUNDLES = {"SET": {"MUG": 4, "POT": 1}, "PAIR": {"MUG": 2}}
CAUSE = Cause(kind="order", reference="aurora/5001#1")


def shop(*, buffer: int = 0, **changes: Any) -> ShopSettings:
    return ShopSettings.model_validate(
        {
            "platform": "shopify",
            "stock_location": "61",
            "address": "a.example",
            "locations": ["main", "annexe"],
            "stock_buffer": buffer,
            **changes,
        }
    )


def line(sku: str, location: str, on_hand: int, reserved: int = 0, kept_back: int = 0, seq: int = 1) -> StockLine:
    return StockLine(
        sku=sku,
        location=location,
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        safety_buffer=kept_back,
        seq=seq,
        cause=CAUSE,
    )


UNITS = st.integers(0, 20)


@st.composite
def shelves(draw: st.DrawFn) -> dict[str, dict[str, StockLine]]:
    stock: dict[str, dict[str, StockLine]] = {}
    for sku in ("MUG", "POT"):
        for place in ("main", "annexe", "elsewhere"):
            if draw(st.booleans()):
                on_hand = draw(UNITS)
                found = line(sku, place, on_hand, draw(st.integers(0, on_hand)), draw(UNITS))
                stock.setdefault(sku, {})[place] = found
    return stock


@given(shelves(), st.sampled_from(["MUG", "POT", "SET", "PAIR"]), UNITS)
def test_the_steps_add_up_to_what_the_shop_is_told(
    stock: dict[str, dict[str, StockLine]], sku: str, buffer: int
) -> None:
    told = shop_facts(sku, "aurora", shop(buffer=buffer), stock=stock, bundles=BUNDLES, binding=None, now=NOON)
    if told["unknown_to_stock"]:
        assert told["sells"] is None
        return
    assert told["sells"] == max(0, told["sum"] - buffer)
    assert told["sells"] == sellable(sku, stock, BUNDLES, locations=("main", "annexe"), buffer=buffer)
    for place in told["locations"]:
        for part in place["parts"]:
            assert part["free"] == max(0, part["available"] - part["safety_buffer"])
            assert place["makes"] <= part["free"] // part["units"] == part["makes"]


def told_of(sku: str, **changes: Any) -> Any:
    stock = {"MUG": {"main": line("MUG", "main", 12, 2, 1)}, "POT": {"main": line("POT", "main", 3)}}
    given_: dict[str, Any] = {"stock": stock, "bundles": BUNDLES, "binding": None, "now": NOON} | changes
    return shop_facts(sku, "aurora", shop(buffer=1, locations=["main"]), **given_)


def test_the_arithmetic_in_words() -> None:
    assert in_words(told_of("MUG")) == "main 10 - 1 = 9; - buffer 1 = 8"
    assert in_words(told_of("SET")) == "main MUG (10 - 1 = 9) / 4, POT (3 - 0 = 3) / 1 → 2; - buffer 1 = 1"
    assert in_words(told_of("NOTHING")) == "stock does not know NOTHING"


def binding(shown: int | None = 8, **changes: Any) -> Binding:
    return Binding(shop="aurora", item=ChannelItem(sku="MUG", item_id="1", shown=shown), **changes)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "no sweep has found it"),
        (binding(set_aside="gone"), "set aside: gone"),
        (binding(5, raise_after=NOON + timedelta(seconds=1)), "not raised before 2026-11-23T12:00:01Z"),
        (binding(5, raise_after=NOON), "a write is on its way"),
        (binding(None), "does not count it"),
        (binding(), "in step"),
    ],
)
def test_what_stands_between_is_said(found: Binding | None, said: str) -> None:
    assert said in standing(told_of("MUG", binding=found))


def test_a_shop_whose_stock_is_not_kept_says_so() -> None:
    stock = {"MUG": {"main": line("MUG", "main", 1)}}
    told = shop_facts("MUG", "a", shop(push_stock=False), stock=stock, bundles={}, binding=binding(), now=NOON)
    assert "not kept" in standing(told)


def story() -> tuple[list[Movement], StockLine]:
    states = [line("MUG", "main", 10), line("MUG", "main", 10, 2, seq=2), line("MUG", "main", 8, 0, seq=3)]
    moments = [NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=2)]
    before = [None, *states[:-1]]
    movements = [movement_of(old, new, at) for old, new, at in zip(before, states, moments, strict=True)]
    return movements, states[-1]


def test_a_ledger_that_tells_it_all_agrees() -> None:
    movements, now = story()
    (place,) = ledger_facts(movements, {"main": now}, None)
    assert place["level"] == {"on_hand": 8, "reserved": 0, "available": 8}
    assert place["audit"]["agrees"]
    assert [(move["on_hand"], move["reserved"]) for move in place["movements"]] == [(10, 0), (0, 2), (-2, -2)]


def test_the_level_of_a_moment_is_that_of_the_movements_before_it() -> None:
    movements, now = story()
    (place,) = ledger_facts(movements, {"main": now}, NOON + timedelta(minutes=90))
    assert place["level"] == {"on_hand": 10, "reserved": 2, "available": 8}
    assert [move["seq"] for move in place["movements"]] == [1, 2]
    assert place["audit"]["agrees"]


def test_a_gap_in_the_ledger_is_named() -> None:
    movements, now = story()
    (place,) = ledger_facts([movements[0], movements[2]], {"main": now}, None)
    assert (place["audit"]["agrees"], place["audit"]["missing"], place["audit"]["missing_in_all"]) == (False, [2], 1)


def test_a_line_without_movements_and_movements_without_a_line_are_shown() -> None:
    movements, now = story()
    places = ledger_facts(movements, {"annexe": now.model_copy(update={"location": "annexe"})}, None)
    assert [(place["location"], place["audit"] is None) for place in places] == [("annexe", False), ("main", True)]


def test_a_component_knows_its_bundles() -> None:
    assert part_of("MUG", BUNDLES) == ["PAIR", "SET"]


# Bundles


def test_components_are_read() -> None:
    assert read_components(["MUG=4", "A=B=2"]) == {"MUG": 4, "A=B": 2}


@pytest.mark.parametrize("words", [["MUG"], ["MUG=0"], ["MUG=1001"], ["=2"], ["MUG=x"], ["MUG=-1"], ["MUG=1", "MUG=2"]])
def test_what_names_no_component_is_refused(words: list[str]) -> None:
    with pytest.raises(Rejected) as refused:
        read_components(words)
    assert (refused.value.code, refused.value.field) == ("invalid_component", "components")


@pytest.mark.parametrize(
    ("sku", "components", "code"),
    [
        ("NEW", {"SET": 1}, "bundle_of_bundles"),
        ("NEW", {"NEW": 1}, "bundle_of_bundles"),
        ("MUG", {"POT": 1}, "bundle_of_bundles"),
        ("NEW", {"MUGG": 1}, "unknown_component"),
        ("POLE", {"MUG": 1}, "on_shelf"),
    ],
)
def test_a_bundle_that_could_not_be_sold_is_refused(sku: str, components: dict[str, int], code: str) -> None:
    with pytest.raises(Rejected) as refused:
        require_sound(sku, components, BUNDLES, on_shelf={"MUG": {}, "POT": {}, "POLE": {}})
    assert refused.value.code == code


def test_a_sound_bundle_passes_and_may_be_changed() -> None:
    require_sound("NEW", {"MUG": 2, "POT": 1}, BUNDLES, on_shelf={"MUG": {}, "POT": {}})
    require_sound("SET", {"MUG": 6}, BUNDLES, on_shelf={"MUG": {}, "POT": {}})
