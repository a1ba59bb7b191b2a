"""Validation of the kinds that make pods: what ties their fields together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .errors import Cause
from .kinds import DEPLOYMENT, JOB, REPLICA_SET, STATEFUL_SET, Json, Kind
from .validation_pod import check_pod

WORKLOADS = (DEPLOYMENT, JOB, REPLICA_SET, STATEFUL_SET)

_STS_MUTABLE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip


def check_workload(kind: Kind, obj: Json, existing: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with the spec of a workload."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        yield Cause("spec", "FieldValueRequired", "Required value")
        return
    for field in ("replicas", "parallelism", "completions", "backoffLimit", "minReadySeconds"):
        number = spec.get(field)
        if isinstance(number, int) and number < 0:
            yield _invalid(f"spec.{field}", number, "must be greater than or equal to 0")
    template = spec.get("template")
    if not isinstance(template, dict):
        yield Cause("spec.template", "FieldValueRequired", "Required value")
        return
    claims = tuple(each["metadata"]["name"] for each in spec.get("volumeClaimTemplates") or ())
    for cause in check_pod(template, claims):
        yield cause._replace(field=f"spec.template.{cause.field}")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if kind == JOB:
        if policy not in ("OnFailure", "Never"):
            yield Cause(
                "spec.template.spec.restartPolicy",
                "FieldValueRequired" if policy == "Always" else "FieldValueNotSupported",
                'Required value: valid values: "OnFailure", "Never"'
                if policy == "Always"
                else f'Unsupported value: "{policy}": supported values: "OnFailure", "Never"',
            )
        if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
            text = "Required value: when completion mode is Indexed"
            yield Cause("spec.completions", "FieldValueRequired", text)
    else:
        if policy != "Always":
            text = f'Unsupported value: "{policy}": supported values: "Always"'
            yield Cause("spec.template.spec.restartPolicy", "FieldValueNotSupported", text)
        yield from _selector(spec, template)
    if existing is not None:
        yield from _fixed(kind, spec, existing["spec"])


def _selector(spec: Json, template: Json) -> Iterator[Cause]:
    selector = spec.get("selector")
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        text = (
            "Required value" if selector is None else "Invalid value: {}: empty selector is invalid"
        )
        reason = "FieldValueRequired" if selector is None else "FieldValueInvalid"
        yield Cause("spec.selector", reason, text)
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        shown = " ".join(f'"{key}":"{value}",' for key, value in sorted(labels.items()))
        yield Cause(
            "spec.template.metadata.labels",
            "FieldValueInvalid",
            f"Invalid value: map[string]string{{{shown.rstrip(',')}}}: `selector` does not match "
            "template `labels`",
        )


def _fixed(kind: Kind, spec: Json, before: Json) -> Iterator[Cause]:
    if kind == STATEFUL_SET:
        mine = {key: value for key, value in spec.items() if key not in _STS_MUTABLE}
        if mine != {key: value for key, value in before.items() if key not in _STS_MUTABLE}:
            yield Cause(
                "spec",
                "FieldValueForbidden",
                "Forbidden: updates to statefulset spec for fields other than 'replicas', "
                "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
                "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
            )
        return
    fields = ["selector"]
    if kind == JOB:
        fields += ["completionMode", "podFailurePolicy", "backoffLimitPerIndex"]
        # A suspended job that has not started may still be told where to run.
        if not before.get("suspend"):
            fields.append("template")
        if spec.get("completionMode") != "Indexed":
            fields.append("completions")
    for field in fields:
        if spec.get(field) != before.get(field):
            yield _invalid(f"spec.{field}", spec.get(field), "field is immutable")


def _invalid(field: str, value: Any, message: str) -> Cause:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return Cause(field, "FieldValueInvalid", f"Invalid value: {shown}: {message}")
