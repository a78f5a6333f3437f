"""What every privacy book, and whatever keeps orders' buyers, promises: the fakes in memory, and DynamoDB's tables."""

from datetime import timedelta

import pytest
from pynamodb.connection import Connection

from shared.inventory.table import StockTable
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import OrderKey
from shared.orders.models import PersonalData
from shared.orders.table import OrderTable
from shared.sync.privacy.models import (
    Asker,
    ErasureProof,
    PrivacyRequest,
    RequestKind,
    RequestState,
    Subjects,
    faults_in_chain,
    proof_of,
)
from shared.sync.privacy.ports import PrivacyBook
from shared.sync.privacy.table import PrivacyTable
from tests.builders.orders import NOON, order
from tests.fakes.privacy import FakeBuyers, FakePrivacyBook


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def book(request: pytest.FixtureRequest) -> PrivacyBook:
    if request.param == "fake":
        return FakePrivacyBook()
    connection: Connection = request.getfixturevalue("connection")
    return PrivacyTable(connection, request.getfixturevalue("table_names")["sync"])


def asked(name: str = "erasure-1") -> PrivacyRequest:
    return PrivacyRequest(
        id=name,
        kind=RequestKind.ERASURE,
        shop="aurora",
        subjects=Subjects(customers=("aurora/customer/17",), marks=("email/0f",)),
        asked_by=Asker(by="storefront", name="aurora"),
        asked_at=NOON,
        due_at=NOON + timedelta(days=25),
        started_by="rule",
    )


def done(book: PrivacyBook, name: str) -> ErasureProof:
    closing = book.open(asked(name)).model_copy(update={"state": RequestState.DONE})
    proof = proof_of(closing, book.last_proof(), NOON)
    book.close(closing, proof)
    return proof


def test_a_request_is_kept_once(book: PrivacyBook) -> None:
    first = book.open(asked())
    assert first == asked().model_copy(update={"revision": 1})
    assert book.open(asked().model_copy(update={"shop": "borealis"})) == first
    assert book.find("erasure-1") == first
    assert book.find("erasure-2") is None
    assert list(book.unfinished()) == [first]


def test_a_save_on_an_old_revision_is_refused(book: PrivacyBook) -> None:
    first = book.open(asked())
    second = book.save(first.model_copy(update={"counts": {"orders": 2}}))
    assert (second.revision, book.find("erasure-1")) == (2, second)
    with pytest.raises(Conflict):
        book.save(first)
    with pytest.raises(Conflict):
        book.close(first, None)
    with pytest.raises(Conflict):
        book.save(asked("never-opened").model_copy(update={"revision": 1}))
    assert book.find("erasure-1") == second


def test_a_closed_request_is_found_and_no_longer_waits(book: PrivacyBook) -> None:
    first = book.open(asked())
    closed = book.close(first.model_copy(update={"state": RequestState.DONE}), None)
    assert list(book.unfinished()) == []
    assert list(book.closed()) == [closed]
    assert book.find("erasure-1") == closed
    assert book.open(asked()) == closed
    with pytest.raises(Conflict):
        book.save(closed)


def test_proofs_follow_each_other_and_no_number_comes_twice(book: PrivacyBook) -> None:
    assert book.last_proof() is None
    made = [done(book, f"erasure-{number}") for number in range(12)]
    assert list(book.proofs()) == made
    assert book.last_proof() == made[-1]
    assert sorted(request.proof or 0 for request in book.closed()) == list(range(1, 13))
    assert faults_in_chain(book.proofs(), book.closed()) == ()
    late = book.open(asked("erasure-late"))
    with pytest.raises(Conflict):
        book.close(late, proof_of(late, made[3], NOON))
    assert book.find("erasure-late") == late, "all or nothing"


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def buyers(request: pytest.FixtureRequest) -> FakeBuyers | OrderTable:
    if request.param == "fake":
        return FakeBuyers()
    connection: Connection = request.getfixturevalue("connection")
    names: dict[str, str] = request.getfixturevalue("table_names")
    return OrderTable(connection, names["orders"], StockTable(connection, names["stock"], ("main",)))


def test_a_forgotten_buyer_stays_forgotten(buyers: FakeBuyers | OrderTable) -> None:
    first, other = order(tags=("vip",)), order(order_id="5002", tags=("vip",))
    for account in (first, other):
        buyers.write_account(account)
    assert sorted(buyers.unforgotten("aurora")) == [first.key, other.key]
    assert buyers.forget_buyer(first.key, NOON)
    assert not buyers.forget_buyer(first.key, NOON + timedelta(days=1))
    buyers.write_account(order(minute=5, body="b", tags=("vip",)))
    kept = buyers.find_account(first.key)
    assert kept is not None
    assert (kept.personal, kept.tags, kept.version.body_sha256) == (PersonalData(), (), "b" * 64)
    assert (buyers.is_forgotten(first.key), buyers.is_forgotten(other.key)) == (True, False)
    assert list(buyers.unforgotten("aurora")) == [other.key]
    assert buyers.find_account(other.key) == other


def test_a_buyer_is_forgotten_before_the_order_comes(buyers: FakeBuyers | OrderTable) -> None:
    key = OrderKey("aurora", "5001")
    assert buyers.forget_buyer(key, NOON)
    assert buyers.find_account(key) is None
    buyers.write_account(order())
    kept = buyers.find_account(key)
    assert kept is not None
    assert kept.personal == PersonalData()
