"""What the journal of the side services promises: order, last state, and nothing but what was flushed."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from infra.local.journal import Journal, StoredMessage, StoredObject


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "side.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal(path)) as opened:
        yield opened


def message(identity: str, receipts: int = 0) -> StoredMessage:
    return StoredMessage(identity, receipts, {"body": f"body of {identity}"})


def found(path: Path, queue: str) -> list[tuple[str, int]]:
    """As a process that starts after ours was killed reads it: nothing is closed before."""
    with closing(Journal(path)) as other:
        return [(stored.id, stored.receipts) for stored in other.messages(queue)]


def test_messages_come_back_in_the_order_in_which_they_were_sent(journal: Journal, path: Path) -> None:
    for name in ("c", "a", "b"):
        journal.keep_message("work", message(name))
    journal.drop_message("a")
    journal.flush()
    assert found(path, "work") == [("c", 0), ("b", 0)]


def test_what_was_not_flushed_is_not_there(journal: Journal, path: Path) -> None:
    journal.keep_message("work", message("a"))
    assert found(path, "work") == []


def test_a_message_that_moves_to_a_dead_letter_queue_goes_to_its_end_with_its_receipts(
    journal: Journal, path: Path
) -> None:
    journal.keep_message("dead", message("older"))
    journal.keep_message("work", message("poison"))
    journal.count_receipt("poison", 2)
    journal.keep_message("dead", message("poison", receipts=2))
    journal.flush()
    assert found(path, "work") == []
    assert found(path, "dead") == [("older", 0), ("poison", 2)]


def test_an_object_is_replaced_whole_and_can_be_dropped(journal: Journal, path: Path) -> None:
    journal.keep_object("archive", StoredObject("a", "2026-11-23T08:00:00", {"content-type": "text/plain"}, b"old"))
    journal.keep_object("archive", StoredObject("a", "2026-11-23T09:00:00", {}, b"\x00new"))
    journal.keep_object("archive", StoredObject("b", "2026-11-23T09:00:00", {}, b"b"))
    journal.drop_object("archive", "b")
    journal.flush()
    with closing(Journal(path)) as other:
        assert list(other.objects("archive")) == [StoredObject("a", "2026-11-23T09:00:00", {}, b"\x00new")]


def test_an_arrangement_made_anew_is_the_last_one_again(journal: Journal, path: Path) -> None:
    for target in ("put", "drop", "put"):
        journal.keep_arrangement(target, "rule")
    journal.flush()
    with closing(Journal(path)) as other:
        assert list(other.arrangements()) == [("drop", "rule"), ("put", "rule")]


def test_whoever_returns_from_a_flush_finds_his_own_on_the_disk(journal: Journal, path: Path) -> None:
    absent: list[str] = []

    def send(sender: int) -> None:
        for number in range(10):
            identity = f"{sender}-{number}"
            journal.keep_message("work", message(identity))
            journal.flush()
            with closing(sqlite3.connect(path)) as other:
                if other.execute("SELECT 1 FROM messages WHERE id = ?", (identity,)).fetchone() is None:
                    absent.append(identity)

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert not absent
    assert len(found(path, "work")) == 40
