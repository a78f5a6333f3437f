"""Deciding under watch: what an operator saw is what he decides on, and a rehearsal writes nothing."""

from dataclasses import replace

import pytest

from infra.cli.rehearsal import watched
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders.cancel import cancel
from shared.orders.decision import Commit
from shared.orders.intake import take_in
from shared.orders.lifecycle import ReviewState
from shared.orders.models import PaymentState
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder
from shared.orders.reconsider import reconsider
from shared.orders.release import release, required
from tests.builders.orders import line, order
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom, desk

KEY = OrderKey("aurora", "5001")


@pytest.fixture
def counter() -> Desk:
    """A desk with one order that is held because it is not paid."""
    room = FakeStockRoom()
    room.set_level(counted("MUG", 5))
    counter = desk(room)
    take_in("aurora", CompleteOrder(order(line("MUG", 2), payment=PaymentState.PENDING)), counter)
    return counter


def test_a_rehearsal_shows_the_commit_and_writes_nothing(counter: Desk) -> None:
    before = required(KEY, counter)
    rehearsed, commits = watched(counter, dry_run=True)
    assert release(KEY, rehearsed, by="mia").review is ReviewState.RELEASED
    assert [commit.record.cause.actor for commit in commits] == ["mia"]
    assert required(KEY, counter) == before


def test_a_rehearsal_of_several_commits_comes_to_its_end() -> None:
    lines = [line(f"SKU-{number:03}") for number in range(150)]  # more than one transaction takes
    room = FakeStockRoom()
    for item in lines:
        room.set_level(counted(str(item.sku), 1))
    counter = desk(room)
    take_in("aurora", CompleteOrder(order(*lines)), counter)
    before = required(KEY, counter)
    rehearsed, commits = watched(counter, dry_run=True)
    assert cancel(KEY, rehearsed, by="mia").settled
    assert len(commits) > 1
    assert sum(len(commit.changes) for commit in commits) == 150
    assert required(KEY, counter) == before


def test_what_is_written_is_noted(counter: Desk) -> None:
    real, commits = watched(counter, dry_run=False, attended=True)
    release(KEY, real, by="mia")
    assert [commit.record for commit in commits] == [required(KEY, counter)]


def test_an_operator_does_not_decide_on_what_he_has_not_seen(counter: Desk) -> None:
    attended, commits = watched(counter, dry_run=False, attended=True)
    required(KEY, attended)
    newer = order(line("MUG", 2), minute=1, body="b", payment=PaymentState.PENDING, risk_level="high")
    take_in("aurora", CompleteOrder(newer), counter)
    with pytest.raises(Rejected) as refused:
        release(KEY, attended, by="mia")
    assert refused.value.code == "changed_meanwhile"
    assert commits == []
    assert required(KEY, counter).review is ReviewState.HELD


def test_several_commits_of_one_decision_are_all_his_own() -> None:
    lines = [line(f"SKU-{number:03}") for number in range(150)]
    room = FakeStockRoom()
    for item in lines:
        room.set_level(counted(str(item.sku), 1))
    counter = desk(room)
    take_in("aurora", CompleteOrder(order(*lines)), counter)
    attended, commits = watched(counter, dry_run=False, attended=True)
    required(KEY, attended)
    assert cancel(KEY, attended, by="mia").settled
    assert len(commits) > 1


class _Interrupted(FakeOrderBook):
    """Somebody is faster once."""

    interruptions = 1

    def commit(self, commit: Commit) -> None:
        if self.interruptions:
            self.interruptions -= 1
            raise Conflict("changed_meanwhile", "the data changed since it was read")
        super().commit(commit)


def test_a_review_that_nobody_attends_decides_again_after_a_conflict() -> None:
    room = FakeStockRoom()
    room.set_level(counted("MUG", 1))
    book = _Interrupted(room)
    book.interruptions = 0
    counter = replace(desk(room), book=book)
    take_in("aurora", CompleteOrder(order(line("MUG", 2))), counter)
    room.set_level(counted("MUG", 2))
    book.interruptions = 1
    watching, commits = watched(counter, dry_run=False)
    assert reconsider(KEY, watching).after is not None
    assert [commit.record.review for commit in commits] == [ReviewState.RELEASED]


def test_no_account_is_taken_in_under_watch(counter: Desk) -> None:
    watching, _ = watched(counter, dry_run=True)
    with pytest.raises(NotImplementedError):
        watching.book.write_account(order())
