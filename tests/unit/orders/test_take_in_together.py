"""Orders that come together end as if taken in one by one, in fewer transactions, and none fails another."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import tenacity
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inventory.ledger import Movement, level_of, movements_of
from shared.inventory.models import StockLine
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit, Contended
from shared.orders.intake import Outcome, Result, take_in
from shared.orders.lifecycle import ReviewState
from shared.orders.models import Order
from shared.orders.ports import Arrival
from shared.orders.readings import CompleteOrder
from shared.orders.record import HoldReason, OrderRecord
from shared.orders.review import ReviewRules
from shared.orders.take_in_together import Pace, Taken, take_in_together
from tests.builders.orders import NOON, line, order
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom, desk


def _few_tries() -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Conflict), stop=tenacity.stop_after_attempt(2), reraise=True
    )


CALM = Pace(_few_tries)
HURRIED = Pace(_few_tries, hurried=True)
BUNDLES = {"SET": {"MUG": 2, "CAP": 1}}


class Book(FakeOrderBook):
    """Notes what is committed in each transaction, and refuses when told to."""

    def __init__(self, stock: FakeStockRoom) -> None:
        super().__init__(stock)
        self.transactions: list[list[str]] = []
        self.refusals: list[Exception | None] = []
        """Of the next commits, one after the other."""
        self.movements: list[Movement] = []
        self.poisoned = ""
        self._seen: dict[tuple[str, str], StockLine] = dict(stock.lines)
        self._room = stock

    def commit_all(self, commits: Sequence[Commit]) -> None:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        if self.poisoned in [commit.record.order_id for commit in commits]:
            raise Conflict("changed_meanwhile", "its record changes all the time")
        super().commit_all(commits)
        self.transactions.append([commit.record.order_id for commit in commits])
        for key, now in self._room.lines.items():
            if self._seen.get(key) != now:
                self.movements += movements_of(self._seen.get(key), now, NOON)
                self._seen[key] = now


@dataclass
class House:
    room: FakeStockRoom = field(default_factory=FakeStockRoom)

    def __post_init__(self) -> None:
        self.book = Book(self.room)
        self.desk = replace(desk(self.room), book=self.book, bundles=lambda: BUNDLES)

    def stock(self, **units: int) -> "House":
        for sku, on_hand in units.items():
            self.room.set_level(counted(sku, on_hand))
        self.book._seen = dict(self.room.lines)
        return self

    def take(self, *orders: Order, pace: Pace = CALM) -> list[Taken]:
        return take_in_together([Arrival(one, self.desk) for one in orders], self.book, pace)

    def alone(self, one: Order) -> Result:
        return take_in("aurora", CompleteOrder(one), self.desk).result

    def allocated(self, order_id: str) -> dict[str | None, int]:
        record = self.book.records[OrderKey("aurora", order_id)]
        return {state.sku: sum(state.allocated.values()) for state in record.lines}

    def level(self, sku: str) -> tuple[int, int]:
        held = self.room.lines[sku, "main"]
        return held.on_hand, held.reserved


def sale(number: int, *items: tuple[str, int], **overrides: Any) -> Order:
    """By a buyer of its own, so that nobody is taken for somebody else's twin."""
    told = order(*(line(sku, units) for sku, units in items), order_id=str(number), **overrides)
    return told.model_copy(update={"personal": told.personal.model_copy(update={"email": f"{number}@example.test"})})


def results(taken: Sequence[Taken]) -> list[object]:
    return [one.result if isinstance(one, Outcome) else type(one) if one is not None else None for one in taken]


def test_orders_of_one_sku_are_one_transaction_and_the_last_ones_wait() -> None:
    house = House().stock(MUG=5)
    taken = house.take(*(sale(number, ("MUG", 2)) for number in (1, 2, 3, 4)))
    assert results(taken) == [Result.APPLIED] * 4
    # The fourth moves no stock: it meets nobody at it, and is written by itself for half the price.
    assert house.book.transactions == [["1", "2", "3"], ["4"]]
    assert [house.allocated(name)["MUG"] for name in "1234"] == [2, 2, 1, 0]
    assert house.level("MUG") == (5, 5)


def test_in_a_hurry_all_are_one_transaction() -> None:
    house = House().stock(MUG=5)
    taken = house.take(*(sale(number, ("MUG", 2)) for number in (1, 2, 3, 4)), pace=HURRIED)
    assert results(taken) == [Result.APPLIED] * 4
    assert house.book.transactions == [["1", "2", "3", "4"]]
    assert [house.allocated(name)["MUG"] for name in "1234"] == [2, 2, 1, 0]


def test_orders_that_meet_nobody_are_left_to_themselves() -> None:
    house = House().stock(MUG=5, CAP=5, SOCKS=5)
    taken = house.take(sale(1, ("MUG", 1)), sale(2, ("SOCKS", 1)), sale(3, ("MUG", 1), ("CAP", 1)))
    assert results(taken) == [Result.APPLIED, None, Result.APPLIED]
    assert OrderKey("aurora", "2") not in house.book.records
    assert OrderKey("aurora", "2") not in house.book.accounts


def test_bundles_meet_their_components() -> None:
    house = House().stock(MUG=5, CAP=5)
    taken = house.take(sale(1, ("SET", 2)), sale(2, ("MUG", 2)), sale(3, ("CAP", 3)))
    assert results(taken) == [Result.APPLIED] * 3
    assert house.book.transactions == [["1", "2", "3"]]
    assert house.level("MUG") == (5, 5)
    assert house.level("CAP") == (5, 5)
    assert house.allocated("2")["MUG"] == 1


def test_two_skus_in_common() -> None:
    house = House().stock(MUG=3, CAP=3)
    house.take(sale(1, ("MUG", 2), ("CAP", 1)), sale(2, ("CAP", 2), ("MUG", 2)))
    assert house.allocated("1") == {"MUG": 2, "CAP": 1}
    assert house.allocated("2") == {"CAP": 2, "MUG": 1}
    assert house.book.transactions == [["1", "2"]]


def test_each_movement_names_its_order() -> None:
    house = House().stock(MUG=9)
    house.take(sale(1, ("MUG", 2)), sale(2, ("MUG", 3)))
    told = [(one.seq, one.cause.reference, one.reserved, one.reserved_after) for one in house.book.movements]
    assert told == [(2, "aurora/1#1", 2, 2), (3, "aurora/2#1", 3, 5)]


def test_an_older_account_in_a_group_changes_nothing() -> None:
    house = House().stock(MUG=9)
    house.alone(sale(1, ("MUG", 4), minute=5, body="b"))
    taken = house.take(sale(1, ("MUG", 1), minute=1), sale(2, ("MUG", 2)), sale(3, ("MUG", 1)))
    assert results(taken) == [Result.SUPERSEDED, Result.APPLIED, Result.APPLIED]
    assert house.allocated("1") == {"MUG": 4}
    assert house.book.accounts[OrderKey("aurora", "1")].version.body_sha256 == "b" * 64


def test_of_two_accounts_of_one_order_the_newer_one_goes_first() -> None:
    house = House().stock(MUG=9)
    newer, older = sale(1, ("MUG", 1), minute=2, body="b"), sale(1, ("MUG", 4), minute=1)
    taken = house.take(older, sale(2, ("MUG", 2)), newer)
    assert results(taken) == [None, Result.APPLIED, Result.APPLIED]
    assert house.alone(older) is Result.SUPERSEDED
    assert house.allocated("1") == {"MUG": 1}


def test_an_edit_and_a_cancellation_in_a_group_give_back_for_those_that_follow() -> None:
    house = House().stock(MUG=4)
    for number in (1, 2):
        house.alone(sale(number, ("MUG", 2)))
    gone = sale(1, ("MUG", 2), minute=1, body="b", cancelled_at=NOON)
    smaller = sale(2, ("MUG", 1), minute=1, body="b")
    taken = house.take(gone, smaller, sale(3, ("MUG", 3)))
    assert results(taken) == [Result.APPLIED] * 3
    assert house.allocated("3") == {"MUG": 3}
    assert house.level("MUG") == (4, 4)
    assert house.book.records[OrderKey("aurora", "1")].review is ReviewState.CANCELLED


def test_the_same_deliveries_again_change_nothing() -> None:
    house = House().stock(MUG=9)
    sales = [sale(number, ("MUG", 2)) for number in (1, 2)]
    house.take(*sales)
    assert results(house.take(*sales)) == [Result.DUPLICATE] * 2
    assert house.level("MUG") == (9, 4)


def test_holds_are_found_in_a_group_as_alone() -> None:
    for pace in (CALM, HURRIED):
        house = House().stock(MUG=9)
        twin = sale(2, ("MUG", 2)).model_copy(update={"personal": sale(1, ("MUG", 2)).personal})
        unpaid = sale(3, ("MUG", 2), payment="pending")
        taken = house.take(sale(1, ("MUG", 2)), twin, unpaid, pace=pace)
        assert results(taken) == [Result.APPLIED] * 3
        reasons = [{hold.reason for hold in house.book.records[OrderKey("aurora", name)].holds} for name in "123"]
        assert reasons == [set(), {HoldReason.POSSIBLE_DUPLICATE}, {HoldReason.PAYMENT_PENDING}]


def test_each_shop_by_its_own_rules() -> None:
    house = House().stock(MUG=9)
    strict = replace(house.desk, rules=ReviewRules(auto_release=False))
    borealis = sale(2, ("MUG", 2)).model_copy(update={"shop": "borealis"})
    taken = take_in_together([Arrival(sale(1, ("MUG", 2)), house.desk), Arrival(borealis, strict)], house.book, CALM)
    assert [one.record.review for one in taken if isinstance(one, Outcome) and one.record] == [
        ReviewState.RELEASED,
        ReviewState.APPROVED,
    ]
    assert house.book.transactions == [["1", "2"]]


def test_a_group_that_others_keep_getting_ahead_of_is_told_so_and_nothing_is_written() -> None:
    house = House().stock(MUG=9)
    house.book.refusals = [Contended(frozenset({"MUG"}))] * 2
    taken = house.take(sale(1, ("MUG", 2)), sale(2, ("MUG", 2)))
    assert results(taken) == [Contended] * 2
    assert not house.book.records


def test_a_group_that_lost_once_is_decided_again_on_what_is_left() -> None:
    house = House().stock(MUG=4)

    class Overtaken(Book):
        def commit_all(self, commits: Sequence[Commit]) -> None:
            if not self.transactions:
                self.transactions.append(["others"])
                change = commits[0].changes[0].model_copy(update={"reserved": 0, "on_hand": -2})
                house.room.move(change, commits[0].record.cause.model_copy(update={"kind": "receipt"}))
                raise Contended(frozenset({"MUG"}))
            super().commit_all(commits)

    house.book = Overtaken(house.room)
    house.desk = replace(house.desk, book=house.book)
    taken = house.take(sale(1, ("MUG", 2)), sale(2, ("MUG", 2)))
    assert results(taken) == [Result.APPLIED] * 2
    assert [house.allocated(name)["MUG"] for name in "12"] == [2, 0]


def test_in_a_hurry_a_group_is_halved_until_the_odd_one_stands_alone() -> None:
    house = House().stock(MUG=99)
    house.book.poisoned = "5"
    taken = house.take(*(sale(number, ("MUG", 1)) for number in range(8)), pace=HURRIED)
    assert results(taken) == [Result.APPLIED] * 5 + [None] + [Result.APPLIED] * 2
    assert house.book.transactions == [["0", "1", "2", "3"], ["4"], ["6", "7"]]


def test_one_order_whose_record_keeps_changing_does_not_fail_the_others() -> None:
    house = House().stock(MUG=99)
    house.book.poisoned = "1"
    taken = house.take(*(sale(number, ("MUG", 1)) for number in range(3)))
    assert results(taken) == [Result.APPLIED, None, Result.APPLIED]


def test_an_account_that_cannot_be_kept_is_left_to_be_told_alone() -> None:
    class Picky(Book):
        def write_account(self, account: Order) -> None:
            if account.order_id == "2":
                raise Rejected("order_too_large", "order aurora/2 does not fit")
            super().write_account(account)

    for pace in (CALM, HURRIED):
        house = House().stock(MUG=9)
        house.book = Picky(house.room)
        house.desk = replace(house.desk, book=house.book)
        taken = house.take(*(sale(number, ("MUG", 1)) for number in (1, 2, 3)), pace=pace)
        assert results(taken) == [Result.APPLIED, None, Result.APPLIED]


def test_an_unknown_outcome_is_everybodys_and_the_next_delivery_finds_it() -> None:
    house = House().stock(MUG=9)

    class Silent(Book):
        def commit_all(self, commits: Sequence[Commit]) -> None:
            super().commit_all(commits)
            raise Retry("database_unreachable", "the outcome is unknown")

    house.book = Silent(house.room)
    house.desk = replace(house.desk, book=house.book)
    sales = [sale(number, ("MUG", 2)) for number in (1, 2)]
    assert results(house.take(*sales)) == [Retry] * 2
    assert results(house.take(*sales)) == [Result.DUPLICATE] * 2
    assert house.level("MUG") == (9, 4)


def test_more_than_a_transaction_takes_are_several() -> None:
    house = House().stock(MUG=500)
    taken = house.take(*(sale(number, ("MUG", 1)) for number in range(150)), pace=HURRIED)
    assert results(taken) == [Result.APPLIED] * 150
    assert [len(one) for one in house.book.transactions] == [99, 51]


def test_an_order_of_more_lines_than_a_transaction_takes_goes_alone() -> None:
    house = House().stock(**{f"S{number}": 5 for number in range(120)})
    large = sale(1, *((f"S{number}", 1) for number in range(120)))
    taken = house.take(large, sale(2, ("S1", 1)), sale(3, ("S1", 1)))
    assert results(taken) == [None, Result.APPLIED, Result.APPLIED]
    assert house.alone(large) is Result.APPLIED
    assert house.level("S119") == (5, 1)


_ITEMS = st.lists(st.tuples(st.sampled_from(["MUG", "CAP", "SET"]), st.integers(1, 3)), min_size=1, max_size=2)
_Told = tuple[int, int, dict[str, int], bool]
_SALES = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 3), _ITEMS.map(dict), st.booleans()), min_size=1, max_size=9
)


@settings(max_examples=150)
@given(st.integers(0, 8), st.integers(0, 8), st.lists(_SALES, min_size=1, max_size=3), st.booleans())
def test_together_ends_as_one_by_one(mugs: int, caps: int, batches: list[list[_Told]], hurried: bool) -> None:
    """The books agree with themselves whatever comes in whatever batches; and where nobody goes short, together and
    alone are the same to the last field."""
    together, alone = (House().stock(MUG=mugs + 90, CAP=caps + 90) for _ in range(2))
    scarce = House().stock(MUG=mugs, CAP=caps)
    for batch in batches:
        told = [_told(*one) for one in batch]
        for house in (together, scarce):
            taken = house.take(*told, pace=HURRIED if hurried else CALM)
            for one, result in zip(told, taken, strict=True):
                if result is None:
                    house.alone(one)
        for one in told:
            alone.alone(one)
    for key, record in alone.book.records.items():
        assert _end(together.book.records[key]) == _end(record)
    _require_sound(together)
    _require_sound(scarce)


def _told(number: int, minute: int, items: dict[str, int], gone: bool) -> Order:
    """What is told of an order in one minute is always the same, as it is of a real one."""
    units = {sku: 1 + (each + minute) % 3 for sku, each in items.items()} if number % 2 else {"MUG": 1 + minute}
    body = hashlib.sha256(repr((number, minute, units, gone)).encode()).hexdigest()[0]
    cancelled = NOON + timedelta(minutes=minute) if gone else None
    return sale(number, *units.items(), minute=minute, body=body, cancelled_at=cancelled)


def _end(record: OrderRecord) -> OrderRecord:
    """Where it came to, whatever it went through: how many steps it took, and what a bundle was made of when it held
    stock that it has given back since, is the way and not the end."""
    lines = [one if one.allocated else one.model_copy(update={"components": None}) for one in record.lines]
    return record.model_copy(update={"revision": 0, "cause": None, "attention_since": None, "lines": tuple(lines)})


def _require_sound(house: House) -> None:
    for (sku, _), held in house.room.lines.items():
        mine = [movement for movement in house.book.movements if movement.sku == sku]
        opening = 1
        assert [movement.seq for movement in mine] == list(range(opening + 1, held.seq + 1))
        assert level_of(mine).reserved == held.reserved
        assert 0 <= held.reserved <= held.on_hand
        assert held.reserved == sum(_promised(record, sku) for record in house.book.records.values())
        assert all(0 <= movement.reserved_after <= movement.on_hand_after for movement in mine)


def _promised(record: OrderRecord, sku: str) -> int:
    return sum(
        sum(state.allocated.values()) * (state.components or {str(state.sku): 1}).get(sku, 0) for state in record.lines
    )
