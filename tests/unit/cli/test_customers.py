"""The pure parts of the commands about customers: what is shown and masked, and rehearsals that write nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli.customer_facts import (
    back_office_facts,
    decided,
    masked,
    side_by_side,
    stop_facts,
    stopped_facts,
    summary,
    whole,
)
from infra.cli.customer_rehearsal import CustomerRehearsal, rehearsed
from infra.cli.send import is_about_customers
from infra.cli.target import Target
from shared.customers import merging, verify
from shared.customers.conflicts import EditConflict
from shared.customers.maintenance import Base, Side, SideBase
from shared.customers.merges import MergeReason
from shared.customers.models import PostalAddress, Profile, ProfileField
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerFlag, Flag, VerificationState
from shared.kernel.identifiers import CustomerKey
from shared.storefronts.shopify import subscriptions as of_shopify
from shared.storefronts.woocommerce import subscriptions as of_woocommerce
from shared.sync.backoffice.mirror import Stop
from shared.sync.customers.mirror import PersonMirror
from tests.builders.customers import customer, customer_desk, kept, profile, proven, record
from tests.builders.orders import NOON
from tests.fakes.customers import FakeCustomerBook
from tests.unit.cli.conftest import Run

EVE, EVA = CustomerKey("aurora", "customer", "17"), CustomerKey("borealis", "customer", "4")
NOBODY = "http://127.0.0.1:1"
REASONS = (MergeReason(kind="operator", weight=0),)
COMMANDS = {
    "customers": {"list", "show", "find", "verify", "reject", "reopen", "clear", "ask", "merge", "unmerge", "sync"},
    "customers proposals": {"list", "show", "accept", "dismiss"},
}


@pytest.mark.parametrize(("group", "commands"), COMMANDS.items())
def test_each_command_has_an_example(run: Run, group: str, commands: set[str]) -> None:
    for command in commands:
        shown = " ".join(run(*group.split(), command, "--help").stdout.split())
        assert f"Example: storebridge {group} {command}" in shown


@pytest.mark.parametrize("command", sorted(COMMANDS["customers"] - {"list", "find", "unmerge", "merge"}))
def test_a_key_that_is_none_needs_no_deployment_to_be_refused(run: Run, command: str) -> None:
    refusal = json.loads(run("customers", command, "aurora/17", "--json", "--local", NOBODY).stderr)
    assert (refusal["error"], refusal["field"]) == ("invalid_customer_key", "customer")
    assert "aurora/customer/17" in refusal["hint"]


# ---- masks ----


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("eve@example.test", "e…@e…"),
        ("Eve Shopper", "E… S…"),
        ("+4930901820", "…20"),
        ("+49 30 901 820", "…20"),
        ("Weg 2, 10115 Berlin", "W… … 1… B…"),
        ("王小明", "王…"),
        ("王芳", "…"),
        ("@nobody", "@…"),
        ("", ""),
    ],
)
def test_a_value_is_masked(line: str, shown: str) -> None:
    assert masked(line) == shown


@given(st.text(min_size=3))
def test_of_a_word_a_mask_leaves_two_characters_at_most(text: str) -> None:
    for word, left in zip(text.split(), masked(text).split(), strict=False):
        assert len(left.replace("…", "").replace("@", "")) <= 2
        assert left != word or len(word) <= 2 or "…" in word


# ---- side by side ----


def rows(a: Profile, b: Profile, *, personal: bool = False) -> dict[str, Any]:
    return {row["field"]: row for row in side_by_side([(a, "DE"), (b, "DE")], personal=personal)}


def test_what_two_have_in_common_is_told_whatever_the_spelling() -> None:
    one = profile(email="Eve@Example.test", phone="030 901820", first_name="Zoë")
    other = profile(email="eve@example.test", phone="+4930901820", first_name="Zoe", language=None, billing=None)
    found = rows(one, other)
    assert {name: row["likeness"] for name, row in found.items()} == {
        "name": "same",
        "email": "same",
        "phone": "same",
        "language": "one_side",
        "billing": "one_side",
        "shipping": "same",
    }
    assert found["language"]["values"][1] is None
    assert rows(profile(first_name="Adam"), profile())["name"]["likeness"] == "differs"


def test_no_value_is_told_unless_it_is_asked_for() -> None:
    home = PostalAddress(name="Eve Shopper", address1="Hidden Street 8", city="Berlin", country_code="DE")
    told = json.dumps(rows(profile(billing=home), profile(company="Secret Ltd")), ensure_ascii=False)
    for word in ("Eve", "Hidden", "Secret", "example.test", "901820", "Berlin"):
        assert word not in told
    assert "Hidden Street 8" in json.dumps(rows(profile(billing=home), profile(), personal=True))


def test_two_of_whom_nothing_is_known_have_nothing_to_compare() -> None:
    assert rows(Profile(), Profile()) == {}


# ---- one customer ----


def test_overruled_flags_are_not_shown_as_open() -> None:
    flags = (CustomerFlag(flag=Flag.SIGNUP_BURST), CustomerFlag(flag=Flag.PHONE_INVALID))
    facts = summary(record(flags=flags, overruled=(Flag.SIGNUP_BURST,)))
    assert [flag["flag"] for flag in facts["flags"]] == ["phone_invalid"]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [({}, "unknown"), ({"deleted_at": NOON}, "deleted"), ({"deleted_at": NOON, "erased_at": NOON}, "erased")],
)
def test_an_account_that_is_gone_is_said_to_be(fields: dict[str, Any], shown: str) -> None:
    assert summary(record(**fields))["account"] == shown


def test_what_lost_in_a_conflict_is_personal() -> None:
    lost = EditConflict(
        leader=str(EVE),
        field=ProfileField.EMAIL,
        winner=str(EVE),
        loser="backoffice/erp",
        kept="eve@kept.test",
        lost="eve@lost.test",
        reason="newest",
        at=NOON,
    )

    def told(*, personal: bool) -> str:
        parts: dict[str, Any] = {"members": (), "orders": (), "merges": (), "back_offices": ()}
        facts = whole(record(), conflicts=[lost], customer=customer(), personal=personal, **parts)
        return json.dumps(facts)

    assert "eve@" not in told(personal=False)
    assert "eve@lost.test" in told(personal=True)
    assert "eve@example.test" in told(personal=True)


def test_a_stops_words_are_told_only_where_asked_for() -> None:
    unknown = Stop(code="odd", message="Eve is odd", hint="ask Eve", since=NOON, attempts=1, passing=False)
    known = unknown.model_copy(update={"code": "backoffice_refused"})
    for stop in (unknown, known):
        assert "Eve" not in json.dumps(stop_facts(stop, "en"))
        assert "Eve is odd" in json.dumps(stop_facts(stop, "en", personal=True))
    mirror = PersonMirror(leader=str(EVE), backoffice="erp", stop=known)
    assert stopped_facts(mirror, known, "en")["command"] == f"storebridge customers sync {EVE}"


# ---- in step ----

SIDE = Side(name=str(EVE), values={ProfileField.EMAIL: "d1"})
AGREED = SideBase(values=SIDE.values, in_step=(ProfileField.EMAIL,))


def in_step(base: Base, *sides: Side, **fields: Any) -> bool:
    mirror = PersonMirror(leader=str(EVE), backoffice="erp", base=base, **({"party_id": "7"} | fields))
    return bool(back_office_facts("erp", mirror, sides, "en", personal=False)["in_step"])


def test_a_person_is_in_step_while_our_sides_show_what_they_showed() -> None:
    base = Base(sides={SIDE.name: AGREED})
    assert in_step(base, SIDE)
    assert not in_step(base, SIDE.model_copy(update={"values": {ProfileField.EMAIL: "d2"}}))
    assert in_step(base, SIDE, Side(name=str(EVA), is_silent=True))
    assert not in_step(base, SIDE, Side(name=str(EVA), values={ProfileField.EMAIL: "d1"}))  # joined since


def test_who_was_stopped_or_left_half_written_or_has_no_party_is_not_in_step() -> None:
    base = Base(sides={SIDE.name: AGREED})
    stop = Stop(code="x", message="", since=NOON, attempts=1, passing=True)
    assert not in_step(base, SIDE, stop=stop)
    assert not in_step(base, SIDE, party_id=None)
    half = Base(sides={SIDE.name: AGREED.model_copy(update={"begun": (ProfileField.EMAIL,)})})
    assert not in_step(half, SIDE)
    assert back_office_facts("erp", None, [SIDE], "en", personal=False)["in_step"] is False


# ---- rehearsals ----


@pytest.fixture
def counter() -> CustomerDesk:
    """A desk with two customers of the same address, one of them flagged."""
    book = FakeCustomerBook()
    flagged = {"flags": (CustomerFlag(flag=Flag.SIGNUP_BURST),), "attention_since": NOON}
    kept(book, customer(str(EVE)), **flagged)
    kept(book, customer(str(EVA), registered_at=NOON + timedelta(days=1)))
    return customer_desk(book)


def state_of(desk: CustomerDesk) -> tuple[Any, ...]:
    book = desk.book
    assert isinstance(book, FakeCustomerBook)
    return (dict(book.records), dict(book.customers), dict(book.merges), book.commits)


def test_a_rehearsed_decision_comes_to_its_end_and_writes_nothing(counter: CustomerDesk) -> None:
    before = state_of(counter)
    rehearsing = rehearsed(counter)
    assert verify.approve(EVE, rehearsing, by="mia").verification.state is VerificationState.VERIFIED
    cleared = verify.overrule_flags(EVE, rehearsing, by="mia")
    assert (cleared.open_flags, cleared.attention_since) == ((), None)
    assert verify.reject(EVA, rehearsing, by="mia").verification.state is VerificationState.REJECTED
    assert state_of(counter) == before


def test_a_rehearsed_merge_foretells_the_real_one(counter: CustomerDesk) -> None:
    before = state_of(counter)
    rehearsing = rehearsed(counter)
    foretold = merging.merge(EVE, EVA, rehearsing, reasons=REASONS, by="mia")
    assert state_of(counter) == before
    assert set(rehearsing.book.members(CustomerKey.parse(foretold.leader))) == {EVE, EVA}
    made = merging.merge(EVE, EVA, counter, reasons=REASONS, by="mia")
    assert made == foretold
    rehearsing = rehearsed(counter)
    merging.unmerge(made.id, CustomerKey.parse(made.leader), rehearsing, by="mia")
    assert rehearsing.book.members(EVE) == (EVE,)
    assert set(counter.book.members(EVE)) == {EVE, EVA}


def test_an_operator_takes_nothing_in(counter: CustomerDesk) -> None:
    book = CustomerRehearsal(counter.book)
    with pytest.raises(NotImplementedError):
        book.count_registration("aurora", NOON, minutes=10)


def test_a_decision_that_changes_nothing_says_so(counter: CustomerDesk) -> None:
    before = record(str(EVE), verification=proven())
    assert decided(before, before)["changed"] is False
    after = before.model_copy(update={"revision": 2})
    assert decided(before, after)["changed"] is True


# ---- the way in ----


def test_every_topic_goes_to_its_own_endpoint() -> None:
    for vendor in (of_shopify, of_woocommerce):
        assert all(is_about_customers(topic) for topic in vendor.CUSTOMER_TOPICS)
        assert not any(is_about_customers(topic) for topic in vendor.ORDER_TOPICS)
    assert is_about_customers("customers/data_request")
    assert is_about_customers("shop/redact")


def test_the_endpoint_for_customers() -> None:
    assert Target("t", "https://x", {}).customers_endpoint_of("aurora") == "https://x/webhooks/aurora/customers"
