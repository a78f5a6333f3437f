"""What a new reconciliation makes of the cases: what staff decided stands for as long as its figures do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from shared.finance.audit import faults_in
from shared.finance.cases import Case, CaseState, Proposal, Resolution
from shared.finance.cases_update import RECONCILIATION, CaseChange, Change, Looked, cases_after
from shared.finance.keep_cases import keep_cases
from shared.finance.models import Discrepancy, Item, Subject, Suggestion
from shared.kernel.errors import Conflict, Retry
from tests.builders.finance_book import DAY, case, discrepancy
from tests.builders.orders import NOON
from tests.fakes.finance import FakeFinanceBook

LATER = NOON + timedelta(days=1)
SUGGESTION = Suggestion(item=Item(subject=Subject.ORDER, id="aurora/5001"), score=80, evidence=("same amount",))


def proposal(resolution: Resolution = Resolution.WRITE_OFF) -> Proposal:
    return Proposal(resolution=resolution, reason="bank charges", amount=500, by="mia", at=NOON)


PROPOSED: dict[str, Any] = {"state": CaseState.PROPOSED, "proposal": proposal(), "owner": "mia"}
RESOLVED: dict[str, Any] = {"state": CaseState.RESOLVED, "proposal": proposal(), "closed_at": NOON}
CLEARED: dict[str, Any] = {"state": CaseState.CLEARED, "closed_at": NOON}


def retrying() -> Retrying:
    return Retrying(retry=retry_if_exception_type(Conflict), stop=stop_after_attempt(3), reraise=True)


def changed(found: list[Discrepancy], *stored: Case) -> CaseChange | None:
    changes = cases_after(found, stored, LATER)
    assert len(changes) <= 1
    return changes[0] if changes else None


def the(change: CaseChange | None) -> CaseChange:
    assert change is not None
    return change


# ---- what becomes of one case ----


def test_what_is_new_opens_a_case() -> None:
    change = the(changed([discrepancy()]))
    assert change == CaseChange(Change.OPENED, case(opened_at=LATER), None)


@pytest.mark.parametrize("told", [{}, {"owner": "mia"}, PROPOSED, RESOLVED])
def test_the_same_figures_leave_a_case_as_it_is(told: dict[str, Any]) -> None:
    assert changed([discrepancy()], case(**told)) is None


@pytest.mark.parametrize("told", [{"owner": "mia"}, PROPOSED])
def test_new_suggestions_are_shown_on_an_open_case(told: dict[str, Any]) -> None:
    known = case(**told)
    change = the(changed([discrepancy(suggestions=(SUGGESTION,))], known))
    assert change.change is Change.UPDATED
    assert change.case == known.model_copy(
        update={"revision": 2, "discrepancy": discrepancy(suggestions=(SUGGESTION,))}
    )


def test_a_decision_does_not_mind_new_suggestions() -> None:
    assert changed([discrepancy(suggestions=(SUGGESTION,))], case(**RESOLVED)) is None


def test_other_figures_are_shown_on_an_open_case_with_its_owner_and_comments() -> None:
    change = the(changed([discrepancy(found=1251)], case(owner="mia")))
    assert (change.change, change.replaces, change.overrides) == (Change.UPDATED, 1, False)
    assert (change.case.owner, change.case.comments, change.case.discrepancy.found) == ("mia", (), 1251)


def test_a_proposal_whose_figures_changed_is_void() -> None:
    change = the(changed([discrepancy(found=1251)], case(**PROPOSED)))
    assert (change.change, change.overrides) == (Change.PROPOSAL_VOID, True)
    assert (change.case.state, change.case.proposal, change.case.owner) == (CaseState.OPEN, None, "mia")
    assert [(one.by, one.at) for one in change.case.comments] == [(RECONCILIATION, LATER)]


@pytest.mark.parametrize("told", [{"found": 1251}, {"expected": None}, {"currency": "USD"}])
def test_other_figures_open_a_resolved_case_again(told: dict[str, Any]) -> None:
    change = the(changed([discrepancy(**told)], case(**RESOLVED, approved_by="noa", reopened=1)))
    assert (change.change, change.overrides) == (Change.REOPENED, True)
    again = change.case
    assert (again.state, again.proposal, again.approved_by, again.closed_at, again.reopened) == (
        CaseState.OPEN,
        None,
        None,
        None,
        2,
    )


def test_what_had_gone_and_is_there_again_opens_its_case_again() -> None:
    change = the(changed([discrepancy()], case(**CLEARED)))
    assert (change.change, change.overrides, change.case.reopened) == (Change.REOPENED, False, 1)


def test_what_has_gone_clears_its_case() -> None:
    change = the(changed([], case(owner="mia")))
    assert (change.change, change.overrides) == (Change.CLEARED, False)
    assert (change.case.state, change.case.closed_at, change.case.comments) == (CaseState.CLEARED, LATER, ())


def test_a_proposal_about_what_has_gone_is_void() -> None:
    change = the(changed([], case(**PROPOSED)))
    assert (change.case.state, change.case.proposal, change.overrides) == (CaseState.CLEARED, None, True)
    assert len(change.case.comments) == 1


def test_a_write_off_of_what_has_come_after_all_is_cleared_so_that_the_ledger_takes_it_back() -> None:
    change = the(changed([], case(**RESOLVED)))
    assert (change.change, change.case.state, change.overrides) == (Change.CLEARED, CaseState.CLEARED, True)
    assert change.case.proposal == proposal()


@pytest.mark.parametrize("resolution", [Resolution.ACCEPT, Resolution.PROPOSE_REFUND, Resolution.RELINK])
def test_any_other_decision_stands_when_its_cause_has_gone(resolution: Resolution) -> None:
    assert changed([], case(state=CaseState.RESOLVED, proposal=proposal(resolution))) is None


@pytest.mark.parametrize("told", [{}, PROPOSED, RESOLVED])
def test_what_was_not_looked_for_has_not_gone(told: dict[str, Any]) -> None:
    old = case(about={"since": DAY - timedelta(days=61)}, **told)
    assert cases_after([], [old], LATER, looked=Looked(DAY - timedelta(days=60))) == ()
    assert len(cases_after([], [old], LATER, looked=Looked(DAY - timedelta(days=61)))) == 1
    assert len(cases_after([], [old], LATER, looked=Looked(DAY, frozenset({old.id})))) == 1


def test_a_cleared_case_that_is_still_gone_stays() -> None:
    assert changed([], case(**CLEARED)) is None


# ---- the queue ----

FOUND = st.lists(
    st.builds(
        discrepancy,
        st.sampled_from(["a", "b", "c", "d"]),
        found=st.sampled_from([1750, 1251]),
        since=st.sampled_from([DAY, DAY - timedelta(days=5)]),
    ),
    unique_by=lambda one: one.id,
)


@given(runs=st.lists(FOUND, min_size=1, max_size=4))
def test_after_each_run_the_open_cases_are_what_it_found_and_a_second_run_changes_nothing(
    runs: list[list[Discrepancy]],
) -> None:
    book = FakeFinanceBook()
    for found in runs:
        kept = keep_cases(found, book, lambda: NOON, retrying)
        open_cases = {one.id: one.discrepancy for one in book.cases(CaseState.OPEN)}
        assert open_cases == {one.id: one for one in found}
        before = dict(book.kept_cases)
        again = keep_cases(list(reversed(found)), book, lambda: LATER, retrying)
        assert set(again.values()) == {0}
        assert book.kept_cases == before
        assert sum(kept.values()) <= 8


class _Killed(FakeFinanceBook):
    """Stops after so many commits, before or after the last of them."""

    def __init__(self, commits: int, *, after: bool) -> None:
        super().__init__()
        self.left = commits
        self.after = after

    def commit_case(self, case: Case, **rest: Any) -> None:
        if self.left == 0 and not self.after:
            raise Retry("database_unreachable", "the outcome is unknown")
        super().commit_case(case, **rest)
        if self.left == 0:
            raise Retry("database_unreachable", "the outcome is unknown")
        self.left -= 1


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("commits", range(4))
def test_killed_anywhere_and_repeated_it_comes_to_the_same(commits: int, after: bool) -> None:
    def run(book: FakeFinanceBook) -> None:
        found = [discrepancy("new"), discrepancy("proposed", found=1), discrepancy("resolved", found=1)]
        keep_cases(found, book, lambda: LATER, retrying)

    killed, whole = _Killed(99, after=after), FakeFinanceBook()
    for book in (killed, whole):
        book.commit_case(case("gone"), replaces=None)
        book.commit_case(case("proposed", **PROPOSED), replaces=None)
        book.commit_case(case("resolved", **RESOLVED), replaces=None)
    killed.left = commits
    with pytest.raises(Retry):
        run(killed)
    killed.left = 99
    run(killed)
    run(whole)
    assert killed.kept_cases == whole.kept_cases
    assert list(killed.records()) == list(whole.records())


def test_what_undoes_a_decision_is_on_the_trail_and_nothing_else() -> None:
    book = FakeFinanceBook()
    book.commit_case(case("proposed", **PROPOSED), replaces=None)
    book.commit_case(case("written-off", **RESOLVED), replaces=None)
    book.commit_case(case("gone"), replaces=None)
    kept = keep_cases([discrepancy("new"), discrepancy("proposed", found=1251)], book, lambda: LATER, retrying)
    assert {change.value: count for change, count in kept.items() if count} == {
        "opened": 1,
        "proposal_void": 1,
        "cleared": 2,
    }
    made = list(book.records())
    assert faults_in(made) == ()
    assert [(one.actor, one.action, one.subject) for one in made] == [
        (RECONCILIATION, "case.proposal_void", "proposed"),
        (RECONCILIATION, "case.cleared", "written-off"),
    ]
    assert made[0].detail == {
        "undone": "write_off",
        "currency": "EUR",
        "difference_before": "500",
        "difference": "1",
    }
    assert made[1].detail["difference"] == "0"


class _Meanwhile(FakeFinanceBook):
    """Somebody works on a case between our reading of the queue and our writing."""

    then: Callable[[FakeFinanceBook], None] | None = None

    def commit_case(self, case: Case, **rest: Any) -> None:
        then, self.then = self.then, None
        if then:
            then(self)
        super().commit_case(case, **rest)


def test_what_staff_decide_meanwhile_is_decided_on_and_not_overwritten() -> None:
    book = _Meanwhile()
    book.commit_case(case(), replaces=None)

    def resolved(book: FakeFinanceBook) -> None:
        book.commit_case(case(revision=2, **RESOLVED), replaces=1)

    book.then = resolved
    kept = keep_cases([discrepancy(suggestions=(SUGGESTION,))], book, lambda: LATER, retrying)
    assert book.find_case("d1") == case(revision=2, **RESOLVED)
    assert set(kept.values()) == {0}


def test_older_cases_stay_unless_they_are_named() -> None:
    book = FakeFinanceBook()
    old = {"since": DAY - timedelta(days=90)}
    book.commit_case(case("silent", about=old), replaces=None)
    book.commit_case(case("named", about=old, **RESOLVED), replaces=None)
    keep_cases([discrepancy("named", found=1, **old)], book, lambda: LATER, retrying, looked=Looked(DAY))
    assert [one.id for one in book.cases(CaseState.OPEN)] == ["named", "silent"]
