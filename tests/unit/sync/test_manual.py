"""What operators may ask, and how an answer is put together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.inventory.channels import ChannelItem
from shared.kernel.errors import Rejected
from shared.sync.jobs import Job
from shared.sync.levels.bindings import Binding
from shared.sync.levels.push import PushReport
from shared.sync.manual import (
    MOST_HAND_OVERS,
    Continuation,
    OrderFinding,
    OrderState,
    handed_over,
    is_over,
    job_of,
    log_of,
    parse_request,
    skipped,
    tally,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STOCK = {"what": "stock", "shop": "aurora"}
ORDERS = {"what": "orders", "shop": "aurora"}
SINCE = {"since": "2026-11-22T00:00:00Z"}


def refusal(given: Any) -> Rejected:
    with pytest.raises(Rejected) as refused:
        parse_request(given)
    return refused.value


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "what"),
        ("stock", "request"),
        ({"what": "prices", "shop": "aurora"}, "what"),
        ({"what": "stock"}, "shop"),
        ({"what": "stock", "shop": "Aurora!"}, "shop"),
        (STOCK | {"skus": [""]}, "skus.0"),
        (STOCK | {"skus": "MUG"}, "skus"),
        (STOCK | {"skus": ["S"] * 1001}, "skus"),
        (STOCK | {"ids": ["1"]}, "ids"),
        (STOCK | SINCE, "since"),
        (STOCK | {"colour": "red"}, "colour"),
        (STOCK | {"wait_seconds": -1}, "wait_seconds"),
        (ORDERS, "since"),
        (ORDERS | {"ids": ["1"], "skus": ["MUG"]}, "skus"),
        (ORDERS | {"ids": ["a/b"]}, "ids.0"),
        (ORDERS | {"ids": ["1"]} | SINCE, "ids"),
        (ORDERS | {"until": "2026-11-22T00:00:00Z"}, "since"),
        (ORDERS | {"since": "2026-11-22T00:00:00"}, "since"),
        (ORDERS | SINCE | {"until": "2026-11-21T00:00:00Z"}, "until"),
    ],
)
def test_a_request_that_makes_no_sense_names_its_field(given: Any, field: str) -> None:
    error = refusal(given)
    assert (error.code, error.field) == ("invalid_request", field)
    assert error.message


def test_what_was_given_is_not_repeated_in_the_error() -> None:
    assert "secret@example.com" not in refusal(ORDERS | {"ids": ["secret@example.com"]}).describe()


@pytest.mark.parametrize(("what", "command"), [("customers", "customers sync"), ("payments", "money reconcile")])
def test_what_another_command_does_is_refused_with_its_name(what: str, command: str) -> None:
    error = refusal({"what": what, "shop": "aurora"})
    assert (error.code, error.field) == ("synchronised_elsewhere", "what")
    assert f"storebridge {command}" in (error.hint or "")


def test_a_rehearsal_keeps_place_and_log_of_its_own() -> None:
    real, rehearsal = parse_request(STOCK), parse_request(STOCK | {"dry_run": True})
    assert (job_of(real), log_of(real)) == ("stock_sync/aurora", "aurora")
    assert (job_of(rehearsal), log_of(rehearsal)) == ("stock_sync/aurora/dry_run", "aurora/dry_run")


def test_each_period_keeps_a_place_of_its_own() -> None:
    ends = ["2026-11-23T00:00:00Z", "2026-11-23T00:00:01Z"]
    names = {job_of(parse_request(ORDERS | SINCE | {"until": until})) for until in ends}
    assert len(names) == 2
    same = job_of(parse_request(ORDERS | {"since": "2026-11-22T01:00:00+01:00", "until": "2026-11-23T00:00:00Z"}))
    assert same in names


def job(**changes: Any) -> Job:
    return Job(name="stock_sync/aurora", started_at=NOON).model_copy(update=changes)


@pytest.mark.parametrize(
    ("found", "over"),
    [
        (None, True),
        (job(), False),
        (job(finished_at=NOON), True),
        (job(started_at=NOON + timedelta(seconds=1)), True),
    ],
)
def test_a_run_goes_on_with_its_own_job_only(found: Job | None, *, over: bool) -> None:
    assert is_over(found, Continuation(started_at=NOON, number=1)) is over


def test_runs_are_counted_so_that_no_chain_is_endless() -> None:
    request = parse_request(STOCK | {"dry_run": True})
    for number in range(1, MOST_HAND_OVERS + 1):
        request = parse_request(handed_over(request, job()).model_dump(mode="json"))
        assert request.continuing == Continuation(started_at=NOON, number=number)
    assert request.dry_run
    with pytest.raises(Rejected, match="too_long"):
        handed_over(request, job())


def binding(sku: str, shown: int | None = 5, set_aside: str | None = None) -> Binding:
    return Binding(shop="aurora", item=ChannelItem(sku=sku, item_id="1", shown=shown), set_aside=set_aside)


def test_each_sku_that_is_not_written_has_its_reason() -> None:
    bindings = [
        *map(binding, ("RIGHT", "STRANGE", "SOLD")),
        binding("UNCOUNTED", None),
        binding("ASIDE", set_aside="gone"),
    ]
    levels = dict.fromkeys(("RIGHT", "UNCOUNTED", "ASIDE", "SOLD"), 5)
    report = PushReport(later={"SOLD"}, set_aside={"REFUSED": ""})
    assert skipped(["RIGHT", "STRANGE", "UNCOUNTED", "ASIDE", "SOLD", "NOWHERE"], bindings, levels, report) == {
        "ASIDE": "set_aside: gone",
        "NOWHERE": "not_found_by_a_sweep",
        "REFUSED": "set_aside: refused",
        "SOLD": "sale_on_its_way",
        "STRANGE": "unknown_to_stock",
        "UNCOUNTED": "not_counted_in_shop",
    }


def test_orders_are_counted_by_state() -> None:
    found = [
        OrderFinding(order_id="1", state=OrderState.NEW, queued=True),
        OrderFinding(order_id="2", state=OrderState.NEW, queued=True),
        OrderFinding(order_id="3", state=OrderState.UNKNOWN, queued=False),
    ]
    assert tally(found) == {"orders": 3, "queued": 2, "new": 2, "unknown": 1}
