from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import httpx

from infra.fakes.shopify_admin import TOKEN, Plan, ShopifyAdmin
from infra.fakes.shopify_payments import Json
from shared.kernel.money import currency_exponent
from shared.payments.port import AccountContext
from shared.payments.shopify_payments.client import ShopifyPaymentsClient
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi
from tests.contract.payments.providers import Keys

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class ShopifyPaymentsProvider:
    account = "shopify-eu"
    currencies: tuple[str, ...] = ("EUR", "JPY", "KWD")
    unknown_category: str | None = None
    """The schema's words are all known: a test holds the table against it."""

    def __init__(self) -> None:
        self.shop = ShopifyAdmin(lambda: NOW, Plan(maximum_available=1_000_000.0))
        self.shop.payments.active = True
        self.keys = Keys(access_token=TOKEN)
        self.charges: dict[str, Json] = {}
        self._statuses: list[int] = []

    def feed(self) -> ShopifyPaymentsClient:
        http = httpx.Client(transport=httpx.MockTransport(self._handle))
        api = AdminApi("aurora.myshopify.com", self.keys, http, API_VERSION, scopes="read_shopify_payments_payouts")
        return ShopifyPaymentsClient(AccountContext(self.account), api.ask, lambda: NOW)

    def take(self, minor: int, currency: str, at: datetime, *, order: str, fee: int = 0) -> str:
        gross, net = _major(minor, currency), _major(minor - fee, currency)
        charge = self.shop.payments.move("CHARGE", gross, net, at=at, order=(order, f"#{order}"), currency=currency)
        number = str(charge["sourceOrderTransactionId"])
        self.charges[number] = charge
        return number

    def give_back(self, payment_id: str, minor: int, at: datetime) -> str:
        charge = self.charges[payment_id]
        currency, order = charge["amount"]["currencyCode"], charge["associatedOrder"]
        refund = self.shop.payments.move(
            "REFUND",
            _major(-minor, currency),
            at=at,
            order=(order["id"].rpartition("/")[2], order["name"]),
            parent=charge,
            currency=currency,
        )
        return str(refund["sourceId"])

    def move(self, category: str, minor: int, currency: str, at: datetime) -> None:
        self.shop.payments.move(category, _major(minor, currency), at=at, currency=currency)

    def answer_next(self, status: int) -> None:
        self._statuses.append(status)

    def change_key(self) -> None:
        self.shop.tokens = {"shpat-2"}
        self.keys.stored["access_token"] = "shpat-2"

    def lock_out(self) -> None:
        self.shop.tokens = {"another's"}

    def held(self) -> Mapping[str, int]:
        held = self.shop.payments.held.items()
        return {currency: int(amount.scaleb(currency_exponent(currency))) for currency, amount in held}

    def _handle(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self._statuses.pop(0)) if self._statuses else self.shop.handler(request)


def _major(minor: int, currency: str) -> str:
    return str(Decimal(minor).scaleb(-currency_exponent(currency)))
