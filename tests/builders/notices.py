"""Notices for tests."""

from typing import Any

from shared.notifications.port import Notice


def notice(**overrides: Any) -> Notice:
    fields: dict[str, Any] = {
        "key": "stock/main/MUG/2",
        "language": "en",
        "title": "Low stock: MUG at Main warehouse, 3 left",
        "text": "MUG at Main warehouse has fallen to its reorder point.",
        "facts": (("Available to sell", "3 units"), ("Proposed order", "12 units")),
    }
    return Notice(**(fields | overrides))


def digest(rows: int, **overrides: Any) -> Notice:
    return notice(
        facts=(),
        columns=("SKU", "Available to sell", "Days of cover"),
        rows=tuple((f"SKU-{number:05}", "0", "") for number in range(rows)),
        **overrides,
    )
