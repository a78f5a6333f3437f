import ast
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import paypal
from shared.kernel.errors import Rejected, Retry
from shared.payments.paypal import signature
from shared.payments.paypal.signature import Certificates
from shared.webhooks.ingress import Authenticated, WebhookRequest

BODY = paypal.encode(paypal.event("PAYMENT.CAPTURE.COMPLETED", paypal.capture()))
NOW = paypal.SENT + timedelta(seconds=2)


class Shelf:
    """Where certificates are fetched from; it counts."""

    def __init__(self, pem: bytes | None = None) -> None:
        self.pem = paypal.signer().pem if pem is None else pem
        self.asked: list[tuple[str, str]] = []

    def __call__(self, host: str, path: str) -> bytes:
        self.asked.append((host, path))
        return self.pem


def accept(
    request: WebhookRequest,
    *secrets: str,
    at: datetime = NOW,
    merchant: str = "",
    certificates: Certificates | None = None,
) -> Authenticated:
    found = signature.authenticate(
        request,
        secrets=secrets or (paypal.WEBHOOK_ID,),
        shop_address=merchant,
        now=at.timestamp,
        certificates=certificates or Certificates(Shelf()),
    )
    assert isinstance(found, Authenticated)
    return found


def refusal(
    request: WebhookRequest,
    *secrets: str,
    at: datetime = NOW,
    merchant: str = "",
    certificates: Certificates | None = None,
) -> str:
    with pytest.raises(Rejected) as caught:
        accept(request, *secrets, at=at, merchant=merchant, certificates=certificates)
    return caught.value.code


def with_headers(request: WebhookRequest, **headers: str) -> WebhookRequest:
    renamed = {f"paypal-{name.replace('_', '-')}": value for name, value in headers.items()}
    return WebhookRequest({**request.headers, **renamed}, request.body)


def test_an_event_is_accepted_with_what_its_body_says() -> None:
    assert accept(paypal.signed_request(BODY)) == Authenticated(
        topic="PAYMENT.CAPTURE.COMPLETED",
        delivery_id="WH-58D329510W468432D-8HN650336L201105X",
        triggered_at="2026-11-23T09:07:45.940Z",
        api_version="2.0",
        test=False,
        well_formed=True,
    )


def test_what_is_signed_is_the_text_that_paypal_documents() -> None:
    # python -c 'import zlib; print(zlib.crc32(b"{}"))' gives 2745614147
    assert signature._signed("T-1", "2026-11-23T09:07:46Z", "WEBHOOK", b"{}") == (
        b"T-1|2026-11-23T09:07:46Z|WEBHOOK|2745614147"
    )


def test_every_flipped_byte_of_the_body_is_refused() -> None:
    request, certificates = paypal.signed_request(BODY), Certificates(Shelf())
    for index in range(len(BODY)):
        forged = bytearray(BODY)
        forged[index] ^= 1
        refused = refusal(WebhookRequest(request.headers, bytes(forged)), certificates=certificates)
        assert refused == "unauthorised"


def test_every_flipped_byte_of_the_signature_is_refused() -> None:
    request, certificates = paypal.signed_request(BODY), Certificates(Shelf())
    given_signature = b64decode(request.headers["paypal-transmission-sig"])
    for index in range(len(given_signature)):
        forged = bytearray(given_signature)
        forged[index] ^= 1
        altered = with_headers(request, transmission_sig=b64encode(forged).decode())
        assert refusal(altered, certificates=certificates) == "unauthorised"


@pytest.mark.parametrize(
    "headers",
    [
        {"transmission_id": "689abcf0-ba1e-11ed-8635-fb7d730e54d4"},
        {"transmission_id": ""},
        {"transmission_id": "689abcf0|2026"},
        {"transmission_time": "2026-11-23T09:07:45Z"},
        {"transmission_time": "2026-11-23T09:07:46+00:00"},
        {"transmission_time": "2026-11-23T09:07:46Z, 2026-11-23T09:07:46Z"},
        {"transmission_time": "2026-13-41T09:07:46Z"},
        {"transmission_time": "٢٠٢٦-11-23T09:07:46Z"},
        {"auth_algo": "SHA1withRSA"},
        {"auth_algo": ""},
        {"transmission_sig": ""},
        {"transmission_sig": "é"},
        {"transmission_sig": "===="},
        {"transmission_sig": "A" * 1_404},
        {"transmission_sig": "QUJD, QUJD"},
    ],
)
def test_altered_headers_are_refused(headers: dict[str, str]) -> None:
    assert refusal(with_headers(paypal.signed_request(BODY), **headers)) == "unauthorised"


def test_a_missing_header_is_refused() -> None:
    request = paypal.signed_request(BODY)
    for name in [name for name in request.headers if name.startswith("paypal-") and name != "paypal-auth-version"]:
        less = {key: value for key, value in request.headers.items() if key != name}
        assert refusal(WebhookRequest(less, BODY)) == "unauthorised"


def test_any_of_our_webhooks_may_be_meant_and_no_other() -> None:
    request = paypal.signed_request(BODY)
    assert accept(request, "OTHER", paypal.WEBHOOK_ID).topic == "PAYMENT.CAPTURE.COMPLETED"
    assert refusal(request, "OTHER") == "unauthorised"


def test_without_a_webhook_id_nothing_is_accepted_or_fetched() -> None:
    shelf = Shelf()
    assert refusal(paypal.signed_request(BODY, webhook_id=""), "", certificates=Certificates(shelf)) == "unauthorised"
    assert shelf.asked == []


@pytest.mark.parametrize(("late", "ok"), [(-301, False), (-299, True), (0, True), (3 * 86_400, True)])
def test_what_comes_late_is_accepted_and_what_comes_from_the_future_is_not(late: int, *, ok: bool) -> None:
    request, at = paypal.signed_request(BODY), paypal.SENT + timedelta(seconds=late)
    if ok:
        accept(request, at=at)
    else:
        assert refusal(request, at=at) == "unauthorised"


STRANGE_URLS = [
    "",
    "http://api.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
    "https://evilpaypal.com/v1/notifications/certs/CERT-1",
    "https://paypal.com/v1/notifications/certs/CERT-1",
    "https://evil-paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
    "https://user:pw@api.paypal.com/v1/notifications/certs/CERT-1",
    "https://evil.example/v1/notifications/certs/CERT-1?host=api.paypal.com",
    "https://evil.example#api.paypal.com/v1/notifications/certs/CERT-1",
    "https://evil.example\\.paypal.com/v1/notifications/certs/CERT-1",
    "https://evil.example/.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
    "https://api.paypal.com:443@evil.example/v1/notifications/certs/CERT-1",
    "https://api.paypal.com/v1/notifications/certs/../../../x",
    "https://api.paypal.com/v1/notifications/certs/%2e%2e/x",
    "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
    "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
    "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
    "https://api.paypal.com/v1/notifications/certs/CERT-1\r\nhost: evil.example",
    "https://api.paypal.com/v1/notifications/certs/",
    "https://api.paypal.com/redirect?to=/v1/notifications/certs/CERT-1",
    "https://api.paypal.com./v1/notifications/certs/CERT-1",
    "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
    "https://ápi.paypal.com/v1/notifications/certs/CERT-1",
    "https://api。paypal.com/v1/notifications/certs/CERT-1",
    "https://-.paypal.com/v1/notifications/certs/CERT-1",
    "https://127.0.0.1/v1/notifications/certs/CERT-1",
    "https://169.254.169.254/v1/notifications/certs/CERT-1",
    "https://[::1]/v1/notifications/certs/CERT-1",
    "file:///v1/notifications/certs/CERT-1",
    "//api.paypal.com/v1/notifications/certs/CERT-1",
    "https://a.b.c.d.e.f.paypal.com/v1/notifications/certs/CERT-1",
    "https://forgotten-campaign.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.a.b.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com/v1/notifications/certs/" + "A" * 201,
]


@pytest.mark.parametrize("url", STRANGE_URLS)
def test_nothing_is_fetched_from_anywhere_but_paypals_place_for_certificates(url: str) -> None:
    shelf = Shelf()
    certificates = Certificates(shelf)
    assert refusal(with_headers(paypal.signed_request(BODY), cert_url=url), certificates=certificates) == "unauthorised"
    with pytest.raises(Rejected, match="unauthorised"):
        certificates.key_of(url, NOW.timestamp())
    assert shelf.asked == []


@given(st.text(alphabet="htps:/.@#?\\apilycomev-1x%\n", max_size=80))
def test_whatever_is_fetched_is_on_a_host_of_paypals(text: str) -> None:
    shelf = Shelf(b"")
    for url in (text, f"https://{text}.paypal.com/v1/notifications/certs/CERT-1", f"https://api.paypal.com{text}"):
        with pytest.raises(Rejected, match="unauthorised"):
            Certificates(shelf).key_of(url, NOW.timestamp())
    for host, path in shelf.asked:
        assert host.endswith(".paypal.com")
        assert set(host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        assert path.startswith("/v1/notifications/certs/")
        assert "." not in path


@pytest.mark.parametrize(
    "url",
    [
        paypal.CERTIFICATE_URL,
        paypal.SANDBOX_CERTIFICATE_URL,
        "https://api-m.paypal.com:443/v1/notifications/certs/CERT-1",
    ],
)
def test_paypals_own_hosts_are_asked(url: str) -> None:
    shelf = Shelf()
    accept(paypal.signed_request(BODY, certificate_url=url), certificates=Certificates(shelf))
    ((host, path),) = shelf.asked
    assert url.replace(":443", "") == f"https://{host}{path}"


def test_events_of_the_sandbox_are_tests() -> None:
    assert accept(paypal.signed_request(BODY, certificate_url=paypal.SANDBOX_CERTIFICATE_URL)).test


def test_a_certificate_is_fetched_once() -> None:
    shelf = Shelf()
    certificates = Certificates(shelf)
    for _ in range(3):
        accept(paypal.signed_request(BODY), certificates=certificates)
    assert len(shelf.asked) == 1


def test_only_so_many_certificates_are_kept() -> None:
    certificates = Certificates(Shelf())
    for number in range(40):
        certificates.key_of(f"{paypal.CERTIFICATE_URL}{number}", NOW.timestamp())
    assert len(certificates._known) == 16


def test_a_certificate_that_ran_out_is_fetched_anew() -> None:
    old = paypal.signer(until=datetime(2026, 11, 24, tzinfo=UTC))
    shelf = Shelf(old.pem)
    certificates = Certificates(shelf)
    accept(paypal.signed_request(BODY, by=old), certificates=certificates)
    later = datetime(2026, 11, 25, tzinfo=UTC)
    assert refusal(paypal.signed_request(BODY, by=old), at=later, certificates=certificates) == "unauthorised"
    shelf.pem = paypal.signer().pem
    accept(paypal.signed_request(BODY), at=later, certificates=certificates)
    assert len(shelf.asked) == 3


@pytest.mark.parametrize(
    "name",
    [
        "messageverificationcerts.paypal.com.evil.example",
        "evil.messageverificationcerts.paypal.com",
        "messageverificationcerts-paypal.com",
        "www.paypal.com",
    ],
)
def test_a_certificate_in_another_name_is_refused(name: str) -> None:
    other = paypal.signer(name)
    certificates = Certificates(Shelf(other.pem))
    assert refusal(paypal.signed_request(BODY, by=other), certificates=certificates) == "unauthorised"


def test_a_certificate_that_somebody_made_alone_is_refused() -> None:
    alone = paypal.signer(self_signed=True)
    assert refusal(paypal.signed_request(BODY, by=alone), certificates=Certificates(Shelf(alone.pem))) == "unauthorised"


def test_a_certificate_of_the_future_or_the_past_is_refused() -> None:
    for at in (datetime(2025, 12, 31, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)):
        sent = (at - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert refusal(paypal.signed_request(BODY, sent_at=sent), at=at) == "unauthorised"


def test_a_small_key_is_refused() -> None:
    small = paypal.signer(bits=1024)
    assert refusal(paypal.signed_request(BODY, by=small), certificates=Certificates(Shelf(small.pem))) == "unauthorised"


def test_a_chain_must_hold_together() -> None:
    broken = paypal.signer().pem + paypal.signer(self_signed=True).pem
    assert refusal(paypal.signed_request(BODY), certificates=Certificates(Shelf(broken))) == "unauthorised"


@pytest.mark.parametrize("pem", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused_and_not_kept(pem: bytes) -> None:
    shelf = Shelf(pem)
    certificates = Certificates(shelf)
    assert refusal(paypal.signed_request(BODY), certificates=certificates) == "unauthorised"
    shelf.pem = paypal.signer().pem
    accept(paypal.signed_request(BODY), certificates=certificates)


def test_more_bytes_than_a_certificate_has_are_refused() -> None:
    huge = paypal.signer().pem + b"\n" * 65_536
    assert refusal(paypal.signed_request(BODY), certificates=Certificates(Shelf(huge))) == "unauthorised"


def test_another_keys_signature_is_refused() -> None:
    other = paypal.signer("messageverificationcerts.sandbox.paypal.com")
    assert refusal(paypal.signed_request(BODY, by=other)) == "unauthorised"


def test_a_certificate_that_cannot_be_had_is_asked_for_again_later() -> None:
    def unreachable(host: str, path: str) -> bytes:
        raise Retry("certificate_unreachable", f"{host}{path}")

    with pytest.raises(Retry, match="certificate_unreachable"):
        accept(paypal.signed_request(BODY), certificates=Certificates(unreachable))


def test_an_event_about_another_merchants_money_is_refused() -> None:
    assert accept(paypal.signed_request(BODY), merchant=paypal.MERCHANT_ID).topic
    assert refusal(paypal.signed_request(BODY), merchant="ANOTHER") == "wrong_account"
    order = paypal.encode(paypal.event("CHECKOUT.ORDER.COMPLETED", paypal.order()))
    assert refusal(paypal.signed_request(order), merchant="ANOTHER") == "wrong_account"


@pytest.mark.parametrize("kind", [None, 7, "", "payment.capture", "PAYMENT CAPTURE", "X" * 101, "A..B"])
def test_a_type_that_cannot_be_paypals_is_refused(kind: object) -> None:
    body = paypal.encode(paypal.event("X", paypal.capture(), event_type=kind))
    assert refusal(paypal.signed_request(body)) == "unsupported_topic"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff"])
def test_a_signed_body_that_is_no_object_is_refused(body: bytes) -> None:
    assert refusal(paypal.signed_request(body)) == "invalid_json"


def test_another_media_type_is_refused_after_the_signature_held() -> None:
    headers = {**paypal.signed_request(BODY).headers, "content-type": "text/plain"}
    assert refusal(WebhookRequest(headers, BODY)) == "unsupported_media_type"


def test_a_key_of_another_kind_is_refused() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, paypal.SUBJECT)])
    elliptic = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")]))
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(paypal.signer().key, SHA256())
    )
    shelf = Shelf(elliptic.public_bytes(Encoding.PEM))
    assert refusal(paypal.signed_request(BODY), certificates=Certificates(shelf)) == "unauthorised"
    assert len(shelf.asked) == 1


def test_it_loads_nothing_but_the_standard_library_and_light_rooms_at_import() -> None:
    tree = ast.parse(Path(signature.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert not [name for name in imported if name and name.startswith("cryptography")]
    assert {name for name in imported if name and name.startswith("shared")} == {
        "shared.kernel",
        "shared.kernel.clock",
        "shared.kernel.errors",
        "shared.webhooks.ingress",
    }
