"""Texts that want to be something else than texts, and lines that nearly are lines."""

import random
from collections.abc import Iterator
from typing import Final

#: Entity ids and states that mean something to line protocol, Flux, InfluxQL, SQL, JSON, CSV or a terminal.
TEXTS: Final = (
    "light.desk",
    "",
    " ",
    "%",
    "%0A",
    "a,b=c d",
    "a\\",
    "\\",
    "\\\\,",
    '"',
    '\\"',
    '" or r._value == "',
    '") |> drop(columns: ["_value"]) //',
    "${r._value}",
    "\\${x}",
    "$",
    "\\x41",
    "#comment",
    "a\nb v=1 1",
    "a\r\nb",
    "\t\r\n",
    "\x00",
    "a\x00b",
    "\x7f\x85\u2028",
    "' OR '1'='1",
    '" AND home="',
    "/.*/",
    "sensor.Ünïcödé😀",
    "\u202etfel",
    "e\u0301",
    "t",
    "1i",
    "NaN",
    "-Infinity",
    "1e400",
    "x" * 2_000,
)
_BITS: Final = [
    "a",
    "b",
    "\\",
    ",",
    "=",
    " ",
    '"',
    "\n",
    "é",
    "😀",
    "$",
    "{",
    "}",
    "'",
    "#",
    "\t",
    "\r",
    "%",
    "1",
    ".",
    "/",
    "|>",
]
_VALUES: Final = [
    "1", "1.5", "-2e3", "3i", "-4i", "t", "false", "T", "NaN", "x", "", "1e400", ".5", "5.", "-", "+1", "1_0",
    "9223372036854775807i", "9223372036854775808i",
]  # fmt: skip
_TIMES: Final = ["1000", "1001", "1002", " 5 ", "-5", "x", "5 6", "5.0", "9223372036854775807"]


def texts(number: int, seed: int = 7) -> Iterator[str]:
    """Give the texts above, and others made of what is special."""
    yield from TEXTS
    chance = random.Random(seed)
    for _ in range(number):
        yield _text(chance, 12)


def lines(number: int, seed: int = 7) -> Iterator[bytes]:
    """Give lines of a few series, many of which are broken; no field comes twice in a line."""
    chance = random.Random(seed)
    for _ in range(number):
        tags = "".join(
            f",{chance.choice(['h', 'e', _text(chance, 3)])}={_text(chance, 5)}" for _ in range(chance.randrange(3))
        )
        names = {chance.choice(["v", "w", "s", _text(chance, 3)]) for _ in range(chance.randrange(1, 4))}
        fields = ",".join(f"{name}={_value(chance)}" for name in sorted(names))
        yield f"{chance.choice('mno')}{tags} {fields} {chance.choice(_TIMES)}".encode()


def _text(chance: random.Random, most: int) -> str:
    return "".join(chance.choices(_BITS, k=chance.randrange(most)))


def _value(chance: random.Random) -> str:
    text = _text(chance, 8)
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return chance.choice([chance.choice(_VALUES), f'"{quoted}"', f'"{quoted}"', f'"{text}"'])
