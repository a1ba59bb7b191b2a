"""The lines of a watch."""

from __future__ import annotations

import json

from fairlead.kube.errors import error_from_answer
from fairlead.kube.types import WatchEvent

_EVENTS = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK"})


def read_event(line: bytes) -> WatchEvent:
    """Read one line of a watch.

    Raises
    ------
    FairleadError
        The server ends the watch with an error; its kind is that of any answer.
    ValueError, KeyError, TypeError
        It is no event of a watch.
    """
    event = json.loads(line)
    if event["type"] == "ERROR":
        code = int(event["object"].get("code", 500))
        raise error_from_answer(code, json.dumps(event["object"]).encode(), "watch")
    metadata = event["object"]["metadata"]
    if event["type"] not in _EVENTS or not isinstance(metadata["resourceVersion"], str):
        raise ValueError("no event of a watch")
    return WatchEvent(event["type"], event["object"])
