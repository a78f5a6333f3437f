"""What kind of file somebody handed in, by how it begins. Pure: no vendor's reader is known here, only their marks."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from shared.kernel.errors import Rejected
from shared.payments.port import FileReader


class FileKind(StrEnum):
    STRIPE_REPORT = "stripe balance report"
    PAYPAL_SETTLEMENT = "paypal STL"
    ALIPAY_BILL = "alipay bill"
    WECHAT_BILL = "wechat bill"
    SHOPIFY_EXPORT = "shopify payments export"
    CAMT_053 = "CAMT.053"
    MT940 = "MT940"
    BANK_CSV = "bank csv"


_HEAD_BYTES: Final = 16 * 1024
_CAMT: Final = re.compile(rb"urn:iso:std:iso:20022:tech:xsd:camt\.053\.")
_MT940: Final = re.compile(rb"^:60[FM]:", re.MULTILINE)
_SHOPIFY: Final = (frozenset({"transaction date", "type", "fee", "net"}), frozenset({"payout date", "status", "total"}))
_STRIPE: Final = frozenset({"balance_transaction_id"})
_WECHAT: Final = ("交易时间,", "记账时间,", "\ufeff交易时间,", "\ufeff记账时间,")


def kind_of(name: str, content: bytes) -> FileKind | None:
    """By the content first; the name tells only what a zip is. None: it bears no mark; a bank's CSV bears none."""
    head = content[:_HEAD_BYTES]
    return next((kind for kind, bears in _MARKS if bears(name.lower(), head)), None)


def reader_of(name: str, content: bytes, readers: Mapping[FileKind, FileReader]) -> FileReader:
    """The reader for this file among those of one account. What bears no mark is taken for its bank's CSV, if the
    account is one whose CSV we know how to read.

    Raises:
        Rejected: `unknown_file`; `other_account` for a file of a kind that this account does not have.
    """
    kind = kind_of(name, content)
    if kind is None and FileKind.BANK_CSV in readers:
        kind = FileKind.BANK_CSV
    readable = ", ".join(sorted(readers)) or "no files at all"
    if kind is None:
        raise Rejected(
            "unknown_file",
            "the file bears no mark of any kind that we read",
            field="file",
            hint=f"hand in one of: {readable}; a bank's CSV needs its columns in the settings (banks.….csv)",
        )
    if kind not in readers:
        raise Rejected(
            "other_account", f"this is a {kind}; the account reads: {readable}", field="file", hint="name its account"
        )
    return readers[kind]


def _is_camt(_name: str, head: bytes) -> bool:
    return bool(_CAMT.search(_flat(head)))


def _flat(head: bytes) -> bytes:
    """UTF-16, as some banks write XML, has a zero beside each of these letters."""
    return head.replace(b"\0", b"")


def _is_mt940(_name: str, head: bytes) -> bool:
    return b":20:" in head and bool(_MT940.search(head.replace(b"\r", b"\n")))


def _is_paypal(_name: str, head: bytes) -> bool:
    return re.match(rb'\s*(?:\xef\xbb\xbf)?(?:"RH"|RH)[,;\t|]', head) is not None


def _is_wechat(_name: str, head: bytes) -> bool:
    return head.decode("utf-8", "ignore").lstrip().startswith(_WECHAT)


def _is_alipay(name: str, head: bytes) -> bool:
    if head.startswith(b"PK\x03\x04"):
        return True  # of these kinds, only Alipay's come packed
    heads = (head.decode(encoding, "ignore").lstrip("\ufeff") for encoding in ("gb18030", "utf-8"))
    return name.endswith(".csv") and any(text.startswith("#支付宝") for text in heads)


def _is_stripe(_name: str, head: bytes) -> bool:
    return _headings(head) >= _STRIPE


def _is_shopify(_name: str, head: bytes) -> bool:
    return any(_headings(head) >= needed for needed in _SHOPIFY)


def _headings(head: bytes) -> frozenset[str]:
    first = head.decode("utf-8-sig", "ignore").lstrip().partition("\n")[0]
    return frozenset(cell.strip().strip('"').lower() for cell in first.split(","))


_MARKS: Final[tuple[tuple[FileKind, Callable[[str, bytes], bool]], ...]] = (
    (FileKind.CAMT_053, _is_camt),
    (FileKind.MT940, _is_mt940),
    (FileKind.PAYPAL_SETTLEMENT, _is_paypal),
    (FileKind.WECHAT_BILL, _is_wechat),
    (FileKind.ALIPAY_BILL, _is_alipay),
    (FileKind.STRIPE_REPORT, _is_stripe),
    (FileKind.SHOPIFY_EXPORT, _is_shopify),
)
