"""The settings: one document for the whole deployment, validated as a whole.

In the cloud it is a Systems Manager parameter, named by `SETTINGS_PARAMETER`; `STOREBRIDGE_SETTINGS` names a TOML or
JSON file instead. Secrets are elsewhere (see `credentials`).
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, StringConstraints, ValidationError, field_validator, model_validator

from shared.customers.rules import AskFor, CustomerRules, PrivacyRules
from shared.finance.rules import AccountRules, FinanceRules, require_time_zone
from shared.inventory.low_stock import PlanningRules
from shared.inventory.models import LocationId
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import SHOP_PATTERN
from shared.kernel.model import Canonical, faults_of
from shared.kernel.money import CurrencyCode
from shared.orders.buyer_notices import BuyerNoticeKind
from shared.orders.review import ReviewRules
from shared.payments.bank.columns import BankColumns
from shared.sync.backoffice.rules import BookRules
from shared.sync.repair.rules import BaseUrl, RepairRules

ShopId = Annotated[str, StringConstraints(pattern=SHOP_PATTERN)]
_HOST = r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?$"


EmailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$", max_length=254)]


class BuyerMail(Canonical):
    """E-mail to one shop's buyers, through SES."""

    sender: EmailAddress
    """At an identity that SES has verified; the deployment's parameter `EmailIdentityArn` allows it."""
    sender_name: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f<>\"]{1,80}$")]
    """Whom buyers know: the shop's name."""
    reply_to: EmailAddress | None = None
    language: Literal["en", "zh"] = "en"
    """For buyers whose language is neither of the two, or not known."""
    notices: frozenset[BuyerNoticeKind] = frozenset()
    """Which notices of an order we send. Storefronts send most of them too: choose one of the two."""
    track_days: Annotated[int, Field(ge=1, le=730)] = 180
    """How long a link to an order's page holds."""


class ShopSettings(Canonical):
    """One storefront."""

    platform: Literal["shopify", "woocommerce"]
    address: Annotated[str, StringConstraints(pattern=_HOST)]
    """The host that the storefront names itself by, without a scheme: `aurora.myshopify.com`, `shop.example/store`."""
    locations: Annotated[tuple[LocationId, ...], Field(min_length=1)]
    """The stock locations that serve it, in the order of preference."""
    api_access: bool = True
    """False: we may not ask this shop anything; hints that need a question are set aside with that reason."""
    api_version: str = "2026-10"
    """Shopify's Admin API version."""
    push_stock: bool = True
    """Keep the levels that the shop shows in step with the pool."""
    stock_location: Annotated[str, StringConstraints(pattern=r"^\d{1,20}$")] | None = None
    """Shopify: the number of the location whose level is kept."""
    stock_buffer: Annotated[int, Field(ge=0)] = 0
    """Units that this shop never shows."""
    sweep_every_minutes: Annotated[int, Field(ge=0)] = 360
    """How long after a finished sweep the next one starts. Reading costs a Shopify shop about 4 points for each SKU,
    75 times as much as writing: 100,000 SKUs take 7 minutes of a Plus shop's limit and 67 of a Standard shop's."""
    order_delay_seconds: Annotated[int, Field(ge=1, le=800)] = 60
    """How long an order may take from the shop to here. A level that fell in the shop is not raised again earlier."""
    review: ReviewRules | None = None
    """This shop's own rules in place of the common ones."""
    repair: RepairRules = RepairRules()
    """How closely it is looked after: missed orders, its webhooks, its silence."""
    backoffice: ShopId | None = None
    """The name of the back office that its orders are recorded in. None: they stay here."""
    tell_storefront: bool = True
    """Tell the shop of shipments, completion and cancellation. Needs `api_access`."""
    notify_buyer: bool = True
    """Have the shop itself write to the buyer when goods leave."""
    customers: CustomerRules = CustomerRules()
    """How registrations are verified, matched, and kept in step with the back office."""
    buyers: BuyerMail | None = None
    """What we write to the shop's buyers ourselves. Nothing here: nothing, not even to verify an address."""
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """Where it sells from: how telephone numbers without a country are read. None: the first location's country."""

    @property
    def keeps_stock(self) -> bool:
        """Whether the levels that it shows are ours to keep: wanted, possible, and it is said where."""
        says_where = self.platform != "shopify" or self.stock_location is not None
        return self.push_stock and self.api_access and says_where

    @field_validator("address")
    @classmethod
    def _without_scheme(cls, address: str) -> str:
        return address.rstrip("/")

    @model_validator(mode="after")
    def _can_ask(self) -> "ShopSettings":
        if self.customers.verification.ask is not AskFor.OFF and self.buyers is None:
            raise ValueError("customers.verification.ask: name a sender under buyers, from whom the links come")
        return self


_LOOPBACK = r"http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?"
_URL = rf"^(?:https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{{1,5}})?(?:/[A-Za-z0-9._~/-]*)?|{_LOOPBACK}/?)$"


class BackOfficeSettings(BookRules):
    """One company in one back office, and how orders are to stand in its books."""

    vendor: Literal["tryton", "odoo", "erpnext", "jiandaoyun"]
    address: Annotated[str, StringConstraints(pattern=_URL)]
    """`https://erp.example`; plain HTTP on this machine alone."""
    database: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    """Tryton, Odoo: the database's name."""
    company: str | None = None
    """The company's name where the user belongs to several."""
    transport: Literal["json2", "jsonrpc"] = "json2"
    """Odoo: `jsonrpc` up to version 18."""
    mapping: dict[str, JsonValue] = {}
    """简道云: which of your forms and fields hold what; see `shared/backoffices/jiandaoyun/`."""
    look_every_minutes: Annotated[int, Field(ge=0, le=1440)] = 1
    """How often its changes are asked for. The schedule runs each minute; 0 takes every run, an extra one too."""

    @field_validator("address")
    @classmethod
    def _without_slash(cls, address: str) -> str:
        return address.rstrip("/")


class PaymentSettings(AccountRules):
    """One account of the merchant at a payment provider."""

    vendor: Literal["stripe", "paypal", "alipay", "wechatpay", "shopify_payments"]
    merchant_id: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")] | None = None
    """The provider's own id of the merchant: Stripe's `acct_…`, PayPal's merchant id, Alipay's app id, WeChat's mchid.
    Deliveries that name another one are refused."""
    shop: ShopId | None = None
    """Shopify Payments: the shop whose API tells of it."""
    api_access: bool = True
    """False: nothing is asked; feeds come as files, or by webhooks alone."""
    address: Annotated[str, StringConstraints(pattern=_URL)] | None = None
    """Of the provider's API, where it is not the usual one: a sandbox."""
    currency: CurrencyCode | None = None
    """Of the balance, where the provider's data does not say."""
    time_zone: str = "UTC"
    """Of the provider's times without a zone: Alipay's and WeChat's are `Asia/Shanghai`."""
    look_every_minutes: Annotated[int, Field(ge=0, le=10080)] = 180
    """How often its feed is asked for. The schedule runs every three hours; 0 takes every run, an extra one too."""

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str) -> str:
        return require_time_zone(name)

    @model_validator(mode="after")
    def _says_which(self) -> "PaymentSettings":
        if self.vendor == "shopify_payments" and self.shop is None:
            raise ValueError("shop: say whose Shopify Payments they are")
        if self.vendor in {"alipay", "wechatpay"} and self.merchant_id is None:
            raise ValueError("merchant_id: needed, for the provider signs deliveries of every merchant alike")
        return self


class BankSettings(Canonical):
    """One bank account of the merchant, whose statements are imported as files."""

    currency: CurrencyCode
    iban: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{5,34}$")] | None = None
    """Or the bank's own number of the account. Needed where its files hold several accounts."""
    only_payouts: bool = False
    """Whether nothing but payouts arrives there: a line that no payout explains is then an exception."""
    csv: BankColumns | None = None
    """Where the bank's CSV export keeps what. CAMT.053 and MT940 need nothing."""


class LocationSettings(Canonical):
    """A place that goods are kept at."""

    name: str
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None


class EmailChannel(Canonical):
    """Notices by e-mail, through SES."""

    sender: EmailAddress
    """At an identity that SES has verified; the deployment's parameter `EmailIdentityArn` allows it."""
    recipients: Annotated[tuple[EmailAddress, ...], Field(min_length=1, max_length=50)]


class ChatChannel(Canonical):
    """Notices to a chat's webhook."""

    kind: Literal["slack", "teams", "dingtalk", "feishu", "wecom"]
    secret: Annotated[str, StringConstraints(pattern=SHOP_PATTERN)]
    """The name under which the API secret holds `url`, and `signing_secret` where the robot signs."""


class NotificationSettings(Canonical):
    """How staff are told of things. Nothing here: nobody is, but what happens is recorded all the same."""

    language: Literal["en", "zh"] = "en"
    email: EmailChannel | None = None
    topic_arn: Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[\w-]+$")] | None = None
    """An SNS topic; the deployment's parameter `NoticeTopicArn` allows it."""
    chats: tuple[ChatChannel, ...] = ()

    @field_validator("chats")
    @classmethod
    def _each_once(cls, chats: tuple[ChatChannel, ...]) -> tuple[ChatChannel, ...]:
        names = [chat.secret for chat in chats]
        if len(set(names)) < len(names):
            raise ValueError("two chats name the same secret")
        return chats


_TO_ACT = 3
"""Days in which something that is missing is found by a run, whatever the weekday."""


class Settings(Canonical):
    merchant: str = ""
    locations: Annotated[dict[LocationId, LocationSettings], Field(min_length=1)]
    shops: dict[ShopId, ShopSettings] = {}
    backoffices: dict[ShopId, BackOfficeSettings] = {}
    payments: dict[ShopId, PaymentSettings] = {}
    """Payment accounts, by a short name of ours: `stripe-eu`."""
    banks: dict[ShopId, BankSettings] = {}
    finance: FinanceRules = FinanceRules()
    review: ReviewRules = ReviewRules()
    notifications: NotificationSettings = NotificationSettings()
    planning: PlanningRules = PlanningRules()
    privacy: PrivacyRules = PrivacyRules()
    public_url: BaseUrl | None = None
    """Where buyers reach this deployment's pages, without a slash at the end: `https://orders.example`. None: the
    address that the deployment's API has by itself."""

    @model_validator(mode="after")
    def _locations_exist(self) -> "Settings":
        for name, shop in self.shops.items():
            for location in shop.locations:
                if location not in self.locations:
                    raise ValueError(f"shops.{name}.locations: there is no location {location!r} under [locations]")
        return self

    @model_validator(mode="after")
    def _backoffices_exist(self) -> "Settings":
        for name, shop in self.shops.items():
            if shop.backoffice is not None and shop.backoffice not in self.backoffices:
                raise ValueError(f"shops.{name}.backoffice: there is no {shop.backoffice!r} under [backoffices]")
        for name, office in self.backoffices.items():
            if name in self.shops:
                raise ValueError(f"backoffices.{name}: a shop has this name, and both keep credentials under theirs")
            for location in (*office.warehouses, *office.owns_stock):
                if location not in self.locations:
                    raise ValueError(f"backoffices.{name}: there is no location {location!r} under [locations]")
            for location in office.owns_stock:
                if location not in office.warehouses:
                    raise ValueError(f"backoffices.{name}.owns_stock: {location!r} has no entry under warehouses")
        return self

    @model_validator(mode="after")
    def _payment_accounts_fit(self) -> "Settings":
        seen: dict[tuple[str, str], str] = {}
        for name, account in self.payments.items():
            if name in self.shops or name in self.backoffices:
                raise ValueError(f"payments.{name}: a shop or back office has this name, and secrets go by it")
            if account.bank is not None and account.bank not in self.banks:
                raise ValueError(f"payments.{name}.bank: there is no {account.bank!r} under [banks]")
            for shop in (*account.shops, *([account.shop] if account.shop else ())):
                if shop not in self.shops:
                    raise ValueError(f"payments.{name}: there is no shop {shop!r} under [shops]")
            for claim in ((shop, gateway) for shop in account.shops or self.shops for gateway in account.gateways):
                other = seen.setdefault(claim, name)
                if other != name:
                    raise ValueError(f"payments.{name}.gateways: {claim[1]!r} of shop {claim[0]} is {other}'s already")
        return self

    @model_validator(mode="after")
    def _looks_back_far_enough(self) -> "Settings":
        """What is only missing after so many days must still be looked at then."""
        for name, account in self.payments.items():
            needed = account.calendar.longest_wait_days + _TO_ACT
            if self.finance.look_back_days < needed:
                raise ValueError(
                    f"finance.look_back_days: {needed} at the least, for payments.{name}.calendar waits that long"
                )
        return self

    @model_validator(mode="after")
    def _ledger_reaches_a_backoffice(self) -> "Settings":
        name = self.finance.backoffice
        if name is not None and name not in self.backoffices:
            raise ValueError(f"finance.backoffice: there is no {name!r} under [backoffices]")
        return self

    @property
    def keeps_books(self) -> bool:
        """Whether what is owed and paid for orders is kept: once there is a payment account, or books have a start."""
        return bool(self.payments) or self.finance.books_from is not None

    def payment_account(self, name: str) -> PaymentSettings:
        """The payment account, or `Rejected` with code `unknown_account`."""
        if name not in self.payments:
            known = ", ".join(sorted(self.payments)) or "none"
            raise Rejected("unknown_account", f"no payment account {name!r}", field="account", hint=f"known: {known}")
        return self.payments[name]

    def bank(self, name: str) -> BankSettings:
        """The bank account, or `Rejected` with code `unknown_bank`."""
        if name not in self.banks:
            known = ", ".join(sorted(self.banks)) or "none"
            raise Rejected("unknown_bank", f"no bank account {name!r}", field="bank", hint=f"known: {known}")
        return self.banks[name]

    def backoffice(self, name: str) -> BackOfficeSettings:
        """The back office, or `Rejected` with code `unknown_backoffice`."""
        if name not in self.backoffices:
            known = ", ".join(sorted(self.backoffices)) or "none"
            message = f"no back office {name!r} is connected"
            raise Rejected("unknown_backoffice", message, field="backoffice", hint=f"known: {known}")
        return self.backoffices[name]

    def country_of(self, shop: str) -> str | None:
        """Where the shop sells from, as far as the settings tell."""
        connected = self.shop(shop)
        return connected.country or self.locations[connected.locations[0]].country

    def shops_of(self, backoffice: str) -> tuple[str, ...]:
        return tuple(name for name, shop in self.shops.items() if shop.backoffice == backoffice)

    def shop(self, name: str) -> ShopSettings:
        """The shop, or `Rejected` with code `unknown_shop`."""
        if name not in self.shops:
            known = ", ".join(sorted(self.shops)) or "none"
            raise Rejected("unknown_shop", f"no shop {name!r} is connected", field="shop", hint=f"known: {known}")
        return self.shops[name]

    def rules_of(self, shop: str) -> ReviewRules:
        return self.shop(shop).review or self.review


def parse_settings(document: Mapping[str, Any]) -> Settings:
    """Validate a settings document.

    Raises:
        Rejected: `invalid_settings`; the message lists every fault as `field: what is wrong`.
    """
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        faults = [(fault.field or "settings", fault.message) for fault in faults_of(error)]
        listed = "; ".join(f"{field}: {message}" for field, message in faults)
        raise Rejected("invalid_settings", listed, field=faults[0][0]) from error


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON settings file, or raise `Rejected`."""
    try:
        text = path.read_text(encoding="utf-8")
        document: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise Rejected("invalid_settings", f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Rejected("invalid_settings", f"{path} is not well-formed: {error}") from error
    if not isinstance(document, dict):
        raise Rejected("invalid_settings", f"{path} does not hold a table of settings")
    return document
