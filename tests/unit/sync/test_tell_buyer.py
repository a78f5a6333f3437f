"""Buyers are written to once for each matter, in their language, and not at all where nobody knows or wants it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.customers.record import Verification, VerificationState
from shared.customers.verify import VERIFY, confirm, nonce_of
from shared.kernel import links
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import CustomerKey
from shared.kernel.links import Link, sign
from shared.orders.buyer_notices import BuyerNoticeKind
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import Order, PersonalData
from shared.orders.record import Hold
from shared.sync.backoffice.mirror import Mirror, Told
from shared.sync.tell_buyer import (
    TRACK,
    BuyerDesk,
    NoticeLetter,
    VerificationDesk,
    VerificationLetter,
    language_of,
    send_verification,
    tell_buyer,
)
from tests.builders.buyers import NUMBER, UNVERIFIED, paid_back, parcel, record, sent
from tests.builders.customers import MARKER, customer, customer_desk, kept, profile
from tests.builders.orders import NOON, line, order, shipment
from tests.fakes.buyer_mail import FakeMailer
from tests.fakes.customers import FakeCustomerBook
from tests.fakes.mirrors import FakeMirrors
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom
from tests.fakes.stock_watch import FakeNoticeLog

KEYS = (b"a link key of the tests",)
MUGS = ("line-MUG", 2)
BUSY = Retry("buyer_mail_busy", "later")
UNUSABLE = Rejected("address_unusable", "no address")


def address_of(link: Link) -> str:
    return f"https://orders.example/{link.purpose}/{sign(link, KEYS)}"


def opened(address: str, purpose: str, now: datetime = NOON) -> Link:
    start, _, token = address.rpartition("/")
    assert start == f"https://orders.example/{purpose}"
    return links.read(token, purpose, keys=KEYS, now=now)


class Shop:
    """A shop with one order, and whoever writes to its buyer."""

    def __init__(self, account: Order | None = None, **of_record: Any) -> None:
        self.account = account or order(line("MUG", 2))
        self.book = FakeOrderBook(FakeStockRoom())
        self.mirrors = FakeMirrors()
        self.log = FakeNoticeLog()
        self.mailer = FakeMailer()
        self.now = NOON
        self.change(**of_record)

    def change(self, account: Order | None = None, **of_record: Any) -> None:
        self.account = account or self.account
        self.book.accounts[self.account.key] = self.account
        self.book.records[self.account.key] = record(self.account, **of_record)

    def sends(self, *dispatches: Any, **told: Any) -> None:
        key = self.account.key
        self.mirrors.mirrors[key] = Mirror(
            shop=key.shop, order_id=key.order_id, backoffice="erp", dispatches=tuple(dispatches)
        )
        self.mirrors.told[key] = Told(shop=key.shop, order_id=key.order_id, **told)

    @property
    def desk(self) -> BuyerDesk:
        return BuyerDesk(
            orders=self.book,
            mirrors=self.mirrors,
            log=self.log,
            mailer=self.mailer,
            address_of=address_of,
            kinds=frozenset(BuyerNoticeKind),
            language="en",
            track_days=30,
            clock=lambda: self.now,
        )

    def tell(self) -> dict[str, int]:
        return tell_buyer(self.account.key, self.desk).sent

    @property
    def letters(self) -> list[NoticeLetter]:
        return [letter for letter in self.mailer.sent if isinstance(letter, NoticeLetter)]


def test_a_letter_has_the_goods_the_parcels_and_a_link_to_the_orders_page() -> None:
    mug = line("MUG", 2, title="Mug", variant_title="Blue")
    shop = Shop(order(mug, line("CUP", 1)), fulfilment=FulfilmentState.PARTIALLY_SHIPPED)
    shop.sends(sent(MUGS, parcels=(parcel(),)))
    assert shop.tell() == {"confirmed": 1, "shipped": 1}
    letter = shop.letters[1]
    assert (letter.to, letter.language, letter.order_name) == ("eve@example.test", "en", "#5001")
    assert [(goods.title, goods.units) for goods in letter.goods] == [("Mug – Blue", 2)]
    assert [one.number for one in letter.parcels] == [NUMBER]
    assert opened(letter.link, TRACK) == Link(TRACK, "aurora/5001", NOON + timedelta(days=30))


def test_nothing_is_sent_twice() -> None:
    shop = Shop(order(line("MUG", 2), refunds=(paid_back("5.00", "USD"),)), fulfilment=FulfilmentState.SHIPPED)
    shop.sends(sent(MUGS))
    assert shop.tell() == {"confirmed": 1, "shipped": 1, "refunded": 1}
    assert str(shop.letters[2].amount) == "5.00 USD"
    assert shop.tell() == {}


def test_the_consignment_and_the_fulfilment_that_shows_it_are_one_letter() -> None:
    shop = Shop(fulfilment=FulfilmentState.SHIPPED)
    shop.sends(sent(MUGS))
    shop.tell()
    shown = shipment(("line-MUG", 1), at=NOON + timedelta(minutes=5))
    shop.change(order(line("MUG", 2), fulfilments=(shown,)), fulfilment=FulfilmentState.SHIPPED)
    shop.sends(sent(MUGS), known={"erp/out/1": "ship-0,ship-1"})
    assert shop.tell() == {}


def test_one_that_fails_stops_no_other_and_comes_again_alone() -> None:
    shop = Shop(fulfilment=FulfilmentState.SHIPPED)
    shop.sends(sent(MUGS))
    shop.mailer.failures = [BUSY]
    with pytest.raises(Retry, match="notice_undelivered") as caught:
        shop.tell()
    assert "eve@" not in str(caught.value)
    assert [letter.kind for letter in shop.letters] == [BuyerNoticeKind.SHIPPED]
    assert shop.tell() == {"confirmed": 1}


def test_an_address_that_takes_no_mail_is_counted_and_left_alone() -> None:
    shop = Shop()
    shop.mailer.failures = [UNUSABLE]
    outcome = tell_buyer(shop.account.key, shop.desk)
    assert (outcome.sent, outcome.refused) == ({}, 1)
    assert tell_buyer(shop.account.key, shop.desk).refused == 0
    assert shop.mailer.sent == []


@pytest.mark.parametrize("personal", [PersonalData(), PersonalData(email="")])
def test_a_buyer_who_is_not_known_or_was_forgotten_is_told_nothing(personal: PersonalData) -> None:
    shop = Shop(order(line("MUG", 2), personal=personal))
    assert shop.tell() == {}
    assert shop.log.taken_by == {}


def test_an_order_that_is_not_here_is_told_nothing() -> None:
    shop = Shop()
    shop.book.records.clear()
    assert shop.tell() == {}
    shop.change()
    shop.book.accounts.clear()
    assert shop.tell() == {}


@pytest.mark.parametrize(
    ("locale", "language"),
    [("zh-CN", "zh"), ("zh_TW", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("de", "en"), (None, "en")],
)
def test_the_buyers_language_goes_before_the_shops(locale: str | None, language: str) -> None:
    shop = Shop(order(line("MUG", 2), personal=PersonalData(email="eve@example.test", locale=locale)))
    shop.tell()
    assert shop.letters[0].language == language


def test_a_language_that_only_begins_like_ours_is_not_ours() -> None:
    assert [language_of(locale) for locale in ("enm", "zha-CN", "", "-")] == [None] * 4


def test_an_order_that_waited_long_is_confirmed_all_the_same() -> None:
    shop = Shop(review=ReviewState.HELD, holds=(Hold(reason=UNVERIFIED),))
    assert shop.tell() == {"held_for_verification": 1}
    shop.now += timedelta(days=8)
    shop.change()
    assert shop.tell() == {"confirmed": 1}
    assert shop.tell() == {}


# ---- the link that proves an address ---------------------------------------------------------------------------------


class Register:
    """A customer who was asked."""

    key = CustomerKey.parse("aurora/customer/17")

    def __init__(self, *, email: str | None = "eve@example.test", asked: int = 1, **of_profile: Any) -> None:
        self.book = FakeCustomerBook()
        mark = MARKER.email("eve@example.test")
        self.pending = Verification(state=VerificationState.PENDING, mark=mark, asked=asked)
        kept(self.book, customer(personal=profile(email=email, **of_profile)), verification=self.pending)
        self.log = FakeNoticeLog()
        self.mailer = FakeMailer()

    def is_now(self, **changes: Any) -> None:
        self.book.records[self.key] = self.book.records[self.key].model_copy(update=changes)

    def send(self, asked: int = 1) -> dict[str, int]:
        desk = VerificationDesk(
            customers=self.book,
            marker=MARKER,
            log=self.log,
            mailer=self.mailer,
            address_of=address_of,
            language="en",
            link_hours=48,
            clock=lambda: NOON,
        )
        return send_verification(self.key, asked, desk).sent

    @property
    def letter(self) -> VerificationLetter:
        (letter,) = self.mailer.sent
        assert isinstance(letter, VerificationLetter)
        return letter


def test_the_link_that_was_asked_for_is_sent_once_and_holds() -> None:
    register = Register(language="zh-CN")
    assert register.send() == {VERIFY: 1}
    assert register.send() == {}
    letter = register.letter
    assert (letter.to, letter.language, letter.hours) == ("eve@example.test", "zh", 48)
    link = opened(letter.link, VERIFY)
    assert link.expires_at == NOON + timedelta(hours=48)
    assert link.nonce == nonce_of(register.book.records[register.key], MARKER)
    desk = customer_desk(register.book)
    assert confirm(link, desk, NOON).verification.state is VerificationState.VERIFIED


@pytest.mark.parametrize(
    "changes", [{"state": VerificationState.VERIFIED}, {"state": VerificationState.REJECTED}, {"asked": 2}]
)
def test_a_link_that_is_answered_or_replaced_is_not_sent(changes: dict[str, Any]) -> None:
    register = Register()
    register.is_now(verification=register.pending.model_copy(update=changes))
    assert register.send() == {}


def test_no_link_is_sent_to_somebody_who_was_erased() -> None:
    register = Register()
    register.is_now(erased_at=NOON)
    assert register.send() == {}


@pytest.mark.parametrize("email", [None, "", "another@example.test"])
def test_no_link_goes_to_an_address_that_it_is_not_about(email: str | None) -> None:
    assert Register(email=email).send() == {}


def test_a_customer_who_is_not_known_is_sent_nothing() -> None:
    register = Register()
    register.book.records.clear()
    assert register.send() == {}


def test_a_link_that_could_not_be_sent_is_sent_later() -> None:
    register = Register()
    register.mailer.failures = [BUSY]
    with pytest.raises(Retry, match="notice_undelivered"):
        register.send()
    assert register.send() == {VERIFY: 1}
    refused = Register()
    refused.mailer.failures = [UNUSABLE]
    assert refused.send() == {}
    assert refused.send() == {}
    assert refused.mailer.sent == []
