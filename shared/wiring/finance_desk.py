"""Put the desk of finance together: for the reconciliation, the close, and whoever works on cases."""

from datetime import date, datetime, timedelta

from shared.finance.closing import Closing
from shared.finance.due.view import LedgerView
from shared.finance.gather import Scope
from shared.finance.models import payout_key
from shared.finance.ports import FinanceBook
from shared.finance.reconcile_books import BooksDesk
from shared.finance.trial import Tie, ties_of
from shared.kernel.clock import utc_now
from shared.platform.configuration import settings
from shared.wiring.finance_tables import finance_table, progress_table
from shared.wiring.order_desk import retry_conflicts


def books_desk() -> BooksDesk:
    return BooksDesk(book=finance_table(), scope=scope(), clock=utc_now, retrying=retry_conflicts)


def scope() -> Scope:
    """What is reconciled, by the settings of now."""
    now = settings()
    return Scope(
        rules=now.finance,
        accounts=now.payments,
        banks=tuple(sorted(now.banks)),
        payout_banks=frozenset(name for name, bank in now.banks.items() if bank.only_payouts),
    )


def closing_of(day: date) -> Closing:
    """What a close of this day goes by: what moved at providers since then, and how far their feeds were read."""
    book = finance_table()
    return Closing(book=book, view=_moved_since(day, book), read_until=_read_until(), clock=utc_now)


def latest_ties() -> tuple[Tie, ...]:
    """The newest balance that each provider stated, beside our books at that moment. Looks as far back as the
    reconciliation does; an account that told none in this time has none here."""
    return tuple(tie for account in sorted(settings().payments) for tie in _latest_ties(account))


def _latest_ties(account: str) -> tuple[Tie, ...]:
    book, rules = finance_table(), settings().finance
    today = utc_now().astimezone(rules.zone).date()
    for number in range(rules.look_back_days + 1):
        day = today - timedelta(days=number)
        newest = {balance.currency: balance for balance in book.balances(account, day, day)}
        if newest:
            view = _moved_since(day, book)
            return tuple(ties_of(day - timedelta(days=1), book.balances_before(day), newest.values(), view))
    return ()


def _moved_since(day: date, book: FinanceBook) -> LedgerView:
    now = scope()
    until = utc_now().astimezone(now.rules.zone).date()
    # A day more on either side: days of lines are the merchant's, and balances are stated at any hour.
    since = day - timedelta(days=1)
    accounts = sorted(now.accounts)
    payouts = tuple(payout for account in accounts for payout in book.payouts(account, since, until))
    return LedgerView(
        rules=now.rules,
        accounts=now.accounts,
        lines=tuple(line for account in accounts for line in book.lines(account, since, until)),
        payouts=payouts,
        matches=tuple(match for payout in payouts for match in book.matches_of(f"payout:{payout_key(payout)}")),
        payout_banks=now.payout_banks,
    )


def _read_until() -> dict[str, datetime | None]:
    """Of accounts that have a feed. One that we may not ask and that tells no balance either is known by its webhooks
    alone, until a first file of it comes."""
    progress = {one.account: one.read_until for one in progress_table().all()}
    return {
        name: progress.get(name)
        for name, account in settings().payments.items()
        if account.api_access or account.tells_balance or name in progress
    }
