"""Lives of a person with accounts at two shops and parties in a back office: buyers and staff edit any field at any
time, webhooks come late, twice and out of order, and workers die at any call. Once all is quiet both sides say the
same, one more round writes nothing, and no more was written than was edited.

Each seed is a test of its own, so a failing one is named and replays by itself:
`pytest "tests/simulation/test_maintenance.py::test_both_sides_agree_once_all_is_quiet[seed-17]"`. `SEEDS=…` plays
another number of them.
"""

import os
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.fakes.backoffice import MemoryBackOffice
from shared.backoffices.documents import Address, CustomerCard
from shared.customers.effects import persons_to_bring_together
from shared.customers.maintenance import Side
from shared.customers.merges import Merge
from shared.customers.models import Customer, PostalAddress, ProfileField
from shared.customers.rules import Owner
from shared.kernel.identifiers import CustomerKey
from shared.sync.customers import reconcile
from shared.sync.customers.card import Content, content_of_card, content_of_profile
from shared.sync.customers.feed import FeedDesk, whom_to_look_at
from shared.sync.customers.sides import digests_of
from tests.builders.customers import MARKER
from tests.builders.persons import EVE, OFFICE, SHOPS, TWIN, Persons, shop_rules
from tests.contract.backoffices.world import Killed

SEEDS = int(os.environ.get("SEEDS", "400"))
STEPS = 40
ROUNDS = 6
"""More than enough to come to rest: what is brought together names at most what has to be looked at once more."""
OVERLAP = timedelta(minutes=5)
KEPT_BY_ACCOUNTS = (ProfileField.EMAIL, ProfileField.NAME, ProfileField.LANGUAGE)


class ShorteningOffice(MemoryBackOffice):
    """Has room for one line of a street: what it shows is not what it was given."""

    def save_customer(self, card: CustomerCard) -> str:
        def shortened(address: Address | None) -> Address | None:
            return address.model_copy(update={"street": address.street[:1]}) if address else None

        update = {"billing": shortened(card.billing), "shipping": shortened(card.shipping)}
        return super().save_customer(card.model_copy(update=update))


class Life:
    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - repeatable by its seed
        owner = self.dice.choice([None, Owner.STOREFRONT, Owner.BACKOFFICE, Owner.NEWEST])
        owners = dict.fromkeys(ProfileField, owner) if owner else self._some_owners()
        self.persons = Persons(shop_rules(owners=owners))
        self.shortens = self.dice.random() < 0.5
        if self.shortens:
            self.persons.office = ShorteningOffice(self.persons.tick)
            self.persons.desk = replace(self.persons.desk, office=self.persons.office)
        self.on_the_way: list[Customer] = []
        self.errands: list[CustomerKey] = []
        self.merge: Merge | None = None
        self.was_merged = False
        """What staff change of a merged person's party may stay apart from an account that never said the same."""
        self.last_look: datetime = self.persons.now
        self.said: dict[ProfileField, set[str]] = {what: set() for what in ProfileField}
        self.edits = self.deaths = 0
        for accounts in self.persons.shops.values():
            accounts.told = self.on_the_way.append
        self.persons.register(EVE)
        if self.dice.random() < 0.7:
            self.persons.register(TWIN, phone=None, company="Lamps Ltd", first_name="E.", language="zh-CN")
        self._listen()

    def _some_owners(self) -> dict[ProfileField, Owner]:
        return {what: self.dice.choice(list(Owner)) for what in ProfileField if self.dice.random() < 0.5}

    # ---- what happens ----

    def step(self) -> None:
        self.persons.now += timedelta(milliseconds=self.dice.choice([1, 300, 2_000, 60_000]))
        happening = self.dice.choice(
            [
                self.buyer_edits,
                self.staff_edit,
                self.webhook_arrives,
                self.webhook_arrives,
                self.look_at_feed,
                self.work,
                self.work,
                self.merge_or_part,
            ]
        )
        happening()

    def buyer_edits(self) -> None:
        key = self.dice.choice([key for key in (EVE, TWIN) if key.id in self.persons.shops[key.shop].accounts])
        self.edits += 1
        self.persons.shops[key.shop].edit(key.id, **self.dice.choice(self._buyers_edits()))
        self._listen()

    def _buyers_edits(self) -> list[dict[str, Any]]:
        number = self.dice.randint(1, 4)
        street = PostalAddress(
            name="Eve Shopper",
            address1=f"Weg {number}",
            address2="Hof" if self.dice.random() < 0.5 else None,
            city="Berlin",
            postal_code="10115",
            country_code="DE",
        )
        return [
            {"phone": self.dice.choice([None, f"030 90182{number}"])},
            {"email": f"eve{number}@example.test"},
            {"first_name": "Eve", "last_name": self.dice.choice(["Shopper", "Buyer"])},
            {"language": self.dice.choice(["de-DE", "en"])},
            {"company": self.dice.choice([None, "Lamps Ltd", "Mugs Ltd"])},
            {"billing": self.dice.choice([None, street])},
            {"shipping": street, "phone": f"+49 30 90182{number}"},
        ]

    def staff_edit(self) -> None:
        keys = [key for key in (EVE, TWIN) if str(key) in self.persons.office.customers()]
        if keys:
            self.edits += 1
            key, edit = str(self.dice.choice(keys)), self.dice.choice(self._staffs_edits())
            self.persons.office.edit_customer(key, **edit)
            named = CustomerCard.model_validate({"key": key, "name": "Customer of nobody", **edit})
            self._hear(content_of_card(named))

    def _staffs_edits(self) -> list[dict[str, Any]]:
        number = self.dice.randint(5, 9)
        street = Address(
            name="Eve Shopper", street=(f"Weg {number}",), city="Berlin", postal_code="10115", country="DE"
        )
        return [
            {"phone": self.dice.choice([None, f"+4930 90182{number}"])},
            {"email": self.dice.choice([None, f"eve{number}@example.test"])},
            {"name": self.dice.choice(["Eve Buyer", "Eve Anne Shopper"])},
            {"language": self.dice.choice([None, "fr"])},
            {"billing": self.dice.choice([None, street, street.model_copy(update={"company": "Hats Ltd"})])},
            {"shipping": street, "name": "Eve Moved"},
        ]

    def webhook_arrives(self) -> None:
        if self.on_the_way:
            account = self.dice.choice(self.on_the_way)
            if self.dice.random() < 0.8:
                self.on_the_way.remove(account)
            self._take_in(account)

    def _take_in(self, account: Customer) -> None:
        before = self.persons.book.find(account.key)
        self.persons.deliver(account)
        after = self.persons.book.find(account.key)
        if after is not None and after != before:
            self.errands += persons_to_bring_together(before, after)

    def look_at_feed(self) -> None:
        persons = self.persons
        desk = FeedDesk("erp", frozenset(SHOPS), persons.book, persons.mirrors, MARKER, lambda _shop: "DE")
        found = persons.office.changed_customers(self.last_look - OVERLAP, None)
        self.last_look = persons.now
        self.errands += whom_to_look_at(found.items, desk).leaders

    def merge_or_part(self) -> None:
        if self.dice.random() < 0.6 or not {EVE, TWIN} <= self.persons.book.records.keys():
            return
        before = self.persons.book.records[TWIN]
        if self.merge is None:
            self.merge = self.persons.merge(EVE, TWIN)
            self.was_merged = True
        else:
            self.persons.part(self.merge)
            self.merge = None
        self.errands += persons_to_bring_together(before, self.persons.book.records[TWIN])

    def work(self) -> None:
        if self.errands:
            errand = self.errands.pop(self.dice.randrange(len(self.errands)))
            at = self.dice.randint(1, 12) if self.dice.random() < 0.4 else 0
            if not self._survives(errand, at):
                self.deaths += 1
                self.errands.append(errand)

    def _survives(self, errand: CustomerKey, at: int) -> bool:
        calls = [0]

        def interrupt(_method: str, _when: str) -> None:
            calls[0] += 1
            if calls[0] == at:
                raise Killed

        self.persons.interrupted(interrupt)
        try:
            self._run(errand)
        except Killed:
            return False
        finally:
            self.persons.interrupted(lambda _method, _when: None)
        return True

    def _run(self, errand: CustomerKey) -> None:
        record = self.persons.book.find(errand)
        if record is not None and not record.is_leader:
            self.errands.append(CustomerKey.parse(record.leader))
        elif record is not None:
            self.persons.bring(errand)

    # ---- quiet ----

    def come_to_rest(self) -> None:
        for _ in range(ROUNDS):
            self.dice.shuffle(self.on_the_way)
            while self.on_the_way:
                self._take_in(self.on_the_way.pop())
            self.look_at_feed()
            while self.errands:
                self._run(self.errands.pop())

    def writes(self) -> int:
        return sum(len(accounts.writes) for accounts in self.persons.shops.values())

    def one_more_round(self) -> None:
        self.errands += [EVE, TWIN]
        while self.errands:
            self._run(self.errands.pop())

    def _listen(self) -> None:
        for content in self._accounts().values():
            self._hear(content)

    def _hear(self, content: Content) -> None:
        """Remember every value that a buyer or the staff have ever said of a field."""
        for what, digest in digests_of(content, "DE", MARKER).items():
            self.said[what].add(digest)

    def _accounts(self) -> dict[CustomerKey, Any]:
        return {
            key: content_of_profile(self.persons.personal(key))
            for key in (EVE, TWIN)
            if key.id in self.persons.shops[key.shop].accounts
        }

    # ---- what is true then ----

    def check(self) -> None:
        accounts = self._accounts()
        parties = {EVE: [EVE, TWIN] if self.merge else [EVE], **({} if self.merge else {TWIN: [TWIN]})}
        for leader, members in parties.items():
            if leader in accounts:
                self._check_party(leader, {str(key): accounts[key] for key in members if key in accounts})

    def _check_party(self, leader: CustomerKey, accounts: dict[str, Any]) -> None:
        party = digests_of(content_of_card(self.persons.party(leader)), "DE", MARKER)
        base = self.persons.mirror(leader).base
        assert base.sides[OFFICE].values == party
        assert not any(side.begun for side in base.sides.values())
        assert set(base.sides) == {OFFICE, *accounts}
        for name, content in accounts.items():
            shown = digests_of(content, "DE", MARKER)
            assert base.sides[name].values == shown
            self._check_step(Side(name=name, values=shown), party, base.sides[name].in_step, alone=not self.was_merged)

    def _check_step(
        self, side: Side, party: dict[ProfileField, str], in_step: tuple[ProfileField, ...], *, alone: bool
    ) -> None:
        for what in ProfileField:
            same = side.values.get(what) == party.get(what)
            if self.shortens and what in (ProfileField.BILLING, ProfileField.SHIPPING):
                continue
            is_lacking = what is ProfileField.COMPANY or what in KEPT_BY_ACCOUNTS
            if what in in_step and not (is_lacking and party.get(what) is None):
                assert same, f"{side.name} is not in step with the party: {what}"
            if alone and not self._may_differ(what, side, party):
                assert same, f"{side.name} and the party differ: {what}"

    def _may_differ(self, what: ProfileField, side: Side, party: dict[ProfileField, str]) -> bool:
        """What one side has and the other one lacks: an owner without a value takes none away, an account keeps its
        e-mail address, and a company has no place in a party without an address for invoices."""
        return side.values.get(what) is None or party.get(what) is None


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed-{seed}") for seed in range(SEEDS)])
def test_both_sides_agree_once_all_is_quiet(seed: int) -> None:
    life = Life(seed)
    for _ in range(STEPS):
        life.step()
    life.come_to_rest()
    life.check()
    assert not life.errands
    written, saved = life.writes(), life.persons.mirrors.saves
    parties = life.persons.office.customers()
    life.one_more_round()
    assert (life.writes(), life.persons.mirrors.saves) == (written, saved)
    assert life.persons.office.customers() == parties
    assert written <= 2 * (life.edits + life.deaths)
    for content in life._accounts().values():
        for what, digest in digests_of(content, "DE", MARKER).items():
            assert digest in life.said[what], f"nobody ever said this {what}"


def test_a_worker_that_notes_nothing_of_what_it_began_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the note the party's own manner of showing a dead worker's write is taken for an edit of its staff."""
    monkeypatch.setattr(reconcile, "with_begun", lambda base, *_: base)
    caught = [seed for seed in range(60) if _damages(seed)]
    assert caught


def _damages(seed: int) -> bool:
    try:
        test_both_sides_agree_once_all_is_quiet(seed)
    except AssertionError as error:
        return "nobody ever said" in str(error)
    return False
