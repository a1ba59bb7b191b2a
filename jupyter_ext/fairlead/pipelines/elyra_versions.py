"""Files of earlier versions of Elyra, in the words of the newest."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

Json = dict[str, Any]

_WORDS = {
    "notebook": "filename",
    "artifact": "filename",
    "docker_image": "runtime_image",
    "image": "runtime_image",
    "vars": "env_vars",
    "file_dependencies": "dependencies",
    "recursive_dependencies": "include_subdirectories",
}
"""What the first version called a node's properties."""
_EDITORS = ("ui_data", "label", "invalidNodeError", "component_source", "component_description")
"""What stood beside a node's properties before version 4, and is the editor's own."""
_TEXTS = {
    "env_vars": (r"(?P<env_var>[^=]*)=(?P<value>.*)", "NAME=VALUE"),
    "mounted_volumes": (r"(?P<path>[^=]*)=(?P<pvc_name>.*)", "PATH=CLAIM"),
    "kubernetes_pod_annotations": (r"(?P<key>[^=]*)=(?P<value>.*)", "KEY=VALUE"),
    "kubernetes_pod_labels": (r"(?P<key>[^=]*)=(?P<value>.*)", "KEY=VALUE"),
    "kubernetes_secrets": (
        r"(?P<env_var>[^=]*)=(?P<name>[^:]*):(?P<key>.*)",
        "VARIABLE=SECRET:KEY",
    ),
    "kubernetes_tolerations": (
        r"[^=]*=(?P<key>[^:]*):(?P<operator>[^:]*):(?P<value>[^:]*):(?P<effect>.*)",
        "ID=KEY:OPERATOR:VALUE:EFFECT",
    ),
}
"""How entries of lists were written as texts before version 8."""


def properties_of(node: Json, version: float) -> Json:
    """Return the properties of a node, which the first versions had elsewhere, in today's words."""
    data = node.get("app_data") or {}
    given = data.get("component_parameters")
    if given is None:
        given = {key: value for key, value in data.items() if key not in _EDITORS}
    words = _WORDS if version < 1 else {}
    made = {words.get(key, key): value for key, value in given.items()}
    if version < 2 and made.get("filename"):
        # It led from the root of the server; Elyra itself looks beside the pipeline since.
        made["filename"] = PurePosixPath(str(made["filename"])).name
    return entries_of(made)


def entries_of(properties: Json) -> Json:
    """Return properties with the entries of their lists as objects."""
    made = dict(properties)
    for key, (pattern, _) in _TEXTS.items():
        listed = made.get(key)
        if isinstance(listed, list):
            made[key] = [_entry(text, pattern) for text in listed]
    return made


def form_of(key: str) -> str:
    """Return how an entry of a list was written as a text; empty for other properties."""
    return _TEXTS.get(key, ("", ""))[1]


def _entry(text: Any, pattern: str) -> Any:
    found = re.fullmatch(pattern, text, re.DOTALL) if isinstance(text, str) else None
    return found.groupdict() if found else text
