"""A local stack that keeps books, at a time of the tests' own, with facts put straight into the table of finance."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from infra.cli.target import local_target
from infra.local.stack import LocalStack
from shared.finance.models import Fact, LineKind, OrderStatement
from shared.finance.table import FinanceTable
from shared.platform import configuration
from shared.platform.kept import Kept
from shared.sync.finance.progress import FeedProgress
from shared.wiring.finance_tables import finance_table, progress_table
from tests.builders.finance import NOON, bank_line, line, line_of, payout, statement
from tests.builders.finance_book import balance
from tests.integration.cli import quiet

NOW: Final = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)
"""A Friday: what was sold on Monday was paid out, and is at the bank."""
COLUMNS: Final = {"booked_on": "Date", "amount": "Amount", "text": ["Text"]}
SETTINGS: Final[dict[str, Any]] = {
    **deepcopy(quiet.SETTINGS),
    "payments": {
        "stripe-eu": {
            "vendor": "stripe",
            "gateways": ["stripe"],
            "bank": "main",
            "bank_words": ["STRIPE"],
            "api_access": False,
        },
        "alipay-cn": {
            "vendor": "alipay",
            "merchant_id": "2021000000000001",
            "gateways": ["alipay"],
            "currency": "CNY",
            "api_access": False,
            "tells_balance": False,
        },
    },
    "banks": {"main": {"currency": "EUR", "csv": COLUMNS}},
    "finance": {"time_zone": "Europe/Amsterdam", "approval_limits": {"EUR": 1000}},
}
_CLOCKS: Final = (
    "shared.wiring.finance_desk",
    "shared.wiring.finance_review",
    "shared.wiring.daily_close",
    "shared.wiring.payment_feeds",
    "shared.wiring.payment_files",
    "shared.wiring.payment_reconciliation",
    "infra.cli.money_files",
    "infra.cli.money_cases",
    "infra.cli.money_options",
    "infra.cli.money_days",
)


@dataclass
class Books:
    """What the stack keeps of the money."""

    stack: LocalStack

    @contextmanager
    def inside(self) -> Iterator[FinanceTable]:
        """In the deployment's environment, as a command that has read nothing yet."""
        before = dict(os.environ)
        configuration._settings = Kept(configuration.load_settings)
        local_target(self.stack.url).enter(os.environ)
        try:
            yield finance_table()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def keep(self, *facts: Fact) -> None:
        with self.inside() as table:
            table.keep(facts)

    def heard(self, account: str = "stripe-eu", until: datetime = NOW) -> None:
        """The account's feed was read so far."""
        with self.inside():
            progress_table().keep(FeedProgress(account=account).heard(until, until))

    def sold(self, order_id: str = "5001", total: int = 5000, **more: Any) -> OrderStatement:
        """An order that came in, with its payment, payout and arrival: all of it ties out. `taken`: what the provider
        says that it took, where that is not the total."""
        taken, fee, name = more.pop("taken", total), 100, f"po_{order_id}"
        order = statement(order_id, total, **more)
        paid_at = NOON.replace(day=4)
        self.keep(
            order,
            line_of(order, gross=taken, fee=fee, net=taken - fee, payout_id=name),
            line(f"txn_{name}", fee - taken, kind=LineKind.PAYOUT, at=paid_at, payout_id=name, source_id=name),
            payout(name, taken - fee, references=(name,)),
            bank_line(f"b{order_id}", taken - fee, bank="main", text=f"STRIPE {name}", references=(name,)),
        )
        return order

    def stated(self, amount: int = 0, **more: Any) -> None:
        """The provider says what it holds this morning, and that its feed was read until then."""
        self.keep(balance(as_of=NOW, amount=amount, **more))
        self.heard()

    def raw(self, name: str = "FINANCE_TABLE") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stack.clients.dynamodb.scan(TableName=self._named(name))["Items"]
        return found

    def put(self, item: dict[str, Any]) -> None:
        """Change an item behind the back of all our code."""
        self.stack.clients.dynamodb.put_item(TableName=self._named("FINANCE_TABLE"), Item=item)

    def delete(self, items: Iterable[dict[str, Any]], table: str = "FINANCE_TABLE") -> None:
        for item in items:
            key = {"pk": item["pk"], "sk": item["sk"]}
            self.stack.clients.dynamodb.delete_item(TableName=self._named(table), Key=key)

    def written(self) -> list[str]:
        """Keys in the bucket of reports."""
        bucket = local_target(self.stack.url).variables["REPORTS_BUCKET"]
        found = self.stack.clients.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return sorted(entry["Key"] for entry in found)

    def begin_anew(self) -> None:
        for table in ("FINANCE_TABLE", "SYNC_TABLE"):
            self.delete(self.raw(table), table)

    def _named(self, variable: str) -> str:
        return local_target(self.stack.url).variables[variable]


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime = NOW) -> None:
    for module in _CLOCKS:
        monkeypatch.setattr(f"{module}.utc_now", lambda: now)
