"""What every payment provider's client promises, held against what it can be run against here."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest

from shared.finance.merging import identity
from shared.finance.models import Fact, LineKind, Payment, PaymentKind, ProviderBalance, SettlementLine
from shared.kernel.errors import Rejected, Retry
from shared.payments.port import PaymentFeed
from tests.contract.payments.providers import PERSONAL, PROVIDERS, Provider, provider

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(params=PROVIDERS)
def at(request: pytest.FixtureRequest) -> Provider:
    return provider(request.param)


def pages(feed: PaymentFeed, since: datetime = SINCE, until: datetime = UNTIL) -> Iterator[tuple[Fact, ...]]:
    cursor = None
    for _ in range(500):
        page = feed.settled(since, until, cursor)
        yield page.facts
        if page.cursor is None:
            return
        cursor = page.cursor
    raise AssertionError("the walk does not come to its end")


def lines(feed: PaymentFeed, since: datetime = SINCE, until: datetime = UNTIL) -> dict[str, SettlementLine]:
    return {
        line.line_id: line for facts in pages(feed, since, until) for line in facts if isinstance(line, SettlementLine)
    }


def captures(feed: PaymentFeed) -> list[SettlementLine]:
    return sorted(
        (line for line in lines(feed).values() if line.kind is LineKind.CAPTURE), key=lambda line: line.occurred_at
    )


def test_every_movement_is_told_with_its_charge_and_the_order_that_it_names(at: Provider) -> None:
    currency = at.currencies[0]
    first = at.take(45_00, currency, SINCE + DAY, order="5001", fee=88)
    refund = at.give_back(first, 10_00, SINCE + 2 * DAY)
    found = list(lines(at.feed()).values())
    capture = next(line for line in found if line.kind is LineKind.CAPTURE)
    back = next(line for line in found if line.kind is LineKind.REFUND)
    assert (capture.account, capture.payment_id, capture.currency) == (at.account, first, currency)
    assert (capture.gross, capture.fee, capture.net) == (45_00, 88, 44_12)
    assert "5001" in capture.references
    assert (back.payment_id, back.source_id, back.gross) == (first, refund, -10_00)
    assert not capture.test


def test_a_walk_tells_all_of_a_window_and_nothing_of_another(at: Provider) -> None:
    currency = at.currencies[0]
    for number in range(230):
        at.take(100 + number, currency, SINCE + timedelta(hours=number + 1), order=f"{number}")
    at.take(99_00, currency, SINCE - DAY, order="before")
    at.take(99_00, currency, UNTIL + DAY, order="after")
    assert sorted(line.gross for line in captures(at.feed())) == list(range(100, 330))


def test_pages_may_be_read_again(at: Provider) -> None:
    at.take(45_00, at.currencies[0], SINCE + DAY, order="5001")
    feed = at.feed()
    first, again = list(pages(feed)), list(pages(at.feed()))
    assert [{identity(fact) for fact in facts} for facts in first] == [
        {identity(fact) for fact in facts} for facts in again
    ]
    assert lines(feed) == lines(at.feed())


def test_overlapping_windows_tell_the_same_of_what_they_share(at: Provider) -> None:
    for day in range(1, 13):
        at.take(1000 + day, at.currencies[0], SINCE + day * DAY, order=f"{day}")
    whole = lines(at.feed())
    parts = lines(at.feed(), SINCE, SINCE + 8 * DAY) | lines(at.feed(), SINCE + 5 * DAY, UNTIL)
    assert parts == whole


@pytest.mark.parametrize(("currency", "minor"), [("EUR", 12_34), ("JPY", 23_600), ("KWD", 5_120), ("CNY", 9_99)])
def test_money_is_exact_in_every_currency(at: Provider, currency: str, minor: int) -> None:
    if currency not in at.currencies:
        pytest.skip(f"not a currency of this account: {currency}")
    payment_id = at.take(minor, currency, SINCE + DAY, order="5001")
    (line,) = captures(at.feed())
    assert (line.gross, line.net, line.currency) == (minor, minor, currency)
    if at.feed().capabilities.looks_up:
        payment = at.feed().payment(payment_id)
        assert payment is not None
        assert (payment.amount, payment.currency) == (minor, currency)


def test_a_movement_of_an_unknown_category_is_told_with_the_providers_word(at: Provider) -> None:
    if at.unknown_category is None:
        pytest.skip("this provider's data has no word for it")
    at.move(at.unknown_category, -7_00, at.currencies[0], SINCE + DAY)
    (line,) = lines(at.feed()).values()
    assert (line.kind, line.category, line.net) == (LineKind.UNKNOWN, at.unknown_category, -7_00)


def test_a_charge_can_be_looked_up_and_so_can_one_that_is_not_there(at: Provider) -> None:
    feed = at.feed()
    if not feed.capabilities.looks_up:
        pytest.skip("this provider cannot be asked for one payment")
    payment_id = at.take(45_00, at.currencies[0], SINCE + DAY, order="5001")
    payment = feed.payment(payment_id)
    assert payment is not None
    assert (payment.payment_id, payment.kind, payment.amount) == (payment_id, PaymentKind.CAPTURE, 45_00)
    assert "5001" in payment.references
    assert feed.payment("ch_nobodys") is None
    assert feed.payment("../balance") is None


def test_the_balance_is_what_the_provider_holds(at: Provider) -> None:
    if not at.feed().capabilities.tells_balance:
        pytest.skip("this provider tells no balance")
    charged = at.take(45_00, at.currencies[0], SINCE + DAY, order="5001", fee=88)
    at.give_back(charged, 10_00, SINCE + 2 * DAY)
    told = [fact for fact in at.feed().balances().facts if isinstance(fact, ProviderBalance)]
    assert {fact.currency: fact.amount for fact in told} == dict(at.held())


def test_nothing_personal_is_in_any_fact(at: Provider) -> None:
    charged = at.take(45_00, at.currencies[0], SINCE + DAY, order="5001")
    at.give_back(charged, 10_00, SINCE + 2 * DAY)
    feed = at.feed()
    facts: list[Fact] = [fact for page in pages(feed) for fact in page]
    if feed.capabilities.looks_up:
        facts += [fact for fact in (feed.payment(charged),) if isinstance(fact, Payment)]
    text = "".join(fact.model_dump_json() for fact in facts)
    assert len(facts) >= 2
    assert [word for word in PERSONAL if word in text] == []


def test_changed_credentials_are_read_once_and_taken(at: Provider) -> None:
    at.take(45_00, at.currencies[0], SINCE + DAY, order="5001")
    feed = at.feed()
    at.change_key()
    assert len(lines(feed)) == 1
    assert at.keys.read_anew == 1


def test_refused_credentials_are_final_after_they_were_read_once(at: Provider) -> None:
    feed = at.feed()
    at.lock_out()
    with pytest.raises(Rejected) as caught:
        feed.settled(SINCE, UNTIL, None)
    assert caught.value.code == "payments_auth"
    assert at.keys.read_anew == 1


@pytest.mark.parametrize(
    "status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE]
)
def test_a_provider_that_is_busy_or_fails_is_asked_again_later(at: Provider, status: HTTPStatus) -> None:
    at.take(45_00, at.currencies[0], SINCE + DAY, order="5001")
    feed = at.feed()
    at.answer_next(status)
    with pytest.raises(Retry):
        feed.settled(SINCE, UNTIL, None)
    assert len(lines(feed)) == 1


def test_a_refusal_is_final(at: Provider) -> None:
    feed = at.feed()
    at.answer_next(HTTPStatus.BAD_REQUEST)
    with pytest.raises(Rejected) as caught:
        feed.settled(SINCE, UNTIL, None)
    assert caught.value.code == "payments_refused"


def test_a_place_to_go_on_from_that_is_not_its_own_is_refused(at: Provider) -> None:
    with pytest.raises(Rejected) as caught:
        at.feed().settled(SINCE, UNTIL, "nonsense&limit=1")
    assert caught.value.code == "payments_refused"
