"""What an account held in the end, by a statement that states it after each movement."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.payments.running_balance import Held, last_balance

START = datetime(2026, 11, 23, tzinfo=UTC)


def statement(opening: int, movements: list[tuple[int, int]]) -> list[Held]:
    """Movements as seconds after the one before, and changes."""
    rows, at, balance = [], START, opening
    for seconds, change in movements:
        at, balance = at + timedelta(seconds=seconds), balance + change
        rows.append(Held(at, change, balance))
    return rows


movements = st.lists(st.tuples(st.integers(0, 2), st.integers(-50, 50)), min_size=1, max_size=8)


@given(st.integers(0, 100), movements.filter(lambda rows: any(seconds for seconds, _ in rows[1:])))
def test_the_oldest_or_the_newest_may_come_first(opening: int, rows: list[tuple[int, int]]) -> None:
    told = statement(opening, rows)
    for order in (told, told[::-1]):
        last = last_balance(order)
        assert last is not None
        assert last.balance == told[-1].balance
        assert last.at == told[-1].at


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_in_one_second_the_balances_say_which_was_last(changes: list[int]) -> None:
    told = statement(0, [(0, change) for change in changes])
    shuffled = sorted(told, key=lambda held: (held.balance * 7919) % 101)
    last = last_balance(shuffled)
    assert last is not None
    assert last.balance == sum(changes)


def test_nothing_moved_tells_nothing() -> None:
    assert last_balance([]) is None
