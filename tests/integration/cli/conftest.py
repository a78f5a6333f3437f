"""The command line against a running local stack, each call as in a process of its own."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from infra.cli.main import app
from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from infra.samples import shopify
from shared.platform import aws, configuration
from shared.platform.kept import Kept
from shared.wiring import tables

SHOPIFY_SECRET = "aurora-first-secret"
SETTINGS: dict[str, Any] = {
    "merchant": "Example Goods",
    "locations": {"main": {"name": "Main"}, "annexe": {"name": "Annexe"}},
    "shops": {
        "aurora": {
            "platform": "shopify",
            "address": "aurora.example.myshopify.com",
            "locations": ["main"],
            "api_access": False,
        },
        "borealis": {"platform": "woocommerce", "address": "borealis.example", "locations": ["main"]},
    },
}
SECRETS: dict[str, dict[str, Any]] = {
    "webhooks": {"aurora": [SHOPIFY_SECRET, "aurora-old-secret"], "borealis": ["borealis-secret"]},
    "api": {"borealis": {"consumer_key": "key-1", "consumer_secret": "secret-1"}},
}


@dataclass(frozen=True)
class CommandLine:
    """Runs `storebridge … --local URL`."""

    stack: LocalStack
    folder: Path

    def __call__(self, *words: str, given: str | None = None) -> Result:
        configuration._settings = Kept(configuration.load_settings)  # a new process has read nothing yet
        before = dict(os.environ)
        try:
            return CliRunner().invoke(app, [*words, "--local", self.stack.url], input=given)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def json(self, *words: str) -> Any:
        """The document of a command that succeeds and has nothing else to say."""
        result = self(*words, "--json")
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return json.loads(result.stdout)

    def refusal(self, *words: str, exit_code: int = 1) -> Any:
        """The error document of a command that fails and has no answer."""
        result = self(*words, "--json")
        assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
        return json.loads(result.stderr)

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def receive(self, order_id: int, *lines: Any, **overrides: Any) -> str:
        """Have a shop send a paid order, and wait until all that follows is done."""
        shop = shopify.Shop()
        body = shop.order(
            *lines,
            id=order_id,
            admin_graphql_api_id=shopify.gid("Order", order_id),
            name=f"#{order_id}",
            **overrides,
        )
        payload = self.file(f"{order_id}.json", shopify.encode(body))
        assert self.json("send", payload, "--shop", "aurora")["status"] == 200
        self.stack.drain()
        return f"aurora/{order_id}"

    def contents(self) -> dict[str, list[str]]:
        """Every item of every table once all is quiet, and the settings, as text that can be compared."""
        self.stack.drain()
        clients = self.stack.clients
        found = {
            table.name: sorted(map(_text, clients.dynamodb.scan(TableName=table.name)["Items"]))
            for table in self.stack.deployment.tables
        }
        return found | {"settings": [_text(clients.ssm.get_parameter(Name="/storebridge/settings")["Parameter"])]}


def _text(item: Any) -> str:
    return json.dumps(item, sort_keys=True, default=str)


def disconnect() -> None:
    """Forget every client: the next one is of another stack."""
    for cached in (aws.sqs, aws.s3, aws.ssm, aws.secrets_manager, aws.events, tables.connection):
        cached.cache_clear()


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(Options(contents=Contents(SETTINGS, SECRETS), retry_after=0)) as running:
        disconnect()
        yield running
    disconnect()


@pytest.fixture
def storebridge(stack: LocalStack, tmp_path: Path) -> CommandLine:
    return CommandLine(stack, tmp_path)


def line(sku: str, quantity: int = 1) -> Any:
    return shopify.Shop().line(1, sku=sku, quantity=quantity)
