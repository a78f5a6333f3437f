"""Bank files of the shapes that banks send, made up."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple
from xml.sax.saxutils import escape

from shared.payments.port import AccountContext

BANK = AccountContext("bank-eu", currency="EUR")
WORDS = ("STRIPE", "Shopify")
IBAN = "NL91ABNA0417164300"


class Move(NamedTuple):
    day: str
    amount: str
    """Signed, in major units."""
    text: str = "STRIPE PAYOUT"
    reference: str | None = None
    name: str = ""
    end_to_end: str = "NOTPROVIDED"
    status: str = "BOOK"
    more: str = ""
    """Further XML of the entry."""


def camt(*statements: str, version: str = "02") -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    body = "".join(statements)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{space}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M1</MsgId></GrpHdr>{body}</BkToCstmrStmt></Document>"
    ).encode()


def camt_statement(
    moves: Sequence[Move],
    *,
    opening: str | None = "100.00",
    closing: str | None = None,
    currency: str = "EUR",
    iban: str = IBAN,
    version: str = "02",
) -> str:
    """With the closing balance that follows from the movements, unless told another; None as opening: no balances."""
    total = sum((Decimal(move.amount) for move in moves if move.status == "BOOK"), Decimal(opening or 0))
    balances = "" if opening is None else _balance("OPBD", opening, currency)
    balances += "" if opening is None else _balance("CLBD", closing or str(total), currency)
    entries = "".join(camt_entry(move, currency, version) for move in moves)
    return f"<Stmt><Id>S1</Id><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{balances}{entries}</Stmt>"


def _balance(code: str, amount: str, currency: str) -> str:
    direction = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{direction}</CdtDbtInd></Bal>'
    )


def camt_entry(move: Move, currency: str = "EUR", version: str = "02") -> str:
    party = f"<Nm>{escape(move.name)}</Nm>"
    status = move.status
    if version >= "04":
        party, status = f"<Pty>{party}</Pty>", f"<Cd>{status}</Cd>"
    reference = f"<AcctSvcrRef>{move.reference}</AcctSvcrRef>" if move.reference else ""
    details = move.more or (
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{move.end_to_end}</EndToEndId></Refs>"
        f"<RltdPties><Dbtr>{party}</Dbtr><DbtrAcct><Id><IBAN>{IBAN}</IBAN></Id></DbtrAcct></RltdPties>"
        f"<RmtInf><Ustrd>{escape(move.text)}</Ustrd></RmtInf></TxDtls></NtryDtls>"
    )
    return (
        f'<Ntry><Amt Ccy="{currency}">{move.amount.lstrip("-")}</Amt>'
        f"<CdtDbtInd>{'DBIT' if move.amount.startswith('-') else 'CRDT'}</CdtDbtInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>{move.day}</Dt></BookgDt><ValDt><Dt>{move.day}</Dt></ValDt>{reference}{details}</Ntry>"
    )


def mt940(moves: Sequence[Move], *, opening: str = "100.00", closing: str | None = None, currency: str = "EUR") -> str:
    total = sum((Decimal(move.amount) for move in moves), Decimal(opening))
    lines = [
        ":20:START",
        f":25:{IBAN}",
        ":28C:00001/001",
        f":60F:{_signed(opening)[0]}261101{currency}{_signed(opening)[1]}",
    ]
    for move in moves:
        mark, amount = _signed(move.amount)
        day = move.day.replace("-", "")
        lines.append(f":61:{day[2:]}{day[4:]}{mark}{amount}NTRF{move.end_to_end[:16]}//{move.reference or 'NONREF'}")
        lines.append(f":86:166?00GUTSCHRIFT?20{move.text}?32{move.name}")
    ends = _signed(closing or str(total))
    lines.append(f":62F:{ends[0]}261130{currency}{ends[1]}")
    return "\r\n".join([*lines, ":86:THE END OF THE STATEMENT", "-", ""])


def _signed(amount: str) -> tuple[str, str]:
    return ("D" if amount.startswith("-") else "C"), amount.lstrip("-").replace(".", ",")
