"""Kubernetes quantities: `100m`, `1.5`, `200Mi`, `2G`, `1e3`."""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$")
_SUFFIX = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}


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
