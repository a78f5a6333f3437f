"""Stripe's objects, events and reports, in the shape of its API and its exports. All of it is made up."""

import csv
import io
import json
from typing import Any

from shared.payments.stripe.signature import request_headers
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import WebhookRequest

Json = dict[str, Any]

SECRET = "whsec_made_up_1"  # noqa: S105 - opens nothing
ACCOUNT = "acct_1Aurora"
CREATED = 1_795_424_863
"""2026-11-23T09:07:43Z."""
RECEIVED_AT = "2026-11-23T09:07:44.000000000Z"

BUYER = {"name": "Zoë Ünal", "email": "zoe@example.test", "phone": "+49301234567"}
"""Whom nothing that we keep may name."""


def charge(**overrides: Any) -> Json:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 4500,
        "amount_captured": 4500,
        "amount_refunded": 0,
        "balance_transaction": "txn_1",
        "billing_details": {"address": {"city": "Berlin", "line1": "Hauptstr. 1"}, **BUYER},
        "captured": True,
        "created": CREATED,
        "currency": "eur",
        "customer": "cus_1",
        "description": "Order 1001 of Zoë Ünal",
        "disputed": False,
        "livemode": True,
        "metadata": {"order_id": "5001", "note": "for Zoë"},
        "paid": True,
        "payment_intent": "pi_1",
        "receipt_email": BUYER["email"],
        "refunded": False,
        "status": "succeeded",
        "transfer_group": None,
    } | overrides


def refund(**overrides: Any) -> Json:
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 1000,
        "balance_transaction": "txn_2",
        "charge": "ch_1",
        "created": CREATED + 86_400,
        "currency": "eur",
        "metadata": {},
        "payment_intent": "pi_1",
        "reason": None,
        "status": "succeeded",
    } | overrides


def dispute(**overrides: Any) -> Json:
    return {
        "id": "dp_1",
        "object": "dispute",
        "amount": 4500,
        "balance_transactions": [],
        "charge": "ch_1",
        "created": CREATED + 172_800,
        "currency": "eur",
        "evidence": {"customer_email_address": BUYER["email"], "customer_name": BUYER["name"]},
        "livemode": True,
        "metadata": {},
        "payment_intent": "pi_1",
        "reason": "fraudulent",
        "status": "needs_response",
    } | overrides


def payout(**overrides: Any) -> Json:
    return {
        "id": "po_1",
        "object": "payout",
        "amount": 3355,
        "arrival_date": 1_795_651_200,
        "automatic": True,
        "balance_transaction": "txn_9",
        "created": CREATED + 172_800,
        "currency": "eur",
        "description": "STRIPE PAYOUT",
        "livemode": True,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "completed",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "supported", "value": "TRACE42"},
        "type": "bank_account",
    } | overrides


def balance_transaction(**overrides: Any) -> Json:
    return {
        "id": "txn_1",
        "object": "balance_transaction",
        "amount": 4500,
        "available_on": CREATED + 172_800,
        "balance_type": "payments",
        "created": CREATED,
        "currency": "eur",
        "description": "Order 1001 of Zoë Ünal",
        "exchange_rate": None,
        "fee": 88,
        "fee_details": [{"amount": 88, "currency": "eur", "description": "Stripe processing fees"}],
        "net": 4412,
        "reporting_category": "charge",
        "source": "ch_1",
        "status": "available",
        "type": "charge",
    } | overrides


def payment_intent(**overrides: Any) -> Json:
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 4500,
        "amount_received": 4500,
        "client_secret": "pi_1_secret_made_up",
        "created": CREATED,
        "currency": "eur",
        "latest_charge": "ch_1",
        "livemode": True,
        "metadata": {"order_number": "#1001"},
        "receipt_email": BUYER["email"],
        "status": "succeeded",
        "transfer_group": None,
    } | overrides


def checkout_session(**overrides: Any) -> Json:
    return {
        "id": "cs_live_1",
        "object": "checkout.session",
        "amount_total": 4500,
        "client_reference_id": "cart-77",
        "currency": "eur",
        "customer_details": dict(BUYER),
        "livemode": True,
        "metadata": {},
        "mode": "payment",
        "payment_intent": "pi_1",
        "payment_status": "paid",
        "status": "complete",
    } | overrides


def balance(**overrides: Any) -> Json:
    return {
        "object": "balance",
        "available": [{"amount": 700_00, "currency": "eur", "source_types": {"card": 700_00}}],
        "pending": [{"amount": 44_12, "currency": "eur", "source_types": {"card": 44_12}}],
        "livemode": True,
    } | overrides


def event(kind: str, told: Json, **overrides: Any) -> Json:
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-06-24.dahlia",
        "created": CREATED + 1,
        "data": {"object": told},
        "livemode": True,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    } | overrides


def thin_event(kind: str, related: str, **overrides: Any) -> Json:
    return {
        "id": "evt_65_1",
        "object": "v2.core.event",
        "type": kind,
        "created": "2026-11-23T09:07:44.123Z",
        "livemode": True,
        "related_object": {"id": related, "type": "charge", "url": f"/v1/charges/{related}"},
    } | overrides


def encode(body: Json) -> bytes:
    """As Stripe writes JSON: with two blanks to a level."""
    return json.dumps(body, indent=2, ensure_ascii=False).encode("utf-8")


def signed_request(body: bytes, *secrets: str, signed_at: int = CREATED + 2) -> WebhookRequest:
    return WebhookRequest(request_headers(body, *(secrets or (SECRET,)), signed_at=signed_at), body)


def delivery(body: Json, *, account: str = "stripe-eu") -> Delivery:
    return Delivery(account, "stripe", str(body.get("type")), RECEIVED_AT, encode(body))


BALANCE_HEADINGS = (
    "balance_transaction_id",
    "created_utc",
    "created",
    "available_on_utc",
    "available_on",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "customer_facing_amount",
    "customer_facing_currency",
    "charge_id",
    "payment_intent_id",
    "payment_metadata[order_id]",
)
PAYOUT_HEADINGS = ("automatic_payout_id", "automatic_payout_effective_at_utc", "automatic_payout_effective_at")


def report_row(**overrides: str) -> dict[str, str]:
    return {
        "balance_transaction_id": "txn_1",
        "created_utc": "2026-11-23 09:07:43",
        "created": "2026-11-23 10:07:43",
        "available_on_utc": "2026-11-25 00:00:00",
        "available_on": "2026-11-25 00:00:00",
        "currency": "eur",
        "gross": "45.00",
        "fee": "0.88",
        "net": "44.12",
        "reporting_category": "charge",
        "source_id": "ch_1",
        "description": "Order 1001 of Zoë Ünal",
        "charge_id": "ch_1",
        "payment_intent_id": "pi_1",
        "payment_metadata[order_id]": "5001",
    } | overrides


def report(*rows: dict[str, str], headings: tuple[str, ...] = BALANCE_HEADINGS) -> bytes:
    """A report as CSV; what a row does not have is blank."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, headings, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
