"""Two versions of the code at once: what the newer one has written is read by the older one."""

import pytest
from pydantic import ValidationError

from shared.inventory.models import Cause
from shared.kernel.model import Canonical


class _Document(Canonical):
    name: str
    cause: Cause


_NEWER = {"name": "a", "said_by_newer": 1, "cause": {"kind": "order", "reference": "a/1#1", "said_by_newer": [1]}}


def test_fields_of_a_newer_version_are_left_out_at_every_depth() -> None:
    read = _Document.stored(_NEWER)
    assert read == _Document(name="a", cause=Cause(kind="order", reference="a/1#1"))
    assert _Document.stored_json('{"name": "a", "x": 1, "cause": {"kind": "k", "reference": "r", "y": 2}}').name == "a"


def test_what_is_made_here_is_as_strict_as_ever() -> None:
    with pytest.raises(ValidationError):
        _Document.model_validate(_NEWER)


def test_what_is_missing_is_still_missed() -> None:
    with pytest.raises(ValidationError):
        _Document.stored({"name": "a"})
