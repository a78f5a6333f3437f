"""Receiving a webhook: what is refused leaves no trace, and a secret may be rotated at any time."""

import json
from collections.abc import Callable, Sequence

import pytest

from infra.samples import shopify, woocommerce
from shared.kernel.errors import Retry, StorebridgeError
from shared.platform.kept import Kept
from shared.storefronts.shopify.signature import authenticate as authenticate_shopify
from shared.storefronts.woocommerce.signature import authenticate as authenticate_woocommerce
from shared.webhooks.delivery import MAX_BODY_BYTES, Delivery
from shared.webhooks.ingress import Authenticated, Ingress, Ping, WebhookRequest
from shared.webhooks.reception import Endpoint, Reception, receive
from shared.wiring import webhooks
from tests.unit.platform.clocks import VirtualClock

NOW = "2026-11-23T09:02:11.000000000Z"
ENDPOINTS = {
    "aurora": Endpoint("aurora", "shopify", shopify.ADDRESS),
    "borealis": Endpoint("borealis", "woocommerce", woocommerce.ADDRESS),
}
INGRESSES: dict[str, Ingress] = {"shopify": authenticate_shopify, "woocommerce": authenticate_woocommerce}
BODY = json.dumps({"id": 5001, "email": "eve@example.test"}).encode()
FRIENDLY: dict[str, Callable[[bytes], WebhookRequest]] = {
    "aurora": shopify.signed_request,
    "borealis": woocommerce.request,
}
"""By shop: the request with which it would deliver these bytes."""


class SecretStore:
    """The store behind the shelf: counts how often it is read."""

    def __init__(self) -> None:
        self.secrets: dict[str, Sequence[str]] = {"aurora": [shopify.SECRET], "borealis": [woocommerce.SECRET]}
        self.reads = 0

    def read(self) -> dict[str, Sequence[str]]:
        self.reads += 1
        return dict(self.secrets)


class Counter:
    """One webhook function: its queue, its cached secrets, its clock."""

    def __init__(self) -> None:
        self.queue: list[Delivery] = []
        self.store = SecretStore()
        self.clock = VirtualClock()
        self._kept = Kept(self.store.read, self.clock)
        self.reception = Reception(
            endpoints=ENDPOINTS.get,
            ingress=INGRESSES.__getitem__,
            secrets=self._secrets,
            enqueue=self.queue.append,
            now=lambda: NOW,
        )

    def _secrets(self, shop: str, *, fresh: bool = False) -> Sequence[str]:
        return self._kept.get(fresh=fresh).get(shop, ())

    def refusal_of(self, shop: str, request: WebhookRequest) -> str:
        """The code that the request is refused with; nothing was queued."""
        with pytest.raises(StorebridgeError) as caught:
            receive(shop, request, self.reception)
        assert self.queue == []
        assert "eve@example.test" not in caught.value.describe()
        return caught.value.code


@pytest.fixture
def counter() -> Counter:
    return Counter()


def with_headers(request: WebhookRequest, **changes: str | None) -> WebhookRequest:
    """Headers by their names with underscores; None leaves one out."""
    given = {name.replace("_", "-"): value for name, value in changes.items()}
    kept = {name: value for name, value in request.headers.items() if name not in given}
    return request._replace(headers=kept | {name: value for name, value in given.items() if value is not None})


def test_a_signed_delivery_is_queued_as_it_came(counter: Counter) -> None:
    received = receive("aurora", shopify.signed_request(BODY), counter.reception)
    assert counter.queue == [received]
    assert received == Delivery(
        shop="aurora",
        platform="shopify",
        topic="orders/updated",
        received_at=NOW,
        body=BODY,
        delivery_id="8a95126f-859a-4db9-b8f1-350e299e9ea0",
        triggered_at=shopify.TRIGGERED_AT,
        api_version="2026-10",
    )


def test_a_delivery_is_not_taken_before_the_queue_has_it(counter: Counter) -> None:
    def refuse(_delivery: Delivery) -> None:
        raise Retry("aws_unreachable", "SendMessage")

    with pytest.raises(Retry):
        receive("aurora", shopify.signed_request(BODY), counter.reception._replace(enqueue=refuse))


@pytest.mark.parametrize("shop", FRIENDLY)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (BODY[:-1], "invalid_json"),
        (b'{"total": NaN}', "invalid_json"),
        (b'{"total": -Infinity}', "invalid_json"),
        (b'{"id": 1, "id": 2}', "invalid_json"),
        (b'{"id": "\xff"}', "invalid_json"),
        (b'{"note": "\\ud800"}', "invalid_json"),
        (b"[]", "invalid_json"),
        (b'[{"id": 1}]', "invalid_json"),
        (b"12", "invalid_json"),
        (b"null", "invalid_json"),
        (b"[" * 100_000 + b"]" * 100_000, "json_too_deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "json_too_deep"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else value,
)
def test_a_body_that_is_signed_but_no_order_is_refused(counter: Counter, shop: str, body: bytes, code: str) -> None:
    assert counter.refusal_of(shop, FRIENDLY[shop](body)) == code


@pytest.mark.parametrize("shop", FRIENDLY)
def test_the_largest_body_is_taken_and_no_larger_one(counter: Counter, shop: str) -> None:
    largest = b'{"note":"' + b"x" * (MAX_BODY_BYTES - 11) + b'"}'
    assert len(largest) == MAX_BODY_BYTES
    assert counter.refusal_of(shop, FRIENDLY[shop](largest + b" ")) == "body_too_large"
    assert counter.store.reads == 0
    receive(shop, FRIENDLY[shop](largest), counter.reception)
    assert len(counter.queue) == 1


def test_an_unknown_shop_is_refused_before_any_secret_is_read(counter: Counter) -> None:
    assert counter.refusal_of("nobody", shopify.signed_request(BODY)) == "unknown_shop"
    assert counter.store.reads == 0


@pytest.mark.parametrize("shop", FRIENDLY)
def test_any_changed_byte_of_a_signed_body_is_refused(counter: Counter, shop: str) -> None:
    genuine = FRIENDLY[shop](BODY)
    for place in range(len(BODY)):
        forged = bytearray(BODY)
        forged[place] ^= 1
        assert counter.refusal_of(shop, genuine._replace(body=bytes(forged))) == "unauthorised"


@pytest.mark.parametrize("shop", FRIENDLY)
def test_a_truncated_body_is_refused(counter: Counter, shop: str) -> None:
    genuine = FRIENDLY[shop](BODY)
    for length in range(len(BODY)):
        assert counter.refusal_of(shop, genuine._replace(body=BODY[:length])) == "unauthorised"


@pytest.mark.parametrize(
    ("shop", "header", "values"),
    [
        ("aurora", "x_shopify_hmac_sha256", (None, "", "A", "====", "é", "AAAA" * 11, shopify.SECRET)),
        ("borealis", "x_wc_webhook_signature", (None, "", "A", "====", "é", "AAAA" * 11, woocommerce.SECRET)),
    ],
)
def test_no_signature_but_the_right_one_will_do(
    counter: Counter, shop: str, header: str, values: tuple[str | None, ...]
) -> None:
    for value in values:
        assert counter.refusal_of(shop, with_headers(FRIENDLY[shop](BODY), **{header: value})) == "unauthorised"


def test_one_shops_secret_opens_no_other_shop(counter: Counter) -> None:
    forged = shopify.signed_request(BODY, secret=woocommerce.SECRET)
    assert counter.refusal_of("aurora", forged) == "unauthorised"


@pytest.mark.parametrize(
    ("shop", "changes", "code"),
    [
        ("aurora", {"x_shopify_shop_domain": "evil.myshopify.com"}, "wrong_shop"),
        ("aurora", {"x_shopify_shop_domain": None}, "wrong_shop"),
        ("aurora", {"x_shopify_topic": "products/update"}, "unsupported_topic"),
        ("aurora", {"content_type": "text/xml"}, "unsupported_media_type"),
        ("aurora", {"content_type": None}, "unsupported_media_type"),
        ("borealis", {"x_wc_webhook_source": "https://evil.example/"}, "wrong_shop"),
        ("borealis", {"x_wc_webhook_source": None}, "wrong_shop"),
        ("borealis", {"x_wc_webhook_topic": "action.anything"}, "unsupported_topic"),
        ("borealis", {"content_type": "application/x-www-form-urlencoded"}, "unsupported_media_type"),
    ],
)
def test_a_genuine_body_with_other_headers_is_refused(
    counter: Counter, shop: str, changes: dict[str, str | None], code: str
) -> None:
    """Headers are not signed: a replayed body must not get into another shop, or in as another thing."""
    assert counter.refusal_of(shop, with_headers(FRIENDLY[shop](BODY), **changes)) == code


def test_a_replay_with_a_later_trigger_time_changes_the_hint_and_not_the_body(counter: Counter) -> None:
    replayed = with_headers(
        shopify.signed_request(BODY), x_shopify_triggered_at="2036-01-01T00:00:00Z", x_shopify_webhook_id="other"
    )
    receive("aurora", replayed, counter.reception)
    assert counter.queue[0].body == BODY
    assert counter.queue[0].received_at == NOW


@pytest.mark.parametrize("shop", FRIENDLY)
def test_a_rotated_secret_is_picked_up_by_one_fresh_read(counter: Counter, shop: str) -> None:
    receive(shop, FRIENDLY[shop](BODY), counter.reception)
    counter.store.secrets[shop] = ["rotated"]
    counter.clock.pass_(11)
    signed_anew = {
        "aurora": shopify.signed_request(BODY, secret="rotated"),
        "borealis": woocommerce.request(BODY, secret="rotated"),
    }[shop]
    for _ in range(3):
        receive(shop, signed_anew, counter.reception)
    assert len(counter.queue) == 4
    assert counter.store.reads == 2


def test_while_a_secret_is_rotated_the_old_one_still_signs(counter: Counter) -> None:
    counter.store.secrets["aurora"] = ["rotated", shopify.SECRET]
    for secret in ("rotated", shopify.SECRET):
        receive("aurora", shopify.signed_request(BODY, secret=secret), counter.reception)
    assert len(counter.queue) == 2


def test_a_revoked_secret_is_refused_once_it_is_known(counter: Counter) -> None:
    receive("aurora", shopify.signed_request(BODY), counter.reception)
    counter.store.secrets["aurora"] = ["rotated"]
    counter.clock.pass_(301)
    counter.queue.clear()
    assert counter.refusal_of("aurora", shopify.signed_request(BODY)) == "unauthorised"


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nothing_is_taken(counter: Counter, secrets: Sequence[str]) -> None:
    counter.store.secrets["aurora"] = secrets
    code = counter.refusal_of("aurora", shopify.signed_request(BODY, secret=""))
    assert code == ("unauthorised" if secrets else "no_secret")


def test_a_flood_of_forgeries_reads_the_secret_store_at_most_every_ten_seconds(counter: Counter) -> None:
    forged = shopify.signed_request(BODY, secret="guess")
    for _ in range(1000):
        counter.clock.pass_(0.1)
        assert counter.refusal_of("aurora", forged) == "unauthorised"
    assert 2 <= counter.store.reads <= 10


def test_a_ping_is_answered_and_queues_nothing(counter: Counter) -> None:
    assert isinstance(receive("borealis", woocommerce.ping(), counter.reception), Ping)
    assert counter.queue == []


@pytest.mark.parametrize(
    "disguised",
    [
        woocommerce.ping()._replace(body=BODY),
        woocommerce.ping()._replace(body=b"webhook_id=1&x=2"),
        with_headers(woocommerce.ping(), x_wc_webhook_topic="order.updated"),
        with_headers(woocommerce.ping(), content_type="application/json"),
    ],
)
def test_what_only_looks_like_a_ping_is_refused(counter: Counter, disguised: WebhookRequest) -> None:
    assert counter.refusal_of("borealis", disguised) == "unauthorised"


def test_a_ping_opens_no_shop_of_another_vendor(counter: Counter) -> None:
    assert counter.refusal_of("aurora", woocommerce.ping()) == "unauthorised"


def test_a_refusal_for_another_reason_reads_no_secret_again(counter: Counter) -> None:
    receive("aurora", shopify.signed_request(BODY), counter.reception)
    counter.queue.clear()
    counter.clock.pass_(60)
    wrong = shopify.signed_request(BODY, address="evil.myshopify.com")
    assert counter.refusal_of("aurora", wrong) == "wrong_shop"
    assert counter.store.reads == 1


def test_a_platform_that_nobody_knows_is_our_fault_and_not_the_shops(counter: Counter) -> None:
    """A 503, so that the storefront sends it again once the settings are mended."""
    endpoint = Endpoint("aurora", "magento", shopify.ADDRESS)
    broken = counter.reception._replace(endpoints=lambda _shop: endpoint, ingress=webhooks._of_orders)
    with pytest.raises(Retry, match="bad_configuration"):
        receive("aurora", shopify.signed_request(BODY), broken)
    assert counter.queue == []


def test_the_vendor_says_what_is_authentic(counter: Counter) -> None:
    def generous(request: WebhookRequest, *, secrets: Sequence[str], shop_address: str) -> Authenticated:
        assert (list(secrets), shop_address) == ([shopify.SECRET], shopify.ADDRESS)
        return Authenticated(topic="orders/paid", test=True)

    receive("aurora", WebhookRequest({}, b"{}"), counter.reception._replace(ingress=lambda _platform: generous))
    assert (counter.queue[0].topic, counter.queue[0].test) == ("orders/paid", True)
