"""A customer's whole way, over HTTP and with a real Tryton: registered, verified, kept the same on both sides, joined
with another account and parted again, erased."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from moto.ses.models import ses_backends

from infra.local.intrinsics import ACCOUNT, REGION
from infra.local.shopify_schema import SCHEMA_FILE
from shared.backoffices.documents import CustomerCard
from shared.customers.marks import Marker
from shared.customers.matcher import open_proposals
from shared.customers.merging import accept, unmerge
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerRecord, VerificationState
from shared.customers.rules import CustomerRules
from shared.customers.table import CustomerTable
from shared.dynamodb.table import connect
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import CustomerKey
from shared.orders.lifecycle import ReviewState
from shared.wiring.order_desk import retry_conflicts
from tests.contract.backoffices.tryton_world import TrytonWorld
from tests.e2e.house import House, opened, tryton

pytestmark = pytest.mark.skipif(
    not SCHEMA_FILE.exists(), reason="Shopify's schema is not there: run python -m infra.local.fetch"
)
SENDER = "shop@example.test"
HOME = {
    "first_name": "Anna",
    "last_name": "Müller",
    "address1": "Weg 2",
    "zip": "10115",
    "city": "Berlin",
    "country_code": "DE",
    "country": "Germany",
}


@dataclass
class Place:
    """The house, with its customers."""

    house: House
    customers: CustomerTable

    def settle(self) -> None:
        self.house.settle()

    def record(self, key: CustomerKey) -> CustomerRecord:
        found = self.customers.find(key)
        assert found is not None
        return found

    def party(self, key: CustomerKey) -> CustomerCard | None:
        """What Tryton shows."""
        found = self.house.erp.fresh().find_customer(str(key))
        return found.card if found else None

    def names(self, key: CustomerKey) -> list[str]:
        """Of all parties in Tryton under a key."""
        assert isinstance(self.house.erp, TrytonWorld)
        return self.house.erp.customer_names(str(key))

    def desk(self, shop: str) -> CustomerDesk:
        """As an operator's command has it: merging and parting look up no mark."""
        return CustomerDesk(
            shop=shop,
            book=self.customers,
            storefront=None,
            marker=Marker(b"not needed to merge or part"),
            rules=CustomerRules(),
            clock=utc_now,
            retrying=retry_conflicts,
        )

    def mails_to(self, address: str) -> list[Any]:
        sent = ses_backends[ACCOUNT][REGION].sent_messages
        return [mail for mail in sent if address in str(mail.destinations)]

    def link_in(self, mail: Any, page: str) -> str:
        """The path of the one link to a page of ours."""
        links = set(re.findall(rf"https?://[^/\s\"']+(/{page}/[A-Za-z0-9._-]+)", str(mail.body)))
        (path,) = links
        return str(path)

    def open(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.house.stack.url}{path}")

    def answer(self, path: str, action: str) -> httpx.Response:
        return httpx.post(f"{self.house.stack.url}{path}", data={"action": action})

    def look_twice(self) -> None:
        """Both sides have heard of each other, and of what they heard."""
        for _ in range(2):
            self.settle()
            self.house.look()

    @property
    def writes(self) -> tuple[int, int]:
        """How often each storefront's customers were written to."""
        return self.house.shops.aurora.customers.writes, self.house.shops.borealis.customers.writes


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    mail = {"sender": SENDER, "sender_name": "Example Goods", "notices": ["confirmed"]}
    common = {"buyers": mail, "repair": {"settle_seconds": 0, "check_subscriptions": False}}
    asks = {
        "aurora": {**common, "customers": {"verification": {"ask": "registration"}}},
        "borealis": {**common, "customers": {"verification": {"ask": "first_order"}}},
    }
    with opened(tryton, of_shops=asks) as house:
        house.stack.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        yield Place(house, CustomerTable(connect(), "storebridge-customers"))


def register_at_aurora(place: Place, email: str, **fields: Any) -> CustomerKey:
    number = place.house.shops.aurora.customers.register(email=email, **fields)
    place.settle()
    return CustomerKey.of_account("aurora", number)


def register_at_borealis(place: Place, email: str, **members: str) -> CustomerKey:
    account = place.house.shops.borealis.register(email, **members)
    place.settle()
    return CustomerKey.of_account("borealis", str(account.id))


# ---- registration and verification ----


def test_a_registration_is_one_party_once_it_is_proven_as_the_policy_says(place: Place) -> None:
    key = register_at_aurora(place, "ada@example.test", first_name="Ada", last_name="Lovelace", address=HOME)
    assert place.record(key).verification.state is VerificationState.PENDING
    assert place.party(key) is None
    (mail,) = place.mails_to("ada@example.test")
    path = place.link_in(mail, "verify")

    assert place.open(path).status_code == 200
    assert place.record(key).verification.state is VerificationState.PENDING, "looking is not answering"
    assert place.answer(path, "confirm").status_code == 200
    place.settle()

    verification = place.record(key).verification
    assert (verification.state, verification.by) == (VerificationState.VERIFIED, "link")
    party = place.party(key)
    assert party is not None
    assert (party.name, party.email) == ("Ada Lovelace", "ada@example.test")
    place.look_twice()
    assert place.names(key) == ["Ada Lovelace"]

    for again in (place.answer(path, "decline"), place.open(path)):
        assert again.status_code == 410
        assert "Lovelace" not in again.text
    assert place.record(key).verification.state is VerificationState.VERIFIED


def test_links_that_are_no_good_show_nothing_and_change_nothing(place: Place) -> None:
    key = register_at_aurora(place, "bea@example.test", first_name="Bea")
    (mail,) = place.mails_to("bea@example.test")
    path = place.link_in(mail, "verify")
    forged = path[:-4] + ("AAAA" if not path.endswith("AAAA") else "BBBB")
    shown = {place.open(bad).text for bad in (forged, "/verify/nonsense", "/track/nonsense", f"/track/{path[8:]}")}
    shown |= {place.answer(forged, "confirm").text}
    assert not any("Bea" in page or "bea@" in page for page in shown)
    assert place.record(key).verification.state is VerificationState.PENDING


def test_an_owner_who_says_no_is_believed(place: Place) -> None:
    key = register_at_aurora(place, "cia@example.test", first_name="Cia")
    (mail,) = place.mails_to("cia@example.test")
    place.answer(place.link_in(mail, "verify"), "decline")
    place.settle()
    assert place.record(key).verification.state is VerificationState.REJECTED
    assert place.party(key) is None


def test_a_first_order_waits_until_the_buyer_has_proven_the_address(place: Place) -> None:
    house = place.house
    house.have("MUG", 20)
    key = house.buy("borealis", "MUG", 1)
    record = house.record(key)
    assert [hold.reason.value for hold in record.holds] == ["customer_unverified"]
    buyer = place.customers.customer_of(key)
    assert buyer is not None
    known = place.customers.find_customer(buyer)
    assert known is not None
    assert known.personal.email is not None
    mails = place.mails_to(known.personal.email)
    place.answer(place.link_in(mails[-1], "verify"), "confirm")
    place.settle()
    assert house.record(key).review is ReviewState.RELEASED

    confirmations = [mail for mail in place.mails_to(known.personal.email) if "/track/" in str(mail.body)]
    page = place.open(place.link_in(confirmations[-1], "track"))
    assert page.status_code == 200
    assert record.name in page.text
    assert known.personal.email not in page.text


def test_a_registration_whose_webhook_never_came_is_found(place: Place) -> None:
    shops = place.house.shops
    number = shops.aurora.customers.register(email="gus@example.test", first_name="Gus")
    shops.aurora.customers.take_webhooks()
    hooks = list(shops.borealis.webhooks.registered.values())
    for hook in hooks:
        hook.status = "paused"
    account = shops.borealis.register("hal@example.test", first_name="Hal")
    for hook in hooks:
        hook.status = "active"
    place.settle()
    lost = [CustomerKey.of_account("aurora", number), CustomerKey.of_account("borealis", str(account.id))]
    assert [place.customers.find(key) for key in lost] == [None, None]
    place.house.fire("order-repair")
    assert [str(place.record(key).key) for key in lost] == [str(key) for key in lost]


# ---- both sides ----


def test_a_registration_at_the_other_storefront_is_one_party_at_once(place: Place) -> None:
    key = register_at_borealis(place, "dora@example.test", first_name="Dora", last_name="Maar")
    party = place.party(key)
    assert party is not None
    assert (party.name, party.email) == ("Dora Maar", "dora@example.test")


def test_edits_on_both_sides_at_once_end_the_same_everywhere_and_cause_no_more(place: Place) -> None:
    key = register_at_borealis(place, "emma@example.test", first_name="Emma", last_name="Post")
    place.look_twice()
    shop = place.house.shops.borealis
    account = shop.customers.accounts[int(key.id)]
    staff = place.house.erp

    shop.edit_address(
        account, "billing", first_name="Emma", last_name="Post", address_1="Kade 1", postcode="1011AB",
        city="Amsterdam", country="NL", email="emma@example.test",
    )  # fmt: skip
    staff.edit_customer(str(key), name="Emma Post", email="emma.post@example.test")
    for _ in range(2):
        place.look_twice()

    party = place.party(key)
    assert party is not None
    assert account.email == party.email == "emma.post@example.test"
    assert party.billing is not None
    assert (party.billing.city, account.billing["city"]) == ("Amsterdam", "Amsterdam")

    shop.edit_details(account, last_name="Shopside")
    staff.edit_customer(str(key), name="Emma Erpside", email="emma.post@example.test")
    for _ in range(3):
        place.look_twice()
    party = place.party(key)
    assert party is not None
    assert party.name == f"{account.first_name} {account.last_name}"
    assert party.name in ("Emma Shopside", "Emma Erpside")
    conflicts = list(place.customers.conflicts_of(key))
    assert [conflict.field.value for conflict in conflicts] == ["name"]

    before = place.writes
    changed = place.record(key).revision
    for _ in range(2):
        place.look_twice()
    assert (place.writes, place.record(key).revision) == (before, changed)


# ---- one person, two accounts ----


def test_the_same_person_in_two_shops_is_proposed_merged_and_parted_without_loss(place: Place) -> None:
    first = register_at_borealis(place, "anna.mueller@gmail.com", first_name="Anna", last_name="Mueller")
    second = register_at_aurora(
        place, "annamueller+shop@gmail.com", first_name="Anna", last_name="Müller", phone="+4930901820", address=HOME
    )
    (mail,) = place.mails_to("annamueller+shop@gmail.com")
    place.answer(place.link_in(mail, "verify"), "confirm")
    place.look_twice()
    both = {str(first), str(second)}
    (proposal,) = [one for one in open_proposals(place.customers) if set(one.customers) == both]
    assert "same_mailbox" in {reason.kind for reason in proposal.reasons}
    before = {key: (place.customers.find_customer(key), place.party(key)) for key in (first, second)}

    merge = accept(proposal.id, place.desk("borealis"), by="mia")
    place.look_twice()
    leader = CustomerKey.parse(merge.leader)
    assert {place.record(key).leader for key in (first, second)} == {str(leader)}
    merged = place.party(leader)
    assert merged is not None
    assert merged.phone == "+4930901820", "what only one account knows is known of the person"

    unmerge(merge.id, leader, place.desk("borealis"), by="mia")
    place.look_twice()
    assert [place.record(key).leader for key in (first, second)] == [str(first), str(second)]
    after = {key: (place.customers.find_customer(key), place.party(key)) for key in (first, second)}
    assert after == before


# ---- privacy ----


def test_whoever_asks_for_it_is_forgotten_here_and_in_the_back_office(place: Place) -> None:
    key = register_at_aurora(
        place, "canary@example.test", first_name="Canary", last_name="Quetzal", phone="+4930901821", address=HOME
    )
    (mail,) = place.mails_to("canary@example.test")
    path = place.link_in(mail, "verify")
    place.answer(path, "confirm")
    place.settle()
    assert place.party(key) is not None
    place.house.shops.aurora.customers.ask_for_privacy(key.id, erase=True)
    place.settle()
    place.house.fire("customer-privacy")
    place.look_twice()
    assert place.record(key).erased_at is not None
    assert place.customers.find_customer(key) is None
    assert place.house.erp.traces("Quetzal") == []
    assert place.house.erp.traces("canary@example.test") == []
    everywhere = [
        str(item)
        for table in place.house.stack.deployment.tables
        for item in place.house.stack.clients.dynamodb.scan(TableName=table.name)["Items"]
    ]
    assert not [item for item in everywhere if "Quetzal" in item or "canary@" in item]
    assert "Quetzal" not in place.open(path).text


def test_no_function_failed_and_no_log_names_anybody(place: Place) -> None:
    logs = "\n".join(path.read_text() for path in place.house.stack.logs.glob("*.log"))
    assert "Traceback" not in logs
    for word in ("Lovelace", "Quetzal", "ada@example.test", "Weg 2", "anna.mueller"):
        assert word not in logs
