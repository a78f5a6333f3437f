"""What the accounts of the ledger are called in exports: the merchant's own names first, else ours. Pure."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from shared.finance.journal import CLASS_OF, Posting, Role

WORDS: Final[Mapping[Role, str]] = {
    Role.RECEIVABLE: "Receivable",
    Role.CLEARING: "Clearing",
    Role.RESERVE: "Reserve",
    Role.IN_TRANSIT: "In transit",
    Role.BANK: "Bank",
    Role.DISPUTED: "Disputed",
    Role.SUSPENSE: "Suspense",
    Role.INVENTORY: "Inventory",
    Role.SALES: "Sales",
    Role.SHIPPING: "Shipping",
    Role.SURCHARGES: "Surcharges",
    Role.TIPS: "Tips",
    Role.RETURNS: "Returns",
    Role.TAX: "Tax payable",
    Role.GIFT_CARDS: "Gift cards",
    Role.FEES: "Payment fees",
    Role.DISPUTE_LOSSES: "Dispute losses",
    Role.COST_OF_SALES: "Cost of sales",
    Role.WRITE_OFF: "Write-off",
    Role.ROUNDING: "Rounding",
    Role.EXCHANGE: "Exchange",
    Role.OPENING: "Opening balances",
}
_ROOTS: Final = ("Assets", "Liabilities", "Income", "Expenses", "Equity")
_NOT_LEGAL: Final = re.compile(r"[^A-Za-z0-9]+")


def merchants_name(posting: Posting, names: Mapping[str, str]) -> str | None:
    """What the merchant calls the account: by role and whose it is, else by role. None: nothing was said."""
    name = names.get(f"{posting.role}/{posting.of}") or names.get(str(posting.role))
    if name is None:
        return None
    # Not `str.format`: a name is the merchant's, and may hold braces of its own.
    return name.replace("{of}", posting.of or "").replace("{currency}", posting.currency).strip() or None


def plain_name(posting: Posting, names: Mapping[str, str]) -> str:
    """For programs whose accounts have one currency and are written `Parent:Sub`: `Clearing:stripe-eu EUR`."""
    told = merchants_name(posting, names)
    if told:
        return told
    word = WORDS[posting.role]
    return f"{word}:{posting.of} {posting.currency}" if posting.of else f"{word}:{posting.currency}"


def path_name(posting: Posting, names: Mapping[str, str]) -> str:
    """For plain-text accounting: `Assets:Clearing:Stripe-Eu`. Always legal in beancount, whose rules are the strictest:
    five roots; each part begins with a capital or digit and goes on with letters, digits and hyphens (its
    documentation, "Language Syntax"). Names that differ stay different."""
    root = CLASS_OF[posting.role].value.title()
    told = merchants_name(posting, names)
    parts = told.split(":") if told else [WORDS[posting.role], *([posting.of] if posting.of else [])]
    if parts[0] in _ROOTS and len(parts) > 1:
        root, *parts = parts
    return ":".join((root, *(_legal(part) for part in parts)))


def _legal(part: str) -> str:
    words = [word for word in _NOT_LEGAL.split(part) if word]
    name = "-".join(word[0].upper() + word[1:] for word in words)
    if (
        name.replace("-", " ").casefold() in (part.casefold(), part.replace("-", " ").casefold())
        and part.strip() == part
    ):
        return name
    # Something of the name could not be kept: a digest of it tells this account from others that look the same now.
    digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{name}-{digest}" if name else f"X{digest}"
