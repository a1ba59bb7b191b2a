"""Kubernetes quantities: `100m`, `1.5`, `200Mi`, `2G`, `1e3`."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal

_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$")
_SUFFIX = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}

_BINARY = ("", *(f"{letter}i" for letter in "KMGTPE"))
_DECIMAL = {-3: "m", 0: "", **{3 * power: letter for power, letter in enumerate("kMGTPE", start=1)}}


def parse_quantity(text: object) -> Decimal:
    """Parse a quantity into its plain number (cores, bytes, pieces).

    Raises
    ------
    ValueError
        The value is no quantity; the message is that of the API server.

    Notes
    -----
    Grammar: `k8s.io/apimachinery/pkg/api/resource`, type Quantity.
    """
    found = _QUANTITY.match(str(text)) if isinstance(text, (str, int, float)) else None
    if not found:
        raise ValueError(
            "quantities must match the regular expression "
            r"'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    number, exponent, suffix = found.groups()
    value = Decimal(number + (exponent or ""))
    return value * _SUFFIX[suffix] if suffix else value


def canonical_quantity(text: object) -> str:
    """Return a quantity as the API server writes it: `1000m` is `1`, `0.5` is `500m`.

    The value is the same, without a fraction, with the largest suffix of the same family
    (powers of 2, powers of 10, or an exponent) that leaves none. What is finer than `1m` is
    rounded up.

    Raises
    ------
    ValueError
        The value is no quantity.
    """
    if isinstance(text, str) and text.isdecimal() and text[-1] != "0" and text[0] != "0":
        return text  # the most common form, and already canonical
    value = parse_quantity(text)
    found = _QUANTITY.match(str(text))
    assert found is not None
    _, exponent, suffix = found.groups()
    if value == 0:
        return "0"
    if suffix and suffix.endswith("i"):
        if abs(value) >= 1024 and value == value.to_integral_value():
            whole, power = int(value), 0
            while whole % 1024 == 0 and power < 6:
                whole, power = whole // 1024, power + 1
            return f"{whole}{_BINARY[power]}"
    whole, power = int((value * 1000).to_integral_value(ROUND_UP)), -3
    while whole % 1000 == 0 and power < 18:
        whole, power = whole // 1000, power + 3
    if exponent:
        return f"{whole}e{power}" if power else str(whole)
    return f"{whole}{_DECIMAL[power]}"
