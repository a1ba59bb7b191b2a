"""The words and signs of an expression, with the texts between quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from fairlead.errors import SpecError

Json = Any

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>\|\||&&|==|!=|<=|>=|[-+*/%<>!().,\[\]])
    | (?P<end>\Z)
    | (?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    )""",
    re.VERBOSE,
)
# A text as kfp writes it: it ends at the first quote after which the condition goes on.
_AS_WRITTEN = re.compile(
    r"""\s*'(?:
      (?P<name>(?<=\[')[^']*)'(?=\])
    | (?P<text>.*?)'(?=\s*(?:\)\s*)*(?:\Z|&&\s*(?:!\(|inputs\.|int\(|double\()|(?:[=!<>]=|[<>])\s))
    )""",
    re.VERBOSE | re.DOTALL,
)
_REFERENCE = re.compile(r"(int\(|double\()?inputs\.parameter_values\['[^']*'\]\)?")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"`?])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})"
    r"|(.))",
    re.DOTALL,
)
_PLAIN_ESCAPES = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign."""

    kind: Literal["literal", "name", "sign", "end"]
    text: str
    start: int
    value: Json = None
    """Of a literal."""


def read_tokens(text: str, *, as_written: bool) -> Iterator[Token]:
    """Split an expression; the last token is its end.

    Parameters
    ----------
    as_written : bool
        Texts between single quotes hold no escapes, and may hold quotes and line breaks.

    Raises
    ------
    SpecError
        A character that begins nothing, or an escape that does not exist.
    """
    position = 0
    while True:
        if as_written and (quoted := _AS_WRITTEN.match(text, position)):
            value = quoted["name"] if quoted["name"] is not None else quoted["text"]
            yield Token("literal", quoted.group().strip(), position, value)
            position = quoted.end()
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise SpecError(
                f"`{text}` cannot be read: nothing begins with `{text[position:].strip()[:1]}`, "
                f"character {position + 1}"
            )
        kind = str(match.lastgroup)
        word = match[kind]
        start, position = match.start(kind), match.end()
        if kind == "end":
            yield Token("end", "", start)
            return
        if kind == "number":
            yield Token("literal", word, start, int(word) if word.isdigit() else float(word))
        elif kind == "quoted":
            yield Token("literal", word, start, _unescaped(word[1:-1]))
        elif kind == "name" and word in _WORDS:
            yield Token("literal", word, start, _WORDS[word])
        elif word == "in":
            yield Token("sign", word, start)
        else:
            yield Token("name" if kind == "name" else "sign", word, start)


def stands_for_value(text: Json) -> bool:
    """Say whether a quoted text is one of the references that kfp puts between quotes."""
    return isinstance(text, str) and _REFERENCE.fullmatch(text) is not None


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        sign, two, four, eight, octal, other = match.groups()
        if other is not None:
            raise SpecError(f"there is no escape `\\{other}`")
        if sign is not None:
            return _PLAIN_ESCAPES.get(sign, sign)
        code = int(octal, 8) if octal else int(two or four or eight, 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise SpecError(f"there is no character `{match.group()}`")
        return chr(code)

    return _ESCAPE.sub(plain, text)
