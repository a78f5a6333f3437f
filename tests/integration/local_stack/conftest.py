"""A local stack of the small template, shared by the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options

SMALL = Path(__file__).parent / "small"


def small_options(data: Path | None = None) -> Options:
    return Options(
        template=SMALL / "template.yaml",
        stack_name="little-one",
        task_root=SMALL,
        contents=Contents(settings={"merchant": "Example"}, secrets={}),
        parameters={"SettingsParameterName": "/little-one/settings"},
        retry_after=0,
        data=data,
    )


@pytest.fixture(scope="module")
def small_stack() -> Iterator[LocalStack]:
    with LocalStack(small_options()) as stack:
        yield stack
