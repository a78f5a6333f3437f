"""The published JSON Schemas are those of the models, and describe what the models really write."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it ships no types

from infra.schemas.generate import HERE, documents, write
from shared.orders.decision import Circumstances, decide
from shared.orders.effects import events_of
from shared.orders.review import ReviewRules
from shared.platform.settings import read_settings_file
from shared.sync.tasks import Task, TaskKind
from tests.builders.orders import NOON, order
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStockRoom

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", documents())
def test_the_published_schema_is_the_models(name: str) -> None:
    published = HERE / name
    text = published.read_text(encoding="utf-8") if published.exists() else ""
    same = text == documents()[name]
    assert same, f"{name} differs from its model: run `make schemas` and look at what that changes for its readers"


def test_no_schema_is_published_without_a_model() -> None:
    assert {path.name for path in HERE.glob("*.schema.json")} == set(documents())


def test_generating_again_changes_nothing_and_clears_what_is_stale(tmp_path: Path) -> None:
    (tmp_path / "gone.schema.json").write_text("{}", encoding="utf-8")
    assert set(write(tmp_path)) == {*documents(), "gone.schema.json"}
    assert write(tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == set(documents())


@pytest.mark.parametrize("name", documents())
def test_a_schema_is_well_formed_and_closed(name: str) -> None:
    schema = json.loads(documents()[name])
    Draft202012Validator.check_schema(schema)
    objects = [part for part in _parts(schema) if "properties" in part]
    assert objects
    assert all(part["additionalProperties"] is False for part in objects)


def test_what_is_written_is_what_the_schema_says() -> None:
    stock = FakeStockRoom()
    level = stock.set_level(counted("MUG", 5))
    account = order()
    around = Circumstances(stock=stock.read(["MUG"]), locations=("main",), rules=ReviewRules(), now=NOON)
    record = decide(account, None, around).record
    task = Task(kind=TaskKind.MISSING_SKU, shop="aurora", subject="1", first_seen_in="aurora/1", opened_at=NOON)
    written = {"order": account, "order_record": record, "stock_line": level, "task": task}
    for name, model in written.items():
        _validate(name, model.model_dump(mode="json"))
    for event in events_of(None, record):
        _validate("order_event", json.loads(event.model_dump_json()))


def test_the_local_settings_are_what_the_schema_says() -> None:
    _validate("settings", read_settings_file(ROOT / "infra" / "local" / "settings.toml"))


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("settings", {"locations": {}}),
        ("settings", {"locations": {"main": {"name": "M"}}, "shop": {}}),
        ("task", {"kind": "unmapped_sku"}),
    ],
)
def test_a_schema_refuses_what_the_model_refuses(name: str, document: dict[str, Any]) -> None:
    assert not _validator(name).is_valid(document)


def _validate(name: str, document: Any) -> None:
    faults = [f"{fault.json_path}: {fault.message}" for fault in _validator(name).iter_errors(document)]
    assert faults == []


def _validator(name: str) -> Any:
    return Draft202012Validator(json.loads(documents()[f"{name}.schema.json"]))


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _parts(part)
