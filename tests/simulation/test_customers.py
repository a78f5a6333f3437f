"""Lives of customers of two shops: accounts and guests, deliveries that come late, twice, out of order or never, links
that are followed at any time, operators who join and part, erasures in between, and workers that die at any call.

What has to hold is checked after every step; what has to come of it, once all is quiet. Each seed is a test of its own,
so a failing one is named and replays by itself:
`pytest "tests/simulation/test_customers.py::test_customers_stay_true[seed-17]"`. `SEEDS=…` plays another number.
"""

import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pynamodb.connection import Connection

from shared.customers.conflicts import EditConflict
from shared.customers.effects import changes_standing, events_of, wants_link
from shared.customers.intake import Outcome, take_in
from shared.customers.marks import Mark
from shared.customers.matcher import match, open_proposals
from shared.customers.merges import Merge
from shared.customers.merging import accept, dismiss, follow_storefront, merge, unmerge
from shared.customers.models import Customer, CustomerSource, PostalAddress, Profile, ProfileField
from shared.customers.ports import CustomerBook, CustomerDesk
from shared.customers.readings import (
    CompleteCustomer,
    CustomerDeleted,
    CustomerHint,
    CustomersMerged,
    PrivacyCall,
    PrivacyTopic,
)
from shared.customers.record import CustomerRecord, VerificationState
from shared.customers.rules import AskFor
from shared.customers.table import CustomerTable
from shared.customers.verification import STOREFRONT
from shared.customers.verify import (
    VERIFY,
    Occasion,
    approve,
    ask,
    ask_again,
    confirm,
    decline,
    nonce_of,
    overrule_flags,
    reject,
    reopen,
)
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.kernel.links import Link
from shared.kernel.versions import Version
from shared.orders.models import Order, PersonalData
from shared.sync.customers.learn import learn
from shared.sync.privacy.erase import work_on
from shared.sync.privacy.requests import open_erasure, open_request
from tests.builders.customers import MARKER, customer, customer_desk, marks_borne, rules
from tests.builders.orders import order
from tests.contract.backoffices.world import Killed
from tests.fakes.customers import FakeCustomerBook, FakeCustomerSide
from tests.fakes.privacy import PrivacyHouse

SEEDS = int(os.environ.get("SEEDS", "240"))
TABLE_SEEDS = max(1, SEEDS // 60)
"""Of the same lives on a real engine, which takes longer."""
STEPS = 45
SHOPS = ("aurora", "borealis")
STAFF = "mia"

EMAILS = (
    "eve@example.test",
    "Eve@Example.test",
    "eve+news@example.test",
    "adam@example.test",
    "eve@mailinator.com",
    None,
)
PHONES = ("030 901820", "+4930901820", "030 901821", None)
NAMES = (("Eve", "Shopper"), ("E.", "Shopper"), ("Adam", "Smith"), (None, None))
STREETS = ("Weg 2", "Weg 4")


class Stream:
    """What the table's stream tells: each record before and after, one customer's in their order."""

    def __init__(self) -> None:
        self.changes: list[tuple[CustomerRecord | None, CustomerRecord]] = []

    def add(self, old: CustomerRecord | None, new: CustomerRecord) -> None:
        if old is not None:
            assert new.revision == old.revision + 1, "revisions grow by one"
            assert new.erased_at == old.erased_at or old.erased_at is None, "an erasure is never taken back"
            if old.source is new.source:
                assert new.version.updated_at >= old.version.updated_at, "versions never fall back"
            assert not (old.source is CustomerSource.REGISTRATION and new.source is CustomerSource.ORDER)
            before, now = old.verification, new.verification
            if now.state is VerificationState.VERIFIED and now.mark not in (before.mark, None):
                assert now.by == STOREFRONT, "one address proves nothing of another: only a trusted shop can say so"
        self.changes.append((old, new))


class Mortal:
    """The book in the hands of a worker that may die before or after any call, and whom others overtake."""

    def __init__(self, book: Any, stream: Stream, dice: random.Random) -> None:
        self._book = book
        self._stream = stream
        self._dice = dice
        self.dies = 0.0
        self.overtaken: Callable[[], None] | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._book, name)
        if not callable(found):
            return found
        return partial(self._called, name, found)

    def _called(self, name: str, found: Callable[..., Any], *args: Any, **named: Any) -> Any:
        self._tick()
        if name in ("commit", "commit_merge") and self.overtaken is not None and self._dice.random() < 0.1:
            others, self.overtaken = self.overtaken, None
            others()
            self.overtaken = others
        records: tuple[CustomerRecord, ...] = ()
        if name == "commit":
            records = (args[0].record,)
        elif name == "commit_merge":
            records = args[0].records
        before = self._book.find_many(record.key for record in records) if records else {}
        answer = found(*args, **named)
        for record in records:
            self._stream.add(before.get(record.key), record)
        if isinstance(answer, Iterator):
            answer = list(answer)
        self._tick()
        return iter(answer) if isinstance(answer, list) else answer

    def _tick(self) -> None:
        if self._dice.random() < self.dies:
            raise Killed


@dataclass
class Shop:
    """A storefront: its accounts as they are now."""

    name: str
    accounts: dict[str, Customer] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Mail:
    """A link that was sent, and to which address."""

    link: Link
    mark: str


Message = Callable[[], object]


class Life:
    def __init__(self, seed: int, book: CustomerBook) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - repeatable by its seed
        self.house = PrivacyHouse()
        self.stream = Stream()
        self.real = book
        self.book: Any = Mortal(book, self.stream, self.dice)
        self.house.customers = self.book  # type: ignore[assignment] # it answers as the book does
        self.asks = self.dice.choice(list(AskFor))
        self.policy = rules(
            ask=self.asks,
            verification={"trust_storefront": self.dice.random() < 0.3},
            automatically=self.dice.choice([(), ("verified_email",), ("verified_email", "phone_and_name")]),
        )
        self.has_api = {shop: self.dice.random() < 0.6 for shop in SHOPS}
        self.shops = {name: Shop(name) for name in SHOPS}
        self.waiting: list[Message] = []
        self.relayed = 0
        self.mails: list[Mail] = []
        self.followed: set[tuple[str, str]] = set()
        self.orders: list[Order] = []
        self.numbers = 0
        self.requests: set[str] = set()
        self.known_when_deleted: set[str] = set()
        """Nobody remembers that an account was deleted that they never knew."""

    # ---- desks ----

    def desk(self, shop: str) -> CustomerDesk:
        storefront = FakeCustomerSide(partial(self._fetch, shop)) if self.has_api[shop] else None
        return customer_desk(
            self.book,
            shop=shop,
            storefront=storefront,
            policy=self.policy,
            clock=lambda: self.house.now,
        )

    def _fetch(self, shop: str, customer_id: str) -> Customer | None:
        found = self.shops[shop].accounts.get(customer_id)
        if found is None:
            return None
        told = {"observed_at": as_sortable(self.house.now), "fetched": True, "body_sha256": f"of {customer_id} by us"}
        return found.model_copy(update={"version": found.version.model_copy(update=told)})

    def _version(self) -> Version:
        """Of now: no two steps are at one moment."""
        now = as_sortable(self.house.now)
        return Version(updated_at=now, observed_at=now, body_sha256=f"{self.dice.getrandbits(64):016x}")

    def _records(self) -> list[CustomerRecord]:
        return sorted(self.real.all_records(), key=lambda record: str(record.key))

    def _some(self) -> CustomerKey | None:
        found = self._records()
        return self.dice.choice(found).key if found else None

    # ---- what happens at the shops ----

    def _profile(self) -> Profile:
        first, last = self.dice.choice(NAMES)
        home = PostalAddress(
            first_name=first,
            last_name=last,
            address1=self.dice.choice(STREETS),
            city="Berlin",
            postal_code="10115",
            country_code="DE",
        )
        address = self.dice.choice([home, None])
        return Profile(
            email=self.dice.choice(EMAILS),
            phone=self.dice.choice(PHONES),
            first_name=first,
            last_name=last,
            billing=address,
            shipping=address,
        )

    def _account(self, shop: str, customer_id: str) -> Customer:
        before = self.shops[shop].accounts.get(customer_id)
        return customer(
            f"{shop}/customer/{customer_id}",
            version=self._version(),
            updated_at=self.house.now,
            registered_at=before.registered_at if before else self.house.now,
            email_verified_by_storefront=self.dice.choice([None, True, False]),
            personal=self._profile(),
        )

    def register_or_edit(self) -> None:
        shop = self.dice.choice(SHOPS)
        known = sorted(self.shops[shop].accounts)
        if known and self.dice.random() < 0.6:
            customer_id = self.dice.choice(known)
        else:
            self.numbers += 1
            customer_id = str(self.numbers)
        account = self._account(shop, customer_id)
        self.shops[shop].accounts[customer_id] = account
        self._announce(partial(self.hears_account, account))

    def account_is_deleted(self) -> None:
        shop = self.dice.choice(SHOPS)
        known = sorted(self.shops[shop].accounts)
        if known:
            customer_id = self.dice.choice(known)
            self._remove(shop, customer_id)
            self._announce(partial(self.hears_deletion, shop, customer_id, self.house.now))

    def shop_merges(self) -> None:
        shop = self.dice.choice(SHOPS)
        known = sorted(self.shops[shop].accounts)
        if len(known) > 1:
            kept, gone = self.dice.sample(known, 2)
            self._remove(shop, gone)
            self._announce(partial(self.hears_merge, shop, CustomersMerged(kept, gone, self.house.now)))

    def _remove(self, shop: str, customer_id: str) -> None:
        del self.shops[shop].accounts[customer_id]
        self.shops[shop].gone.add(customer_id)

    def somebody_buys(self) -> None:
        shop = self.dice.choice(SHOPS)
        self.numbers += 1
        accounts = sorted(self.shops[shop].accounts)
        customer_id = self.dice.choice([None, "0", *accounts])
        told = self._profile()
        personal = PersonalData(
            customer_id=customer_id, email=told.email, phone=told.phone, first_name=told.first_name,
            last_name=told.last_name, billing_address=told.billing, shipping_address=told.shipping,
        )  # fmt: skip
        made = order(
            shop=shop,
            order_id=str(self.numbers),
            version=self._version(),
            created_at=self.house.now,
            processed_at=self.house.now,
            personal=personal,
        )
        self.orders.append(made)
        self.house.orders.write_account(made)
        self._announce(partial(self.hears_order, made.key))

    def order_is_edited(self) -> None:
        if self.orders:
            at = self.dice.randrange(len(self.orders))
            edited = self.orders[at].model_copy(update={"version": self._version(), "updated_at": self.house.now})
            self.orders[at] = edited
            self.house.orders.write_account(edited)
            self._announce(partial(self.hears_order, edited.key))

    def _announce(self, message: Message) -> None:
        """Once, twice, or never."""
        self.waiting += [message] * self.dice.choice([0, 1, 1, 1, 2])

    # ---- what we hear of it ----

    def hears_account(self, account: Customer) -> None:
        desk = self.desk(account.shop)
        reading = CompleteCustomer(account)
        if self.has_api[account.shop] and self.dice.random() < 0.2:
            self._followed_up(take_in(CustomerHint(account.customer_id, "thin"), desk), desk, Occasion.REGISTRATION)
        else:
            self._followed_up(take_in(reading, desk), desk, Occasion.REGISTRATION)

    def hears_deletion(self, shop: str, customer_id: str, at: datetime) -> None:
        outcome = take_in(CustomerDeleted(customer_id, at), self.desk(shop))
        if outcome.record is not None:
            self.known_when_deleted.add(str(outcome.key))

    def hears_merge(self, shop: str, reading: CustomersMerged) -> None:
        desk = self.desk(shop)
        if desk.storefront is not None:
            take_in(CustomerHint(reading.kept, "merged"), desk)
        follow_storefront(reading, desk)

    def hears_order(self, key: OrderKey) -> None:
        account = self.house.orders.find_account(key)
        if account is not None:
            desk = self.desk(key.shop)
            self._followed_up(learn(account, desk), desk, Occasion.ORDER)

    def hears_call(self, shop: str, call: PrivacyCall) -> None:
        self.requests.add(open_request(shop, call, self.house.desk()).id)

    def _followed_up(self, outcome: Outcome, desk: CustomerDesk, occasion: Occasion) -> None:
        record = outcome.record
        if record is None or record.erased_at or record.deleted_at:
            return
        match(record.key, desk, rules_of=lambda _shop: self.policy)
        ask(record.key, desk, occasion=occasion)

    def message_arrives(self) -> None:
        if self.waiting:
            at = self.dice.randrange(len(self.waiting)) if self.dice.random() < 0.5 else 0
            message = self.waiting.pop(at)
            self._worked(message, self.waiting.append)

    def relay(self) -> None:
        """The next change of the stream; a worker that dies is given it again."""
        if self.relayed < len(self.stream.changes):
            old, new = self.stream.changes[self.relayed]
            assert events_of(old, new) == events_of(old, new)

            def pass_on() -> None:
                if wants_link(old, new):
                    self._send_link(new.key, new.verification.asked)
                if changes_standing(old, new):
                    match(new.key, self.desk(new.shop), rules_of=lambda _shop: self.policy)

            if self._worked(pass_on, lambda _message: None):
                self.relayed += 1

    def _send_link(self, key: CustomerKey, asked: int) -> None:
        record = self.book.find(key)
        if record is None or record.verification.asked != asked or record.verification.mark is None:
            return
        if record.verification.state is VerificationState.PENDING:
            account = self.book.find_customer(key)
            if account is not None and account.personal.email:
                link = Link(VERIFY, str(key), self.house.now + timedelta(hours=48), nonce_of(record, MARKER))
                self.mails.append(Mail(link, MARKER.email(account.personal.email)))

    # ---- what people do ----

    def link_is_followed(self) -> None:
        if not self.mails:
            return
        mail = self.dice.choice(self.mails)
        key = CustomerKey.parse(mail.link.subject)
        before = self.real.find(key)
        assert before is not None
        says = self.dice.choice([confirm, confirm, decline])

        def follow() -> None:
            refusal = _refusal(partial(says, mail.link, self.desk(key.shop), self.house.now))
            if refusal is not None:
                assert refusal in ("link_used", "link_invalid")
                return
            name = (str(key), mail.link.nonce)
            assert name not in self.followed, "a link answers once"
            self.followed.add(name)
            now = self.real.find(key)
            assert now is not None
            assert now.verification.mark == mail.mark, "an answer is about the address that the mail went to"
            assert nonce_of(now, MARKER) == mail.link.nonce, "only the newest link holds"

        self._worked(follow, lambda _message: None)

    def staff_joins(self) -> None:
        a, b = self._some(), self._some()
        if a is not None and b is not None:
            self._staff(partial(merge, a, b, self.desk(a.shop), reasons=(), by=STAFF))

    def staff_parts(self) -> None:
        standing = self.standing()
        if standing:
            made = self.dice.choice(standing)
            leader = CustomerKey.parse(made.leader)
            self._staff(partial(unmerge, made.id, leader, self.desk(leader.shop), by=STAFF))

    def staff_decides_proposal(self) -> None:
        proposals = list(open_proposals(self.real))
        if proposals:
            decides = self.dice.choice([accept, dismiss])
            self._staff(partial(decides, self.dice.choice(proposals).id, self.desk("aurora"), by=STAFF))

    def staff_decides_customer(self) -> None:
        key = self._some()
        if key is not None:
            does = self.dice.choice([approve, reject, reopen, overrule_flags, ask_again])
            self._staff(partial(does, key, self.desk(key.shop), by=STAFF))

    def somebody_wants_to_be_erased(self) -> None:
        key = self._some()
        if key is None:
            return
        if self.dice.random() < 0.5:
            self._staff(
                lambda: self.requests.add(
                    open_erasure(key, by=STAFF, desk=self.house.desk(), only_this=self.dice.random() < 0.5).id
                )
            )
        elif not key.is_guest:
            account = self.shops[key.shop].accounts.get(key.id)
            named = tuple(
                one.order_id for one in self.orders if one.shop == key.shop and one.personal.customer_id == key.id
            )
            email = account.personal.email if account else None
            if key.id in self.shops[key.shop].accounts:
                self._remove(key.shop, key.id)
            self._announce(
                partial(
                    self.hears_call,
                    key.shop,
                    PrivacyCall(PrivacyTopic.REDACT, self.house.now, key.id, email=email, orders=named),
                )
            )

    def erasure_goes_on(self) -> None:
        if self.requests:
            request = self.dice.choice(sorted(self.requests))
            self._worked(lambda: self._work_on(request), lambda _message: None)

    def _work_on(self, request: str) -> None:
        try:
            work_on(request, self.house.desk(), self.house.worker())
        except Conflict as error:
            assert error.code in ("taken", "changed_meanwhile")  # noqa: PT017

    def edits_collide(self) -> None:
        key = self._some()
        found = self.real.find(key) if key else None
        if found is None or found.erased_at:
            return
        leader = self.real.find(CustomerKey.parse(found.leader))
        if leader is not None and not leader.erased_at:
            self.real.keep_conflict(
                EditConflict(
                    leader=found.leader,
                    field=ProfileField.PHONE,
                    winner="backoffice/erp",
                    loser=str(found.key),
                    kept="+49 30 901820",
                    lost="+49 30 901821",
                    reason="newest",
                    at=self.house.now,
                )
            )

    def time_passes(self) -> None:
        self.house.now += timedelta(minutes=self.dice.choice([1, 30, 24 * 60, 6 * 24 * 60]))

    def _staff(self, does: Callable[[], object]) -> None:
        self._worked(lambda: _refusal(does), lambda _message: None)

    def _worked(self, does: Message, again: Callable[[Message], None]) -> bool:
        self.book.dies = self.dice.choice([0.0, 0.0, 0.05])
        self.book.overtaken = self._others if self.dice.random() < 0.4 else None
        try:
            does()
        except Killed:
            again(does)
            return False
        finally:
            self.book.dies = 0.0
            self.book.overtaken = None
        return True

    def _others(self) -> None:
        """Another worker, who does not die, does something in between."""
        dies, self.book.dies = self.book.dies, 0.0
        happening = self.dice.choice(
            [self.quick_message, self.quick_message, self.quick_merge, self.quick_part, self.quick_erasure]
        )
        happening()
        self.book.dies = dies

    def quick_message(self) -> None:
        if self.waiting:
            self.waiting.pop(self.dice.randrange(len(self.waiting)))()

    def quick_merge(self) -> None:
        a, b = self._some(), self._some()
        if a is not None and b is not None:
            _refusal(partial(merge, a, b, self.desk(a.shop), reasons=(), by=STAFF))

    def quick_part(self) -> None:
        standing = self.standing()
        if standing:
            made = self.dice.choice(standing)
            _refusal(partial(unmerge, made.id, CustomerKey.parse(made.leader), self.desk("aurora"), by=STAFF))

    def quick_erasure(self) -> None:
        if self.requests:
            self._work_on(self.dice.choice(sorted(self.requests)))

    # ---- what must hold ----

    def standing(self) -> list[Merge]:
        found = [made for record in self._records() for made in self.real.merges_of(record.key) if made.stands]
        return sorted(found, key=lambda made: (made.at, made.id))

    def step(self) -> None:
        self.house.now += timedelta(seconds=self.dice.choice([1, 20, 60, 600]))
        happenings = [
            (self.register_or_edit, 6), (self.account_is_deleted, 1), (self.shop_merges, 1), (self.somebody_buys, 4),
            (self.order_is_edited, 2), (self.message_arrives, 14), (self.relay, 10), (self.link_is_followed, 4),
            (self.staff_joins, 2), (self.staff_parts, 2), (self.staff_decides_proposal, 2),
            (self.staff_decides_customer, 2), (self.somebody_wants_to_be_erased, 1), (self.erasure_goes_on, 2),
            (self.edits_collide, 1), (self.time_passes, 1),
        ]  # fmt: skip
        happening = self.dice.choices([one for one, _ in happenings], [weight for _, weight in happenings])[0]
        happening()

    def check(self) -> None:
        records = {record.key: record for record in self.real.all_records()}
        following: dict[CustomerKey, set[CustomerKey]] = {}
        for key, record in records.items():
            leader = CustomerKey.parse(record.leader)
            assert records[leader].is_leader, f"{key} goes by {leader}, which does not lead"
            following.setdefault(leader, set()).add(key)
            if record.erased_at:
                self._check_erased(record)
            else:
                assert records[leader].erased_at is None, f"{key} goes by {leader}, who is erased"
            verification = record.verification
            account = self.real.find_customer(key)
            if verification.state is VerificationState.VERIFIED and account and account.personal.email:
                assert verification.mark == MARKER.email(account.personal.email), "proven is this address only"
        self._check_marks(records)
        for key in records:
            assert set(self.real.members(key)) == following.get(key, set()) | {key}

    def _check_erased(self, record: CustomerRecord) -> None:
        assert self.real.find_customer(record.key) is None
        left = (record.flags, record.consents, record.digest.values, record.verification.mark, record.attention_since)
        assert not any(left)

    def _check_marks(self, keys: Iterable[CustomerKey]) -> None:
        bearers: dict[Mark, set[CustomerKey]] = {mark: set() for mark in ALL_MARKS}
        for key in keys:
            account = self.real.find_customer(key)
            for mark in marks_borne(account.personal) if account else ():
                bearers[mark].add(key)
        for mark, expected in bearers.items():
            assert set(self.real.bearers(mark, most=1000)) == expected, f"who bears one of kind {mark.kind}"

    # ---- once all is quiet ----

    def quieten(self) -> None:
        """Everything arrives, the repair tells the newest of every account, and time goes by."""
        for name, shop in self.shops.items():
            for customer_id in sorted(shop.gone):  # before whatever else is still on its way
                self.hears_deletion(name, customer_id, self.house.now)
        for _ in range(20):
            self.dice.shuffle(self.waiting)
            waiting, self.waiting = self.waiting, []
            for message in waiting:
                message()
            self._relay_all()
            self.house.now += timedelta(days=6)
            for request in sorted(self.requests):
                self._work_on(request)
            if not self.waiting and not list(self.house.book.unfinished()):
                break
        for name, shop in self.shops.items():
            for customer_id in sorted(shop.accounts):
                desk = self.desk(name)
                outcome = take_in(CompleteCustomer(shop.accounts[customer_id]), desk)
                self._followed_up(outcome, desk, Occasion.REGISTRATION)
        self._relay_all()
        self.check()

    def _relay_all(self) -> None:
        while self.relayed < len(self.stream.changes):
            self.relay()

    def check_end(self) -> None:
        for request in self.requests:
            found = self.house.book.find(request)
            assert found is not None
            assert found.state == "done", f"{request} is {found.state} {found.failed_code}"
        for record in self._records():
            if record.kind == "customer" and record.source is CustomerSource.REGISTRATION and not record.erased_at:
                now = self.shops[record.shop].accounts.get(record.customer_id)
                kept = self.real.find_customer(record.key)
                if str(record.key) in self.known_when_deleted or now is not None:
                    assert (record.deleted_at is None) == (now is not None), f"{record.key} is there or gone"
                if now is not None:
                    assert kept is not None
                    assert kept.personal == now.personal, "the newest account counts"
        erased = {str(record.key) for record in self._records() if record.erased_at}
        for record in self._records():
            for conflict in self.real.conflicts_of(record.key):
                assert erased.isdisjoint((conflict.leader, conflict.winner, conflict.loser)), (
                    "a conflict is left of who is erased"
                )

    def part_all(self) -> None:
        for _ in range(100):
            standing = self.standing()
            if not standing:
                break
            for made in reversed(standing):
                leader = CustomerKey.parse(made.leader)
                refusal = _refusal(partial(unmerge, made.id, leader, self.desk("aurora"), by=STAFF))
                assert refusal in (None, "merged_since")
                self.check()
        assert self.standing() == []
        for record in self._records():
            assert record.is_leader, f"{record.key} goes by {record.leader} after all was undone"


def _refusal(does: Callable[[], object]) -> str | None:
    """The code with which it was refused; None where it was done."""
    try:
        does()
    except Rejected as error:
        return error.code
    return None


def _all_marks() -> set[Mark]:
    found: set[Mark] = set()
    for email in EMAILS:
        for phone in PHONES:
            for first, last in NAMES:
                for street in STREETS:
                    home = PostalAddress(
                        first_name=first,
                        last_name=last,
                        address1=street,
                        city="Berlin",
                        postal_code="10115",
                        country_code="DE",
                    )
                    found |= marks_borne(
                        Profile(email=email, phone=phone, first_name=first, last_name=last, billing=home, shipping=home)
                    )
    return found


ALL_MARKS = sorted(_all_marks())


def play(seed: int, book: CustomerBook, *, check_every: int = 1) -> None:
    life = Life(seed, book)
    for number in range(STEPS):
        life.step()
        if number % check_every == 0:
            life.check()
    life.quieten()
    life.check_end()
    life.part_all()


@pytest.mark.parametrize("seed", range(SEEDS), ids=lambda seed: f"seed-{seed}")
def test_customers_stay_true(seed: int) -> None:
    play(seed, FakeCustomerBook())


@pytest.mark.parametrize("seed", range(TABLE_SEEDS), ids=lambda seed: f"seed-{seed}")
def test_customers_stay_true_in_the_table(seed: int, connection: Connection, table_names: dict[str, str]) -> None:
    play(seed, CustomerTable(connection, table_names["customers"]), check_every=STEPS)
