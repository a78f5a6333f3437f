"""`storebridge privacy` on a quiet stack: people are exported and erased, and what is done is proven."""

import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from infra.samples import shopify, shopify_customers
from shared.customers.readings import PrivacyCall, PrivacyTopic
from shared.kernel.clock import utc_now
from shared.kernel.errors import Retry
from shared.kernel.identifiers import CustomerKey
from shared.platform.intake_queue import CUSTOMERS as INTAKE
from shared.wiring.customer_desk import customer_desk
from shared.wiring.customer_privacy import open_call, privacy_table
from tests.builders.books import account, taxed
from tests.builders.customers import profile
from tests.integration.cli.conftest import CommandLine, disconnect
from tests.integration.cli.people import ARCHIVE, DEAD_CUSTOMERS, bought, delivery, registered, trading
from tests.integration.cli.quiet import SECRETS, SETTINGS, QuietStack, Trade

_numbers = count(501)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with QuietStack(Options(contents=Contents(SETTINGS, SECRETS), retry_after=0)) as running:
        yield running
    disconnect()


@pytest.fixture
def trade(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trade]:
    with trading(stack, monkeypatch) as made:
        yield made


def person(trade: Trade, shop: str = "aurora") -> str:
    number = next(_numbers)
    whoever = profile(email=f"canary@{number}.test", phone=f"+493090182{number}")
    return str(registered(trade, f"{shop}/customer/{number}", personal=whoever).key)


def ordered(trade: Trade, key: str) -> str:
    """A paid order of the person's that is still to be sent."""
    number = str(next(_numbers))
    made = account(taxed("MUG", 1, "12.10", "2.10"), order_id=number, name=f"#{number}")
    personal = made.personal.model_copy(update={"customer_id": key.rpartition("/")[2], "email": "canary@order.test"})
    order = trade.sold(made.model_copy(update={"personal": personal}))
    bought(trade, order)
    return order


def told(key: str) -> str:
    """What the shop said of the customer, as it was on the queue."""
    number = int(key.rpartition("/")[2])
    return delivery(shopify_customers.account(id=number, admin_graphql_api_id=shopify.gid("Customer", number)))


def kept(trade: Trade, *texts: str) -> None:
    with trade.inside():
        INTAKE.archive_batch(
            [{"messageId": f"m{number}", "body": text} for number, text in enumerate(texts)],
            day=f"{utc_now():%Y/%m/%d}",
        )


def archived(stack: LocalStack) -> list[str]:
    found = stack.clients.s3.list_objects_v2(Bucket=ARCHIVE).get("Contents", [])
    return sorted(f"{entry['Key']} {entry['ETag']}" for entry in found)


def come_round(trade: Trade, request_id: str) -> None:
    """Let the days pass after which all is gone through once more."""
    with trade.inside():
        found = privacy_table().find(request_id)
        assert found is not None
        privacy_table().save(found.model_copy(update={"resume_at": utc_now() - timedelta(minutes=1)}))


# Export


def test_a_person_is_exported_whole_into_a_file_that_nobody_else_reads(
    storebridge: CommandLine, trade: Trade, tmp_path: Path
) -> None:
    key, other = person(trade), person(trade, "borealis")
    order = ordered(trade, key)
    storebridge.json("customers", "merge", key, other)
    out = tmp_path / "person.json"
    done = storebridge.json("privacy", "export", other, "--out", str(out))
    assert (sorted(done["customers"]), done["orders"], done["profiles"]) == (sorted([key, other]), 1, 2)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    document = json.loads(out.read_text())
    assert document["schema_version"] == "storebridge.person/1"
    assert {one["customer"]["personal"]["email"] for one in document["customers"]} == {
        f"canary@{name.rpartition('/')[2]}.test" for name in (key, other)
    }
    assert order.rpartition("/")[2] in {one["order_id"] for part in document["customers"] for one in part["orders"]}
    assert "canary" not in json.dumps(done)


def test_an_export_overwrites_nothing_and_follows_no_link(
    storebridge: CommandLine, trade: Trade, tmp_path: Path
) -> None:
    key = person(trade)
    taken, link = tmp_path / "taken.json", tmp_path / "link.json"
    taken.write_text("mine")
    link.symlink_to(tmp_path / "elsewhere.json")
    for out in (taken, link):
        assert storebridge.refusal("privacy", "export", key, "--out", str(out))["error"] == "file_exists"
    assert (taken.read_text(), (tmp_path / "elsewhere.json").exists()) == ("mine", False)
    nowhere = storebridge.refusal("privacy", "export", key, "--out", str(tmp_path / "no" / "such.json"))
    assert nowhere["error"] == "unwritable_file"
    unknown = storebridge.refusal("privacy", "export", "aurora/customer/9", "--out", str(tmp_path / "new.json"))
    assert unknown["error"] == "unknown_customer"
    assert not (tmp_path / "new.json").exists()


# Erasure


def test_a_dry_run_foretells_what_would_go_from_where_and_takes_nothing(
    storebridge: CommandLine, stack: LocalStack, trade: Trade
) -> None:
    key, other = person(trade), person(trade, "borealis")
    ordered(trade, key)
    storebridge.json("customers", "merge", key, other)
    storebridge.json("customers", "sync", key)
    trade.run()
    stranger = person(trade)
    kept(trade, told(key), told(stranger))
    trade.post(DEAD_CUSTOMERS, told(key), code="x")
    trade.post(DEAD_CUSTOMERS, told(stranger), code="x")
    before, objects = storebridge.contents(), archived(stack)
    found = storebridge.json("privacy", "erase", key, "--although-open", "--dry-run")
    assert found["would_erase"] == {
        "archived_deliveries": 1,
        "back_office_customers": 1,
        "customers": 2,
        "dead_letters": 1,
        "orders": 1,
    }
    assert (found["failed_code"], found["by_hand"], found["unread"]) == (None, [], [])
    assert storebridge.contents() == before
    assert archived(stack) == objects
    assert len(storebridge.json("events", "list", "--dlq", "--customers")["events"]) == 2
    assert storebridge.json("privacy", "erase", key, "--only-this-customer", "--although-open", "--dry-run")[
        "customers"
    ] == [key]
    shown = storebridge("privacy", "erase", key, "--although-open", "--dry-run")
    assert "would be erased" in shown.stdout
    assert "canary" not in shown.output

    # What was foretold is what happens.
    request = storebridge.json("privacy", "erase", key, "--although-open", "--yes")["request"]["id"]
    (run,) = storebridge.json("privacy", "run", request)["requests"]
    assert run["result"] == "watching"
    counts = {name: number for name, number in found["would_erase"].items() if name != "back_office_customers"}
    assert run["counts"] == counts
    parties = storebridge.json("privacy", "show", request)["parties"]
    assert sum(party["state"] == "forgotten" for party in parties) == 1
    left = storebridge.json("events", "list", "--dlq", "--customers")["events"]
    assert len(left) == 1


def test_an_erasure_is_asked_for_run_and_proven(storebridge: CommandLine, trade: Trade) -> None:
    key = person(trade)
    asked = storebridge("privacy", "erase", key, given="n\n")
    assert (asked.exit_code, "for good?" in asked.stderr) == (1, True)
    refusal = storebridge.refusal("privacy", "erase", key)
    assert (refusal["error"], refusal["hint"]) == ("not_confirmed", "add --yes, or --dry-run to see")
    request = storebridge.json("privacy", "erase", key, "--yes", "--by", "mia")["request"]
    assert (request["state"], request["asked_by"]["name"]) == ("open", "mia")
    assert request["id"] in {one["id"] for one in storebridge.json("privacy", "list")["requests"]}

    assert "watching" in storebridge("privacy", "run").stdout
    assert storebridge.json("customers", "show", key)["account"] == "erased"
    waiting = storebridge.json("privacy", "show", request["id"])
    assert (waiting["state"], waiting["proof"], waiting["counts"]) == ("watching", None, {"customers": 1})
    assert storebridge.json("privacy", "run", request["id"])["requests"] == []
    come_round(trade, request["id"])
    (run,) = storebridge.json("privacy", "run")["requests"]
    assert (run["id"], run["result"]) == (request["id"], "done")
    proof = storebridge.json("privacy", "show", request["id"])["proof"]
    assert proof["erased"]["customers"] == 1
    shown = storebridge("privacy", "show", request["id"]).stdout
    assert proof["digest"][:16] in shown
    assert "bookkeeping law" in shown
    assert request["id"] not in {one["id"] for one in storebridge.json("privacy", "list")["requests"]}
    assert request["id"] in {one["id"] for one in storebridge.json("privacy", "list", "--all")["requests"]}


def test_who_still_waits_for_goods_is_not_erased_by_mistake(storebridge: CommandLine, trade: Trade) -> None:
    key = person(trade)
    order = ordered(trade, key)
    for words in (("--yes",), ("--dry-run",)):
        refusal = storebridge.refusal("privacy", "erase", key, *words)
        assert refusal["error"] == "orders_open"
        assert order in refusal["message"]
        assert "--although-open" in refusal["hint"]


def test_one_erasures_trouble_stops_no_other_and_its_words_are_not_told(storebridge: CommandLine, trade: Trade) -> None:
    requests = [storebridge.json("privacy", "erase", person(trade), "--yes")["request"]["id"] for _ in range(2)]
    troubles = iter([Retry("backoffice_unreachable", "Eve Shopper is odd")])

    def once(method: str, _when: str) -> None:
        trouble = next(troubles, None) if method == "forget_customer" else None
        if trouble is not None:
            raise trouble

    trade.office.interrupt = once
    result = storebridge("privacy", "run", "--json")
    found = {row["id"]: row["result"] for row in json.loads(result.stdout)["requests"]}
    assert (result.exit_code, sorted(found)) == (1, sorted(requests))
    assert sorted(found.values()) == ["backoffice_unreachable", "watching"]
    assert "odd" not in result.output
    (again,) = storebridge.json("privacy", "run")["requests"]
    assert (found[again["id"]], again["result"]) == ("backoffice_unreachable", "watching")


# What storefronts ask for


def called(trade: Trade, topic: PrivacyTopic, key: str, **fields: Any) -> str:
    customer = CustomerKey.parse(key)
    with trade.inside():
        call = PrivacyCall(topic=topic, at=utc_now(), customer_id=customer.id, **fields)
        return open_call(call, customer_desk(customer.shop)).id


def test_a_data_request_is_answered_by_people(storebridge: CommandLine, trade: Trade) -> None:
    key = person(trade)
    request = called(trade, PrivacyTopic.DATA_REQUEST, key)
    row = next(one for one in storebridge.json("privacy", "list")["requests"] if one["id"] == request)
    assert "privacy export" in row["next"]
    assert f"storebridge privacy answered {request}" in row["next"]
    assert storebridge.refusal("privacy", "start", request)["error"] == "not_an_erasure"
    assert request in {task["subject"] for task in storebridge.json("tasks", "list")["tasks"]}
    assert storebridge.json("privacy", "answered", request, "--by", "mia")["request"]["state"] == "done"
    assert storebridge.json("privacy", "show", request)["closed_by"] == "mia"
    assert storebridge.refusal("privacy", "answered", request)["error"] == "already_done"


def test_an_erasure_that_waits_for_an_operator_is_started(storebridge: CommandLine, trade: Trade) -> None:
    trade.settle(shops=SETTINGS["shops"])
    document = {**SETTINGS, "privacy": {"erase_at_once": False}}
    trade.stack.clients.ssm.put_parameter(
        Name="/storebridge/settings", Value=json.dumps(document), Type="String", Overwrite=True
    )
    request = called(trade, PrivacyTopic.REDACT, person(trade))
    row = next(one for one in storebridge.json("privacy", "list")["requests"] if one["id"] == request)
    assert row["next"] == f"storebridge privacy start {request}"
    assert request not in {one["id"] for one in storebridge.json("privacy", "run")["requests"]}
    assert storebridge.json("privacy", "start", request, "--by", "mia")["request"]["next"].startswith("nothing")
    assert storebridge.json("privacy", "show", request)["started_by"] == "mia"
    assert storebridge.json("privacy", "run", request)["requests"][0]["result"] == "watching"


def test_what_is_overdue_is_counted_and_said(storebridge: CommandLine, trade: Trade) -> None:
    request = called(trade, PrivacyTopic.DATA_REQUEST, person(trade))
    with trade.inside():
        found = privacy_table().find(request)
        assert found is not None
        privacy_table().save(found.model_copy(update={"due_at": utc_now() - timedelta(days=1)}))
    listed = storebridge.json("privacy", "list")
    assert listed["overdue"] == 1
    assert listed["requests"][0]["id"] == request  # due first
    assert "overdue" in storebridge("privacy", "list").stdout
    assert "OVERDUE" in storebridge("privacy", "show", request).stdout
    storebridge.json("privacy", "answered", request)


def test_a_request_that_there_is_not(storebridge: CommandLine, trade: Trade) -> None:
    for command in ("show", "start", "answered", "run"):
        refusal = storebridge.refusal("privacy", command, "erasure-0")
        assert (refusal["error"], refusal["field"]) == ("unknown_request", "request")
        assert "privacy list" in refusal["hint"]


# Proofs


def test_a_proof_that_is_taken_away_or_changed_is_noticed(
    storebridge: CommandLine, stack: LocalStack, trade: Trade
) -> None:
    for _ in range(2):
        request = storebridge.json("privacy", "erase", person(trade), "--yes")["request"]["id"]
        storebridge.json("privacy", "run", request)
        come_round(trade, request)
        assert storebridge.json("privacy", "run", request)["requests"][0]["result"] == "done"
    sound = storebridge.json("privacy", "verify-proofs")
    assert (sound["ok"], sound["faults"]) == (True, [])
    assert "none changed, none missing" in storebridge("privacy", "verify-proofs").stdout
    table = "storebridge-sync"
    place: Any = {"pk": {"S": "privacy/proof"}, "sk": {"S": f"{sound['proofs']:08}"}}
    item = stack.clients.dynamodb.get_item(TableName=table, Key=place)["Item"]
    stack.clients.dynamodb.delete_item(TableName=table, Key=place)
    result = storebridge("privacy", "verify-proofs", "--json")
    assert (result.exit_code, json.loads(result.stdout)["faults"]) == (1, [f"proof {sound['proofs']} is missing"])
    document = json.loads(item["document"]["S"])
    document["erased"] = {"customers": 9}
    stack.clients.dynamodb.put_item(TableName=table, Item={**item, "document": {"S": json.dumps(document)}})
    result = storebridge("privacy", "verify-proofs", "--json")
    assert json.loads(result.stdout)["faults"] == [f"proof {sound['proofs']} was changed"]
    stack.clients.dynamodb.put_item(TableName=table, Item=item)
    assert storebridge.json("privacy", "verify-proofs")["ok"] is True
