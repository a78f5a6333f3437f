"""PayPal's events, API objects and settlement reports, in the shapes that it sends. All of it is made up, and so is the
authority that signs: nothing of PayPal's own.
"""

import csv
import io
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from shared.payments.paypal.signature import request_headers
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import WebhookRequest

Json = dict[str, Any]

WEBHOOK_ID = "8PT597110X687430LKGECATA"
MERCHANT_ID = "AURORA7MERCHANT"
CERTIFICATE_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-38317689"
SANDBOX_CERTIFICATE_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-38317689"
SENT_AT = "2026-11-23T09:07:46Z"
SENT = datetime(2026, 11, 23, 9, 7, 46, tzinfo=UTC)
RECEIVED_AT = "2026-11-23T09:07:47.000000000Z"
SUBJECT = "messageverificationcerts.paypal.com"

BUYER = {
    "name": {"given_name": "Zoë", "surname": "Ünal"},
    "email_address": "zoe@example.test",
    "address": {"address_line_1": "Hauptstr. 1", "country_code": "DE"},
    "payer_id": "BUYER1PAYER",
}
"""Whom nothing that we keep may name."""


class Signer(NamedTuple):
    """A key with a certificate for it, as PayPal has one."""

    key: rsa.RSAPrivateKey
    pem: bytes


@cache
def signer(
    name: str = SUBJECT,
    *,
    since: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    until: datetime = datetime(2027, 1, 1, tzinfo=UTC),
    self_signed: bool = False,
    bits: int = 2048,
) -> Signer:
    """A certificate in this name, of an authority that was made for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority that was made up")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if self_signed else authority)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
    issuer = key if self_signed else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Signer(key, builder.sign(issuer, SHA256()).public_bytes(Encoding.PEM))


def signed_request(
    body: bytes,
    *,
    webhook_id: str = WEBHOOK_ID,
    certificate_url: str = CERTIFICATE_URL,
    sent_at: str = SENT_AT,
    by: Signer | None = None,
) -> WebhookRequest:
    headers = request_headers(
        body,
        webhook_id=webhook_id,
        key=(by or signer()).key,
        certificate_url=certificate_url,
        transmission_time=sent_at,
    )
    return WebhookRequest(headers, body)


def money(value: str, currency: str = "EUR") -> Json:
    return {"currency_code": currency, "value": value}


def capture(**overrides: Any) -> Json:
    """Version 2."""
    return {
        "id": "42311647XV020574X",
        "status": "COMPLETED",
        "amount": money("45.00"),
        "invoice_id": "WC-1001",
        "custom_id": "5001",
        "final_capture": True,
        "payee": {"email_address": "shop@example.test", "merchant_id": MERCHANT_ID},
        "seller_receivable_breakdown": {
            "gross_amount": money("45.00"),
            "paypal_fee": money("1.47"),
            "net_amount": money("43.53"),
        },
        "supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}},
        "links": [{"href": "https://api.paypal.com/v2/payments/captures/42311647XV020574X", "rel": "self"}],
        "create_time": "2026-11-23T09:07:43Z",
        "update_time": "2026-11-23T09:07:44Z",
    } | overrides


def refund(**overrides: Any) -> Json:
    """Version 2: the capture is named by a link alone."""
    return {
        "id": "1Y107995YT783435V",
        "status": "COMPLETED",
        "amount": money("10.00"),
        "note_to_payer": "Sorry, Zoë",
        "links": [
            {"href": "https://api.paypal.com/v2/payments/refunds/1Y107995YT783435V", "rel": "self"},
            {"href": "https://api.paypal.com/v2/payments/captures/42311647XV020574X", "rel": "up"},
        ],
        "create_time": "2026-11-24T02:00:00-07:00",
        "update_time": "2026-11-24T02:00:00-07:00",
    } | overrides


def sale(**overrides: Any) -> Json:
    """Version 1."""
    return {
        "id": "80021663DE681814L",
        "state": "completed",
        "amount": {"total": "45.00", "currency": "EUR"},
        "invoice_number": "WC-1001",
        "custom": '{"order_id": 5001, "order_key": "wc_order_x1"}',
        "parent_payment": "PAY-3YE025760C441402AKTRY2PQ",
        "links": [{"href": "https://api.paypal.com/v1/payments/sale/80021663DE681814L", "rel": "self"}],
        "create_time": "2026-11-23T09:07:43Z",
        "update_time": "2026-11-23T09:07:44Z",
    } | overrides


def sale_refund(**overrides: Any) -> Json:
    """Version 1: signed."""
    return {
        "id": "8VC964970N548345V",
        "sale_id": "80021663DE681814L",
        "state": "completed",
        "amount": {"total": "-10.00", "currency": "EUR"},
        "parent_payment": "PAY-3YE025760C441402AKTRY2PQ",
        "create_time": "2026-11-24T09:00:00Z",
        "update_time": "2026-11-24T09:00:00Z",
    } | overrides


def authorisation(**overrides: Any) -> Json:
    return {
        "id": "7W5147081L658180V",
        "status": "CREATED",
        "amount": money("45.00"),
        "invoice_id": "WC-1001",
        "create_time": "2026-11-23T09:00:00Z",
        "update_time": "2026-11-23T09:00:00Z",
    } | overrides


def order(**overrides: Any) -> Json:
    unit = {
        "reference_id": "cart-77",
        "amount": money("45.00"),
        "payee": {"merchant_id": MERCHANT_ID},
        "shipping": {"name": {"full_name": "Zoë Ünal"}, "address": BUYER["address"]},
        "payments": {"captures": [capture(payee=None)]},
    }
    return {
        "id": "5O190127TN364715T",
        "intent": "CAPTURE",
        "status": "COMPLETED",
        "payer": dict(BUYER),
        "purchase_units": [unit],
        "create_time": "2026-11-23T09:00:00Z",
        "update_time": "2026-11-23T09:07:44Z",
    } | overrides


def dispute(**overrides: Any) -> Json:
    return {
        "dispute_id": "PP-D-27803",
        "create_time": "2026-11-25T09:00:00.000Z",
        "update_time": "2026-11-25T09:00:00.000Z",
        "disputed_transactions": [
            {
                "seller_transaction_id": "42311647XV020574X",
                "invoice_number": "WC-1001",
                "custom": "5001",
                "buyer": {"name": "Zoë Ünal"},
                "seller": {"merchant_id": MERCHANT_ID},
            }
        ],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "OPEN",
        "dispute_amount": money("45.00"),
        "messages": [{"content": "Zoë here"}],
    } | overrides


def event(kind: str, resource: Json, **overrides: Any) -> Json:
    return {
        "id": "WH-58D329510W468432D-8HN650336L201105X",
        "create_time": "2026-11-23T09:07:45.940Z",
        "resource_type": "capture",
        "event_type": kind,
        "summary": "Payment completed for EUR 45.00 EUR",
        "resource": resource,
        "links": [],
        "event_version": "1.0",
        "resource_version": "2.0",
    } | overrides


def encode(body: Json) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def delivery(body: Json, *, account: str = "paypal-eu", test: bool = False) -> Delivery:
    return Delivery(account, "paypal", str(body.get("event_type")), RECEIVED_AT, encode(body), test=test)


def transaction(**overrides: Any) -> Json:
    """One of `GET /v1/reporting/transactions`, as it is told with all its fields."""
    info = {
        "paypal_account_id": BUYER["payer_id"],
        "transaction_id": "42311647XV020574X",
        "transaction_event_code": "T0006",
        "transaction_initiation_date": "2026-11-23T09:07:43+0000",
        "transaction_updated_date": "2026-11-23T09:07:43+0000",
        "transaction_amount": money("45.00"),
        "fee_amount": money("-1.47"),
        "transaction_status": "S",
        "ending_balance": money("1043.53"),
        "invoice_id": "WC-1001",
        "custom_field": "5001",
        "protection_eligibility": "01",
    }
    return {"transaction_info": info | overrides, "payer_info": dict(BUYER)}


HEADINGS = (
    "Transaction ID",
    "Invoice ID",
    "PayPal Reference ID",
    "PayPal Reference ID Type",
    "Transaction Event Code",
    "Transaction Initiation Date",
    "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
    "Fee Currency",
    "Custom Field",
    "Consumer ID",
    "Payment Tracking ID",
    "Store ID",
    "Bank Reference ID",
)


def settled(**overrides: str) -> dict[str, str]:
    """One movement of a settlement report; underscores stand for blanks, letters may be of any size."""
    row = {
        "Transaction ID": "42311647XV020574X",
        "Invoice ID": "WC-1001",
        "Transaction Event Code": "T0006",
        "Transaction Initiation Date": "2026/11/23 09:07:43 +0000",
        "Transaction Completion Date": "2026/11/23 09:07:43 +0000",
        "Transaction Debit or Credit": "CR",
        "Gross Transaction Amount": "4500",
        "Gross Transaction Currency": "EUR",
        "Fee Debit or Credit": "DR",
        "Fee Amount": "147",
        "Fee Currency": "EUR",
        "Custom Field": "5001",
        "Consumer ID": str(BUYER["payer_id"]),
    }
    names = {heading.lower(): heading for heading in HEADINGS}
    return row | {names[name.replace("_", " ").lower()]: value for name, value in overrides.items()}


def settlement(
    *rows: dict[str, str], headings: tuple[str, ...] = HEADINGS, counted: int | None = None, delimiter: str = ","
) -> bytes:
    """A report with one section. `counted`: how many movements it says that there are."""
    count = str(len(rows) if counted is None else counted)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["RH", "2026/11/24 06:38:47 +0000", "A", MERCHANT_ID, "009"])
    writer.writerow(["FH", "01"])
    writer.writerow(["SH", "2026/11/23 00:00:00 +0000", "2026/11/23 23:59:59 +0000", MERCHANT_ID, ""])
    writer.writerow(["CH", *headings])
    writer.writerows([["SB", *(row.get(heading, "") for heading in headings)] for row in rows])
    writer.writerow(["SF", "EUR", "0", "0", "0", "0"])
    writer.writerow(["SC", count])
    writer.writerow(["RF", "EUR", "0", "0", "0", "0"])
    writer.writerow(["RC", count])
    writer.writerow(["FF", count])
    return text.getvalue().encode("utf-8")
