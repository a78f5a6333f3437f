"""Journal entries of a day: a row each, with their lines in a sub-form."""

from shared.backoffices.documents import Journal, LedgerAccount, PostedJournal
from shared.backoffices.http import bug
from shared.backoffices.jiandaoyun.company import Company
from shared.backoffices.jiandaoyun.mapping import journal_data, posted_journal_of, text
from shared.backoffices.jiandaoyun.settings import JournalFields
from shared.backoffices.ledger import require_accounts, require_currency


class Journals(Company):
    """A form knows no drafts, no periods and no journals beside each other: a row that is entered counts."""

    def accounts(self) -> tuple[LedgerAccount, ...]:
        """One request for each 100 accounts; none where no form of accounts is mapped."""
        fields = self._mapping.accounts
        if fields is None:
            return ()
        found = {}
        for row in self._api.rows(fields):
            code = text(row, fields.code)
            if code is not None:
                kind = text(row, fields.kind) or "科目"
                found[code] = LedgerAccount(code=code, name=text(row, fields.name) or code, kind=kind)
        return tuple(found[code] for code in sorted(found))

    def posted_journal(self, key: str) -> PostedJournal | None:
        """One request."""
        fields = self._journal_fields()
        row = self._api.find(fields, fields.key, key)
        return posted_journal_of(row, fields, self._mapping.currency) if row is not None else None

    def post_journal(self, journal: Journal) -> str:
        """A new one: 3 requests, one more where accounts are mapped; a repeat: 1."""
        fields = self._journal_fields()
        row = self._api.find(fields, fields.key, journal.key)
        if row is None:
            if fields.currency is None:
                require_currency(journal, self._mapping.currency)
            if self._mapping.accounts is not None:
                require_accounts(journal, {account.code for account in self.accounts()}, "Jiandaoyun")
            row = self._api.create(fields, fields.key, journal.key, journal_data(journal, fields))
        return str(row["_id"])

    def _journal_fields(self) -> JournalFields:
        if self._mapping.journals is None:
            raise bug("no form of journals is mapped: the capabilities say so")
        return self._mapping.journals
