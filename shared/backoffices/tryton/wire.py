"""Tryton's JSON: how it writes decimals, dates and times.

Money is a Decimal on the wire, quantities are plain numbers, times are UTC. Source: `trytond.protocols.jsonrpc` of 8.2.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared.backoffices.http import bug
from shared.kernel import strict_json
from shared.kernel.errors import Rejected

_CLOCK = ("hour", "minute", "second", "microsecond")


def written(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), default=_tagged).encode("ascii")


def parsed(raw: bytes) -> Any:
    """Read an answer. Numbers with a fraction are `Decimal`; a moment is aware UTC.

    Raises:
        Rejected: `backoffice_bug` when it is not Tryton's JSON.
    """
    try:
        return _untagged(strict_json.parse(raw))
    except Rejected as error:
        raise bug(f"what answers at the back office's address is not Tryton's JSON ({error.code})") from error
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise bug("Tryton's answer holds a value that cannot be read") from error


def _tagged(value: object) -> Any:
    match value:
        case Decimal():
            return {"__class__": "Decimal", "decimal": f"{value:f}"}
        case datetime():
            moment = value.astimezone(UTC)
            clock = {name: getattr(moment, name) for name in _CLOCK}
            return {"__class__": "datetime", **_day(moment), **clock}
        case date():
            return {"__class__": "date", **_day(value)}
        case _:
            raise TypeError(f"{type(value).__name__} has no form in Tryton's JSON")


def _day(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _untagged(value: Any) -> Any:
    match value:
        case list():
            return [_untagged(each) for each in value]
        case {"__class__": "Decimal", "decimal": digits}:
            return Decimal(digits)
        case {"__class__": "date"}:
            return date(value["year"], value["month"], value["day"])
        case {"__class__": "datetime"}:
            hour, minute, second, microsecond = (value[name] for name in _CLOCK)
            day = (value["year"], value["month"], value["day"])
            return datetime(*day, hour, minute, second, microsecond, tzinfo=UTC)
        case dict():
            return {key: _untagged(each) for key, each in value.items()}
        case _:
            return value
