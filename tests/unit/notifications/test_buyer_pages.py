"""Buyers' pages: readable by every program in both languages, and the same for whatever is not to be shown."""

import base64
import hashlib
import re
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.notifications.buyer.pages import (
    Message,
    Page,
    language_for,
    message_page,
    question_page,
    tracking_page,
)
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.sync.carriers import TrackedParcel
from shared.sync.order_view import OrderView, view_of
from shared.sync.tell_buyer import Language
from tests.builders.buyers import NUMBER, parcel, record, sent
from tests.fakes.html_pages import Html

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def view(
    fulfilment: FulfilmentState = FulfilmentState.SHIPPED, review: ReviewState = ReviewState.RELEASED
) -> OrderView:
    goods = sent(("line-MUG", 2), parcels=(parcel(),))
    return view_of("#5001", record(review=review, fulfilment=fulfilment), (goods,), ())


def pages(language: Language) -> list[Page]:
    messages: tuple[Message, ...] = get_args(Message)
    return [
        tracking_page(view(), language=language, shop="Aurora"),
        question_page(language=language),
        *(message_page(message, language=language) for message in messages),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_landmarks_headings_in_order_and_a_way_to_the_other_language(language: Language) -> None:
    for page in pages(language):
        html = Html(page.html)
        assert next(html.of("html"))["lang"] == {"en": "en", "zh": "zh-Hans"}[language]
        for landmark in ("header", "nav", "main", "footer", "h1", "title"):
            assert html.tags.count(landmark) == 1, landmark
        levels = [int(tag[1]) for tag in html.tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
        other = {"en": "zh", "zh": "en"}[language]
        assert next(html.of("a"))["href"] == f"?lang={other}"
        assert not {"script", "img", "iframe", "link"} & set(html.tags)
        assert not any(name.startswith("on") or name == "style" for _, found in html.elements for name in found)


def test_the_style_sheet_is_the_one_that_the_policy_names() -> None:
    for page in pages("en"):
        (style,) = re.findall(r"<style>(.*?)</style>", page.html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert page.style_hash == f"sha256-{digest}"
        assert "url(" not in style


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fulfilment", FulfilmentState)
@pytest.mark.parametrize("review", ReviewState)
def test_the_way_is_a_list_with_one_current_step(
    language: Language, fulfilment: FulfilmentState, review: ReviewState
) -> None:
    html = Html(tracking_page(view(fulfilment, review), language=language, shop="Aurora").html)
    assert "ol" in html.tags
    assert [step for step in html.of("li") if step.get("aria-current") == "step"] != []
    assert sum("aria-current" in found for _, found in html.elements) == 1


def test_parcels_are_named_and_each_link_says_whose_it_is() -> None:
    html = Html(tracking_page(view(), language="en", shop="Aurora").html)
    assert NUMBER in html.text
    link = next(found for found in html.of("a") if str(found["href"]).startswith("https://www.dhl.de/"))
    assert "noreferrer" in str(link["rel"])
    assert f"DHL Paket {NUMBER}" in html.text
    assert "target" not in link


def test_the_question_shows_nothing_of_anybody_and_has_two_answers() -> None:
    html = Html(question_page(language="en").html)
    assert next(html.of("form")) == {"method": "post"}
    assert [button["value"] for button in html.of("button")] == ["confirm", "decline"]
    assert "@" not in html.text


def test_an_answer_has_no_link_back_to_the_form() -> None:
    assert Html(message_page("confirmed", language="en", switches=False).html).links == []


PLAIN = Html(tracking_page(view(), language="en", shop="Aurora").html).shape


@given(order=st.text(max_size=60), shop=st.text(min_size=1, max_size=60), carrier=st.text(max_size=60))
def test_no_text_breaks_out_of_its_place(order: str, shop: str, carrier: str) -> None:
    hostile = view().model_copy(
        update={
            "order_name": order,
            "parcels": (TrackedParcel(carrier=carrier, number=NUMBER, link="https://a.example/?a=1&b='"),),
        }
    )
    html = Html(tracking_page(hostile, language="en", shop=f"x{shop}").html)
    assert html.shape == PLAIN
    assert html.links[-1] == "https://a.example/?a=1&b='"


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, None, "en"),
        ("zh", "en", "zh"),
        ("en", "zh", "en"),
        ("fr", "zh-CN,zh;q=0.9", "zh"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "de,fr;q=0.9,zh;q=0.1", "zh"),
        (None, "en;q=0.1, zh-TW;q=0.9", "zh"),
        (None, "zh;q=0, en;q=0.1", "en"),
        (None, "zh;q=nan,en;q=x,;;,=", "en"),
        (None, "*", "en"),
    ],
)
def test_the_language_is_chosen_then_asked_for_then_english(
    wanted: str | None, accepted: str | None, language: Language
) -> None:
    assert language_for(wanted, accepted) == language


@given(st.text(max_size=200))
def test_any_header_gives_a_language(accepted: str) -> None:
    assert language_for(accepted, accepted) in LANGUAGES


# ---- contrast --------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_stands_out_in_light_and_dark() -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", question_page(language="en").html, re.DOTALL)
    themes = [dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", block)) for block in re.findall(r":root{[^}]*}", style)]
    assert len(themes) == 2
    for theme in themes:
        for text in ("ink", "soft", "way"):
            for ground in ("ground", "sheet"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (theme, text, ground)
        assert contrast(theme["on-way"], theme["way"]) >= 4.5
        assert contrast(theme["sheet"], theme["done"]) >= 4.5
