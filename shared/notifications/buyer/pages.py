"""The pages that buyers reach through links: plain HTML that needs no script and asks nobody for anything. Pure.

They are read with a screen reader, on a telephone of 320 pixels, enlarged four times, in light and dark alike, and say
nothing of the reader.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from shared.notifications.buyer.templates import fill, ready_made
from shared.notifications.buyer.words import OTHER, TAG, one_line, say
from shared.sync.carriers import TrackedParcel
from shared.sync.order_view import OrderView, Step
from shared.sync.tell_buyer import Language

Message = Literal["confirmed", "declined", "used", "expired", "unknown", "unclear", "later"]
"""Pages that only say something. `unknown` is one and the same for a forged link and for what is not there any more."""


class Page(NamedTuple):
    html: str
    language: Language
    style_hash: str
    """Of the page's one style sheet, as a content security policy names it: `sha256-…`."""


def tracking_page(view: OrderView, *, language: Language, shop: str | None) -> Page:
    """How far an order is. `shop`: the name that buyers know the shop by."""
    return _page(
        "track.html.j2",
        language,
        title=say(language, "title", order=view.order_name),
        shop=shop,
        labels=("way", "parcels", "no_number", "follow", "colon", "page.note"),
        stage=say(language, f"stage.{view.stage.value}"),
        steps=[_step(step, language) for step in view.steps],
        parcels=[_parcel(parcel, number, language) for number, parcel in enumerate(view.parcels, 1)],
    )


def question_page(*, language: Language) -> Page:
    """Whether the reader's address is the customer's: two buttons, and nothing that says whose it is."""
    labels = ("ask.confirm", "ask.decline", "ask.note")
    return _page(
        "ask.html.j2", language, title=say(language, "ask.title"), labels=labels, text=say(language, "ask.text")
    )


def message_page(message: Message, *, language: Language, switches: bool = True) -> Page:
    """A page that says one thing. `switches`: whether there is a link to the other language; an answer to a form has
    none, for the link would lead back to the form."""
    return _page(
        "message.html.j2",
        language,
        title=say(language, f"{message}.title"),
        text=say(language, f"{message}.page"),
        switches=switches,
    )


def language_for(wanted: str | None, accepted: str | None) -> Language:
    """The language that was chosen on the page, or else the first of ours that the browser asks for, or else English.

    `accepted`: an `Accept-Language` header (RFC 9110, section 12.5.4), however odd.
    """
    if wanted is not None and wanted in _OURS:
        return _OURS[wanted]
    best: tuple[float, Language] = (0.0, "en")
    for part in (accepted or "")[:_LONGEST_HEADER].split(","):
        tag, _, parameter = part.partition(";")
        language = _OURS.get(tag.strip().partition("-")[0].lower())
        if language and _weight(parameter) > best[0]:
            best = _weight(parameter), language
    return best[1]


_OURS: Mapping[str, Language] = {"en": "en", "zh": "zh"}
_LONGEST_HEADER = 500


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(1.0, max(0.0, float(value))) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0


def _page(
    template: str,
    language: Language,
    *,
    title: str,
    shop: str | None = None,
    labels: tuple[str, ...] = (),
    switches: bool = True,
    **content: object,
) -> Page:
    style, digest = _style()
    other = OTHER[language]
    html = fill(
        template,
        tag=TAG[language],
        title=title,
        shop=one_line(shop) if shop else None,
        style=ready_made(style),
        other={"language": other, "tag": TAG[other], "name": say(other, "language")} if switches else None,
        labels={name: say(language, name) for name in (*labels, "languages")},
        **content,
    )
    return Page(html, language, digest)


def _step(step: Step, language: Language) -> dict[str, str]:
    state, word = ("now", "now") if step.current else ("done", "done") if step.done else ("later", "to_come")
    return {"name": say(language, f"step.{step.stage.value}"), "state": state, "word": say(language, word)}


def _parcel(parcel: TrackedParcel, number: int, language: Language) -> dict[str, str | None]:
    name = parcel.carrier or f"{say(language, 'parcel')} {number}"
    return {"name": one_line(name), "number": parcel.number and one_line(parcel.number), "link": parcel.link}


@cache
def _style() -> tuple[str, str]:
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return style, f"sha256-{digest}"
