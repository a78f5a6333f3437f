"""What we ask of Alipay, and what we make of its answers."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from infra.fakes.alipay import AlipayFake
from infra.samples import alipay as build
from shared.finance.merging import identity
from shared.finance.models import Fact, LineKind, Payout, ProviderBalance, SettlementLine
from shared.kernel.errors import Rejected, Retry
from shared.payments.alipay.bills import read_bill
from shared.payments.alipay.client import AlipayClient
from shared.payments.port import AccountContext

START = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
"""The 21st begins in China."""


class Time:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


class Keys:
    """Credentials that are changed in the store once the first are refused."""

    def __init__(self, *generations: Mapping[str, str]) -> None:
        self._generations = list(generations)
        self.asked: list[bool] = []

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        self.asked.append(fresh)
        if fresh and len(self._generations) > 1:
            self._generations.pop(0)
        return self._generations[0]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def alipay(time: Time) -> AlipayFake:
    return AlipayFake(time, opening=100_000)


def client(alipay: AlipayFake, time: Time, keys: Keys | None = None) -> AlipayClient:
    http = httpx.Client(transport=httpx.MockTransport(alipay))
    context = AccountContext("alipay-cn", merchant_id=build.APP_ID)
    return AlipayClient(context, "http://alipay.fake", keys or Keys(alipay.credentials), http, time)


def walk(feed: AlipayClient, since: datetime, until: datetime) -> list[Fact]:
    facts: list[Fact] = []
    cursor = None
    for _ in range(40):
        page = feed.settled(since, until, cursor)
        facts.extend(page.facts)
        cursor = page.cursor
        if cursor is None:
            return facts
    raise AssertionError("the walk does not end")


def code_of(feed: AlipayClient) -> str:
    with pytest.raises((Rejected, Retry)) as error:
        feed.payment("T1")
    assert isinstance(error.value, Rejected | Retry)
    return error.value.code


def test_the_walk_goes_day_by_day_and_what_it_tells_comes_to_the_balance(alipay: AlipayFake, time: Time) -> None:
    for number in range(4):
        time.pass_(hours=5)
        trade = alipay.pay(f"A{number}", 3580, fee=21)
        time.pass_(hours=9)
        if number == 2:
            alipay.refund(trade, 580, "R1", fee_back=3)
    alipay.move(-50_000, "提现")
    alipay.move(-25, "收费")
    time.pass_(days=2)
    facts = walk(client(alipay, time), START, time())
    lines = [fact for fact in facts if isinstance(fact, SettlementLine)]
    assert 100_000 + sum(line.net for line in lines) == alipay.balance
    assert sorted(line.kind for line in lines) == sorted(
        [*[LineKind.CAPTURE] * 4, LineKind.REFUND, LineKind.PAYOUT, LineKind.FEE]
    )
    assert [fact.amount for fact in facts if isinstance(fact, Payout)] == [50_000]
    balances = [fact for fact in facts if isinstance(fact, ProviderBalance)]
    assert balances[-1].amount == alipay.balance
    assert {content["bill_date"] for _, content in alipay.calls} == {f"2026-11-{day}" for day in (21, 22, 23)}


def test_what_windows_and_files_both_tell_is_told_alike(alipay: AlipayFake, time: Time) -> None:
    for number in range(6):
        time.pass_(hours=11)
        paid = alipay.pay(f"A{number}", 1000 + number, fee=number)
        alipay.refund(paid, 100, f"R{number}")
    alipay.move(-2_000, "提现")
    time.pass_(days=2)
    context = AccountContext("alipay-cn", merchant_id=build.APP_ID)
    once = walk(client(alipay, time), START, time())
    facts = [*once, *walk(client(alipay, time), START + timedelta(hours=30), time())]
    for kept in alipay.days.values():
        for kind, rows in (("trade", kept.traded), ("flow", kept.moved)):
            bill = build.trade_bill(rows) if kind == "trade" else build.flow_bill(rows)
            facts += read_bill(build.packed_bill(bill), context).facts
    assert len(facts) > 2 * len(once)
    assert len({identity(fact) for fact in facts}) == len(once) == len({fact.model_dump_json() for fact in facts})


def test_the_bills_of_the_days_of_a_window_are_told_whole_and_no_others(alipay: AlipayFake, time: Time) -> None:
    time.pass_(hours=1)
    alipay.pay("A1", 100)
    time.pass_(hours=1)
    alipay.pay("A2", 200)
    time.pass_(days=2)
    feed = client(alipay, time)
    hour = timedelta(hours=1)

    def grosses(since: datetime, until: datetime) -> list[int]:
        return [fact.gross for fact in walk(feed, since, until) if isinstance(fact, SettlementLine)]

    assert grosses(START, START + hour) == grosses(START + 23 * hour, START + 24 * hour) == [100, 200]
    assert grosses(START - 24 * hour, START) == grosses(START + 24 * hour, time()) == []


def test_a_day_whose_bill_is_not_made_yet_is_not_asked_for(alipay: AlipayFake, time: Time) -> None:
    alipay.pay("A1", 100)
    feed = client(alipay, time)
    time.pass_(hours=24 + 9)
    assert walk(feed, START, time()) == []
    assert alipay.calls == []
    assert feed.balances().facts == ()
    assert "2026-11-21" not in {content["bill_date"] for _, content in alipay.calls}
    time.pass_(hours=1)
    assert len(walk(feed, START, time())) == 2
    assert feed.capabilities.lag_hours == 34


def test_the_newest_balance_may_be_some_days_old(alipay: AlipayFake, time: Time) -> None:
    alipay.pay("A1", 100, fee=1)
    time.pass_(days=5)
    (balance,) = client(alipay, time).balances().facts
    assert isinstance(balance, ProviderBalance)
    assert (balance.amount, balance.as_of) == (100_099, START)
    time.pass_(days=31)
    assert client(alipay, time).balances().facts == ()


def test_a_trade_and_its_refund_are_looked_up(alipay: AlipayFake, time: Time) -> None:
    trade = alipay.pay("A1", 3580, body="aurora/5001")
    alipay.refund(trade, 500, "R1")
    alipay.refund(trade, 300, "R2")
    feed = client(alipay, time)
    found = feed.payment(trade.trade_no)
    assert found is not None
    assert (found.amount, found.references, found.occurred_at) == (3580, ("A1", "aurora/5001"), START)
    refund = feed.payment(f"{trade.trade_no}/R2")
    assert refund is not None
    assert (refund.payment_id, refund.parent_id, refund.amount) == (f"{trade.trade_no}/R2", trade.trade_no, 300)
    for absent in ("T404", f"{trade.trade_no}/R9", "no such id", ""):
        assert feed.payment(absent) is None


def test_fresh_credentials_are_read_once(alipay: AlipayFake, time: Time) -> None:
    trade = alipay.pay("A1", 100)
    stale = {**alipay.credentials, "app_id": "2021000000009999"}
    keys = Keys(stale, alipay.credentials)
    assert client(alipay, time, keys).payment(trade.trade_no) is not None
    assert keys.asked == [False, True]
    keys = Keys(stale)
    assert code_of(client(alipay, time, keys)) == "payments_auth"
    assert keys.asked == [False, True]


@pytest.mark.parametrize(
    "change",
    [
        {"private_key": build.keys("stranger").private},
        {"private_key": "no key"},
        {"private_key": build.keys("stranger").public_pem},
        {"alipay_public_key": build.keys("stranger").public},
        {"alipay_public_key": ""},
    ],
)
def test_what_is_wrong_with_the_keys_is_said(alipay: AlipayFake, time: Time, change: dict[str, str]) -> None:
    assert code_of(client(alipay, time, Keys({**alipay.credentials, **change}))) == "payments_auth"


def test_a_missing_credential_is_named(alipay: AlipayFake, time: Time) -> None:
    given = {name: value for name, value in alipay.credentials.items() if name != "private_key"}
    with pytest.raises(Rejected, match="lack private_key"):
        client(alipay, time, Keys(given)).payment("T1")


def test_keys_may_be_pem_and_several_while_they_change(alipay: AlipayFake, time: Time) -> None:
    trade = alipay.pay("A1", 100)
    other = build.keys("stranger")
    for public in (
        f"{other.public_pem}\n{alipay.alipay.public_pem}",
        f"{other.public}\n{alipay.alipay.public}",
        alipay.alipay.public,
    ):
        given = {**alipay.credentials, "private_key": alipay.merchant.private_pem, "alipay_public_key": public}
        assert client(alipay, time, Keys(given)).payment(trade.trade_no) is not None


def test_an_answer_that_was_changed_on_the_way_is_not_believed(alipay: AlipayFake, time: Time) -> None:
    trade = alipay.pay("A1", 100)
    genuine = alipay._answer
    for told, forged in (
        (b'"1.00"', b'"9.00"'),
        (b'"code": "10000"', b'"code":"10000"'),
        (b"TRADE_SUCCESS", b"TRADE_CLOSED!"),
    ):

        def changed(fields: dict[str, str], told: bytes = told, forged: bytes = forged) -> httpx.Response:
            content = genuine(fields).content
            assert told in content
            return httpx.Response(200, content=content.replace(told, forged))

        alipay._answer = changed  # type: ignore[method-assign]
        with pytest.raises(Rejected) as refusal:
            client(alipay, time).payment(trade.trade_no)
        assert (refusal.value.code, refusal.value.field) == ("payments_auth", "alipay_public_key")


def test_that_there_is_nothing_must_be_signed_too(alipay: AlipayFake, time: Time) -> None:
    node = {"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}
    alipay.troubles.append(httpx.Response(200, json={"alipay_trade_query_response": node}))
    assert code_of(client(alipay, time)) == "payments_refused"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(429), "payments_throttled"),
        (httpx.Response(503), "payments_failed"),
        (httpx.ReadTimeout("slow"), "payments_unreachable"),
        (httpx.ConnectError("gone"), "payments_unreachable"),
        (
            httpx.Response(200, json={"error_response": {"code": "20000", "sub_code": "isp.unknow-error"}}),
            "payments_throttled",
        ),
        (
            httpx.Response(200, json={"error_response": {"code": "40004", "sub_code": "isp.app-call-limited"}}),
            "payments_throttled",
        ),
        (
            httpx.Response(200, json={"error_response": {"code": "40001", "sub_code": "isv.missing-method"}}),
            "payments_refused",
        ),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), "payments_refused"),
        (httpx.Response(200, content=b"<html>"), "payments_refused"),
        (httpx.Response(200, content=b"[]"), "payments_refused"),
        (httpx.Response(200, json={"other_response": {}}), "payments_refused"),
    ],
)
def test_every_failure_says_what_to_do_next(
    alipay: AlipayFake, time: Time, answer: httpx.Response | Exception, code: str
) -> None:
    alipay.troubles.append(answer)
    assert code_of(client(alipay, time)) == code


@pytest.mark.parametrize("host", ["http://169.254.169.254", "https://alipay.com.evil.example", "ftp://alipay.com"])
def test_a_bill_is_fetched_from_nowhere_else(alipay: AlipayFake, time: Time, host: str) -> None:
    alipay.pay("A1", 100)
    alipay.bill_host = host
    time.pass_(days=2)
    with pytest.raises(Rejected) as refusal:
        walk(client(alipay, time), START, time())
    assert refusal.value.code == "payments_refused"


def test_a_bill_of_alipays_own_hosts_is_fetched_encrypted(alipay: AlipayFake, time: Time) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return alipay(request)

    alipay.pay("A1", 100)
    alipay.bill_host = "http://dwbillcenter.alipay.com"
    time.pass_(days=2)
    http = httpx.Client(transport=httpx.MockTransport(answer))
    context = AccountContext("alipay-cn")
    feed = AlipayClient(context, "http://alipay.fake", Keys(alipay.credentials), http, time)
    assert len(walk(feed, START, time())) == 2
    assert "https://dwbillcenter.alipay.com/bill?type=trade&date=2026-11-21" in asked


def test_a_bill_with_rows_that_cannot_be_read_is_not_half_taken(alipay: AlipayFake, time: Time) -> None:
    alipay.pay("A1", 100)
    alipay.days[date(2026, 11, 21)].traded[0]["商家实收（元）"] = "1.005"
    time.pass_(days=2)
    with pytest.raises(Rejected, match="unreadable_bill"):
        walk(client(alipay, time), START, time())


def test_a_place_that_is_no_day_is_refused(alipay: AlipayFake, time: Time) -> None:
    with pytest.raises(Rejected, match="payments_refused"):
        client(alipay, time).settled(START, START, "page 2")


def test_signing_leaves_no_secret_in_a_message(alipay: AlipayFake, time: Time) -> None:
    with pytest.raises(Rejected) as refusal:
        client(alipay, time, Keys({**alipay.credentials, "private_key": "very secret"})).payment("T1")
    assert "secret" not in refusal.value.message
