"""What a provider keeps back, until it lets it go."""

from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import Worksheet, line_item
from shared.finance.models import Bucket, DiscrepancyKind, LineKind, SettlementLine

_Open = dict[str, int]


def examine_reserves(sheet: Worksheet) -> None:
    """State what is still held: each hold, less what was released of it by name, by the same amount, and at last the
    oldest first."""
    groups: dict[tuple[str, str], list[SettlementLine]] = {}
    for line in sheet.lines.values():
        if line.kind in (LineKind.RESERVE_HELD, LineKind.RESERVE_RELEASED) and not line.test:
            sheet.put(line_item(line), Bucket.NEUTRAL)
            groups.setdefault((line.account, line.currency), []).append(line)
    for _, lines in sorted(groups.items()):
        _examine(sheet, sorted(lines, key=lambda line: (line.occurred_at, line.line_id)))


def _examine(sheet: Worksheet, lines: list[SettlementLine]) -> None:
    held = {line.line_id: -line.gross for line in lines if line.kind is LineKind.RESERVE_HELD}
    sources = {line.line_id: line.source_id for line in lines if line.kind is LineKind.RESERVE_HELD}
    released = [line for line in lines if line.kind is LineKind.RESERVE_RELEASED]
    rest = [line.gross for line in released if not _release_by_name(held, sources, line)]
    for amount in [one for one in rest if not _release_equal(held, one)]:
        _release_oldest(held, amount)
    for line in lines:
        if held.get(line.line_id, 0) > 0:
            sheet.discrepancies.append(
                discrepancy(
                    DiscrepancyKind.RESERVE_HELD,
                    line_item(line),
                    Figures(line.currency, 0, -held[line.line_id]),
                    Place(sheet.day(line.occurred_at), line.account),
                    [f"{amount_text(line.currency, held[line.line_id])} still held"],
                )
            )


def _release_by_name(held: _Open, sources: dict[str, str | None], line: SettlementLine) -> bool:
    for line_id, amount in held.items():
        names = {line_id, sources[line_id]} - {None}
        if amount >= line.gross > 0 and (line.source_id in names or not names.isdisjoint(line.references)):
            held[line_id] -= line.gross
            return True
    return False


def _release_equal(held: _Open, amount: int) -> bool:
    for line_id, open_amount in held.items():
        if open_amount == amount:
            held[line_id] = 0
            return True
    return False


def _release_oldest(held: _Open, amount: int) -> None:
    for line_id, open_amount in held.items():
        used = min(max(open_amount, 0), max(amount, 0))
        held[line_id] -= used
        amount -= used
