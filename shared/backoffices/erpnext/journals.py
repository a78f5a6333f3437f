"""Journal entries of a day: Journal Entries, found by their *Reference Number*, where our key stands.

From the definition of the doctype in ERPNext 15, read and never run. A code of the settings is an account's number, or
its name where it has no number. ERPNext has kinds of entries in place of journals: `Journal Entry`, `Bank Entry` …
"""

from decimal import Decimal
from typing import Any

from shared.backoffices.documents import Journal, LedgerAccount, PostedJournal
from shared.backoffices.erpnext.mapping import money
from shared.backoffices.erpnext.office import Office
from shared.backoffices.erpnext.schemas import CANCELLED, SUBMITTED, AccountRow, EntryDocument, fields_of, read
from shared.backoffices.http import bug, refused
from shared.backoffices.ledger import holds, missing_journal, require_accounts, require_currency, sums_of

ENTRY = "Journal Entry"

_KINDS = frozenset(
    {"Journal Entry", "Bank Entry", "Cash Entry", "Credit Card Entry", "Contra Entry", "Write Off Entry"}
)
"""Of those that ERPNext offers, the ones that mean nothing but themselves."""


class Journals(Office):
    def accounts(self) -> tuple[LedgerAccount, ...]:
        """One request. Groups of accounts take no entries, and are left out."""
        return tuple(
            LedgerAccount(code=code, name=row.account_name or row.name, kind=row.account_type or row.root_type or "?")
            for code, row in sorted(self._ledger().items())
        )

    def posted_journal(self, key: str) -> PostedJournal | None:
        """Three requests, one more that is made once; one where there is none."""
        entry = self._entry(key)
        return self._told_entry(entry) if entry is not None and entry.docstatus == SUBMITTED else None

    def post_journal(self, journal: Journal) -> str:
        """A submitted Journal Entry: 8 requests; a repeat: 2."""
        entry = self._entry(journal.key)
        if entry is None or entry.docstatus != SUBMITTED:
            entry = self._drafted_entry(journal, entry)
            self._api.submit(ENTRY, entry.name)
            entry = self._entry(journal.key)
        if entry is None or entry.docstatus != SUBMITTED:
            raise refused("ERPNext left the Journal Entry a draft: a workflow may stand against it")
        return entry.name

    def _drafted_entry(self, journal: Journal, entry: EntryDocument | None) -> EntryDocument:
        require_currency(journal, self._books_currency())
        kind = journal.journal or ENTRY
        if kind not in _KINDS:
            raise missing_journal(kind, "ERPNext")
        ledger = self._ledger()
        require_accounts(journal, ledger, "ERPNext")
        for line in journal.lines:
            if ledger[line.account].account_currency not in ("", journal.currency):
                require_currency(journal, ledger[line.account].account_currency)
        document = {
            "voucher_type": kind,
            "company": self._company,
            "posting_date": journal.posted_on.isoformat(),
            "cheque_no": journal.key,
            "cheque_date": journal.posted_on.isoformat(),
            "user_remark": journal.name,
            "accounts": [_row(ledger[line.account].name, line.amount.decimal, line.label) for line in journal.lines],
        }
        if entry is None:
            self._api.create(ENTRY, document)
        elif not holds(self._told_entry(entry), journal) or entry.posting_date != journal.posted_on.isoformat():
            self._api.update(ENTRY, entry.name, document)
        drafted = self._entry(journal.key)
        if drafted is None:
            raise bug("ERPNext does not show the Journal Entry that it has made")
        return drafted

    def _entry(self, key: str) -> EntryDocument | None:
        """Two requests: the older one of two, and its rows."""
        found = self._api.rows(
            ENTRY,
            ["name"],
            (("cheque_no", "=", key), ("company", "=", self._company), ("docstatus", "!=", CANCELLED)),
            order_by="creation asc",
        )
        document = self._api.document(ENTRY, str(found[0]["name"])) if found else None
        return read(EntryDocument, document) if document is not None else None

    def _told_entry(self, entry: EntryDocument) -> PostedJournal:
        """By the account's code as it is now; by its name where it takes entries no more."""
        currency = self._books_currency()
        codes = {row.name: code for code, row in self._ledger().items()}
        moved = (
            (
                codes.get(row.account, row.account),
                money(row.debit_in_account_currency - row.credit_in_account_currency, currency),
            )
            for row in entry.accounts
        )
        return PostedJournal(id=entry.name, sums=sums_of(moved, currency))

    def _ledger(self) -> dict[str, AccountRow]:
        """By code. The first of a number counts: ERPNext keeps numbers unique within a company."""
        filters = (("company", "=", self._company), ("is_group", "=", 0), ("disabled", "=", 0))
        found: dict[str, AccountRow] = {}
        for each in self._api.rows("Account", fields_of(AccountRow), filters, order_by="creation asc"):
            row = read(AccountRow, each)
            found.setdefault(row.account_number or row.name, row)
        return found

    def _books_currency(self) -> str:
        if self._currency is None:
            company = self._api.document("Company", self._company)
            self._currency = str((company or {}).get("default_currency"))
        return self._currency


def _row(account: str, amount: Decimal, label: str) -> dict[str, Any]:
    return {
        "account": account,
        "debit_in_account_currency": f"{max(amount, Decimal(0)):f}",
        "credit_in_account_currency": f"{max(-amount, Decimal(0)):f}",
        "user_remark": label,
    }
