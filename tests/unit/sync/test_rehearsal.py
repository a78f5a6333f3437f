"""A rehearsal foretells what the real run then does, to the unit, and leaves no trace."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inventory.channels import LevelWrite, WriteStatus
from shared.kernel.errors import Retry
from shared.sync.jobs import Job
from shared.sync.levels.bindings import Binding
from shared.sync.levels.push import LevelChange, push
from shared.sync.levels.sweep import sweep_page
from shared.sync.rehearsal import ListedDrift, look_and_push, rehearsed
from tests.builders.orders import NOON
from tests.fakes.sync import FakeDriftLog
from tests.unit.sync.test_push import Shop

SKUS = ("A", "B", "C", "D", "UNBOUND")
LEVEL = st.one_of(st.none(), st.integers(0, 9))


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    """Any mix of what the pool has, what the shop shows, what we believe that it shows, and what it refuses."""
    shop = Shop({sku: draw(st.integers(0, 9)) for sku in SKUS if draw(st.booleans())}, buffer=draw(st.integers(0, 2)))
    for sku in SKUS[:-1]:
        shop.sells(sku, draw(LEVEL))
        if draw(st.booleans()):
            shop.channel.shown[sku] = draw(LEVEL)
        if draw(st.booleans()):
            del shop.channel.shown[sku]
    shop.channel.shown["UNBOUND"] = draw(LEVEL)
    return shop


@given(shops())
def test_a_push_is_foretold_exactly(shop: Shop) -> None:
    before = copy.deepcopy((shop.channel.shown, shop.bindings.kept))
    foreseen = look_and_push(rehearsed(shop.desk), SKUS)
    assert (shop.channel.shown, shop.bindings.kept) == before
    assert (shop.channel.calls, shop.bindings.calls) == (0, {})
    done = look_and_push(shop.desk, SKUS)
    assert foreseen == done


@given(shops())
def test_a_sweep_is_foretold_exactly(shop: Shop) -> None:
    before = copy.deepcopy((shop.channel.shown, shop.bindings.kept))
    told, log = [], FakeDriftLog()
    for desk, name in ((rehearsed(shop.desk), "aurora/dry_run"), (shop.desk, "aurora")):
        listed = ListedDrift(log, name)
        counts = sweep_page(desk, listed, Job(name="sweep", started_at=NOON))
        told.append((counts, listed.changes))
        if name != "aurora":
            assert (shop.channel.shown, shop.bindings.kept) == before
    assert told[0] == told[1]
    drifts = [[d.model_copy(update={"shop": ""}) for d in log.of(name)] for name in ("aurora/dry_run", "aurora")]
    assert drifts[0] == drifts[1]


def test_a_call_whose_outcome_is_unknown_is_rehearsed_and_stays_unknown() -> None:
    shop = Shop({"A": 7})
    shop.sells("A", 2)
    shop.channel.lose_answers = 1
    with pytest.raises(Retry):
        push(shop.desk, ["A"])
    unfinished = dict(shop.bindings.calls)
    foreseen = look_and_push(rehearsed(shop.desk), ["A"])
    assert shop.bindings.calls == unfinished
    assert foreseen == look_and_push(shop.desk, ["A"])
    assert shop.bindings.calls == {}
    assert shop.channel.writes == 1


def test_looks_first_so_that_what_was_typed_into_the_shop_is_corrected() -> None:
    shop = Shop({"A": 5})
    shop.sells("A", 5)
    shop.channel.shown["A"] = 50
    assert push(shop.desk, ["A"]).written == []
    assert look_and_push(shop.desk, ["A"]).written == [LevelChange(sku="A", before=50, after=5)]


def test_less_than_believed_waits_for_the_sale_that_it_may_be() -> None:
    shop = Shop({"A": 5})
    shop.sells("A", 5)
    shop.channel.sell("A", 1)
    assert look_and_push(shop.desk, ["A"]).later == {"A"}
    assert shop.channel.shown["A"] == 4


def test_what_was_set_aside_is_tried_again_and_what_is_gone_is_set_aside() -> None:
    shop = Shop({"A": 5, "B": 5})
    for sku in "AB":
        shop.sells(sku, 1)
    shop.bindings.keep([Binding(shop="aurora", item=shop.channel.item("A"), set_aside="not_tracked")])
    del shop.channel.shown["B"]
    report = look_and_push(shop.desk, ["A", "B", "NOWHERE"])
    assert [change.sku for change in report.written] == ["A"]
    assert shop.bindings.kept["aurora", "A"].set_aside is None
    assert shop.bindings.kept["aurora", "B"].set_aside == "gone"
    assert report.set_aside == {}  # and so no call is wasted on it


def test_a_rehearsed_channel_shows_what_it_was_told_to_and_the_real_one_does_not() -> None:
    shop = Shop({"A": 5})
    shop.sells("A", 1)
    desk, item = rehearsed(shop.desk), shop.channel.item("A")
    write = LevelWrite(item=item, quantity=5, expected=1)
    stale = LevelWrite(item=item, quantity=3, expected=1)
    outcomes = [desk.channel.write([each], key="k")[0].status for each in (write, stale)]
    assert outcomes == [WriteStatus.APPLIED, WriteStatus.STALE]
    assert [found.shown for found in desk.channel.read([item])] == [5]
    assert [found.shown for found in desk.channel.catalogue(None).items] == [5]
    assert shop.channel.shown["A"] == 1


def test_only_what_is_corrected_counts_as_a_change() -> None:
    shop = Shop({"A": 5, "B": 5})
    for sku in "AB":
        shop.sells(sku, 5)
    shop.channel.sell("A", 1)
    shop.channel.shown["B"] = 9
    listed = ListedDrift(FakeDriftLog(), "aurora")
    sweep_page(shop.desk, listed, Job(name="sweep", started_at=NOON))
    assert listed.changes == [LevelChange(sku="B", before=9, after=5)]
