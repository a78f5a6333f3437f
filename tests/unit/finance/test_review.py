"""What staff do with cases: who may do what, what is written, and what the trail says of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from shared.finance.audit import faults_in
from shared.finance.cases import AuditRecord, Case, CaseState, Comment, Proposal, Resolution
from shared.finance.models import DiscrepancyKind, Item, Subject
from shared.finance.review import (
    MOST_COMMENTS,
    Decision,
    ReviewDesk,
    approve,
    assign,
    comment,
    refuse,
    reopen_case,
    resolve,
)
from shared.finance.rules import FinanceRules
from shared.kernel.errors import Conflict, Rejected, Retry
from tests.builders.finance_book import case, order, payout
from tests.builders.orders import NOON
from tests.fakes.finance import FakeFinanceBook

WRITE_OFF = Decision(Resolution.WRITE_OFF, "bank charges")
ACCEPT = Decision(Resolution.ACCEPT, "agreed by telephone")
LIMITS = {"EUR": 501, "JPY": 0}


def retrying() -> Retrying:
    return Retrying(retry=retry_if_exception_type(Conflict), stop=stop_after_attempt(3), reraise=True)


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: NOON)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


def desk_with(*cases: Case, book: FakeFinanceBook | None = None, limits: dict[str, int] | None = None) -> ReviewDesk:
    book = book or FakeFinanceBook()
    for one in cases or (case(),):
        book.commit_case(one, replaces=None)
    rules = FinanceRules(approval_limits=LIMITS if limits is None else limits)
    return ReviewDesk(book=book, rules=rules, clock=Clock(), retrying=retrying)


def stored(desk: ReviewDesk) -> Case:
    found = desk.book.find_case("d1")
    assert found is not None
    return found


def trail(desk: ReviewDesk) -> list[AuditRecord]:
    made = list(desk.book.records())
    assert faults_in(made) == ()
    return made


def refused(code: str, act: Callable[[], object]) -> Rejected:
    with pytest.raises(Rejected) as caught:
        act()
    assert caught.value.code == code
    return caught.value


# ---- owner and comments ----


def test_a_case_is_given_to_somebody_and_back() -> None:
    desk = desk_with()
    assert assign("d1", "  Noa ", desk, actor="mia").owner == "Noa"
    assert assign("d1", None, desk, actor="mia").owner is None
    assert [(one.action, one.actor, one.detail) for one in trail(desk)] == [
        ("case.assigned", "mia", {"owner": "Noa"}),
        ("case.assigned", "mia", {"owner": ""}),
    ]


def test_a_comment_is_kept_with_the_case_and_its_words_are_not_on_the_trail() -> None:
    desk = desk_with(case(state=CaseState.RESOLVED))
    made = comment("d1", " asked the bank ", desk, actor="mia")
    assert made.comments == (Comment(at=NOON + timedelta(minutes=1), by="mia", text="asked the bank"),)
    assert [(one.action, one.detail) for one in trail(desk)] == [("case.commented", {})]


@pytest.mark.parametrize(
    "act",
    [
        lambda desk: assign("d1", "noa", desk, actor="mia"),
        lambda desk: comment("d1", "asked the bank", desk, actor="mia"),
        lambda desk: resolve("d1", WRITE_OFF, desk, actor="mia"),
        lambda desk: resolve("d1", Decision(Resolution.WRITE_OFF, "much", amount=100), desk, actor="mia"),
        lambda desk: resolve("d1", ACCEPT, desk, actor="mia"),
    ],
)
@pytest.mark.parametrize("limits", [{"EUR": 501}, {}])
def test_what_was_done_already_is_not_done_again(act: Callable[[ReviewDesk], Case], limits: dict[str, int]) -> None:
    desk = desk_with(limits=limits)
    made = act(desk)
    assert act(desk) == made == stored(desk)
    assert len(trail(desk)) == 1


def test_approving_refusing_and_reopening_twice_is_the_same_as_once() -> None:
    desk = desk_with(limits={})
    resolve("d1", WRITE_OFF, desk, actor="mia")
    acts: tuple[Callable[[], Case], ...] = (
        lambda: refuse("d1", "too much", desk, actor="noa"),
        lambda: resolve("d1", WRITE_OFF, desk, actor="mia"),
        lambda: approve("d1", desk, actor="noa"),
        lambda: reopen_case("d1", "wrong after all", desk, actor="noa"),
    )
    for act in acts:
        assert act() == act()
    assert [one.action for one in trail(desk)] == [
        "case.proposed",
        "case.refused",
        "case.proposed",
        "case.approved",
        "case.reopened",
    ]


def test_a_case_takes_so_many_comments() -> None:
    full = tuple(Comment(at=NOON, by="mia", text=str(number)) for number in range(MOST_COMMENTS))
    refused("too_many_comments", lambda: comment("d1", "one more", desk_with(case(comments=full)), actor="mia"))


# ---- resolving ----


def test_a_write_off_below_the_limit_is_done_by_one_person() -> None:
    desk = desk_with()
    made = resolve("d1", WRITE_OFF, desk, actor="mia")
    assert made.state is CaseState.RESOLVED
    assert made.closed_at is not None
    assert made.proposal is not None
    assert (made.proposal.amount, made.proposal.by, made.proposal.reason) == (500, "mia", "bank charges")
    assert trail(desk)[0].detail == {
        "kind": "amount_mismatch",
        "currency": "EUR",
        "difference": "500",
        "resolution": "write_off",
        "reason": "bank charges",
        "amount": "500",
    }


@pytest.mark.parametrize("resolution", [Resolution.WRITE_OFF, Resolution.PROPOSE_REFUND])
@pytest.mark.parametrize(
    ("about", "limits", "alone"),
    [
        ({}, {"EUR": 501}, True),
        ({}, {"EUR": 500}, False),
        ({"found": 750}, {"EUR": 501}, True),
        ({"found": 750}, {"EUR": 500}, False),
        ({}, {"USD": 1_000_000}, False),
        ({"currency": "JPY"}, {"EUR": 501}, False),
        ({"found": 1251}, {"EUR": 0}, False),
        ({"found": 1251}, {}, False),
    ],
)
def test_from_the_limit_on_it_takes_two(
    about: dict[str, Any], limits: dict[str, int], alone: bool, resolution: Resolution
) -> None:
    desk = desk_with(case(about=about), limits=limits)
    made = resolve("d1", Decision(resolution, "agreed"), desk, actor="mia")
    assert made.state is (CaseState.RESOLVED if alone else CaseState.PROPOSED)
    assert (made.closed_at is not None) is alone


def test_a_part_below_the_limit_is_done_by_one_person() -> None:
    desk = desk_with(limits={"EUR": 500})
    made = resolve("d1", Decision(Resolution.WRITE_OFF, "a part", amount=499), desk, actor="mia")
    assert (made.state, made.proposal and made.proposal.amount) == (CaseState.RESOLVED, 499)


def test_accepting_needs_nobody_else_whatever_the_limit() -> None:
    made = resolve("d1", ACCEPT, desk_with(limits={}), actor="mia")
    assert made.state is CaseState.RESOLVED
    assert made.proposal is not None
    assert made.proposal.amount is None


@pytest.mark.parametrize(
    ("found", "amount"), [(1750, 0), (1750, -1), (1750, 501), (1750, -500), (750, 0), (750, 1), (750, -501), (750, 500)]
)
def test_an_amount_is_a_part_of_the_difference(found: int, amount: int) -> None:
    desk = desk_with(case(about={"found": found}), limits={"EUR": 10**12})
    wrong = Decision(Resolution.WRITE_OFF, "x", amount=amount)
    refused("invalid_amount", lambda: resolve("d1", wrong, desk, actor="mia"))
    assert trail(desk) == []


def test_what_does_not_differ_is_not_written_off() -> None:
    desk = desk_with(case(about={"found": 1250}))
    refused("nothing_to_book", lambda: resolve("d1", WRITE_OFF, desk, actor="mia"))
    nothing_told = desk_with(case(about={"found": None, "expected": None}))
    refused("nothing_to_book", lambda: resolve("d1", WRITE_OFF, nothing_told, actor="mia"))


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_reason_is_needed(text: str) -> None:
    desk = desk_with(case(state=CaseState.PROPOSED, proposal=proposal()))
    for act in (
        lambda: resolve("d1", Decision(Resolution.ACCEPT, text), desk, actor="mia"),
        lambda: refuse("d1", text, desk, actor="noa"),
        lambda: reopen_case("d1", text, desk, actor="noa"),
        lambda: comment("d1", text, desk, actor="noa"),
    ):
        refused("text_missing", act)
    refused("text_too_long", lambda: comment("d1", "x" * 2_001, desk, actor="noa"))
    assert trail(desk) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "mia\u200b", "mi\x00a"])
def test_whoever_acts_has_a_name(name: str) -> None:
    desk = desk_with()
    refused("invalid_name", lambda: resolve("d1", ACCEPT, desk, actor=name))
    refused("invalid_name", lambda: assign("d1", name, desk, actor="mia"))


def test_an_unknown_case_is_refused() -> None:
    desk = desk_with()
    refused("unknown_case", lambda: resolve("d2", ACCEPT, desk, actor="mia"))


@pytest.mark.parametrize("state", [CaseState.RESOLVED, CaseState.CLEARED])
def test_a_case_that_is_over_is_not_resolved_again(state: CaseState) -> None:
    desk = desk_with(case(state=state, proposal=proposal(reason="another reason")))
    refused("case_over", lambda: resolve("d1", ACCEPT, desk, actor="mia"))
    refused("case_over", lambda: assign("d1", "noa", desk, actor="mia"))


def test_a_second_proposal_waits_for_the_first() -> None:
    desk = desk_with(case(state=CaseState.PROPOSED, proposal=proposal()))
    refused("already_proposed", lambda: resolve("d1", ACCEPT, desk, actor="noa"))


# ---- the second person ----


def proposal(**told: Any) -> Proposal:
    usual: dict[str, Any] = {
        "resolution": Resolution.WRITE_OFF,
        "reason": "bank charges",
        "amount": 500,
        "by": "Mia Müller",
        "at": NOON,
    }
    return Proposal(**usual | told)


def test_somebody_else_approves() -> None:
    desk = desk_with(case(state=CaseState.PROPOSED, proposal=proposal()))
    made = approve("d1", desk, actor=" noa ")
    assert (made.state, made.approved_by, made.proposal) == (CaseState.RESOLVED, "noa", proposal())
    assert made.closed_at is not None
    last = trail(desk)[-1]
    assert (last.actor, last.action, last.detail["proposed_by"]) == ("noa", "case.approved", "Mia Müller")


def test_nobody_agrees_to_what_was_proposed_after_they_read() -> None:
    desk = desk_with(case(state=CaseState.PROPOSED, proposal=proposal(), revision=5))
    refused("case_changed", lambda: approve("d1", desk, actor="noa", seen=4))
    assert stored(desk).state is CaseState.PROPOSED
    assert approve("d1", desk, actor="noa", seen=5).state is CaseState.RESOLVED


@pytest.mark.parametrize(
    "actor",
    [
        "Mia Müller",
        "mia müller",
        "  MIA   MÜLLER ",
        "Mia Mu\u0308ller",
        "Ｍｉａ Müller",
        "Mia\u00a0Müller",
        "mia\tMÜLLER\n",
        "Mia Muller",
        "M1a Müller",
        "Mla Müller",
        "Mia-Müller.",
        "\u041c\u0456\u0430 Müller",  # the same letters in Cyrillic
        "\u039cia Müller",  # a Greek capital
        "Mia\ufe0f Müller",  # a variation selector, which Python takes for printable
        "Mia\u3164Müller",  # a Hangul filler
        "Mia\u2800Müller",  # an empty Braille pattern
    ],
)
def test_nobody_approves_their_own_however_they_write_themselves(actor: str) -> None:
    desk = desk_with(case(state=CaseState.PROPOSED, proposal=proposal()))
    refused("self_approval", lambda: approve("d1", desk, actor=actor))
    assert stored(desk).state is CaseState.PROPOSED
    assert trail(desk) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mia Müller", "Noa Müller"),
        ("\u674e\u660e", "\u738b\u660e"),
        ("\u0930\u092e\u093e", "\u0930\u093e\u092e"),  # Rama and Ram: vowel signs tell them apart
        ("anna2", "anna3"),
        ("\u0438\u0440\u0430", "\u043b\u0430\u0440\u0430"),
    ],
)
def test_two_people_may_approve_for_each_other(one: str, other: str) -> None:
    desk = desk_with(case(state=CaseState.PROPOSED, proposal=proposal().model_copy(update={"by": one})))
    assert approve("d1", desk, actor=other).approved_by == other


def test_a_proposal_is_refused_and_the_case_is_open_again() -> None:
    desk = desk_with(case(state=CaseState.PROPOSED, proposal=proposal(), owner="mia"))
    made = refuse("d1", "ask the bank first", desk, actor="noa")
    assert (made.state, made.proposal, made.owner) == (CaseState.OPEN, None, "mia")
    assert [(one.by, one.text) for one in made.comments] == [("noa", "ask the bank first")]
    assert trail(desk)[-1].detail["reason"] == "ask the bank first"


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.RESOLVED, CaseState.CLEARED])
def test_what_is_not_proposed_is_neither_approved_nor_refused(state: CaseState) -> None:
    desk = desk_with(case(state=state))
    refused("not_proposed", lambda: approve("d1", desk, actor="noa"))
    refused("not_proposed", lambda: refuse("d1", "no", desk, actor="noa"))


def test_a_resolved_case_is_opened_again_and_resolved_anew() -> None:
    desk = desk_with()
    resolve("d1", WRITE_OFF, desk, actor="mia")
    made = reopen_case("d1", "the bank paid", desk, actor="noa")
    assert (made.state, made.proposal, made.closed_at, made.reopened) == (CaseState.OPEN, None, None, 0)
    assert trail(desk)[-1].detail["resolution"] == "write_off"
    refused("case_open", lambda: reopen_case("d1", "again", desk, actor="noa"))
    assert resolve("d1", ACCEPT, desk, actor="noa").state is CaseState.RESOLVED


def test_what_has_gone_is_not_opened() -> None:
    refused("case_cleared", lambda: reopen_case("d1", "x", desk_with(case(state=CaseState.CLEARED)), actor="noa"))


# ---- re-linking ----


def about(subject: Subject, name: str) -> Case:
    return case(about={"subject": Item(subject=subject, id=name), "kind": DiscrepancyKind.MISSING_ORDER})


@pytest.mark.parametrize(
    ("subject", "link"),
    [
        (Subject.LINE, "aurora/5001"),
        (Subject.LINE, ""),
        (Subject.PAYMENT, "aurora/5001"),
        (Subject.BANK, "payout:stripe-eu/po_1"),
        (Subject.BANK, ""),
    ],
)
def test_a_link_is_set_together_with_the_case(subject: Subject, link: str) -> None:
    book = FakeFinanceBook()
    book.keep([order(), payout()])
    desk = desk_with(about(subject, "x/1"), book=book, limits={})
    made = resolve("d1", Decision(Resolution.RELINK, "by telephone", link=link), desk, actor="mia")
    assert made.state is CaseState.RESOLVED
    assert desk.book.find_case("d1") == made
    assert book.links() == {"x/1": link}
    assert trail(desk)[-1].detail["link"] == link


@pytest.mark.parametrize(
    ("subject", "link", "code"),
    [
        (Subject.LINE, None, "link_missing"),
        (Subject.LINE, "aurora/5002", "unknown_order"),
        (Subject.LINE, "no order", "invalid_order_key"),
        (Subject.LINE, "payout:stripe-eu/po_1", "invalid_link"),
        (Subject.BANK, "aurora/5001", "invalid_link"),
        (Subject.BANK, "payout:stripe-eu/po_2", "unknown_payout"),
        (Subject.BANK, "payout:stripe-eu", "unknown_payout"),
        (Subject.ORDER, "aurora/5001", "not_linkable"),
        (Subject.PAYOUT, "", "not_linkable"),
    ],
)
def test_a_link_leads_to_something_that_is_there(subject: Subject, link: str | None, code: str) -> None:
    book = FakeFinanceBook()
    book.keep([order(), payout()])
    desk = desk_with(about(subject, "x/1"), book=book)
    refused(code, lambda: resolve("d1", Decision(Resolution.RELINK, "x", link=link), desk, actor="mia"))
    assert (book.links(), trail(desk)) == ({}, [])


def test_amounts_and_links_belong_to_their_resolutions() -> None:
    desk = desk_with()
    wrong = Decision(Resolution.ACCEPT, "x", amount=1)
    refused("amount_not_wanted", lambda: resolve("d1", wrong, desk, actor="mia"))
    refused(
        "link_not_wanted",
        lambda: resolve("d1", Decision(Resolution.ACCEPT, "x", link="aurora/5001"), desk, actor="mia"),
    )


# ---- others at the same time ----


class _BusyBook(FakeFinanceBook):
    """Before each commit somebody else does something, as long as it is told to."""

    def __init__(self, *others: Callable[[FakeFinanceBook], None]) -> None:
        super().__init__()
        self.others = list(others)

    def commit_case(self, case: Case, **rest: Any) -> None:
        if self.others and rest.get("audit"):
            self.others.pop()(self)
        super().commit_case(case, **rest)


def _quiet(book: FakeFinanceBook) -> ReviewDesk:
    return ReviewDesk(book=book, rules=FinanceRules(), clock=lambda: NOON, retrying=retrying)


def test_decides_anew_on_what_others_did_meanwhile() -> None:
    book = _BusyBook(partial(_other_comment, text="second"), partial(_other_comment, text="first"))
    desk = desk_with(book=book)
    made = resolve("d1", WRITE_OFF, desk, actor="mia")
    assert [one.text for one in made.comments] == ["first", "second"]
    assert [one.action for one in trail(desk)] == ["case.commented", "case.commented", "case.resolved"]


def test_of_two_that_resolve_at_once_one_is_told_that_it_is_over() -> None:
    book = _BusyBook(_other_resolution)
    desk = desk_with(book=book)
    refused("case_over", lambda: resolve("d1", WRITE_OFF, desk, actor="mia"))
    assert [one.actor for one in trail(desk)] == ["noa"]


def test_gives_up_when_others_are_always_faster() -> None:
    book = _BusyBook(*[partial(_other_comment, text=str(number)) for number in range(3)])
    desk = desk_with(book=book)
    with pytest.raises(Conflict):
        resolve("d1", WRITE_OFF, desk, actor="mia")


class _Lost(FakeFinanceBook):
    """The commit is done, and the answer is lost."""

    lose = False

    def commit_case(self, case: Case, **rest: Any) -> None:
        super().commit_case(case, **rest)
        if self.lose:
            self.lose = False
            raise Retry("database_unreachable", "the outcome is unknown")


@pytest.mark.parametrize("limits", [{}, {"EUR": 501}])
def test_an_act_whose_answer_was_lost_is_repeated_without_harm(limits: dict[str, int]) -> None:
    book = _Lost()
    desk = desk_with(book=book, limits=limits)
    book.lose = True
    with pytest.raises(Retry):
        resolve("d1", WRITE_OFF, desk, actor="mia")
    resolve("d1", WRITE_OFF, desk, actor="mia")
    assert len(trail(desk)) == 1


def _other_comment(book: FakeFinanceBook, text: str) -> None:
    comment("d1", text, _quiet(_plain(book)), actor="noa")


def _other_resolution(book: FakeFinanceBook) -> None:
    resolve("d1", ACCEPT, _quiet(_plain(book)), actor="noa")


def _plain(book: FakeFinanceBook) -> FakeFinanceBook:
    """The same books, of somebody whom nobody disturbs."""
    plain = FakeFinanceBook()
    plain.__dict__.update({name: value for name, value in book.__dict__.items() if name != "others"})
    return plain


def test_ages_from_the_day_of_business() -> None:
    assert case(about={"since": date(2026, 11, 20)}).age_days(date(2026, 11, 23)) == 3
