"""An error of pydantic's quotes what it refuses, which may be a buyer's: no model and no adapter of ours lets it."""

import gc
import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import shared
from shared.kernel.errors import Rejected
from shared.payments.lenient import Lenient, read


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(shared.__path__, "shared."):
        importlib.import_module(found.name)
        yield found.name


def models(base: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        if model.__module__.startswith("shared."):
            yield model
        yield from models(model)


def test_every_model_and_adapter_of_ours_hides_what_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert len(list(modules())) > 300
    found = set(models())
    assert len(found) > 200
    loud = {
        f"{model.__module__}.{model.__qualname__}"
        for model in found
        if not model.model_config.get("hide_input_in_errors")
    }
    assert loud == set()
    adapters = [each for each in gc.get_objects() if isinstance(each, TypeAdapter) and _is_ours(each)]
    assert len(adapters) > 5
    for adapter in adapters:
        with pytest.raises(ValidationError) as refusal:
            adapter.validate_python(object())
        assert "input_value" not in str(refusal.value), adapter


def _is_ours(adapter: "TypeAdapter[object]") -> bool:
    return "shared." in repr(adapter.core_schema)


def test_the_cause_of_a_refusal_names_nobody() -> None:
    class Card(Lenient):
        name: int

    with pytest.raises(Rejected) as refusal:
        read(Card, {"name": "Zoë"}, "somebody")
    assert isinstance(refusal.value.__cause__, ValidationError)
    assert "Zoë" not in str(refusal.value.__cause__)
