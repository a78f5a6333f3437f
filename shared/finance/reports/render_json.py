"""Reports as JSON for programs: minor units with their exponent, and the same as decimal text. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from shared.finance.reports.figures import percent_plain, plain
from shared.finance.reports.report import Cell, Column, Kind, Report, Row, Text
from shared.kernel.money import currency_exponent

FORMAT = 1
"""Raised when a program that reads the present form could no longer do so."""


def render_json(reports: Sequence[Report]) -> bytes:
    """UTF-8. The same reports give the same bytes; columns are told by their keys, in both languages."""
    document = {"format": FORMAT, "reports": [_report(report) for report in reports]}
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _report(report: Report) -> Mapping[str, Any]:
    return {
        "name": report.name,
        "title": _text(report.title),
        "about": _text(report.about),
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "columns": [
            {"key": column.key, "kind": str(column.kind), "heading": _text(column.heading)} for column in report.columns
        ],
        "rows": [_row(report.columns, row) for row in report.rows],
        "totals": [_row(report.columns, row) for row in report.totals],
        "notes": [_text(note) for note in report.notes],
    }


def _row(columns: Sequence[Column], row: Row) -> Mapping[str, Any]:
    cells = {
        column.key: _cell(column.kind, cell, row.currency) for column, cell in zip(columns, row.cells, strict=True)
    }
    if row.currency is None:
        return {"cells": cells}
    return {"currency": row.currency, "exponent": currency_exponent(row.currency), "cells": cells}


def _cell(kind: Kind, cell: Cell, currency: str | None) -> Any:
    if isinstance(cell, int):
        if kind is Kind.MONEY and currency:
            return {"minor": cell, "amount": plain(cell, currency)}
        return percent_plain(cell) if kind is Kind.PERCENT else cell
    if isinstance(cell, Text):
        return cell.code or None
    return cell.isoformat() if isinstance(cell, date) else cell


def _text(text: Text) -> Mapping[str, str]:
    return {"en": text.en, "zh": text.zh}
