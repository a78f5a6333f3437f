"""What of a bank's text is kept: what may concern a provider's payout. What names a private person is not.

Purposes and references are kept, for a payout is found by them; names of counterparties only where they name a
provider; account numbers (IBAN) and e-mail addresses never. A number of an account that is not an IBAN cannot be told
from a reference, and stays.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST: Final = 300
_MOST_LOOKED_AT: Final = 2_000
"""No format has longer texts; patterns are not to be tried on a megabyte."""
HIDDEN: Final = "[account]"
_EMAIL: Final = re.compile(r"(?<![^\s@<>()])[^\s@<>()]+@[^\s@<>()]+\.[A-Za-z]{2,}")
_IBAN_START: Final = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})[0-9]{2}(?=[ A-Za-z0-9])")
_SHORTEST_IBAN, _LONGEST_IBAN = 15, 34
_BLANKS: Final = re.compile(r"\s+")


def mentions(text: str, words: Iterable[str]) -> bool:
    """Whether the text holds any of the words, in any case and however it is broken into lines."""
    flat = _BLANKS.sub("", text[:_MOST_LOOKED_AT]).casefold()
    return any(_BLANKS.sub("", word).casefold() in flat for word in words)


def kept_text(purposes: Sequence[str], names: Sequence[str], words: Iterable[str]) -> str:
    """Purposes, and those names that hold one of the providers' words."""
    wanted = tuple(words)
    texts = [*(name for name in names if mentions(name, wanted)), *purposes]
    return redacted(" ".join(texts))[:LONGEST].strip()


def redacted(text: str) -> str:
    """In one line, without IBANs and e-mail addresses."""
    return _without_ibans(_EMAIL.sub("[address]", _BLANKS.sub(" ", text[:_MOST_LOOKED_AT]).strip()))


def _without_ibans(text: str) -> str:
    parts: list[str] = []
    place = 0
    for found in _IBAN_START.finditer(text):
        end = _iban_end(text, found.start()) if found.start() >= place else None
        if end is not None:
            parts += [text[place : found.start()], HIDDEN]
            place = end
    return "".join([*parts, text[place:]])


def _iban_end(text: str, start: int) -> int | None:
    """Where the IBAN that starts here ends: at the end of a word, with check digits that are right."""
    read = ""
    for place in range(start, len(text)):
        sign = text[place]
        if sign == " ":
            if len(read) >= _SHORTEST_IBAN and _checks(read):
                return place
            continue
        if not (sign.isascii() and sign.isalnum()) or len(read) == _LONGEST_IBAN:
            return place if len(read) >= _SHORTEST_IBAN and _ends_word(text, place) and _checks(read) else None
        read += sign
    return len(text) if len(read) >= _SHORTEST_IBAN and _checks(read) else None


def _ends_word(text: str, place: int) -> bool:
    return not text[place].isalnum()


def _checks(iban: str) -> bool:
    """ISO 13616: the number made of it, its first four signs moved to the end, leaves 1 when divided by 97."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1
