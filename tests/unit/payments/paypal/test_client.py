from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from infra.fakes.paypal import CLIENT_ID, CLIENT_SECRET, FakePayPal
from infra.samples import paypal
from shared.finance.models import Fact, Payment, PaymentKind, PaymentState, Payout, SettlementLine
from shared.kernel.errors import Rejected, Retry
from shared.payments.paypal.client import PayPalClient
from shared.payments.port import AccountContext

APP = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SINCE, UNTIL = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def client(
    answer: Callable[[httpx.Request], httpx.Response],
    clock: Clock | None = None,
    address: str | None = None,
) -> PayPalClient:
    http = httpx.Client(transport=httpx.MockTransport(answer))
    return PayPalClient(AccountContext("paypal-eu"), address, lambda **_: APP, http, clock or Clock())


def walk(feed: PayPalClient, since: datetime = SINCE, until: datetime = UNTIL) -> list[Fact]:
    facts: list[Fact] = []
    cursor = None
    while True:
        page = feed.settled(since, until, cursor)
        facts += page.facts
        cursor = page.cursor
        if cursor is None:
            return facts


def ids(facts: list[Fact]) -> set[str]:
    return {fact.line_id for fact in facts if isinstance(fact, SettlementLine)}


def test_a_long_window_is_searched_in_parts_without_gaps() -> None:
    fake = FakePayPal(Clock())
    moments = [SINCE + timedelta(hours=hours) for hours in range(0, 24 * 111, 12)]
    moments += [SINCE + number * timedelta(days=31) - timedelta(seconds=number) for number in (1, 2, 3)]
    for number, at in enumerate(moments):
        fake.pay(1000 + number, "EUR", at)
    assert len(ids(walk(client(fake)))) == len(moments)
    for request in fake.requests:
        asked = parse_qs(urlsplit(request).query)
        length = datetime.fromisoformat(asked["end_date"][0]) - datetime.fromisoformat(asked["start_date"][0])
        assert length <= timedelta(days=31)


def test_only_what_the_transaction_itself_says_is_asked_for() -> None:
    fake = FakePayPal(Clock())
    fake.pay(1000, "EUR", SINCE)
    walk(client(fake), SINCE, SINCE + DAY)
    assert all("fields=transaction_info" in request for request in fake.requests)


def test_a_search_with_too_many_rows_is_halved_until_it_fits() -> None:
    fake = FakePayPal(Clock())
    fake.most_rows = 40
    for number in range(300):
        fake.pay(1000 + number, "EUR", SINCE + timedelta(hours=number))
    assert len(ids(walk(client(fake)))) == 300


def test_too_many_rows_within_a_minute_are_refused_in_the_end() -> None:
    fake = FakePayPal(Clock())
    fake.most_rows = 1
    for number in range(3):
        fake.pay(1000 + number, "EUR", SINCE)
    with pytest.raises(Rejected, match="payments_refused"):
        walk(client(fake))


def test_a_restart_goes_on_from_any_page() -> None:
    fake = FakePayPal(Clock())
    for number in range(1_200):
        fake.pay(1000 + number, "EUR", SINCE + timedelta(minutes=number))
    cursor: str | None = None
    found: list[Fact] = []
    for _ in range(20):
        page = client(fake).settled(SINCE, UNTIL, cursor)  # a new client each time
        found += page.facts
        cursor = page.cursor
        if cursor is None:
            break
    assert cursor is None
    assert len(ids(found)) == 1_200


def test_what_was_denied_has_not_moved() -> None:
    fake = FakePayPal(Clock())
    fake.move("T0006", 1000, "EUR", SINCE, transaction_status="D")
    fake.move("T1300", 1000, "EUR", SINCE)
    fake.move("T0006", 2000, "EUR", SINCE, transaction_status="V")
    assert [fact.gross for fact in walk(client(fake)) if isinstance(fact, SettlementLine)] == [2000]


def test_a_token_is_kept_until_it_ends() -> None:
    clock = Clock()
    fake = FakePayPal(clock)
    feed = client(fake, clock)
    feed.balances()
    feed.balances()
    assert fake.tokens_granted == 1
    clock.now += timedelta(hours=9)
    feed.balances()
    assert fake.tokens_granted == 2


def test_a_token_that_is_refused_early_is_replaced_once() -> None:
    fake = FakePayPal(Clock())
    feed = client(fake)
    feed.balances()
    fake.forget_tokens()
    feed.balances()
    assert fake.tokens_granted == 2


@pytest.mark.parametrize(("begins", "passes"), [(NOW - timedelta(hours=2), True), (NOW - 3 * DAY, False)])
def test_a_search_of_what_is_too_recent_is_put_again_later(begins: datetime, *, passes: bool) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "A21AA-1", "expires_in": 32400})
        return httpx.Response(400, json={"name": "INVALID_REQUEST"})

    with pytest.raises(Retry if passes else Rejected):
        client(answer).settled(begins, NOW, None)


def test_a_right_that_is_not_granted_is_final() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "A21AA-1", "expires_in": 32400})
        return httpx.Response(403, json={"name": "NOT_AUTHORIZED", "message": "Zoë"})

    with pytest.raises(Rejected, match="payments_auth") as caught:
        client(answer).balances()
    assert "NOT_AUTHORIZED" in caught.value.message
    assert "Zo" not in caught.value.describe()


def test_refunds_authorisations_and_disputes_can_be_looked_up() -> None:
    fake = FakePayPal(Clock())
    captured = fake.pay(45_00, "EUR", SINCE)
    refund = client(fake).payment(fake.give_back(captured, 10_00, SINCE))
    assert refund is not None
    assert (refund.kind, refund.parent_id, refund.amount) == (PaymentKind.REFUND, captured, 10_00)
    lost = {"status": "RESOLVED", "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"}}
    dispute = client(fake).payment(fake.dispute(captured, SINCE, **lost))
    assert dispute is not None
    assert (dispute.kind, dispute.state, dispute.parent_id) == (PaymentKind.DISPUTE, PaymentState.LOST, captured)
    assert client(fake).payment("PP-D-0") is None
    assert client(fake).payment("a/b") is None


def test_everything_in_the_sandbox_is_a_test() -> None:
    fake = FakePayPal(Clock())
    fake.pay(45_00, "EUR", SINCE)
    fake.move("T0400", -45_00, "EUR", SINCE)
    feed = client(fake, address="https://api-m.sandbox.paypal.com")
    facts = walk(feed)
    assert facts
    assert all(fact.test for fact in facts if isinstance(fact, Payment | SettlementLine))
    assert not [fact for fact in facts if isinstance(fact, Payout)]
    assert feed.balances().facts == ()


@pytest.mark.parametrize("error", [httpx.ConnectError("no"), httpx.ReadTimeout("no")])
def test_a_broken_connection_is_tried_again(error: httpx.HTTPError) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(Retry, match="payments_unreachable"):
        client(broken).balances()


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(302, headers={"location": "https://elsewhere.example/"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"access_token": "x"}),
        httpx.Response(400, json={"error": "unsupported_grant_type"}),
    ],
)
def test_an_answer_that_is_none_of_paypals_is_refused(response: httpx.Response) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return response

    with pytest.raises(Rejected, match="payments_refused"):
        client(answer).balances()
    assert asked == ["api-m.paypal.com"]


def test_credentials_that_lack_something_are_refused() -> None:
    http = httpx.Client(transport=httpx.MockTransport(FakePayPal(Clock())))
    feed = PayPalClient(AccountContext("paypal-eu"), None, lambda **_: {"client_id": "x"}, http, Clock())
    with pytest.raises(Rejected, match="payments_auth"):
        feed.balances()


def test_the_samples_tell_of_buyers_so_that_forgetting_them_means_something() -> None:
    assert "Zoë" in str(paypal.transaction())


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/oauth2/token", b'{"access_token": "t\\n", "expires_in": 300}'),
        ("/v1/oauth2/token", '{"access_token": "té", "expires_in": 300}'.encode()),
        ("/v1/reporting/transactions", b"{}"),
        ("/v1/reporting/transactions", b'{"status": "maintenance"}'),
    ],
)
def test_an_answer_that_tells_nothing_is_no_empty_list(path: str, content: bytes) -> None:
    """Taken for one, its window would count as read."""
    fake = FakePayPal(Clock())

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=content) if request.url.path == path else fake(request)

    with pytest.raises(Rejected, match="payments_refused"):
        client(answer).settled(UNTIL - DAY, UNTIL, None)


def test_a_token_that_never_ends_is_asked_for_again_all_the_same() -> None:
    asked: list[str] = []
    fake = FakePayPal(Clock())

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path.endswith("/token"):
            token = fake(request).json() | {"expires_in": 10**20}
            return httpx.Response(200, json=token)
        return fake(request)

    clock = Clock()
    feed = client(answer, clock)
    feed.balances()
    clock.now += 2 * DAY
    feed.balances()
    assert asked.count("/v1/oauth2/token") == 2
