"""YAML in the bodies of requests: what of it is JSON, too."""

from __future__ import annotations

import datetime
from typing import Any

from ..resources import ApiError, bad_request
from ..resources.depth import DEEPEST, too_deep

_LEAST_VALUES = 100_000
"""Values that an alias may make of any body; a longer body may have more."""


def load_yaml(body: bytes) -> Any:
    """Read a body as YAML, whose values are those of JSON.

    Raises
    ------
    ApiError
        400 when it is none, has values that JSON has not, or much more of them by its aliases
        than it has bytes.
    """
    import yaml  # loaded for the first client that sends it

    try:
        found = yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, AttributeError, TypeError, LookupError) as error:
        # Not only errors of YAML: what a tag says of a text is tried without a look at the text.
        raise _refusal(str(error)) from error
    return _Plain(max(_LEAST_VALUES, len(body))).copy(found)


class _Plain:
    """Copies values as JSON; what is behind an alias is a value at each of its places.

    Parameters
    ----------
    left : int
        Values that may be copied.
    """

    def __init__(self, left: int) -> None:
        self._left = left

    def copy(self, value: Any, depth: int = 0) -> Any:
        """Return a copy."""
        self._left -= 1
        if self._left < 0:
            raise _refusal("document contains excessive aliasing")
        if depth > DEEPEST:
            raise too_deep()
        if isinstance(value, dict):
            return {_key(key): self.copy(each, depth + 1) for key, each in value.items()}
        if isinstance(value, list):
            return [self.copy(each, depth + 1) for each in value]
        if value is None or isinstance(value, (str, bool, int, float)):
            return value
        if isinstance(value, datetime.date):
            return value.isoformat()
        raise _refusal(f"a {type(value).__name__} is no value of JSON")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (str, int, float)):
        return str(key)
    raise _refusal(f"a key must be a text, not {key!r}")


def _refusal(why: str) -> ApiError:
    return bad_request(f"error decoding YAML: {why}")
