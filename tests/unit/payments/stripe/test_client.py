from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from infra.fakes.stripe import FakeStripe
from shared.finance.models import Fact, LineKind, Payment, PaymentState, Payout, PayoutState, SettlementLine
from shared.kernel.errors import Rejected, Retry
from shared.payments.port import AccountContext
from shared.payments.stripe.client import StripeClient

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def client(answer: Callable[[httpx.Request], httpx.Response], key: str = "sk_made_up") -> StripeClient:
    http = httpx.Client(transport=httpx.MockTransport(answer))
    return StripeClient(AccountContext("stripe-eu"), None, lambda **_: {"secret_key": key}, http, lambda: NOW)


def walk(feed: StripeClient, since: datetime = SINCE, until: datetime = UNTIL) -> list[Fact]:
    facts: list[Fact] = []
    cursor = None
    while True:
        page = feed.settled(since, until, cursor)
        facts += page.facts
        cursor = page.cursor
        if cursor is None:
            return facts


def test_lines_learn_the_automatic_payout_that_they_are_in() -> None:
    fake = FakeStripe()
    for number in range(130):
        fake.charge(1000 + number, "EUR", SINCE + timedelta(minutes=number))
    payout = fake.pay_out("EUR", SINCE + 2 * DAY, arrives=SINCE + 4 * DAY)
    later = fake.charge(7, "EUR", SINCE + 3 * DAY)
    named = {
        fact.line_id: fact.payout_id
        for fact in walk(client(fake))
        if isinstance(fact, SettlementLine) and fact.payout_id
    }
    assert len(named) == 131
    assert set(named.values()) == {payout}
    unpaid = [fact for fact in walk(client(fake)) if isinstance(fact, SettlementLine) and fact.payment_id == later]
    assert [line.payout_id for line in unpaid] == [None]


def test_the_movements_of_a_payout_come_to_its_amount() -> None:
    fake = FakeStripe()
    charged = fake.charge(45_00, "EUR", SINCE + DAY, fee=88)
    fake.refund(charged, 10_00, SINCE + DAY)
    fake.dispute(charged, SINCE + DAY, fee=15_00)
    fake.charge(99_00, "EUR", SINCE + DAY)
    payout_id = fake.pay_out("EUR", SINCE + 2 * DAY, arrives=SINCE + 4 * DAY)
    facts = walk(client(fake))
    lines = {fact.line_id: fact for fact in facts if isinstance(fact, SettlementLine) and fact.payout_id == payout_id}
    payout = next(fact for fact in facts if isinstance(fact, Payout))
    assert sum(line.net for line in lines.values() if line.kind is not LineKind.PAYOUT) == payout.amount
    assert next(line for line in lines.values() if line.kind is LineKind.PAYOUT).net == -payout.amount


def test_a_payout_by_hand_is_not_asked_for_its_movements() -> None:
    fake = FakeStripe()
    fake.charge(45_00, "EUR", SINCE + DAY)
    fake.pay_out("EUR", SINCE + 2 * DAY, arrives=SINCE + 2 * DAY, automatic=False, minor=30_00)
    (payout,) = {fact for fact in walk(client(fake)) if isinstance(fact, Payout)}
    assert (payout.amount, payout.itemised) == (30_00, False)
    assert not any("payout=" in request for request in fake.requests)


def test_a_payout_is_told_again_when_it_arrives() -> None:
    fake = FakeStripe()
    fake.charge(45_00, "EUR", SINCE + DAY)
    payout = fake.pay_out("EUR", SINCE + 2 * DAY, arrives=SINCE + 5 * DAY)
    fake.arrive(payout)
    (told,) = {fact for fact in walk(client(fake), SINCE + 4 * DAY, SINCE + 6 * DAY) if isinstance(fact, Payout)}
    assert (told.payout_id, told.state, told.arrives_on) == (payout, PayoutState.PAID, date(2026, 11, 6))


def test_charges_refunds_and_disputes_come_along_with_their_movements() -> None:
    fake = FakeStripe()
    charged = fake.charge(45_00, "EUR", SINCE + DAY)
    fake.refund(charged, 10_00, SINCE + DAY)
    fake.dispute(charged, SINCE + DAY, status="lost")
    states = {fact.kind: fact.state for fact in walk(client(fake)) if isinstance(fact, Payment)}
    assert list(states.values()).count(PaymentState.SUCCEEDED) == 2
    assert PaymentState.LOST in states.values()


def test_a_checkout_gives_its_charge_with_the_references_of_all() -> None:
    fake = FakeStripe()
    charged = fake.charge(45_00, "EUR", SINCE + DAY, metadata={"order_id": "5001"})
    session = fake.check_out(charged, "cart-77")
    found = client(fake).payment(session)
    assert found is not None
    assert found.payment_id == charged
    assert {"5001", "cart-77", session} < set(found.references)
    by_intent = client(fake).payment(str(fake.shown("charges", charged)["payment_intent"]))
    assert by_intent is not None
    assert by_intent.payment_id == charged


def test_refunds_and_disputes_can_be_looked_up() -> None:
    fake = FakeStripe()
    charged = fake.charge(45_00, "EUR", SINCE + DAY)
    for payment_id in (fake.refund(charged, 10_00, SINCE + DAY), fake.dispute(charged, SINCE + DAY)):
        found = client(fake).payment(payment_id)
        assert found is not None
        assert (found.payment_id, found.parent_id) == (payment_id, charged)
    assert client(fake).payment("cus_1") is None


def test_everything_that_a_test_key_sees_is_a_test() -> None:
    fake = FakeStripe("sk_test_made_up")
    fake.charge(45_00, "EUR", SINCE + DAY)
    facts = walk(client(fake, "sk_test_made_up"))
    assert facts
    assert all(fact.test for fact in facts if isinstance(fact, Payment | SettlementLine))


def test_a_restart_goes_on_from_any_page() -> None:
    fake = FakeStripe()
    for number in range(250):
        fake.charge(1000 + number, "EUR", SINCE + timedelta(minutes=number))
    fake.pay_out("EUR", SINCE + 2 * DAY, arrives=SINCE + 4 * DAY)
    cursor: str | None = None
    found: list[Fact] = []
    for _ in range(50):
        page = client(fake).settled(SINCE, UNTIL, cursor)  # a new client each time
        again = client(fake).settled(SINCE, UNTIL, cursor)
        assert page == again
        found += page.facts
        cursor = page.cursor
        if cursor is None:
            break
    assert cursor is None
    assert len({fact.line_id for fact in found if isinstance(fact, SettlementLine)}) == 251


@pytest.mark.parametrize("error", [httpx.ConnectError("no"), httpx.ReadTimeout("no"), httpx.RemoteProtocolError("no")])
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
        httpx.Response(404, json={"error": {"code": "resource_missing"}}),
    ],
)
def test_an_answer_that_is_none_of_stripes_is_refused(response: httpx.Response) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return response

    with pytest.raises(Rejected, match="payments_refused"):
        client(answer).balances()
    assert asked == ["api.stripe.com"]


def test_the_message_of_an_error_stays_out() -> None:
    told = {"error": {"type": "invalid_request_error", "code": "parameter_invalid", "message": "Zoë Ünal"}}
    with pytest.raises(Rejected) as caught:
        client(lambda _: httpx.Response(400, json=told)).balances()
    assert "parameter_invalid" in caught.value.message
    assert "Zo" not in caught.value.describe()


def test_credentials_without_a_key_are_refused() -> None:
    http = httpx.Client(transport=httpx.MockTransport(FakeStripe()))
    feed = StripeClient(AccountContext("stripe-eu"), None, lambda **_: {}, http, lambda: NOW)
    with pytest.raises(Rejected, match="payments_auth"):
        feed.balances()
