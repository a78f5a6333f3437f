"""What should be on the ledger, as far as a view tells: one entry for each source, whatever was posted before."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from shared.finance.due.lines import PAYOUTS, entries_of_disputes, entries_of_line
from shared.finance.due.orders import OrderBooks, outside_of, receipts_outside
from shared.finance.due.payouts import came_to_nothing, entries_of_bank, entries_of_payouts, paid_out_by
from shared.finance.due.shares import BUYERS_MONEY, Receipt, receipt_of_line, shares_of
from shared.finance.due.view import LedgerView
from shared.finance.due.write_offs import about_the_view, entries_of_write_offs
from shared.finance.journal import DueEntry
from shared.finance.models import OrderStatement, SettlementLine, bank_key, line_key, payout_key
from shared.kernel.errors import Rejected


def entries_due(view: LedgerView) -> tuple[DueEntry, ...]:
    """Every entry that should be in force for what is in the view, sorted by source, each balanced in each currency.

    Nothing of the days before `rules.books_from` is due, nor anything of tests.

    Raises:
        Rejected: `order_not_in_view`: a line belongs to an order that the view does not have.
    """
    found = [entry for entry in _all_but_write_offs(view) if entry is not None]
    found += [entry for entry in entries_of_write_offs(view, found) if entry is not None]
    begins = view.rules.books_from
    counted = (entry for entry in found if begins is None or entry.on.isoformat() >= begins)
    return tuple(sorted(counted, key=lambda entry: entry.source))


def owned_by(view: LedgerView) -> Callable[[str], bool]:
    """Whether a source is one of the view's, so that it is known whether it is due: an entry of one that is not due
    is to be reversed."""
    owners = frozenset(_owners(view))

    def is_owned(source: str) -> bool:
        if source in owners:
            return True
        place = source.find("/", source.find("/") + 1)
        while place >= 0:
            if source[:place] in owners:
                return True
            place = source.find("/", place + 1)
        return False

    return is_owned


def _owners(view: LedgerView) -> Iterator[str]:
    yield from (f"order/{order.key}" for order in view.orders)
    yield from (f"line/{line_key(line)}" for line in view.lines)
    yield from (f"payout/{payout_key(payout)}" for payout in view.payouts)
    yield from (f"bank/{bank_key(line)}" for line in view.bank_lines)
    yield from (f"dispute/{payment.account}/{payment.payment_id}" for payment in view.payments)
    yield from (f"case/{case.id}" for case in about_the_view(view))


def _all_but_write_offs(view: LedgerView) -> Iterator[DueEntry | None]:
    lines = sorted((line for line in view.lines if not line.test), key=line_key)
    orders = {str(order.key): order for order in view.orders}
    outside = {key: outside_of(order, view) for key, order in orders.items()}
    receipts: dict[str, list[Receipt]] = {key: list(receipts_outside(orders[key], outside[key])) for key in orders}
    for line in lines:
        order = _order_of(line, orders, view)
        if order is not None and line.kind in BUYERS_MONEY and order.sale is not None:
            receipts[str(order.key)].append(receipt_of_line(line, order))
    shares: dict[str, int | None] = {}
    for key, of_order in receipts.items():
        shares.update(shares_of(orders[key], of_order, view.rules.rounding_limit))
    for key in sorted(orders):
        if not orders[key].test:
            yield from OrderBooks(orders[key], view, outside[key]).entries(shares)
    yield from _of_lines(lines, orders, shares, view)
    yield from chain(entries_of_disputes(view), entries_of_payouts(view), entries_of_bank(view))


def _of_lines(
    lines: Iterable[SettlementLine],
    orders: Mapping[str, OrderStatement],
    shares: Mapping[str, int | None],
    view: LedgerView,
) -> Iterator[DueEntry | None]:
    failed = came_to_nothing(view)
    for line in lines:
        if line.kind in PAYOUTS and paid_out_by(line) & failed:
            continue
        yield from entries_of_line(line, _order_of(line, orders, view), shares.get(f"line/{line_key(line)}"), view)


def _order_of(line: SettlementLine, orders: Mapping[str, OrderStatement], view: LedgerView) -> OrderStatement | None:
    key = view.order_of.get(line_key(line))
    if not key:
        return None
    if key not in orders:
        raise Rejected(
            "order_not_in_view",
            f"line {line_key(line)} belongs to order {key}, which is not among the orders",
            field="orders",
            hint="hand in every order that a line belongs to",
        )
    return orders[key]
