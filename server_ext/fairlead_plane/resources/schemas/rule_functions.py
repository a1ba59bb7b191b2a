"""The functions that Kubernetes adds to CEL, for the engine that rules run on."""

from __future__ import annotations

import datetime
import ipaddress
import itertools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ..quantity import parse_quantity
from .formats import compile_pattern, has_format

_UNITS_S = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
# Values of types that the engine does not have are maps under these names.
_QUANTITY, _URL, _IP, _CIDR = "\0quantity", "\0url", "\0ip", "\0cidr"


def parse_duration(text: str) -> datetime.timedelta:
    """Parse a duration such as `1h30m`."""
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    return datetime.timedelta(seconds=-seconds if text.startswith("-") else seconds)


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [each.group() for each in compile_pattern(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


def _find(text: str, pattern: str) -> str:
    found = compile_pattern(pattern).search(text)
    return found.group() if found else ""


def _is_quantity(text: str) -> bool:
    try:
        parse_quantity(text)
    except ValueError:
        return False
    return True


def _quantity(text: str) -> dict[str, str]:
    return {_QUANTITY: str(parse_quantity(text))}


def _compare(one: Any, other: Any) -> int:
    a, b = parse_quantity(one[_QUANTITY]), parse_quantity(other[_QUANTITY])
    return (a > b) - (a < b)


def _url(text: str) -> dict[str, str]:
    if not has_format("uri", text):
        raise ValueError(f"URL parse error: {text}")
    return {_URL: text}


def _ip(text: str) -> dict[str, str]:
    return {_IP: str(ipaddress.ip_address(text))}


def _is_ip(text: str) -> bool:
    return has_format("ipv4", text) or has_format("ipv6", text)


def _cidr(text: str) -> dict[str, str]:
    return {_CIDR: str(ipaddress.ip_network(text, strict=False))}


def _contains_ip(network: Any, address: Any) -> bool:
    text = address[_IP] if isinstance(address, dict) else address
    return ipaddress.ip_address(text) in ipaddress.ip_network(network[_CIDR])


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"index out of range: {start}, {end}")
    return text[start:end]


def _index(value: Any, part: Any) -> int:
    if isinstance(value, str):
        return value.find(part)
    return value.index(part) if part in value else -1


def _last_index(value: Any, part: Any) -> int:
    if isinstance(value, str):
        return value.rfind(part)
    return len(value) - 1 - value[::-1].index(part) if part in value else -1


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if not separator:
        return list(text)
    if limit == 0:
        return []
    return text.split(separator, limit - 1 if limit > 0 else -1)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "charAt": lambda text, index: text[index] if index < len(text) else "",
    "cidr": _cidr,
    "compareTo": _compare,
    "containsIP": _contains_ip,
    "find": _find,
    "findAll": _find_all,
    "format": lambda text, values: text % tuple(values),
    "getHost": lambda url: urlsplit(url[_URL]).netloc,
    "getHostname": lambda url: urlsplit(url[_URL]).hostname or "",
    "getEscapedPath": lambda url: urlsplit(url[_URL]).path,
    "getPort": lambda url: str(urlsplit(url[_URL]).port or ""),
    "getScheme": lambda url: urlsplit(url[_URL]).scheme,
    "indexOf": _index,
    "ip": _ip,
    "isCIDR": lambda text: has_format("cidr", text),
    "isGreaterThan": lambda one, other: _compare(one, other) > 0,
    "isIP": _is_ip,
    "isLessThan": lambda one, other: _compare(one, other) < 0,
    "isQuantity": _is_quantity,
    "isSorted": lambda values: all(a <= b for a, b in itertools.pairwise(values)),
    "isURL": lambda text: has_format("uri", text),
    "join": lambda values, separator="": separator.join(values),
    "lastIndexOf": _last_index,
    "lowerAscii": lambda text: text.lower(),
    "quantity": _quantity,
    "replace": lambda text, old, new, limit=-1: text.replace(old, new, limit),
    "split": _split,
    "substring": _substring,
    "sum": lambda values: sum(values),
    "trim": lambda text: text.strip(),
    "upperAscii": lambda text: text.upper(),
}
