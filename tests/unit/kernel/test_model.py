"""What canonical models promise beyond pydantic."""

import sys

import pytest
from pydantic import ValidationError

from shared.kernel.model import Canonical, Plentiful


class Usual(Canonical):
    name: str
    units: int = 1
    note: str | None = None
    colour: str | None = None
    size: str | None = None


class Many(Plentiful):
    name: str
    units: int = 1
    note: str | None = None
    colour: str | None = None
    size: str | None = None


TOLD = {"name": "mug", "units": 2, "note": "blue", "colour": "blue", "size": "L"}


def test_plentiful_values_share_what_pydantic_keeps_for_each() -> None:
    made = [
        Many(name="mug"),
        Many.model_validate(TOLD),
        Many.model_validate_json('{"name": "mug", "note": "blue"}'),
        Many.model_construct(name="mug"),
        Many(name="mug").model_copy(update={"units": 3}),
        Many(name="mug").model_copy(deep=True),
    ]
    assert len({id(one.model_fields_set) for one in made}) == 1
    usual = [Usual.model_validate(TOLD) for _ in range(2)]
    assert usual[0].model_fields_set is not usual[1].model_fields_set
    assert sys.getsizeof(usual[0].model_fields_set) > sys.getsizeof(TOLD)


def test_what_is_shared_is_not_changed_by_a_copy_and_is_another_for_each_class() -> None:
    class Other(Plentiful):
        key: str

    one = Many(name="mug")
    one.model_copy(update={"units": 3})
    assert one.model_fields_set == {"name", "units", "note", "colour", "size"}
    assert Other(key="a").model_fields_set == {"key"}


def test_plentiful_values_are_otherwise_like_any_other() -> None:
    one = Many.model_validate(TOLD)
    assert one == Many(**TOLD)
    assert one != Many(name="mug")
    assert hash(one) == hash(Many.model_validate(TOLD))
    assert one.model_copy(update={"units": 3}).units == 3
    assert Many.model_validate_json(one.model_dump_json(exclude_defaults=True)) == one
    assert Many(name="mug").model_dump(exclude_defaults=True) == {"name": "mug"}
    with pytest.raises(ValidationError):
        one.units = 3  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Many(name="mug", price=1)  # type: ignore[call-arg]
