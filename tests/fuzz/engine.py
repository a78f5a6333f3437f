"""How a target is tried: with inputs that are grown from valid samples, the same ones for the same seed.

Coverage-guided by atheris where that is importable (`tests.fuzz.__main__`); everywhere else by what stands here. Each
input is a valid sample that is changed at a few places: bytes, pieces of other samples, and, where the sample is JSON,
its values.
"""

import copy
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from shared.kernel.errors import StorebridgeError

CORPUS: Final = Path(__file__).parent / "corpus"
"""By target: small inputs that once failed. Each run begins with them."""
MOST_BYTES: Final = 64 * 1024

_TOKENS: Final = (
    *(
        b"\0",
        b"\r\n",
        b"\n\n",
        b"\t",
        b",",
        b";",
        b'"',
        b"'",
        b":",
        b"/",
        b"..",
        b"{",
        b"}",
        b"[",
        b"]",
        b"<",
        b"&",
        b"%",
    ),
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e400", b"-1e-400", b"-0", b"0x10", b"1_000", b"9" * 40, b"9" * 5_000),
    *(
        b"\xff",
        b"\xed\xa0\x80",
        b"\\ud800",
        b"\\u0000",
        b"\xef\xbb\xbf",
        "\u202e".encode(),
        "１２".encode(),
        "é".encode(),
    ),
    *(b"0000-00-00", b"9999-12-31T23:59:59Z", b"0001-01-01T00:00:00+23:59", b"2026-02-30", b"24:00:00"),
    *(b"[" * 100, b"{" * 100, b'{"a":' * 70, b"<a>" * 50, b"<!DOCTYPE a>", b":61:", b":86:", b":62F:", b"JPY", b"KWD"),
)
_VALUES: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**63,
        -(2**63) - 1,
        10**24,
        10**40,
        "",
        " ",
        "0",
        "-1",
        "1e400",
        "NaN",
        "\0",
    ),
    *(
        "x" * 5_000,
        "9" * 400,
        "\u202e",
        "\ud83d\ude00",
        "=1+1",
        "../..",
        "a/b#c",
        "EURO",
        "XXX",
        "9999-12-31T23:59:59Z",
    ),
    *("0000-00-00T00:00:00", "2026-11-23T09:00:00+99:99", "0001-01-01T00:00:00+23:59", "http://169.254.169.254/"),
    *([], {}, [None], [[]], [{}], {"id": None}, {"": ""}, [0] * 50),
)


_WORD: Final = re.compile(rb"[^\s,;:<>\"'=&?/|]+")
_OF_XML: Final = re.compile(rb"(?<=[>\"])[^<>\"]+(?=[<\"])|(?<=<)[A-Za-z]+")
_WORDS: Final = (
    *(
        b"",
        b"-1",
        b"0",
        b"0.001",
        b"1,234.56",
        b"1.234,56",
        b"-",
        b"(12.00)",
        b"EUR",
        b"XXX",
        b"C",
        b"D",
        b"RC",
        b"BOOK",
    ),
    *(b"2026-11-03", b"03.11.2026", b"261103", b"260230", b"999999", b"00000000", b"31.02.2026", b"NONREF", b"\xa3"),
)


class Target(NamedTuple):
    run: Callable[[bytes], None]
    """Tries one input. May raise one of our own errors, which is an answer; anything else is a fault."""
    samples: Callable[[], Sequence[bytes]]
    """Valid inputs to grow others from."""


def attempt(target: Target, data: bytes) -> None:
    """Raises whatever a target must not: an error that is none of ours, or a promise that is broken."""
    try:
        target.run(data)
    except StorebridgeError as error:
        error.describe().encode("utf-8")  # it is to be logged and put on a dead-letter queue as it is


def inputs(name: str, target: Target, seed: int) -> Iterator[bytes]:
    """First what once failed, then the samples, then ever more that is grown from them."""
    samples = list(target.samples())
    yield from remembered(name)
    yield from samples
    chance = random.Random(f"{seed}/{name}")  # noqa: S311 - repeats, and protects nothing
    while True:
        yield grown(samples, chance)


def remembered(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]


def grown(samples: Sequence[bytes], chance: random.Random) -> bytes:
    data = chance.choice(samples)
    if chance.random() < 0.6:  # most bytes that change spoil all of a text, and then only its parser is tried
        changed = altered_json(data, chance)
        if changed != data and chance.random() < 0.8:
            return changed[:MOST_BYTES]
        data = changed if changed != data else with_another_word(data, chance)
        if chance.random() < 0.6:
            return data[:MOST_BYTES]
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        data = altered(data, chance.choice(samples), chance)
    return data[:MOST_BYTES]


def altered(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Changed at one place."""
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 1, 2, 4, 16, 100)))
    match chance.randrange(7):
        case 0:
            put = bytes([data[at] ^ 1 << chance.randrange(8)]) if at < len(data) else b""
        case 1:
            put = chance.choice(_TOKENS)
        case 2:
            return data[:at] + chance.choice(_TOKENS) + data[at:]
        case 3:
            put = b""
        case 4:
            return data[:at] + data[at:end] * 2 + data[end:]
        case 5:
            cut = chance.randrange(len(other) + 1)
            return data[:at] + other[cut : cut + 200] + data[at:]
        case _:
            return data[:at]
    return data[:at] + put + data[end:]


def altered_json(data: bytes, chance: random.Random) -> bytes:
    """With another value at one to three places of the JSON that it ends with; as it is, where it holds none."""
    start = min((at for at in (data.find(b"{"), data.find(b"[")) if at >= 0), default=0)
    try:
        told = json.loads(data[start:])
    except (ValueError, RecursionError):
        return data
    for _ in range(chance.randint(1, 3)):
        told = _with_another_value(told, chance)
    return data[:start] + json.dumps(told, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def with_another_word(data: bytes, chance: random.Random) -> bytes:
    """Another cell, tag, name or number at one to three places: of a table, of XML, of a form."""
    for _ in range(chance.randint(1, 3)):
        words = list((_OF_XML if b"</" in data else _WORD).finditer(data))
        if not words:
            return data
        found = chance.choice(words)
        put = chance.choice((*_TOKENS, *_WORDS, chance.choice(words)[0]))
        data = data[: found.start()] + put + data[found.end() :]
    return data


def _with_another_value(told: Any, chance: random.Random) -> Any:
    """Or one that another place holds, or none at all."""
    places = list(_places(told))
    if not places:
        return told
    holder, key = chance.choice(places)
    match chance.randrange(4):
        case 0:
            del holder[key]
        case 1:
            source, other = chance.choice(places)
            holder[key] = copy.deepcopy(source[other])
        case _:
            holder[key] = copy.deepcopy(chance.choice(_VALUES))
    return told


def _places(told: Any) -> Iterator[tuple[Any, Any]]:
    """Each value's holder, and where in it."""
    waiting = [told]
    while waiting:
        holder = waiting.pop()
        keys: Any = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            yield holder, key
            waiting.append(holder[key])
