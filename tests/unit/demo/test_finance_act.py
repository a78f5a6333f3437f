"""The act's month without a stack: the same deliveries, feed and files, by the same readers, into books in memory."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import httpx
import pytest
import tenacity

from infra.demo.finance_findings import Findings, held_against, named
from infra.demo.finance_month import WRONG, month
from infra.demo.finance_orders import post_of
from infra.demo.finance_providers import BANK, PAYPAL, Planted, Providers
from infra.demo.finance_stage import STRIPE_ACCOUNT, with_books
from infra.demo.shops import Post
from infra.fakes.payment_twins import STRIPE, STRIPE_KEY, StripeTwin
from infra.fakes.twins import contents
from infra.local.provision import Contents
from shared.finance.gather import Scope
from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.models import Discrepancy, DiscrepancyKind, Fact, Item, Subject
from shared.finance.reconcile_books import BooksDesk, Reconciled, reconcile_books
from shared.finance.statements import statement_of
from shared.finance.trial import balances_of, held_by, off_by
from shared.orders.readings import CompleteOrder
from shared.payments.bank.reader import reader_for
from shared.payments.paypal.files import read_settlement
from shared.payments.port import AccountContext
from shared.payments.stripe.client import StripeClient
from shared.platform.settings import Settings, parse_settings
from shared.storefronts.shopify.mapping import read_order as read_shopify
from shared.storefronts.woocommerce.mapping import read_order as read_woocommerce
from shared.webhooks.delivery import Delivery
from tests.fakes.finance import FakeFinanceBook

ZONE = "Europe/Amsterdam"


@dataclass
class Books:
    """What the act leaves in the tables."""

    providers: Providers
    book: FakeFinanceBook
    result: Reconciled

    @property
    def findings(self) -> Findings:
        return held_against(self.providers.planted, self.result.discrepancies)


def _books(today: date) -> Books:
    now = datetime.combine(today, time(9, 30), UTC)
    with httpx.Client(trust_env=False) as nobody:
        providers = Providers(month(today), StripeTwin(nobody, lambda: now))
    providers.live()
    settings = _settings()
    book = FakeFinanceBook(ZONE)
    book.keep(_facts(providers, settings, now))
    scope = Scope(settings.finance, settings.payments, frozenset({BANK}), (BANK,))
    once = tenacity.Retrying(stop=tenacity.stop_after_attempt(1), reraise=True)
    return Books(providers, book, reconcile_books(BooksDesk(book, scope, lambda: now, lambda: once)))


def _settings() -> Settings:
    made = contents()
    stripe = {"vendor": "stripe", **STRIPE_ACCOUNT}
    accounts = Contents({**made.settings, "payments": {STRIPE: stripe}}, made.secrets)
    return parse_settings(with_books(accounts).settings)


def _facts(providers: Providers, settings: Settings, now: datetime) -> Iterator[Fact]:
    for purchase in providers.month.purchases:
        reading = _read(post_of(purchase, providers.payments.get(purchase.key)), now)
        assert isinstance(reading, CompleteOrder)
        yield statement_of(reading.order, 1)
    yield from _feed(providers, now)
    for file in providers.settlement_reports():
        told = read_settlement(file.content, AccountContext(PAYPAL, settings.payments[PAYPAL].merchant_id))
        assert not told.faults
        yield from told.facts
    read_bank = reader_for("csv", settings.banks[BANK].csv, ("STRIPE", "PAYPAL"))
    for file in providers.statements():
        told = read_bank(file.content, AccountContext(BANK, currency="EUR"))
        assert not told.faults
        yield from told.facts


def _read(post: Post, now: datetime) -> object:
    is_shopify = post.shop == "aurora"
    delivery = Delivery(
        shop=post.shop,
        platform="shopify" if is_shopify else "woocommerce",
        topic="orders/create" if is_shopify else "order.created",
        received_at=f"{now:%Y-%m-%dT%H:%M:%S.000000000Z}",
        body=post.request.body,
    )
    return read_shopify(delivery) if is_shopify else read_woocommerce(delivery)


def _feed(providers: Providers, now: datetime) -> Iterator[Fact]:
    with httpx.Client(transport=httpx.MockTransport(providers.stripe.api)) as http:
        client = StripeClient(AccountContext(STRIPE), None, _credentials, http, lambda: now)
        cursor = None
        while True:
            page = client.settled(now - timedelta(days=35), now, cursor)
            yield from page.facts
            cursor = page.cursor
            if cursor is None:
                break
        yield from client.balances().facts


def _credentials(*, fresh: bool = False) -> Mapping[str, str]:
    return {"secret_key": STRIPE_KEY}


@pytest.fixture(scope="module", params=[0, 1, 2, 3, 4, 5, 6])
def books(request: pytest.FixtureRequest) -> Books:
    """Looked at on each day of a week: what is late must not hang on weekends."""
    return _books(date(2026, 11, 23) + timedelta(days=request.param))


def test_each_fault_is_found_and_rightly_named_and_nothing_else(books: Books) -> None:
    findings = books.findings
    assert [(one.planted, one.found) for one in findings.each if not one.is_named_right] == []
    assert findings.false == ()


def test_a_fault_of_every_kind_is_planted(books: Books) -> None:
    planted = {one.kind for one in books.providers.planted}
    assert planted >= {kind for kinds in WRONG.values() for kind in kinds}
    assert planted >= {
        DiscrepancyKind.PAYOUT_SHORT,
        DiscrepancyKind.BANK_MISSING,
        DiscrepancyKind.UNKNOWN_TXN,
        DiscrepancyKind.RESERVE_HELD,
        DiscrepancyKind.UNEXPECTED_BANK_LINE,
    }


def test_charges_belong_to_the_orders_that_they_paid(books: Books) -> None:
    truth = {charge: key for charge, key in books.providers.charges.items() if key}
    assert books.book.orders_of_charges(books.providers.charges) == truth


def test_every_payout_sends_money_to_the_bank(books: Books) -> None:
    assert all(payout.amount > 0 for payout in books.book.payouts(STRIPE, date.min, date.max))
    assert all(line.amount > 0 for line in books.book.bank_lines(BANK, date.min, date.max))


def test_the_books_hold_what_the_providers_hold(books: Books) -> None:
    balances = balances_of(books.book.entries(date.min, date.max))
    assert off_by(balances) == {}
    assert held_by(balances, STRIPE, "EUR") == books.providers.stripe_holds
    assert held_by(balances, PAYPAL, "EUR") == books.providers.paypal_holds


def test_what_an_order_asks_for_is_what_its_buyer_paid(books: Books) -> None:
    totals = {one.key: one.total for one in books.providers.month.purchases}
    stated = {str(one.key): one.sale.total for one in books.book.orders(date.min, date.max) if one.sale}
    assert stated == totals


def test_statements_add_up_without_an_adjustment(books: Books) -> None:
    documents = [
        document
        for order in books.book.orders(date.min, date.max)
        for document in (order.sale, *order.reductions)
        if document is not None
    ]
    assert Counter(document.adjustment for document in documents) == {0: len(documents)}


# ---- holding what was found against what was planted ----

_LINE = Item(subject=Subject.LINE, id="stripe-eu/txn_1")
_PLANTED = Planted(DiscrepancyKind.FEE_VARIANCE, "too dear", frozenset({str(_LINE)}))


def _found(kind: DiscrepancyKind, subject: Item = _LINE) -> Discrepancy:
    return discrepancy(kind, subject, Figures("EUR", 0, 1), Place(date(2026, 11, 1)), ())


def test_an_exception_of_its_own_kind_goes_before_another() -> None:
    right, other = _found(DiscrepancyKind.FEE_VARIANCE), _found(DiscrepancyKind.UNKNOWN_TXN)
    findings = held_against([_PLANTED], [other, right])
    assert findings.each[0].found == right
    assert findings.false == (other,)
    assert not findings.are_right


def test_a_fault_that_is_called_otherwise_is_found_and_not_named_right() -> None:
    findings = held_against([_PLANTED], [_found(DiscrepancyKind.UNKNOWN_TXN)])
    assert findings.each[0].found is not None
    assert not findings.each[0].is_named_right
    assert not findings.are_right


def test_a_fault_that_nothing_speaks_of_is_not_found() -> None:
    elsewhere = _found(DiscrepancyKind.FEE_VARIANCE, Item(subject=Subject.LINE, id="stripe-eu/txn_2"))
    findings = held_against([_PLANTED], [elsewhere])
    assert findings.each[0].found is None
    assert findings.false == (elsewhere,)


def test_a_bank_line_is_named_by_the_banks_own_number() -> None:
    assert named(Item(subject=Subject.BANK, id="main/90008~1a2b3c4d")) == "bank:main/90008"
