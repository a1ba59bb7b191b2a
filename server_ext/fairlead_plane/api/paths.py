"""What a URL of the Kubernetes API means."""

from __future__ import annotations

from typing import NamedTuple

from ..resources import NAMESPACE, Kind, Registry


class Target(NamedTuple):
    """The objects that a URL names."""

    kind: Kind
    namespace: str | None
    """None: all namespaces, or a kind without."""
    name: str | None
    """None: the collection."""
    subresource: str
    """Empty: the object itself."""
    rest: str
    """What follows the subresource, from its slash on."""
    watch: bool = False
    """True: the path itself asks for a watch."""


def parse_target(registry: Registry, path: str) -> Target | None:
    """Parse the path of an object or a collection.

    Parameters
    ----------
    registry : Registry
        The kinds that are served.
    path : str
        As in a request, decoded.

    Returns
    -------
    Target or None
        None when the path is no place of objects.

    Raises
    ------
    ApiError
        404 for a kind that is not served.
    """
    parts = path.split("/")[1:]
    if parts[:2] == ["api", "v1"]:
        group, version, words = "", "v1", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, words = parts[1], parts[2], parts[3:]
    else:
        return None
    if not words or not words[0]:
        return None
    old_watch = words[0] == "watch" and len(words) > 1
    if old_watch:  # `/api/v1/watch/...`, from before `?watch=true`
        words = words[1:]
    namespace: str | None = None
    # `namespaces/NAME` and its own subresources are the namespace, not something inside it.
    if (
        words[0] == NAMESPACE.plural
        and len(words) > 2
        and words[2] not in ("", "status", "finalize")
    ):
        namespace, words = words[1], words[2:]
    kind = registry.find(group, version, words[0])
    if namespace is not None and not kind.namespaced:
        return None
    name = words[1] if len(words) > 1 and words[1] else None
    if name is not None and kind.namespaced and namespace is None:
        return None
    subresource = words[2] if len(words) > 2 else ""
    rest = "".join(f"/{word}" for word in words[3:])
    return Target(kind, namespace, name, subresource, rest, old_watch)
