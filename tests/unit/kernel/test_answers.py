from typing import Any

import pytest

from shared.kernel.answers import misfits_are
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.model import Canonical


def _refused(what: str) -> Rejected:
    return Rejected("odd", what)


class _Card(Canonical):
    name: int


class _Reading:
    def inherited(self, answer: Any) -> Any:
        return answer["a"]["b"]


@misfits_are(_refused)
class _Adapter(_Reading):
    def card(self, answer: Any) -> _Card:
        return _Card(**answer)

    def number(self, answer: Any) -> int:
        return int(answer)

    def taken(self) -> None:
        raise Conflict("taken", "by somebody")

    def mistaken(self) -> None:
        raise AssertionError("of the caller")

    def _inner(self) -> None:
        raise KeyError("as it is")


@pytest.mark.parametrize("answer", [{}, {"a": None}, {"a": []}, {"a": {}}, None, 1, "a", []])
def test_what_is_missing_or_of_another_kind_is_an_error_of_ours(answer: Any) -> None:
    with pytest.raises(Rejected, match="shape that its API documents"):
        _Adapter().inherited(answer)


def test_nothing_of_the_answer_is_told() -> None:
    for read in (lambda: _Adapter().card({"name": "Zoë"}), lambda: _Adapter().number("Zoë")):
        with pytest.raises(Rejected) as refusal:
            read()
        assert "Zoë" not in refusal.value.describe()
        assert refusal.value.__cause__ is None
        assert refusal.value.__suppress_context__


def test_everything_else_passes() -> None:
    assert _Adapter().inherited({"a": {"b": 1}}) == 1
    with pytest.raises(Conflict):
        _Adapter().taken()
    with pytest.raises(AssertionError):
        _Adapter().mistaken()
    with pytest.raises(KeyError):
        _Adapter()._inner()
