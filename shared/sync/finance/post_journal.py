"""Tell the back office of a day what it does not know from its own documents: fees, payouts, arrivals at the bank …

Sales, refunds and what buyers paid are there as invoices, credit notes and payments, and are left out here. What a day
comes to is one journal entry for each currency, and after the day was reopened another one of the difference: what was
posted is read in the back office itself, so nothing is posted twice and nothing posted is ever changed.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple, Protocol

from shared.backoffices.documents import Journal, JournalLine, PostedJournal
from shared.backoffices.port import Capabilities, Refusal
from shared.finance.exports.names import WORDS
from shared.finance.journal import JournalEntry, Role, Topic
from shared.finance.rules import FinanceRules
from shared.kernel.errors import Rejected, Retry
from shared.kernel.money import Money, currency_exponent

TOLD: Final = frozenset(
    {
        Topic.FEE,
        Topic.DISPUTE,
        Topic.RESERVE,
        Topic.PAYOUT,
        Topic.BANK,
        Topic.CONVERSION,
        Topic.ADJUSTMENT,
        Topic.COST,
        Topic.WRITE_OFF,
        Topic.ROUNDING,
    }
)
"""What is posted. Of the others the back office has documents of its own, or (opening balances) its staff's entries."""

MOST_NAMED: Final = 10
MOST_JOURNALS: Final = 500
"""Of one day and currency: no day is reopened so often."""
_LABEL: Final = 200


class JournalBook(Protocol):
    """What is asked of a back office here: a part of `BackOffice`."""

    @property
    def capabilities(self) -> Capabilities: ...

    def posted_journal(self, key: str) -> PostedJournal | None: ...

    def post_journal(self, journal: Journal) -> str: ...


class PostedDay(NamedTuple):
    ids: tuple[str, ...] = ()
    """The back office's own ids of all the day's entries, those that stood there before among them."""
    left_out: tuple[str, ...] = ()
    """What it does not take, and why: `storebridge/journal/2026-11-23/USD: …`. It is in the exports all the same."""


class _Account(NamedTuple):
    role: Role
    of: str | None
    currency: str

    @property
    def setting(self) -> str:
        return f"{self.role}/{self.of}" if self.of else str(self.role)


class _Sums(NamedTuple):
    """What a day moves in one currency, by the back office's code. Zero stays: it may have been posted otherwise."""

    amounts: Mapping[str, int]
    labels: Mapping[str, str]


def post_day(day: date, entries: Iterable[JournalEntry], rules: FinanceRules, book: JournalBook) -> PostedDay:
    """Have the back office know exactly what the day's entries come to. Stopped anywhere and done again, with the same
    entries or more, it comes to that.

    Raises:
        Rejected: `unmapped_account`, before anything is asked; what `post_journal` raises, but for a currency that it
            does not keep books in, which is left out and said.
        Retry: the back office is out of reach or busy.
    """
    sums = _sums_of(entries, rules)
    ids: list[str] = []
    left_out: list[str] = []
    for currency in sorted(sums):
        if not book.capabilities.journals:
            if any(sums[currency].amounts.values()):
                left_out.append(f"{_key(day, currency, 1)}: {book.capabilities.vendor} takes no journals")
            continue
        try:
            ids += _posted(day, currency, sums[currency], rules, book)
        except Rejected as error:
            if error.code != "journal_currency":
                raise _of_the_day(day, error) from error
            left_out.append(f"{_key(day, currency, 1)}: {error.message}")
    return PostedDay(tuple(ids), tuple(left_out))


def journals_of(day: date, entries: Iterable[JournalEntry], rules: FinanceRules) -> tuple[Journal, ...]:
    """The day's journals as they are while the back office has none of them yet, by currency; none where all sums are
    zero. Pure.

    Raises:
        Rejected: `unmapped_account`: an account of ours moved, and the settings name none of the back office's for it.
    """
    sums = _sums_of(entries, rules)
    journals = (_journal(day, currency, 1, sums[currency], rules) for currency in sorted(sums))
    return tuple(journal for journal in journals if journal is not None)


def _posted(day: date, currency: str, wanted: _Sums, rules: FinanceRules, book: JournalBook) -> list[str]:
    """Ids of the day's entries in a currency, after the difference was posted. What was posted is believed when it is
    read, not when it was answered."""
    left = wanted
    ids: list[str] = []
    for number in range(1, MOST_JOURNALS + 1):
        known = book.posted_journal(_key(day, currency, number))
        if known is None:
            journal = _journal(day, currency, number, left, rules)
            if journal is None:
                return ids
            book.post_journal(journal)
            known = book.posted_journal(journal.key)
        if known is None:
            raise Retry("backoffice_outcome_unknown", f"the journal {_key(day, currency, number)} does not show yet")
        ids.append(known.id)
        left = _without(left, known, currency)
    raise Rejected(
        "too_many_journals",
        f"{day} has {MOST_JOURNALS} journals in {currency}, and still does not come to what is due",
        field="day",
        hint="compare the day's exported journal with the entries in the back office",
    )


def _journal(day: date, currency: str, number: int, sums: _Sums, rules: FinanceRules) -> Journal | None:
    exponent = currency_exponent(currency)
    lines = tuple(
        JournalLine(
            account=code,
            amount=Money(minor=amount, currency=currency, exponent=exponent),
            label=sums.labels.get(code, "correction"),
        )
        for code, amount in sorted(sums.amounts.items())
        if amount
    )
    if not lines:
        return None
    return Journal(
        key=_key(day, currency, number),
        name=f"Storebridge {day} {currency}" + (f" (correction {number - 1})" if number > 1 else ""),
        posted_on=day,
        journal=rules.backoffice_journal,
        currency=currency,
        lines=lines,
    )


def _of_the_day(day: date, error: Rejected) -> Rejected:
    """What stands against it, in words for whoever closes the day: adapters speak to whoever waits for an order."""
    hint = "act in the back office, then close the day again" if error.code == Refusal.REFUSED else error.hint
    return Rejected(error.code, f"the journal of {day} cannot be posted: {error.message}", field=error.field, hint=hint)


def _key(day: date, currency: str, number: int) -> str:
    key = f"storebridge/journal/{day}/{currency}"
    return key if number == 1 else f"{key}/{number}"


def _without(sums: _Sums, posted: PostedJournal, currency: str) -> _Sums:
    amounts = dict(sums.amounts)
    for code, amount in posted.sums.items():
        left = Money(minor=amounts.get(code, 0), currency=currency, exponent=currency_exponent(currency)) - amount
        amounts[code] = Money.parse(left.decimal, currency).minor
    return sums._replace(amounts=amounts)


# ---- what a day comes to ---------------------------------------------------------------------------------------------


def _sums_of(entries: Iterable[JournalEntry], rules: FinanceRules) -> dict[str, _Sums]:
    """By currency, every one of which balances since every entry does."""
    moved = _moved(entry for entry in entries if _is_told(entry, rules))
    _require_mapped(moved, rules.backoffice_accounts)
    amounts: dict[str, dict[str, int]] = {}
    words: dict[tuple[str, str], list[str]] = {}
    for account in sorted(moved, key=lambda account: (account.role, account.of or "", account.currency)):
        of_currency = amounts.setdefault(account.currency, {})
        code = _code_of(account, rules.backoffice_accounts)
        if code is not None:
            of_currency[code] = of_currency.get(code, 0) + moved[account]
            words.setdefault((account.currency, code), []).append(_words(account))
    return {
        currency: _Sums(of_currency, {code: "; ".join(words[currency, code])[:_LABEL] for code in of_currency})
        for currency, of_currency in amounts.items()
    }


def _is_told(entry: JournalEntry, rules: FinanceRules) -> bool:
    """What goods cost is told where the settings name an account for it: else the back office values its own stock."""
    if entry.topic is Topic.COST:
        return any(name.partition("/")[0] == Role.COST_OF_SALES for name in rules.backoffice_accounts)
    return entry.topic in TOLD


def _moved(entries: Iterable[JournalEntry]) -> dict[_Account, int]:
    moved: dict[_Account, int] = {}
    for entry in entries:
        for posting in entry.postings:
            account = _Account(posting.role, posting.of, posting.currency)
            moved[account] = moved.get(account, 0) + posting.amount
    return moved


def _code_of(account: _Account, codes: Mapping[str, str]) -> str | None:
    return codes.get(f"{account.role}/{account.of}") or codes.get(str(account.role))


def _require_mapped(moved: Mapping[_Account, int], codes: Mapping[str, str]) -> None:
    missing = sorted({account.setting for account in moved if moved[account] and _code_of(account, codes) is None})
    if missing:
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        raise Rejected(
            "unmapped_account",
            f"no account of the back office is named for {', '.join(missing[:MOST_NAMED])}{more}",
            field="finance.backoffice_accounts",
            hint=f'name its code in the settings, by role or for one account of it: "{missing[0]}" = "1234"',
        )


def _words(account: _Account) -> str:
    return f"{WORDS[account.role]} {account.of}" if account.of else WORDS[account.role]
