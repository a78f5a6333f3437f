"""Statements in ISO 20022 CAMT.053, versions 02 and later: what most banks of Europe offer.

One line for each entry, also for one that books a batch: the batch is what moved on the account. Only what is booked
counts; pending and informational entries come again when they are. `CdtDbtInd` is the direction of the entry itself,
also of a reversal. Source: ISO 20022, message definition BankToCustomerStatement (camt.053.001.02 to .11), elements
Ntry, Bal, RvslInd, AcctSvcrRef.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from io import BytesIO
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from shared.kernel.errors import Rejected
from shared.payments.amounts import minor_units
from shared.payments.bank.entries import BankEntry
from shared.payments.bank.statement import Balance, Statement
from shared.payments.port import Fault

KIND: Final = "CAMT.053"
_TAG: Final = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d\d\}(.+)")
_BOOKED: Final = "BOOK"
_OPENING: Final = ("OPBD", "PRCD")
_CLOSING: Final = "CLBD"
_PLACEHOLDERS: Final = frozenset({"", "NOTPROVIDED", "NONREF", "NOREF", "N/A"})
_NAMES: Final = tuple(
    f"RltdPties/{party}{inner}/Nm" for party in ("Dbtr", "Cdtr", "UltmtDbtr", "UltmtCdtr") for inner in ("", "/Pty")
)
_ENTRY_REFERENCES: Final = ("NtryRef", "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId")
_REFERENCES: Final = (
    "Refs/EndToEndId",
    "Refs/TxId",
    "Refs/InstrId",
    "Refs/AcctSvcrRef",
    "Refs/PmtInfId",
    "RmtInf/Strd/CdtrRefInf/Ref",
)


def read_statements(content: bytes) -> tuple[Statement, ...]:
    """Every statement of the file.

    Raises:
        Rejected: `unreadable_file`, for what is not CAMT.053; also for one with a document type or entities.
    """
    try:
        statements = tuple(_statements(content))
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:  # the last two: of its encoding
        raise _unreadable(f"it is not XML that may be read: {type(error).__name__}") from error
    if not statements:
        raise _unreadable("there is no statement of camt.053 in it")
    return statements


def _statements(content: bytes) -> Iterator[Statement]:
    """Entries are let go as they are read: a year's file is no larger in memory than its lines."""
    read: list[BankEntry | Fault | None] = []
    number = 1
    for _, element in iterparse(BytesIO(content), events=("end",), forbid_dtd=True):
        name = _local_name(element.tag)
        if name == "Ntry":
            read.append(_entry(_plain(element), f"statement {number}, entry {len(read) + 1}"))
            element.clear()
        elif name == "Stmt":
            yield _statement(_plain(element), f"statement {number}", read)
            number += 1
            read = []
            element.clear()


@lru_cache(maxsize=1_024)
def _local_name(tag: str) -> str:
    found = _TAG.fullmatch(tag)
    return found[1] if found else ""


def _plain(element: Element) -> Element:
    """The same without namespaces, which differ by version only."""
    for each in element.iter():
        each.tag = _local_name(each.tag)
    return element


def _statement(element: Element, name: str, read: list[BankEntry | Fault | None]) -> Statement:
    opening = closing = None
    for balance in element.findall("Bal"):
        code = _text(balance, "Tp/CdOrPrtry/Cd")
        if code in _OPENING and opening is None:
            opening = _balance(balance, name)
        elif code == _CLOSING:
            closing = _balance(balance, name)
    return Statement(
        name=name,
        account=_text(element, "Acct/Id/IBAN") or _text(element, "Acct/Id/Othr/Id"),
        entries=tuple(each for each in read if isinstance(each, BankEntry)),
        opening=opening,
        closing=closing,
        faults=tuple(each for each in read if isinstance(each, Fault)),
        skipped=sum(each is None for each in read),
    )


def _balance(element: Element, where: str) -> Balance:
    currency, amount = _amount(element, f"{where}, balance")
    return Balance(currency, amount)


def _entry(element: Element, where: str) -> BankEntry | Fault | None:
    """None: it is not booked (yet)."""
    status = _text(element, "Sts/Cd") or _text(element, "Sts")
    if status != _BOOKED:
        return None
    try:
        return _booked(element, where)
    except Rejected as error:
        return Fault(where, error.code, error.message)


def _booked(element: Element, where: str) -> BankEntry:
    currency, amount = _amount(element, where)
    valued_on = _date(element, "ValDt")
    booked_on = _date(element, "BookgDt") or valued_on
    if booked_on is None:
        raise Rejected("invalid_time", "the entry has no date", field=where)
    details = element.findall("NtryDtls/TxDtls")
    references = [_text(element, path) for path in _ENTRY_REFERENCES]
    purposes = [_text(element, "AddtlNtryInf")]
    names: list[str | None] = []
    own = _reference(_text(element, "AcctSvcrRef"))
    if len(details) == 1:  # of a batch, each part has its own; none of them is the entry's
        (only,) = details
        references += [_text(only, path) for path in _REFERENCES]
        purposes += [*_texts(only, "RmtInf/Ustrd"), *_texts(only, "RmtInf/Strd/AddtlRmtInf"), _text(only, "AddtlTxInf")]
        names += [text for path in _NAMES for text in _texts(only, path)]
    return BankEntry(
        booked_on=booked_on,
        valued_on=valued_on,
        currency=currency,
        amount=amount,
        purposes=tuple(purpose for purpose in purposes if purpose),
        names=tuple(name for name in names if name),
        own_reference=own,
        references=tuple(reference for reference in map(_reference, references) if reference),
    )


def _amount(element: Element, where: str) -> tuple[str, int]:
    stated = element.find("Amt")
    direction = _text(element, "CdtDbtInd")
    if stated is None or direction not in ("CRDT", "DBIT"):
        raise Rejected("invalid_money", "there is no amount, or no direction of it", field=where)
    currency = stated.get("Ccy") or ""
    minor = minor_units((stated.text or "").strip(), currency, field=where)
    if minor < 0:  # ISO 20022 has none; whether it turns the direction round, nobody can tell
        raise Rejected("invalid_money", "an amount has a sign beside its direction", field=where)
    return currency, minor if direction == "CRDT" else -minor


def _date(element: Element, name: str) -> date | None:
    text = _text(element, f"{name}/Dt") or _text(element, f"{name}/DtTm")
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Rejected("invalid_time", "what stands there is not a date", field=name) from error


def _reference(text: str | None) -> str | None:
    return None if text is None or text.upper() in _PLACEHOLDERS else text


def _text(element: Element, path: str) -> str | None:
    return next(iter(_texts(element, path)), None)


def _texts(element: Element, path: str) -> list[str]:
    return [text for each in element.findall(path) if (text := (each.text or "").strip())]


def _unreadable(message: str) -> Rejected:
    return Rejected("unreadable_file", message, field="file", hint="export the statement as CAMT.053 again")
