"""Artifacts that lie in an object store: around a task's pod, and as the plane itself sees them.

The step's launcher (`artifacts.launcher`) does the copying; here is what it is told, what it
learnt, and the plane's own look at an object.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from ..artifacts import launcher
from ..artifacts.access import CONFIG_NAME, PROVIDERS_KEY, Access, AccessError, access_of
from ..artifacts.objects import Store
from ..artifacts.places import FOLDERS, Place, remote
from ..resources import CONFIG_MAP, SECRET, ApiError, Kind, Resources
from .pods import Folders
from .records import Artifact, Run, Task

Json = Any
Find = Callable[[Kind, str], Json]
"""Returns an object of the namespace by kind and name, `None` when there is none."""

_VOLUME = "fairlead-objects"
_PATIENCE_S = 10.0
_WITHOUT_CONTENT = ("Metric", "ClassificationMetric", "SlicedClassificationMetric")


def attach(pod: Json, run: Run, task: Task, find: Find) -> None:
    """Put the launcher around a pod's command, if the task has to do with objects.

    Parameters
    ----------
    pod : JSON
        The Pod; changed in place. It names Secrets and holds none.
    find : callable
        Reads the settings.

    Raises
    ------
    ApiError
        The settings are wrong, or the container names no command; the message says which.
    """
    folders = Folders(run, task)
    inputs = [
        one.uri
        for artifacts in task.inputs.artifacts.values()
        for one in artifacts
        if remote(one.uri) and (one.stamp or one.type not in _WITHOUT_CONTENT)
    ]
    outputs = [
        uri for name in task.component.output_artifacts if remote(uri := folders.artifact(name))
    ]
    if not inputs and not outputs:
        return
    container = pod["spec"]["containers"][0]
    if not container["command"]:
        raise _refused(
            f"task '{task.path}': artifacts in an object store need a container that names its "
            "command"
        )
    try:
        buckets = _buckets([*inputs, *outputs], settings(find, PROVIDERS_KEY))
    except AccessError as error:
        raise _refused(str(error)) from error
    plan = {
        "inputs": inputs,
        "outputs": outputs,
        "buckets": [
            {"scheme": p.scheme, "bucket": p.bucket, "prefix": p.key, "access": asdict(a)}
            for p, a in buckets
        ],
        "output_file": folders.output_file,
        "report": folders.report_file,
        "error": folders.error_file,
    }
    text = orjson.dumps(plan).decode().replace("$", "$$")
    container["args"] = [text, *container["command"], *container["args"]]
    container["command"] = [sys.executable, "-I", launcher.__file__]
    container.setdefault("env", []).extend(_secrets(buckets))
    schemes = dict.fromkeys(place.scheme for place, _ in buckets)
    container.setdefault("volumeMounts", []).extend(
        {"name": _VOLUME, "mountPath": FOLDERS[scheme], "subPath": scheme} for scheme in schemes
    )
    pod["spec"].setdefault("volumes", []).append({"name": _VOLUME, "emptyDir": {}})


def report_of(folders: Folders, uri: str) -> tuple[str, int, str]:
    """Return stamp, size and hash of an object that the attempt put; empty ones when it did not."""
    try:
        known = orjson.loads(Path(folders.report_file).read_bytes()).get(uri)
    except (OSError, orjson.JSONDecodeError, AttributeError):
        known = None
    if not isinstance(known, dict):
        return "", 0, ""
    return str(known["stamp"]), int(known["size"]), str(known["sha256"])


def settings(find: Find, key: str) -> str:
    """Return what the ConfigMap `kfp-launcher` says under a key; empty when it says nothing."""
    found = find(CONFIG_MAP, CONFIG_NAME)
    return str((found or {}).get("data", {}).get(key) or "")


def finder(resources: Resources, namespace: str) -> Find:
    """Return what finds objects of a namespace; for the thread of the event loop."""

    def find(kind: Kind, name: str) -> Json:
        body = resources.find_body(kind, name, namespace)
        return None if body is None else orjson.loads(body)

    return find


def store_of(place: Place, find: Find) -> Callable[[], Store]:
    """Return what opens the store of a place, as the plane itself may; in any thread.

    Raises
    ------
    AccessError
        The settings are wrong. The opening raises StoreError.
    """
    access = access_of(place, settings(find, PROVIDERS_KEY))
    secrets: tuple[str, ...] = ()
    if access.secret_name:
        data = (find(SECRET, access.secret_name) or {}).get("data") or {}
        values = [base64.b64decode(data.get(key) or "").decode() for key in access.keys]
        secrets = tuple(values) if all(values) else ()
    return lambda: Store(place, access, secrets, os.environ, patience_s=_PATIENCE_S)


def objects_among(artifacts: Mapping[str, list[Artifact]]) -> list[Artifact]:
    """Return the artifacts whose content lies in a store."""
    return [one for made in artifacts.values() for one in made if one.stamp and remote(one.uri)]


def _buckets(uris: Iterable[str], providers: str) -> list[tuple[Place, Access]]:
    """Return how to get at each bucket, and at what in it has settings of its own; that first."""
    found: dict[tuple[Place, Access], None] = {}
    for place in filter(None, map(remote, uris)):
        whole = Place(place.scheme, place.bucket, "")
        access = access_of(place, providers)
        same = access == access_of(whole, providers)
        found[whole if same else place, access] = None
    return sorted(found, key=lambda one: -len(one[0].key))


def _secrets(buckets: list[tuple[Place, Access]]) -> list[Json]:
    return [
        {
            "name": launcher.SECRET_VARIABLE.format(number, index),
            "valueFrom": {
                "secretKeyRef": {
                    "name": access.secret_name,
                    "key": key,
                    **({"optional": True} if access.optional else {}),
                }
            },
        }
        for number, (_, access) in enumerate(buckets)
        for index, key in enumerate(access.keys)
    ]


def _refused(message: str) -> ApiError:
    return ApiError(422, "Invalid", message)
