"""How one merchant's money is matched, booked and closed: the part of the settings that the pure rules need."""

import zoneinfo
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from shared.finance.accounts import Role
from shared.kernel.identifiers import SHOP_PATTERN
from shared.kernel.model import Canonical
from shared.kernel.money import CurrencyCode

ShortName = Annotated[str, StringConstraints(pattern=SHOP_PATTERN)]
Percent = Annotated[str, StringConstraints(pattern=r"^\d{1,2}(?:\.\d{1,6})?$")]
Limit = Annotated[int, Field(ge=0)]
AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(?:/[a-z0-9-]+)?$")]
"""A role, or one account of it: `clearing`, `clearing/stripe-eu`."""


class FeeModel(Canonical):
    """What the contract says that a charge costs. Without one, fees are reported and not judged."""

    percent: Percent = "0"
    """Of the gross amount: `"1.4"` is 1.4 %."""
    fixed: dict[CurrencyCode, Limit] = {}
    """In minor units, for each charge: `{"EUR": 25}`. A currency that is not here is not judged."""
    also: tuple[Percent, ...] = ()
    """Other percentages that the contract knows (foreign cards, American Express): a fee by any of them is right."""

    @property
    def percentages(self) -> tuple[Decimal, ...]:
        return tuple(Decimal(percent) for percent in (self.percent, *self.also))


class SettlementCalendar(Canonical):
    """When money is expected. Business days are Monday to Friday."""

    settles_days: Annotated[int, Field(ge=0, le=90)] = 7
    """From a capture to the payout that has it."""
    grace_days: Annotated[int, Field(ge=0, le=30)] = 3
    bank_days: Annotated[int, Field(ge=0, le=30)] = 5
    """Business days from a payout to its bank line."""
    feed_days: Annotated[int, Field(ge=0, le=30)] = 2
    """How long after a capture its line may appear in the feed."""

    @property
    def longest_wait_days(self) -> int:
        """Days after which whatever is missing is late: business days of the bank are counted with their weekends."""
        return max(self.settles_days + self.grace_days, self.bank_days * 7 // 5 + 2, self.feed_days + self.grace_days)


class AccountRules(Canonical):
    """One payment account: one merchant at one provider."""

    gateways: tuple[str, ...] = ()
    """What storefronts call it: `("stripe", "stripe_cc")`. An order's movement by one of these names is looked for
    here."""
    shops: tuple[ShortName, ...] = ()
    """The shops whose buyers pay by it; none: all shops."""
    bank: ShortName | None = None
    """Where its payouts arrive. None: bank lines are not expected."""
    bank_words: tuple[Annotated[str, StringConstraints(min_length=3, max_length=60)], ...] = ()
    """What the bank's text says of its payouts, in any case: `("STRIPE",)`. None given: any credit may be one."""
    fees: FeeModel | None = None
    calendar: SettlementCalendar = SettlementCalendar()
    tells_balance: bool = True
    """Whether a day closes only against the provider's own balance. False where none can be had."""


class FinanceRules(Canonical):
    time_zone: str = "UTC"
    """Where the merchant's days begin: `Europe/Amsterdam`."""
    books_from: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None
    """The first day of these books: what is older is looked at and not posted. None: everything is posted."""
    look_back_days: Annotated[int, Field(ge=7, le=400)] = 35
    """How far back each reconciliation judges; it looks further (see `finance.window`). What belongs to something
    older still is found by what it was matched with."""
    before_order_days: Annotated[int, Field(ge=0, le=30)] = 1
    after_order_days: Annotated[int, Field(ge=0, le=120)] = 30
    """How long before and after an order its payment may be, where only the amount speaks."""
    most_tenders: Annotated[int, Field(ge=2, le=6)] = 4
    """How many payments may pay one order together where no reference says so."""
    rounding_limit: Annotated[int, Field(ge=0, le=10)] = 1
    """Minor units for each line of an exchange that go to the rounding account by themselves."""
    outside_gateways: tuple[str, ...] = (
        "manual",
        "bogus",
        "gift_card",
        "cod",
        "cash",
        "bacs",
        "cheque",
        "bank_transfer",
    )
    """Payment methods that no feed tells of: nothing is expected of them."""
    unmatched_blocks_after_days: Annotated[int, Field(ge=0, le=90)] = 10
    """How old a discrepancy may become that does not block a close by its kind."""
    approval_limits: dict[CurrencyCode, Limit] = {}
    """Minor units from which on a write-off or a refund proposal needs a second person. A currency that is not here
    has the limit 0: two people always."""
    ledger_names: dict[AccountName, Annotated[str, StringConstraints(min_length=1, max_length=120)]] = {}
    """The merchant's own names of accounts in exports, for a role (`fees`) or one account of it (`fees/stripe-eu`,
    which goes first); `{of}` and `{currency}` stand for those."""
    backoffice: ShortName | None = None
    """The back office that daily journals are posted to. None: they are only exported."""
    backoffice_journal: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """Name of the back office's journal; None: its general one."""
    backoffice_accounts: dict[AccountName, Annotated[str, StringConstraints(min_length=1, max_length=64)]] = {}
    """The back office's account code for a role or one account of it, as above."""

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str) -> str:
        return require_time_zone(name)

    @field_validator("ledger_names", "backoffice_accounts")
    @classmethod
    def _name_roles(cls, names: dict[str, str]) -> dict[str, str]:
        for name in names:
            if name.partition("/")[0] not in frozenset(Role):
                raise ValueError(f"{name!r} names no role; there are: {', '.join(Role)}")
        return names

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


def require_time_zone(name: str) -> str:
    """The name, or `ValueError` where there is no such time zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as error:  # OSError: longer than a file's name may be
        raise ValueError(f"there is no time zone {name!r}: write one such as Europe/Amsterdam") from error
    return name
