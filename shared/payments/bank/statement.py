"""One statement of a bank's file: its movements, and the balances that prove them. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.kernel.errors import Rejected
from shared.payments.bank.entries import BankEntry
from shared.payments.port import AccountContext, Fault


class Balance(NamedTuple):
    currency: str
    amount: int


class Statement(NamedTuple):
    name: str
    """For errors: `statement 3`."""
    account: str | None
    """The bank's number of the account, where it is stated. Kept nowhere."""
    entries: tuple[BankEntry, ...]
    opening: Balance | None = None
    closing: Balance | None = None
    faults: tuple[Fault, ...] = ()
    """Movements that could not be read: then the balances prove nothing."""
    skipped: int = 0


def believed(statements: Sequence[Statement], context: AccountContext) -> tuple[Statement, ...]:
    """The statements of our account, each once: one that a file holds twice is taken once.

    Raises:
        Rejected: `sums_differ` when the movements of any of them do not lead from its opening to its closing balance;
            `several_accounts` when it cannot be told which of the file's accounts is meant; `wrong_account` when none
            is in our currency or has our number.
    """
    ours = _of_account(statements, context)
    for statement in ours:
        _require_sums(statement)
    return tuple({_content(statement): statement for statement in ours}.values())


def _content(statement: Statement) -> Statement:
    return statement._replace(name="")


def _of_account(statements: Sequence[Statement], context: AccountContext) -> list[Statement]:
    ours = [each for each in statements if _may_be(each, context)]
    if statements and not ours:
        raise Rejected(
            "wrong_account",
            "no statement of the file is of this bank account, or in its currency",
            field="file",
            hint="import it for the account that it is of",
        )
    if len({each.account for each in ours}) > 1:
        raise Rejected(
            "several_accounts",
            "the file holds statements of several accounts in this currency",
            field="file",
            hint="export each account by itself",
        )
    return ours


def _may_be(statement: Statement, context: AccountContext) -> bool:
    number = (context.merchant_id or "").replace(" ", "")
    if number and statement.account and statement.account.replace(" ", "") != number:
        return False
    return context.currency is None or all(currency == context.currency for currency in _currencies(statement))


def _currencies(statement: Statement) -> set[str]:
    balances = {balance.currency for balance in (statement.opening, statement.closing) if balance}
    return balances or {entry.currency for entry in statement.entries}


def _require_sums(statement: Statement) -> None:
    opening, closing = statement.opening, statement.closing
    if opening is None or closing is None or statement.faults:
        return
    moved = _sum(statement.entries, opening.currency)
    if opening.currency == closing.currency and opening.amount + moved == closing.amount:
        return
    missing = closing.amount - opening.amount - moved
    raise Rejected(
        "sums_differ",
        f"{statement.name}: its movements miss the closing balance by {missing} minor units of {closing.currency}",
        field="file",
        hint="the file was cut or changed: get it from the bank again",
    )


def _sum(entries: Iterable[BankEntry], currency: str) -> int:
    return sum(entry.amount for entry in entries if entry.currency == currency)
