"""`storebridge desk` and `doctor`: an order stops, is shown, mended and sent on; a rehearsal writes nothing."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest

from infra.fakes import shopify_admin
from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from shared.kernel.errors import Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.errands import Office
from shared.orders.models import Order, Parcel, PaymentState
from shared.platform import errand_queue
from shared.wiring import backoffice_connection, storefront_client, storefront_push
from tests.builders.books import account, paid_by, taxed
from tests.integration.cli.conftest import CommandLine, disconnect
from tests.integration.cli.quiet import AURORA, BOREALIS, SECRETS, SETTINGS, QuietStack, Trade

DEAD = {Office.BACKOFFICE: "storebridge-backoffice-dead", Office.STOREFRONT: "storebridge-storefront-dead"}
READS = {"find_sale", "identify", "products", "stock"}
_numbers = count(7001)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with QuietStack(Options(contents=Contents(SETTINGS, SECRETS), retry_after=0)) as running:
        yield running
    disconnect()


@pytest.fixture
def trade(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trade]:
    forget()
    made = Trade(stack)
    monkeypatch.setattr(backoffice_connection, "_adapter", lambda _name, _connected: made.office)
    # What is put back would turn up in a later test, or not, as the machine is slow or fast.
    monkeypatch.setattr(errand_queue, "delay_of", lambda _errand: 0)
    with closing(shopify_admin.serve(made.aurora)) as aurora, closing(made.borealis.serve()) as borealis:
        ports = {AURORA: aurora.port, BOREALIS: borealis.port}
        monkeypatch.setenv("STOREBRIDGE_LOCAL_STOREFRONTS", json.dumps(ports))
        yield made
        storefront_client.http().close()
    made.settle()
    for queue in ("storebridge-backoffice", "storebridge-storefront", *DEAD.values()):
        made.take(queue)
    forget()


def forget() -> None:
    """As in a new process."""
    disconnect()
    backoffice_connection._connection.cache_clear()
    for kept in (storefront_client.http, storefront_client._api_credentials, storefront_push._fulfilment):
        kept.cache_clear()


def mugs(units: int = 3, *, shop: str = "aurora", **overrides: Any) -> Order:
    number = str(next(_numbers))
    return account(
        taxed("MUG", units, f"{units * 12.10:.2f}", f"{units * 2.10:.2f}"),
        shop=shop,
        order_id=number,
        name=f"#{number}",
        **overrides,
    )


def listed(storebridge: CommandLine, *words: str) -> dict[str, Any]:
    return {row["order"]: row for row in storebridge.json("desk", "list", *words)["stopped"]}


# The error desk


def test_an_order_stops_is_shown_mended_and_sent_on(storebridge: CommandLine, trade: Trade) -> None:
    trade.settle(taxes={})
    order = trade.sold(mugs())
    trade.run()
    row = listed(storebridge, "--shop", "aurora", "--code", "unmapped_tax")[order]
    assert (row["office"], row["code"], row["attempts"], row["passing"]) == ("backoffice", "unmapped_tax", 1, False)
    assert row["command"] == f"storebridge desk retry {order}"
    assert row["who"] == "engineer"
    found = storebridge.json("desk", "show", order)
    assert found["stage"]["text"] == "stopped: the settings do not say which tax of the back office this one is"
    assert found["stops"][0]["field"] == "taxes"
    assert "0.21" in found["stops"][0]["hint"]
    shown = storebridge("desk", "show", order).stdout
    assert "name it under taxes in the settings" in shown

    trade.settle()
    rehearsed = storebridge.json("desk", "retry", order, "--dry-run")
    assert (rehearsed["selected"], rehearsed["sent"]) == (1, 0)
    assert rehearsed["errands"] == [{"order": order, "office": "backoffice"}]
    assert trade.run() == 0
    assert storebridge.json("desk", "retry", order)["sent"] == 1
    assert trade.run() == 1
    assert order not in listed(storebridge, "--all")
    assert storebridge.json("desk", "show", order)["stage"]["text"] == "being packed (SO-1)"


def test_what_passes_is_kept_apart_from_what_waits_for_a_person(storebridge: CommandLine, trade: Trade) -> None:
    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_busy", "later")

    order = trade.sold(mugs())
    trade.office.interrupt = down
    trade.run()
    assert order not in listed(storebridge)
    assert listed(storebridge, "--passing")[order]["who"] == "nobody"
    assert listed(storebridge, "--all")[order]["command"] is None


def test_the_longest_stopped_come_first_and_a_limit_says_how_many_are_left_out(
    storebridge: CommandLine, trade: Trade
) -> None:
    trade.settle(taxes={})
    orders = [trade.sold(mugs()) for _ in range(3)]
    trade.run()
    found = storebridge.json("desk", "list", "--code", "unmapped_tax")
    since = [row["since"] for row in found["stopped"]]
    assert since == sorted(since)
    assert set(orders) <= {row["order"] for row in found["stopped"]}
    few = storebridge.json("desk", "list", "--code", "unmapped_tax", "--limit", "1")
    assert (len(few["stopped"]), few["more"]) == (1, len(found["stopped"]) - 1)
    assert few["codes"] == {"unmapped_tax": len(found["stopped"])}
    assert "storebridge desk show" in storebridge("desk", "list").stdout


def test_a_whole_code_is_retried_in_its_shop(storebridge: CommandLine, trade: Trade) -> None:
    trade.settle(taxes={})
    ours = {trade.sold(mugs()) for _ in range(12)}
    other = trade.sold(mugs(shop="borealis"))
    trade.run()
    trade.settle()
    done = storebridge.json("desk", "retry", "--code", "unmapped_tax", "--shop", "aurora")
    assert ours <= {row["order"] for row in done["errands"]}
    assert done["sent"] == done["selected"]
    trade.run()
    left = listed(storebridge, "--code", "unmapped_tax")
    assert ours.isdisjoint(left)
    assert other in left
    storebridge.json("desk", "retry", "--all")
    trade.run()
    assert other not in listed(storebridge, "--code", "unmapped_tax")


def test_staff_read_the_language_of_the_notices(storebridge: CommandLine, trade: Trade) -> None:
    trade.settle(taxes={}, notifications={"language": "zh"})
    order = trade.sold(mugs())
    trade.run()
    row = listed(storebridge)[order]
    assert row["reason"] == "设置中没有指定该税对应后台系统的哪个税种"
    assert row["who"] == "工程师"
    assert storebridge.json("orders", "show", order)["stage"]["text"].startswith("已停止：")
    assert "已停止" in storebridge("desk", "show", order).stdout


def test_a_storefront_that_refuses_stops_its_own_errand_alone(storebridge: CommandLine, trade: Trade) -> None:
    order = trade.sold(mugs(shop="borealis"))
    trade.run()
    trade.office.send_off(order, None, (Parcel(carrier="DHL", number="JD1", url=None),))
    trade.put(Office.BACKOFFICE, OrderKey.parse(order))
    trade.run()
    assert storebridge.json("desk", "show", order)["stage"]["text"] == "shipped, storefront not told yet"
    trade.put(Office.STOREFRONT, OrderKey.parse(order))
    trade.run(Office.STOREFRONT)
    found = storebridge.json("desk", "show", order)
    assert [(stop["office"], stop["code"]) for stop in found["stops"]] == [("storefront", "unknown_order")]
    (consignment,) = found["backoffice"]["consignments"]
    assert consignment["lines"] == [{"line_id": "line-MUG", "sku": "MUG", "quantity": 3}]
    assert consignment["parcels"] == [{"carrier": "DHL", "number": "JD1", "url": None}]
    assert "3 x MUG" in storebridge("desk", "show", order).stdout
    assert storebridge.json("desk", "retry", order, "--dry-run")["errands"] == [
        {"order": order, "office": "storefront"}
    ]


def test_an_order_that_is_not_stopped_is_looked_at_by_everybody(storebridge: CommandLine, trade: Trade) -> None:
    order = trade.sold(mugs())
    trade.run()
    asked = storebridge.json("desk", "retry", order, "--dry-run")["errands"]
    assert [row["office"] for row in asked] == ["backoffice", "storefront"]


def test_what_cannot_be_retried_is_refused(storebridge: CommandLine, trade: Trade) -> None:
    assert storebridge.refusal("desk", "retry", "aurora/1")["error"] == "unknown_order"
    assert storebridge.refusal("desk", "show", "aurora/1")["error"] == "unknown_order"
    assert storebridge.refusal("desk", "list", "--shop", "nowhere")["error"] == "unknown_shop"
    alone = trade.sold(mugs(shop="cygnus"))
    assert storebridge.refusal("desk", "retry", alone)["error"] == "nobody_to_ask"
    trade.take("storebridge-backoffice")


def test_orders_show_tells_the_stage_and_the_command(storebridge: CommandLine, trade: Trade) -> None:
    held = trade.sold(mugs(payment=PaymentState.PENDING, transactions=()))
    trade.run()
    stage = storebridge.json("orders", "show", held)["stage"]
    assert stage == {
        "name": "held",
        "text": "held for review: payment_pending",
        "command": f"storebridge orders release {held}",
    }
    assert f"storebridge orders release {held}" in storebridge("orders", "show", held).stdout
    alone = trade.sold(mugs(shop="cygnus"))
    assert storebridge.json("orders", "show", alone)["stage"]["text"] == "ready to ship"
    trade.take("storebridge-backoffice")


# What nobody stopped


def test_orders_whose_errand_was_lost_are_found_and_sent(storebridge: CommandLine, trade: Trade) -> None:
    known, lost = trade.sold(mugs()), mugs()
    trade.run()
    missing = trade.sold(lost)
    trade.take("storebridge-backoffice")
    before = trade.records()
    found = {row["order"]: row["offices"] for row in storebridge.json("desk", "behind", "--shop", "aurora")["orders"]}
    assert found[missing] == ["backoffice"]
    assert known not in found
    assert trade.records() == before
    assert trade.run() == 0
    assert "Reading the whole table" in storebridge("desk", "behind").stderr
    done = storebridge.json("desk", "behind", "--shop", "aurora", "--retry")
    assert done["sent"] == len(done["orders"])
    trade.run()
    assert missing not in {row["order"] for row in storebridge.json("desk", "behind")["orders"]}


def test_errands_that_were_given_up_go_back_as_new_ones(storebridge: CommandLine, trade: Trade) -> None:
    order = trade.sold(mugs())
    (waiting,) = trade.take("storebridge-backoffice")
    tired = json.dumps(json.loads(waiting["body"]) | {"attempt": 300})
    trade.post(DEAD[Office.BACKOFFICE], tired, code="backoffice_unreachable")
    trade.post(DEAD[Office.BACKOFFICE], "no errand")
    trade.post(DEAD[Office.STOREFRONT], waiting["body"])
    foreseen = storebridge.json("desk", "redrive", "--office", "backoffice", "--dry-run")
    assert (foreseen["found"], foreseen["sent"], foreseen["unreadable"]) == (2, 0, 1)
    assert {(row["subject"], row["code"]) for row in foreseen["errands"]} == {
        (order, "backoffice_unreachable"),
        (None, "retries_exhausted"),
    }
    assert trade.run() == 0
    done = storebridge.json("desk", "redrive")
    assert (done["found"], done["sent"], done["unreadable"]) == (3, 2, 1)
    (again,) = trade.take("storebridge-backoffice")
    assert json.loads(again["body"])["attempt"] == 0
    assert len(trade.take("storebridge-storefront")) == 1
    assert [left["body"] for left in trade.take(DEAD[Office.BACKOFFICE])] == ["no errand"]
    assert trade.take(DEAD[Office.STOREFRONT]) == []
    assert "0 of 0 messages put back" in storebridge("desk", "redrive").stdout


def test_an_errand_stays_given_up_until_its_queue_has_it(
    storebridge: CommandLine, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        trade.post(DEAD[Office.STOREFRONT], json.dumps({"what": "order", "shop": "aurora", "order_id": str(number)}))

    def refuse(*_arguments: Any) -> None:
        raise Retry("queue_refused", "the queue did not take 10 of 10 errands")

    with monkeypatch.context() as patched:
        patched.setattr("infra.cli.given_up.send", refuse)
        assert storebridge.refusal("desk", "redrive")["error"] == "queue_refused"
    assert storebridge.json("desk", "redrive", "--dry-run")["found"] == 12
    assert storebridge.json("desk", "redrive", "--limit", "5")["sent"] == 5
    assert storebridge.json("desk", "redrive")["sent"] == 7


# Rehearsals


@pytest.mark.parametrize("rehearsal", [False, True])
def test_a_rehearsal_shows_the_documents_and_writes_nothing(
    storebridge: CommandLine, trade: Trade, *, rehearsal: bool
) -> None:
    trade.settle(rehearsal=rehearsal)
    order = trade.sold(mugs())
    before, tables = len(trade.office.calls), storebridge.contents()
    (found,) = storebridge.json("desk", "rehearse", order)["rehearsals"]
    assert set(trade.office.calls[before:]) <= READS
    assert storebridge.contents() == tables
    assert (found["passes"], found["steps"], found["problems"]) == (True, ["Record", "Confirm"], [])
    planned = found["planned"]
    assert planned["lines"] == [
        {
            "key": "line-MUG",
            "sku": "MUG",
            "quantity": 3,
            "net": {"amount": "30.00", "currency": "EUR"},
            "taxes": ["VAT 21"],
            "goods": True,
        }
    ]
    assert planned["total"] == {"amount": "36.30", "currency": "EUR"}
    assert planned["customer"] == {"given": ["email", "name", "shipping"]}
    assert [(one["method"], one["amount"]["amount"]) for one in planned["payments"]] == [("Bank", "36.30")]


def test_the_buyer_is_rehearsed_only_when_asked_for(storebridge: CommandLine, trade: Trade) -> None:
    order = trade.sold(mugs())
    for told in (
        storebridge("desk", "rehearse", order).stdout,
        storebridge("desk", "rehearse", order, "--json").stdout,
    ):
        assert "Eve" not in told
        assert "eve@example.test" not in told
        assert "Berlin" not in told
    assert "eve@example.test" in storebridge("desk", "rehearse", order, "--personal").stdout


def test_a_shops_latest_orders_are_rehearsed_and_every_problem_told(storebridge: CommandLine, trade: Trade) -> None:
    trade.settle(taxes={}, payment_methods={})
    wrong = account(
        taxed("MUG", 1, "12.10", "2.10"),
        taxed("UNHEARD", 1, "12.10", "2.10"),
        shop="borealis",
        order_id="8001",
        transactions=(paid_by("24.20"),),
    )
    order = trade.sold(wrong)
    trade.take("storebridge-backoffice")
    found = storebridge.json("desk", "rehearse", "--shop", "borealis", "--limit", "50")
    result = next(one for one in found["rehearsals"] if one["order"] == order)
    codes = [problem["code"] for problem in result["problems"]]
    assert codes.count("unmapped_tax") == 2
    assert {"backoffice_not_found", "payment_not_booked"} <= set(codes)
    assert found["stop"] >= 1
    shown = storebridge("desk", "rehearse", order).stdout
    assert "UNHEARD is no product" in shown
    assert "Nothing was written." in shown


def test_a_shop_without_back_office_has_nothing_to_rehearse(storebridge: CommandLine, trade: Trade) -> None:
    order = trade.sold(mugs(shop="cygnus"))
    trade.take("storebridge-backoffice")
    assert storebridge.refusal("desk", "rehearse", order)["error"] == "no_backoffice"


# The doctor


def faults(facts: Any) -> set[tuple[str, str, str]]:
    return {(one["side"], one["subject"], one["check"]) for one in facts["findings"] if one["verdict"] == "fault"}


def test_both_sides_in_order_and_nothing_written(storebridge: CommandLine, trade: Trade) -> None:
    trade.sold(mugs())
    trade.take("storebridge-backoffice")
    tables = storebridge.contents()
    found = storebridge.json("doctor", "--shop", "aurora", "--orders", "5")
    assert (found["ok"], found["counts"]["fault"], found["counts"]["warning"]) == (True, 0, 0)
    assert {one["subject"] for one in found["findings"]} == {"erp", "aurora"}
    assert set(trade.office.calls) <= READS
    assert storebridge.contents() == tables
    assert "All is well." in storebridge("doctor", "--shop", "aurora", "--orders", "5").stdout


def test_what_is_wrong_on_either_side_is_told_and_ends_with_1(storebridge: CommandLine, trade: Trade) -> None:
    trade.settle(taxes={"0.21": "VAT 9"}, warehouses={"main": "Attic"})
    trade.aurora.profile.scopes.discard("write_inventory")
    trade.aurora.profile.currency = "GBP"
    trade.borealis.may_write = False
    result = storebridge("doctor", "--orders", "0", "--json")
    assert result.exit_code == 1
    assert faults(json.loads(result.stdout)) == {
        ("backoffice", "erp", "taxes"),
        ("backoffice", "erp", "warehouses"),
        ("storefront", "aurora", "rights"),
        ("storefront", "aurora", "currency"),
        ("storefront", "borealis", "rights"),
    }
    shown = storebridge("doctor", "--orders", "0")
    assert shown.exit_code == 1
    assert "name the tax of that rate" in shown.stdout


def test_a_side_that_does_not_answer_stops_nobody_from_looking_at_the_other(
    storebridge: CommandLine, trade: Trade
) -> None:
    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_unreachable", "the back office does not answer")

    trade.office.interrupt = down
    trade.aurora.tokens.clear()
    result = storebridge("doctor", "--shop", "aurora", "--orders", "0", "--json")
    assert faults(json.loads(result.stdout)) == {("backoffice", "erp", "answers"), ("storefront", "aurora", "answers")}


def test_a_shop_that_may_not_be_asked_and_has_no_back_office(storebridge: CommandLine, trade: Trade) -> None:
    found = storebridge.json("doctor", "--shop", "cygnus")
    assert {one["verdict"] for one in found["findings"]} == {"info"}
    assert storebridge.refusal("doctor", "--shop", "nowhere")["error"] == "unknown_shop"


def test_a_vendor_without_adapter_is_a_fault(
    storebridge: CommandLine, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_arguments: Any) -> None:
        raise Retry("backoffice_unreachable", "no adapter")

    monkeypatch.setattr(backoffice_connection, "_adapter", nobody)
    result = storebridge("doctor", "--shop", "borealis", "--orders", "0", "--json")
    assert ("backoffice", "erp", "answers") in faults(json.loads(result.stdout))
