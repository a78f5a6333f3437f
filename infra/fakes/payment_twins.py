"""Payment providers on loopback, where the functions of a local stack reach them: their APIs, and their webhooks.

What is charged, given back, disputed and paid out at a twin is told by its API at once, and by a signed webhook when
:meth:`StripeTwin.deliver` is called. PayPal's webhooks are signed with a certificate at an address of PayPal's own, so
its twin has none; Shopify Payments are told of by the Shopify twin of `infra.fakes.twins`.
"""

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any, Final

import httpx

from infra.fakes.alipay import AlipayFake
from infra.fakes.paypal import CLIENT_ID, CLIENT_SECRET, FakePayPal
from infra.fakes.stripe import FakeStripe
from infra.local.answers import Answer
from infra.local.http_server import LoopbackServer, QuietHandler
from infra.local.provision import Contents
from infra.samples import stripe as samples
from infra.samples.paypal import WEBHOOK_ID
from shared.kernel.clock import Clock, utc_now
from shared.payments.stripe.signature import request_headers

Json = dict[str, Any]
Api = Callable[[httpx.Request], httpx.Response]

STRIPE: Final = "stripe-eu"
PAYPAL: Final = "paypal-eu"
ALIPAY: Final = "alipay-cn"
STRIPE_KEY: Final = "sk_made_up_twin"
STRIPE_SECRETS: Final = ("whsec_twin_new", "whsec_twin_old")
"""While the secret is rolled, Stripe signs with both, and so does the twin."""


@dataclass
class StripeTwin:
    """One Stripe account. Amounts are minor units by ISO 4217."""

    http: httpx.Client
    clock: Clock = utc_now
    api: FakeStripe = field(default_factory=lambda: FakeStripe(STRIPE_KEY))
    secrets: Sequence[str] = STRIPE_SECRETS
    told: list[Json] = field(default_factory=list)
    """Events that were sent, the oldest first."""
    waiting: list[Json] = field(default_factory=list)
    """Events that were made and not sent."""
    unlisted: set[str] = field(default_factory=set)
    """Movements that are in the balance, and in no list of the API: providers' lists lack some, or tell them late."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def charge(self, minor: int, currency: str, at: datetime | None = None, *, fee: int = 0, **metadata: str) -> str:
        """A buyer pays; the id of the charge. `metadata` is the merchant's own: `order_id`, `order_number`."""
        when = at or self.clock()
        charge_id = self.api.charge(minor, currency, when, metadata=metadata, fee=fee)
        self._tell("charge.succeeded", "charges", charge_id, when)
        return charge_id

    def refund(self, charge_id: str, minor: int, at: datetime | None = None) -> str:
        """Money goes back to the buyer; the id of the refund."""
        when = at or self.clock()
        refund_id = self.api.refund(charge_id, minor, when)
        self._tell("refund.created", "refunds", refund_id, when)
        return refund_id

    def dispute(self, charge_id: str, at: datetime | None = None, *, fee: int = 0) -> str:
        """A buyer's bank takes the charge back; the id of the dispute."""
        when = at or self.clock()
        dispute_id = self.api.dispute(charge_id, when, fee=fee)
        self._tell("charge.dispute.created", "disputes", dispute_id, when)
        return dispute_id

    def move(self, category: str, minor: int, currency: str, at: datetime | None = None) -> str:
        """A movement of any category, that comes from nothing else; its id. No webhook tells of it."""
        return self.api.move(category, minor, currency, at or self.clock())

    def pay_out(self, currency: str, at: datetime | None = None, *, arrives: datetime, short_by: int = 0) -> str:
        """Send to the bank what has come together; the payout's id. `short_by`: say that so much less was sent, as no
        provider should."""
        when = at or self.clock()
        payout_id = self.api.pay_out(currency, when, arrives=arrives)
        self.api.shown("payouts", payout_id)["amount"] -= short_by
        self._tell("payout.created", "payouts", payout_id, when)
        return payout_id

    def arrive(self, payout_id: str, at: datetime | None = None) -> None:
        """The bank has it."""
        self.api.arrive(payout_id)
        self._tell("payout.paid", "payouts", payout_id, at or self.clock())

    def amount_of(self, payout_id: str) -> int:
        """In Stripe's units."""
        return int(self.api.shown("payouts", payout_id)["amount"])

    def deliver(self, stack_url: str, *, account: str = STRIPE) -> list[int]:
        """Send the events that wait, in their order, signed now; the statuses that they were answered with."""
        sent, self.waiting = self.waiting, []
        self.told += sent
        return [self.send(event, stack_url, account=account) for event in sent]

    def send(self, event: Json, stack_url: str, *, account: str = STRIPE, secrets: Sequence[str] = ()) -> int:
        """Send one event, whether it was sent before or not, signed now; the status that it was answered with."""
        body = samples.encode(event)
        signed_at = int(self.clock().timestamp())
        headers = request_headers(body, *(secrets or self.secrets), signed_at=signed_at)
        return self.http.post(f"{stack_url}/webhooks/{account}/payments", content=body, headers=headers).status_code

    def movement_of(self, resource: str, object_id: str) -> Json:
        """The movement on the balance that a charge or a refund caused."""
        return self.api.shown("balance_transactions", self.api.shown(resource, object_id)["balance_transaction"])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """What callers of its API meet."""
        response = self.api(request)
        if not self.unlisted or request.url.path != "/v1/balance_transactions":
            return response
        told = response.json()
        told["data"] = [line for line in told["data"] if line["id"] not in self.unlisted]
        return httpx.Response(response.status_code, json=told)

    def _tell(self, kind: str, resource: str, object_id: str, at: datetime) -> None:
        told = copy.deepcopy(self.api.shown(resource, object_id))
        self.waiting.append(samples.event(kind, told, id=f"evt_{next(self._numbers)}", created=int(at.timestamp())))


@dataclass
class PaymentTwins:
    """Stripe, PayPal and Alipay."""

    stripe: StripeTwin
    paypal: FakePayPal
    alipay: AlipayFake
    ports: Mapping[str, int]
    """By our name of the account."""

    def address(self, account: str) -> str:
        return f"http://127.0.0.1:{self.ports[account]}"

    def contents(self, made: Contents, **of_accounts: Mapping[str, Any]) -> Contents:
        """Settings and secrets with these accounts connected: those of `of_accounts`, `stripe_eu={"gateways": [...]}`,
        with whatever more the settings are to say of them."""
        usual = self._settings()
        names = {name.replace("_", "-"): dict(more) for name, more in of_accounts.items()}
        payments = {name: {**usual[name], **more} for name, more in names.items()}
        webhooks = {name: kept for name, kept in self._webhook_secrets().items() if name in payments}
        api = {name: kept for name, kept in self._api_secrets().items() if name in payments}
        return replace(
            made,
            settings={**made.settings, "payments": {**made.settings.get("payments", {}), **payments}},
            secrets={
                **made.secrets,
                "webhooks": {**made.secrets["webhooks"], **webhooks},
                "api": {**made.secrets["api"], **api},
            },
        )

    def _settings(self) -> dict[str, Json]:
        return {
            STRIPE: {"vendor": "stripe", "address": self.address(STRIPE), "look_every_minutes": 0},
            PAYPAL: {"vendor": "paypal", "address": self.address(PAYPAL), "look_every_minutes": 0},
            ALIPAY: {
                "vendor": "alipay",
                "address": self.address(ALIPAY),
                "look_every_minutes": 0,
                "merchant_id": self.alipay.app_id,
                "currency": "CNY",
                "time_zone": "Asia/Shanghai",
            },
        }

    def _webhook_secrets(self) -> dict[str, list[str]]:
        return {STRIPE: list(self.stripe.secrets), PAYPAL: [WEBHOOK_ID], ALIPAY: [self.alipay.alipay.public]}

    def _api_secrets(self) -> dict[str, dict[str, str]]:
        return {
            STRIPE: {"secret_key": STRIPE_KEY},
            PAYPAL: {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            ALIPAY: self.alipay.credentials,
        }


@contextmanager
def payment_twins(clock: Clock = utc_now) -> Iterator[PaymentTwins]:
    """All providers, up on loopback."""
    with ExitStack() as stack:
        http = stack.enter_context(httpx.Client(timeout=30, trust_env=False))
        stripe = StripeTwin(http, clock)
        paypal, alipay = FakePayPal(clock), AlipayFake(clock)
        apis: dict[str, Api] = {STRIPE: stripe, PAYPAL: paypal, ALIPAY: alipay}
        ports = {name: stack.enter_context(closing(serve(api))).port for name, api in apis.items()}
        made = PaymentTwins(stripe, paypal, alipay, ports)
        alipay.bill_host = made.address(ALIPAY)
        yield made


def serve(api: Api, port: int = 0) -> LoopbackServer:
    """A provider that is a handler of requests, on loopback until it is closed. It answers one at a time."""
    return LoopbackServer(port, partial(_Handler, api, Lock()))


class _Handler(QuietHandler):
    def __init__(self, api: Api, lock: Lock, *arguments: Any) -> None:
        self._api = api
        self._lock = lock
        super().__init__(*arguments)

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
        self._respond("GET")

    def do_POST(self) -> None:  # noqa: N802
        self._respond("POST")

    def _respond(self, method: str) -> None:
        url = f"http://{self.headers['host']}{self.path}"
        request = httpx.Request(method, url, headers=list(self.headers.items()), content=self.read_body())
        with self._lock:
            response = self._api(request)
        kept = {name: value for name, value in response.headers.items() if name not in _OF_THE_WAY}
        self.answer(Answer(response.status_code, response.content, kept))


_OF_THE_WAY: Final = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding"})
