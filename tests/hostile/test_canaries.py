"""A canary in one text after another of what shops and providers send: none is found in a log, a metric, a dead
letter's attributes or an error, whatever becomes of the delivery.
"""

import copy
import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

import pytest

from infra.samples import alipay, paypal, shopify, shopify_customers, stripe, wechatpay, woocommerce
from shared.customers.intake import take_in as take_in_customer
from shared.customers.readings import CompleteCustomer
from shared.kernel.errors import StorebridgeError
from shared.orders.intake import take_in
from shared.payments.alipay.signature import signed_form
from shared.platform import aws
from shared.platform.intake import done_with
from shared.platform.intake_queue import CUSTOMERS, ORDERS, unpack
from shared.platform.observability import logger
from shared.platform.settings import parse_settings
from shared.storefronts.shopify.customer_mapping import read_customer as read_shopify_customer
from shared.storefronts.woocommerce.customer_mapping import read_customer as read_woocommerce_customer
from shared.webhooks.delivery import Delivery
from shared.wiring import order_intake, payment_accounts, payment_intake
from shared.wiring.storefront import reader
from tests.builders.customers import customer_desk
from tests.fakes.finance import FakeFinanceBook
from tests.fakes.order_desk import FakeStockRoom, desk
from tests.fuzz.engine import _places
from tests.hostile.counter import SETTINGS as ENDPOINTS
from tests.hostile.counter import opened
from tests.unit.platform.conftest import aws_services

__all__ = ["aws_services"]

WORD = "canary7f3a"
CANARY = f"{WORD}\r\nset-cookie: {WORD}=1\n\x1b[31m{{{WORD}}}\u202e%s${{x}}"
"""Adds a header, a line, a colour, a template's place."""
SHAPES = (CANARY, f"{WORD}@{WORD}.example", WORD, f"{WORD} 12.50", [WORD], {WORD: WORD})
"""Fitting in some places, and wrong in kind in others: a refusal may not quote what it refuses."""
_numbers = count(1)
QUEUES = ("ORDERS", "CUSTOMERS", "PAYMENTS")


@pytest.fixture(autouse=True)
def surroundings(aws_services: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in QUEUES:
        monkeypatch.setenv(f"{name}_QUEUE_URL", aws.sqs().create_queue(QueueName=name)["QueueUrl"])
        monkeypatch.setenv(f"{name}_DLQ_URL", aws.sqs().create_queue(QueueName=f"{name}-dead")["QueueUrl"])
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Storebridge")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"hostile-{next(_numbers)}")  # a logger of its own, to this output
    logger.cache_clear()
    settings = parse_settings(
        {
            "locations": {"main": {"name": "Main"}},
            "payments": {name: {**each, "api_access": False} for name, each in ENDPOINTS["payments"].items()},
        }
    )
    book = FakeFinanceBook("Europe/Amsterdam")
    monkeypatch.setattr(payment_intake, "settings", lambda: settings)
    monkeypatch.setattr(payment_intake, "finance_table", lambda: book)
    monkeypatch.setattr(payment_accounts, "_webhook_secrets", lambda: lambda *_, **__: wechatpay.secrets())


def process_order(body: str, *, receipt_handle: str, received: int) -> None:
    with done_with(ORDERS, body, receipt_handle=receipt_handle, received=received, thing="Delivery"):
        delivery = unpack(body)
        at = desk(FakeStockRoom())
        order_intake.report(take_in(delivery.shop, reader(delivery.platform)(delivery), at))


def process_customer(body: str, *, receipt_handle: str, received: int) -> None:
    with done_with(CUSTOMERS, body, receipt_handle=receipt_handle, received=received, thing="Customer"):
        delivery = Delivery.from_message(body)
        read = read_shopify_customer if delivery.platform == "shopify" else read_woocommerce_customer
        reading = read(delivery)
        if isinstance(reading, CompleteCustomer):
            take_in_customer(reading, customer_desk(shop=delivery.shop))


def _of_shopify(body: Any) -> Delivery:
    return shopify.delivery(body)


def _of_wechat(inside: Any) -> Delivery:
    return wechatpay.delivery(wechatpay.notification(inside))


def _of_alipay(fields: Any) -> Delivery:
    """Signed over whatever the charset says it is."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return alipay.delivery()._replace(body=signed_form(texts, alipay.keys().private))


STATUSES = frozenset({"financial_status", "fulfillment_status", "status"})
"""An unknown word of a shop's for a state is told, for staff must know it: a word and nothing more."""
Process = Callable[..., None]
TOLD: Mapping[str, tuple[Process, Callable[[Any], Delivery], Any]] = {
    "shopify order": (process_order, _of_shopify, shopify.Shop().order()),
    "woocommerce order": (process_order, woocommerce.delivery, woocommerce.order()),
    "shopify customer": (
        process_customer,
        lambda body: shopify.delivery(body, topic="customers/update"),
        shopify_customers.account(),
    ),
    "woocommerce customer": (
        process_customer,
        lambda body: woocommerce.delivery(body, topic="customer.updated"),
        woocommerce.customer(),
    ),
    "stripe": (payment_intake.process, stripe.delivery, stripe.event("charge.succeeded", stripe.charge())),
    "paypal": (payment_intake.process, paypal.delivery, paypal.event("PAYMENT.CAPTURE.COMPLETED", paypal.capture())),
    "alipay": (payment_intake.process, _of_alipay, alipay.notification()),
    "wechatpay": (payment_intake.process, _of_wechat, wechatpay.transaction()),
}


def planted(told: Any) -> Iterator[tuple[str, Any]]:
    """The same with the canary in one text, each in turn, and where it is."""
    for number in range(len(list(_places(told)))):
        changed = copy.deepcopy(told)
        holder, key = list(_places(changed))[number]
        if isinstance(holder[key], str) or holder[key] is None:
            holder[key] = SHAPES[number % len(SHAPES)]
            if key in STATUSES and holder[key] == WORD:
                holder[key] = CANARY
            yield f"{number}: {key}", changed


def failure_of(work: Callable[[], None]) -> str:
    try:
        work()
    except StorebridgeError as error:
        return error.describe()
    return ""


def attributes() -> str:
    """Of everything on the dead-letter queues, which is emptied."""
    said = []
    for name in QUEUES:
        url = os.environ[f"{name}_DLQ_URL"]
        while (
            found := aws.sqs()
            .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600)
            .get("Messages")
        ):
            said += [str(message.get("MessageAttributes")) for message in found]
    return "\n".join(said)


@pytest.mark.parametrize("name", TOLD)
def test_no_text_of_a_delivery_is_said_anywhere(
    name: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    process, deliver, told = TOLD[name]
    tried = heard = 0
    for where, body in planted(told):
        tried += 1
        failure = failure_of(partial(process, deliver(body).to_message(), receipt_handle="none", received=1))
        said = failure + "".join(capsys.readouterr()) + "".join(str(record.__dict__) for record in caplog.records)
        caplog.clear()
        heard += bool(said)
        assert WORD not in said, f"{where}: {said[max(0, said.index(WORD) - 300) :][:500]}"
        assert "\x1b" not in said
    assert tried >= 10
    assert heard >= 3, "else nothing could be found"
    assert WORD not in attributes()


@pytest.mark.parametrize("header", ["x-shopify-topic", "x-shopify-shop-domain", "x-shopify-webhook-id", "user-agent"])
def test_no_header_of_a_request_is_said_anywhere(
    header: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with opened("shopify") as counter:
        for value in (CANARY, WORD):
            genuine = shopify.signed_request({"id": 1, "note": CANARY})
            counter.ask("shopify", genuine._replace(headers={**genuine.headers, header: value}))
            counter.ask(
                "shopify", genuine._replace(headers={**genuine.headers, header: value}, body=b'{"a": "canary7f3a')
            )
            counter.ask("shopify", genuine, name=value)
    said = "".join(capsys.readouterr()) + "".join(str(record.__dict__) for record in caplog.records)
    assert "WebhookRefused" in said
    assert WORD not in said
