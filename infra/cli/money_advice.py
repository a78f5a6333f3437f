"""What to do next about a case, in words and in commands. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from infra.cli.money_facts import link_of
from shared.finance.cases import Case, CaseState, Resolution
from shared.finance.models import DiscrepancyKind, Subject

_PAYOUT_DIFFERS: Final = (
    "Read the feed again; if movements are still missing, ask the provider for the payout's report."
)
_ABOUT: Final[Mapping[DiscrepancyKind, str]] = {
    DiscrepancyKind.MISSING_PAYMENT: (
        "Look the payment up at the provider: if it is there, read the feed or link it; if not, have the buyer pay or "
        "cancel the order."
    ),
    DiscrepancyKind.MISSING_ORDER: (
        "Find out which order it pays: one that the shop never sent (storebridge sync orders), or one that no "
        "reference names. If there is none, propose a refund."
    ),
    DiscrepancyKind.AMOUNT_MISMATCH: (
        "Compare the order with the payment: was the order edited, a discount missed, a part paid elsewhere? What "
        "remains is refunded, asked for, or written off."
    ),
    DiscrepancyKind.CURRENCY_MISMATCH: "See in which currency the buyer was charged, and why the shop says another.",
    DiscrepancyKind.PARTIAL_CAPTURE: (
        "Capture the rest at the provider before the authorisation ends, or lower the order."
    ),
    DiscrepancyKind.DUPLICATE_CAPTURE: "The buyer paid twice: propose to refund one of the payments.",
    DiscrepancyKind.REFUND_NOT_IN_STORE: (
        "Enter the refund in the shop too, so that the order says what the buyer got back."
    ),
    DiscrepancyKind.REFUND_NOT_AT_PROCESSOR: (
        "The shop says refunded and the provider knows nothing of it: make the refund there, or take it back in the "
        "shop."
    ),
    DiscrepancyKind.FEE_VARIANCE: (
        "Compare with the contract; ask the provider, or mend payments.….fees in the settings."
    ),
    DiscrepancyKind.DISPUTE_OPEN: "Answer the dispute at the provider before its time is over.",
    DiscrepancyKind.DISPUTE_WON: "Nothing: the money comes back with a later movement.",
    DiscrepancyKind.DISPUTE_LOST: "Nothing at the provider; the loss is in the books. Accept it.",
    DiscrepancyKind.PAYOUT_SHORT: _PAYOUT_DIFFERS,
    DiscrepancyKind.PAYOUT_OVER: _PAYOUT_DIFFERS,
    DiscrepancyKind.RESERVE_HELD: "Nothing: it is still the merchant's, and is released later.",
    DiscrepancyKind.BANK_MISSING: (
        "Import the bank's statement of these days; if the money is not on it, ask the provider where the payout went."
    ),
    DiscrepancyKind.LATE_SETTLEMENT: "Ask the provider why it is not paid out yet.",
    DiscrepancyKind.UNKNOWN_TXN: "Find out at the provider what the movement is, and have its word mapped.",
    DiscrepancyKind.FX_ROUNDING: "Nothing: it went to the rounding account by itself.",
    DiscrepancyKind.UNEXPECTED_BANK_LINE: (
        "Find out who sent it: link it to its payout, or say that it belongs to nothing."
    ),
    DiscrepancyKind.RESTATED: "Two statements of one fact differ: see at the provider which is right, and accept it.",
}
_LINKABLE: Final = frozenset({Subject.LINE, Subject.PAYMENT, Subject.BANK})


def advice_on(case: Case) -> tuple[str, ...]:
    """What to do, then the commands that do it, the likeliest first."""
    return tuple(_advice(case))


def _advice(case: Case) -> Iterator[str]:
    if case.state is CaseState.CLEARED:
        yield "Nothing: what was missing has come."
        return
    if case.state is CaseState.PROPOSED and case.proposal is not None:
        yield f"Somebody other than {case.proposal.by} has to agree."
        yield f"storebridge money approve {case.id} --revision {case.revision}"
        yield f'storebridge money refuse {case.id} --reason "…"'
        return
    if case.state is CaseState.RESOLVED:
        if case.proposal is not None and case.proposal.resolution is Resolution.PROPOSE_REFUND:
            yield "Refund it at the provider; the next reconciliation finds the refund."
        yield f'If it was decided wrongly: storebridge money reopen-case {case.id} --reason "…"'
        return
    yield _ABOUT[case.discrepancy.kind]
    yield from _commands(case)


def _commands(case: Case) -> Iterator[str]:
    resolve = f"storebridge money resolve {case.id}"
    discrepancy = case.discrepancy
    if discrepancy.subject.subject in _LINKABLE:
        best = max(discrepancy.suggestions, key=lambda one: one.score, default=None)
        fallback = "payout:ACCOUNT/ID" if discrepancy.subject.subject is Subject.BANK else "SHOP/ORDER"
        yield f'{resolve} --as relink --to {link_of(best.item) if best else fallback} --reason "…"'
    if discrepancy.difference:
        yield f'{resolve} --as write-off --reason "…"'
    if discrepancy.difference > 0 and discrepancy.subject.subject is not Subject.BANK:
        yield f'{resolve} --as propose-refund --reason "…"'
    yield f'{resolve} --as accept --reason "…"'
