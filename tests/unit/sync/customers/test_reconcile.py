"""One person's accounts and the party: created, kept the same both ways, merged and parted; any worker may die."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from shared.backoffices.cards import address_of
from shared.backoffices.documents import Address, CustomerCard
from shared.customers.models import Customer, PostalAddress, ProfileField
from shared.customers.record import CustomerFlag, Flag, Verification, VerificationState
from shared.customers.rules import AskFor, CustomerRules, Owner
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import CustomerKey
from shared.orders.models import PersonalData
from shared.sync.backoffice.customer import customer_of
from shared.sync.customers.buyers import Buyers
from tests.builders.customers import HOME, MARKER, customer, kept, proven, revised
from tests.builders.orders import order
from tests.builders.persons import EVE, OFFICE, TWIN, Persons, shop_rules
from tests.contract.backoffices.world import Killed

WORK = PostalAddress(
    first_name="Eve",
    last_name="Shopper",
    name="Eve Shopper",
    company="Lamps Ltd",
    address1="Allee 7",
    address2="Hof",
    city="Hamburg",
    postal_code="20095",
    country_code="DE",
)


@pytest.fixture
def persons() -> Persons:
    return Persons()


def met(**fields: Any) -> Persons:
    world = Persons()
    world.register(**fields)
    world.bring()
    return world


# ---- one party for each person ----


def test_a_registration_becomes_one_party(persons: Persons) -> None:
    persons.register(language="en-GB", company="Lamps Ltd")
    assert persons.bring().written
    home = Address(name="Eve Shopper", street=("Weg 2",), postal_code="10115", city="Berlin", country="DE")
    assert persons.office.customers() == {
        str(EVE): CustomerCard(
            key=str(EVE),
            name="Eve Shopper",
            email="eve@example.test",
            phone="+4930901820",
            language="en",
            billing=home.model_copy(update={"company": "Lamps Ltd"}),
            shipping=home,
        )
    }
    assert persons.bring().written == ()


@pytest.mark.parametrize(
    ("of_record", "is_made"),
    [
        ({}, False),
        ({"verification": Verification(state=VerificationState.PENDING)}, False),
        ({"verification": Verification(state=VerificationState.REJECTED)}, False),
        ({"verification": proven()}, True),
        ({"verification": proven(), "flags": (CustomerFlag(flag=Flag.SIGNUP_BURST),)}, False),
        ({"verification": proven(), "flags": (CustomerFlag(flag=Flag.EMAIL_DISPOSABLE),)}, False),
        ({"verification": proven(), "flags": (CustomerFlag(flag=Flag.PHONE_INVALID),)}, True),
    ],
)
def test_where_the_address_is_to_be_proven_first_nobody_else_gets_in(of_record: dict[str, Any], is_made: bool) -> None:
    persons = Persons(shop_rules(ask=AskFor.REGISTRATION))
    kept(persons.book, customer(), **of_record)
    persons.bring()
    assert (str(EVE) in persons.office.customers()) is is_made
    assert bool(persons.mirrors.mirrors) is is_made


def test_a_party_that_an_order_made_is_kept_whatever_the_policy(persons: Persons) -> None:
    persons = Persons(shop_rules(ask=AskFor.REGISTRATION))
    persons.office.save_customer(CustomerCard(key=str(EVE), name="Eve Shopper"))
    persons.register()
    persons.bring()
    assert persons.party().phone == "+4930901820"


def test_a_guest_makes_no_party_and_fills_one(persons: Persons) -> None:
    guest = CustomerKey("aurora", "guest", "9f")
    kept(persons.book, customer(str(guest)))
    persons.bring(guest)
    assert not persons.office.customers()
    persons.office.save_customer(CustomerCard(key=str(guest), name="Guest of aurora"))
    persons.bring(guest)
    assert persons.party(guest).email == "eve@example.test"
    assert persons.party(guest).name == "Eve Shopper"
    persons.edit_party(guest, phone="+4930901821")
    assert persons.bring(guest).written == ()


def test_who_is_not_known_or_erased_is_left_alone(persons: Persons) -> None:
    assert persons.bring().reason
    persons.register()
    persons.book.records[EVE] = revised(persons.book.records[EVE], erased_at=persons.now)
    assert persons.bring().reason
    assert not persons.office.customers()


def test_an_account_of_which_all_is_withheld_changes_nothing() -> None:
    persons = met()
    before = persons.party()
    persons.deliver(
        persons.shops["aurora"]
        .stated("17")
        .model_copy(
            update={
                "personal": customer().personal.model_copy(
                    update={
                        "email": None,
                        "phone": None,
                        "first_name": None,
                        "last_name": None,
                        "language": None,
                        "billing": PostalAddress(city="Berlin", country_code="DE"),
                        "shipping": None,
                    }
                ),
                "updated_at": persons.tick(),
            }
        )
    )
    assert persons.bring().written == ()
    assert persons.party() == before


def test_a_rehearsal_writes_nothing() -> None:
    persons = Persons(rehearsal=True)
    persons.register()
    assert f"{OFFICE} email" in persons.bring().written
    assert not persons.office.customers()
    assert not persons.mirrors.mirrors


# ---- both ways ----


def test_a_buyers_edit_reaches_the_party_and_nothing_else() -> None:
    persons = met()
    persons.edit(phone="030 901821", billing=WORK)
    assert set(persons.bring().written) == {f"{OFFICE} phone", f"{OFFICE} billing", f"{OFFICE} company"}
    assert persons.party().phone == "030 901821"
    assert persons.party().billing == Address(
        name="Eve Shopper",
        street=("Allee 7", "Hof"),
        postal_code="20095",
        city="Hamburg",
        country="DE",
        company="Lamps Ltd",
    )
    assert persons.party().shipping == Address(
        name="Eve Shopper", street=("Weg 2",), postal_code="10115", city="Berlin", country="DE"
    )
    assert persons.shops["aurora"].writes == []
    assert persons.bring().written == ()


def test_a_company_comes_into_the_party_with_the_address() -> None:
    persons = met(billing=None, company="Lamps Ltd")
    assert persons.party().billing is None
    persons.edit(billing=HOME)
    persons.bring()
    billing = persons.party().billing
    assert billing is not None
    assert billing.company == "Lamps Ltd"
    assert persons.bring().written == ()


def test_what_a_buyer_clears_is_cleared_in_the_party() -> None:
    persons = met()
    persons.edit(phone=None)
    persons.bring()
    assert persons.party().phone is None


def test_an_edit_in_the_back_office_reaches_the_account_with_only_what_changed() -> None:
    persons = met()
    persons.edit_party(phone="+4930901821", name="Eve Anne Shopper")
    persons.bring()
    assert persons.shops["aurora"].writes == [("17", frozenset({ProfileField.PHONE, ProfileField.NAME}))]
    assert persons.personal().phone == "+4930901821"
    assert (persons.personal().first_name, persons.personal().last_name) == ("Eve Anne", "Shopper")
    assert persons.personal().billing == HOME
    assert persons.bring().written == ()


def test_of_an_address_that_was_changed_in_the_back_office_the_rest_stays() -> None:
    persons = met(billing=HOME.model_copy(update={"phone": "1", "province": "Berlin", "province_code": "BE"}))
    billing = persons.party().billing
    assert billing is not None
    persons.edit_party(billing=billing.model_copy(update={"street": ("Weg 3",), "subdivision": None}))
    persons.bring()
    expected = {"address1": "Weg 3", "phone": "1", "province": "Berlin", "province_code": "BE"}
    assert persons.personal().billing == HOME.model_copy(update=expected)


def test_where_an_account_has_one_address_for_both_the_party_keeps_its_two() -> None:
    persons = _with_one_address()
    home, moved = persons.party().shipping, persons.party().billing
    assert moved is not None
    persons.edit_party(billing=moved.model_copy(update={"street": ("Weg 3",)}))
    persons.bring()
    assert persons.personal().shipping == persons.personal().billing == HOME.model_copy(update={"address1": "Weg 3"})
    assert persons.bring().written == ()
    assert persons.party().shipping == home
    persons.edit(billing=WORK, shipping=WORK)
    persons.bring()
    assert persons.party().shipping is not None
    assert persons.party().shipping.street == ("Allee 7", "Hof")  # type: ignore[union-attr]


def _with_one_address() -> Persons:
    persons = met()
    persons.shops["aurora"].has_one_address = True
    shop = replace(persons.desk.shops["aurora"], has_one_address=True)
    persons.desk = replace(persons.desk, shops={**persons.desk.shops, "aurora": shop})
    return persons


def test_an_address_that_a_buyer_changes_while_the_other_one_is_written_is_an_edit() -> None:
    persons = met()
    accounts = persons.shops["aurora"]

    def interrupt(method: str, when: str) -> None:
        if (method, when) == ("write", "after"):
            accounts.edit("17", shipping=WORK)

    persons.edit_party(billing=_home_at("Weg 3"))
    persons.interrupted(interrupt)
    persons.bring()
    persons.interrupted(lambda _method, _when: None)
    persons.bring()
    assert persons.party().shipping is not None
    assert persons.party().shipping.street == ("Allee 7", "Hof")  # type: ignore[union-attr]


def _home_at(street: str) -> Address:
    address = address_of(HOME)
    assert address is not None
    return address.model_copy(update={"street": (street,)})


def test_what_an_order_says_between_two_looks_is_no_edit_of_the_staffs() -> None:
    """Eve has no telephone number at either shop; the staff have taken her address out, and the shops keep theirs."""
    persons = Persons()
    persons.register(phone=None)
    persons.register(TWIN, phone=None, email="eve@example.test")
    persons.bring()
    persons.merge(EVE, TWIN)
    persons.bring()
    persons.edit_party(email=None)
    persons.bring()
    personal = PersonalData(customer_id=TWIN.id, email="parcels@example.test", phone="+4930901829", locale="fr")
    bought = order(shop=TWIN.shop, personal=personal)
    persons.office.save_customer(customer_of(bought, Buyers(persons.book, MARKER)(bought)))
    assert persons.bring().written == ()
    assert persons.party().phone is persons.party().email is None
    assert persons.personal(EVE).email == persons.personal(TWIN).email == "eve@example.test"


def test_spellings_of_the_same_are_no_edits() -> None:
    persons = met()
    persons.edit_party(phone="+49 30 901820", email="EVE@example.test", language="en")
    persons.edit(first_name=" Eve ", language="en-US")
    assert persons.bring().written == ()


def test_edits_on_both_sides_meet_and_different_fields_do_not_clash() -> None:
    persons = met()
    persons.edit(email="eve@other.test")
    persons.edit_party(phone="+4930901821")
    persons.bring()
    assert persons.party().email == "eve@other.test"
    assert persons.personal().phone == "+4930901821"
    assert list(persons.book.conflicts_of(EVE)) == []


@pytest.mark.parametrize("office_is_last", [True, False])
def test_of_the_same_field_the_newest_stands_and_the_other_is_kept_to_be_seen(office_is_last: bool) -> None:
    persons = met()
    edits: list[Callable[[], None]] = [
        lambda: persons.edit(phone="+4930901821"),
        lambda: persons.edit_party(phone="+4930901822"),
    ]
    for edit in edits if office_is_last else reversed(edits):
        edit()
    persons.bring()
    stands = "+4930901822" if office_is_last else "+4930901821"
    assert persons.party().phone == persons.personal().phone == stands
    (conflict,) = persons.book.conflicts_of(EVE)
    lost = "+4930901821" if office_is_last else "+4930901822"
    assert (conflict.field, conflict.kept, conflict.lost, conflict.reason) == ("phone", stands, lost, "newest")
    assert persons.bring().written == ()


def test_the_owner_of_a_field_has_the_last_word() -> None:
    persons = Persons(shop_rules(owners={ProfileField.PHONE: Owner.BACKOFFICE}))
    persons.register()
    persons.bring()
    persons.edit(phone="+4930901821")
    persons.bring()
    assert persons.personal().phone == "+4930901820"
    assert [conflict.loser for conflict in persons.book.conflicts_of(EVE)] == [str(EVE)]


def test_a_shop_that_is_told_nothing_is_not_written() -> None:
    persons = Persons(shop_rules(tell_storefront=False))
    persons.register()
    persons.bring()
    persons.edit_party(phone="+4930901821")
    assert persons.bring().written == ()
    assert persons.shops["aurora"].fetches == 0


def test_the_echo_of_our_write_may_be_late_and_undoes_nothing() -> None:
    persons = met()
    late: list[Any] = []
    persons.shops["aurora"].told = late.append
    persons.edit_party(phone="+4930901821")
    persons.bring()
    assert persons.bring().written == ()
    persons.deliver(late.pop())
    assert persons.bring().written == ()
    assert persons.party().phone == persons.personal().phone == "+4930901821"


def test_an_account_is_read_before_it_is_written_and_its_buyers_news_counts() -> None:
    persons = met()
    persons.shops["aurora"].told = lambda _account: None
    persons.edit_party(phone="+4930901821")
    persons.edit(phone="+4930901822")
    persons.bring()
    assert persons.party().phone == persons.personal().phone == "+4930901822"
    assert persons.shops["aurora"].writes == []


def test_a_webhook_that_tells_no_language_brings_no_older_one_back() -> None:
    """What our book says of it is from before the staff's edit: Shopify's webhooks do not tell it."""
    persons = met()
    accounts = persons.shops["aurora"]
    persons.edit(language="fr")
    persons.bring()
    accounts.told = lambda account: persons.deliver(_without_language(account))
    persons.edit_party(language="de")
    persons.bring()
    assert persons.personal().language == "de"
    persons.edit(phone="+4930901821")
    assert persons.bring().written == (f"{OFFICE} phone",)
    assert (persons.party().language, persons.personal().language) == ("de", "de")
    saves = persons.mirrors.saves
    persons.bring()
    assert persons.mirrors.saves == saves


def test_a_language_that_only_the_shops_api_tells_stays_in_step() -> None:
    """No webhook ever told it: it was seen when the account was read before a write."""
    persons = Persons()
    accounts = persons.shops["aurora"]
    accounts.told = lambda account: persons.deliver(_without_language(account))
    persons.register()
    persons.bring()
    assert persons.party().language is None
    persons.edit_party(phone="+4930901829")
    assert set(persons.bring().written) == {f"{OFFICE} language", "aurora/customer/17 phone"}
    fetches = accounts.fetches
    persons.edit(email="new@example.test")
    assert persons.bring().written == (f"{OFFICE} email",)
    assert accounts.fetches == fetches, "that a webhook does not tell it is no news"
    persons.edit_party(language="nl")
    persons.edit(phone="+4930901828")
    assert set(persons.bring().written) == {f"{OFFICE} phone", "aurora/customer/17 language"}
    assert (persons.party().language, persons.personal().language) == ("nl", "nl")


def _without_language(account: Customer) -> Customer:
    version = account.version.model_copy(update={"body_sha256": account.version.body_sha256[::-1]})
    personal = account.personal.model_copy(update={"language": None})
    return account.model_copy(update={"personal": personal, "version": version})


def test_a_deleted_account_is_written_no_more() -> None:
    persons = met()
    persons.shops["aurora"].delete("17")
    persons.edit_party(phone="+4930901821")
    assert persons.bring().written == ()
    assert persons.party().phone == "+4930901821"


# ---- what a storefront refuses ----


def test_what_the_storefront_refuses_is_told_and_not_tried_for_ever() -> None:
    persons = met()
    shop = persons.shops["aurora"]
    shop.refuses[ProfileField.EMAIL] = "taken@example.test"
    persons.edit_party(email="taken@example.test", phone="+4930901821")
    persons.bring()
    assert persons.personal().phone == "+4930901821"
    assert persons.personal().email == "eve@example.test"
    stop = persons.mirror().stop
    assert stop is not None
    assert (stop.code, stop.field, stop.passing) == ("customer_refused", "email", False)
    (conflict,) = persons.book.conflicts_of(EVE)
    assert (conflict.winner, conflict.lost, conflict.reason) == (str(EVE), "taken@example.test", "refused")
    tries = len(shop.writes)
    persons.bring()
    assert len(shop.writes) == tries
    assert persons.mirror().stop == stop
    persons.edit_party(email="free@example.test")
    persons.bring()
    assert persons.personal().email == "free@example.test"
    assert persons.mirror().stop is None


def test_what_stops_it_is_on_the_mirror_until_it_goes_on(persons: Persons) -> None:
    persons.register()

    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_unreachable", "no answer")

    persons.office.interrupt = down
    for attempts in (1, 2):
        with pytest.raises(Retry):
            persons.bring()
        stop = persons.mirror().stop
        assert stop is not None
        assert (stop.passing, stop.attempts) == (True, attempts)
    persons.office.interrupt = lambda _method, _when: None
    persons.bring()
    assert persons.mirror().stop is None


def test_an_outage_that_passed_leaves_nobody_on_the_desk_whom_the_policy_keeps_out() -> None:
    persons = Persons(shop_rules(ask=AskFor.REGISTRATION))
    persons.register()

    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_unreachable", "no answer")

    persons.office.interrupt = down
    with pytest.raises(Retry):
        persons.bring()
    persons.office.interrupt = lambda _method, _when: None
    assert persons.bring().reason
    assert persons.mirror().stop is None


def test_an_outage_hides_no_refusal() -> None:
    persons = met()
    persons.shops["aurora"].refuses[ProfileField.EMAIL] = "taken@example.test"
    persons.edit_party(email="taken@example.test")
    persons.bring()
    refused = persons.mirror().stop

    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_unreachable", "no answer")

    persons.office.interrupt = down
    with pytest.raises(Retry):
        persons.bring()
    assert persons.mirror().stop == refused


def test_a_refusal_of_the_back_office_is_raised(persons: Persons) -> None:
    persons.register()

    def refuse(method: str, _when: str) -> None:
        if method == "save_customer":
            raise Rejected("backoffice_refused", "no")

    persons.office.interrupt = refuse
    with pytest.raises(Rejected):
        persons.bring()
    stop = persons.mirror().stop
    assert stop is not None
    assert not stop.passing


# ---- two shops ----


def two_shops(rules: CustomerRules | None = None) -> Persons:
    """Eve has a telephone number at one shop alone, and the party is hers of the other."""
    persons = Persons(rules)
    persons.register(phone=None, first_name="Eve")
    persons.register(TWIN, first_name="E.", email="eve@example.test")
    persons.bring()
    persons.bring(TWIN)
    return persons


def test_a_merged_person_has_one_party_and_parting_restores_it_exactly() -> None:
    persons = two_shops()
    before = persons.party()
    assert before.phone is None
    merge = persons.merge(EVE, TWIN)
    persons.bring()
    assert persons.party().phone == "+4930901820"
    assert persons.party().name == "Eve Shopper"
    assert persons.personal().phone is None
    persons.part(merge)
    persons.bring()
    persons.bring(TWIN)
    assert persons.party() == before
    assert persons.personal().phone is None
    assert persons.personal(TWIN).phone == "+4930901820"


def test_what_the_other_account_changed_meanwhile_goes_with_it() -> None:
    persons = two_shops()
    before = persons.party()
    merge = persons.merge(EVE, TWIN)
    persons.bring()
    persons.edit(TWIN, email="new@example.test", billing=WORK)
    persons.bring()
    assert persons.party().email == "new@example.test"
    assert persons.personal().email == "eve@example.test"
    persons.part(merge)
    persons.bring()
    persons.bring(TWIN)
    assert persons.party() == before
    assert persons.party(TWIN).email == "new@example.test"


def test_an_edit_in_the_back_office_reaches_both_accounts_that_said_the_same() -> None:
    persons = two_shops()
    persons.merge(EVE, TWIN)
    persons.bring()
    persons.edit_party(email="new@example.test", phone="+4930901821")
    persons.bring()
    assert persons.personal().email == persons.personal(TWIN).email == "new@example.test"
    assert persons.personal(TWIN).phone == "+4930901821"
    assert persons.personal().phone is None


def test_a_buyer_whose_edit_does_not_count_gets_nothing_of_another_shops_account() -> None:
    persons = two_shops(shop_rules(owners=dict.fromkeys(ProfileField, Owner.BACKOFFICE)))
    persons.merge(EVE, TWIN)
    persons.bring()
    persons.edit(TWIN, email="new@borealis.test", first_name="Eva")
    persons.bring()
    assert persons.personal(TWIN).email == "new@borealis.test"
    assert persons.personal(TWIN).first_name == "Eva"
    assert persons.party().email == persons.personal(EVE).email
    assert {(one.field, one.loser) for one in persons.book.conflicts_of(EVE)} >= {(ProfileField.EMAIL, str(TWIN))}


def test_customers_of_shops_with_another_back_office_are_not_this_ones() -> None:
    persons = two_shops()
    persons.merge(EVE, TWIN)
    persons.desk = replace(persons.desk, shops={"aurora": persons.desk.shops["aurora"]})
    persons.bring()
    assert persons.party().phone is None


# ---- any worker may die ----


def _killer(at: int) -> Callable[[str, str], None]:
    calls = [0]

    def interrupt(_method: str, _when: str) -> None:
        calls[0] += 1
        if calls[0] == at:
            raise Killed

    return interrupt


class _DyingMirrors:
    def __init__(self, persons: Persons, interrupt: Callable[[str, str], None]) -> None:
        self._kept, self._interrupt = persons.mirrors, interrupt

    def find(self, *key: Any) -> Any:
        return self._kept.find(*key)

    def save(self, *mirrors: Any) -> Any:
        self._interrupt("save", "before")
        saved = self._kept.save(*mirrors)
        self._interrupt("save", "after")
        return saved


class _DyingBook:
    def __init__(self, persons: Persons, interrupt: Callable[[str, str], None]) -> None:
        self._book, self._interrupt = persons.book, interrupt

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)

    def keep_conflict(self, conflict: Any) -> None:
        self._interrupt("keep_conflict", "before")
        self._book.keep_conflict(conflict)
        self._interrupt("keep_conflict", "after")


def _clashing() -> Persons:
    """Everything at once: a clash, an edit each way, a clearing, a second account."""
    persons = two_shops()
    persons.merge(EVE, TWIN)
    persons.bring()
    persons.edit(email="buyer@example.test", language="de")
    persons.edit(TWIN, shipping=None, phone="+4930901823")
    persons.edit_party(email="staff@example.test", name="Eve Anne Shopper")
    return persons


def _creating() -> Persons:
    persons = Persons()
    persons.register()
    return persons


def _moving_one_address() -> Persons:
    """What is written as the address for invoices is shown as the one for deliveries too."""
    persons = _with_one_address()
    persons.edit_party(billing=_home_at("Weg 3"))
    return persons


def _state(persons: Persons) -> tuple[Any, ...]:
    conflicts = [one.model_dump(exclude={"at"}) for one in persons.book.conflicts_of(EVE)]
    accounts = {name: shop.accounts for name, shop in persons.shops.items()}
    personal = {(name, key): account.personal for name, shop in accounts.items() for key, account in shop.items()}
    return persons.office.customers(), personal, conflicts, persons.mirror().base


@pytest.mark.parametrize("prepared", [_creating, _clashing, _moving_one_address])
def test_whoever_dies_the_next_one_comes_to_the_same_end(prepared: Callable[[], Persons]) -> None:
    undisturbed = prepared()
    undisturbed.bring()
    for at in count(1):
        persons = prepared()
        has_died = _dies_at(at, persons)
        persons.bring()
        assert _state(persons) == _state(undisturbed), at
        assert persons.bring().written == ()
        if not has_died:
            assert at > _FEWEST_CALLS
            return


_FEWEST_CALLS = 8


def _dies_at(at: int, persons: Persons) -> bool:
    """One worker that dies at its so manieth call; whether it came that far."""
    interrupt, whole = _killer(at), persons.desk
    dying: Any = {"mirrors": _DyingMirrors(persons, interrupt), "book": _DyingBook(persons, interrupt)}
    persons.desk = replace(whole, **dying)
    persons.interrupted(interrupt)
    try:
        persons.bring()
    except Killed:
        return True
    finally:
        persons.interrupted(lambda _method, _when: None)
        persons.desk = whole
    return False


def test_an_edit_between_a_death_and_the_next_worker_is_kept_to_be_seen() -> None:
    """Nobody can tell it from our own write, so the buyer's value is written again; but nothing is lost unseen."""
    persons = met()
    persons.edit(phone="+4930901821")
    assert _dies_at(_call_of("save_customer", "after"), persons)
    persons.edit_party(phone="+4930901829")
    persons.bring()
    assert persons.party().phone == persons.personal().phone == "+4930901821"
    assert [(one.kept, one.lost) for one in persons.book.conflicts_of(EVE)] == [("+4930901821", "+4930901829")]


def _call_of(method: str, when: str) -> int:
    """The number of this call in the life of a worker that brings a buyer's edit to the party."""
    persons, calls = met(), list[tuple[str, str]]()
    persons.edit(phone="+4930901821")
    whole = persons.desk

    def listen(name: str, moment: str) -> None:
        calls.append((name, moment))

    watched: Any = {"mirrors": _DyingMirrors(persons, listen), "book": _DyingBook(persons, listen)}
    persons.desk = replace(whole, **watched)
    persons.interrupted(listen)
    persons.bring()
    return calls.index((method, when)) + 1
