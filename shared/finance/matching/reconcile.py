"""The cascade: the surest rule first, and nothing is posted that only looks right.

0. What staff decided, and charges that an earlier run matched.
1. A charge that names its order exactly. Where the money differs it belongs to the order all the same, and the
   difference is stated.
2. Refunds, disputes, reversals and fees of a charge that is matched.
3. The same amount, unique on both sides (:mod:`shared.finance.matching.amounts`).
4. Several payments that sum to one order's (:mod:`shared.finance.matching.tenders`). Both first among what came with
   the order, where the account's payments do, then among all that its habit allows: a payment seconds after the order
   is not in doubt because another of its amount came a week later.
5. What is left gets a type, evidence and a default action; what may still come waits.
6. Suggestions.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from shared.finance.inputs import Inputs, Reconciliation
from shared.finance.matching.amounts import Fitting, Tie, match_unique_amounts
from shared.finance.matching.bank import examine_bank
from shared.finance.matching.charges import pairing_of
from shared.finance.matching.discrepancies import short_id
from shared.finance.matching.disputes import examine_disputes
from shared.finance.matching.fees import examine_fees
from shared.finance.matching.habits import Habits, HabitsAtOnce, learn_intervals
from shared.finance.matching.leftovers import examine_lines, examine_payments, examine_ties, mark_ties
from shared.finance.matching.links import attach_returns, link_by_parent, link_by_reference, link_by_staff
from shared.finance.matching.orders import examine_orders, sort_orders
from shared.finance.matching.payouts import PayoutLines, examine_payouts, examine_settlement
from shared.finance.matching.reserves import examine_reserves
from shared.finance.matching.returns import match_unique_refunds
from shared.finance.matching.suggestions import add_suggestions
from shared.finance.matching.tenders import find_split_tenders, match_split_tenders
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import OrderSheet, Worksheet, buyer_money, is_capture
from shared.finance.models import Match, Rule, SettlementLine, Subject, line_key

_WHY = {
    Rule.STAFF: "somebody said so",
    Rule.REFERENCE: "it names the order",
    Rule.PARENT: "its charge belongs to the order",
    Rule.UNIQUE_AMOUNT: "the only ones of this amount, on both sides",
    Rule.SPLIT_TENDER: "together they pay the order, and no other combination does",
}


def reconcile(inputs: Inputs) -> Reconciliation:
    """Work out what belongs together and what does not tie out.

    Pure: the same inputs, in any order, come to the same result to the byte. Every input but the balances is in
    exactly one bucket. Discrepancies are those of now: one that is gone is simply missing. The caller states RESTATED
    ones, which only the store of facts knows.
    """
    with _all_kept():
        return _reconcile(Worksheet(inputs))


@contextmanager
def _all_kept() -> Iterator[None]:
    """Do not look for garbage that refers to itself.

    That search goes through everything in memory, again and again while it grows: the facts of a month, for a third of
    the whole time. Nothing here refers back to what holds it, so what is let go of is freed at once without it; what
    other code leaves behind meanwhile is found after.
    """
    was_looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looked_for:
            gc.enable()


def _reconcile(sheet: Worksheet) -> Reconciliation:
    link_by_staff(sheet)
    link_by_reference(sheet)
    link_by_parent(sheet)
    for order in sheet.orders.values():
        pairing_of(order)
    intervals = learn_intervals(sheet.orders.values(), sheet.rule_of)
    at_once = Fitting(sheet, HabitsAtOnce(intervals))
    by_habit = at_once.within(Habits(intervals))
    for fitting in (at_once, by_habit):
        _match_amounts(sheet, fitting)
        match_split_tenders(sheet, fitting)
    ties = _match_amounts(sheet, by_habit)  # once more: several payments may have taken away who was in doubt
    mark_ties(sheet, ties)
    link_by_parent(sheet)
    attach_returns(sheet)
    match_unique_refunds(sheet, by_habit)
    sheet.forget_references()
    return _examine(sheet, ties)


def _match_amounts(sheet: Worksheet, fitting: Fitting) -> list[Tie]:
    return match_unique_amounts(sheet, fitting, find_split_tenders(sheet, fitting))


def _examine(sheet: Worksheet, ties: list[Tie]) -> Reconciliation:
    examine_orders(sheet)
    examine_ties(sheet, ties)
    examine_disputes(sheet)
    payout_lines = PayoutLines(sheet)
    examine_payouts(sheet, payout_lines)
    examine_bank(sheet)
    examine_reserves(sheet)
    examine_fees(sheet)
    examine_settlement(sheet, payout_lines)
    examine_lines(sheet)
    examine_payments(sheet)
    closed = sort_orders(sheet)
    add_suggestions(sheet)
    sheet.forget_pairings()
    for order in sheet.orders.values():
        sheet.matches.extend(_matches_of(order, sheet))
    return Reconciliation(
        matches=tuple(sorted(sheet.matches, key=lambda one: one.id)),
        discrepancies=tuple(sorted(sheet.discrepancies, key=lambda one: one.id)),
        buckets=sheet.buckets_by_item(),
        order_of=dict(sorted(sheet.order_of.items())),
        closed_orders=closed,
    )


def _matches_of(order: OrderSheet, sheet: Worksheet) -> list[Match]:
    """One match for each rule and currency by which lines came to the order."""
    ranked = sorted(order.lines, key=lambda line: (sheet.rule_of[line_key(line)], buyer_money(line)[0], line_key(line)))
    groups = groupby(ranked, key=lambda line: (sheet.rule_of[line_key(line)], buyer_money(line)[0]))
    return [_match(sheet, order, rule, list(lines)) for (rule, _), lines in groups]


def _match(sheet: Worksheet, order: OrderSheet, rule: Rule, lines: list[SettlementLine]) -> Match:
    charges = {f"{line.account}/{line.payment_id}" for line in lines if is_capture(line) and line.payment_id}
    items = (
        *(sheet.named(Subject.LINE, line_key(line)) for line in lines),
        sheet.named(Subject.ORDER, order.key),
        *(sheet.named(Subject.PAYMENT, charge) for charge in sorted(charges)),
    )  # as they are sorted
    currency = buyer_money(lines[0])[0]
    amount = sum(buyer_money(line)[1] for line in lines)
    return Match(
        id=short_id(rule, *map(str, items)),
        rule=rule,
        items=items,
        currency=currency,
        amount=amount,
        evidence=(f"{_WHY[rule]}: {order.statement.name}", amount_text(currency, amount)),
    )
