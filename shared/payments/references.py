"""By what an order may be found in what a merchant wrote into a payment. Pure.

Merchants and plugins write what they like there, sentences and addresses too. Only what is a single short token counts:
it is compared exactly, and nothing personal is kept.
"""

import re
from collections.abc import Mapping
from typing import Final

from shared.kernel import strict_json
from shared.kernel.errors import Rejected
from shared.payments.lenient import each_once

_TOKEN: Final = re.compile(r"#?[A-Za-z0-9][A-Za-z0-9_.:/#-]{0,79}", re.ASCII)
_NUMBERED: Final = re.compile(r"(?=[^0-9]*[0-9])#?[A-Za-z0-9][A-Za-z0-9_-]{0,31}", re.ASCII)
_TELEPHONE: Final = re.compile(r"(?:00|0)[1-9][0-9]{8,12}", re.ASCII)
_HAS_DIGIT: Final = re.compile(r"[0-9]", re.ASCII)
_SPEAKS_OF_ORDERS: Final = ("order", "invoice", "checkout")
_SPEAKS_OF_PEOPLE: Final = ("phone", "mobile", "mail", "address", "postcode", "birth")


def exact(*texts: str | None) -> tuple[str, ...]:
    """Those that are a single token, each once, in their order: for fields that are made for a reference."""
    return tuple(text for text in each_once(texts) if _TOKEN.fullmatch(text))


def numbered(text: str | None) -> tuple[str, ...]:
    """The text of a field that is made for people, where all of it is one short token with a digit: `#1001`, and not
    "Order 1001 of Zoë". A number that begins as telephone numbers do is none."""
    found = each_once([text])
    return tuple(text for text in found if _NUMBERED.fullmatch(text) and not _TELEPHONE.fullmatch(text))


def of_metadata(metadata: Mapping[str, object]) -> tuple[str, ...]:
    """Values under keys that speak of an order, an invoice or a checkout, and not of who ordered: `order_id`,
    `orderNumber`, `shopify_checkout_id`; not `order_phone`. In the order of the keys, so that the same metadata gives
    the same references."""
    return exact(*(_text(metadata[key]) for key in sorted(metadata) if _speaks_of_orders(key)))


def of_free_field(text: str | None) -> tuple[str, ...]:
    """A field that the merchant's own program fills: a JSON object with metadata in it, or a token with a digit, for
    some write a name there; a number that begins as telephone numbers do is none."""
    if text is None or not text.lstrip().startswith("{"):
        return tuple(token for token in exact(text) if _HAS_DIGIT.search(token) and not _TELEPHONE.fullmatch(token))
    try:
        found = strict_json.parse(text.encode("utf-8", "replace"))
    except Rejected:
        return ()
    return of_metadata(found) if isinstance(found, dict) else ()


def _speaks_of_orders(key: str) -> bool:
    name = key.lower()
    return any(word in name for word in _SPEAKS_OF_ORDERS) and not any(word in name for word in _SPEAKS_OF_PEOPLE)


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
