"""Signed requests as bytes and back, and what of each is signed: nothing that was not signed may be accepted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from infra.samples import alipay, paypal, shopify, shopify_customers, stripe, wechatpay, woocommerce
from shared.backoffices.jiandaoyun import signature as jiandaoyun_signature
from shared.payments.alipay import signature as alipay_signature
from shared.payments.paypal import signature as paypal_signature
from shared.payments.stripe import signature as stripe_signature
from shared.payments.wechatpay import signature as wechatpay_signature
from shared.storefronts.shopify import signature as shopify_signature
from shared.storefronts.woocommerce import signature as woocommerce_signature
from shared.webhooks.ingress import Authenticated, Ping, WebhookRequest

_STRIPE_NOW: Final = float(stripe.CREATED + 5)
_PAYPAL_NOW: Final = (paypal.SENT + timedelta(seconds=2)).timestamp()
_WECHAT_NOW: Final = wechatpay.SIGNED_AT.timestamp()
JIANDAOYUN_SECRET: Final = "jdy-secret-1"


class Scheme(NamedTuple):
    """One vendor's way of signing, with a clock at which its samples are fresh."""

    check: Callable[[WebhookRequest, Sequence[str]], object]
    """Raises `Rejected`, or accepts by these secrets."""
    secrets: Callable[[], Sequence[str]]
    genuine: Callable[[], Sequence[WebhookRequest]]
    signed: Callable[[WebhookRequest], bytes]
    """What the signature is made over: all that an accepted request may be believed for."""


def packed(request: WebhookRequest) -> bytes:
    head = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
    return head.encode("utf-8") + b"\n" + request.body


def unpacked(data: bytes) -> WebhookRequest:
    head, _, body = data.partition(b"\n\n")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        name = name.strip().lower()
        # As gateways do with a header that comes twice.
        headers[name] = f"{headers[name]},{value.strip()}" if name in headers else value.strip()
    return WebhookRequest(headers, body)


def is_accepted(scheme: Scheme, request: WebhookRequest, secrets: Sequence[str] | None = None) -> bool:
    """Whether it is taken for genuine: a ping is answered, and taken for nothing. Raises `Rejected`."""
    found = scheme.check(request, scheme.secrets() if secrets is None else secrets)
    return not isinstance(found, Ping)


def require_genuine(scheme: Scheme, request: WebhookRequest) -> None:
    """Raises `Rejected` for what is refused, and AssertionError for what is accepted and was never signed."""
    if is_accepted(scheme, request):
        known = {scheme.signed(each) for each in scheme.genuine()}
        assert scheme.signed(request) in known, f"accepted, and never signed: {request!r}"


@cache
def _paypal_certificates() -> paypal_signature.Certificates:
    return paypal_signature.Certificates(lambda _host, _path: paypal.signer().pem)


def _shopify(request: WebhookRequest, secrets: Sequence[str]) -> object:
    return shopify_signature.authenticate(request, secrets=secrets, shop_address=shopify.ADDRESS)


def _shopify_customers(request: WebhookRequest, secrets: Sequence[str]) -> object:
    return shopify_signature.authenticate_customers(request, secrets=secrets, shop_address=shopify.ADDRESS)


def _woocommerce(request: WebhookRequest, secrets: Sequence[str]) -> object:
    return woocommerce_signature.authenticate(request, secrets=secrets, shop_address=woocommerce.ADDRESS)


def _woocommerce_customers(request: WebhookRequest, secrets: Sequence[str]) -> object:
    return woocommerce_signature.authenticate_customers(request, secrets=secrets, shop_address=woocommerce.ADDRESS)


def _stripe(request: WebhookRequest, secrets: Sequence[str]) -> object:
    now = lambda: _STRIPE_NOW  # noqa: E731
    return stripe_signature.authenticate(request, secrets=secrets, shop_address=stripe.ACCOUNT, now=now)


def _paypal(request: WebhookRequest, secrets: Sequence[str]) -> object:
    return paypal_signature.authenticate(
        request,
        secrets=secrets,
        shop_address=paypal.MERCHANT_ID,
        now=lambda: _PAYPAL_NOW,
        certificates=_paypal_certificates(),
    )


def _alipay(request: WebhookRequest, secrets: Sequence[str]) -> object:
    return alipay_signature.authenticate(request, secrets=secrets, shop_address=alipay.APP_ID)


def _wechatpay(request: WebhookRequest, secrets: Sequence[str]) -> object:
    return wechatpay_signature.authenticate(
        request, secrets=secrets, shop_address=wechatpay.MERCHANT_ID, now=lambda: _WECHAT_NOW
    )


def _jiandaoyun(request: WebhookRequest, secrets: Sequence[str]) -> object:
    headers = request.headers
    stamp, nonce = headers.get("timestamp", ""), headers.get("nonce", "")
    jiandaoyun_signature.authenticate(headers, request.body, timestamp=stamp, nonce=nonce, secrets=secrets)
    return Authenticated(topic="push")


def _body(request: WebhookRequest) -> bytes:
    return request.body


def _named(*names: str) -> Callable[[WebhookRequest], bytes]:
    def signed(request: WebhookRequest) -> bytes:
        return "\n".join(request.headers.get(name, "") for name in names).encode() + b"\n" + request.body

    return signed


def _stripe_signed(request: WebhookRequest) -> bytes:
    """The time in the header, and the body."""
    times = [part for part in request.headers[stripe_signature.SIGNATURE_HEADER].split(",") if "t=" in part]
    return times[0].strip().encode() + b"\n" + request.body


def _alipay_signed(request: WebhookRequest) -> bytes:
    return alipay_signature.signed_content(alipay_signature._raw_fields(request.body))


@cache
def _orders_of_shopify() -> tuple[WebhookRequest, ...]:
    bodies: tuple[Any, ...] = (shopify.Shop().order(), {"id": 1}, {})
    return tuple(shopify.signed_request(body, topic="orders/paid") for body in bodies)


@cache
def _customers_of_shopify() -> tuple[WebhookRequest, ...]:
    return (
        shopify.signed_request(shopify_customers.account(), topic="customers/update"),
        shopify.signed_request(shopify_customers.redact(), topic="customers/redact"),
    )


@cache
def _of_stripe() -> tuple[WebhookRequest, ...]:
    bodies = (stripe.encode(stripe.event("charge.succeeded", stripe.charge())), b"{}")
    return (*(stripe.signed_request(body, stripe.SECRET) for body in bodies), stripe.signed_request(b"{}", "x", "y"))


@cache
def _of_paypal() -> tuple[WebhookRequest, ...]:
    capture = paypal.encode(paypal.event("PAYMENT.CAPTURE.COMPLETED", paypal.capture()))
    return tuple(paypal.signed_request(body) for body in (capture, b"{}"))


@cache
def _of_alipay() -> tuple[WebhookRequest, ...]:
    return alipay.request(), alipay.request(alipay.notification(charset="gbk"))


@cache
def _of_wechatpay() -> tuple[WebhookRequest, ...]:
    return wechatpay.request(), wechatpay.request(b"{}")


@cache
def _of_jiandaoyun() -> tuple[WebhookRequest, ...]:
    body = b'{"op":"data_update","data":{"_id":"5f0e","amount":1}}'
    signature = jiandaoyun_signature.sign(body, JIANDAOYUN_SECRET, timestamp="1795424863", nonce="abcdef")
    headers = {"timestamp": "1795424863", "nonce": "abcdef", "x-jdy-signature": signature, "x-jdy-deliverid": "d-1"}
    return (WebhookRequest(headers, body),)


SCHEMES: Final[Mapping[str, Scheme]] = {
    "shopify": Scheme(_shopify, lambda: (shopify.SECRET,), _orders_of_shopify, _body),
    "shopify_customers": Scheme(_shopify_customers, lambda: (shopify.SECRET,), _customers_of_shopify, _body),
    "woocommerce": Scheme(
        _woocommerce,
        lambda: (woocommerce.SECRET,),
        cache(lambda: (woocommerce.request(woocommerce.order()), woocommerce.request({"id": 1}))),
        _body,
    ),
    "woocommerce_customers": Scheme(
        _woocommerce_customers,
        lambda: (woocommerce.SECRET,),
        cache(lambda: (woocommerce.request(woocommerce.customer(), topic="customer.updated"),)),
        _body,
    ),
    "stripe": Scheme(_stripe, lambda: (stripe.SECRET,), _of_stripe, _stripe_signed),
    "paypal": Scheme(
        _paypal,
        lambda: (paypal.WEBHOOK_ID,),
        _of_paypal,
        _named("paypal-transmission-id", "paypal-transmission-time"),
    ),
    "alipay": Scheme(_alipay, lambda: (alipay.keys().public,), _of_alipay, _alipay_signed),
    "wechatpay": Scheme(_wechatpay, wechatpay.secrets, _of_wechatpay, _named("wechatpay-timestamp", "wechatpay-nonce")),
    "jiandaoyun": Scheme(_jiandaoyun, lambda: (JIANDAOYUN_SECRET,), _of_jiandaoyun, _named("timestamp", "nonce")),
}
