"""`storebridge send`, `shops`, `stock`, `settings`, `tasks` and `schedules` on the local stack."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from infra.local.stack import ROOT, LocalStack
from infra.samples import shopify, woocommerce
from shared.webhooks.ingress import sign_hmac_sha256
from tests.integration.cli.conftest import SECRETS, SETTINGS, SHOPIFY_SECRET, CommandLine, line


@pytest.fixture
def _restored(stack: LocalStack) -> Iterator[None]:
    yield
    stack.clients.ssm.put_parameter(
        Name="/storebridge/settings", Value=json.dumps(SETTINGS), Type="String", Overwrite=True
    )


def settings_file(storebridge: CommandLine, **shop: Any) -> str:
    changed = deepcopy(SETTINGS)
    changed["shops"]["aurora"] |= shop
    return storebridge.file("settings.json", json.dumps(changed).encode())


def test_a_signed_payload_is_accepted_and_becomes_an_order(storebridge: CommandLine, stack: LocalStack) -> None:
    payload = storebridge.file("order.json", shopify.encode(shopify.Shop().order(line("A"))))
    answer = storebridge.json("send", payload, "--shop", "aurora", "--topic", "orders/create")
    assert (answer["status"], answer["answer"]) == (200, {"status": "accepted"})
    assert answer["headers"]["x-shopify-topic"] == "orders/create"
    stack.drain()
    assert storebridge.json("orders", "show", "aurora/5001")["name"] == "#1001"


def test_a_woocommerce_payload_is_signed_its_own_way(storebridge: CommandLine, stack: LocalStack) -> None:
    body = woocommerce.order()
    payload = storebridge.file("order.json", woocommerce.encode(body))
    assert storebridge.json("send", payload, "--shop", "borealis")["status"] == 200
    stack.drain()
    assert storebridge.json("orders", "show", f"borealis/{body['id']}")["platform"] == "woocommerce"


def test_a_forged_payload_is_refused_and_ends_with_1(storebridge: CommandLine) -> None:
    payload = storebridge.file("order.json", shopify.encode(shopify.Shop().order(line("A"), id=6001)))
    result = storebridge("send", payload, "--shop", "aurora", "--secret", "not-the-secret", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["status"], answer["answer"]["error"]) == (401, "unauthorised")


def test_a_payload_is_sent_byte_for_byte(storebridge: CommandLine) -> None:
    payload = storebridge.file("odd.json", b'{ "id" :1 }\r\n')
    request = storebridge.json("send", payload, "--shop", "aurora", "--dry-run")
    assert request["bytes"] == 13
    assert request["headers"]["x-shopify-hmac-sha256"] == sign_hmac_sha256(b'{ "id" :1 }\r\n', SHOPIFY_SECRET)
    assert SHOPIFY_SECRET not in json.dumps(request)


def test_a_dry_run_sends_nothing(storebridge: CommandLine, stack: LocalStack) -> None:
    payload = storebridge.file("order.json", shopify.encode(shopify.Shop().order(line("A"), id=6002)))
    before = storebridge.contents()
    assert storebridge.json("send", payload, "--shop", "aurora", "--dry-run")["url"].endswith("/webhooks/aurora/orders")
    stack.drain()
    assert storebridge.contents() == before


def test_what_cannot_be_sent_is_said_plainly(storebridge: CommandLine) -> None:
    payload = storebridge.file("order.json", b"{}")
    assert storebridge.refusal("send", payload + "x", "--shop", "aurora")["error"] == "unreadable_file"
    assert storebridge.refusal("send", payload, "--shop", "nowhere")["error"] == "unknown_shop"
    nobody = storebridge.refusal("send", payload, "--shop", "aurora", "--url", "http://127.0.0.1:1")
    assert nobody["error"] == "endpoint_unreachable"


def test_shops_are_listed_with_the_url_to_enter(storebridge: CommandLine, stack: LocalStack) -> None:
    shops = {shop["shop"]: shop for shop in storebridge.json("shops", "list")["shops"]}
    assert shops["aurora"] == {
        "shop": "aurora",
        "platform": "shopify",
        "address": "aurora.example.myshopify.com",
        "locations": ["main"],
        "api_access": False,
        "keeps_stock": False,
        "endpoint": f"{stack.url}/webhooks/aurora/orders",
        "customers_endpoint": f"{stack.url}/webhooks/aurora/customers",
    }
    assert "borealis.example" in storebridge("shops", "list").stdout


def test_a_complete_set_up_is_found_good_and_no_secret_is_told(storebridge: CommandLine) -> None:
    found = storebridge.json("shops", "check")
    assert found["ok"] is True
    assert {shop["shop"]: shop["webhook_secrets"] for shop in found["shops"]} == {"aurora": 2, "borealis": 1}
    told = json.dumps(found) + storebridge("shops", "check").output
    for secret in (*SECRETS["webhooks"]["aurora"], "borealis-secret", "key-1", "secret-1"):
        assert secret not in told


def test_what_is_missing_is_named_and_ends_with_1(storebridge: CommandLine) -> None:
    changed = deepcopy(SETTINGS)
    changed["shops"]["aurora"]["api_access"] = True
    changed["shops"]["cygnus"] = {"platform": "shopify", "address": "cygnus.example", "locations": ["annexe"]}
    file = storebridge.file("settings.json", json.dumps(changed).encode())
    result = storebridge("shops", "check", "--settings", file, "--json")
    assert result.exit_code == 1
    shops = {shop["shop"]: shop for shop in json.loads(result.stdout)["shops"]}
    assert [fault["field"] for fault in shops["aurora"]["faults"]] == ["api.aurora"]
    assert [fault["field"] for fault in shops["cygnus"]["faults"]] == ["webhooks.cygnus", "api.cygnus"]
    assert shops["borealis"]["ok"] is True


def test_every_fault_of_the_settings_is_named_by_its_field(storebridge: CommandLine) -> None:
    file = settings_file(storebridge, platform="magento", locations=[], colour="red")
    result = storebridge("shops", "check", "--settings", file, "--json")
    assert result.exit_code == 1
    faults = {fault["field"] for fault in json.loads(result.stdout)["settings"]}
    assert faults == {"shops.aurora.platform", "shops.aurora.locations", "shops.aurora.colour"}
    assert "shops.aurora.colour" in storebridge("shops", "check", "--settings", file).stdout


def test_a_count_is_entered_and_shown(storebridge: CommandLine) -> None:
    done = storebridge.json(
        "stock", "set", "PEN", "main", "40", "--buffer", "2", "--reorder-point", "10", "--by", "mia"
    )
    assert done["before"] is None
    (found,) = storebridge.json("stock", "show", "PEN")["stock"]
    assert found == done["after"]
    figures = [found[name] for name in ("on_hand", "reserved", "available", "safety_buffer", "reorder_point")]
    assert figures == [40, 0, 40, 2, 10]
    assert found["cause"] == {"kind": "count", "reference": "operator", "actor": "mia"}


def test_a_second_count_keeps_what_is_not_said_and_a_dry_run_foretells_it(storebridge: CommandLine) -> None:
    storebridge.json("stock", "set", "INK", "main", "40", "--buffer", "2", "--reorder-point", "10")
    before = storebridge.contents()
    foretold = storebridge.json("stock", "set", "INK", "main", "7", "--dry-run")["after"]
    assert storebridge.contents() == before
    happened = storebridge.json("stock", "set", "INK", "main", "7")["after"]
    assert foretold == {name: happened[name] for name in foretold}
    assert (foretold["safety_buffer"], foretold["reorder_point"]) == (2, 10)


def test_a_count_below_what_is_promised_is_refused_in_rehearsal_and_in_earnest(storebridge: CommandLine) -> None:
    storebridge.json("stock", "set", "INK-2", "main", "5")
    storebridge.receive(6101, line("INK-2", 4))
    for words in ((), ("--dry-run",)):
        refusal = storebridge.refusal("stock", "set", "INK-2", "main", "3", *words)
        assert (refusal["error"], refusal["field"]) == ("reserved_exceeds_count", "on_hand")
        assert "4 units" in refusal["message"]


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        (("PEN", "attic", "1"), "unknown_location", "location"),
        (("PEN", "Main Hall", "1"), "invalid_level", "location"),
        (("PEN", "main", "2000000000"), "invalid_level", "on_hand"),
        (("PEN", "main", "1", "--buffer", "-1"), "invalid_level", "safety_buffer"),
    ],
)
def test_a_count_that_cannot_be_is_refused_by_field(
    storebridge: CommandLine, words: tuple[str, ...], code: str, field: str
) -> None:
    before = storebridge.contents()
    refusal = storebridge.refusal("stock", "set", *words)
    assert (refusal["error"], refusal["field"]) == (code, field)
    assert storebridge.contents() == before


def test_stock_of_everything_and_of_nothing(storebridge: CommandLine) -> None:
    storebridge.json("stock", "set", "BOX", "main", "1")
    storebridge.json("stock", "set", "BOX", "annexe", "2")
    found = storebridge.json("stock", "show")["stock"]
    assert [(row["location"], row["on_hand"]) for row in found if row["sku"] == "BOX"] == [("annexe", 2), ("main", 1)]
    assert storebridge.json("stock", "show", "NONE") == {"stock": [], "unknown": ["NONE"]}
    assert "No stock line carries NONE" in storebridge("stock", "show", "NONE").stdout


def test_settings_are_shown_as_deployed(storebridge: CommandLine) -> None:
    assert storebridge.json("settings", "show") == SETTINGS
    assert "shops.aurora.address" in storebridge("settings", "show").stdout


@pytest.mark.usefixtures("_restored")
def test_a_push_shows_the_difference_and_then_makes_it(storebridge: CommandLine) -> None:
    file = settings_file(storebridge, locations=["main", "annexe"])
    change = {"field": "shops.aurora.locations", "before": ["main"], "after": ["main", "annexe"]}
    rehearsed = storebridge.json("settings", "push", file, "--dry-run")
    assert rehearsed == {"dry_run": True, "written": False, "changes": [change]}
    assert storebridge.json("settings", "show") == SETTINGS
    assert storebridge.json("settings", "push", file)["written"] is True
    assert storebridge.json("settings", "show")["shops"]["aurora"]["locations"] == ["main", "annexe"]
    assert storebridge.json("settings", "push", file) == {"dry_run": False, "written": False, "changes": []}


@pytest.mark.usefixtures("_restored")
def test_the_first_push_makes_the_parameter(storebridge: CommandLine, stack: LocalStack) -> None:
    stack.clients.ssm.delete_parameter(Name="/storebridge/settings")
    assert storebridge.refusal("settings", "show")["error"] == "no_settings"
    assert storebridge.refusal("orders", "list")["hint"].endswith("storebridge settings push FILE")
    storebridge.json("settings", "push", settings_file(storebridge))
    assert storebridge.json("settings", "show") == SETTINGS


def test_settings_with_faults_are_not_pushed(storebridge: CommandLine) -> None:
    before = storebridge.contents()
    refusal = storebridge.refusal("settings", "push", settings_file(storebridge, locations=["attic"]))
    assert refusal["error"] == "invalid_settings"
    assert "attic" in refusal["message"]
    assert storebridge.contents() == before


def test_a_task_is_listed_with_advice_and_closed(storebridge: CommandLine) -> None:
    storebridge.receive(6201, line("UNHEARD-OF"))
    tasks = {task["id"]: task for task in storebridge.json("tasks", "list")["tasks"]}
    task = tasks["unmapped_sku/aurora/UNHEARD-OF"]
    assert (task["first_seen_in"], task["kind"]) == ("aurora/6201", "unmapped_sku")
    assert "storebridge stock set UNHEARD-OF" in task["advice"]
    assert storebridge.json("tasks", "close", task["id"], "--dry-run")["closed"] is False
    assert task["id"] in storebridge("tasks", "list").stdout
    assert storebridge.json("tasks", "close", task["id"])["closed"] is True
    assert task["id"] not in {task["id"] for task in storebridge.json("tasks", "list")["tasks"]}
    assert storebridge.refusal("tasks", "close", task["id"])["error"] == "unknown_task"


def test_a_schedule_is_fired_and_does_its_work(storebridge: CommandLine, stack: LocalStack) -> None:
    storebridge.json("stock", "set", "LATE", "main", "0")
    order = storebridge.receive(6301, line("LATE"))
    storebridge.json("stock", "set", "LATE", "main", "1")
    (name,) = [known for known in storebridge.json("schedules", "list")["schedules"] if "order-review" in known]
    assert storebridge.json("schedules", "fire", name)["fired"] == name
    stack.drain()
    assert storebridge.json("orders", "show", order)["status"] == "ready"


def test_a_schedule_that_there_is_not(storebridge: CommandLine) -> None:
    refusal = storebridge.refusal("schedules", "fire", "nightly?")
    assert refusal["error"] == "not_found"
    assert "storebridge-order-review" in refusal["hint"]


def test_the_command_as_a_program_of_its_own(stack: LocalStack) -> None:
    environment = {"PATH": os.environ["PATH"], "STOREBRIDGE_LOCAL": stack.url}
    command = [sys.executable, "-m", "infra.cli.main", "shops", "list", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [shop["shop"] for shop in json.loads(done.stdout)["shops"]] == ["aurora", "borealis"]
