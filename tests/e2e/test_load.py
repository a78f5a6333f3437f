"""A small `make load`: a kill -9 in the middle of the traffic, every id accounted for; and a fault would be found."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from infra.load.report import as_document
from infra.load.run import Load, Outcome, run
from infra.load.traffic import Account, Kind
from infra.load.verdict import Event, Evidence, Fault, judge
from infra.local.shopify_schema import SCHEMA_FILE
from shared.orders.lifecycle import ReviewState

pytestmark = pytest.mark.skipif(
    not SCHEMA_FILE.exists(), reason="Shopify's schema is not there: run python -m infra.local.fetch"
)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(Load(orders=80, per_second=40.0, seed=11), tmp_path_factory.mktemp("load"))


def test_nothing_is_lost_and_nothing_doubled_over_a_kill(outcome: Outcome) -> None:
    assert [check for check in outcome.checks if not check.holds] == []
    told = as_document(outcome)
    assert (told["lost"], told["doubled"], told["wrong"]) == (0, 0, 0)


def test_the_crash_was_felt(outcome: Outcome) -> None:
    traffic = as_document(outcome)["traffic"]
    assert len(outcome.crashes) == 1
    assert traffic["unanswered"] > 0
    assert traffic["sent_again"] > 0
    assert traffic["acknowledged"] + traffic["refused"] == traffic["deliveries"]


def test_each_kind_of_delivery_was_sent(outcome: Outcome) -> None:
    assert len(as_document(outcome)["traffic"]["by_kind"]) == 6


# ---- what the verification finds where something was planted into the very evidence of that run ----

Plant = Callable[[Evidence], Evidence]


def faults(outcome: Outcome, plant: Plant) -> set[Fault]:
    assert outcome.evidence is not None
    checks = judge(outcome.sent, plant(outcome.evidence), outcome.load.opening)
    return {check.fault for check in checks if not check.holds}


def without_an_order(evidence: Evidence) -> Evidence:
    gone = min(evidence.records)
    return replace(evidence, records={key: record for key, record in evidence.records.items() if key != gone})


def with_a_lost_movement(evidence: Evidence) -> Evidence:
    ledger = {sku: movements[:-1] if sku == "MUG" else movements for sku, movements in evidence.ledger.items()}
    return replace(evidence, ledger=ledger)


def with_an_event_never_passed_on(evidence: Evidence) -> Evidence:
    order = evidence.events[0].order
    return replace(evidence, events=[event for event in evidence.events if event.order != order])


def without_a_sale(evidence: Evidence) -> Evidence:
    released = next(str(key) for key, record in evidence.records.items() if record.review is ReviewState.RELEASED)
    return replace(evidence, sales={key: found for key, found in (evidence.sales or {}).items() if key != released})


@pytest.mark.parametrize(
    "plant", [without_an_order, with_a_lost_movement, with_an_event_never_passed_on, without_a_sale]
)
def test_a_planted_loss_is_found(outcome: Outcome, plant: Plant) -> None:
    assert Fault.LOST in faults(outcome, plant)


def with_units_reserved_twice(evidence: Evidence) -> Evidence:
    first, *rest = evidence.stock
    return replace(evidence, stock=[first.model_copy(update={"reserved": first.reserved + 1}), *rest])


def with_an_order_received_twice(evidence: Evidence) -> Evidence:
    received = next(event for event in evidence.events if event.kind == "OrderReceived")
    again = Event(f"{received.id}-again", received.kind, received.order, received.content)
    return replace(evidence, events=[*evidence.events, again])


def with_two_sales(evidence: Evidence) -> Evidence:
    sales = dict(evidence.sales or {})
    key = min(sales)
    return replace(evidence, sales={**sales, key: [*sales[key], "sale"]})


@pytest.mark.parametrize("plant", [with_units_reserved_twice, with_an_order_received_twice, with_two_sales])
def test_a_planted_double_is_found(outcome: Outcome, plant: Plant) -> None:
    assert Fault.DOUBLED in faults(outcome, plant)


def test_an_older_account_that_overwrote_a_newer_one_is_found(outcome: Outcome) -> None:
    older = next(one.sending.account for one in outcome.sent if one.sending.kind is Kind.OVERTAKEN)
    assert Fault.LOST in faults(outcome, lambda evidence: told_by(evidence, older))


def told_by(evidence: Evidence, account: Account) -> Evidence:
    record = evidence.records[account.key]
    version = record.version.model_copy(update={"updated_at": account.updated_at, "body_sha256": account.sha256})
    return replace(evidence, records={**evidence.records, account.key: record.model_copy(update={"version": version})})


def test_what_is_set_aside_is_not_lost(outcome: Outcome) -> None:
    assert outcome.evidence is not None
    gone = min(outcome.evidence.records)
    accounts = [one.sending.account for one in outcome.sent if one.sending.account.key == gone]

    def plant(evidence: Evidence) -> Evidence:
        aside = frozenset((account.key, account.sha256) for account in accounts)
        return replace(without_an_order(evidence), set_aside=aside)

    checks = judge(outcome.sent, plant(outcome.evidence), outcome.load.opening)
    (check,) = [check for check in checks if "is applied, superseded" in check.what]
    assert check.holds
    assert "set aside" in check.found
