"""Mails to buyers: what they say in both languages, and that no text of somebody else's breaks out of its place."""

import re
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader, HeaderRegistry
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Rejected
from shared.kernel.money import Money
from shared.notifications.buyer.addresses import mailbox, named
from shared.notifications.buyer.amounts import amount_text
from shared.notifications.buyer.mail import compose
from shared.notifications.buyer.words import WORDS, one_line
from shared.orders.buyer_notices import BuyerNoticeKind
from shared.sync.carriers import TrackedParcel
from shared.sync.tell_buyer import Goods, Language, NoticeLetter, VerificationLetter
from tests.fakes.html_pages import Html

LINK = "https://orders.example/track/abc.def"
LANGUAGES: tuple[Language, ...] = ("en", "zh")


def letter(kind: BuyerNoticeKind = BuyerNoticeKind.SHIPPED, **overrides: Any) -> NoticeLetter:
    fields: dict[str, Any] = {
        "kind": kind,
        "to": "eve@example.test",
        "language": "en",
        "order_name": "#5001",
        "goods": (Goods(title="Mug – Blue", units=2),),
        "parcels": (TrackedParcel(carrier="DHL", number="0034", link="https://www.dhl.com/t?n=0034&x=1"),),
        "link": LINK,
    }
    return NoticeLetter(**(fields | overrides))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", BuyerNoticeKind)
def test_each_notice_has_a_subject_a_text_and_a_page_with_one_button(kind: BuyerNoticeKind, language: Language) -> None:
    amount = Money.parse("1234.50", "EUR") if kind is BuyerNoticeKind.REFUNDED else None
    mail = compose(letter(kind, language=language, amount=amount), "Aurora & Co")
    page = Html(mail.html)
    assert "#5001" in mail.subject
    for text in (mail.text, page.text):
        for word in ("Aurora & Co", "2 × Mug – Blue", "DHL · 0034", "#5001"):
            assert word in text
        assert ("EUR\N{NO-BREAK SPACE}1,234.50" in text.replace("EUR 1", "EUR\N{NO-BREAK SPACE}1")) is (
            amount is not None
        )
    assert LINK in mail.text
    assert page.links == ["https://www.dhl.com/t?n=0034&x=1", LINK]
    assert next(page.of("html"))["lang"] == {"en": "en", "zh": "zh-Hans"}[language]


@pytest.mark.parametrize("kind", BuyerNoticeKind)
def test_the_two_languages_differ_and_neither_holds_the_other(kind: BuyerNoticeKind) -> None:
    english, chinese = (compose(letter(kind, language=language, goods=()), "Aurora") for language in LANGUAGES)
    assert english.subject != chinese.subject
    assert not re.search("[一-鿿]", english.text + english.html.replace("PingFang SC", ""))
    assert re.search("[一-鿿]", chinese.subject)
    assert re.search("[一-鿿]", chinese.text)


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for name, text in WORDS["en"].items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", WORDS["zh"][name])), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_that_asks_for_proof_says_who_and_how_long(language: Language) -> None:
    mail = compose(VerificationLetter(to="eve@example.test", language=language, link=LINK, hours=48), "Aurora")
    for text in (mail.text, Html(mail.html).text):
        assert "Aurora" in text
        assert "48" in text
        assert "eve@" not in text
    assert Html(mail.html).links == [LINK]


def test_nothing_is_fetched_and_nothing_of_the_buyer_is_said() -> None:
    mail = compose(letter(), "Aurora")
    assert not {"img", "script", "link", "iframe", "object"} & set(Html(mail.html).tags)
    assert not re.search(r"url\(|@import|src=", mail.html)
    assert "eve@" not in mail.html + mail.text + mail.subject


def test_a_parcel_without_a_number_has_a_name_and_no_link() -> None:
    mail = compose(letter(parcels=(TrackedParcel(carrier=None, number=None, link=None),)), "Aurora")
    assert "- Parcel 1" in mail.text
    assert Html(mail.html).links == [LINK]


def test_a_mail_stays_a_mail_however_much_was_sent() -> None:
    goods = tuple(Goods(title="x" * 500, units=1) for _ in range(5000))
    parcels = tuple(TrackedParcel(carrier="DHL", number=str(n), link=None) for n in range(5000))
    mail = compose(letter(goods=goods, parcels=parcels), "Aurora")
    assert len(mail.html.encode()) < 100_000  # beyond that Gmail hides the rest


PLAIN = Html(compose(letter(), "Aurora").html).shape


@given(title=st.text(max_size=80), order=st.text(max_size=80), shop=st.text(max_size=80), carrier=st.text(max_size=80))
def test_no_text_breaks_the_html_the_text_or_the_subject(title: str, order: str, shop: str, carrier: str) -> None:
    hostile = letter(
        order_name=order,
        goods=(Goods(title=title, units=2),),
        parcels=(TrackedParcel(carrier=carrier, number="0034", link="https://www.dhl.com/"),),
    )
    mail = compose(hostile, shop)
    assert Html(mail.html).shape == PLAIN
    assert mail.subject.isprintable()
    assert len(mail.subject) < 200
    lines = compose(letter(), "Aurora").text.count("\n")
    assert mail.text.count("\n") == lines
    assert "\r" not in mail.text


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", '"><img src=x onerror=a>', "{{ 7*7 }}", "{order}{shop}"])
def test_markup_and_places_in_names_are_only_text(bad: str) -> None:
    mail = compose(letter(order_name=bad, goods=(Goods(title=bad, units=1),)), bad)
    assert bad in mail.subject
    assert bad in Html(mail.html).text
    assert "49" not in mail.html.replace("0034", "").replace("#14181d", "")


@pytest.mark.parametrize("text", ["a\r\nBcc: x@example.test", "a\u2028b", "\u202eevil", "\x00", "a\tb"])
def test_a_name_cannot_begin_a_header_or_turn_the_writing(text: str) -> None:
    subject = compose(letter(order_name=text), "Aurora").subject
    assert subject.isprintable()
    assert "\n" not in subject


# ---- amounts and addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("12.5", "EUR", "EUR 12.50"),
        ("1234567.89", "USD", "USD 1,234,567.89"),
        ("1200", "JPY", "JPY 1,200"),
        ("0.125", "KWD", "KWD 0.125"),
        ("0.0125", "EUR", "EUR 0.0125"),
        ("0.05", "CNY", "CNY 0.05"),
        ("-3", "EUR", "EUR -3.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount: str, currency: str, text: str) -> None:
    assert amount_text(Money.parse(amount, currency)).replace("\N{NO-BREAK SPACE}", " ") == text


def test_digits_that_a_finer_exponent_does_not_need_are_left_out() -> None:
    assert amount_text(Money(minor=125000, currency="EUR", exponent=4)).endswith("12.50")


@pytest.mark.parametrize(
    ("given_address", "expected"),
    [
        (" eve@example.test ", "eve@example.test"),
        ("o'hara+x@Example.test", "o'hara+x@Example.test"),
        ("eve@bücher.example", "eve@xn--bcher-kva.example"),
        ("eve@straße.example", "eve@xn--strae-oqa.example"),
    ],
)
def test_an_address_is_written_as_mail_servers_take_it(given_address: str, expected: str) -> None:
    assert mailbox(given_address) == expected


@pytest.mark.parametrize(
    "text",
    ["", "eve", "@example.test", "eve@", "eve@localhost", "a b@example.test", "eve@example.test\r\nBcc: x@y.zz",
     "eve@example.test,x@example.test", "<eve@example.test>", '"a b"@example.test', "王@example.test",
     ".eve@example.test", "e..ve@example.test", f"{'x' * 65}@example.test", f"eve@{'x' * 64}.test", "eve@a..test"],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Rejected, match="address_unusable") as caught:
        mailbox(text)
    assert "example" not in str(caught.value)


@given(st.text(max_size=90))
def test_any_text_is_one_plain_address_or_none(text: str) -> None:
    try:
        address = mailbox(f"{text}@example.test")
    except Rejected:
        return
    assert re.fullmatch(r"[!-~]+@example\.test", address)
    assert address.count("@") == 1


def read_back(header: str) -> tuple[str, str]:
    """Name and address of a header. Encoded words are joined by the older parser: the newer one leaves the spaces
    between them in, which RFC 2047 (section 6.2) has readers ignore."""
    parsed = cast("AddressHeader", HeaderRegistry()("from", header))
    (address,) = parsed.addresses
    phrase = header.rpartition(" <")[0]
    name = str(make_header(decode_header(phrase))) if phrase.startswith("=?") else address.display_name
    return name, address.addr_spec


@given(st.text(max_size=80))
def test_the_senders_name_comes_back_as_it_was_whatever_it_is(name: str) -> None:
    value = named(name, "shop@example.test")
    assert value.isascii()
    assert value.isprintable()
    assert all(len(word) <= 75 for word in value.split() if word.startswith("=?"))
    assert read_back(value) == (one_line(name), "shop@example.test")


@pytest.mark.parametrize("name", ["Aurora", "Aurora, Inc.", "Häuser & Söhne", "极光商店" * 10, "a (b) c", "Shop: you"])
def test_a_name_is_encoded_and_read_back(name: str) -> None:
    assert read_back(named(name, "shop@example.test"))[0] == name
