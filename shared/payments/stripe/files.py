"""Stripe's itemised reports, as they are downloaded: `balance_change_from_activity.itemized.*` and
`payout_reconciliation.itemized.*`. CSV with the columns that somebody chose, found by their headings.

Amounts are in major units, other than in the API. Times without `_utc` in their column's name are in the time zone that
the report was run for. A report tells which automatic payout a movement is in; of the payout itself it tells only what
its own movement says, and nothing about how it went on. Source: docs.stripe.com, "Report types".
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from shared.finance.models import Fact, Feed, LineKind, Payout, PayoutState, SettlementLine
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.payments import references
from shared.payments.amounts import minor_units
from shared.payments.lenient import each_once
from shared.payments.port import AccountContext, Fault, FileFacts
from shared.payments.stripe.categories import kind_of

MOST_BYTES: Final = 50 * 1024 * 1024
_MOST_FAULTS: Final = 1_000
_NEEDED: Final = frozenset({"balance_transaction_id", "currency", "gross", "fee", "net", "reporting_category"})
_METADATA: Final = "payment_metadata["
_CHARGE_IDS: Final = ("ch_", "py_")
_ID: Final = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
_T = TypeVar("_T")


def read_report(content: bytes, context: AccountContext) -> FileFacts:
    """Read an itemised report (a `FileReader`). A row that cannot be read is a fault, and the others count.

    Raises:
        Rejected: `unreadable_file`, `file_too_large`.
    """
    if len(content) > MOST_BYTES:
        raise Rejected("file_too_large", f"the report has more than {MOST_BYTES} bytes", field="file")
    headings, rows = _table(content)
    facts: list[Fact] = []
    faults: list[Fault] = []
    for number, row in rows:
        try:
            facts += _facts_of(_Row(headings, row), context)
        except Rejected as error:
            if len(faults) < _MOST_FAULTS:
                column = f", column {error.field}" if error.field else ""
                faults.append(Fault(f"line {number}{column}", error.code, error.message))
    is_by_payout = headings[0].startswith("automatic_payout")
    kind = "stripe payout reconciliation report" if is_by_payout else "stripe balance report"
    return FileFacts(tuple(facts), tuple(faults), kind)


class _Row:
    """One movement, by the headings of its file."""

    def __init__(self, headings: list[str], cells: list[str]) -> None:
        if len(cells) != len(headings):
            raise Rejected("invalid_row", f"{len(cells)} fields, and {len(headings)} headings")
        self._cells = dict(zip(headings, (cell.strip() for cell in cells), strict=True))

    def text(self, *columns: str) -> str | None:
        """The first of the columns that has something in it."""
        return next((self._cells[column] for column in columns if self._cells.get(column)), None)

    def needed(self, column: str) -> str:
        text = self.text(column)
        if text is None:
            raise Rejected("missing_value", "nothing stands there", field=column)
        return text

    def id(self, column: str) -> str | None:
        """One of Stripe's ids."""
        text = self.text(column)
        if text is not None and not _ID.fullmatch(text):
            raise Rejected("invalid_id", "what stands there is no id of Stripe's", field=column)
        return text

    def minor(self, column: str, currency: str) -> int:
        return minor_units(self.needed(column), currency, field=column)

    def time(self, column: str, zone: str) -> datetime | None:
        """The column in UTC, or else the one in the report's own time zone."""
        utc = self.text(f"{column}_utc")
        if utc is not None:
            return parse_time(utc, field=f"{column}_utc")
        local = self.text(column)
        if local is None:
            return None
        return parse_time(local, field=column).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)

    def day(self, column: str) -> date | None:
        """A day, of which Stripe writes the midnight as well."""
        text = self.text(f"{column}_utc", column)
        return parse_time(f"{text[:10]}T00:00:00Z", field=column).date() if text is not None else None

    def metadata(self) -> Mapping[str, str]:
        return {
            heading.removeprefix(_METADATA).removesuffix("]"): cell
            for heading, cell in self._cells.items()
            if heading.startswith(_METADATA) and cell
        }


def _table(content: bytes) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        headings = [heading.strip().lower() for heading in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unreadable("it is no CSV in UTF-8") from error
    missing = sorted(_NEEDED - set(headings))
    if missing:
        raise _unreadable(f"it lacks the columns {', '.join(missing)}")
    if len(set(headings)) != len(headings):
        raise _unreadable("it has two columns of the same name")
    return headings, iter(rows)


def _unreadable(why: str) -> Rejected:
    return Rejected(
        "unreadable_file",
        f"this is no itemised report of Stripe's: {why}",
        field="file",
        hint="download balance_change_from_activity.itemized or payout_reconciliation.itemized as CSV",
    )


def _facts_of(row: _Row, context: AccountContext) -> tuple[Fact, ...]:
    line = _line(row, context)
    return (line, _payout(row, line)) if line.kind is LineKind.PAYOUT else (line,)


def _line(row: _Row, context: AccountContext) -> SettlementLine:
    currency = row.needed("currency").upper()
    gross, fee, net = (row.minor(column, currency) for column in ("gross", "fee", "net"))
    if gross - fee != net:
        raise Rejected("sums_differ", "gross less fee is not net", field="net")
    category = _needed(row.id("reporting_category"), "reporting_category")
    kind = kind_of(category, gross)
    source = row.id("source_id")
    is_charge = source is not None and source.startswith(_CHARGE_IDS)
    buyer_currency, buyer_amount = _buyer_money(row, gross)
    return SettlementLine(
        account=context.account,
        line_id=_needed(row.id("balance_transaction_id"), "balance_transaction_id"),
        kind=kind,
        category=category,
        occurred_at=_needed(row.time("created", context.time_zone), "created"),
        currency=currency,
        gross=gross,
        fee=fee,
        net=net,
        payment_id=row.id("charge_id") or (source if is_charge else None),
        source_id=None if is_charge else source,
        payout_id=row.id("automatic_payout_id") or (source if kind is LineKind.PAYOUT else None),
        references=_references(row),
        buyer_currency=buyer_currency,
        buyer_amount=buyer_amount,
        available_on=row.day("available_on"),
        feed=Feed.REPORT,
    )


def _references(row: _Row) -> tuple[str, ...]:
    own = (*references.of_metadata(row.metadata()), *references.exact(row.text("transfer_group")))
    intent = references.exact(row.text("payment_intent_id"))
    return each_once((*own, *intent, *references.numbered(row.text("description"))))


def _buyer_money(row: _Row, gross: int) -> tuple[str | None, int | None]:
    """Signed as the movement, whether the report writes it so or not."""
    currency = row.text("customer_facing_currency")
    if currency is None or row.text("customer_facing_amount") is None:
        return None, None
    amount = abs(row.minor("customer_facing_amount", currency.upper()))
    return currency.upper(), amount if gross >= 0 else -amount


def _payout(row: _Row, line: SettlementLine) -> Payout:
    """It has left the balance; whether it arrived, a report does not say."""
    return Payout(
        account=line.account,
        payout_id=_needed(line.source_id, "source_id"),
        state=PayoutState.IN_TRANSIT,
        vendor_state="reported",
        currency=line.currency,
        amount=-line.gross,
        issued_on=line.occurred_at.date(),
        arrives_on=row.day("automatic_payout_effective_at"),
        itemised=row.text("automatic_payout_id") is not None,
        references=each_once((line.source_id,)),
        stated_at=line.occurred_at,
        feed=Feed.REPORT,
    )


def _needed(value: _T | None, column: str) -> _T:
    if value is None:
        raise Rejected("missing_value", "nothing stands there", field=column)
    return value
