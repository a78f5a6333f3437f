"""What Schemathesis is told of the API beside its document. Runs in Schemathesis' own environment: nothing of ours is
imported here.

Names of shops and accounts that exist are put in for most of those that were made up, and most deliveries are signed
with the shop's or account's own secret: else every one of them would end at the first door.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import schemathesis  # type: ignore[import-not-found] # in an environment of its own

SECRET = b"attack-secret"
_NAMES = {"shop": ("aurora", "borealis"), "account": ("stripe-eu", "paypal-eu", "alipay-cn", "wechat-cn")}
_TOPICS = {"orders": ("orders/paid", "order.updated"), "customers": ("customers/update", "customer.updated")}


@schemathesis.hook  # type: ignore[untyped-decorator]
def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    for parameter, names in _NAMES.items():
        if path_parameters and parameter in path_parameters:
            chosen = _number(path_parameters[parameter]) % (len(names) + 1)
            if chosen < len(names):
                path_parameters[parameter] = names[chosen]
    return path_parameters


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(_context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    if case.path.startswith("/webhooks/"):
        kwargs["auth"] = _signed(case.path.rpartition("/")[2])


def _signed(kind: str) -> Callable[[Any], Any]:
    """The request with the headers of a genuine one, of its exact bytes; one in four as it was."""

    def sign(request: Any) -> Any:
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        if _number(body) % 4 == 0:
            return request
        mac = base64.b64encode(hmac.digest(SECRET, body, hashlib.sha256)).decode("ascii")
        if kind == "payments":
            now = int(time.time())
            digest = hmac.digest(SECRET, f"{now}.".encode() + body, hashlib.sha256).hex()
            request.headers["Stripe-Signature"] = f"t={now},v1={digest}"
            return request
        shopify, woocommerce = _TOPICS[kind]
        genuine = {
            "X-Shopify-Hmac-Sha256": mac,
            "X-Shopify-Topic": shopify,
            "X-Shopify-Shop-Domain": "aurora.myshopify.com",
            "X-WC-Webhook-Signature": mac,
            "X-WC-Webhook-Topic": woocommerce,
            "X-WC-Webhook-Source": "https://borealis.example/",
        }
        request.headers.update(genuine)
        return request

    return sign


def _number(value: object) -> int:
    """The same for the same value, in every process."""
    return hashlib.sha256(repr(value).encode()).digest()[0]
