"""Text of somebody else's in files that a spreadsheet opens: it must stay text. Pure, and the one place for it.

A cell that begins with `=`, `+`, `-` or `@` is a formula to Excel, LibreOffice and Google Sheets, and so may be one
that begins with a tab, a line break or a NUL, or with a full-width look-alike (OWASP, "CSV Injection"). Importers strip
blanks and quotes before they look, so we look behind those too. Numbers are no text: they never come here.
"""

import unicodedata
from typing import Final

APOSTROPHE: Final = "'"
"""Put in front: a spreadsheet then takes the cell for text."""

_STARTS: Final = frozenset("=+-@\N{MINUS SIGN}")
_CONTROLS: Final = frozenset("\t\r\n\0")
_QUOTES: Final = frozenset("\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def guarded(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet could run it. Nothing else of it changes."""
    return APOSTROPHE + text if is_risky(text) else text


def is_risky(text: str) -> bool:
    """Whether a spreadsheet could take the text for a formula."""
    for character in text:
        if character in _CONTROLS:
            return True
        if character in _QUOTES or unicodedata.category(character) in _INVISIBLE:
            continue
        return character in _STARTS or unicodedata.normalize("NFKC", character)[:1] in _STARTS
    return False
