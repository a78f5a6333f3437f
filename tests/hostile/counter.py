"""The deployed webhooks as strangers meet them: their handlers, with the queue and the documents behind them fake."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, NamedTuple

import pytest
import time_machine

from functions.order_webhook.handler import lambda_handler as order_webhook
from functions.payment_webhook.handler import lambda_handler as payment_webhook
from functions.registration_webhook.handler import lambda_handler as registration_webhook
from infra.samples import alipay, paypal, shopify, stripe, wechatpay, woocommerce
from shared.payments.paypal import signature as paypal_signature
from shared.platform.ingress_queue import IngressQueue
from shared.platform.webhook_settings import PAYMENTS, EndpointDirectory, WebhookSecrets
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import WebhookRequest
from shared.webhooks.reception import Reception
from shared.wiring import payment_webhooks, webhooks
from tests.fuzz.requests import SCHEMES
from tests.unit.platform.services import ScriptedService

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


class Door(NamedTuple):
    """One webhook endpoint of one shop or account."""

    handler: Handler
    parameter: str
    name: str
    at: float
    """When its genuine samples are fresh: seconds since 1970."""


_LATER: Final = float(stripe.CREATED + 5)
DOORS: Final[Mapping[str, Door]] = {
    "shopify": Door(order_webhook, "shop", "aurora", _LATER),
    "shopify_customers": Door(registration_webhook, "shop", "aurora", _LATER),
    "woocommerce": Door(order_webhook, "shop", "borealis", _LATER),
    "woocommerce_customers": Door(registration_webhook, "shop", "borealis", _LATER),
    "stripe": Door(payment_webhook, "account", "stripe-eu", _LATER),
    "paypal": Door(payment_webhook, "account", "paypal-eu", paypal.SENT.timestamp() + 2),
    "alipay": Door(payment_webhook, "account", "alipay-cn", _LATER),
    "wechatpay": Door(payment_webhook, "account", "wechat-cn", wechatpay.SIGNED_AT.timestamp()),
}
SETTINGS: Final = {
    "shops": {
        "aurora": {"platform": "shopify", "address": shopify.ADDRESS},
        "borealis": {"platform": "woocommerce", "address": woocommerce.ADDRESS},
    },
    "payments": {
        "stripe-eu": {"vendor": "stripe", "merchant_id": stripe.ACCOUNT},
        "paypal-eu": {"vendor": "paypal", "merchant_id": paypal.MERCHANT_ID},
        "alipay-cn": {"vendor": "alipay", "merchant_id": alipay.APP_ID},
        "wechat-cn": {"vendor": "wechatpay", "merchant_id": wechatpay.MERCHANT_ID},
    },
}


def secrets() -> dict[str, list[str]]:
    return {door.name: list(SCHEMES[scheme].secrets()) for scheme, door in DOORS.items()}


class Counter:
    """All endpoints, and what came of what was handed in."""

    def __init__(self) -> None:
        self.settings = ScriptedService(SETTINGS)
        self.secrets = ScriptedService(secrets())
        self.queue = ScriptedService()
        self.archive = ScriptedService()

    def ask(self, door: str, request: WebhookRequest, *, name: str | None = None) -> int:
        """The status that the sender hears."""
        where = DOORS[door]
        event = {
            "pathParameters": {where.parameter: where.name if name is None else name},
            "headers": dict(request.headers),
            "body": request.body.decode("latin-1"),
            "isBase64Encoded": False,
        }
        try:
            event["body"] = request.body.decode("utf-8")
        except UnicodeDecodeError:
            event |= {"body": b64encode(request.body).decode("ascii"), "isBase64Encoded": True}
        status = where.handler(event, None)["statusCode"]
        assert isinstance(status, int)
        return status

    @property
    def written(self) -> int:
        return len(self.queue.calls) + len(self.archive.objects)

    def last(self) -> Delivery:
        return Delivery.from_message(self.queue.calls[-1][1]["MessageBody"])

    def taken(self) -> list[Delivery]:
        return [Delivery.from_message(body["MessageBody"]) for _, body, _ in self.queue.calls]


@contextmanager
def opened(door: str) -> Iterator[Counter]:
    """With the clock at which the door's samples are fresh, and caches that forget nothing in between."""
    counter = Counter()
    queue = {name: IngressQueue(counter.queue, counter.archive, name) for name in _QUEUES}
    with pytest.MonkeyPatch.context() as patch, time_machine.travel(DOORS[door].at, tick=False):
        for name in (*_QUEUES, "ARCHIVE_BUCKET", "SETTINGS_PARAMETER", "WEBHOOK_SECRET_ID"):
            patch.setenv(name, f"the {name}")
        patch.setattr(paypal_signature, "_CERTIFICATES", None)
        shelf = paypal_signature.Certificates(lambda _host, _path: paypal.signer().pem)
        patch.setitem(paypal_signature.authenticate.__kwdefaults__ or {}, "certificates", shelf)
        shops = Reception(
            endpoints=EndpointDirectory(counter.settings),
            ingress=webhooks._of_orders,
            secrets=WebhookSecrets(counter.secrets),
            enqueue=queue["ORDERS_QUEUE_URL"],
            now=lambda: shopify.RECEIVED_AT,
        )
        persons = shops._replace(ingress=webhooks._of_customers, enqueue=queue["CUSTOMERS_QUEUE_URL"])
        payments = shops._replace(
            endpoints=EndpointDirectory(counter.settings, PAYMENTS),
            ingress=payment_webhooks._of_payments,
            enqueue=queue["PAYMENTS_QUEUE_URL"],
        )
        patch.setattr("functions.order_webhook.handler.order_reception", lambda: shops)
        patch.setattr("functions.registration_webhook.handler.registration_reception", lambda: persons)
        patch.setattr("functions.payment_webhook.handler.payment_reception", lambda: payments)
        yield counter


_QUEUES: Final = ("ORDERS_QUEUE_URL", "CUSTOMERS_QUEUE_URL", "PAYMENTS_QUEUE_URL")


_SMALL: Final[Mapping[str, Callable[[], WebhookRequest]]] = {
    "shopify": lambda: shopify.signed_request({"id": 1}),
    "shopify_customers": lambda: shopify.signed_request({"id": 1}, topic="customers/update"),
    "woocommerce": lambda: woocommerce.request({"id": 1}),
    "woocommerce_customers": lambda: woocommerce.request({"id": 1}, topic="customer.updated"),
    "stripe": lambda: stripe.signed_request(b'{"id":"evt_1","type":"charge.x"}', stripe.SECRET),
    "paypal": lambda: paypal.signed_request(b'{"id":"WH-1","event_type":"PAYMENT.X"}'),
    "alipay": lambda: alipay.request({"notify_type": "x", "trade_status": "PAID", "app_id": alipay.APP_ID}),
    "wechatpay": lambda: wechatpay.request(b'{"id":"1","event_type":"TRANSACTION.SUCCESS"}'),
}


@cache
def small(door: str) -> WebhookRequest:
    """A genuine request with a short body, the same one each time."""
    return _SMALL[door]()
