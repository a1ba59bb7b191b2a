"""Formats and patterns of strings, as the API server knows them."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UUID = r"[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
_HOST = re.compile(
    r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
# What Go's regular expressions write otherwise: classes of their own, and the end of the text.
_CLASSES = {
    "[:alnum:]": "a-zA-Z0-9", "[:alpha:]": "a-zA-Z", "[:digit:]": "0-9", "[:lower:]": "a-z",
    "[:upper:]": "A-Z", "[:space:]": r"\s", "[:word:]": r"\w", "[:xdigit:]": "0-9A-Fa-f",
    "[:punct:]": r"!-/:-@\[-`{-~",
}  # fmt: skip
_FLAGS = re.compile(r"\(\?([ims]+)\)")


def has_format(name: str, text: str) -> bool:
    """Tell whether a text has a format; any text has one that nobody knows."""
    check = _FORMATS.get(name)
    return check is None or check(text)


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of a schema; `re.error` when it is none, or not one that is known here."""
    flags = "".join(sorted(set("".join(_FLAGS.findall(pattern)))))
    text = _FLAGS.sub("", pattern).replace(r"\z", r"\Z")
    for name, members in _CLASSES.items():
        text = text.replace(name, members)
    # There a final $ never matches before a line's end.
    text = re.sub(r"(?<!\\)\$$", r"\\Z", text)
    return re.compile(f"(?{flags}){text}" if flags else text, re.ASCII)


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2006-01-02")


def _is_address(version: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return check


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _is_uri(text: str) -> bool:
    try:
        found = urlsplit(text)
    except ValueError:
        return False
    return bool(found.scheme) or text.startswith("/")


def is_duration(text: str) -> bool:
    """Tell whether a text is a duration such as `1h30m`."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    return text == "0" or (bool(rest) and not _DURATION.sub("", rest))


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: compiled.fullmatch(text) is not None


_FORMATS: dict[str, Callable[[str], bool]] = {
    "byte": _is_base64,
    "cidr": _is_network,
    "date": _is_date,
    "date-time": lambda text: _DATE_TIME.fullmatch(text) is not None,
    "datetime": lambda text: _DATE_TIME.fullmatch(text) is not None,
    "duration": is_duration,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hexcolor": _matches("#?([0-9a-f]{3}|[0-9a-f]{6})"),
    "hostname": lambda text: len(text) <= 255 and _HOST.fullmatch(text) is not None,
    "ipv4": _is_address(4),
    "ipv6": _is_address(6),
    "mac": _matches("([0-9a-f]{2}[:-]){5}[0-9a-f]{2}"),
    "uri": _is_uri,
    "uuid": _matches(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _matches(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _matches(_UUID % ("4", "[89ab]")),
    "uuid5": _matches(_UUID % ("5", "[89ab]")),
}
