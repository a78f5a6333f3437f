"""Reading a payment account's feed: nothing is missed, whatever comes late, fails or is killed."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.models import Feed, LineKind, Payment, PaymentKind, PaymentState, ProviderBalance
from shared.finance.models import SettlementLine as Line
from shared.finance.ports import Kept
from shared.kernel.errors import Conflict, Rejected, Retry, StorebridgeError
from shared.sync.finance.hints import follow_hints
from shared.sync.finance.progress import FeedProgress
from shared.sync.finance.pull import PullReport, job_name, pull
from shared.sync.jobs import Worker
from tests.builders.orders import NOON
from tests.fakes.finance import FakeFinanceBook
from tests.fakes.payment_feeds import FakeFeedProgresses, FakePaymentFeed
from tests.fakes.sync import FakeJobs

HOUR = timedelta(hours=1)
ACCOUNT = "stripe-eu"


def line(number: int, at: datetime, kind: LineKind = LineKind.CAPTURE) -> Line:
    return Line(
        account=ACCOUNT,
        line_id=f"txn_{number}",
        kind=kind,
        category="charge",
        occurred_at=at,
        currency="EUR",
        gross=1000 + number,
        fee=30,
        net=970 + number,
        feed=Feed.API,
    )


class World:
    """One account, its provider, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON
        self.book = FakeFinanceBook()
        self.progresses = FakeFeedProgresses()
        self.jobs = FakeJobs()
        self.feed = FakePaymentFeed(self.clock)
        self.runs = 0

    def clock(self) -> datetime:
        return self.now

    def pull(self, has_time: Callable[[], bool] = lambda: True, since: datetime | None = None) -> PullReport:
        self.runs += 1
        worker = Worker(self.jobs, f"run-{self.runs}", self.clock, timedelta(minutes=5), has_time)
        return pull(ACCOUNT, self.feed, self.book, self.progresses, worker, since=since)

    @property
    def kept(self) -> tuple[list[Line], list[ProviderBalance]]:
        day = timedelta(days=400)
        since, until = (NOON - day).date(), (NOON + day).date()
        return list(self.book.lines(ACCOUNT, since, until)), list(self.book.balances(ACCOUNT, since, until))

    @property
    def ids(self) -> set[str]:
        return {line.line_id for line in self.kept[0]}


@pytest.fixture
def world() -> World:
    return World()


def test_all_pages_are_kept_and_the_next_look_overlaps(world: World) -> None:
    world.feed.lines = [line(n, NOON - n * HOUR) for n in range(1, 8)]
    report = world.pull()
    assert report == PullReport(
        ACCOUNT,
        finished=True,
        pages=4,
        counts={"changed": 0, "new": 7, "restated": 0, "same": 0, "unknown": 0},
        restated=(),
        read_until=NOON,
    )
    assert len(world.ids) == 7
    assert world.feed.asked[0][:2] == (NOON - timedelta(days=60), NOON)
    world.now = NOON + 6 * HOUR
    assert world.pull().counts["same"] == 1
    assert world.feed.asked[-1] == (NOON - HOUR, NOON + 6 * HOUR, None)


def test_what_the_provider_shows_late_is_read_all_the_same(world: World) -> None:
    lag = 5 * HOUR
    world.feed.lag_hours = 5
    world.feed.lines = [line(n, NOON + n * HOUR) for n in range(24)]
    world.feed.shown = lambda shown, now: shown.occurred_at + lag <= now
    for hour in range(30):
        world.now = NOON + hour * HOUR
        read_until = world.pull().read_until
        assert read_until == world.now - lag
        assert {one.line_id for one in world.feed.lines if one.occurred_at < read_until} <= world.ids
    assert len(world.ids) == 24


def test_when_time_runs_out_the_next_run_goes_on_in_the_same_window(world: World) -> None:
    world.feed.lines = [line(n, NOON - n * HOUR) for n in range(1, 8)]
    first = world.pull(has_time=lambda: False)
    assert (first.finished, first.pages, first.read_until) == (False, 1, None)
    world.now = NOON + HOUR
    world.feed.lines.append(line(9, NOON + timedelta(minutes=5)))
    assert world.pull().read_until == NOON
    assert len(world.ids) == 7
    world.pull()
    assert len(world.ids) == 8


def test_a_failure_is_noted_and_the_page_is_asked_for_again(world: World) -> None:
    world.feed.lines = [line(n, NOON - n * HOUR) for n in range(1, 6)]
    world.feed.fails = [None, Retry("payments_throttled", "slow down")]
    with pytest.raises(Retry):
        world.pull()
    progress = world.progresses.find(ACCOUNT)
    assert progress is not None
    assert (progress.last_error, progress.last_run_at, progress.read_until) == ("payments_throttled", NOON, None)
    world.now = NOON + HOUR
    assert world.pull().pages == 3
    progress = world.progresses.find(ACCOUNT)
    assert progress is not None
    assert (progress.last_error, progress.read_until) == (None, NOON)


def test_a_cursor_that_has_gone_stale_begins_the_window_anew_once(world: World) -> None:
    world.feed.lines = [line(n, NOON - n * HOUR) for n in range(1, 6)]
    world.pull(has_time=lambda: False)
    refusal = Rejected("payments_refused", "no such cursor")
    world.feed.fails = [refusal]
    assert world.pull().counts["restarted"] == 1
    assert len(world.ids) == 5
    world.now = NOON + 9 * HOUR
    world.feed.lines += [line(20 + n, NOON + n * HOUR) for n in range(9)]
    world.feed.fails = [None, refusal]
    with pytest.raises(Rejected):
        world.pull()


def test_refused_credentials_stop_at_once(world: World) -> None:
    world.pull(has_time=lambda: False)
    world.feed.fails = [Rejected("payments_auth", "who are you?")]
    with pytest.raises(Rejected, match="payments_auth"):
        world.pull()


def test_two_runs_do_not_read_one_account(world: World) -> None:
    world.jobs.take(job_name(ACCOUNT), "other", now=NOON, until=NOON + HOUR)
    with pytest.raises(Conflict, match="taken"):
        world.pull()
    assert world.progresses.find(ACCOUNT) is None


def test_the_balance_is_kept_with_the_last_page(world: World) -> None:
    world.feed.balance = ProviderBalance(account=ACCOUNT, currency="EUR", as_of=NOON, amount=5000)
    world.feed.lines = [line(n, NOON - n * HOUR) for n in range(1, 4)]
    world.pull(has_time=lambda: False)
    assert not list(world.book.balances(ACCOUNT, NOON.date(), NOON.date()))
    world.pull()
    assert list(world.book.balances(ACCOUNT, NOON.date(), NOON.date())) == [world.feed.balance]


def test_unknown_categories_and_restatements_are_counted(world: World) -> None:
    world.feed.lines = [line(1, NOON - HOUR, LineKind.UNKNOWN)]
    assert world.pull().counts["unknown"] == 1
    world.feed.lines = [line(1, NOON - HOUR).model_copy(update={"gross": 9, "net": -21})]
    world.now = NOON + timedelta(minutes=1)
    report = world.pull()
    assert report.counts["restated"] == 1
    assert report.restated == (f"line:{ACCOUNT}/txn_1",)


def test_a_window_can_be_asked_to_reach_further_back(world: World) -> None:
    world.pull()
    world.pull(since=NOON - timedelta(days=200))
    assert world.feed.asked[-1][0] == NOON - timedelta(days=200)


class Killed(Exception):
    pass


@given(st.lists(st.integers(1, 14), max_size=12))
def test_killed_at_any_call_and_repeated_comes_to_the_same_end(deaths: list[int]) -> None:
    """Each run dies at the n-th call to a port; then one lives."""
    world = World()
    world.feed.lines = [line(n, NOON - n * HOUR) for n in range(1, 8)]
    world.feed.balance = ProviderBalance(account=ACCOUNT, currency="EUR", as_of=NOON, amount=5000)
    for calls in deaths:
        killer = _Killer(calls)
        worker = Worker(killer.of(world.jobs), "me", world.clock, HOUR, lambda: True)
        try:
            pull(ACCOUNT, killer.of(world.feed), killer.of(world.book), killer.of(world.progresses), worker)
        except Killed:
            world.now += HOUR
    world.now += HOUR
    world.pull()
    reference = World()
    reference.feed.lines = world.feed.lines
    reference.feed.balance = world.feed.balance
    reference.pull()
    assert world.kept == reference.kept
    progress = world.progresses.find(ACCOUNT)
    assert progress is not None
    assert progress.read_until is not None
    assert progress.read_until >= NOON


class _Killer:
    def __init__(self, calls: int) -> None:
        self.left = calls

    def of(self, port: object) -> "_Mortal":
        return _Mortal(port, self)


class _Mortal:
    """A port whose caller dies at one of the calls, before it has any effect."""

    def __init__(self, port: object, killer: _Killer) -> None:
        self._port = port
        self._killer = killer

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]  # stands for any port
        attribute = getattr(self._port, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: object, **named: object) -> object:
            self._killer.left -= 1
            if self._killer.left == 0:
                raise Killed
            return attribute(*arguments, **named)

        return call


def payment(payment_id: str) -> Payment:
    return Payment(
        account=ACCOUNT,
        payment_id=payment_id,
        kind=PaymentKind.CAPTURE,
        state=PaymentState.SUCCEEDED,
        vendor_state="succeeded",
        currency="EUR",
        amount=100,
        occurred_at=NOON,
        stated_at=NOON,
        feed=Feed.API,
    )


def test_hints_are_followed_once_each(world: World) -> None:
    world.feed.payments = {"ch_1": payment("ch_1")}
    found = follow_hints(["ch_2", "ch_1", "ch_1"], world.feed, world.book)
    assert found.kept == Kept(new=1)
    assert found.missing == ("ch_2",)
    assert world.book.find_payment(ACCOUNT, "ch_1") == payment("ch_1")


def test_a_hint_that_cannot_be_followed_is_left_to_its_message(world: World) -> None:
    error: StorebridgeError = Retry("payments_failed", "later")
    world.feed.fails = [error]
    with pytest.raises(Retry):
        follow_hints(["ch_1"], world.feed, world.book)


def test_progress_never_falls_back() -> None:
    progress = FeedProgress(account=ACCOUNT).listed(NOON, NOON - HOUR, NOON)
    again = progress.listed(NOON - HOUR, NOON - 2 * HOUR, NOON)
    assert (again.asked_until, again.read_until) == (NOON, NOON - HOUR)
    assert again.heard(NOON + HOUR, NOON + HOUR).read_until == NOON + HOUR
    assert again.heard(NOON - 5 * HOUR, NOON).read_until == NOON - HOUR
    assert again.heard(NOON + 9 * HOUR, NOON + HOUR).read_until == NOON + HOUR


def test_a_file_s_date_to_come_does_not_make_days_to_come_count_as_read() -> None:
    """A day of the year 2099, mistyped or misread, would count everything as read for ever."""
    heard = FeedProgress(account=ACCOUNT).heard(NOON + 365 * 24 * HOUR, NOON)
    assert heard.read_until == NOON


def test_pages_that_never_end_are_said_and_not_walked_for_ever(world: World) -> None:
    world.feed.lines = [line(n, NOON - n * HOUR) for n in range(1, 6)]
    world.feed.page = 0
    with pytest.raises(Rejected, match="never end"):
        world.pull()
    progress = world.progresses.find(ACCOUNT)
    assert progress is not None
    assert (progress.last_error, progress.read_until) == ("payments_refused", None)
