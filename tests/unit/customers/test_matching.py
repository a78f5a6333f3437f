"""Who may be one person: real-life spellings, what joins, what proposes, and what is no sign at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.customers.contact import read_contact
from shared.customers.marks import marks_of
from shared.customers.matching import (
    LEAST_SCORE,
    Decision,
    Likeness,
    Side,
    Verdict,
    name_likeness,
    proposal_id,
    propose,
    verdict_of,
)
from shared.customers.models import PostalAddress, Profile
from shared.customers.record import Verification, VerificationState
from shared.kernel.identifiers import CustomerKey
from tests.builders.customers import HOME, MARKER, proven, record
from tests.builders.orders import NOON

EVE, EVA = CustomerKey.parse("aurora/customer/17"), CustomerKey.parse("borealis/customer/4")


def _side(key: CustomerKey, verification: Verification | None = None, **profile: Any) -> Side:
    of_record = {name: profile.pop(name) for name in ("leader", "erased_at", "deleted_at") if name in profile}
    personal = Profile(**profile)
    marks = marks_of(personal, read_contact(personal, "NL").phone_e164, MARKER)
    return Side(record(str(key), verification=verification or Verification(), **of_record), personal, marks)


def _named(name: str | None) -> dict[str, Any]:
    first, _, last = (name or "").rpartition(" ")
    return {"first_name": first or None, "last_name": last or None}


def _verdict(
    ours: dict[str, Any], theirs: dict[str, Any], automatically: tuple[str, ...] = ("verified_email",)
) -> Verdict:
    return verdict_of(_side(EVE, **ours), _side(EVA, **theirs), automatically)


def _kinds(verdict: Verdict) -> list[str]:
    return [reason.kind for reason in verdict.reasons]


# ---- names ----


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("Jörg Müller", "Joerg Mueller", Likeness.EQUAL),
        ("Jörg Müller", "MÜLLER, Jörg", Likeness.EQUAL),
        ("Straße Groß", "Strasse Gross", Likeness.EQUAL),
        ("José García", "Jose Garcia", Likeness.EQUAL),
        ("Søren Åberg", "Soeren Aaberg", Likeness.EQUAL),
        ("Jörg Müller", "Jorg Muller", Likeness.SIMILAR),
        ("Jean-Luc Picard", "Jean Luc Picard", Likeness.EQUAL),
        ("Jean-Luc Picard", "JeanLuc Picard", Likeness.EQUAL),
        ("J. Smith", "John Smith", Likeness.EQUAL),
        ("Smith J", "John Smith", Likeness.EQUAL),
        ("J. R. Smith", "John Ronald Smith", Likeness.EQUAL),
        ("J. Smith", "Mary Smith", Likeness.DIFFERENT),
        ("J. Smith", "John Smyth", Likeness.DIFFERENT),
        ("Jon Smith", "John Smith", Likeness.DIFFERENT),
        ("Katherine Smith", "Catherine Smith", Likeness.SIMILAR),
        ("Katharina Schmidt", "Katarina Schmidt", Likeness.SIMILAR),
        ("John Smith", "John Ronald Smith", Likeness.SIMILAR),
        ("John Smith", "Jane Smith", Likeness.DIFFERENT),
        ("John Smith", "John Brown", Likeness.DIFFERENT),
        ("John Smith", "Smith", Likeness.DIFFERENT),
        ("王伟", "王伟", Likeness.EQUAL),
        ("王 伟", "王伟", Likeness.EQUAL),
        ("伟 王", "王伟", Likeness.EQUAL),
        ("王伟", "王芳", Likeness.DIFFERENT),
        ("王伟", "王伟伟", Likeness.DIFFERENT),
        ("王伟", "Wang Wei", Likeness.UNKNOWN),
        ("김민준", "김민서", Likeness.DIFFERENT),
        ("김민준", "김 민준", Likeness.EQUAL),
        ("山田太郎", "山田花子", Likeness.DIFFERENT),
        ("Иван Петров", "Петров Иван", Likeness.EQUAL),
        ("John Smith", None, Likeness.UNKNOWN),
        ("---", "John Smith", Likeness.UNKNOWN),
        (None, None, Likeness.UNKNOWN),
    ],
)
def test_how_alike_people_are_called(one: str | None, other: str | None, likeness: Likeness) -> None:
    ours, theirs = Profile(**_named(one)), Profile(**_named(other))
    assert name_likeness(ours, theirs) is likeness
    assert name_likeness(theirs, ours) is likeness


@pytest.mark.parametrize(("one", "other"), [("ababaeabbaaa", "ababaeabaaeba"), ("bebebbaaebaaa", "bebebebaaaebaea")])
def test_of_words_that_are_alike_only_one_way_round_it_says_the_same_both_ways(one: str, other: str) -> None:
    ours, theirs = Profile(**_named(f"{one} Smith")), Profile(**_named(f"{other} Smith"))
    assert name_likeness(ours, theirs) is name_likeness(theirs, ours)


def test_an_address_tells_the_name_where_the_account_has_none() -> None:
    assert name_likeness(Profile(billing=HOME), Profile(first_name="Eve", last_name="Shopper")) is Likeness.EQUAL


# ---- what joins ----


def test_one_verified_address_joins_where_the_rules_let_it() -> None:
    ours = {"email": "Eve@Example.test", "verification": proven()}
    theirs = {"email": "eve@example.test", "verification": proven(by="storefront")}
    assert _verdict(ours, theirs).decision is Decision.JOIN
    assert _kinds(_verdict(ours, theirs)) == ["verified_email"]
    assert _verdict(ours, theirs, ()).decision is Decision.PROPOSE


@pytest.mark.parametrize(
    "verification",
    [
        None,
        proven("other@example.test"),
        *(proven().model_copy(update={"state": state}) for state in VerificationState if state != "verified"),
    ],
)
def test_an_address_proven_by_one_of_them_only_proposes(verification: Verification | None) -> None:
    ours = {"email": "eve@example.test", "verification": proven()}
    verdict = _verdict(ours, {"email": "eve@example.test", "verification": verification})
    assert verdict.decision is Decision.PROPOSE
    assert _kinds(verdict) == ["same_email"]


def test_proofs_of_an_address_that_neither_has_any_more_join_nobody() -> None:
    ours, theirs = ({"email": email, "verification": proven()} for email in ("a@example.test", "b@example.test"))
    assert _verdict(ours, theirs).decision is Decision.NOTHING


PHONE: dict[str, Any] = {"phone": "+31 6 12345678"}
BOTH = ("verified_email", "phone_and_name")


def test_telephone_and_name_join_only_where_both_are_named_in_the_rules() -> None:
    ours, theirs = PHONE | _named("J. Smith"), {"phone": "06-12345678"} | _named("John Smith")
    assert _verdict(ours, theirs).decision is Decision.PROPOSE
    assert _verdict(ours, theirs, BOTH).decision is Decision.JOIN
    assert _kinds(_verdict(ours, theirs, BOTH)) == ["same_phone", "similar_name"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (_named("Katherine Smith"), _named("Catherine Smith")),
        (_named("John Smith"), _named("Jane Smith")),
        (_named("王伟"), _named("Wang Wei")),
        (_named(None), _named("John Smith")),
        (
            _named("John Smith") | {"email": "a@example.test", "verification": proven("a@example.test")},
            _named("John Smith") | {"email": "b@example.test", "verification": proven("b@example.test")},
        ),
        (
            _named("John Smith") | {"verification": Verification(state=VerificationState.REJECTED, by="mia")},
            _named("John Smith"),
        ),
    ],
)
def test_telephone_and_a_doubtful_name_are_for_a_person_to_decide(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert _verdict(PHONE | ours, PHONE | theirs, BOTH).decision is Decision.PROPOSE


# ---- what is proposed, and what is not ----

HERE = PostalAddress(address1="Weg 2", postal_code="10115", country_code="DE", last_name="Shopper")
THERE = PostalAddress(address1="Am Weg 2", postal_code="10 115", country_code="de", last_name="SHOPPER")


@pytest.mark.parametrize(
    ("ours", "theirs", "kinds"),
    [
        ({"email": "eve@example.test"}, {"email": "EVE@example.test"}, ["same_email"]),
        ({"email": "e.v.e@gmail.com"}, {"email": "eve+shop@googlemail.com"}, ["same_mailbox"]),
        ({"email": "eve@example.test"}, {"email": "eve+shop@example.test"}, ["same_mailbox"]),
        ({"phone": "+31 6 12345678"}, {"phone": "06 1234 5678"}, ["same_phone"]),
        (
            {"shipping": HERE} | _named("Eve Shopper"),
            {"billing": THERE} | _named("Eva Shopper"),
            None,
        ),
        (
            {"shipping": HERE} | _named("Eve Shopper"),
            {"billing": THERE} | _named("E. Shopper"),
            ["same_address", "similar_name"],
        ),
        ({"shipping": HERE}, {"billing": THERE}, None),
        (PHONE | _named("John Smith"), PHONE | _named("Jane Smith"), ["same_phone", "other_name"]),
        (_named("John Smith"), _named("John Smith"), None),
        ({"email": "eve@example.test"}, {"email": "eve@example.com"}, None),
        ({"email": "e.v.e@example.test"}, {"email": "eve@example.test"}, None),
        ({"phone": "12"}, {"phone": "12"}, None),
        ({}, {}, None),
    ],
)
def test_what_people_share_is_proposed_with_its_reasons(
    ours: dict[str, Any], theirs: dict[str, Any], kinds: list[str] | None
) -> None:
    verdict = _verdict(ours, theirs)
    assert verdict.decision is (Decision.PROPOSE if kinds else Decision.NOTHING)
    assert _kinds(verdict) == (kinds or [])


def test_an_address_alone_proposes_nobody() -> None:
    ours, theirs = {"shipping": HERE} | _named("Eve Shopper"), {"shipping": HERE} | _named("Adam Shopper")
    assert _verdict(ours, theirs).decision is Decision.NOTHING


def test_two_proven_addresses_speak_against_a_shared_telephone() -> None:
    ours, theirs = (
        PHONE | {"email": email, "verification": proven(email)} for email in ("a@example.test", "b@example.test")
    )
    verdict = _verdict(ours, theirs)
    assert verdict.decision is Decision.PROPOSE
    assert _kinds(verdict) == ["same_phone", "other_verified_email"]
    assert LEAST_SCORE <= verdict.score < _verdict(PHONE, PHONE).score
    assert _verdict(ours | _named("John Smith"), theirs | _named("Mary Brown")).decision is Decision.NOTHING


def test_two_proven_spellings_of_one_mailbox_do_not_speak_against_it() -> None:
    ours, theirs = ({"email": email, "verification": proven(email)} for email in ("e.ve@gmail.com", "eve@gmail.com"))
    assert _kinds(_verdict(ours, theirs)) == ["same_mailbox"]


@pytest.mark.parametrize("gone", [{"erased_at": NOON}, {"deleted_at": NOON}, {"leader": str(EVA)}])
def test_who_is_gone_or_one_already_is_not_matched(gone: dict[str, Any]) -> None:
    known: dict[str, Any] = {"email": "eve@example.test", "verification": proven()}
    assert _verdict(known | gone, known).decision is Decision.NOTHING
    assert verdict_of(_side(EVA, **known), _side(EVE, **(known | gone)), BOTH).decision is Decision.NOTHING


# ---- whatever people are like ----

_NAMES = st.sampled_from(["Jörg Müller", "J. Mueller", "Smith John", "王伟", "王 伟", "Wang Wei", "김민준", ""])
_WORDS = st.lists(st.text(alphabet="abßü. -王김'", max_size=6), max_size=4).map(" ".join)
_EMAILS = st.sampled_from([None, "eve@gmail.com", "e.ve@gmail.com", "eve+a@example.test", "eve@example.test", "no"])
_PHONES = st.sampled_from([None, "+31612345678", "06 12345678", "+4930901820", "12"])
_ADDRESSES = st.sampled_from([None, HERE, THERE, HOME, PostalAddress()])


@st.composite
def people(draw: st.DrawFn, key: CustomerKey) -> Side:
    email = draw(_EMAILS)
    state = draw(st.sampled_from(VerificationState))
    mark = MARKER.email(draw(_EMAILS.filter(bool)) or "") if draw(st.booleans()) else email and MARKER.email(email)
    return _side(
        key,
        Verification(state=state, mark=mark),
        email=email,
        phone=draw(_PHONES),
        shipping=draw(_ADDRESSES),
        **_named(draw(_NAMES | _WORDS)),
    )


@given(people(EVE), people(EVA), st.sets(st.sampled_from(BOTH)))
def test_the_verdict_is_the_same_from_both_sides(one: Side, other: Side, automatically: set[str]) -> None:
    verdict = verdict_of(one, other, automatically)
    assert verdict == verdict_of(other, one, automatically)
    assert (verdict.decision is Decision.NOTHING) == (not verdict.reasons)
    if verdict.decision is Decision.JOIN:
        kinds = set(_kinds(verdict))
        assert ("verified_email" in kinds and "verified_email" in automatically) or (
            {"same_phone", "similar_name"} <= kinds and "phone_and_name" in automatically
        )
    if verdict.reasons:
        assert one.marks & other.marks
        assert [reason.weight for reason in verdict.reasons] == sorted(
            (reason.weight for reason in verdict.reasons), reverse=True
        )


@given(_WORDS, _WORDS)
def test_likeness_is_the_same_from_both_sides(one: str, other: str) -> None:
    ours, theirs = Profile(first_name=one), Profile(first_name=other)
    assert name_likeness(ours, theirs) is name_likeness(theirs, ours)
    assert name_likeness(ours, ours) in (Likeness.EQUAL, Likeness.UNKNOWN)


def test_a_proposal_is_the_same_whichever_of_the_two_comes_first() -> None:
    assert propose(EVE, EVA, (), NOON) == propose(EVA, EVE, (), NOON)
    assert len({proposal_id(EVE, EVA), proposal_id(EVE, CustomerKey.parse("borealis/customer/41"))}) == 2
    assert len(proposal_id(EVE, EVA)) == 16
