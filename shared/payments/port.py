"""The ports of a payment provider: what its deliveries say, what its API tells, what its files hold.

A vendor package has `signature.py` (how deliveries are signed), `schemas.py` (lenient, what they send), `mapping.py`
(to the facts of `finance.models`), `client.py` (what we ask), and `files.py` where it has reports or exports. A
category that the mapping does not know becomes a line of kind `unknown` with the provider's own word: it is queued for
staff, never dropped. What cannot be read at all is a :class:`Fault`, and the rest of the file counts.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.finance.models import Fact, Payment
from shared.kernel.model import Canonical
from shared.webhooks.delivery import Delivery


class AccountContext(NamedTuple):
    """What a mapping needs to know of the account whose data it reads."""

    account: str
    """Its short name in the settings."""
    merchant_id: str | None = None
    """The provider's own id of the merchant: what is signed for another is not ours."""
    currency: str | None = None
    """Of the balance, where the provider's data does not say."""
    time_zone: str = "UTC"
    """Of times without a zone."""


class PaymentReading(NamedTuple):
    """What one delivery says."""

    facts: tuple[Fact, ...] = ()
    look_up: tuple[str, ...] = ()
    """Ids of payments that the delivery only hints at: ask the API."""
    nothing: str | None = None
    """Why there is nothing to do; set when the others are empty."""
    oddities: tuple[str, ...] = ()
    """What looks odd, in words without anything personal; counted as a metric."""


PaymentReader = Callable[[Delivery, AccountContext], PaymentReading]
"""Raises `Rejected` for a delivery that cannot be read, `wrong_account` for one that names another merchant."""


class FeedPage(NamedTuple):
    facts: tuple[Fact, ...]
    cursor: str | None
    """Where the next page starts; None after the last."""


class FeedCapabilities(Canonical):
    vendor: str
    settles: bool = True
    """Tells settlement lines and payouts."""
    tells_balance: bool = True
    looks_up: bool = True
    lag_hours: int = 0
    """How long the provider takes until a movement is in its feed: what is younger than that is not missing."""
    tried: str
    """What this adapter was run against."""


class PaymentFeed(Protocol):
    """One account at one provider, by its API. Every method raises `Retry` (out of reach, throttled) or `Rejected`
    (`payments_auth`: it refuses our credentials; `payments_refused`)."""

    @property
    def capabilities(self) -> FeedCapabilities: ...

    def settled(self, since: datetime, until: datetime, cursor: str | None) -> FeedPage:
        """One page of settlement lines and payouts that came about from `since` on and before `until`. A page may
        repeat what another told."""
        ...

    def balances(self) -> FeedPage:
        """What the provider holds now, in one page."""
        ...

    def payment(self, payment_id: str) -> Payment | None:
        """One charge as it is now; None where there is no such."""
        ...


class Fault(NamedTuple):
    """A place in a file that cannot be read."""

    where: str
    """`line 12, column Net`."""
    code: str
    message: str


class FileFacts(NamedTuple):
    facts: tuple[Fact, ...]
    faults: tuple[Fault, ...] = ()
    kind: str = ""
    """What the file was recognised as: `stripe balance report`, `CAMT.053`."""
    skipped: int = 0
    """Rows that are no movements by design: totals, comments, summaries."""


FileReader = Callable[[bytes, AccountContext], FileFacts]
"""Raises `Rejected` `unreadable_file` for what is not of this kind at all, `file_too_large`."""
