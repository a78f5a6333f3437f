"""The stock watch on real tables, and deployed: from a change of stock to a mail."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.ses.models import ses_backends
from pynamodb.connection import Connection

from infra.local.intrinsics import ACCOUNT, REGION
from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from shared.dynamodb.table import connect
from shared.inventory.low_stock import AlertKind, Crossing, StockAlert, StockState
from shared.inventory.models import Cause, CountedLevel
from shared.inventory.table import StockTable
from shared.kernel.errors import Conflict
from shared.sync.alerts import AlertBook, NoticeLog
from shared.sync.table import AlertTable, NoticeTable
from tests.builders.orders import NOON
from tests.fakes.stock_watch import FakeAlertBook, FakeNoticeLog

FUNCTION = "storebridge-low-stock-notification"
EVENTS = Path(__file__).parents[2] / "events"
SENDER = "stock@example.test"


@pytest.fixture(params=["fake", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> tuple[AlertBook, NoticeLog]:
    if request.param == "fake":
        return FakeAlertBook(), FakeNoticeLog()
    connection: Connection = request.getfixturevalue("connection")
    name = request.getfixturevalue("table_names")["sync"]
    return AlertTable(connection, name), NoticeTable(connection, name)


def alert(seq: int, state: StockState = StockState.LOW, sku: str = "MUG", *, pending: bool = False) -> StockAlert:
    crossing = Crossing(
        sku=sku, location="main", seq=seq, kind=AlertKind.LOW, state=state, at=NOON, free=3, point=5, days_of_cover=2
    )
    return StockAlert(sku=sku, location="main", state=state, seq=seq, since=NOON, pending=crossing if pending else None)


def test_an_entry_is_replaced_by_newer_ones_only(stores: tuple[AlertBook, NoticeLog]) -> None:
    book, _ = stores
    assert book.get("MUG", "main") is None
    book.keep(alert(3, pending=True))
    for stale in (2, 3):
        with pytest.raises(Conflict):
            book.keep(alert(stale, StockState.OK))
    assert book.get("MUG", "main") == alert(3, pending=True)
    book.keep(alert(4, StockState.OK))
    assert book.get("MUG", "main") == alert(4, StockState.OK)


def test_being_told_is_noted_unless_the_entry_moved_on(stores: tuple[AlertBook, NoticeLog]) -> None:
    book, _ = stores
    book.keep(alert(3, pending=True))
    book.told(alert(3, pending=True), NOON)
    assert book.get("MUG", "main") == alert(3, pending=True).told(NOON)
    book.keep(alert(4))
    book.told(alert(3, pending=True), NOON + timedelta(hours=1))
    assert book.get("MUG", "main") == alert(4)


def test_open_are_what_is_low_or_out_or_untold(stores: tuple[AlertBook, NoticeLog]) -> None:
    book, _ = stores
    for sku, state, pending in (
        ("A", StockState.OK, False),
        ("B", StockState.OUT, False),
        ("C", StockState.OK, True),
        ("D", StockState.LOW, False),
    ):
        book.keep(alert(1, state, sku, pending=pending))
    assert sorted(entry.sku for entry in book.open_alerts()) == ["B", "C", "D"]


def test_the_log_knows_each_notices_takers(stores: tuple[AlertBook, NoticeLog]) -> None:
    _, log = stores
    log.taken("stock/main/MUG/3", "email", NOON)
    log.taken("stock/main/MUG/3", "email", NOON)
    log.taken("stock/main/MUG/3", "slack:ops", NOON)
    log.taken("stock/main/MUG/30", "topic", NOON)
    assert log.takers("stock/main/MUG/3") == {"email", "slack:ops"}
    assert log.takers("stock/main/MUG/4") == frozenset()


# ---- deployed --------------------------------------------------------------------------------------------------------

CONTENTS = Contents(
    settings={
        "locations": {"main": {"name": "Main warehouse"}},
        "shops": {},
        "notifications": {
            "email": {"sender": SENDER, "recipients": ["ops@example.test"]},
            "chats": [{"kind": "slack", "secret": "ops-chat"}, {"kind": "wecom", "secret": "nowhere"}],
        },
        "planning": {"purchase_requests": True, "skus": {"MUG": {"pack_size": 6}}},
    },
    secrets={"webhooks": {}, "api": {"ops-chat": {"url": "https://169.254.169.254/latest/meta-data"}}},
)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with pytest.MonkeyPatch.context() as patch, LocalStack(Options(contents=CONTENTS, retry_after=0)) as running:
        for name, value in running.clients.environment().items():
            patch.setenv(name, value)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        running.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        yield running


def mails() -> list[Any]:
    sent: list[Any] = ses_backends[ACCOUNT][REGION].sent_messages
    return sent


def subjects() -> list[str]:
    return [mail.subject for mail in mails()]


def count_in(stack: LocalStack, units: int, sku: str = "MUG", point: int = 5) -> None:
    stock = StockTable(connect(), "storebridge-stock", ("main",))
    cause = Cause(kind="count", reference="test", actor="test")
    level = CountedLevel(sku=sku, location="main", on_hand=units, reorder_point=point, counted_at=NOON, cause=cause)
    stock.set_level(level)
    stack.drain()


def set_aside(stack: LocalStack) -> list[tuple[str, str]]:
    """Channel and reason of each notice on the failure queue; they are taken off it."""
    sqs = stack.clients.sqs
    url = sqs.get_queue_url(QueueName="storebridge-low-stock-failures")["QueueUrl"]
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages"
    ):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            attributes = message["MessageAttributes"]
            found.append((attributes["channel"]["StringValue"], attributes["code"]["StringValue"]))
    return sorted(found)


def test_from_a_crossing_to_a_mail_a_task_and_a_digest(stack: LocalStack) -> None:
    for units in (20, 20, 4, 4, 5, 0):
        count_in(stack, units)
    assert subjects() == ["Low stock: MUG at Main warehouse, 4 left", "Out of stock: MUG at Main warehouse"]
    assert mails()[0].destinations["ToAddresses"] == ["ops@example.test"]
    # One chat's address leads elsewhere and the other has none: both are refused for good, and stop nobody.
    refused = [("slack:ops-chat", "foreign_webhook"), ("wecom:nowhere", "no_chat_secret")]
    assert set_aside(stack) == sorted(refused * 2)
    tasks = stack.clients.dynamodb.query(
        TableName="storebridge-sync",
        KeyConditionExpression="pk = :task",
        ExpressionAttributeValues={":task": {"S": "task"}},
    )["Items"]
    assert [json.loads(item["task"]["S"])["units"] for item in tasks] == [6]

    for _ in range(2):
        stack.schedules.fire("storebridge-low-stock-digest")
        stack.drain()
    assert subjects()[2:] == ["Stock to reorder: 1 out of stock, 0 low"]
    assert "MUG" in mails()[2].body


def test_the_recorded_triggers_run_and_repeat_nothing(stack: LocalStack) -> None:
    before = len(mails())
    event = (EVENTS / "low_stock_notification_stream.json").read_bytes()
    for _ in range(2):
        outcome = stack.lambdas.invoke(FUNCTION, event)
        assert (outcome.failed, json.loads(outcome.payload)) == (False, {"batchItemFailures": []})
    assert subjects()[before:] == ["Low stock: MUG-BLUE at Main warehouse, 5 left"]
    outcome = stack.lambdas.invoke(FUNCTION, (EVENTS / "low_stock_notification_schedule.json").read_bytes())
    assert not outcome.failed
    assert json.loads(outcome.payload)["listed"] >= 0
