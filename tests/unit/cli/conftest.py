"""The command line in this process, without any deployment."""

import os
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from infra.cli.main import app

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`run("orders", "list")`, with no word of the machine's own about AWS or Storebridge."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("AWS_", "STOREBRIDGE_")):
            del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    yield lambda *words: CliRunner().invoke(app, list(words))
    os.environ.clear()
    os.environ.update(before)
