"""A canary in every personal field: before the erasure it is found wherever it was put, after it nowhere.

The tables are on a real engine, S3 and SQS are stood in for, the function is the one that is deployed.
"""

import base64
import gzip
import json
import logging
import os
import types
import typing
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from pydantic import BaseModel, JsonValue
from pynamodb.connection import Connection

from functions.customer_privacy.handler import lambda_handler
from infra.fakes.backoffice import MemoryBackOffice
from shared.backoffices.documents import CustomerCard
from shared.customers.conflicts import EditConflict
from shared.customers.intake import take_in as take_in_customer
from shared.customers.matching import Proposal
from shared.customers.models import MarketingConsent, Profile, ProfileField
from shared.customers.ports import CustomerDesk
from shared.customers.readings import CompleteCustomer, PrivacyCall, PrivacyTopic
from shared.kernel.errors import Retry
from shared.kernel.identifiers import CustomerKey
from shared.orders.intake import take_in
from shared.orders.models import Order, PersonalData, Tender
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder
from shared.orders.review import ReviewRules
from shared.orders.table import OrderTable
from shared.platform import aws, configuration, privacy_keys
from shared.platform.dead_letters import QUEUES
from shared.platform.intake_queue import CUSTOMERS, ORDERS
from shared.platform.kept import Kept
from shared.sync.backoffice.mirror import Mirror, Stop, Told
from shared.sync.customers.learn import learn
from shared.sync.customers.mirror import PersonMirror
from shared.sync.customers.table import PersonMirrorTable
from shared.sync.privacy.export import export_person
from shared.sync.privacy.models import RequestState, faults_in_chain
from shared.sync.privacy.requests import open_erasure, start
from shared.webhooks.delivery import Delivery, pointer_to
from shared.wiring import (
    backoffice_connection,
    backoffice_tables,
    customer_desk,
    customer_privacy,
    customer_tables,
    tables,
)
from tests.builders.customers import customer
from tests.builders.orders import NOON, PRICE, order
from tests.builders.stock import counted
from tests.fakes.order_desk import retry_at_once
from tests.unit.platform.conftest import aws_services

__all__ = ["aws_services"]

EVE, ADAM = CustomerKey("aurora", "customer", "17"), CustomerKey("aurora", "customer", "18")
SETTINGS = """
[locations.main]
name = "Main"
country = "DE"
[shops.aurora]
platform = "shopify"
address = "aurora.example"
locations = ["main"]
api_access = false
backoffice = "erp"
[backoffices.erp]
vendor = "tryton"
address = "https://erp.example"
database = "erp"
"""

# ---- the canary ------------------------------------------------------------------------------------------------------

NEEDLES = ("canary", "30901820")
"""A text that no other data holds, and the telephone number that stands in where only a number fits."""
EMAIL, PHONE = "canary.bird@canary.test", "+4930901820"
NO_TEXT = {
    "PersonalData.customer_id": "the storefront's number stays, so that the customer is not taken in again",
    "PersonalData.accepts_marketing": "a yes or no",
    "PostalAddress.country_code": "two letters",
}


def planted(model: type[BaseModel]) -> Any:
    """One of these with the canary in every field. A field of a kind that it does not know fails the test."""
    return model(**{name: _canary(model, name, info.annotation) for name, info in model.model_fields.items()})


def _canary(model: type[BaseModel], name: str, annotation: Any) -> Any:
    where = f"{model.__name__}.{name}"
    if where in NO_TEXT:
        return {"customer_id": "17", "accepts_marketing": True, "country_code": "DE"}[name]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        [annotation] = [one for one in typing.get_args(annotation) if one is not type(None)]
    if annotation is str:
        return {"email": EMAIL, "phone": PHONE}.get(name, f"canary {where}")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return planted(annotation)
    if typing.get_origin(annotation) is tuple:
        return (_canary(model, name, typing.get_args(annotation)[0]),)
    if typing.get_origin(annotation) is dict and typing.get_args(annotation)[1] in (str, JsonValue):
        return {f"canary key of {where}": f"canary {where}"}
    raise AssertionError(f"{where}: where does a canary go in {annotation}?")


def texts_of(value: Any) -> Iterator[str]:
    """Every canary in a planted model."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts_of(name)
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)
    elif isinstance(value, str) and any(needle in value for needle in NEEDLES):
        yield value


# ---- the house -------------------------------------------------------------------------------------------------------


@dataclass
class House:
    connection: Connection
    names: Mapping[str, str]
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.office = MemoryBackOffice(self.clock)
        self.stock = tables.stock_table()
        self.stock.set_level(counted("MUG", 100))
        self.orders = OrderTable(self.connection, self.names["orders"], self.stock, clock=self.clock)
        self.customers = customer_tables.customer_table()
        self.mirrors = backoffice_tables.mirror_table()

    def clock(self) -> datetime:
        return self.now

    def order_desk(self) -> Desk:
        return Desk(
            book=self.orders,
            stock=self.stock,
            storefront=None,
            locations=("main",),
            rules=ReviewRules(),
            clock=self.clock,
            retrying=retry_at_once,
        )

    def customer_desk(self) -> CustomerDesk:
        return customer_desk.customer_desk("aurora")

    def run(self, milliseconds: int = 900_000) -> dict[str, str]:
        context: Any = SimpleNamespace(
            aws_request_id=f"run-{self.now}", get_remaining_time_in_millis=lambda: milliseconds
        )
        return lambda_handler({}, context)

    # What people bring in

    def deliver(self, account: Order) -> None:
        """An order on its way: archived, set aside, taken in, learned from."""
        body = {
            "id": int(account.order_id),
            "created_at": account.created_at.isoformat(),
            "customer": {"id": int(account.personal.customer_id)} if account.personal.customer_id else None,
            **account.personal.model_dump(mode="json", exclude={"customer_id"}),
        }
        raw = json.dumps(body).encode()
        message = Delivery("aurora", "shopify", "orders/create", "2026-11-23T12:00:00.000000000Z", raw).to_message()
        ORDERS.archive_batch(
            [{"messageId": f"order-{account.order_id}-{self.now}", "body": message}], day=f"{self.now:%Y/%m/%d}"
        )
        aws.sqs().send_message(QueueUrl=os.environ["ORDERS_DLQ_URL"], MessageBody=message)
        key = f"oversize/{account.order_id}.json"
        aws.s3().put_object(Bucket="archive", Key=key, Body=message.encode())
        aws.sqs().send_message(QueueUrl=os.environ["CUSTOMERS_DLQ_URL"], MessageBody=pointer_to(key))
        take_in("aurora", CompleteOrder(account), self.order_desk())
        learn(account, self.customer_desk())

    def buy(self, account: Order) -> None:
        """An order that is then stopped on both sides."""
        self.deliver(account)
        words = f"{account.personal.first_name} owes us money"
        stop = Stop(code="backoffice_refused", message=words, hint=words, since=self.now, attempts=1, passing=False)
        place = {"shop": "aurora", "order_id": account.order_id}
        self.mirrors.save(Mirror(**place, backoffice="erp", stop=stop), None)
        self.mirrors.save_told(Told(**place, stop=stop), None)

    def register(self, key: CustomerKey, personal: Profile) -> None:
        account = customer(
            str(key), personal=personal, consents=(MarketingConsent(channel="email", state="subscribed"),)
        )
        raw = json.dumps({"id": int(key.id), **personal.model_dump(mode="json")}).encode()
        message = Delivery("aurora", "shopify", "customers/create", "2026-11-23T12:00:00.000000000Z", raw).to_message()
        CUSTOMERS.archive_batch([{"messageId": f"customer-{key.id}", "body": message}], day=f"{self.now:%Y/%m/%d}")
        take_in_customer(CompleteCustomer(account), self.customer_desk())
        self.office.save_customer(
            CustomerCard(key=str(key), name=personal.first_name or "-", email=personal.email, phone=personal.phone)
        )
        self.customers.keep_conflict(
            EditConflict(
                leader=str(key),
                field=ProfileField.NAME,
                winner="backoffice/erp",
                loser=str(key),
                kept=personal.first_name,
                lost=personal.last_name,
                reason="newest",
                at=self.now,
            )
        )
        words = f"{personal.email} is taken"
        stop = Stop(code="customer_refused", message=words, since=self.now, attempts=1, passing=False)
        PersonMirrorTable(self.connection, self.names["sync"]).save(
            PersonMirror(leader=str(key), backoffice="erp", stop=stop), None
        )

    # Where it may be

    def places(self) -> dict[str, str]:
        """All that is kept anywhere, as readable text, by place."""
        return dict([*self._in_tables(), *self._in_archive(), *self._in_queues(), *self._there()])

    def _in_tables(self) -> Iterator[tuple[str, str]]:
        client = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
        for role, name in self.names.items():
            for page in client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
                for item in page["Items"]:
                    partition, sort = (next(item[key]["S"] for key in keys if key in item) for keys in _KEYS)
                    yield f"{role}: {sort.partition('/')[0]} of {partition}, {sort}", _readable(item)

    def _in_archive(self) -> Iterator[tuple[str, str]]:
        for entry in aws.s3().list_objects_v2(Bucket="archive").get("Contents", []):
            raw = aws.s3().get_object(Bucket="archive", Key=entry["Key"])["Body"].read()
            text = gzip.decompress(raw).decode() if entry["Key"].endswith(".gz") else raw.decode()
            yield f"archive: {entry['Key']}", "\n".join(map(_message, text.split("\n")))

    def _in_queues(self) -> Iterator[tuple[str, str]]:
        for variable in QUEUES:
            url = os.environ[variable]
            texts, receipts = [], []
            while (
                messages := aws.sqs()
                .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
                .get("Messages")
            ):
                texts += [_message(one["Body"]) + str(one.get("MessageAttributes")) for one in messages]
                receipts += [one["ReceiptHandle"] for one in messages]
            for receipt in receipts:
                aws.sqs().change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
            yield f"queue: {variable}", "\n".join(texts)

    def _there(self) -> Iterator[tuple[str, str]]:
        for key, known in self.office._customers.items():
            yield f"back office: customer of {key}", repr(known)


_KEYS = (("pk", "sku"), ("sk", "location"))


def _readable(item: Any) -> str:
    return json.dumps(item, default=lambda raw: json.loads(zlib.decompress(raw)), sort_keys=True)


def _message(line: str) -> str:
    """A message with its packed body opened, however deep it is wrapped."""
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if isinstance(fields, dict) and "message_id" in fields:
        return f"{fields['message_id']} {_message(fields['body'])}"
    if isinstance(fields, dict) and "body" in fields:
        return line + zlib.decompress(base64.b64decode(fields["body"])).decode()
    return line


def found(places: Mapping[str, str]) -> set[str]:
    return {place for place, text in places.items() if any(needle in text.casefold() for needle in NEEDLES)}


@pytest.fixture
def house(
    aws_services: None,
    connection: Connection,
    table_names: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[House]:
    (tmp_path / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    aws.s3().create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    aws.secrets_manager().create_secret(Name="privacy", SecretString=json.dumps({"root": "r" * 64}))
    urls = {name: aws.sqs().create_queue(QueueName=name.lower())["QueueUrl"] for name in QUEUES}
    for name, value in {
        "STOREBRIDGE_SETTINGS": str(tmp_path / "settings.toml"),
        "PRIVACY_SECRET_ID": "privacy",
        "ARCHIVE_BUCKET": "archive",
        "POWERTOOLS_METRICS_NAMESPACE": "Test",
        **{f"{role.upper()}_TABLE": name for role, name in table_names.items()},
        **urls,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(configuration, "_settings", Kept(configuration.load_settings))
    for made in (tables.connection, privacy_keys._kept):
        made.cache_clear()
    here = House(connection, table_names)
    monkeypatch.setattr(customer_privacy, "utc_now", here.clock)
    monkeypatch.setattr(backoffice_connection, "office", lambda _name, _settings: here.office)
    yield here
    for made in (tables.connection, privacy_keys._kept):
        made.cache_clear()


EVES_PROFILE, EVES_ORDER = planted(Profile), planted(PersonalData)
ADAMS_PROFILE = Profile(email="adam@example.test", first_name="Adam", last_name="Other")


def inhabited(house: House) -> None:
    house.register(EVE, EVES_PROFILE)
    house.register(ADAM, ADAMS_PROFILE)
    house.customers.keep_proposal(Proposal(id="p", customers=(str(EVE), str(ADAM)), reasons=(), found_at=NOON))
    card = Tender(kind="gift_card", id="1", amount=PRICE, last_characters="canary")
    house.buy(order(order_id="5001", personal=EVES_ORDER, tags=("canary tag",), tenders=(card,)))
    guest = EVES_ORDER.model_copy(update={"customer_id": None})
    house.buy(order(order_id="5002", personal=guest))
    house.buy(order(order_id="5003", personal=PersonalData(customer_id="18", email="adam@example.test")))


REDACTION = PrivacyCall(
    topic=PrivacyTopic.REDACT,
    at=NOON + timedelta(hours=1),
    customer_id="17",
    email=EMAIL,
    phone=PHONE,
    orders=("5001",),
)


def test_after_the_erasure_a_canary_in_any_personal_field_is_found_nowhere(
    house: House, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    inhabited(house)
    before = house.places()
    kinds = {place.partition(" of ")[0] if ": " in place else place for place in found(before)}
    assert {
        "customers: profile",
        "customers: conflict",
        "orders: buyer",
        "orders: account",
        "sync: 5001",
        "sync: 5002",
        "back office: customer",
        "archive: oversize/5001.json",
        "archive: oversize/5002.json",
        "queue: ORDERS_DLQ_URL",
    } <= kinds, "the search can find it"
    assert any(place.startswith("archive: orders/") for place in kinds)
    assert any(place.startswith("archive: customers/") for place in kinds)
    everything = "\n".join(before.values())
    for text in {*texts_of(EVES_PROFILE), *texts_of(EVES_ORDER)}:
        assert text in everything, f"{text} was kept before"
    adams = {place: text for place, text in before.items() if "adam@example.test" in text}

    request = customer_privacy.open_call(REDACTION, house.customer_desk())
    house.now += timedelta(hours=1)
    assert house.run() == {request.id: "watching"}

    after = house.places()
    assert found(after) == set()
    for place, text in adams.items():
        if "queue" not in place:
            assert after[place] == text, "what is somebody else's is as it was"
    assert "adam@example.test" in after["queue: ORDERS_DLQ_URL"]
    said = capsys.readouterr()
    assert not any(needle in (said.out + said.err + caplog.text).casefold() for needle in NEEDLES)
    export = export_person(ADAM, customer_privacy.privacy_desk()).model_dump_json()
    assert "adam@example.test" in export
    assert not any(needle in export.casefold() for needle in NEEDLES)

    # What was under way arrives, and somebody buys again. Of the first nothing stays after the second round.
    late = order(order_id="5001", minute=5, body="b", personal=EVES_ORDER, tags=("canary tag",))
    house.deliver(late)
    again = take_in_customer(CompleteCustomer(customer(str(EVE), 5, "b", personal=EVES_PROFILE)), house.customer_desk())
    assert again.result == "erased"
    house.now += timedelta(minutes=1)
    new = order(order_id="5010", created_at=house.now, personal=PersonalData(customer_id="17", email="eve@new.test"))
    house.deliver(new)
    assert {place.partition(":")[0] for place in found(house.places())} == {"archive", "queue"}
    assert house.run() == {}, "not yet"
    house.now += timedelta(days=6)
    assert house.run() == {request.id: "done"}
    assert found(house.places()) == set()
    kept = house.orders.find_account(new.key)
    assert kept is not None
    assert kept.personal == new.personal, "the goods are to arrive"

    book = customer_privacy.privacy_table()
    [proof] = book.proofs()
    closed = book.find(request.id)
    assert closed is not None
    assert (closed.state, closed.proof) == (RequestState.DONE, 1)
    assert faults_in_chain(book.proofs(), book.closed()) == ()
    assert proof.erased["customers"] == 2, "the account, and the guest with the same address"
    assert proof.erased["orders"] == 2
    assert proof.not_done == ()
    assert customer_privacy.open_call(REDACTION, house.customer_desk()) == closed


def test_a_run_without_time_leaves_the_rest_to_the_next(house: House) -> None:
    inhabited(house)
    request = customer_privacy.open_call(REDACTION, house.customer_desk())
    house.now += timedelta(hours=1)
    assert house.run(milliseconds=1000) == {request.id: "no_time"}
    assert len(found(house.places())) > 10
    assert house.run() == {request.id: "watching"}


def test_what_is_overdue_is_counted(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    call = PrivacyCall(topic=PrivacyTopic.DATA_REQUEST, at=NOON, customer_id="17", reference="1")
    customer_privacy.open_call(call, house.customer_desk())
    for days, overdue in ((20, 0), (26, 1)):
        house.now = NOON + timedelta(days=days)
        capsys.readouterr()
        assert house.run() == {}
        told = capsys.readouterr().out.replace(" ", "")
        assert ('"PrivacyOverdue":[1.0]' in told) == bool(overdue)
        assert '"PrivacyOpen":[1.0]' in told


def test_the_shop_that_leaves_takes_everything_along(house: House) -> None:
    inhabited(house)
    call = PrivacyCall(topic=PrivacyTopic.SHOP_REDACT, at=NOON, customer_id=None)
    request = customer_privacy.open_call(call, house.customer_desk())
    assert house.run() == {}, "a person must say so"
    start(request.id, by="mia", desk=customer_privacy.request_desk())
    assert house.run() == {request.id: "watching"}
    after = house.places()
    assert found(after) == set()
    assert not [place for place, text in after.items() if "adam@example.test" in text]


def test_an_operator_erases_and_two_erasures_have_two_proofs(house: House) -> None:
    inhabited(house)
    house.now += timedelta(hours=1)
    desk = customer_privacy.privacy_desk()
    for key in (EVE, ADAM):
        open_erasure(key, by="mia", desk=desk, although_open=True)
        house.now += timedelta(seconds=1)
    house.run()
    house.now += timedelta(days=6)
    assert set(house.run().values()) == {"done"}
    book = customer_privacy.privacy_table()
    assert [proof.asked_by.name for proof in book.proofs()] == ["mia", "mia"]
    assert faults_in_chain(book.proofs(), book.closed()) == ()


# ---- orders' buyers expire -------------------------------------------------------------------------------------------


def buyers(house: House, days: int | None = None) -> OrderTable:
    return OrderTable(house.connection, house.names["orders"], house.stock, buyer_days=days, clock=house.clock)


def test_buyers_expire(house: House) -> None:
    table = buyers(house, days=30)
    account = order(personal=EVES_ORDER)
    table.write_account(account)
    assert table.find_account(account.key) == account
    house.now = NOON + timedelta(days=30)
    late = table.find_account(account.key)
    assert late is not None
    assert late.personal == PersonalData(), "DynamoDB has two days to delete it"
    again = order(minute=5, body="b", personal=EVES_ORDER, tags=("vip",))
    table.write_account(again)
    kept = table.find_account(account.key)
    assert kept is not None
    assert (kept.personal, kept.tags, kept.version) == (PersonalData(), (), again.version)
    assert not [place for place in house.places() if place.startswith("orders: buyer")]


def test_an_expired_buyer_who_was_forgotten_stays_so(house: House) -> None:
    table = buyers(house, days=30)
    account = order(personal=EVES_ORDER)
    table.forget_buyer(account.key, NOON)
    house.now = NOON + timedelta(days=31)
    table.write_account(account)
    assert table.is_forgotten(account.key)


def test_one_requests_trouble_stops_no_other(house: House) -> None:
    inhabited(house)
    first = customer_privacy.open_call(REDACTION, house.customer_desk())
    call = PrivacyCall(topic=PrivacyTopic.REDACT, at=NOON + timedelta(hours=2), customer_id="18")
    second = customer_privacy.open_call(call, house.customer_desk())
    trouble = [Retry("backoffice_unreachable", "canary is away")]

    def interrupt(method: str, when: str) -> None:
        if method == "forget_customer" and when == "before" and trouble:
            raise trouble.pop()

    house.office.interrupt = interrupt
    assert house.run() == {first.id: "backoffice_unreachable", second.id: "watching"}
    assert house.run() == {first.id: "watching"}
    assert found(house.places()) == set()
