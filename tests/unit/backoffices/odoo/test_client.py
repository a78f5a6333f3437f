"""What Odoo's answers mean over both transports, and what never gets out of them."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from shared.backoffices.odoo.client import Json2, JsonRpc, OdooApi
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected, Retry, StorebridgeError

_Answers = Callable[..., tuple[OdooApi, list[httpx.Request]]]


class _Keys:
    """Credentials of which the first is stale."""

    def __init__(self) -> None:
        self.read: list[bool] = []

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        self.read.append(fresh)
        return {"api_key": "new" if fresh else "old", "user": "storebridge"}


def _api(*answers: httpx.Response | Exception, keys: _Keys | None = None) -> tuple[OdooApi, list[httpx.Request]]:
    http, requests = _http(answers)
    return OdooApi(Json2("https://odoo.example.test/", "erp", keys or _Keys(), http)), requests


def _rpc(*answers: httpx.Response | Exception, keys: _Keys | None = None) -> tuple[OdooApi, list[httpx.Request]]:
    http, requests = _http(answers)
    return OdooApi(JsonRpc("https://odoo.example.test", "erp", keys or _Keys(), http)), requests


def _http(answers: tuple[httpx.Response | Exception, ...]) -> tuple[httpx.Client, list[httpx.Request]]:
    requests: list[httpx.Request] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        following = left.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    return httpx.Client(transport=httpx.MockTransport(answer)), requests


def _error(name: str, status: int, message: str = "No.") -> httpx.Response:
    debug = 'Traceback (most recent call last):\n  File "/odoo/http.py"'
    return httpx.Response(status, json={"name": name, "message": message, "arguments": [message], "debug": debug})


def _rpc_error(name: str, message: str = "No.") -> httpx.Response:
    data = {"name": name, "message": message, "debug": "Traceback (most recent call last):"}
    return httpx.Response(
        200, json={"jsonrpc": "2.0", "error": {"code": 200, "message": "Odoo Server Error", "data": data}}
    )


def _result(value: Any) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "result": value})


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("odoo.exceptions.UserError", 422, Refusal.REFUSED),
        ("odoo.exceptions.ValidationError", 422, Refusal.REFUSED),
        ("odoo.exceptions.RedirectWarning", 422, Refusal.REFUSED),
        ("odoo.exceptions.AccessError", 403, Refusal.AUTH),
        ("werkzeug.exceptions.Unauthorized", 401, Refusal.AUTH),
        ("werkzeug.exceptions.UnprocessableEntity", 422, Refusal.BUG),
        ("werkzeug.exceptions.NotFound", 404, Refusal.BUG),
        ("builtins.ValueError", 500, Refusal.BUG),
        ("psycopg2.errors.SerializationFailure", 500, "backoffice_busy"),
        ("psycopg2.errors.LockNotAvailable", 500, "backoffice_busy"),
        ("psycopg2.OperationalError", 500, "backoffice_unreachable"),
    ],
)
def test_an_error_says_who_has_to_act(name: str, status: int, code: str) -> None:
    api, _ = _api(_error(name, status), _error(name, status))
    with pytest.raises(StorebridgeError) as error:
        api.call("sale.order", "action_confirm", [1])
    assert error.value.code == code
    rpc, _ = _rpc(_result(7), _rpc_error(name))
    with pytest.raises(StorebridgeError) as error:
        rpc.call("sale.order", "action_confirm", [1])
    assert error.value.code == code
    assert "Traceback" not in str(error.value)


def test_a_refusal_is_in_odoos_own_words() -> None:
    api, _ = _api(_error("odoo.exceptions.UserError", 422, "You cannot cancel\na locked order."))
    with pytest.raises(Rejected, match="You cannot cancel a locked order"):
        api.call("sale.order", "action_cancel", [1])


def test_a_key_that_was_renewed_is_read_again_once() -> None:
    keys = _Keys()
    api, requests = _api(_error("werkzeug.exceptions.Unauthorized", 401), httpx.Response(200, json=True), keys=keys)
    assert api.call("sale.order", "action_confirm", [1]) is True
    assert [request.headers["authorization"] for request in requests] == ["bearer old", "bearer new"]
    assert requests[0].headers["x-odoo-database"] == "erp"
    assert keys.read == [False, True]


def test_over_json_rpc_a_renewed_key_signs_in_again_once() -> None:
    denied = _rpc_error("odoo.exceptions.AccessDenied")
    api, requests = _rpc(_result(7), denied, _result(8), _result(value=True))
    assert api.call("sale.order", "action_confirm", [1], context={}) is True
    assert b'"execute_kw"' in requests[3].content
    assert b'["erp",8,"new","sale.order","action_confirm",[[1]],{"context":{}}]' in requests[3].content
    api, requests = _rpc(_result(value=False), _result(value=False))
    with pytest.raises(Rejected) as refusal:
        api.call("sale.order", "action_confirm", [1])
    assert refusal.value.code == Refusal.AUTH
    assert len(requests) == 2


def test_over_json_rpc_new_records_go_by_position() -> None:
    api, requests = _rpc(_result(7), _result([3]))
    api.call("stock.quant", "create", vals_list=[{"product_id": 1}], context={"inventory_mode": True})
    assert b'[[{"product_id":1}]],{"context":{"inventory_mode":true}}' in requests[1].content


@pytest.mark.parametrize(
    ("method", "code"), [("action_confirm", "backoffice_outcome_unknown"), ("read", "backoffice_unreachable")]
)
def test_what_became_of_a_write_may_be_unknown(method: str, code: str) -> None:
    failures = (
        httpx.Response(500, text="<h1>Internal Server Error</h1>"),
        httpx.ReadTimeout("late"),
        httpx.Response(502),
    )
    for failure in failures:
        api, _ = _api(failure)
        with pytest.raises(Retry) as retry:
            api.call("sale.order", method, [1])
        assert retry.value.code == code


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<h1>Not Found</h1>"),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(303, headers={"location": "/web/login"}),
    ],
)
def test_what_is_no_answer_of_odoo_is_our_fault_to_mend(answer: httpx.Response) -> None:
    api, _ = _api(answer)
    with pytest.raises(Rejected) as refusal:
        api.rows("sale.order", [], ["name"])
    assert refusal.value.code == Refusal.BUG


def test_credentials_that_lack_the_key_are_named() -> None:
    http, _ = _http(())
    api = OdooApi(Json2("odoo.example.test", "erp", lambda **_: {}, http))
    with pytest.raises(Rejected, match="api_key"):
        api.call("res.users", "context_get")


def _unloaded(message: str, field: str | None = None) -> httpx.Response:
    told = {"type": "error", "record": 0, "message": message, **({"field": field} if field else {})}
    return httpx.Response(200, json={"ids": False, "messages": [told], "nextrow": 0})


def test_a_load_is_judged_by_its_ids() -> None:
    api, requests = _api(httpx.Response(200, json={"ids": [17], "messages": [], "nextrow": 0}))
    lines = [{"id": "storebridge.l1", "name": "Mug"}, {"id": "storebridge.l2", "name": "Cap"}]
    assert api.load("sale.order", {"id": "storebridge.s", "origin": "aurora/1"}, "order_line", lines) == 17
    assert b'"fields":["id","origin","order_line/id","order_line/name"]' in requests[0].content
    assert b'"data":[["storebridge.s","aurora/1","storebridge.l1","Mug"],["","","storebridge.l2","Cap"]]' in (
        requests[0].content
    )


def test_somebody_else_at_the_same_order_passes() -> None:
    api, _ = _api(_unloaded("could not serialize access due to concurrent update"))
    with pytest.raises(Retry) as retry:
        api.load("sale.order", {"id": "storebridge.s"})
    assert retry.value.code == "backoffice_busy"


def test_what_odoo_says_of_a_customer_is_not_repeated() -> None:
    api, _ = _api(_unloaded("Invalid e-mail 'ada@example.test' of Ada Lovelace", "email"))
    with pytest.raises(Rejected) as refusal:
        api.load("res.partner", {"id": "storebridge.c"})
    assert "email" in refusal.value.message
    assert "Ada" not in str(refusal.value)
    assert "example.test" not in str(refusal.value)


def test_an_external_id_that_is_not_there_is_none() -> None:
    api, _ = _api(_error("builtins.ValueError", 500, "External ID not found"))
    assert api.reference("storebridge.sale-x") is None
    api, _ = _api(httpx.Response(200, json=["sale.order", False]))
    assert api.reference("storebridge.sale-x") is None
    api, _ = _api(httpx.Response(200, json=["sale.order", 5]))
    assert api.reference("storebridge.sale-x") == 5


def test_the_version_is_asked_for_once() -> None:
    api, requests = _api(httpx.Response(200, json={"version": "19.0"}))
    assert (api.version, api.version) == ("19.0", "19.0")
    assert len(requests) == 1
    api, _ = _api(httpx.Response(404, text="Not Found"))
    with pytest.raises(Rejected, match="before 19 needs JSON-RPC"):
        _ = api.version
