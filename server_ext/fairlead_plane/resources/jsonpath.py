"""JSON paths as CustomResourceDefinitions write them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# `.name`, with a backslash before a dot of the name itself, or `['name']`.
_PART = re.compile(r"\.((?:\\.|[^.\[\\])+)|\[['\"]([^'\"]+)['\"]\]")


def simple_path(path: str) -> list[str]:
    """Return the names of a path without filters, such as `.spec.replicas`."""
    return [re.sub(r"\\(.)", r"\1", dotted) or quoted for dotted, quoted in _PART.findall(path)]


def find_all(path: str, obj: Any) -> list[Any]:
    """Return all values that a path selects, such as `.conditions[?(@.type=="Ready")].status`.

    Nothing is selected by a path that cannot be read.
    """
    query = _compile(path)
    return [] if query is None else [node.value for node in query.find(obj)]


@lru_cache(maxsize=256)
def _compile(path: str) -> Any:
    # Loaded here: only tables of custom resources need it.
    import jsonpath_rfc9535 as jsonpath

    # kubectl's dialect escapes dots in names; the RFC writes such a name in brackets.
    standard = re.sub(
        r"\.((?:[^.\[\]()?@\\]|\\.)*\\.(?:[^.\[\]()?@\\]|\\.)*)",
        lambda found: "['" + re.sub(r"\\(.)", r"\1", found[1]) + "']",
        path,
    )
    try:
        return jsonpath.compile("$" + standard)
    except jsonpath.JSONPathError:
        return None
