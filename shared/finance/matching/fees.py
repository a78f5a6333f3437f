"""What charges cost, against what the contract says."""

from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import Worksheet, is_capture, line_item
from shared.finance.models import DiscrepancyKind, Item, SettlementLine, Subject, line_key
from shared.finance.rules import FeeModel

_PARTS = 10**8
"""Of a whole: a percentage has six decimals."""
_TOLERANCE = 2000
"""One part in so many of the gross amount, 0.05 %, is no variance; nor is one minor unit."""


class Contract:
    """A fee model, ready to be asked often."""

    def __init__(self, model: FeeModel) -> None:
        self._parts = [int(percent * (_PARTS // 100)) for percent in model.percentages]
        self._fixed = model.fixed

    def judges(self, line: SettlementLine) -> bool:
        return line.currency in self._fixed

    def expected(self, currency: str, gross: int) -> list[int]:
        """The fees that are right for a charge, the usual one first; rounded half up to the minor unit."""
        fixed = self._fixed[currency]
        return [(2 * gross * parts + _PARTS) // (2 * _PARTS) + fixed for parts in self._parts]

    def allows(self, line: SettlementLine, gross: int) -> bool:
        tolerance = max(1, abs(gross) // _TOLERANCE)
        return any(abs(line.fee - fee) <= tolerance for fee in self.expected(line.currency, gross))


def examine_fees(sheet: Worksheet) -> None:
    """State fees of captures that no percentage of the contract explains. Fees on refunds vary by provider and are
    not judged; that they are kept is usual."""
    contracts = {name: Contract(rules.fees) for name, rules in sheet.inputs.accounts.items() if rules.fees is not None}
    for key, line in sheet.lines.items():
        contract = contracts.get(line.account)
        if contract is None or not is_capture(line) or line.test or not contract.judges(line) or key in sheet.unpriced:
            continue
        # A charge whose amount is in question may have been priced by the amount that it should have.
        if any(contract.allows(line, gross) for gross in (line.gross, *sheet.fee_bases.get(key, ()))):
            continue
        _state(sheet, line, contract.expected(line.currency, line.gross)[0])


def _state(sheet: Worksheet, line: SettlementLine, expected: int) -> None:
    order = sheet.order_of.get(line_key(line))
    fee, usual = amount_text(line.currency, line.fee), amount_text(line.currency, expected)
    sheet.discrepancies.append(
        discrepancy(
            DiscrepancyKind.FEE_VARIANCE,
            line_item(line),
            Figures(line.currency, expected, line.fee),
            Place(sheet.day(line.occurred_at), line.account),
            [f"fee {fee} of {amount_text(line.currency, line.gross)}; the contract says {usual}"],
            [Item(subject=Subject.ORDER, id=order)] if order else (),
        )
    )
