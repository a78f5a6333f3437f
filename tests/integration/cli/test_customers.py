"""`storebridge customers`, and the customers' part of `events`, `send`, `shops` and `desk redrive`."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from infra.samples import shopify, shopify_customers
from shared.customers.conflicts import EditConflict
from shared.customers.models import ProfileField
from shared.platform.errand_queue import CustomerErrand, OrderErrand, VerificationErrand
from shared.platform.intake_queue import CUSTOMERS as INTAKE
from shared.sync.backoffice.mirror import Stop
from shared.sync.customers.mirror import PersonMirror
from shared.wiring.backoffice_push import run_all
from shared.wiring.customer_push import person_mirrors
from shared.wiring.customer_tables import customer_table
from tests.builders.books import account, taxed
from tests.builders.customers import profile
from tests.builders.orders import NOON
from tests.integration.cli.conftest import CommandLine, disconnect
from tests.integration.cli.people import (
    BACKOFFICE,
    BUYER,
    CUSTOMERS,
    DEAD_BUYER,
    DEAD_CUSTOMERS,
    SENDER,
    bodies,
    bought,
    delivery,
    matched,
    registered,
    shops,
    trading,
)
from tests.integration.cli.quiet import SECRETS, SETTINGS, QuietStack, Trade

_numbers = count(101)
SHOP_SECRETS = SECRETS | {"webhooks": {"aurora": ["aurora-secret"]}}
PERSONAL = ("eve@", "Eve", "Shopper", "Weg 2", "10115", "+49309018")


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with QuietStack(Options(contents=Contents(SETTINGS, SHOP_SECRETS), retry_after=0)) as running:
        yield running
    disconnect()


@pytest.fixture
def trade(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trade]:
    with trading(stack, monkeypatch) as made:
        yield made


def stated(number: int) -> dict[str, Any]:
    """What Shopify says of its customer of this number."""
    return shopify_customers.account(id=number, admin_graphql_api_id=shopify.gid("Customer", number))


def eve(trade: Trade, shop: str = "aurora", **personal: Any) -> str:
    """A person of her own, unless she shares an address or a number with another."""
    number = next(_numbers)
    fields = {"email": f"eve@{number}.test", "phone": f"+493090182{number}"} | personal
    return str(registered(trade, f"{shop}/customer/{number}", personal=profile(**fields)).key)


# Looking


def test_only_those_who_need_someone_are_listed_and_why(storebridge: CommandLine, trade: Trade) -> None:
    fine, flagged = eve(trade), eve(trade, email="not an address")
    listed = {row["customer"]: row for row in storebridge.json("customers", "list")["customers"]}
    assert fine not in listed
    assert listed[flagged]["flags"][0]["flag"] == "email_invalid"
    assert listed[flagged]["since"].endswith("Z")
    assert "email_invalid" in storebridge("customers", "list").stdout
    assert storebridge.json("customers", "list", "--shop", "borealis")["customers"] == []


def test_a_list_of_all_reads_the_whole_table_and_says_so(storebridge: CommandLine, trade: Trade) -> None:
    fine, flagged = eve(trade), eve(trade, email="not an address")
    found = storebridge.json("customers", "list", "--all", "--limit", "1000")
    assert found["read"] == "table"
    assert {fine, flagged} <= {row["customer"] for row in found["customers"]}
    assert storebridge.json("customers", "list", "--all", "--limit", "1")["more"] is True
    assert "Reading the whole table" in storebridge("customers", "list", "--all").stderr


def test_one_customer_is_shown_and_personal_data_only_where_asked_for(storebridge: CommandLine, trade: Trade) -> None:
    key = eve(trade)
    with trade.inside():
        lost = EditConflict(
            leader=key,
            field=ProfileField.EMAIL,
            winner=key,
            loser="backoffice/erp",
            kept="eve@kept.test",
            lost="eve@lost.test",
            reason="newest",
            at=NOON,
        )
        customer_table().keep_conflict(lost)
    for told in (json.dumps(storebridge.json("customers", "show", key)), storebridge("customers", "show", key).output):
        assert key in told
        assert not any(word in told for word in PERSONAL)
    found = storebridge.json("customers", "show", key, "--personal")
    assert found["personal"]["billing"]["address1"] == "Weg 2"
    assert [conflict["lost"] for conflict in found["conflicts"]] == ["eve@lost.test"]
    assert found["verified"]["state"] == "unverified"
    assert "Weg 2" in storebridge("customers", "show", key, "--personal").stdout


def test_somebody_whom_nobody_knows(storebridge: CommandLine) -> None:
    refusal = storebridge.refusal("customers", "show", "aurora/customer/9999")
    assert (refusal["error"], refusal["field"]) == ("unknown_customer", "customer")
    assert "customers find" in refusal["hint"]


def test_people_are_found_by_address_and_number_and_only_their_keys_are_told(
    storebridge: CommandLine, trade: Trade
) -> None:
    key = eve(trade, email="eve.found@gmail.com", phone="+4930555111")
    by_email = storebridge.json("customers", "find", "EVE.Found@Gmail.com")
    assert by_email["customers"] == [
        {
            "customer": key,
            "by": ["email", "mailbox"],
            "leader": key,
            "account": "unknown",
            "verification": "unverified",
        }
    ]
    assert "found" not in json.dumps(by_email)
    mailbox = storebridge.json("customers", "find", "evefound+news@gmail.com")
    assert [row["by"] for row in mailbox["customers"]] == [["mailbox"]]
    by_phone = storebridge.json("customers", "find", "+49 30 555111")
    assert [(row["customer"], row["by"]) for row in by_phone["customers"]] == [(key, ["phone"])]
    assert storebridge.json("customers", "find", "nobody@example.test")["customers"] == []
    assert "Nobody is known by it" in storebridge("customers", "find", "nobody@example.test").stdout


def test_what_is_neither_is_refused_and_not_repeated(storebridge: CommandLine, trade: Trade) -> None:
    refusal = storebridge.refusal("customers", "find", "Eve Shopper")
    assert (refusal["error"], refusal["field"]) == ("invalid_search", "text")
    assert "Shopper" not in json.dumps(refusal)


# Verification


@pytest.mark.parametrize(("command", "state"), [("verify", "verified"), ("reject", "rejected")])
def test_a_yes_and_a_no_are_kept_with_who_said_so_and_taken_back(
    storebridge: CommandLine, trade: Trade, command: str, state: str
) -> None:
    key = eve(trade)
    before = storebridge.contents()
    foretold = storebridge.json("customers", command, key, "--by", "mia", "--dry-run")
    assert storebridge.contents() == before
    done = storebridge.json("customers", command, key, "--by", "mia")
    assert (done["changed"], done["after"]["verified"]["state"], done["after"]["verified"]["by"]) == (
        True,
        state,
        "mia",
    )
    assert foretold["after"]["verified"]["state"] == state
    assert storebridge.json("customers", command, key)["changed"] is False
    assert storebridge.json("customers", "show", key)["verified"]["by"] == "mia"
    assert storebridge.json("customers", "reopen", key)["after"]["verified"]["state"] == "unverified"
    assert "unverified" in storebridge("customers", "reopen", key).stdout


def test_flags_are_overruled_and_the_customer_is_asked_at_once(storebridge: CommandLine, trade: Trade) -> None:
    policy = {"verification": {"ask": "registration"}}
    trade.settle(shops=shops(customers=policy, buyers=SENDER))
    key = eve(trade, email=f"eve{next(_numbers)}@mailinator.com")
    assert [flag["flag"] for flag in storebridge.json("customers", "show", key)["flags"]] == ["email_disposable"]
    foretold = storebridge.json("customers", "clear", key, "--dry-run")
    assert (foretold["after"]["flags"], foretold["after"]["verified"]["state"]) == ([], "pending")
    assert storebridge.json("customers", "show", key)["flags"] != []
    done = storebridge.json("customers", "clear", key, "--by", "mia")
    assert (done["after"]["flags"], done["after"]["verified"]["links_sent"]) == ([], 1)
    assert key not in {row["customer"] for row in storebridge.json("customers", "list")["customers"]}


def test_a_link_is_asked_for_again_unless_nobody_would_send_it(storebridge: CommandLine, trade: Trade) -> None:
    key = eve(trade)
    refusal = storebridge.refusal("customers", "ask", key)
    assert (refusal["error"], refusal["field"]) == ("no_sender", "shops.aurora.buyers")
    trade.settle(shops=shops(buyers=SENDER))
    assert storebridge.json("customers", "ask", key, "--dry-run")["after"]["verified"]["links_sent"] == 1
    assert storebridge.json("customers", "ask", key)["after"]["verified"] | {"at": "", "last_sent_at": ""} == {
        "state": "pending",
        "by": None,
        "at": "",
        "links_sent": 1,
        "last_sent_at": "",
    }
    storebridge.json("customers", "verify", key)
    assert storebridge.refusal("customers", "ask", key)["error"] == "already_verified"


# One person


def test_two_are_joined_and_parted_again_without_a_trace_of_either_lost(storebridge: CommandLine, trade: Trade) -> None:
    first, second = eve(trade), eve(trade, "borealis")
    before = storebridge.contents()
    foretold = storebridge.json("customers", "merge", second, first, "--by", "mia", "--dry-run")
    assert storebridge.contents() == before
    done = storebridge.json("customers", "merge", second, first, "--by", "mia")
    assert done["customers"] == foretold["customers"]
    leader = done["merge"]["leader"]
    assert {row["goes_by"] for row in done["customers"]} == {leader}
    found = storebridge.json("customers", "show", second)
    assert {row["customer"] for row in found["members"]} == {first, second}
    assert [merge["by"] for merge in found["merges"]] == ["mia"]
    assert storebridge.json("customers", "merge", first, second)["changed"] is False

    merge_id = done["merge"]["id"]
    foretold = storebridge.json("customers", "unmerge", second, merge_id, "--dry-run")
    assert {row["customer"]: row["goes_by"] for row in foretold["customers"]} == {first: first, second: second}
    assert len(storebridge.json("customers", "show", first)["members"]) == 2
    shown = storebridge("customers", "unmerge", second, merge_id, "--by", "noa").stdout
    assert "undone by noa" in shown
    for key in (first, second):
        assert [row["customer"] for row in storebridge.json("customers", "show", key)["members"]] == [key]
    assert storebridge.json("customers", "unmerge", leader, merge_id)["changed"] is False


def test_a_merge_that_there_is_not(storebridge: CommandLine, trade: Trade) -> None:
    key = eve(trade)
    assert storebridge.refusal("customers", "unmerge", key, "0123")["error"] == "unknown_merge"
    assert storebridge.refusal("customers", "merge", key, key)["error"] == "same_customer"


def twins(trade: Trade, **of_the_second: Any) -> tuple[str, str, str]:
    """Two of the same address at two shops, and the proposal that they are one."""
    number = next(_numbers)
    email = f"eve@{number}.twin.test"
    first = eve(trade, email=email)
    second = registered(
        trade,
        f"borealis/customer/{number}",
        personal=profile(email=email, phone=None, billing=None, shipping=None, **of_the_second),
    )
    matched(trade, second)
    with trade.inside():
        found = [one.id for one in customer_table().proposals() if str(second.key) in one.customers]
    assert len(found) == 1
    return first, str(second.key), found[0]


def test_a_proposal_shows_what_two_have_in_common_and_masks_who_they_are(
    storebridge: CommandLine, trade: Trade
) -> None:
    first, second, proposal = twins(trade, first_name="Evelyn")
    listed = {row["id"]: row for row in storebridge.json("customers", "proposals", "list")["proposals"]}
    assert set(listed[proposal]["customers"]) == {first, second}
    assert "same_email" in {reason["kind"] for reason in listed[proposal]["reasons"]}
    assert proposal not in {
        row["id"] for row in storebridge.json("customers", "proposals", "list", "--reason", "same_phone")["proposals"]
    }
    found = storebridge.json("customers", "proposals", "show", proposal)
    fields = {row["field"]: row for row in found["fields"]}
    assert (fields["email"]["likeness"], fields["email"]["values"][0][:5]) == ("same", "e…@1…")
    assert fields["name"]["likeness"] == "differs"
    assert fields["phone"]["likeness"] == "one_side"
    told = json.dumps(found) + storebridge("customers", "proposals", "show", proposal).output
    assert not any(word in told for word in (*PERSONAL, "Evelyn"))
    personal = storebridge.json("customers", "proposals", "show", proposal, "--personal")
    assert "Evelyn" in json.dumps(personal, ensure_ascii=False)


def test_a_proposal_is_accepted_once_and_a_dismissed_one_not_at_all(storebridge: CommandLine, trade: Trade) -> None:
    first, _, proposal = twins(trade)
    before = storebridge.contents()
    assert storebridge.json("customers", "proposals", "accept", proposal, "--dry-run")["joined"] == 1
    assert storebridge.json("customers", "proposals", "dismiss", proposal, "--dry-run")["proposal"]["state"] == (
        "dismissed"
    )
    assert storebridge.contents() == before
    assert storebridge.json("customers", "proposals", "accept", proposal, "--by", "mia")["joined"] == 1
    assert len(storebridge.json("customers", "show", first)["members"]) == 2
    assert proposal not in {row["id"] for row in storebridge.json("customers", "proposals", "list")["proposals"]}

    third, _, other = twins(trade)
    storebridge.json("customers", "proposals", "dismiss", other, "--by", "mia")
    refusal = storebridge.refusal("customers", "proposals", "accept", other)
    assert refusal["error"] == "already_decided"
    assert len(storebridge.json("customers", "show", third)["members"]) == 1
    assert storebridge.refusal("customers", "proposals", "show", "0000")["error"] == "unknown_proposal"


def test_all_of_a_reason_are_accepted_but_for_those_that_something_speaks_against(
    storebridge: CommandLine, trade: Trade
) -> None:
    for row in storebridge.json("customers", "proposals", "list")["proposals"]:
        storebridge.json("customers", "proposals", "dismiss", row["id"])
    first, _, _ = twins(trade)
    doubtful, _, left = twins(trade, first_name="Wolfgang", last_name="Amadeus")
    words = ("customers", "proposals", "accept", "--all", "--reason", "same_email")
    aborted = storebridge(*words, given="n\n")
    assert (aborted.exit_code, len(storebridge.json("customers", "show", first)["members"])) == (1, 1)
    done = storebridge.json(*words, "--by", "mia")
    assert (done["joined"], done["failed"], done["left"]) == (1, 0, 1)
    assert len(storebridge.json("customers", "show", first)["members"]) == 2
    assert len(storebridge.json("customers", "show", doubtful)["members"]) == 1
    assert [row["id"] for row in storebridge.json("customers", "proposals", "list")["proposals"]] == [left]


# The back office


def test_a_person_is_sent_to_the_back_office_and_is_in_step_until_something_changes(
    storebridge: CommandLine, trade: Trade
) -> None:
    key = eve(trade)
    (office,) = storebridge.json("customers", "show", key)["back_offices"]
    assert (office["backoffice"], office["party_id"], office["in_step"]) == ("erp", None, False)
    assert storebridge.json("customers", "sync", key, "--dry-run")["sent"] == 0
    assert trade.take(BACKOFFICE) == []
    assert storebridge.json("customers", "sync", key)["sent"] == 1
    (waiting,) = trade.take(BACKOFFICE)
    assert CustomerErrand.model_validate_json(waiting["body"]).leader == key
    _run(trade, waiting)
    (office,) = storebridge.json("customers", "show", key)["back_offices"]
    assert office["in_step"] is True
    assert office["party_id"] is not None
    assert "in step" in storebridge("customers", "show", key).stdout

    number = key.rpartition("/")[2]
    registered(trade, key, minute=5, body="b", personal=profile(email=f"eve@{number}.test", phone=None))
    (office,) = storebridge.json("customers", "show", key)["back_offices"]
    assert office["in_step"] is False


def _run(trade: Trade, waiting: dict[str, Any]) -> None:
    with trade.inside():
        assert run_all([waiting], run="test", has_time=lambda: True) == []


def test_who_was_stopped_is_listed_without_the_back_offices_words_and_sent_again(
    storebridge: CommandLine, trade: Trade
) -> None:
    key = eve(trade)
    stop = Stop(code="backoffice_refused", message="Eve Shopper is odd", since=NOON, attempts=2, passing=False)
    with trade.inside():
        person_mirrors().save(PersonMirror(leader=key, backoffice="erp", stop=stop), None)
    listed = storebridge.json("customers", "list")["stopped"]
    row = next(row for row in listed if row["customer"] == key)
    assert (row["backoffice"], row["code"], row["who"]) == ("erp", "backoffice_refused", "operations")
    assert row["command"] == f"storebridge customers sync {key}"
    told = json.dumps(listed) + storebridge("customers", "list").output + storebridge("customers", "show", key).output
    assert "odd" not in told
    assert "odd" in storebridge("customers", "show", key, "--personal").output
    done = storebridge.json("customers", "sync", "--stopped", "--shop", "aurora")
    assert key in done["customers"]
    assert storebridge.json("customers", "sync", "--stopped", "--shop", "borealis")["sent"] == 0


def test_nobody_is_asked_where_there_is_no_back_office(storebridge: CommandLine, trade: Trade) -> None:
    key = eve(trade, "cygnus")
    refusal = storebridge.refusal("customers", "sync", key)
    assert (refusal["error"], refusal["hint"]) == ("nobody_to_ask", "name one: shops.SHOP.backoffice")


@pytest.mark.parametrize(
    "words",
    [
        ("sync",),
        ("sync", "aurora/customer/1", "--stopped"),
        ("sync", "aurora/customer/1", "--shop", "aurora"),
        ("proposals", "accept"),
        ("proposals", "accept", "0123", "--all", "--reason", "same_email"),
        ("proposals", "accept", "--all"),
        ("proposals", "accept", "--all", "--reason", "same_shoes"),
        ("proposals", "list", "--reason", "other_name"),
    ],
)
def test_contradictions_are_wrong_usage(storebridge: CommandLine, words: tuple[str, ...]) -> None:
    assert storebridge.refusal("customers", *words, exit_code=2)["error"] == "usage"


# The way in


def test_a_payload_about_a_customer_goes_to_the_customers_endpoint(
    storebridge: CommandLine, stack: LocalStack, trade: Trade
) -> None:
    payload = storebridge.file("customer.json", json.dumps(shopify_customers.account()).encode())
    answer = storebridge.json("send", payload, "--shop", "aurora", "--topic", "customers/create")
    assert answer["url"] == f"{stack.url}/webhooks/aurora/customers"
    assert answer["status"] == 200
    (waiting,) = bodies(trade, CUSTOMERS)
    assert json.loads(waiting)["topic"] == "customers/create"


def test_messages_about_customers_have_a_dead_letter_queue_of_their_own(storebridge: CommandLine, trade: Trade) -> None:
    trade.post(DEAD_CUSTOMERS, delivery(stated(1)), code="invalid_payload", field="id")
    trade.post(DEAD_CUSTOMERS, delivery(stated(2)), code="no_api_access")
    trade.post(DEAD_CUSTOMERS, OrderErrand(shop="aurora", order_id="5001").model_dump_json())
    assert storebridge.json("events", "list", "--dlq")["events"] == []
    events = storebridge.json("events", "list", "--dlq", "--customers")["events"]
    assert sorted(event["code"] for event in events) == ["invalid_payload", "no_api_access", "retries_exhausted"]
    assert {event["shop"] for event in events} == {"aurora"}
    assert "zoe" not in storebridge("events", "list", "--dlq", "--customers").output

    foretold = storebridge.json("events", "replay", "--from-dlq", "--customer", "aurora/customer/2", "--dry-run")
    assert (foretold["queue"], foretold["selected"], foretold["replayed"]) == ("customers", 1, 0)
    assert storebridge.json("events", "replay", "--from-dlq", "--customer", "aurora/customer/2")["replayed"] == 1
    (put,) = bodies(trade, CUSTOMERS)
    assert json.loads(put)["topic"] == "customers/update"
    rest = storebridge.json("events", "replay", "--from-dlq", "--customers", "--shop", "aurora")
    assert (rest["found"], rest["replayed"], rest["unreadable"]) == (2, 2, 0)
    assert len(bodies(trade, CUSTOMERS)) == 2
    assert storebridge.json("events", "list", "--dlq", "--customers")["events"] == []


def test_the_archive_of_customers_is_replayed_by_customer(
    storebridge: CommandLine, stack: LocalStack, trade: Trade
) -> None:
    messages = [
        {"messageId": "m1", "body": delivery(stated(301))},
        {"messageId": "m2", "body": delivery(shopify_customers.merge(kept=302, gone=301), topic="customers/merge")},
        {"messageId": "m3", "body": delivery(shopify_customers.deleted(303), topic="customers/delete")},
    ]
    with trade.inside():
        INTAKE.archive_batch(messages, day="2020/02/03")
    day = ("--from-archive", "2020-02-03", "--dry-run")
    found = storebridge.json("events", "replay", *day, "--customer", "aurora/customer/301")
    assert sorted(event["message_id"] for event in found["events"]) == ["m1", "m2"]
    assert storebridge.json("events", "replay", *day, "--customers")["selected"] == 3
    assert storebridge.json("events", "replay", *day)["found"] == 0
    wrong = storebridge.refusal("events", "replay", *day, "--customers", "--order", "aurora/1", exit_code=2)
    assert wrong["error"] == "usage"


def test_letters_to_buyers_that_were_given_up_are_put_back(storebridge: CommandLine, trade: Trade) -> None:
    errand = VerificationErrand(customer="aurora/customer/17", asked=1, attempt=300)
    trade.post(DEAD_BUYER, errand.model_dump_json(), code="mail_refused")
    foretold = storebridge.json("desk", "redrive", "--office", "buyer", "--dry-run")
    assert [(row["subject"], row["code"]) for row in foretold["errands"]] == [("aurora/customer/17", "mail_refused")]
    assert storebridge.json("desk", "redrive", "--office", "buyer")["sent"] == 1
    (put,) = bodies(trade, BUYER)
    assert VerificationErrand.model_validate_json(put) == errand.model_copy(update={"attempt": 0})
    refusal = storebridge.refusal("desk", "redrive", "--office", "customers", exit_code=2)
    assert "events replay --from-dlq --customers" in refusal["message"]


def test_a_check_says_what_to_enter_and_where_buyers_find_us(
    storebridge: CommandLine, stack: LocalStack, trade: Trade
) -> None:
    listed = {shop["shop"]: shop for shop in storebridge.json("shops", "list")["shops"]}
    assert listed["aurora"]["customers_endpoint"] == f"{stack.url}/webhooks/aurora/customers"
    asking = {"customers": {"verification": {"ask": "first_order"}}}
    unsaid = storebridge.file("unsaid.json", json.dumps({**SETTINGS, "shops": shops(**asking)}).encode())
    result = storebridge("shops", "check", "--settings", unsaid, "--json")
    (fault,) = json.loads(result.stdout)["settings"]
    assert (result.exit_code, "sender" in fault["message"]) == (1, True)
    said = {**SETTINGS, "shops": shops(**asking, buyers=SENDER), "public_url": "https://orders.example"}
    file = storebridge.file("said.json", json.dumps(said).encode())
    checked = json.loads(storebridge("shops", "check", "--settings", file, "--json").stdout)
    assert {shop["shop"]: shop["ok"] for shop in checked["shops"]}["aurora"] is True
    assert (checked["settings"], checked["privacy"], checked["pages"]) == ([], [], "https://orders.example")
    assert "for customers and privacy" in storebridge("shops", "check").stdout
    assert json.loads(storebridge("shops", "check", "--json").stdout)["pages"] == stack.url


def test_a_privacy_secret_without_a_root_is_a_fault_and_is_not_told(
    storebridge: CommandLine, stack: LocalStack, trade: Trade
) -> None:
    client = stack.clients.secretsmanager
    (name,) = (one["Name"] for one in client.list_secrets()["SecretList"] if one["Name"].endswith("/privacy"))
    kept = client.get_secret_value(SecretId=name)["SecretString"]
    client.put_secret_value(SecretId=name, SecretString='{"root": "short-root"}')
    try:
        told = storebridge("shops", "check", "--json").stdout
    finally:
        client.put_secret_value(SecretId=name, SecretString=kept)
    assert [fault["field"] for fault in json.loads(told)["privacy"]] == ["privacy"]
    assert "short-root" not in told


def test_an_order_of_a_merged_person_is_everyones(storebridge: CommandLine, trade: Trade) -> None:
    key, other = eve(trade), eve(trade, "borealis")
    number = str(next(_numbers))
    made = account(taxed("MUG", 1, "12.10", "2.10"), order_id=number, name=f"#{number}")
    personal = made.personal.model_copy(update={"customer_id": key.rpartition("/")[2]})
    order = trade.sold(made.model_copy(update={"personal": personal}))
    bought(trade, order)
    storebridge.json("customers", "merge", key, other)
    assert storebridge.json("customers", "show", other)["orders"] == [order]
