"""Labels of runs: `team=vision`. They group runs, to find and to compare them.

KFP's runs have none, so they stand in the ConfigMap `fairlead-run-labels` of the namespace of the
runs, here as on a cluster: run id -> its labels as JSON. Keys and values are those of Kubernetes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.errors import ConflictError, FairleadError, NotFoundError, SpecError
from fairlead.kube.types import CONFIG_MAPS
from fairlead.pipelines.client import PipelinesClient

CONFIG_MAP = "fairlead-run-labels"

Labels = dict[str, str]

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}")
_VALUE = re.compile(rf"({_NAME})?")


def read_selector(text: str) -> dict[str, str | None]:
    """Read which labels a run must have: `team=vision,checked`; without a value, any.

    Raises
    ------
    SpecError
        It cannot be read.
    """
    wanted: dict[str, str | None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        _check(key, value)
        wanted[key] = value if equals else None
    if not wanted:
        raise SpecError("No label is named.", hint="Write key=value or key.")
    return wanted


def suits(labels: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    """Whether labels are as `read_selector` says."""
    return all(
        key in labels and (value is None or labels[key] == value) for key, value in wanted.items()
    )


def read_changes(words: Iterable[str]) -> dict[str, str | None]:
    """Read changes of labels as `kubectl label` takes them: `team=vision`, and `team-` to drop it.

    Raises
    ------
    SpecError
        One of them is neither, or its key or value is none that Kubernetes takes.
    """
    changes: dict[str, str | None] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals and key.endswith("-"):
            changes[key[:-1]] = None
        elif equals:
            changes[key] = value
        else:
            raise SpecError(
                f"'{word}' is no label.", hint="key=value sets one, and key- takes it away."
            )
        _check(key if equals else key[:-1], value)
    return changes


def read_labels(pipelines: PipelinesClient) -> dict[str, Labels]:
    """Read the labels of all runs that have some, by run id."""
    try:
        found = pipelines.kube.get(CONFIG_MAPS, CONFIG_MAP, pipelines.namespace)
    except NotFoundError:
        return {}
    return {run_id: json.loads(text) for run_id, text in (found.get("data") or {}).items()}


def known_labels(pipelines: PipelinesClient) -> dict[str, Labels]:
    """Read the labels; none, where they may not be read."""
    try:
        return read_labels(pipelines)
    except FairleadError as error:
        if error.code != 403:
            raise
        return {}


def change_labels(
    pipelines: PipelinesClient, run_id: str, changes: Mapping[str, str | None]
) -> Labels:
    """Set labels of a run, and take away those that are `None`; returns what it has then.

    Raises
    ------
    SpecError
        A key or a value is none that Kubernetes takes.
    """
    for key, value in changes.items():
        _check(key, value or "")
    labels: Labels = {}

    def change(config_map: dict[str, Any]) -> None:
        data = config_map["data"] = config_map.get("data") or {}
        nonlocal labels
        merged = {**json.loads(data.get(run_id, "{}")), **changes}
        labels = {key: value for key, value in sorted(merged.items()) if value is not None}
        if labels:
            data[run_id] = json.dumps(labels)
        else:
            data.pop(run_id, None)

    kube, namespace = pipelines.kube, pipelines.namespace
    try:
        kube.update(CONFIG_MAPS, CONFIG_MAP, change, namespace)
    except NotFoundError:
        manifest = labels_manifest()
        change(manifest)
        try:
            kube.create(manifest, namespace)
        except ConflictError:  # Made meanwhile by somebody else.
            kube.update(CONFIG_MAPS, CONFIG_MAP, change, namespace)
    return labels


def forget_labels(pipelines: PipelinesClient, run_id: str) -> None:
    """Drop the labels of a run that is no more."""
    if run_id in known_labels(pipelines):
        kube, namespace = pipelines.kube, pipelines.namespace
        kube.patch(CONFIG_MAPS, CONFIG_MAP, {"data": {run_id: None}}, namespace)


def labels_manifest() -> dict[str, Any]:
    """Return the ConfigMap, empty."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CONFIG_MAP},
        "data": {},
    }


def _check(key: str, value: str) -> None:
    if not _KEY.fullmatch(key):
        raise SpecError(
            f"'{key}' is no key of a label.",
            hint="At most 63 letters, digits, '-', '_' and '.', a letter or digit first and last; "
            "before it perhaps a domain and '/'.",
        )
    if not _VALUE.fullmatch(value):
        raise SpecError(
            f"{key}: '{value}' is no value of a label.",
            hint="At most 63 letters, digits, '-', '_' and '.', a letter or digit first and last.",
        )
