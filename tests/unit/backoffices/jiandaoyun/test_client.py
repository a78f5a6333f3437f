"""What Jiandaoyun's answers mean, what is sent, and how fast."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from infra.fakes.jiandaoyun import LIMITS as DOCUMENTED
from shared.backoffices.jiandaoyun.client import ADDRESS, Condition, JiandaoyunApi, encode
from shared.backoffices.jiandaoyun.pace import LIMITS, Pace
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected, Retry
from tests.contract.backoffices.jiandaoyun_world import MAPPING, credentials, wrap
from tests.unit.backoffices.jiandaoyun.company import Company, Hours


def _api(*answers: httpx.Response) -> tuple[JiandaoyunApi, list[httpx.Request]]:
    requests: list[httpx.Request] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return left.pop(0)

    hours = Hours()
    http = httpx.Client(transport=httpx.MockTransport(answer))
    return JiandaoyunApi(ADDRESS, credentials, http, Pace(hours.now, hours.pause)), requests


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"code": 8303, "msg": "超出请求频率限制"}),
        httpx.Response(429, json={"code": 8304, "msg": "too many"}),
    ],
)
def test_a_limit_that_is_passed_is_kept_later(answer: httpx.Response) -> None:
    api, _ = _api(answer)
    with pytest.raises(Retry) as retry:
        api.page(MAPPING.orders)
    assert retry.value.code == "backoffice_busy"


def test_a_gateway_leaves_a_writes_outcome_unknown() -> None:
    api, _ = _api(httpx.Response(502))
    with pytest.raises(Retry) as retry:
        api.update(MAPPING.orders, "1", {})
    assert retry.value.code == "backoffice_outcome_unknown"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(400, json={"code": 4001, "msg": "数据不存在"}), Refusal.REFUSED),
        (httpx.Response(400, text="<html>"), Refusal.BUG),
        (httpx.Response(500, json={"code": 1, "msg": "?"}), Refusal.BUG),
        (httpx.Response(200, text="<html>"), Refusal.BUG),
        (httpx.Response(200, json=[]), Refusal.BUG),
        (httpx.Response(200, json={"data": [{"name": "no id"}]}), Refusal.BUG),
        (httpx.Response(302, headers={"location": "https://elsewhere.test"}), Refusal.BUG),
    ],
)
def test_an_error_says_who_has_to_act(answer: httpx.Response, code: str) -> None:
    api, _ = _api(answer)
    with pytest.raises(Rejected) as refusal:
        api.page(MAPPING.orders)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"code": 1, "msg": ""}),
        httpx.Response(403),
        httpx.Response(400, json={"code": 8301, "msg": "The API KEY is invalid."}),
        httpx.Response(400, json={"code": 8302, "msg": "没有权限"}),
    ],
)
def test_a_key_that_is_refused_is_read_again_once(answer: httpx.Response) -> None:
    api, requests = _api(answer, answer)
    with pytest.raises(Rejected) as refusal:
        api.page(MAPPING.orders)
    assert refusal.value.code == Refusal.AUTH
    assert len(requests) == 2


def test_a_renewed_key_is_taken_up() -> None:
    company = Company()

    def rotating(*, fresh: bool = False) -> Mapping[str, str]:
        return {"api_key": "an-api-key" if fresh else "the-old-one"}

    hours = company.hours
    http = httpx.Client(transport=httpx.MockTransport(company.fake.answer))
    api = JiandaoyunApi("api.jiandaoyun.com", rotating, http, Pace(hours.now, hours.pause))
    assert len(api.page(MAPPING.products)) == 6


def test_incomplete_credentials_are_named() -> None:
    def none(*, fresh: bool = False) -> Mapping[str, str]:
        return {}

    hours = Hours()
    api = JiandaoyunApi(ADDRESS, none, httpx.Client(), Pace(hours.now, hours.pause))
    with pytest.raises(Rejected, match="api_key"):
        api.page(MAPPING.orders)


def test_amounts_are_numbers_digit_for_digit() -> None:
    sent = {
        "data": {"total": {"value": Decimal("1234567890123.10")}, "name": {"value": '张"三'}, "on": [1, None, True]}
    }
    text = encode(sent).decode()
    assert '"value":1234567890123.10' in text
    assert json.loads(text, parse_float=Decimal) == sent
    assert encode(Decimal("1E+3")) == b"1000"


def test_pages_are_walked_by_the_last_id() -> None:
    company = Company()
    form = company.form(4)
    for number in range(205):
        company.fake.staff_enter(form, wrap(sku=f"S{number}", warehouse="上海仓", on_hand=number))
    company.fake.requests.clear()
    assert MAPPING.stock is not None
    api, _ = _api()
    http = httpx.Client(transport=httpx.MockTransport(company.fake.answer))
    api = JiandaoyunApi(ADDRESS, credentials, http, Pace(company.hours.now, company.hours.pause))
    assert len(list(api.rows(MAPPING.stock))) == 205
    assert company.fake.requests == ["data/list"] * 3
    found = list(api.rows(MAPPING.stock, Condition("sku", ["S7", "S204"])))
    assert [row["sku"] for row in found] == ["S7", "S204"]


def test_a_row_is_created_once_whatever_happens_to_the_answer() -> None:
    company = Company()
    http = httpx.Client(transport=httpx.MockTransport(company.fake.answer))
    api = JiandaoyunApi(ADDRESS, credentials, http, Pace(company.hours.now, company.hours.pause))
    fields = MAPPING.customers
    data = wrap(**{fields.key: "aurora/c/7", fields.name: "张三"})
    first = api.create(fields, fields.key, "aurora/c/7", data)
    assert api.create(fields, fields.key, "aurora/c/7", data)["_id"] == first["_id"]
    assert len(company.form(1).rows) == 1
    company.fake.staff_delete(company.form(1), first)
    with pytest.raises(Retry, match="deleted before"):
        api.create(fields, fields.key, "aurora/c/7", data)


def test_the_pace_is_the_documentations() -> None:
    assert {kind: DOCUMENTED[kind] for kind in LIMITS} == LIMITS


def test_calls_are_spread_over_the_second() -> None:
    hours = Hours()
    pace = Pace(hours.now, hours.pause)
    for _ in range(11):
        pace.wait_for("data/batch_create")
    assert sum(hours.waited) == pytest.approx(1.0)
    pace.wait_for("data/list")
    hours.time = datetime(2026, 11, 24, tzinfo=UTC)
    hours.waited.clear()
    pace.wait_for("data/list")
    assert hours.waited == []


def test_all_calls_together_have_a_limit_too() -> None:
    hours = Hours()
    pace = Pace(hours.now, hours.pause)
    for kind in ("data/list", "data/get", "widget/list", "data/update"):
        pace.wait_for(kind)
    assert sum(hours.waited) == pytest.approx(3 / 50)
