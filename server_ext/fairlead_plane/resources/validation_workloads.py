"""Validation of the kinds that make pods, worded as the API server words it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .causes import duplicate, forbidden_field, required, unsupported, wrong
from .errors import Cause
from .kinds import CRON_JOB, DEPLOYMENT, JOB, REPLICA_SET, STATEFUL_SET, Json, Kind
from .schedules import check_schedule
from .validation_metadata import check_labels
from .validation_pod import check_pod

WORKLOADS = (CRON_JOB, DEPLOYMENT, JOB, REPLICA_SET, STATEFUL_SET)

_COUNTS = (
    "replicas", "parallelism", "completions", "backoffLimit", "backoffLimitPerIndex",
    "maxFailedIndexes", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds",
    "activeDeadlineSeconds", "ttlSecondsAfterFinished", "startingDeadlineSeconds",
    "successfulJobsHistoryLimit", "failedJobsHistoryLimit",
)  # fmt: skip
_STS_MUTABLE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
_JOB_POLICIES = ("OnFailure", "Never")
_CONCURRENCY = ("Allow", "Forbid", "Replace")
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
# A CronJob's jobs have eleven letters more than itself, within the 63 of a label.
_CRON_NAME = 52
_PERCENT = re.compile(r"[0-9]+%")
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')"
)


def check_workload(kind: Kind, obj: Json, existing: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with the spec of a workload."""
    spec = obj.get("spec") or {}
    if kind == CRON_JOB:
        yield from _cron_job(obj["metadata"]["name"], spec)
        return
    yield from _counts("spec", spec)
    if kind == JOB:
        yield from _job("spec", spec)
        if existing is None and not spec.get("manualSelector"):
            yield from _own_selector(spec, obj["metadata"]["uid"])
    else:
        yield from _template(spec)
        yield from _selector(kind, spec)
    if kind == DEPLOYMENT:
        yield from _deployment(spec)
    elif kind == STATEFUL_SET:
        yield from _stateful_set(spec)
    if existing is not None:
        yield from _fixed(kind, spec, existing["spec"])


def _counts(path: str, spec: Json) -> Iterator[Cause]:
    for field in _COUNTS:
        number = spec.get(field)
        if isinstance(number, int) and number < 0:
            yield wrong(f"{path}.{field}", number, "must be greater than or equal to 0")


def _template(spec: Json) -> Iterator[Cause]:
    template = spec.get("template") or {}
    claims = tuple(map(_claim_name, spec.get("volumeClaimTemplates") or ()))
    for cause in check_pod(template, claims):
        yield cause._replace(field=f"spec.template.{cause.field}")
    yield from check_labels("spec.template.labels", _labels(template))
    pod = template.get("spec") or {}
    policy = pod.get("restartPolicy", "Always")
    if policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        text = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden_field("spec.template.spec.activeDeadlineSeconds", text)


def _labels(template: Json) -> Json:
    return (template.get("metadata") or {}).get("labels") or {}


def _selector(kind: Kind, spec: Json) -> Iterator[Cause]:
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    wanted, rules = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not wanted and not rules:
        text = f"empty selector is invalid for {kind.kind.lower()}"
        yield wrong("spec.selector", selector, text)
        return
    bad = [*_expressions("spec.selector.matchExpressions", rules)]
    yield from bad
    labels = _labels(spec.get("template") or {})
    matches = all(labels.get(key) == value for key, value in wanted.items())
    if not bad and not (matches and all(_holds(rule, labels) for rule in rules)):
        shown = ", ".join(f'"{key}":"{value}"' for key, value in sorted(labels.items()))
        yield Cause(
            "spec.template.metadata.labels",
            "FieldValueInvalid",
            f"Invalid value: map[string]string{{{shown}}}: `selector` does not match template "
            "`labels`",
        )


def _expressions(path: str, rules: list[Json]) -> Iterator[Cause]:
    for index, rule in enumerate(rules):
        at, operator = f"{path}[{index}]", rule.get("operator", "")
        if operator not in _OPERATORS:
            yield wrong(f"{at}.operator", operator, "not a valid selector operator")
        elif operator in ("In", "NotIn") and not rule.get("values"):
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            yield required(f"{at}.values", text)
        elif operator in ("Exists", "DoesNotExist") and rule.get("values"):
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield forbidden_field(f"{at}.values", text)


def _holds(rule: Json, labels: Json) -> bool:
    value = labels.get(rule.get("key", ""))
    operator, values = rule["operator"], rule.get("values") or ()
    if operator in ("In", "NotIn"):
        return bool(value in values) is bool(operator == "In")
    return (value is not None) is bool(operator == "Exists")


def _deployment(spec: Json) -> Iterator[Cause]:
    at, strategy = "spec.strategy", spec.get("strategy") or {}
    kind, rolling = strategy.get("type", "RollingUpdate"), strategy.get("rollingUpdate")
    if kind not in ("Recreate", "RollingUpdate"):
        yield unsupported(at, kind, ("Recreate", "RollingUpdate"))
    elif kind == "Recreate" and rolling is not None:
        text = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden_field(f"{at}.rollingUpdate", text)
    elif rolling is not None:
        down, up = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        yield from _share(f"{at}.rollingUpdate.maxUnavailable", down)
        yield from _share(f"{at}.rollingUpdate.maxSurge", up)
        if down in (0, "0%") and up in (0, "0%"):
            text = "may not be 0 when `maxSurge` is 0"
            yield wrong(f"{at}.rollingUpdate.maxUnavailable", down, text)
        if isinstance(down, str) and _PERCENT.fullmatch(down) and int(down[:-1]) > 100:
            text = "must not be greater than 100%"
            yield wrong(f"{at}.rollingUpdate.maxUnavailable", down, text)
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds", 0)
    if deadline is not None and deadline <= ready:
        text = "must be greater than minReadySeconds"
        yield wrong("spec.progressDeadlineSeconds", deadline, text)


def _share(path: str, value: Any) -> Iterator[Cause]:
    if isinstance(value, str) and not _PERCENT.fullmatch(value):
        yield wrong(path, value, _PERCENT_TEXT)
    elif isinstance(value, int) and value < 0:
        yield wrong(path, value, "must be greater than or equal to 0")


def _stateful_set(spec: Json) -> Iterator[Cause]:
    policy = spec.get("podManagementPolicy", "OrderedReady")
    if policy not in ("OrderedReady", "Parallel"):
        yield wrong("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    strategy = (spec.get("updateStrategy") or {}).get("type", "RollingUpdate")
    if strategy not in ("RollingUpdate", "OnDelete"):
        yield wrong("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'")
    names: set[str] = set()
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        name = _claim_name(claim)
        if not name:
            yield required(f"spec.volumeClaimTemplates[{index}].metadata.name")
        elif name in names:
            yield duplicate(f"spec.volumeClaimTemplates[{index}].metadata.name", name)
        names.add(name)


def _claim_name(claim: Json) -> str:
    name: str = (claim.get("metadata") or {}).get("name", "")
    return name


def _job(path: str, spec: Json) -> Iterator[Cause]:
    at, template = f"{path}.template", spec.get("template") or {}
    for cause in check_pod({"spec": {**(template.get("spec") or {}), "restartPolicy": "Never"}}):
        yield cause._replace(field=f"{at}.{cause.field}")
    yield from check_labels(f"{at}.labels", _labels(template))
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy == "Always":
        text = 'valid values: "OnFailure", "Never"'
        yield required(f"{at}.spec.restartPolicy", text)
    elif policy not in _JOB_POLICIES:
        yield unsupported(f"{at}.spec.restartPolicy", policy, _JOB_POLICIES)
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")


def _own_selector(spec: Json, uid: str) -> Iterator[Cause]:
    selector = spec.get("selector") or {}
    if uid not in (selector.get("matchLabels") or {}).values():
        yield wrong("spec.selector", selector, "`selector` not auto-generated")


def _cron_job(name: str, spec: Json) -> Iterator[Cause]:
    yield from _counts("spec", spec)
    if not spec.get("schedule"):
        yield required("spec.schedule")
    else:
        yield from check_schedule("spec.schedule", spec["schedule"])
    policy = spec.get("concurrencyPolicy", "Allow")
    if policy not in _CONCURRENCY:
        yield unsupported("spec.concurrencyPolicy", policy, _CONCURRENCY)
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    yield from _counts("spec.jobTemplate.spec", job)
    yield from _job("spec.jobTemplate.spec", job)
    if job.get("selector") is not None and not job.get("manualSelector"):
        text = "`selector` will be auto-generated"
        yield wrong("spec.jobTemplate.spec.selector", job["selector"], text)
    if len(name) > _CRON_NAME:
        yield wrong("metadata.name", name, f"must be no more than {_CRON_NAME} characters")


def _fixed(kind: Kind, spec: Json, before: Json) -> Iterator[Cause]:
    if kind == STATEFUL_SET:
        mine = {key: value for key, value in spec.items() if key not in _STS_MUTABLE}
        if mine != {key: value for key, value in before.items() if key not in _STS_MUTABLE}:
            text = (
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                "'template', 'updateStrategy', 'revisionHistoryLimit', "
                "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
            )
            yield forbidden_field("spec", text)
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
            yield wrong(f"spec.{field}", spec.get(field), "field is immutable")
