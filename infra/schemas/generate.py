"""`python -m infra.schemas.generate`: write the JSON Schemas of the data standard, from the models themselves, and the
OpenAPI document of the HTTP API.

They are what others read an order, a bus event or the settings by. A test fails when they fall behind the models.
"""

import json
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel

from infra.schemas import openapi
from shared.customers.effects import CustomerEvent
from shared.customers.models import Customer
from shared.customers.record import CustomerRecord
from shared.finance.cases import AuditRecord, Case, DayClose
from shared.finance.journal import JournalEntry
from shared.finance.models import BankLine, Discrepancy, Match, OrderStatement, Payment, Payout, SettlementLine
from shared.inventory.models import StockLine
from shared.orders.effects import OrderEvent
from shared.orders.models import Order
from shared.orders.record import OrderRecord
from shared.platform.bus import CustomerChanged
from shared.platform.settings import Settings
from shared.sync.tasks import Task

HERE: Final = Path(__file__).resolve().parent
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

MODELS: Final[dict[str, tuple[type[BaseModel], Literal["validation", "serialization"]]]] = {
    "order": (Order, "serialization"),
    "order_record": (OrderRecord, "serialization"),
    "order_event": (OrderEvent, "serialization"),
    "stock_line": (StockLine, "serialization"),
    "customer": (Customer, "serialization"),
    "customer_record": (CustomerRecord, "serialization"),
    "customer_event": (CustomerEvent, "serialization"),
    "backoffice_customer_event": (CustomerChanged, "serialization"),
    "task": (Task, "serialization"),
    "order_statement": (OrderStatement, "serialization"),
    "payment": (Payment, "serialization"),
    "settlement_line": (SettlementLine, "serialization"),
    "payout": (Payout, "serialization"),
    "bank_line": (BankLine, "serialization"),
    "match": (Match, "serialization"),
    "discrepancy": (Discrepancy, "serialization"),
    "case": (Case, "serialization"),
    "journal_entry": (JournalEntry, "serialization"),
    "day_close": (DayClose, "serialization"),
    "audit_record": (AuditRecord, "serialization"),
    "settings": (Settings, "validation"),
}
"""By file name. What we write is described as it is written; settings as they may be given."""


def documents() -> dict[str, str]:
    """The schema of each model as the text of its file."""
    return {f"{name}.schema.json": _document(*model) for name, model in MODELS.items()}


def _document(model: type[BaseModel], mode: Literal["validation", "serialization"]) -> str:
    schema = {"$schema": DIALECT, **model.model_json_schema(mode=mode)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = HERE) -> list[str]:
    """Write what changed, remove what no model stands behind any more, and return the names of both."""
    wanted = documents()
    stale = [path for path in folder.glob("*.schema.json") if path.name not in wanted]
    changed = [name for name, text in wanted.items() if _read(folder / name) != text]
    for path in stale:
        path.unlink()
    for name in changed:
        (folder / name).write_text(wanted[name], encoding="utf-8")
    return [*changed, *(path.name for path in stale)]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> None:
    """Say what changed."""
    changed = [*write(), *([openapi.PATH.name] if openapi.write() else ())]
    print("\n".join(changed) if changed else "the schemas are up to date")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
