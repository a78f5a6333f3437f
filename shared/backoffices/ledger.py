"""What adapters look at before they post a journal, the same for every vendor. Pure."""

from collections.abc import Collection, Iterable, Mapping

from shared.backoffices.documents import Journal, PostedJournal
from shared.backoffices.http import not_found
from shared.kernel.errors import Rejected
from shared.kernel.money import Money


def require_currency(journal: Journal, currency: str) -> None:
    """A company keeps its books in one currency. What is booked in another needs a rate: staff's decision, and an
    adapter that took the back office's own would let journals fail to balance by what it rounds.

    Raises:
        Rejected: `journal_currency`.
    """
    if journal.currency != currency:
        raise Rejected(
            "journal_currency",
            f"the back office keeps its books in {currency}, and {journal.key} is in {journal.currency}",
            field="currency",
            hint="book it by hand from the exported journal, at the rate that you value it with",
        )


def require_accounts(journal: Journal, known: Collection[str], vendor: str) -> None:
    """Every account of the journal is there.

    Raises:
        Rejected: `backoffice_not_found` with field `account`, naming the first that is not.
    """
    for line in journal.lines:
        if line.account not in known:
            raise not_found(
                f"{vendor} has no account {line.account} that entries may be posted to",
                "account",
                "create it there, or name another in the settings: finance.backoffice_accounts",
            )


def missing_journal(name: str, vendor: str) -> Rejected:
    return not_found(
        f"{vendor} has no journal {name!r} for such entries",
        "journal",
        "name one of its own in the settings: finance.backoffice_journal; none: the general one",
    )


def sums_of(moved: Iterable[tuple[str, Money]], currency: str) -> dict[str, Money]:
    """What is moved on each account, zero left out, by account."""
    sums: dict[str, Money] = {}
    for account, amount in moved:
        sums[account] = sums.get(account, Money.zero(currency)) + amount
    return {account: sums[account] for account in sorted(sums) if sums[account]}


def holds(posted: PostedJournal, journal: Journal) -> bool:
    """Whether a draft moves what the journal is to move."""
    wanted = sums_of(((line.account, line.amount) for line in journal.lines), journal.currency)
    return _plain(posted.sums) == _plain(wanted)


def _plain(sums: Mapping[str, Money]) -> dict[str, tuple[object, str]]:
    return {account: (amount.decimal.normalize(), amount.currency) for account, amount in sums.items() if amount}
