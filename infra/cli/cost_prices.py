"""What goods cost, as a CSV file: one row for each price, taken whole or not at all. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from shared.finance.ports import CostPrice
from shared.inventory.stocktake_csv import Fault, read_sku, refuse
from shared.kernel.errors import Rejected
from shared.kernel.money import Money, currency_exponent

_COLUMNS: Final = ("sku", "currency", "cost", "since")
_CODE_LENGTH: Final = 3


def read_costs(content: bytes) -> tuple[CostPrice, ...]:
    """Read prices: UTF-8, commas or semicolons, a heading with `sku`, `currency`, `cost` and `since` in any order.

    Raises:
        Rejected: `unreadable_csv`, or `invalid_rows` with every fault by row and column.
    """
    faults: list[Fault] = []
    prices = [price for row, cells in _rows(content) if (price := _price(row, cells, faults)) is not None]
    named = Counter((price.sku, price.currency, price.since) for price in prices)
    repeated = [key for key, number in named.items() if number > 1]
    faults += [
        Fault(1, "sku", f"{sku} has two prices in {currency} since {since}") for sku, currency, since in repeated
    ]
    refuse(faults)
    return tuple(prices)


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable("it is not in UTF-8") from error
    heading = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in heading else ",", strict=True)
    try:
        names = [name.strip().lower() for name in next(lines, [])]
        _require_columns(names)
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield lines.line_num, dict(zip(names, (cell.strip() for cell in cells), strict=False))
    except csv.Error as error:
        raise _unreadable(f"line {lines.line_num} is no CSV") from error


def _require_columns(names: Sequence[str]) -> None:
    missing = [name for name in _COLUMNS if name not in names]
    if missing:
        raise _unreadable(f"it has no column {', '.join(missing)}")


def _unreadable(why: str) -> Rejected:
    return Rejected(
        "unreadable_csv", why, field="file", hint="a heading sku,currency,cost,since, and a price in each row, in UTF-8"
    )


def _price(row: int, cells: dict[str, str], faults: list[Fault]) -> CostPrice | None:
    before = len(faults)
    sku, currency = _sku(row, cells, faults), cells.get("currency", "").upper()
    if len(currency) != _CODE_LENGTH or not (currency.isascii() and currency.isalpha()):
        faults.append(Fault(row, "currency", "no code such as EUR"))
        currency = ""
    minor = _minor(row, cells.get("cost", ""), currency, faults) if currency else 0
    since = _since(row, cells.get("since", ""), faults)
    return CostPrice(sku, currency, minor, since) if len(faults) == before else None


def _sku(row: int, cells: dict[str, str], faults: list[Fault]) -> str:
    try:
        return read_sku(cells.get("sku", ""))
    except Rejected as error:
        faults.append(Fault(row, "sku", error.message))
    except ValueError as error:
        faults.append(Fault(row, "sku", str(error)))
    return ""


def _minor(row: int, text: str, currency: str, faults: list[Fault]) -> int:
    try:
        money = Money.parse(text, currency)
    except Rejected as error:
        faults.append(Fault(row, "cost", error.message))
        return 0
    if money.minor < 0:
        faults.append(Fault(row, "cost", "a cost is not negative"))
    if money.exponent > currency_exponent(currency):
        faults.append(Fault(row, "cost", f"{currency} has {currency_exponent(currency)} decimals"))
    return money.minor


def _since(row: int, text: str, faults: list[Fault]) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        faults.append(Fault(row, "since", "no day such as 2026-11-24"))
        return date.min
