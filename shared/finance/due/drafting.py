"""Put an entry together, posting by posting."""

from datetime import date

from shared.finance.journal import Dimensions, DueEntry, Posting, Role, Topic

NOTHING = Dimensions()


class Draft:
    """The postings of one entry. Zero amounts leave no posting, and without postings there is no entry."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._postings: list[Posting] = []

    def post(
        self,
        role: Role,
        of: str | None,
        amount: int,
        dimensions: Dimensions = NOTHING,
        currency: str | None = None,
    ) -> None:
        """`amount` is a debit where it is positive; in the draft's own currency unless another is named."""
        if amount:
            self._postings.append(
                Posting(role=role, of=of, currency=currency or self._currency, amount=amount, dimensions=dimensions)
            )

    def entry(self, source: str, topic: Topic, on: date, narration: str) -> DueEntry | None:
        """Raises `ValueError` where debits and credits of a currency differ."""
        if not self._postings:
            return None
        return DueEntry(source=source, topic=topic, on=on, narration=narration, postings=tuple(self._postings))
