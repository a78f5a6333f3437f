"""How Tryton is called, and what its answers ask of whom. What the real one cannot be made to say is said here."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.backoffices.port import Refusal
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.wire import parsed, written
from shared.kernel.errors import Rejected, Retry

READ = "model.sale.sale.read"
WRITE = "model.sale.sale.write"

Answer = httpx.Response | Exception
"""What comes back; an exception is raised in its place."""


class Passwords:
    """Credentials that are changed in the store once the first are refused."""

    def __init__(self, *generations: str) -> None:
        self._generations = list(generations) or ["one"]
        self.asked: list[bool] = []

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        self.asked.append(fresh)
        if fresh and len(self._generations) > 1:
            self._generations.pop(0)
        return {"user": "storebridge", "password": self._generations[0]}


class Tryton:
    """Answers each method from a list, the last one again and again, and remembers what it was asked."""

    def __init__(self, **answers: list[Answer]) -> None:
        self._answers: dict[str, list[Answer]] = {"login": [result([7, "token-1", None]), result([7, "token-2", None])]}
        self._answers |= {"get_preferences": [result({"company": 1, "language": "en"})], **answers}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        queue = self._answers[body(request)["method"].rpartition(".")[2]]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def methods(self) -> list[str]:
        return [body(request)["method"].rpartition(".")[2] for request in self.requests]


def body(request: httpx.Request) -> dict[str, Any]:
    found = json.loads(request.content)
    assert isinstance(found, dict)
    return found


def result(value: object) -> httpx.Response:
    return httpx.Response(200, json={"id": 1, "result": value})


def error(*arguments: object) -> httpx.Response:
    return httpx.Response(200, json={"id": 1, "error": list(arguments)})


def api(tryton: Tryton, passwords: Passwords | None = None, address: str = "https://erp.example/") -> TrytonApi:
    http = httpx.Client(transport=httpx.MockTransport(tryton))
    return TrytonApi(address, "books", passwords or Passwords(), http)


def rejection(method: str = READ, **answers: list[Answer]) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        api(Tryton(**answers)).call(method, [1])
    return refusal.value


# ---- sessions --------------------------------------------------------------------------------------------------------


def test_a_call_carries_the_session_and_the_users_preferences() -> None:
    tryton = Tryton(read=[result([])])
    api(tryton).call(READ, [1], ["state"], context={"locations": [3]})
    call = tryton.requests[-1]
    assert str(call.url) == "https://erp.example/books/rpc/"
    session = base64.b64decode(call.headers["authorization"].removeprefix("Session ")).decode()
    assert session == "storebridge:7:token-1"
    assert body(call) == {
        "id": 1,
        "method": READ,
        "params": [[1], ["state"], {"company": 1, "language": "en", "locations": [3]}],
    }


def test_the_session_and_the_preferences_are_kept() -> None:
    tryton = Tryton(read=[result([])])
    office = api(tryton)
    office.call(READ, [1])
    office.call(READ, [1])
    assert tryton.methods == ["login", "get_preferences", "read", "read"]


def test_an_address_without_a_scheme_is_spoken_to_over_tls() -> None:
    tryton = Tryton(read=[result([])])
    api(tryton, address="erp.example:8000").call(READ, [1])
    assert str(tryton.requests[0].url) == "https://erp.example:8000/books/rpc/"


def test_a_session_that_is_over_is_begun_again_once() -> None:
    tryton = Tryton(read=[httpx.Response(401), result([5])])
    passwords = Passwords()
    assert api(tryton, passwords).call(READ, [1]) == [5]
    assert tryton.methods == ["login", "get_preferences", "read", "login", "read"]
    assert "token-2" in base64.b64decode(tryton.requests[-1].headers["authorization"].partition(" ")[2]).decode()
    assert True not in passwords.asked


def test_a_tryton_that_ends_every_session_refuses_access() -> None:
    assert rejection(read=[httpx.Response(401)]).code == Refusal.AUTH


def test_a_password_that_was_changed_is_read_again_once() -> None:
    tryton = Tryton(login=[httpx.Response(401), result([7, "token", None])], read=[result([])])
    passwords = Passwords("old", "new")
    api(tryton, passwords).call(READ, [1])
    assert [body(request)["params"][1]["password"] for request in tryton.requests[:2]] == ["old", "new"]
    assert passwords.asked.count(True) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(401), id="a wrong password"),
        pytest.param(error("LoginException", ["sms", "Code", "char"]), id="a second factor"),
    ],
)
def test_a_login_that_fails_is_for_the_engineer(answer: httpx.Response) -> None:
    refusal = rejection(login=[answer])
    assert refusal.code == Refusal.AUTH
    assert "one" not in refusal.describe().split()


def test_credentials_that_lack_a_part_are_named() -> None:
    tryton = Tryton()
    http = httpx.Client(transport=httpx.MockTransport(tryton))
    with pytest.raises(Rejected) as refusal:
        TrytonApi("erp.example", "books", lambda **_: {"user": "storebridge"}, http).call(READ, [1])
    assert refusal.value.code == Refusal.AUTH
    assert "password" in refusal.value.message


def test_a_user_without_a_company_is_named() -> None:
    with pytest.raises(Rejected) as refusal:
        _ = api(Tryton(get_preferences=[result({"company": None})])).company
    assert refusal.value.code == Refusal.AUTH


# ---- failures on the way ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "answer", "code"),
    [
        pytest.param(READ, httpx.ConnectError("x"), "backoffice_unreachable", id="nobody there"),
        pytest.param(READ, httpx.ReadTimeout("x"), "backoffice_unreachable", id="a read that takes too long"),
        pytest.param(WRITE, httpx.ReadTimeout("x"), "backoffice_outcome_unknown", id="a write that takes too long"),
        pytest.param(WRITE, httpx.Response(504), "backoffice_outcome_unknown", id="Tryton's own limit of time"),
        pytest.param(WRITE, httpx.Response(429), "backoffice_busy", id="throttled"),
        pytest.param(WRITE, error("ConcurrencyException", "Records were modified"), "backoffice_busy", id="changed"),
        pytest.param(WRITE, error("database is locked", ""), "backoffice_busy", id="SQLite's lock"),
        pytest.param(WRITE, error("could not serialize access", ""), "backoffice_busy", id="PostgreSQL's lock"),
    ],
)
def test_what_passes_is_tried_again_later(method: str, answer: Answer, code: str) -> None:
    name = method.rpartition(".")[2]
    with pytest.raises(Retry) as failure:
        api(Tryton(**{name: [answer]})).call(method, [1])
    assert failure.value.code == code


def test_a_login_that_is_throttled_is_tried_again_later() -> None:
    with pytest.raises(Retry) as failure:
        api(Tryton(login=[httpx.Response(429)])).call(READ, [1])
    assert failure.value.code == "backoffice_busy"


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(error("UserError", ["A rule", "", None]), Refusal.REFUSED, id="a rule of the business"),
        pytest.param(
            error("UserError", ['You are not allowed to access "Sale".', "", None]), Refusal.AUTH, id="rights"
        ),
        pytest.param(error("'nmae'", "Traceback …"), Refusal.BUG, id="a fault of ours"),
        pytest.param(httpx.Response(403), Refusal.BUG, id="a method that is not exposed"),
        pytest.param(httpx.Response(404), Refusal.BUG, id="another database"),
        pytest.param(httpx.Response(422), Refusal.BUG, id="wrong arguments"),
        pytest.param(httpx.Response(302, headers={"location": "/"}), Refusal.BUG, id="a redirect"),
        pytest.param(httpx.Response(200, text="<html>"), Refusal.BUG, id="a page"),
        pytest.param(httpx.Response(200, json=[]), Refusal.BUG, id="something else"),
        pytest.param(httpx.Response(200, json={"id": 1}), Refusal.BUG, id="neither result nor error"),
    ],
)
def test_a_refusal_says_who_has_to_act(answer: httpx.Response, code: str) -> None:
    refusal = rejection(read=[answer])
    assert refusal.code == code
    assert "Traceback" not in refusal.describe()


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('The party "Ada Lovelace" has no address.', 'The party "…" has no address.'),
        (
            'The phone number "020 1234" for party "Ada" is not valid.',
            'The phone number "…" for party "…" is not valid.',
        ),
        ('Sale "12 [aurora/5001]" has no line.', 'Sale "12 [aurora/5001]" has no line.'),
        ('A value is required for field "Payment Term" in "[aurora/1]".', None),
    ],
)
def test_a_message_tells_staff_of_documents_and_nobody_of_people(message: str, told: str | None) -> None:
    assert rejection(read=[error("UserError", [message, "", None])]).message == (told or message)


def test_a_warning_that_is_known_to_be_harmless_is_acknowledged() -> None:
    warning = error("UserWarning", ["0a1b.no_carrier", "no carrier", ""])
    tryton = Tryton(pack=[warning, result(None)], skip=[result(None)])
    api(tryton).press("stock.shipment.out", "pack", 3)
    assert tryton.methods == ["login", "get_preferences", "pack", "skip", "pack"]
    assert body(tryton.requests[3])["params"][:2] == ["0a1b.no_carrier", False]


def test_any_other_warning_is_for_a_person() -> None:
    refusal = rejection(WRITE, write=[error("UserWarning", ["0a1b.credit_limit", 'The limit of "Ada" is reached', ""])])
    assert refusal.code == Refusal.REFUSED
    assert refusal.message == 'The limit of "…" is reached'


def test_a_warning_without_an_end_is_a_fault() -> None:
    warning = error("UserWarning", ["0a1b.no_carrier", "no carrier", ""])
    assert rejection("model.x.pack", pack=[warning], skip=[result(None)]).code == Refusal.BUG


# ---- results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "ask"),
    [
        ({"search_read": [result({})]}, lambda office: office.rows("sale.sale", [], ["id"])),
        ({"create": [result([])]}, lambda office: office.create("sale.sale", {})),
        ({"get_preferences": [result(None)]}, lambda office: office.call(READ)),
        ({"login": [result({})]}, lambda office: office.call(READ)),
    ],
)
def test_a_result_of_another_form_is_a_fault(
    answers: dict[str, list[Answer]], ask: Callable[[TrytonApi], object]
) -> None:
    with pytest.raises(Rejected) as refusal:
        ask(api(Tryton(**answers)))
    assert refusal.value.code == Refusal.BUG


def test_values_come_through_the_wire_as_they_were() -> None:
    moment = datetime(2026, 11, 23, 9, 2, 9, 123456, tzinfo=UTC)
    values = {"price": Decimal("1E-4"), "day": date(2026, 11, 23), "at": moment, "units": 3, "none": None}
    assert parsed(written(values)) == values
    assert b'"0.0001"' in written(values)


def test_an_amount_is_never_read_through_a_float() -> None:
    assert parsed(b'{"result":[{"quantity":0.1}]}') == {"result": [{"quantity": Decimal("0.1")}]}


@pytest.mark.parametrize(
    "raw",
    [b"", b'{"__class__":"Decimal","decimal":"x"}', b'{"__class__":"date","year":2026}'],
)
def test_a_value_that_cannot_be_read_is_a_fault(raw: bytes) -> None:
    with pytest.raises(Rejected) as refusal:
        parsed(raw)
    assert refusal.value.code == Refusal.BUG


def test_a_value_without_a_form_is_not_sent() -> None:
    with pytest.raises(TypeError):
        written({"x": object()})
