"""Where the third act plays: a stack with two shops, a Stripe that it asks, and files of PayPal's and the bank's."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from httpx import codes

from infra.cli.target import local_target
from infra.demo.finance_month import Gateway, month
from infra.demo.finance_orders import post_of
from infra.demo.finance_providers import BANK, BANK_COLUMNS, PAYPAL, PAYPAL_FEES, STRIPE_FEES, File, Providers
from infra.demo.stage import WORKERS, Stage
from infra.fakes.payment_twins import PaymentTwins, payment_twins
from infra.fakes.twins import contents, twins
from infra.local.provision import Contents
from infra.local.stack import ROOT, LocalStack, Options
from infra.samples.paypal import MERCHANT_ID
from shared.finance.cases import Case, CaseState
from shared.finance.ports import FinanceBook
from shared.finance.review import ReviewDesk
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.sync.finance.importing import ImportReport
from shared.wiring.finance_review import review_desk
from shared.wiring.finance_tables import finance_table
from shared.wiring.order_money import ExplainedOrder, explained
from shared.wiring.payment_files import GivenFile, take_in_for_account, take_in_for_bank

REPORTS: Final = ROOT / "build" / "demo" / "finance"
ZONE: Final = "Europe/Amsterdam"
_STOCK: Final = 5_000
APPROVAL_LIMIT: Final = 500
"""Cents from which on two people have to agree."""


@dataclass
class CountingHouse:
    """The stack, the shops, the providers, and the books."""

    stage: Stage
    twins: PaymentTwins
    providers: Providers
    statuses: Counter[int] = field(default_factory=Counter)
    """Of Stripe's deliveries."""
    first_run: Mapping[str, Any] = field(default_factory=dict)
    """What the first reconciliation answered."""
    first_cases: tuple[Case, ...] = ()
    closed: tuple[str, ...] = ()
    """Days that were closed."""
    reports: tuple[Path, ...] = ()
    """Files that were written."""

    @property
    def book(self) -> FinanceBook:
        return finance_table()

    @property
    def desk(self) -> ReviewDesk:
        return review_desk()

    def sell(self) -> int:
        """Every order's webhook, from several senders at once; how many were taken."""
        posts = [post_of(one, self.providers.payments.get(one.key)) for one in self.providers.month.purchases]
        return sum(_sent_again(posts, self.stage.deliver_at_once))

    def tell_of_payments(self) -> int:
        """Stripe's webhooks of all that has happened since the last time, signed now; how many were taken."""
        twin = self.twins.stripe
        events, twin.waiting = twin.waiting, []
        twin.told += events
        return sum(_sent_again(events, self._send_from_stripe))

    def _send_from_stripe(self, events: Sequence[Mapping[str, Any]]) -> list[int]:
        url = self.stage.stack.url
        with ThreadPoolExecutor(WORKERS) as senders:
            statuses = list(senders.map(lambda event: self.twins.stripe.send(dict(event), url), events))
        self.statuses.update(statuses)
        return statuses

    def take_in(self, file: File, account: str) -> ImportReport:
        """A file of a provider's, or of the bank's."""
        given = GivenFile(file.name, file.content)
        take = take_in_for_bank if account == BANK else take_in_for_account
        return take(given, account, actor="ann")

    def reconcile(self) -> Mapping[str, Any]:
        """What the deployed function answers: it reads Stripe's feed, then holds everything against each other."""
        return self._ask("payment-reconciliation", {})

    def close_days(self) -> Mapping[str, Any]:
        return self._ask("daily-close", {"until": self.providers.month.last.isoformat(), "actor": "ann"})

    def cases(self, *states: CaseState) -> tuple[Case, ...]:
        """All of them, or those in these states."""
        return tuple(self.book.cases(*(states or tuple(CaseState))))

    def case_about(self, item: str, kind: str) -> Case:
        """The one case of a kind about an item, or `LookupError`."""
        for case in self.cases():
            names = {str(case.discrepancy.subject), *map(str, case.discrepancy.others)}
            if case.discrepancy.kind == kind and item in names:
                return case
        raise LookupError(f"there is no case {kind} about {item}")

    def explain(self, key: str) -> ExplainedOrder:
        return explained(OrderKey.parse(key))

    def key_of(self, course: str) -> str:
        """The first order that goes this way."""
        return next(one.key for one in self.providers.month.purchases if one.course == course)

    @property
    def days(self) -> tuple[date, date]:
        """The first day of the month, and the last day of the books: today, in the merchant's time zone."""
        return self.providers.month.first - timedelta(days=1), utc_now().astimezone(ZoneInfo(ZONE)).date()

    def expected_at_providers(self) -> int:
        """Orders of which a provider's feed tells."""
        return sum(one.gateway is not Gateway.BANK_TRANSFER for one in self.providers.month.purchases)

    def snapshot(self) -> tuple[str, ...]:
        """Everything that a reconciliation writes, byte for byte."""
        since, until = self.days
        written = (
            *(one.model_dump_json() for one in self.book.matches(since, until)),
            *(one.model_dump_json() for one in self.cases()),
            *(one.model_dump_json() for one in self.book.entries(since, until)),
            *(one.model_dump_json() for one in self.book.records()),
        )
        return tuple(sorted(written))

    def _ask(self, function: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        (name,) = [name for name in self.stage.stack.deployment.functions if name.endswith(function)]
        answer = self.stage.stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        told: dict[str, Any] = json.load(answer["Payload"])
        if answer.get("FunctionError"):
            raise RuntimeError(f"{function} broke down: {told.get('errorType')}: {told.get('errorMessage')}")
        return told


_Sent = TypeVar("_Sent")
_MOST_ROUNDS: Final = 5


def _sent_again(messages: Sequence[_Sent], send: Callable[[Sequence[_Sent]], list[int]]) -> Iterator[int]:
    """Send, and send again what was not taken, as shops and providers do; how many were taken in each round."""
    for _ in range(_MOST_ROUNDS):
        statuses = send(messages)
        left = [message for message, status in zip(messages, statuses, strict=True) if not codes.is_success(status)]
        yield len(messages) - len(left)
        messages = left
        if not messages:
            return


@contextmanager
def counting_house() -> Iterator[CountingHouse]:
    """All of it, up until the block ends."""
    today = utc_now().date()
    with twins() as shops, payment_twins() as payments:
        made = with_books(payments.contents(contents(), stripe_eu=STRIPE_ACCOUNT))
        options = Options(contents=made, environment=shops.environment, environments_per_function=1)
        with LocalStack(options) as stack:  # more of them take turns on two cores, and each has to start
            stage = Stage.on(stack, shops)
            local_target(stack.url).enter(os.environ)
            for sku in sorted({item.sku for one in month(today).purchases for item in one.items}):
                stage.count_in(sku, _STOCK)
            yield CountingHouse(stage, payments, Providers(month(today), payments.stripe))


STRIPE_ACCOUNT: Final[Mapping[str, Any]] = {
    "gateways": ["stripe"],
    "bank": BANK,
    "bank_words": ["STRIPE"],
    "fees": {"percent": STRIPE_FEES[0], "fixed": {"EUR": STRIPE_FEES[1]}},
}
_PAYPAL_ACCOUNT: Final[Mapping[str, Any]] = {
    "vendor": "paypal",
    "merchant_id": MERCHANT_ID,
    "gateways": ["paypal", "ppcp-gateway"],
    "bank": BANK,
    "bank_words": ["PAYPAL"],
    "fees": {"percent": PAYPAL_FEES[0], "fixed": {"EUR": PAYPAL_FEES[1]}},
    "api_access": False,
    "tells_balance": False,
}


def with_books(made: Contents) -> Contents:
    """With the account that is known by files, the bank, and how the books are kept."""
    more: dict[str, Any] = {
        "payments": {**made.settings["payments"], PAYPAL: _PAYPAL_ACCOUNT},
        "banks": {BANK: {"currency": "EUR", "csv": BANK_COLUMNS}},
        "shops": {name: {**shop, "push_stock": False} for name, shop in made.settings["shops"].items()},
        "finance": {"time_zone": ZONE, "approval_limits": {"EUR": APPROVAL_LIMIT}},
    }
    return replace(made, settings={**made.settings, **more})
