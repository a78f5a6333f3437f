"""External ids: the names under which Odoo's `load` finds again what we have written.

They are unique in Odoo, whatever staff do to a record's own fields: eight loads of one at a time made one order (ran
against 19.0). Our own module name stands before the dot; a second dot is not taken.
"""

import re

MODULE = "storebridge"

_PLAIN = re.compile(r"[A-Za-z0-9]")
_ESCAPED = re.compile(r"_(_|[0-9a-f]{2})")


def external_id(kind: str, *keys: str) -> str:
    """`storebridge.sale-aurora__5001-line-1` of `sale`, `aurora/5001`, `line`, `1`: legible, and no two keys alike."""
    return f"{MODULE}.{'-'.join([kind, *(_escaped(key) for key in keys)])}"


def key_of(name: str, kind: str, *keys: str) -> str | None:
    """The one key that follows `kind` and `keys` in an external id; None where the id is not one of those."""
    start = external_id(kind, *keys) + "-"
    rest = name.removeprefix(start)
    return None if rest == name or "-" in rest else _plain(rest)


def _escaped(key: str) -> str:
    return "".join(_escape(character) for character in key)


def _escape(character: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    return "__" if character == "/" else f"_{ord(character):02x}"


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: "/" if found[1] == "_" else chr(int(found[1], 16)), text)
