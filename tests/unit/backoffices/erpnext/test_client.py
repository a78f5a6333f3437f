"""What ERPNext's answers mean, and what never gets out of them."""

import json
from collections.abc import Mapping

import httpx
import pytest

from infra.fakes.erpnext import failure
from infra.fakes.erpnext_site import FrappeError
from shared.backoffices.erpnext.client import MOST_CHARACTERS, MOST_VALUES, FrappeApi, batches
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected, Retry
from tests.unit.backoffices.erpnext.site import credentials


def _api(*answers: httpx.Response) -> tuple[FrappeApi, list[httpx.Request]]:
    requests: list[httpx.Request] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return left.pop(0)

    return FrappeApi("https://erp.example.test/", credentials, httpx.Client(transport=httpx.MockTransport(answer))), (
        requests
    )


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("ValidationError", 417, Refusal.REFUSED),
        ("LinkValidationError", 417, Refusal.REFUSED),
        ("UpdateAfterSubmitError", 417, Refusal.REFUSED),
        ("PermissionError", 403, Refusal.AUTH),
        ("DoesNotExistError", 404, Refusal.NOT_FOUND),
        ("PageDoesNotExistError", 404, Refusal.BUG),
        ("OperationalError", 500, Refusal.BUG),
    ],
)
def test_an_error_says_who_has_to_act(name: str, status: int, code: str) -> None:
    api, _ = _api(failure(FrappeError("Not <b>so</b>", name, status)))
    with pytest.raises(Rejected) as refusal:
        api.update("Sales Order", "SO-1", {})
    assert refusal.value.code == code
    assert "Traceback" not in str(refusal.value)
    assert "<b>" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("TimestampMismatchError", 417),
        ("QueryDeadlockError", 500),
        ("QueryTimeoutError", 417),
        ("DocumentLockedError", 417),
        ("DuplicateEntryError", 409),
        ("TooManyRequestsError", 429),
        ("SessionStopped", 503),
    ],
)
def test_what_passes_is_tried_again(name: str, status: int) -> None:
    api, _ = _api(failure(FrappeError("later", name, status)))
    with pytest.raises(Retry) as retry:
        api.update("Sales Order", "SO-1", {})
    assert retry.value.code == "backoffice_busy"


def test_a_refusal_comes_in_erpnexts_own_words() -> None:
    api, _ = _api(failure(FrappeError("Row #1: <strong>MUG</strong> is\n over limit")))
    with pytest.raises(Rejected) as refusal:
        api.create("Sales Order", {})
    assert refusal.value.message == "Row #1: MUG is over limit"


def test_without_a_message_the_exceptions_own_text_is_shown() -> None:
    body = {"exc_type": "MandatoryError", "exception": "frappe.exceptions.MandatoryError: company", "exc": "Traceback"}
    api, _ = _api(httpx.Response(417, json=body))
    with pytest.raises(Rejected) as refusal:
        api.create("Sales Order", {})
    assert refusal.value.message == "company"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(200, text="<html>please log in</html>"), id="a page"),
        pytest.param(httpx.Response(200, json=[]), id="no object"),
        pytest.param(httpx.Response(200, json={"data": "x"}), id="no document"),
        pytest.param(httpx.Response(302, headers={"location": "https://elsewhere.test"}), id="a redirect"),
        pytest.param(httpx.Response(500, text="<html>"), id="a broken server"),
    ],
)
def test_what_is_not_erpnext_is_a_fault_of_the_program(answer: httpx.Response) -> None:
    api, _ = _api(answer)
    with pytest.raises(Rejected) as refusal:
        api.document("Sales Order", "SO-1")
    assert refusal.value.code == Refusal.BUG


def test_credentials_are_read_again_once() -> None:
    asked: list[bool] = []

    def rotating(*, fresh: bool = False) -> Mapping[str, str]:
        asked.append(fresh)
        return {"api_key": "key", "api_secret": "new" if fresh else "old"}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] == "token key:new":
            return httpx.Response(200, json={"message": "storebridge"})
        return failure(FrappeError("no", "AuthenticationError", 401))

    api = FrappeApi("erp.example.test", rotating, httpx.Client(transport=httpx.MockTransport(answer)))
    assert api.ask("frappe.auth.get_logged_user") == "storebridge"
    assert asked == [False, True]


def test_credentials_that_stay_wrong_stop() -> None:
    denied = failure(FrappeError("no", "AuthenticationError", 401))
    api, requests = _api(denied, denied)
    with pytest.raises(Rejected) as refusal:
        api.document("Item", "MUG")
    assert refusal.value.code == Refusal.AUTH
    assert len(requests) == 2


def test_incomplete_credentials_are_named() -> None:
    def halved(*, fresh: bool = False) -> Mapping[str, str]:
        return {"api_key": "key"}

    api = FrappeApi("erp.example.test", halved, httpx.Client())
    with pytest.raises(Rejected, match="api_secret"):
        api.document("Item", "MUG")


def test_names_are_quoted() -> None:
    api, requests = _api(httpx.Response(200, json={"data": {"name": "A/B 1"}}))
    assert api.document("Sales Order", "A/B 1") == {"name": "A/B 1"}
    assert requests[0].url.raw_path == b"/api/resource/Sales%20Order/A%2FB%201"


def test_a_missing_document_is_none() -> None:
    api, _ = _api(failure(FrappeError("Item X not found", "DoesNotExistError", 404)))
    assert api.document("Item", "X") is None


def test_a_lists_limit_is_its_own() -> None:
    api, requests = _api(httpx.Response(200, json={"data": []}))
    api.rows("Delivery Note Item", ["name"], (("Delivery Note Item.qty", ">", 1),), parent="Delivery Note")
    params = requests[0].url.params
    assert params["limit_page_length"] == "0"
    assert params["parent"] == "Delivery Note"
    assert json.loads(params["filters"]) == [["Delivery Note Item", "qty", ">", 1]]


def test_batches_fit_into_an_address() -> None:
    many = [f"SKU-{number}" for number in range(250)]
    sizes = [len(batch) for batch in batches([*many, *many])]
    assert sum(sizes) == 250
    assert max(sizes) == MOST_VALUES
    long = ["x" * 199 + chr(65 + number) for number in range(40)]
    assert max(sum(len(value) for value in batch) for batch in batches(long)) <= MOST_CHARACTERS
    assert list(batches([])) == []
