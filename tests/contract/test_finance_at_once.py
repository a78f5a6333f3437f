"""Several people at the same cases at the same time, over the fake and over DynamoDB's table."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from pynamodb.connection import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from shared.finance.audit import faults_in
from shared.finance.cases import Case, CaseState, Resolution
from shared.finance.ports import FinanceBook
from shared.finance.review import Decision, ReviewDesk, approve, comment, resolve
from shared.finance.rules import FinanceRules
from shared.finance.table import FinanceTable
from shared.kernel.errors import Conflict, Rejected
from tests.builders.finance_book import case
from tests.builders.orders import NOON
from tests.fakes.finance import FakeFinanceBook

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CASES = ("d1", "d2", "d3")
STAFF = ("ann", "ben", "mia")


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def book(request: pytest.FixtureRequest) -> FinanceBook:
    if request.param == "fake":
        return FakeFinanceBook(AMSTERDAM)
    connection: Connection = request.getfixturevalue("connection")
    return FinanceTable(connection, request.getfixturevalue("table_names")["finance"], AMSTERDAM)


def _retrying() -> Retrying:
    """Whoever loses, somebody else has won: it comes to an end."""
    return Retrying(retry=retry_if_exception_type(Conflict), stop=stop_after_attempt(200), reraise=True)


def test_staff_who_work_at_once_leave_one_whole_trail_and_never_approve_themselves(book: FinanceBook) -> None:
    for name in CASES:
        book.commit_case(case(name), replaces=None)
    desk = ReviewDesk(book=book, rules=FinanceRules(), clock=lambda: NOON, retrying=_retrying)

    def work(who: str) -> None:
        for name in CASES:
            acts: tuple[Callable[[], Case], ...] = (
                partial(comment, name, f"seen by {who}", desk, actor=who),
                partial(resolve, name, Decision(Resolution.WRITE_OFF, "lost"), desk, actor=who),
                partial(approve, name, desk, actor=who),
            )
            for act in acts:
                with suppress(Rejected):  # somebody else was faster
                    act()

    with ThreadPoolExecutor(len(STAFF)) as pool:
        list(pool.map(work, STAFF))

    trail = list(book.records())
    assert faults_in(trail) == ()
    ended = list(book.cases(*CaseState))
    assert sorted(one.id for one in ended) == list(CASES)
    assert len(trail) == sum(one.revision - 1 for one in ended)
    for one in ended:
        assert {note.by for note in one.comments} == set(STAFF)
        assert one.proposal is not None
        assert one.proposal.by != one.approved_by
    assert {one.id for one in book.written_off()} == {one.id for one in book.cases(CaseState.RESOLVED)}
