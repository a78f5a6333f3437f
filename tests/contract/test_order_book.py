"""What every order book and stock room promise: the fake in memory, and DynamoDB's tables on a real engine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from pynamodb.connection import Connection

from shared.dynamodb.table import WriteRefused
from shared.inventory.ledger import movements_of
from shared.inventory.models import Cause, Count, StockChange, StockLine
from shared.inventory.ports import StockRoom
from shared.inventory.table import StockTable
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Circumstances, Commit, Contended, Fingerprint, decide
from shared.orders.models import PaymentState
from shared.orders.record import HoldReason
from shared.orders.review import ReviewRules
from shared.orders.table import OrderTable
from tests.builders.orders import NOON, line, order
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom

Rooms = tuple[FakeOrderBook | OrderTable, StockRoom]


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def rooms(request: pytest.FixtureRequest) -> Rooms:
    if request.param == "fake":
        stock = FakeStockRoom()
        return FakeOrderBook(stock), stock
    connection: Connection = request.getfixturevalue("connection")
    names: dict[str, str] = request.getfixturevalue("table_names")
    table = StockTable(connection, names["stock"], ("main", "attic"))
    return OrderTable(connection, names["orders"], table), table


def _decided(stock: StockRoom, *lines: tuple[str, int], order_id: str = "5001") -> Commit:
    account = order(*(line(sku, units) for sku, units in lines), order_id=order_id)
    around = Circumstances(stock.read([sku for sku, _ in lines]), ("main", "attic"), ReviewRules(), NOON)
    return decide(account, None, around)


def test_reads_back_what_was_committed(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 5))
    commit = _decided(stock, ("MUG", 2), ("CAP", 1))
    book.commit(commit)
    assert book.find(OrderKey("aurora", "5001")) == commit.record
    assert book.find(OrderKey("aurora", "5002")) is None


def test_finds_many_at_once_and_leaves_out_what_there_is_not(rooms: Rooms) -> None:
    book, stock = rooms
    commits = [_decided(stock, ("CAP", 1), order_id=str(number)) for number in range(1, 131)]
    for commit in commits:
        book.commit(commit)
    found = book.find_many([OrderKey("aurora", str(number)) for number in [*range(200), 1, 2]])
    assert found == {commit.record.key: commit.record for commit in commits}
    assert book.find_many([]) == {}


def test_moves_stock_with_the_record(rooms: Rooms) -> None:
    book, stock = rooms
    before = stock.set_level(counted("MUG", 5))
    book.commit(_decided(stock, ("MUG", 2)))
    after = stock.read(["MUG"])["MUG"]["main"]
    assert (after.on_hand, after.reserved, after.available) == (5, 2, 3)
    assert after.seq == before.seq + 1
    assert after.cause == Cause(kind="order", reference="aurora/5001#1")


def test_refuses_a_second_first_commit(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 5))
    commit = _decided(stock, ("MUG", 2))
    book.commit(commit)
    with pytest.raises(Conflict):
        book.commit(commit)
    assert stock.read(["MUG"])["MUG"]["main"].reserved == 2


def test_refuses_a_commit_on_an_old_revision(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 5))
    commit = _decided(stock, ("MUG", 2))
    book.commit(commit)
    second = replace(commit, record=commit.record.model_copy(update={"revision": 2}), replaces=1)
    book.commit(second)
    with pytest.raises(Conflict):
        book.commit(replace(second, record=commit.record.model_copy(update={"revision": 3})))
    found = book.find(commit.record.key)
    assert found is not None
    assert found.revision == 2


def test_writes_nothing_when_one_stock_line_refuses(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 5))
    stock.set_level(counted("CAP", 1))
    commit = _decided(stock, ("MUG", 2), ("CAP", 1))
    book.commit(_decided(stock, ("CAP", 1), order_id="4999"))
    with pytest.raises(Conflict):
        book.commit(commit)
    assert book.find(commit.record.key) is None
    assert stock.read(["MUG"])["MUG"]["main"].reserved == 0


@pytest.mark.parametrize(
    "change",
    [
        StockChange(sku="MUG", location="main", reserved=6),
        StockChange(sku="MUG", location="main", reserved=-1),
        StockChange(sku="MUG", location="main", on_hand=-6),
        StockChange(sku="NEW", location="main", on_hand=1),
    ],
)
def test_never_promises_or_takes_what_is_not_there(rooms: Rooms, change: StockChange) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 5))
    with pytest.raises(Conflict):
        book.commit(replace(_decided(stock, ("MUG", 1)), changes=(change,)))
    untouched = stock.read(["MUG"])["MUG"]["main"]
    assert (untouched.on_hand, untouched.reserved, untouched.available) == (5, 0, 5)


def test_a_count_keeps_promises_and_thresholds(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 5).model_copy(update={"safety_buffer": 2, "reorder_point": 3}))
    book.commit(_decided(stock, ("MUG", 2)))
    line_now = stock.set_level(counted("MUG", 4))
    assert (line_now.on_hand, line_now.reserved, line_now.available) == (4, 2, 2)
    assert (line_now.safety_buffer, line_now.reorder_point) == (2, 3)


def test_a_count_below_what_is_promised_is_refused(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 5))
    book.commit(_decided(stock, ("MUG", 3)))
    with pytest.raises(Conflict) as refused:
        stock.set_level(counted("MUG", 2))
    assert refused.value.code == "reserved_exceeds_count"
    assert stock.read(["MUG"])["MUG"]["main"].on_hand == 5


def test_goods_come_in_and_leave_as_differences(rooms: Rooms) -> None:
    book, stock = rooms
    cause = Cause(kind="receipt", reference="delivery 7", actor="mia")
    first = stock.move(StockChange(sku="MUG", location="main", on_hand=5), cause)
    assert (first.on_hand, first.available, first.seq, first.cause) == (5, 5, 1, cause)
    book.commit(_decided(stock, ("MUG", 2)))
    more = stock.move(StockChange(sku="MUG", location="main", on_hand=4), cause)
    assert (more.on_hand, more.reserved, more.available, more.seq) == (9, 2, 7, 3)
    fewer = stock.move(StockChange(sku="MUG", location="main", on_hand=-7), cause)
    assert (fewer.on_hand, fewer.available) == (2, 0)


@pytest.mark.parametrize("units", [-1, -6])
def test_what_is_promised_or_not_there_cannot_be_taken_away(rooms: Rooms, units: int) -> None:
    book, stock = rooms
    cause = Cause(kind="receipt", reference="broken")
    with pytest.raises(Conflict, match="not_on_shelf"):
        stock.move(StockChange(sku="MUG", location="main", on_hand=units), cause)
    stock.set_level(counted("MUG", 5))
    book.commit(_decided(stock, ("MUG", 5)))
    with pytest.raises(Conflict, match="not_on_shelf"):
        stock.move(StockChange(sku="MUG", location="main", on_hand=units), cause)
    assert stock.read(["MUG"])["MUG"]["main"].on_hand == 5


def test_keeps_the_whole_account_with_its_buyer(rooms: Rooms) -> None:
    book, _ = rooms
    account = order()
    book.write_account(account)
    assert book.find_account(account.key) == account


def test_an_older_account_does_not_replace_a_newer_one(rooms: Rooms) -> None:
    book, _ = rooms
    newer = order(minute=5, body="b")
    book.write_account(newer)
    with pytest.raises(Conflict):
        book.write_account(order(minute=1))
    assert book.find_account(newer.key) == newer


def test_the_first_to_claim_a_fingerprint_keeps_it(rooms: Rooms) -> None:
    book, _ = rooms
    first, second = OrderKey("aurora", "1"), OrderKey("aurora", "2")
    window = timedelta(minutes=10)
    claim: Callable[..., OrderKey | None] = book.claim_fingerprint
    assert claim("f", first, placed_at=NOON, window=window) is None
    assert claim("f", first, placed_at=NOON, window=window) is None
    assert claim("f", second, placed_at=NOON + timedelta(minutes=5), window=window) == first
    assert claim("f", second, placed_at=NOON + timedelta(minutes=11), window=window) is None


def test_finds_what_needs_attention_longest_waiting_first(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 0))
    for minutes, order_id in ((0, "2"), (5, "1")):
        commit = _decided(stock, ("MUG", 1), order_id=order_id)
        since = NOON + timedelta(minutes=minutes)
        book.commit(replace(commit, record=commit.record.model_copy(update={"attention_since": since})))
    settled = _decided(stock, order_id="3")
    book.commit(replace(settled, record=settled.record.model_copy(update={"attention_since": None})))
    assert list(book.needing_attention("aurora")) == [OrderKey("aurora", "2"), OrderKey("aurora", "1")]
    assert list(book.needing_attention("borealis")) == []


def test_an_order_leaves_the_attention_list_when_it_is_done(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 0))
    commit = _decided(stock, ("MUG", 1))
    assert commit.record.holds[0].reason is HoldReason.STOCK_SHORT
    book.commit(commit)
    done = commit.record.model_copy(
        update={"revision": 2, "holds": (), "attention_since": None, "payment": PaymentState.REFUNDED}
    )
    book.commit(replace(commit, record=done, replaces=1))
    assert list(book.needing_attention("aurora")) == []
    assert book.find(done.key) == done


def _mug(stock: StockRoom) -> StockLine:
    return stock.read(["MUG"])["MUG"]["main"]


def _moving(commit: Commit, *, on_hand: int = 0, reserved: int = 0) -> Commit:
    return replace(commit, changes=(StockChange(sku="MUG", location="main", on_hand=on_hand, reserved=reserved),))


@pytest.mark.parametrize("count", [Count(at=None), Count(at=NOON - timedelta(days=1))])
def test_goods_that_left_are_judged_anew_once_another_count_may_show_it(rooms: Rooms, count: Count) -> None:
    book, stock = rooms
    line = stock.set_level(counted("MUG", 5))
    change = StockChange(sku="MUG", location="main", on_hand=-2, under=count)
    with pytest.raises(Conflict):
        book.commit(replace(_decided(stock), changes=(change,)))
    known = change.model_copy(update={"under": Count(at=line.counted_at)})
    book.commit_all([replace(_decided(stock), changes=(known,))])
    assert _mug(stock).on_hand == 3


def test_a_line_that_was_never_counted_stands_under_no_count(rooms: Rooms) -> None:
    book, stock = rooms
    stock.move(StockChange(sku="MUG", location="main", on_hand=5), Cause(kind="receipt", reference="r"))
    change = StockChange(sku="MUG", location="main", on_hand=-2, under=Count(at=None))
    book.commit(replace(_decided(stock), changes=(change,)))
    assert _mug(stock).on_hand == 3


def test_a_group_is_its_orders_one_after_the_other(rooms: Rooms) -> None:
    book, stock = rooms
    before = stock.set_level(counted("MUG", 9))
    stock.set_level(counted("CAP", 9))
    commits = [
        _decided(stock, ("MUG", 2), order_id="1"),
        _decided(stock, ("MUG", 3), ("CAP", 1), order_id="2"),
        _decided(stock, ("CAP", 4), order_id="3"),
    ]
    book.commit_all(commits)
    assert book.find_many([commit.record.key for commit in commits]) == {
        commit.record.key: commit.record for commit in commits
    }
    after = _mug(stock)
    assert (after.on_hand, after.reserved, after.available, after.seq) == (9, 5, 4, before.seq + 2)
    assert after.cause == Cause(kind="order", reference="aurora/2#1")
    told = [
        (one.seq, one.cause.reference, one.reserved, one.reserved_after) for one in movements_of(before, after, NOON)
    ]
    assert told == [(before.seq + 1, "aurora/1#1", 2, 2), (before.seq + 2, "aurora/2#1", 3, 5)]
    assert stock.read(["CAP"])["CAP"]["main"].reserved == 5


def test_a_group_of_known_and_new_orders(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 9))
    first = _decided(stock, ("MUG", 2), order_id="1")
    book.commit(first)
    again = replace(_moving(first, reserved=1), record=first.record.model_copy(update={"revision": 2}), replaces=1)
    new = _decided(stock, ("MUG", 3), order_id="2")
    book.commit_all([again, new])
    assert book.find(again.record.key) == again.record
    assert _mug(stock).reserved == 6
    with pytest.raises(Conflict):
        book.commit_all([_decided(stock, ("MUG", 1), order_id="3"), again])
    assert book.find(OrderKey("aurora", "3")) is None
    assert _mug(stock).reserved == 6


def test_a_group_is_refused_whole_when_one_order_finds_too_little(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 4))
    commits = [_decided(stock, ("MUG", 3), order_id=str(number)) for number in (1, 2)]
    with pytest.raises(Contended) as refused:
        book.commit_all(commits)
    assert refused.value.skus == {"MUG"}
    assert not book.find_many([commit.record.key for commit in commits])
    assert (_mug(stock).reserved, _mug(stock).seq) == (0, 1)


def test_what_a_later_order_gives_back_is_not_there_for_an_earlier_one(rooms: Rooms) -> None:
    """Alone, the first would have been refused. So it is in a group, though the group as a whole takes nothing."""
    book, stock = rooms
    stock.set_level(counted("MUG", 4))
    book.commit(_decided(stock, ("MUG", 4), order_id="1"))
    taking = _moving(_decided(stock, order_id="2"), reserved=2)
    giving = _moving(_decided(stock, order_id="3"), reserved=-2)
    with pytest.raises(Contended):
        book.commit_all([taking, giving])
    book.commit_all([giving, taking])
    assert (_mug(stock).reserved, _mug(stock).available) == (4, 0)
    told = [(one.cause.reference, one.reserved, one.reserved_after) for one in movements_of(None, _mug(stock), NOON)]
    assert told == [("aurora/3#1", -2, 2), ("aurora/2#1", 2, 4)]


def _order(book: FakeOrderBook | OrderTable, stock: StockRoom) -> None:
    book.commit(_decided(stock, ("MUG", 1), order_id="4"))


def _receipt(_book: FakeOrderBook | OrderTable, stock: StockRoom) -> None:
    stock.move(StockChange(sku="MUG", location="main", on_hand=1), Cause(kind="receipt", reference="r"))


def _follow(_book: FakeOrderBook | OrderTable, stock: StockRoom) -> None:
    stock.follow(
        _mug(stock), StockChange(sku="MUG", location="main", on_hand=1), Cause(kind="backoffice", reference="o")
    )


def _count(_book: FakeOrderBook | OrderTable, stock: StockRoom) -> None:
    stock.set_level(counted("MUG", 12))


@pytest.mark.parametrize("change", [_order, _receipt, _follow, _count])
def test_whoever_comes_after_a_group_takes_the_line_alone(
    rooms: Rooms, change: Callable[[FakeOrderBook | OrderTable, StockRoom], None]
) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 9))
    book.commit_all([_decided(stock, ("MUG", 1), order_id=str(number)) for number in (1, 2, 3)])
    before = _mug(stock)
    assert len(before.shares) == 3
    change(book, stock)
    after = _mug(stock)
    (movement,) = movements_of(before, after, NOON)
    assert (after.shares, after.seq, movement.cause) == ((), before.seq + 1, after.cause)
    assert (movement.on_hand, movement.reserved) == (after.on_hand - 9, after.reserved - 3)


def test_a_hundred_records_and_lines_are_one_transaction(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 99))
    commits = [_decided(stock, ("MUG", 1), order_id=str(number)) for number in range(99)]
    book.commit_all(commits)
    assert (_mug(stock).available, _mug(stock).seq, len(_mug(stock).shares)) == (0, 100, 99)


def test_tells_those_who_lost_from_records_that_changed(rooms: Rooms) -> None:
    book, stock = rooms
    stock.set_level(counted("MUG", 5))
    stock.set_level(counted("CAP", 1))
    both = _decided(stock, ("MUG", 2), ("CAP", 1))
    book.commit(_decided(stock, ("CAP", 1), order_id="4999"))
    with pytest.raises(Contended) as refused:
        book.commit(both)
    assert refused.value.skus == {"CAP"}
    commit = _decided(stock, ("MUG", 2))
    book.commit(commit)
    with pytest.raises(Conflict) as changed:
        book.commit(commit)
    assert not isinstance(changed.value, Contended)


def test_writes_many_accounts_and_tells_which_were_not(rooms: Rooms) -> None:
    book, _ = rooms
    newer = order(order_id="7", minute=5, body="b")
    book.write_account(newer)
    accounts = [order(order_id=str(number), minute=1) for number in range(60)]
    refused = book.write_accounts(accounts)
    assert list(refused) == [newer.key]
    assert isinstance(refused[newer.key], Conflict)
    assert book.find_account(newer.key) == newer
    assert all(book.find_account(one.key) == one for one in accounts if one.key != newer.key)


def test_claims_many_fingerprints(rooms: Rooms) -> None:
    book, _ = rooms
    window = timedelta(minutes=10)
    claims = [Fingerprint(f"f{number}", OrderKey("aurora", str(number)), NOON, window) for number in range(101)]
    assert book.claim_fingerprints(claims) == {}
    assert book.claim_fingerprints(claims) == {}
    again = [*claims[:3], Fingerprint("f1", OrderKey("aurora", "x"), NOON, window)]
    assert book.claim_fingerprints(again) == {OrderKey("aurora", "x"): OrderKey("aurora", "1")}
    twice = [Fingerprint("new", OrderKey("aurora", name), NOON, window) for name in "ab"]
    assert book.claim_fingerprints(twice) == {OrderKey("aurora", "b"): OrderKey("aurora", "a")}


def test_a_refusal_is_a_conflict() -> None:
    assert issubclass(WriteRefused, Conflict)
