"""What a failing call to a storefront means."""

from collections.abc import Mapping

import httpx
import pytest

from shared.kernel.errors import Rejected, Retry
from shared.storefronts.http import call


class Store:
    """A credential store that hands out another key each time it is read afresh."""

    def __init__(self) -> None:
        self.reads: list[bool] = []

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        self.reads.append(fresh)
        return {"key": f"key-{len(self.reads)}"}


class Line:
    """Answers in turn, and remembers with which key it was called."""

    def __init__(self, *answers: int | httpx.HTTPError) -> None:
        self._answers = list(answers)
        self.keys: list[str] = []

    def __call__(self, credentials: Mapping[str, str]) -> httpx.Response:
        self.keys.append(credentials["key"])
        answer = self._answers.pop(0)
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return httpx.Response(answer)


@pytest.mark.parametrize("status", [200, 201, 204, 301, 400, 404, 409, 422])
def test_answer_that_is_for_the_caller_to_judge(status: int) -> None:
    line, store = Line(status), Store()
    assert call(line, store).status_code == status
    assert (line.keys, store.reads) == (["key-1"], [False])


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_read_again_once(status: int) -> None:
    line, store = Line(status, 200), Store()
    assert call(line, store).status_code == 200
    assert (line.keys, store.reads) == (["key-1", "key-2"], [False, True])


@pytest.mark.parametrize(("first", "second"), [(401, 401), (403, 401), (401, 403)])
def test_credentials_refused_twice_are_wrong(first: int, second: int) -> None:
    line = Line(first, second)
    with pytest.raises(Rejected) as refusal:
        call(line, Store())
    assert refusal.value.code == "api_access"
    assert len(line.keys) == 2
    assert "key-" not in str(refusal.value)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (408, "storefront_failed"),
        (429, "storefront_throttled"),
        (500, "storefront_failed"),
        (502, "storefront_failed"),
        (599, "storefront_failed"),
    ],
)
@pytest.mark.parametrize("before", [(), (401,)])
def test_passing_failure(status: int, code: str, before: tuple[int, ...]) -> None:
    with pytest.raises(Retry) as passing:
        call(Line(*before, status), Store())
    assert passing.value.code == code


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("zoe@example.test"),
        httpx.ReadTimeout("zoe@example.test"),
        httpx.RemoteProtocolError("zoe@example.test"),
        httpx.TooManyRedirects("zoe@example.test"),
    ],
)
@pytest.mark.parametrize("before", [(), (401,)])
def test_shop_out_of_reach(error: httpx.HTTPError, before: tuple[int, ...]) -> None:
    with pytest.raises(Retry, match=type(error).__name__) as passing:
        call(Line(*before, error), Store())
    assert passing.value.code == "storefront_unreachable"
    assert "zoe" not in str(passing.value)
