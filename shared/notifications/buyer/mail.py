"""A letter to a buyer as an e-mail: subject, text and HTML, in the buyer's language. Pure.

Nothing in it is fetched from anywhere, and it tells no more of the buyer than that they ordered: goods, parcels, and
what was paid back.
"""

from typing import NamedTuple

from shared.notifications.buyer.amounts import amount_text
from shared.notifications.buyer.templates import fill
from shared.notifications.buyer.words import TAG, one_line, say
from shared.sync.carriers import TrackedParcel
from shared.sync.tell_buyer import Goods, Letter, NoticeLetter, VerificationLetter

_MOST_GOODS = 100
_MOST_PARCELS = 50
"""Beyond these a mail would be cut by the reader's program; the page has all parcels."""


class Mail(NamedTuple):
    subject: str
    """One line of printable characters."""
    text: str
    html: str


def compose(letter: Letter, shop: str) -> Mail:
    """Put a letter into words. `shop` is the name that buyers know the shop by."""
    if isinstance(letter, VerificationLetter):
        return _verification(letter, shop)
    return _notice(letter, shop)


def _notice(letter: NoticeLetter, shop: str) -> Mail:
    language, kind = letter.language, letter.kind.value
    order = letter.order_name
    return _mail(
        letter,
        subject=say(language, f"{kind}.subject", order=order),
        heading=say(language, f"{kind}.heading"),
        paragraphs=[say(language, f"{kind}.text", order=order)],
        goods=[_good(goods) for goods in letter.goods[:_MOST_GOODS]],
        parcels=[_parcel(parcel, number, letter) for number, parcel in enumerate(letter.parcels[:_MOST_PARCELS], 1)],
        amount=amount_text(letter.amount) if letter.amount else None,
        button=say(language, "button"),
        footer=say(language, "footer", shop=shop),
        shop=shop,
    )


def _verification(letter: VerificationLetter, shop: str) -> Mail:
    language = letter.language
    return _mail(
        letter,
        subject=say(language, "verify.subject"),
        heading=say(language, "verify.heading"),
        paragraphs=[
            say(language, "verify.text", shop=shop),
            say(language, "verify.otherwise", hours=str(letter.hours)),
        ],
        goods=[],
        parcels=[],
        amount=None,
        button=say(language, "verify.button"),
        footer=say(language, "verify.footer", shop=shop),
        shop=shop,
    )


def _mail(letter: Letter, *, subject: str, shop: str, **content: object) -> Mail:
    language = letter.language
    values = {
        **content,
        "subject": subject,
        "shop": one_line(shop),
        "link": letter.link,
        "tag": TAG[language],
        "labels": {name: say(language, name) for name in ("colon", "goods", "parcels", "amount", "follow")},
    }
    return Mail(subject, fill("mail.txt.j2", **values), fill("mail.html.j2", **values))


def _good(goods: Goods) -> dict[str, str]:
    return {"title": one_line(goods.title), "units": str(goods.units)}


def _parcel(parcel: TrackedParcel, number: int, letter: NoticeLetter) -> dict[str, str | None]:
    named = " · ".join(part for part in (parcel.carrier, parcel.number) if part)
    return {"name": one_line(named) or f"{say(letter.language, 'parcel')} {number}", "link": parcel.link}
