"""Statements in SWIFT MT940, by the library mt-940: what banks offered before CAMT, and many still do.

Read statement by statement. A mark of C or RD is money that came, D or RC money that went.
The library logs what it cannot read, with everything that stands there; that is a buyer's name or account now and
then, and so its log is switched off.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from mt940 import Options
from mt940.models import Transactions

from shared.kernel.errors import Rejected
from shared.payments.amounts import minor_units
from shared.payments.bank.entries import BankEntry
from shared.payments.bank.statement import Balance, Statement
from shared.payments.port import Fault

KIND: Final = "MT940"
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)

_STATEMENT: Final = re.compile(r"(?m)^(?=:20:)")
_AFTER_CLOSING: Final = re.compile(r"(?m)^:62[FM]:[^\n]*(?:\n|\Z)")
_ACCOUNT: Final = re.compile(r"(?m)^:25P?:([^\n]*)")
_FIGURES: Final = re.compile(r"(?m)^:(?:61|6[02][FM]):[^\n]*")
_MOVED: Final = re.compile(r":61:(?P<day>[0-9]{6})(?:[0-9]{4})?R?[CD][A-Z]?[0-9]{1,15}[,.][0-9]{0,3}[A-Z].*", re.ASCII)
_HELD: Final = re.compile(r":6[02][FM]:[CD](?P<day>[0-9]{6})[A-Z]{3}[0-9]{1,15}(?:[,.][0-9]{0,3})?\s*", re.ASCII)
_ENVELOPE: Final = re.compile(r"\{[1-5]:[^{}\n]*(?:\{[^{}\n]*\}[^{}\n]*)*\}|\{4:|^-\}", re.MULTILINE)
_PLACEHOLDERS: Final = frozenset({"", "NONREF", "NOTPROVIDED", "NOREF"})
_PURPOSES: Final = ("purpose", "additional_purpose", "extra_details", "transaction_details")
_NAMES: Final = ("applicant_name", "recipient_name", "deviate_applicant", "deviate_recipient")
_SLASHED_NAME: Final = re.compile(r"/(?:NAME|CNTP/[^/]*/[^/]*)/(?P<name>[^/]*)")
"""As Dutch banks part a text of their own: `/IBAN/…/NAME/…/REMI/…`, `/CNTP/account/bank/name/city/…`."""
_REFERENCES: Final = ("customer_reference", "end_to_end_reference", "additional_position_reference")


def read_statements(content: bytes) -> tuple[Statement, ...]:
    """Every statement of the file.

    Raises:
        Rejected: `unreadable_file`, for what holds no statement.
    """
    text = _ENVELOPE.sub("", _decoded(content).replace("\r\n", "\n").replace("\r", "\n"))
    blocks = [block for block in _STATEMENT.split(text) if block.startswith(":20:")]
    statements = tuple(_statement(block, number) for number, block in enumerate(blocks, 1))
    if not statements:
        raise Rejected(
            "unreadable_file",
            "there is no statement (:20:) in the file",
            field="file",
            hint="export the statement as MT940 again",
        )
    return statements


def _decoded(content: bytes) -> str:
    """SWIFT's own characters are ASCII; banks add those of their country."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _statement(block: str, number: int) -> Statement:
    name = f"statement {number}"
    if not all(_is_exact(line) for line in _FIGURES.findall(block)):
        fault = Fault(
            name, "unreadable_statement", "an amount or a day in it is not as MT940 has it; none of it was read"
        )
        return Statement(name, _account(block), (), faults=(fault,))
    read = Transactions(options=Options.all())
    try:
        read.parse(_without_epilogue(block))
    except (RuntimeError, ValueError, InvalidOperation, KeyError, IndexError, TypeError):
        # without its cause, which quotes what stands there
        fault = Fault(name, "unreadable_statement", "it holds a field that is not as MT940 has it; none of it was read")
        return Statement(name, _account(block), (), faults=(fault,))
    entries = tuple(_entries(read, name))
    return Statement(
        name=name,
        account=_account(block),
        entries=tuple(each for each in entries if isinstance(each, BankEntry)),
        opening=_balance(read.data, "opening"),
        closing=_balance(read.data, "closing"),
        faults=tuple(each for each in entries if isinstance(each, Fault)),
    )


def _is_exact(line: str) -> bool:
    """The library takes what it can read of an amount (1 of `1.005,00`), and the last day of a month for one after."""
    found = _MOVED.fullmatch(line) or _HELD.fullmatch(line)
    if found is None:
        return False
    try:
        date.fromisoformat(f"20{found['day'][:2]}-{found['day'][2:4]}-{found['day'][4:]}")
    except ValueError:
        return False
    return True


def _without_epilogue(block: str) -> str:
    """What follows the closing balance is about the statement; the library would take it for the last movement's."""
    found = list(_AFTER_CLOSING.finditer(block))
    return block[: found[-1].end()] if found else block


def _account(block: str) -> str | None:
    found = _ACCOUNT.search(block)
    return found[1].strip() or None if found else None


def _balance(data: Mapping[str, Any], which: str) -> Balance | None:
    stated = data.get(f"final_{which}_balance") or data.get(f"intermediate_{which}_balance")
    if stated is None:
        return None
    amount: Decimal = stated.amount.amount
    currency = str(stated.amount.currency).upper()
    return Balance(currency, minor_units(amount, currency, field=f"{which} balance"))


def _entries(read: Transactions, name: str) -> Iterator[BankEntry | Fault]:
    for number, transaction in enumerate(read.transactions, 1):
        where = f"{name}, movement {number}"
        try:
            yield _entry(transaction.data, read.currency or "", where)
        except Rejected as error:
            yield Fault(where, error.code, error.message)


def _entry(data: Mapping[str, Any], currency: str, where: str) -> BankEntry:
    if "amount" not in data:
        raise Rejected("invalid_money", "the movement has no line :61:", field=where)
    valued_on: date = data["date"]
    booked_on: date = data.get("entry_date") or valued_on
    bank_reference, *others = (_reference(data.get(key)) for key in ("bank_reference", *_REFERENCES))
    purposes = _texts(data, _PURPOSES)
    return BankEntry(
        booked_on=_plain(booked_on),
        valued_on=_plain(valued_on),
        currency=currency.upper(),
        amount=minor_units(data["amount"].amount, currency.upper(), field=where),
        purposes=tuple(_SLASHED_NAME.sub("", text) for text in purposes),
        names=(*_texts(data, _NAMES), *(found["name"] for text in purposes for found in _SLASHED_NAME.finditer(text))),
        own_reference=bank_reference,
        references=tuple(reference for reference in others if reference),
    )


def _plain(day: date) -> date:
    """The library's own kind of date, as ours."""
    return date(day.year, day.month, day.day)


def _texts(data: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    found = (data.get(key) for key in keys)
    return tuple(text.replace("\n", "") for text in found if isinstance(text, str) and text.strip())


def _reference(text: object) -> str | None:
    stated = text.strip() if isinstance(text, str) else ""
    return None if stated.upper() in _PLACEHOLDERS else stated
