"""The merchant of the made-up month: ten shops in six currencies, and the accounts that take their buyers' money.

Fees and settlement days are of the usual size of such contracts, from general knowledge; no provider's price list was
read for them.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Final

from shared.finance.rules import AccountRules, FeeModel, FinanceRules, SettlementCalendar
from shared.kernel.money import currency_exponent


class Pace(Enum):
    """How an account pays out."""

    DAILY = "on every business day, each line named"
    WEEKLY = "on Fridays, each line named"
    SWEPT = "on Tuesdays, what is there: no line is named"


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    vendor: str
    currencies: tuple[str, ...]
    """Balances; whatever a buyer pays in another currency is exchanged into the first one."""
    rules: AccountRules
    pace: Pace = Pace.DAILY
    clears_days: int = 2
    """Business days until a movement may be paid out."""
    tells_payments: bool = True
    """Whether webhooks tell of each charge, so that there are `Payment` facts; disputes are told of everywhere."""
    lag: timedelta = timedelta(hours=4)
    """How long the feed of settlement lines takes."""

    @property
    def itemises(self) -> bool:
        return self.pace is not Pace.SWEPT

    @property
    def bank(self) -> str:
        """Where all its payouts arrive, in whatever currency."""
        return self.rules.bank or ""

    def fee(self, gross: int, currency: str, *, other: bool = False) -> int:
        """What the provider takes for a charge; `other`: by the dearer percentage, where the contract has one."""
        return self.known_fees(gross, currency)[1 if other and self._contract.also else 0]

    def known_fees(self, gross: int, currency: str) -> list[int]:
        """By each of the contract's percentages, the usual one first."""
        shares = (Decimal(gross) * percent / 100 for percent in self._contract.percentages)
        fixed = self._contract.fixed.get(currency, 0)
        return [int(share.quantize(Decimal(1), ROUND_HALF_UP)) + fixed for share in shares]

    @property
    def _contract(self) -> FeeModel:
        return self.rules.fees or _UNJUDGED


@dataclass(frozen=True, slots=True)
class Shop:
    id: str
    platform: str
    currency: str
    country: str
    tax_percent: str
    """Of the price before tax; `"0"` where there is none."""
    share: float
    """Of all orders."""
    first_number: int
    ways_to_pay: tuple[tuple[str, str, float], ...]
    """Account, gateway as the storefront calls it, and share."""
    buyers_from_abroad: tuple[str, ...] = ()
    """Currencies in which some of the buyers see and pay its prices."""
    tax_included: bool = True
    """In its prices."""


def _fees(percent: str, currency: str, fixed: int, *also: str) -> FeeModel:
    return FeeModel(percent=percent, fixed={currency: fixed}, also=also)


_UNJUDGED: Final = FeeModel(percent="2.75", fixed={"USD": 30})
"""Of the account whose contract the merchant has not written into the settings."""
_WEEKLY: Final = SettlementCalendar(settles_days=16, grace_days=3, bank_days=5, feed_days=2)

ACCOUNTS: Final = {
    account.id: account
    for account in (
        Account(
            "stripe-eu",
            "stripe",
            ("EUR",),
            AccountRules(
                gateways=("stripe", "stripe_cc"),
                shops=("borealis", "cygnus"),
                bank="bank-eur",
                bank_words=("STRIPE",),
                fees=_fees("1.5", "EUR", 25, "3.25"),
            ),
        ),
        Account(
            "stripe-b2b",
            "stripe",
            ("EUR",),
            AccountRules(
                gateways=("stripe",),
                shops=("hansa",),
                bank="bank-eur",
                bank_words=("STRIPE",),
                fees=_fees("1.9", "EUR", 25, "3.25"),
            ),
        ),
        Account(
            "stripe-uk",
            "stripe",
            ("GBP",),
            AccountRules(
                gateways=("stripe",),
                shops=("fjord",),
                bank="bank-gbp",
                bank_words=("STRIPE",),
                fees=_fees("1.5", "GBP", 20, "2.5"),
            ),
            clears_days=3,
        ),
        Account(
            "stripe-us",
            "stripe",
            ("USD",),
            AccountRules(gateways=("stripe",), shops=("dorado",), bank="bank-usd", bank_words=("STRIPE",)),
            pace=Pace.SWEPT,
        ),
        Account(
            "stripe-jp",
            "stripe",
            ("JPY",),
            AccountRules(
                gateways=("stripe",),
                shops=("tanuki",),
                bank="bank-jpy",
                bank_words=("ｽﾄﾗｲﾌﾟ", "STRIPE"),
                fees=_fees("3.6", "JPY", 0),
                calendar=_WEEKLY,
            ),
            pace=Pace.WEEKLY,
            clears_days=4,
        ),
        Account(
            "paypal",
            "paypal",
            ("EUR", "USD", "GBP"),
            AccountRules(
                gateways=("paypal", "ppcp-gateway"),
                shops=("aurora", "borealis", "cygnus", "dorado", "fjord"),
                bank="bank-eur",
                bank_words=("PAYPAL",),
                fees=FeeModel(percent="2.49", fixed={"EUR": 35, "USD": 49, "GBP": 30}, also=("3.4", "4.48")),
            ),
            pace=Pace.SWEPT,
            lag=timedelta(hours=24),
        ),
        Account(
            "shopify-aurora",
            "shopify",
            ("EUR",),
            AccountRules(
                gateways=("shopify_payments",),
                shops=("aurora",),
                bank="bank-eur",
                bank_words=("SHOPIFY",),
                fees=_fees("1.8", "EUR", 25, "3.3"),
            ),
            tells_payments=False,
        ),
        Account(
            "shopify-elara",
            "shopify",
            ("EUR",),
            AccountRules(
                gateways=("shopify_payments",),
                shops=("elara",),
                bank="bank-eur",
                bank_words=("SHOPIFY",),
                fees=_fees("2.1", "EUR", 30, "3.6"),
            ),
            tells_payments=False,
        ),
        Account(
            "shopify-dorado",
            "shopify",
            ("USD",),
            AccountRules(
                gateways=("shopify_payments",),
                shops=("dorado",),
                bank="bank-usd",
                bank_words=("SHOPIFY",),
                fees=_fees("2.9", "USD", 30, "3.5"),
            ),
            tells_payments=False,
        ),
        Account(
            "tap-kw",
            "tap",
            ("KWD",),
            AccountRules(
                gateways=("tap",),
                shops=("gulf",),
                bank="bank-kwd",
                bank_words=("TAP PAY",),
                fees=_fees("2.4", "KWD", 100),
            ),
        ),
        Account(
            "alipay-cn",
            "alipay",
            ("CNY",),
            AccountRules(
                gateways=("alipay",),
                shops=("ming",),
                bank="bank-cny",
                bank_words=("支付宝",),
                fees=_fees("0.6", "CNY", 0),
            ),
            pace=Pace.SWEPT,
            clears_days=1,
            lag=timedelta(hours=12),
        ),
        Account(
            "wechat-cn",
            "wechat",
            ("CNY",),
            AccountRules(
                gateways=("wechatpay",),
                shops=("ming",),
                bank="bank-cny",
                bank_words=("财付通",),
                fees=_fees("0.6", "CNY", 0),
            ),
            clears_days=1,
            lag=timedelta(hours=12),
        ),
    )
}

SHOPS: Final = (
    Shop(
        "aurora",
        "shopify",
        "EUR",
        "NL",
        "21",
        0.22,
        41_001,
        (("shopify-aurora", "shopify_payments", 0.8), ("paypal", "paypal", 0.2)),
        ("USD", "GBP"),
    ),
    Shop(
        "borealis",
        "woocommerce",
        "EUR",
        "DE",
        "19",
        0.16,
        5_001,
        (("stripe-eu", "stripe", 0.6), ("paypal", "ppcp-gateway", 0.4)),
        ("USD",),
    ),
    # Its numbers overlap with those of borealis, with which it shares its accounts: a number alone names no order.
    Shop(
        "cygnus",
        "woocommerce",
        "EUR",
        "FR",
        "20",
        0.12,
        6_001,
        (("stripe-eu", "stripe_cc", 0.7), ("paypal", "ppcp-gateway", 0.3)),
    ),
    Shop(
        "dorado",
        "shopify",
        "USD",
        "US",
        "8.25",
        0.16,
        1_001,
        (("shopify-dorado", "shopify_payments", 0.6), ("paypal", "paypal", 0.25), ("stripe-us", "stripe", 0.15)),
        tax_included=False,
    ),
    Shop(
        "elara",
        "shopify",
        "EUR",
        "IT",
        "22",
        0.08,
        1_001,
        (("shopify-elara", "shopify_payments", 1.0),),
        ("USD",),
    ),
    Shop(
        "fjord",
        "woocommerce",
        "GBP",
        "GB",
        "20",
        0.08,
        9_001,
        (("stripe-uk", "stripe", 0.8), ("paypal", "paypal", 0.2)),
        ("EUR",),
    ),
    Shop("tanuki", "medusa", "JPY", "JP", "10", 0.06, 701, (("stripe-jp", "stripe", 1.0),), ("USD",)),
    Shop("gulf", "woocommerce", "KWD", "KW", "0", 0.04, 301, (("tap-kw", "tap", 1.0),)),
    Shop(
        "ming",
        "medusa",
        "CNY",
        "CN",
        "13",
        0.06,
        20_001,
        (("alipay-cn", "alipay", 0.5), ("wechat-cn", "wechatpay", 0.5)),
    ),
    Shop("hansa", "medusa", "EUR", "DE", "19", 0.02, 88_001, (("stripe-b2b", "stripe", 1.0),), tax_included=False),
)

RULES: Final = FinanceRules(time_zone="Europe/Amsterdam")

_EUROS: Final = {"EUR": "1", "USD": "0.9217", "GBP": "1.1733", "JPY": "0.0062", "KWD": "3.0012", "CNY": "0.1287"}
"""What one unit of each currency is worth."""
_RATE: Final = Decimal("0.000001")


def rate(bought: str, kept: str) -> Decimal:
    """Units of `kept` for one unit of `bought`, to six decimals."""
    return (Decimal(_EUROS[bought]) / Decimal(_EUROS[kept])).quantize(_RATE)


def exchanged(minor: int, bought: str, kept: str, at_rate: Decimal) -> int:
    """An amount in `kept`'s minor units, to the nearest one; `at_rate` is of major units, as providers state it."""
    major = Decimal(minor).scaleb(-currency_exponent(bought)) * at_rate
    return int(major.scaleb(currency_exponent(kept)).quantize(Decimal(1), ROUND_HALF_UP))
