"""What the accounts of the ledger are called in exports: the merchant's own names first, else ours. Pure."""

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
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
_DIGIT: Final = "Nd"
_FIRST: Final = ("Lu", _DIGIT)


Naming = Callable[[Posting, Mapping[str, str]], str]


class AccountNames:
    """The names of accounts by one way of naming; each is worked out once, for postings are many and accounts few."""

    def __init__(self, naming: Naming, names: Mapping[str, str]) -> None:
        self._naming = naming
        self._names = names
        self._known: dict[tuple[Role, str | None, str], str] = {}

    def of(self, posting: Posting) -> str:
        account = (posting.role, posting.of, posting.currency)
        name = self._known.get(account)
        if name is None:
            name = self._known[account] = self._naming(posting, self._names)
        return name


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
    documentation, "Language Syntax"). Accounts that differ stay different, unless the merchant's own names are one."""
    root = CLASS_OF[posting.role].value.title()
    told = merchants_name(posting, names)
    if told is None:
        word = _legal(WORDS[posting.role])
        return f"{root}:{word}:{_distinct(posting.of)}" if posting.of else f"{root}:{word}"
    parts = [part for part in told.split(":") if part.strip()]
    if len(parts) > 1 and parts[0] in _ROOTS:
        root, *parts = parts
    return ":".join((root, *(_legal(part) for part in parts or [told])))


def _legal(part: str) -> str:
    """As much of the words as a part of a name can hold; a digest of them where that is nothing."""
    kept = "".join(character if _is_legal(character) else " " for character in part)
    name = "-".join(word[0].upper() + word[1:] for word in kept.split())
    if not name:
        return f"X{_digest(part)}"
    return name if unicodedata.category(name[0]) in _FIRST else f"X{name}"


def _is_legal(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("L") or category == _DIGIT


def _distinct(of: str) -> str:
    """Whose account it is; with a digest where letters were lost, for two must not become one."""
    name = _legal(of)
    return name if name.lower() == of else f"{name}-{_digest(of)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
