"""Customers as storefronts tell of them: once, the newest version, whatever came before and in which order."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.customers.intake import Result, take_in
from shared.customers.marks import MarkKind, normal_email
from shared.customers.models import Customer, CustomerSource, MarketingConsent, ProfileField
from shared.customers.ports import CustomerDesk
from shared.customers.readings import CompleteCustomer, CustomerDeleted, CustomerHint
from shared.customers.record import Flag, VerificationState
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import CustomerKey
from tests.builders.customers import MARKER, at, customer, customer_desk, profile, rules
from tests.builders.orders import NOON, version
from tests.fakes.customers import FakeCustomerBook, FakeCustomerSide

KEY = CustomerKey("aurora", "customer", "17")
GUEST = CustomerKey("aurora", "guest", "9f")


def told(desk: CustomerDesk, *accounts: Customer) -> list[Result]:
    return [take_in(CompleteCustomer(account), desk).result for account in accounts]


def record_of(desk: CustomerDesk, key: CustomerKey = KEY) -> Any:
    found = desk.book.find(key)
    assert found is not None
    return found


def personal_of(desk: CustomerDesk, key: CustomerKey = KEY) -> Any:
    found = desk.book.find_customer(key)
    assert found is not None
    return found.personal


def test_a_registration_is_kept_once_and_found_by_its_marks() -> None:
    desk = customer_desk()
    assert told(desk, customer(), customer(), customer()) == [Result.APPLIED, Result.DUPLICATE, Result.DUPLICATE]
    record = record_of(desk)
    assert (record.revision, record.leader, record.source) == (1, str(KEY), CustomerSource.REGISTRATION)
    mark = MARKER.mark(MarkKind.EMAIL, normal_email("EVE@Example.test"))
    assert desk.book.bearers(mark, most=5) == (KEY,)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_account_wins_whatever_comes_first(order: tuple[int, ...]) -> None:
    desk = customer_desk()
    accounts = [customer(minute=minute, body="abc"[minute], personal=profile(first_name=["Ada", "Bea", "Cia"][minute]))
                for minute in range(3)]  # fmt: skip
    told(desk, *(accounts[index] for index in order))
    assert personal_of(desk).first_name == "Cia"


def test_two_accounts_of_one_second_are_settled_by_asking_the_storefront() -> None:
    truth = customer(body="c", version=version(0, "c", observed=1, fetched=True), personal=profile(first_name="Cia"))
    side = FakeCustomerSide(lambda _customer_id: truth)
    desk = customer_desk(storefront=side)
    told(desk, customer(body="a"), customer(body="b"))
    assert (side.asked, personal_of(desk).first_name) == (["17"], "Cia")


def test_what_came_after_we_asked_may_have_been_said_before() -> None:
    at_first, now = (
        customer(body="c", version=version(0, "c", observed=minute, fetched=True), personal=profile(first_name="Cia"))
        for minute in (1, 9)
    )
    desk = customer_desk(storefront=FakeCustomerSide(lambda _customer_id: now))
    assert told(desk, customer(body="a", version=version(0, "a", observed=2)), at_first) == [Result.APPLIED] * 2
    assert personal_of(desk).first_name == "Cia"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_accounts_of_one_second_come_to_one_end_without_asking(order: tuple[int, int]) -> None:
    desk = customer_desk()
    accounts = [customer(body=body, personal=profile(first_name=name)) for body, name in (("a", "Ada"), ("b", "Bea"))]
    told(desk, *(accounts[index] for index in order))
    assert personal_of(desk).first_name == "Bea"


def test_marks_follow_what_the_customer_is_reached_by_now() -> None:
    desk = customer_desk()
    told(desk, customer(), customer(minute=1, body="b", personal=profile(email="new@example.test")))
    borne = {email: desk.book.bearers(MARKER.mark(MarkKind.EMAIL, email), most=5)
             for email in ("eve@example.test", "new@example.test")}  # fmt: skip
    assert borne == {"eve@example.test": (), "new@example.test": (KEY,)}


def test_what_changed_is_known_by_field_and_time() -> None:
    desk = customer_desk()
    told(desk, customer(), customer(minute=5, body="b", personal=profile(phone="+4930901821", first_name="EVE ")))
    changed = record_of(desk).digest.changed_at
    assert changed[ProfileField.PHONE] == NOON + timedelta(minutes=5)
    assert changed[ProfileField.NAME] == NOON, "a spelling is no change"


def test_an_account_counts_more_than_orders_before_and_after_it() -> None:
    desk = customer_desk()
    in_order = customer(source=CustomerSource.ORDER, minute=9, body="o", personal=profile(first_name="Typo"))
    results = told(desk, in_order, customer(), in_order)
    assert results == [Result.APPLIED, Result.APPLIED, Result.SUPERSEDED]
    assert (personal_of(desk).first_name, record_of(desk).source) == ("Eve", CustomerSource.REGISTRATION)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_guest_is_what_all_orders_tell_the_one_placed_last_first(order: tuple[int, int]) -> None:
    desk = customer_desk()
    accounts = [
        customer(str(GUEST), 0, "a", personal=profile(first_name="Old")),
        customer(str(GUEST), 5, "b", personal=profile(first_name="New")),
    ]
    told(desk, *(accounts[index] for index in order))
    assert personal_of(desk, GUEST).first_name == "New"


def test_later_orders_unsay_nothing() -> None:
    desk = customer_desk()
    told(desk, customer(str(GUEST), 0, "a"), customer(str(GUEST), 5, "b", personal=profile(phone=None, billing=None)))
    personal = personal_of(desk, GUEST)
    assert personal.phone is not None
    assert personal.billing is not None


def test_consent_is_carried_and_never_unsaid_by_an_account_that_does_not_tell() -> None:
    desk = customer_desk()
    consent = (MarketingConsent(channel="email", state="subscribed"),)
    told(desk, customer(consents=consent), customer(minute=1, body="b", consents=None))
    assert record_of(desk).consents == consent
    told(desk, customer(minute=2, body="c", consents=()))
    assert record_of(desk).consents == ()


def test_an_account_that_does_not_tell_the_language_does_not_unsay_it() -> None:
    desk = customer_desk()
    told(desk, customer(), customer(minute=1, body="b", personal=profile(language=None)))
    assert personal_of(desk).language == "en"
    assert ProfileField.LANGUAGE in record_of(desk).digest.values


def test_a_hint_is_followed_up() -> None:
    desk = customer_desk(storefront=FakeCustomerSide(lambda _customer_id: customer()))
    assert take_in(CustomerHint("17", "thin"), desk).result is Result.APPLIED
    with pytest.raises(Rejected, match="no_api_access"):
        take_in(CustomerHint("17", "thin"), customer_desk())


def test_a_deletion_is_believed_only_of_who_is_gone() -> None:
    still_there = customer_desk(storefront=FakeCustomerSide(lambda _customer_id: customer(minute=1, body="b")))
    told(still_there, customer())
    take_in(CustomerDeleted("17", NOON), still_there)
    assert record_of(still_there).deleted_at is None


def test_who_is_deleted_leaves_nothing_personal_and_comes_back_if_the_storefront_says_so() -> None:
    there: list[Customer] = []
    desk = customer_desk(storefront=FakeCustomerSide(lambda _customer_id: there[0] if there else None))
    told(desk, customer())
    results = [take_in(CustomerDeleted("17", NOON), desk).result for _ in range(2)]
    assert results == [Result.APPLIED, Result.DUPLICATE]
    record = record_of(desk)
    assert (desk.book.find_customer(KEY), record.digest.values, record.flags) == (None, {}, ())
    assert desk.book.bearers(MARKER.mark(MarkKind.EMAIL, "eve@example.test"), most=5) == ()
    assert told(desk, customer(), customer(minute=1, body="b")) == [Result.SUPERSEDED, Result.SUPERSEDED], "told late"
    assert desk.book.find_customer(KEY) is None
    there.append(customer())
    assert told(desk, customer()) == [Result.APPLIED], "the shop restored it, with an old time"
    assert record_of(desk).deleted_at is None


def test_where_nobody_can_be_asked_what_was_told_before_the_deletion_brings_nobody_back() -> None:
    desk = customer_desk(now=NOON + timedelta(minutes=30))
    told(desk, customer())
    take_in(CustomerDeleted("17", NOON), desk)
    late = [customer(), customer(minute=29, body="b"), customer(minute=29, body="c", source=CustomerSource.ORDER)]
    assert told(desk, *late) == [Result.SUPERSEDED] * 3
    assert (desk.book.find_customer(KEY), record_of(desk).deleted_at is None) == (None, False)
    assert told(desk, customer(minute=31, body="d")) == [Result.APPLIED], "somebody had only said that it was deleted"
    assert record_of(desk).deleted_at is None


def test_what_was_fetched_before_the_deletion_is_no_proof_that_the_account_is_there() -> None:
    desk = customer_desk(now=NOON + timedelta(minutes=30))
    told(desk, customer())
    take_in(CustomerDeleted("17", NOON), desk)
    before, after = (version(1, "b", observed=minute, fetched=True) for minute in (29, 31))
    assert told(desk, customer(minute=1, version=before)) == [Result.SUPERSEDED]
    assert told(desk, customer(minute=1, version=after)) == [Result.APPLIED]


def test_an_order_that_was_placed_before_the_deletion_brings_no_buyer_back() -> None:
    desk = customer_desk(now=NOON + timedelta(minutes=30))
    told(desk, customer(source=CustomerSource.ORDER))
    take_in(CustomerDeleted("17", NOON), desk)
    edited = customer(source=CustomerSource.ORDER, version=version(0, "b", observed=40))
    later = customer(minute=31, body="c", source=CustomerSource.ORDER)
    assert told(desk, edited, later) == [Result.SUPERSEDED, Result.APPLIED]


def test_whoever_was_never_known_is_not_deleted() -> None:
    assert take_in(CustomerDeleted("99", NOON), customer_desk()).result is Result.IGNORED


def test_nothing_of_an_erased_customer_is_taken_in_again() -> None:
    desk = customer_desk()
    told(desk, customer())
    book = desk.book
    assert isinstance(book, FakeCustomerBook)
    book.records[KEY] = record_of(desk).model_copy(update={"erased_at": NOON})
    del book.customers[KEY]
    assert told(desk, customer(minute=9, body="z")) == [Result.ERASED]
    assert book.find_customer(KEY) is None


def test_another_address_is_not_verified_by_the_first_one() -> None:
    trusting = rules(verification={"trust_storefront": True})
    desk = customer_desk(policy=trusting)
    told(desk, customer(email_verified_by_storefront=True))
    assert record_of(desk).verification.state is VerificationState.VERIFIED
    told(desk, customer(minute=1, body="b", personal=profile(email="new@example.test")))
    assert record_of(desk).verification.state is VerificationState.UNVERIFIED


def test_the_storefronts_word_counts_only_where_it_is_trusted() -> None:
    desk = customer_desk(policy=rules())
    told(desk, customer(email_verified_by_storefront=True))
    assert record_of(desk).verification.state is VerificationState.UNVERIFIED


def test_a_disposable_address_waits_for_a_person_until_it_is_gone() -> None:
    desk = customer_desk()
    told(desk, customer(personal=profile(email="x@mailinator.com")))
    record = record_of(desk)
    assert [flag.flag for flag in record.flags] == [Flag.EMAIL_DISPOSABLE]
    assert record.attention_since == NOON
    told(at(desk, NOON + timedelta(hours=1)), customer(minute=1, body="b"))
    assert record_of(desk).attention_since is None


def test_a_conflict_counts_a_registration_once() -> None:
    class Contested(FakeCustomerBook):
        refusals = 3

        def commit(self, commit: Any) -> None:
            if self.refusals:
                self.refusals -= 1
                raise Conflict("changed_meanwhile", "")
            super().commit(commit)

    book = Contested()
    told(customer_desk(book), customer(registered_at=NOON))
    assert set(book.counters.values()) == {1}


def test_a_burst_stays_flagged_when_the_customer_is_revised() -> None:
    desk = customer_desk(policy=rules(suspicion={"burst_registrations": 2}))
    for number in range(4):
        told(desk, customer(f"aurora/customer/{number}", personal=profile(email=f"{number}@gmail.com")))
    last = CustomerKey("aurora", "customer", "3")
    told(desk, customer(str(last), 1, "b", personal=profile(email="3@gmail.com", first_name="Eva")))
    assert Flag.SIGNUP_BURST in {flag.flag for flag in record_of(desk, last).flags}
    assert record_of(desk, CustomerKey("aurora", "customer", "0")).flags == ()
