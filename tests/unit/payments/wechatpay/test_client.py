"""What we ask of WeChat Pay, and what we make of its answers."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from infra.fakes.wechatpay import WeChatPayFake
from infra.samples import wechatpay as build
from shared.finance.merging import identity
from shared.finance.models import Fact, LineKind, Payout, ProviderBalance, SettlementLine
from shared.kernel.errors import Rejected, Retry
from shared.payments.port import AccountContext
from shared.payments.wechatpay.bills import read_bill
from shared.payments.wechatpay.client import WeChatPayClient

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
def wechat(time: Time) -> WeChatPayFake:
    return WeChatPayFake(time, opening=100_000)


def client(wechat: WeChatPayFake, time: Time, keys: Keys | None = None) -> WeChatPayClient:
    http = httpx.Client(transport=httpx.MockTransport(wechat))
    context = AccountContext("wechat-cn", merchant_id=build.MERCHANT_ID)
    return WeChatPayClient(context, "http://wechat.fake", keys or Keys(wechat.credentials), http, time)


def walk(feed: WeChatPayClient, since: datetime, until: datetime) -> list[Fact]:
    facts: list[Fact] = []
    cursor = None
    for _ in range(40):
        page = feed.settled(since, until, cursor)
        facts.extend(page.facts)
        cursor = page.cursor
        if cursor is None:
            return facts
    raise AssertionError("the walk does not end")


def code_of(feed: WeChatPayClient) -> str:
    with pytest.raises((Rejected, Retry)) as error:
        feed.payment("42001")
    assert isinstance(error.value, Rejected | Retry)
    return error.value.code


def test_the_walk_goes_day_by_day_and_what_it_tells_comes_to_the_balance(wechat: WeChatPayFake, time: Time) -> None:
    for number in range(4):
        time.pass_(hours=5)
        payment = wechat.pay(f"A{number}", 3580, fee=21)
        time.pass_(hours=9)
        if number == 2:
            wechat.refund(payment, 580, "R1", fee_back=3)
    wechat.move(-50_000, "提现")
    wechat.move(-25, "提现手续费")
    time.pass_(days=2)
    facts = walk(client(wechat, time), START, time())
    lines = [fact for fact in facts if isinstance(fact, SettlementLine)]
    assert 100_000 + sum(line.net for line in lines) == wechat.balance
    assert sorted(line.kind for line in lines) == sorted(
        [*[LineKind.CAPTURE] * 4, LineKind.REFUND, LineKind.PAYOUT, LineKind.FEE]
    )
    assert [fact.amount for fact in facts if isinstance(fact, Payout)] == [50_000]
    balances = [fact for fact in facts if isinstance(fact, ProviderBalance)]
    assert balances[-1].amount == wechat.balance
    asked = {call.rpartition("bill_date=")[2] for call in wechat.calls if "bill_date" in call}
    assert asked == {f"2026-11-{day}" for day in (21, 22, 23)}


def test_what_windows_and_files_both_tell_is_told_alike(wechat: WeChatPayFake, time: Time) -> None:
    for number in range(6):
        time.pass_(hours=11)
        paid = wechat.pay(f"A{number}", 1000 + number, fee=number)
        wechat.refund(paid, 100, f"R{number}")
    wechat.move(-2_000, "提现")
    time.pass_(days=2)
    context = AccountContext("wechat-cn", merchant_id=build.MERCHANT_ID)
    once = walk(client(wechat, time), START, time())
    facts = [*once, *walk(client(wechat, time), START + timedelta(hours=30), time())]
    for kept in wechat.days.values():
        facts += read_bill(build.trade_bill(kept.traded), context).facts
        facts += read_bill(build.flow_bill(kept.moved), context).facts
    assert len(facts) > 2 * len(once)
    assert len({identity(fact) for fact in facts}) == len(once) == len({fact.model_dump_json() for fact in facts})


def test_the_bills_of_the_days_of_a_window_are_told_whole_and_no_others(wechat: WeChatPayFake, time: Time) -> None:
    time.pass_(hours=1)
    wechat.pay("A1", 100)
    time.pass_(hours=1)
    wechat.pay("A2", 200)
    time.pass_(days=2)
    feed = client(wechat, time)
    hour = timedelta(hours=1)

    def grosses(since: datetime, until: datetime) -> list[int]:
        return [fact.gross for fact in walk(feed, since, until) if isinstance(fact, SettlementLine)]

    assert grosses(START, START + hour) == grosses(START + 23 * hour, START + 24 * hour) == [100, 200]
    assert grosses(START - 24 * hour, START) == grosses(START + 24 * hour, time()) == []


def test_a_day_whose_bill_is_not_made_yet_is_not_asked_for(wechat: WeChatPayFake, time: Time) -> None:
    wechat.pay("A1", 100)
    feed = client(wechat, time)
    time.pass_(hours=24 + 9)
    assert walk(feed, START, time()) == []
    assert wechat.calls == []
    time.pass_(hours=1)
    assert len(walk(feed, START, time())) == 2
    assert feed.capabilities.lag_hours == 34


def test_a_bill_that_is_late_is_asked_for_again(wechat: WeChatPayFake, time: Time) -> None:
    wechat.pay("A1", 100)
    time.pass_(days=2)
    wechat.troubles.append(wechat.signed({"code": "STATEMENT_CREATING", "message": "账单生成中"}, 400))
    with pytest.raises(Retry, match="payments_not_ready"):
        walk(client(wechat, time), START, time())


def test_the_newest_balance_may_be_some_days_old(wechat: WeChatPayFake, time: Time) -> None:
    wechat.pay("A1", 100, fee=1)
    time.pass_(days=5)
    (balance,) = client(wechat, time).balances().facts
    assert isinstance(balance, ProviderBalance)
    assert (balance.amount, balance.as_of) == (100_099, START)
    time.pass_(days=31)
    assert client(wechat, time).balances().facts == ()


def test_a_payment_is_looked_up(wechat: WeChatPayFake, time: Time) -> None:
    payment = wechat.pay("A1", 3580, attach="aurora/5001")
    feed = client(wechat, time)
    found = feed.payment(payment.transaction_id)
    assert found is not None
    assert (found.amount, found.references, found.occurred_at) == (3580, ("A1", "aurora/5001"), START)
    for absent in ("42404", "no such id", "", "../../certificates"):
        assert feed.payment(absent) is None


def test_fresh_credentials_are_read_once(wechat: WeChatPayFake, time: Time) -> None:
    payment = wechat.pay("A1", 100)
    stale = {**wechat.credentials, "serial_no": "00"}
    keys = Keys(stale, wechat.credentials)
    assert client(wechat, time, keys).payment(payment.transaction_id) is not None
    assert keys.asked == [False, True]
    keys = Keys(stale)
    assert code_of(client(wechat, time, keys)) == "payments_auth"
    assert keys.asked == [False, True]


@pytest.mark.parametrize(
    "change",
    [
        {"private_key": build.keys("stranger").private},
        {"private_key": "very secret"},
        {"platform_keys": f"{build.keys('wechat').serial} {build.keys('stranger').certificate}"},
        {"platform_keys": ""},
    ],
)
def test_what_is_wrong_with_the_keys_is_said(wechat: WeChatPayFake, time: Time, change: dict[str, str]) -> None:
    with pytest.raises(Rejected) as refusal:
        client(wechat, time, Keys({**wechat.credentials, **change})).payment("42001")
    assert refusal.value.code == "payments_auth"
    assert "very secret" not in str(refusal.value)


def test_a_missing_credential_is_named(wechat: WeChatPayFake, time: Time) -> None:
    given = {name: value for name, value in wechat.credentials.items() if name != "serial_no"}
    with pytest.raises(Rejected, match="lack serial_no"):
        client(wechat, time, Keys(given)).payment("42001")


def test_without_a_merchant_nothing_can_be_asked(wechat: WeChatPayFake, time: Time) -> None:
    with pytest.raises(Rejected, match="bad_configuration"):
        WeChatPayClient(AccountContext("wechat-cn"), None, Keys(wechat.credentials), httpx.Client(), time)


def test_an_answer_that_was_changed_replayed_or_not_signed_is_not_believed(wechat: WeChatPayFake, time: Time) -> None:
    payment = wechat.pay("A1", 100)
    genuine = wechat._payment(payment.transaction_id)
    forged = genuine.content.replace(b'"total":100', b'"total":900')
    unsigned = {"content-type": "application/json"}
    time.pass_(minutes=6)
    for answer in (
        httpx.Response(200, content=genuine.content, headers=genuine.headers),
        httpx.Response(200, content=forged, headers=wechat._payment(payment.transaction_id).headers),
        httpx.Response(200, content=genuine.content, headers=unsigned),
        httpx.Response(404, json={"code": "ORDER_NOT_EXIST"}),
    ):
        wechat.troubles.extend([answer, answer])
        with pytest.raises(Rejected) as refusal:
            client(wechat, time).payment(payment.transaction_id)
        assert (refusal.value.code, refusal.value.field) == ("payments_auth", "platform_keys")
        wechat.troubles.clear()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(429), "payments_throttled"),
        (httpx.Response(503), "payments_failed"),
        (httpx.ReadTimeout("slow"), "payments_unreachable"),
        (httpx.ConnectError("gone"), "payments_unreachable"),
    ],
)
def test_every_failure_says_what_to_do_next(
    wechat: WeChatPayFake, time: Time, answer: httpx.Response | Exception, code: str
) -> None:
    wechat.troubles.append(answer)
    assert code_of(client(wechat, time)) == code


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": "PARAM_ERROR"}, 400, "payments_refused"),
        ({"code": "SYSTEM_ERROR"}, 400, "payments_not_ready"),
        ({}, 404, "payments_refused"),
    ],
)
def test_a_signed_refusal_says_why(
    wechat: WeChatPayFake, time: Time, body: dict[str, str], status: int, code: str
) -> None:
    wechat.troubles.append(wechat.signed(body, status))
    assert code_of(client(wechat, time)) == code


def test_a_damaged_bill_is_fetched_again_later(wechat: WeChatPayFake, time: Time) -> None:
    wechat.pay("A1", 100)
    time.pass_(days=2)
    wechat.damages = True
    with pytest.raises(Retry, match="payments_damaged"):
        walk(client(wechat, time), START, time())


@pytest.mark.parametrize(
    "host", ["http://169.254.169.254", "http://api.mch.weixin.qq.com", "https://api.mch.weixin.qq.com.evil.example"]
)
def test_our_signature_goes_nowhere_else(wechat: WeChatPayFake, time: Time, host: str) -> None:
    wechat.pay("A1", 100)
    wechat.bill_host = host
    time.pass_(days=2)
    with pytest.raises(Rejected, match="payments_refused"):
        walk(client(wechat, time), START, time())
    assert not [call for call in wechat.calls if "billdownload" in call]


def test_a_bill_with_rows_that_cannot_be_read_is_not_half_taken(wechat: WeChatPayFake, time: Time) -> None:
    wechat.pay("A1", 100)
    wechat.days[date(2026, 11, 21)].traded[0]["应结订单金额"] = "1.005"
    time.pass_(days=2)
    with pytest.raises(Rejected, match="unreadable_bill"):
        walk(client(wechat, time), START, time())
