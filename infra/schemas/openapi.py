"""The HTTP API as an OpenAPI document: the template's routes, and what the functions behind them answer.

For whoever puts something in front of it (a proxy, a monitor, a firewall), and for attacks on it (`make attack`). What
a vendor sends is the vendor's to describe; here it is any JSON object, or a form.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from infra.local.template import Route, load_deployment
from shared.kernel.identifiers import SHOP_PATTERN
from shared.kernel.links import MAX_TOKEN_LENGTH
from shared.payments.alipay import signature as alipay
from shared.payments.wechatpay import signature as wechatpay
from shared.webhooks.delivery import MAX_BODY_BYTES

HERE: Final = Path(__file__).resolve().parent
PATH: Final = HERE / "openapi.json"
_TEMPLATE: Final = HERE.parents[1] / "template.yaml"
Json = dict[str, Any]

_WEBHOOK_ANSWERS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.OK: "The queue has it; or it was a vendor's test of the address, and nothing was done.",
    HTTPStatus.BAD_REQUEST: "The body is not what its sender says it is. Nothing was written.",
    HTTPStatus.UNAUTHORIZED: "It is not signed with a secret of this shop or account. Nothing was written.",
    HTTPStatus.FORBIDDEN: "It is signed, and meant for another shop or account. Nothing was written.",
    HTTPStatus.NOT_FOUND: "No shop or account of this name is connected.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"The body has more than {MAX_BODY_BYTES} bytes. Nothing was written.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not declared as what the vendor sends.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "It is signed, and about something that this address does not take.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Nothing is wrong with it: it may be sent again later.",
}
_PAGE_ANSWERS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.OK: "The page.",
    HTTPStatus.NOT_FOUND: "There is no such page, and there may never have been one.",
    HTTPStatus.GONE: "The link has expired, or was used.",
    HTTPStatus.SERVICE_UNAVAILABLE: "It cannot be shown now; later it can.",
}
_HEADERS: Final[Mapping[str, Sequence[str]]] = {
    "orders": ("X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "X-Shopify-Shop-Domain", "X-WC-Webhook-Signature"),
    "customers": ("X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "X-Shopify-Shop-Domain", "X-WC-Webhook-Signature"),
    "payments": (
        *("Stripe-Signature", "PayPal-Transmission-Id", "PayPal-Transmission-Time", "PayPal-Transmission-Sig"),
        *("PayPal-Cert-Url", "PayPal-Auth-Algo", "Wechatpay-Serial", "Wechatpay-Timestamp", "Wechatpay-Nonce"),
        "Wechatpay-Signature",
    ),
}
_TITLES: Final[Mapping[str, str]] = {
    "order_webhook": "A storefront tells of an order",
    "registration_webhook": "A storefront tells of a customer, or passes on what one asks for privacy's sake",
    "payment_webhook": "A payment provider tells of money",
    "order_tracking": "The page on which a buyer follows an order",
    "customer_verification": "The page behind the link that proves an e-mail address",
}


def document() -> Json:
    """The whole API. Every route of the template is in it, and no other."""
    paths: dict[str, Json] = {}
    for route in sorted(load_deployment(_TEMPLATE).routes, key=lambda each: (each.path, each.method)):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Storebridge",
            "version": "1",
            "description": "Deliveries of storefronts and payment providers, and the pages of buyers. "
            "Any 2xx means that the queue has the delivery; what is refused has written nothing.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": {"Accepted": _ACCEPTED, "Refused": _REFUSED, "Missing": _MISSING}},
    }


def text() -> str:
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def write() -> bool:
    """Write it where it changed."""
    if PATH.exists() and PATH.read_text(encoding="utf-8") == text():
        return False
    PATH.write_text(text(), encoding="utf-8")
    return True


_ACCEPTED: Final[Json] = {
    "type": "object",
    "properties": {"status": {"const": "accepted"}},
    "required": ["status"],
    "additionalProperties": False,
}
_REFUSED: Final[Json] = {
    "type": "object",
    "properties": {
        "error": {"type": "string", "description": "Stable: for programs."},
        "message": {"type": "string", "description": "For people. It names nobody."},
    },
    "required": ["error", "message"],
    "additionalProperties": False,
}
_MISSING: Final[Json] = {
    "type": "object",
    "properties": {"message": {"const": "Not Found"}},
    "required": ["message"],
    "description": "API Gateway's own answer, where the path is of no route: an empty name, for one.",
}


def _operation(route: Route) -> Json:
    is_webhook = route.path.startswith("/webhooks/")
    found = _webhook(route) if is_webhook else _page(route)
    name = _function_of(route)
    return {"operationId": f"{name}_{route.method.lower()}", "summary": _TITLES[name], **found}


def _function_of(route: Route) -> str:
    kinds = {"orders": "order_webhook", "customers": "registration_webhook", "payments": "payment_webhook"}
    _, first, *rest = route.path.split("/")
    if first == "webhooks":
        return kinds[rest[-1]]
    return {"track": "order_tracking", "verify": "customer_verification"}[first]


def _webhook(route: Route) -> Json:
    _, _, parameter, kind = route.path.split("/")
    name = parameter.strip("{}")
    answers = {
        str(int(status)): _answer(told, _webhook_media(status, kind)) for status, told in _WEBHOOK_ANSWERS.items()
    }
    body: Json = {"application/json": {"schema": {"type": "object"}}}
    if kind != "customers":
        body["application/x-www-form-urlencoded"] = {"schema": {"type": "object"}}
    return {
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": "Its short name in the settings.",
                "schema": {"type": "string", "pattern": SHOP_PATTERN},
            },
            *(
                {"name": header, "in": "header", "required": False, "schema": {"type": "string"}}
                for header in _HEADERS[kind]
            ),
        ],
        "requestBody": {"required": True, "content": body},
        "responses": answers,
    }


def _webhook_media(status: HTTPStatus, kind: str) -> Json:
    schema = "Accepted" if status is HTTPStatus.OK else "Refused"
    told: Json = {"$ref": f"#/components/schemas/{schema}"}
    own: list[Json] = []
    if status is HTTPStatus.NOT_FOUND:
        own.append({"$ref": "#/components/schemas/Missing"})
    if kind != "payments":
        return {"application/json": {"schema": {"anyOf": [told, *own]} if own else told}}
    words = json.loads(wechatpay.ACCEPTED[2] if status is HTTPStatus.OK else (wechatpay.REFUSED or ("", "null"))[1])
    plain = alipay.ACCEPTED[2] if status is HTTPStatus.OK else (alipay.REFUSED or ("", ""))[1]
    return {
        "application/json": {"schema": {"anyOf": [told, *own, {"const": words}]}},
        "text/plain": {"schema": {"const": plain}},
    }


def _page(route: Route) -> Json:
    answers = dict(_PAGE_ANSWERS)
    found: Json = {}
    if route.method == "POST":
        answers[HTTPStatus.BAD_REQUEST] = "The form says neither that it is so nor that it is not."
        action = {"type": "string", "enum": ["confirm", "decline"]}
        form = {"type": "object", "properties": {"action": action}, "required": ["action"]}
        found["requestBody"] = {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": form}},
        }
    media = {"text/html": {"schema": {"type": "string"}}}
    missing = {**media, "application/json": {"schema": {"$ref": "#/components/schemas/Missing"}}}
    return {
        "parameters": [
            {
                "name": "token",
                "in": "path",
                "required": True,
                "description": "Of a link that was sent to the buyer.",
                "schema": {
                    "type": "string",
                    "pattern": r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
                    "maxLength": MAX_TOKEN_LENGTH,
                },
            },
            {
                "name": "lang",
                "in": "query",
                "required": False,
                "schema": {"type": "string", "enum": ["en", "zh"]},
            },
        ],
        **found,
        "responses": {
            str(int(status)): _answer(told, missing if status is HTTPStatus.NOT_FOUND else media)
            for status, told in sorted(answers.items())
        },
    }


def _answer(told: str, media: Json) -> Json:
    return {"description": told, "content": media}
