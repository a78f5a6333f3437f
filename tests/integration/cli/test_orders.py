"""`storebridge orders` on the local stack."""

import json

import pytest

from tests.integration.cli.conftest import CommandLine, line


@pytest.fixture(scope="module")
def numbers() -> list[int]:
    return list(range(7001, 7100))


@pytest.fixture
def short(storebridge: CommandLine, numbers: list[int]) -> str:
    """An order of three of which one is there."""
    number = numbers.pop()
    storebridge.json("stock", "set", f"SHORT-{number}", "main", "1")
    return storebridge.receive(number, line(f"SHORT-{number}", 3))


@pytest.fixture
def ready(storebridge: CommandLine, numbers: list[int]) -> str:
    number = numbers.pop()
    storebridge.json("stock", "set", f"PLENTY-{number}", "main", "9")
    return storebridge.receive(number, line(f"PLENTY-{number}", 2))


def sku_of(storebridge: CommandLine, order: str) -> str:
    sku: str = storebridge.json("orders", "show", order)["lines"][0]["sku"]
    return sku


def test_a_list_names_who_needs_someone_and_why(storebridge: CommandLine, short: str, ready: str) -> None:
    found = storebridge.json("orders", "list")
    listed = {row["order"]: row for row in found["orders"]}
    assert found["read"] == "attention_index"
    assert ready not in listed
    row = listed[short]
    assert (row["status"], row["payment"], row["shop"]) == ("held", "paid", "aurora")
    assert row["total"] == {"amount": "42.40", "currency": "EUR"}
    number = short.partition("/")[2]
    assert row["holds"] == [{"reason": "stock_short", "detail": f"units short: SHORT-{number} 2"}]
    assert row["since"].endswith("Z")


def test_a_list_of_all_reads_the_whole_table_and_says_so(storebridge: CommandLine, short: str, ready: str) -> None:
    found = storebridge.json("orders", "list", "--all")
    assert found["read"] == "table"
    assert {short, ready} <= {row["order"] for row in found["orders"]}
    assert "Reading the whole table" in storebridge("orders", "list", "--all").stderr


def test_a_status_that_is_not_in_the_index_is_looked_for_everywhere(
    storebridge: CommandLine, short: str, ready: str
) -> None:
    found = storebridge.json("orders", "list", "--status", "ready", "--shop", "aurora")
    assert found["read"] == "table"
    assert ready in {row["order"] for row in found["orders"]}
    assert {row["status"] for row in found["orders"]} == {"ready"}


def test_a_list_by_status_and_shop_keeps_to_them(storebridge: CommandLine, short: str) -> None:
    held = storebridge.json("orders", "list", "--status", "held", "--shop", "aurora")
    assert held["read"] == "attention_index"
    assert short in {row["order"] for row in held["orders"]}
    assert storebridge.json("orders", "list", "--shop", "borealis")["orders"] == []


def test_a_released_order_that_waits_for_stock_is_backordered_and_no_longer_held(
    storebridge: CommandLine, short: str
) -> None:
    storebridge.json("orders", "release", short)
    found = {
        status: {row["order"] for row in storebridge.json("orders", "list", "--status", status)["orders"]}
        for status in ("held", "backordered")
    }
    assert short in found["backordered"]
    assert short not in found["held"]


def test_a_limit_keeps_the_longest_waiting_and_says_that_there_are_more(
    storebridge: CommandLine, numbers: list[int]
) -> None:
    for number in (numbers.pop(), numbers.pop()):
        storebridge.receive(number, line(f"NOWHERE-{number}"))
    everyone = storebridge.json("orders", "list")["orders"]
    assert [row["since"] for row in everyone] == sorted(row["since"] for row in everyone)
    first = storebridge.json("orders", "list", "--limit", "1")
    assert (first["orders"], first["more"]) == (everyone[:1], True)


def test_the_table_shows_the_same_facts(storebridge: CommandLine, short: str) -> None:
    shown = storebridge("orders", "list").stdout
    number = short.partition("/")[2]
    for fact in (short, f"#{number}", "held", "paid", "42.40 EUR", f"stock_short: units short: SHORT-{number} 2"):
        assert fact in shown


def test_an_unknown_shop_or_status_is_refused(storebridge: CommandLine) -> None:
    assert storebridge.refusal("orders", "list", "--shop", "nowhere")["error"] == "unknown_shop"
    assert storebridge.refusal("orders", "list", "--status", "good", exit_code=2)["error"] == "usage"


def test_show_gives_lines_totals_and_version(storebridge: CommandLine, short: str) -> None:
    found = storebridge.json("orders", "show", short)
    (only,) = found["lines"]
    assert (only["open"], only["allocated"], only["shipped"], only["short"]) == (3, {"main": 1}, {}, 2)
    assert found["account"]["totals"]["total"]["shop"] == {"amount": "42.40", "currency": "EUR"}
    assert found["account"]["is_current"] is True
    assert found["version"]["updated_at"].startswith("2026-11-23T09:02:09")


def test_personal_data_is_shown_only_when_asked_for(storebridge: CommandLine, short: str) -> None:
    for shown in (storebridge("orders", "show", short).stdout, json.dumps(storebridge.json("orders", "show", short))):
        assert "zoe@example.test" not in shown
        assert "Berlin" not in shown
    assert storebridge.json("orders", "show", short, "--personal")["personal"]["email"] == "zoe@example.test"
    assert "zoe@example.test" in storebridge("orders", "show", short, "--personal").stdout


def test_an_order_that_is_not_there_is_one_clear_line(storebridge: CommandLine) -> None:
    result = storebridge("orders", "show", "aurora/1")
    assert result.exit_code == 1
    assert result.stderr.strip() == "unknown_order [order]: there is no order aurora/1"
    refusal = storebridge.refusal("orders", "show", "5001")
    assert (refusal["error"], refusal["field"]) == ("invalid_order_key", "order")
    assert refusal["hint"]


def test_a_release_overrules_what_holds_the_order(storebridge: CommandLine, short: str) -> None:
    done = storebridge.json("orders", "release", short, "--by", "mia")
    assert [hold["reason"] for hold in done["lifted"]] == ["stock_short"]
    assert (done["before"]["review"], done["after"]["review"]) == ("held", "released")
    found = storebridge.json("orders", "show", short)
    assert found["overridden"] == ["stock_short"]
    assert found["cause"] == {"kind": "release", "reference": f"{short}#2", "actor": "mia"}


def test_a_release_asks_and_takes_no_for_an_answer(storebridge: CommandLine, short: str) -> None:
    before = storebridge.contents()
    refused = storebridge("orders", "release", short, given="n\n")
    assert refused.exit_code == 1
    assert "stock_short" in refused.stderr
    assert storebridge.contents() == before
    assert storebridge("orders", "release", short, given="y\n").exit_code == 0
    assert storebridge.refusal("orders", "release", short)["error"] == "not_releasable"


def test_yes_does_not_ask(storebridge: CommandLine, short: str) -> None:
    assert storebridge("orders", "release", short, "--yes").exit_code == 0


@pytest.mark.parametrize("command", ["release", "cancel", "review"])
def test_a_dry_run_writes_nothing(storebridge: CommandLine, short: str, command: str) -> None:
    storebridge.json("stock", "set", sku_of(storebridge, short), "main", "9")
    before = storebridge.contents()
    found = storebridge.json("orders", command, short, "--dry-run")
    assert found["dry_run"] is True
    assert storebridge("orders", command, short, "--dry-run").exit_code == 0
    assert storebridge.contents() == before


@pytest.mark.parametrize("command", ["release", "cancel", "review"])
def test_a_dry_run_foretells_exactly_what_then_happens(storebridge: CommandLine, short: str, command: str) -> None:
    storebridge.json("stock", "set", sku_of(storebridge, short), "main", "9")
    foretold = storebridge.json("orders", command, short, "--dry-run")
    happened = storebridge.json("orders", command, short)
    assert {**foretold, "dry_run": False} == happened


def test_a_cancellation_gives_the_stock_back(storebridge: CommandLine, ready: str) -> None:
    sku = sku_of(storebridge, ready)
    done = storebridge.json("orders", "cancel", ready, "--by", "mia")
    assert done["stock"] == [{"sku": sku, "location": "main", "on_hand": 0, "reserved": -2, "available": 2}]
    assert done["after"]["status"] == "cancelled"
    assert storebridge.json("stock", "show", sku)["stock"][0]["available"] == 9
    assert storebridge.json("orders", "show", ready)["cancelled_by"] == "mia"
    assert storebridge.refusal("orders", "cancel", ready)["error"] == "already_cancelled"


def test_a_review_moves_an_order_on_whose_stock_came_in(storebridge: CommandLine, short: str) -> None:
    assert storebridge.json("orders", "review", short)["unchanged"] == 1
    storebridge.json("stock", "set", sku_of(storebridge, short), "main", "3")
    done = storebridge.json("orders", "review")
    (moved,) = [row for row in done["orders"] if row["order"] == short]
    assert (moved["result"], moved["before"]["status"], moved["after"]["status"]) == ("changed", "held", "ready")
    assert done["changed"] == len([row for row in done["orders"] if row["result"] == "changed"])
    assert "0 changed" in storebridge("orders", "review").stdout


def test_a_review_of_an_unknown_order_is_refused(storebridge: CommandLine) -> None:
    assert storebridge.refusal("orders", "review", "aurora/1")["error"] == "unknown_order"
