"""A shop, its payment providers and the deployed functions, all on this machine: what finance's whole way is played in.

The functions go by the real clock, so the business here is dated in the days before it: see :attr:`Business.today`.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from infra.cli.target import local_target
from infra.fakes.payment_twins import PaymentTwins, payment_twins
from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from infra.samples import shopify
from shared.dynamodb.table import connect
from shared.finance.cases import Case, CaseState
from shared.finance.journal import JournalEntry, Role
from shared.finance.models import DiscrepancyKind
from shared.finance.posting import entries_in_force
from shared.finance.review import ReviewDesk
from shared.finance.table import FinanceTable
from shared.finance.trial import balances_of
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.platform import aws, configuration
from shared.platform.kept import Kept
from shared.wiring import tables
from shared.wiring.finance_review import review_desk

ZONE = ZoneInfo("Europe/Amsterdam")
ADDRESS = "aurora.example.myshopify.com"
TABLE = "storebridge-finance"
SECRET = "aurora-finance-secret"
IBAN = "NL91ABNA0417164300"
CALENDAR = {"settles_days": 4, "grace_days": 1, "bank_days": 2, "feed_days": 1}

Json = dict[str, Any]


@dataclass
class Business:
    stack: LocalStack
    providers: PaymentTwins
    book: FinanceTable
    http: httpx.Client
    today: date
    """As it was when the business opened; the merchant's day."""

    # ---- time ----

    def day(self, ago: int) -> date:
        return self.today - timedelta(days=ago)

    def at(self, ago: int, hour: int = 12, minute: int = 0) -> datetime:
        """So many days ago, in the merchant's time."""
        return datetime.combine(self.day(ago), time(hour, minute), ZONE)

    # ---- what happens ----

    def order(
        self, number: int, minor: int, at: datetime, *, gateway: str = "stripe", changed: int = 0, **more: Any
    ) -> OrderKey:
        """A paid order in the shop, told by a signed webhook. `changed`: minutes after it, for a later version."""
        shop = shopify.Shop()
        line = shop.line(number, price=major(minor), sku="MUG", tax_lines=more.pop("tax_lines", []))
        moment = at.isoformat()
        body = shop.order(
            line,
            id=number,
            admin_graphql_api_id=shopify.gid("Order", number),
            name=f"#{number}",
            shipping_lines=[],
            payment_gateway_names=[gateway],
            **{
                "created_at": moment,
                "processed_at": moment,
                "updated_at": (at + timedelta(minutes=changed)).isoformat(),
                **more,
            },
        )
        assert self.webhook(body).status_code == 200
        return self.key(number)

    def webhook(self, body: Json, *, secret: str = SECRET) -> httpx.Response:
        request = shopify.signed_request(body, topic="orders/updated", secret=secret, address=ADDRESS)
        url = f"{self.stack.url}/webhooks/aurora/orders"
        return self.http.post(url, content=request.body, headers=request.headers)

    def refunded(self, number: int, minor: int, refund: int, at: datetime, refunded_at: datetime) -> OrderKey:
        """The order again, as it is after the shop gave money back."""
        shop = shopify.Shop()
        when = refunded_at.isoformat()
        moved = shop.transaction(
            number * 10,
            major(refund),
            kind="refund",
            gateway="stripe",
            created_at=when,
            processed_at=when,
        )
        given = shop.refund(number * 10 + 1, created_at=when, order_id=number, transactions=[moved])
        told: Json = {"refunds": [given], "financial_status": "partially_refunded", "updated_at": when}
        return self.order(number, minor, at, **told)

    def settle(self) -> list[int]:
        """The providers' webhooks arrive, and everything is taken in; what they were answered with."""
        answered = self.providers.stripe.deliver(self.stack.url)
        self.stack.drain()
        return answered

    def invoke(self, function: str, event: Mapping[str, Any] | None = None) -> Json:
        """Run a function as a schedule or an operator does.

        Raises:
            AssertionError: it failed.
        """
        outcome = self.stack.lambdas.invoke(f"storebridge-{function}", json.dumps(event or {}).encode())
        assert not outcome.failed, outcome.payload
        answer: Json = json.loads(outcome.payload)
        return answer

    def reconcile(self, **asked: Any) -> Json:
        return self.invoke("payment-reconciliation", asked)

    def close(self, until: date) -> Json:
        return self.invoke("daily-close", {"until": until.isoformat(), "actor": "ann"})

    # ---- what is kept ----

    def key(self, number: int) -> OrderKey:
        return OrderKey("aurora", str(number))

    def desk(self) -> ReviewDesk:
        """Where staff work on cases."""
        configuration._settings = Kept(configuration.load_settings)
        return review_desk()

    def cases(self, *states: CaseState) -> list[Case]:
        return list(self.book.cases(*(states or (CaseState.OPEN, CaseState.PROPOSED))))

    def cases_of(self, kind: DiscrepancyKind, *states: CaseState) -> list[Case]:
        return [one for one in self.cases(*states) if one.discrepancy.kind is kind]

    def case(self, kind: DiscrepancyKind, *states: CaseState, names: str = "") -> Case:
        """The one case of a kind, of which something is called so."""
        found = [one for one in self.cases_of(kind, *states) if _names(one, names)]
        assert len(found) == 1, [(str(one.discrepancy.subject), one.discrepancy.others) for one in found]
        return found[0]

    def entries(self) -> list[JournalEntry]:
        return list(self.book.entries(self.day(60), self.day(-2)))

    def balance(self, role: Role, of: str | None = None, currency: str = "EUR") -> int:
        """Of all that was ever posted."""
        return balances_of(self.entries()).get((role.value, of, currency), 0)

    def receivable(self, key: OrderKey) -> int:
        """What the ledger says that the buyer of one order still owes."""
        return sum(
            posting.amount
            for entry in entries_in_force(self.entries()).values()
            for posting in entry.postings
            if posting.role is Role.RECEIVABLE and posting.dimensions.order == str(key)
        )

    def held_at_stripe(self) -> int:
        return self.providers.stripe.api.held().get("eur", 0)

    def facts(self) -> list[str]:
        """Everything in the finance table but the balances, which each look at a provider adds to, and when it was
        reconciled."""
        items = self.stack.clients.dynamodb.scan(TableName=TABLE, ConsistentRead=True)["Items"]
        kept = [item for item in items if "balance" not in item["pk"]["S"] + item["sk"]["S"]]
        kept = [item for item in kept if item["pk"]["S"] != "state"]
        return sorted(json.dumps(item, sort_keys=True, default=_text, ensure_ascii=False) for item in kept)

    # ---- behind everybody's back ----

    def item(self, place: str) -> Json:
        """The one item of the trail at this place, as it is in the table."""
        items = self.stack.clients.dynamodb.scan(TableName=TABLE, ConsistentRead=True)["Items"]
        (found,) = [item for item in items if (item["pk"]["S"], item["sk"]["S"]) == ("audit", place)]
        raw: Json = found
        return raw

    def write(self, item: Json) -> None:
        self.stack.clients.dynamodb.put_item(TableName=TABLE, Item=item)

    def take_out(self, item: Json) -> None:
        self.stack.clients.dynamodb.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in self.stack.logs.glob("*.log"))


def _text(value: bytes) -> str:
    """A body as it is kept: packed."""
    return zlib.decompress(value).decode()


def _names(case: Case, name: str) -> bool:
    return any(name in str(item) for item in (case.discrepancy.subject, *case.discrepancy.others))


def major(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


@contextmanager
def business(*, finance: Mapping[str, Any] | None = None, **accounts: Mapping[str, Any]) -> Iterator[Business]:
    """Open it with these payment accounts (`stripe_eu={…}`), all of whose payouts arrive at one bank."""
    made = Contents(
        settings={
            "locations": {"main": {"name": "Main warehouse", "country": "NL"}},
            "shops": {
                "aurora": {"platform": "shopify", "address": ADDRESS, "locations": ["main"], "api_access": False}
            },
            "banks": {"main": {"currency": "EUR", "iban": IBAN}},
            "finance": {"time_zone": str(ZONE), **(finance or {})},
        },
        secrets={"webhooks": {"aurora": [SECRET]}, "api": {}},
    )
    with ExitStack() as exits:
        providers = exits.enter_context(payment_twins())
        http = exits.enter_context(httpx.Client(timeout=30, trust_env=False))
        options = Options(contents=providers.contents(made, **accounts), retry_after=0)
        stack = exits.enter_context(LocalStack(options))
        exits.enter_context(_entered(stack))
        book = FinanceTable(connect(), TABLE, zone=ZONE)
        yield Business(stack, providers, book, http, utc_now().astimezone(ZONE).date())


@contextmanager
def _entered(stack: LocalStack) -> Iterator[None]:
    """This process looks like one of the deployment's functions, as an operator's command does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in local_target(stack.url).variables.items():
            patch.setenv(name, value)
        _disconnect()
        try:
            yield
        finally:
            _disconnect()


def _disconnect() -> None:
    """Forget every client: the next one is of another stack."""
    for cached in (aws.sqs, aws.s3, aws.ssm, aws.secrets_manager, aws.events, tables.connection):
        cached.cache_clear()
    configuration._settings = Kept(configuration.load_settings)


STRIPE_RULES: Mapping[str, Any] = {
    "gateways": ["stripe"],
    "bank": "main",
    "bank_words": ["STRIPE"],
    "calendar": CALENDAR,
    "merchant_id": None,
}
