"""Deployment: one ReplicaSet per template, and a rolling change from one to the next."""

from __future__ import annotations

from collections.abc import Iterable

from ..resources import (
    DEPLOYMENT,
    POD,
    REPLICA_SET,
    Json,
    Kind,
    Transaction,
)
from . import rollout
from .base import Controller, Key
from .deployment_status import build_status
from .pods import (
    HASH_LABEL,
    adopt,
    condition,
    is_leaving,
    is_terminal,
    owner_reference,
    save_status,
    set_condition,
    template_hash,
)
from .rollout import scale_to

COMPONENT = "deployment-controller"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    DESIRED,
    MOST,
    "deployment.kubernetes.io/revision-history",
}


class DeploymentController(Controller):
    """Makes the ReplicaSet of the newest template, and moves replicas to it."""

    kind = DEPLOYMENT
    watched = (REPLICA_SET, POD)

    def __init__(self) -> None:
        self._owners: dict[Key, str] = {}  # by ReplicaSet: the Deployment that it belongs to

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> Iterable[Key]:
        """Pods matter when they end: a Deployment that recreates waits for the last."""
        namespace = obj["metadata"].get("namespace", "")
        if kind == POD:
            if gone or is_terminal(obj):
                for owner in obj["metadata"].get("ownerReferences") or ():
                    deployment = self._owners.get((namespace, owner["name"]))
                    if owner["kind"] == REPLICA_SET.kind and deployment is not None:
                        yield namespace, deployment
            return
        found = list(super().keys(kind, obj, gone=gone))
        if kind == REPLICA_SET:
            for _, name in found:
                self._owners[namespace, obj["metadata"]["name"]] = name
            if gone:
                self._owners.pop((namespace, obj["metadata"]["name"]), None)
        yield from found

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Take one step of the rollout, and say where it stands."""
        sets = adopt(transaction, obj, REPLICA_SET)
        sets.sort(key=lambda each: each["metadata"]["creationTimestamp"])
        template = obj["spec"]["template"]
        new = next((each for each in sets if _same_template(each, template)), None)
        if is_leaving(obj):
            return self._finish(transaction, obj, sets, new)
        obj = self._note_pause(transaction, obj)
        if not obj["spec"].get("paused"):
            obj, new = self._ensure_new(transaction, obj, sets, new)
            sets = [each for each in sets if each["metadata"]["uid"] != new["metadata"]["uid"]]
            sets.append(new)
        sets = self._move(transaction, obj, sets, new)
        if new is not None:
            new = next(each for each in sets if _is(each, new))
        return self._finish(transaction, obj, sets, new)

    def _move(
        self, transaction: Transaction, obj: Json, sets: list[Json], new: Json | None
    ) -> list[Json]:
        """Set the replicas of all ReplicaSets, and return these as they are now."""
        wanted: int = obj["spec"]["replicas"]
        surge, unavailable = rollout.bounds(obj["spec"])
        if new is None or rollout.is_scaled(sets, wanted, DESIRED):
            targets = rollout.rescale(sets, new, wanted, surge, MOST)
        elif obj["spec"]["strategy"]["type"] == "Recreate":
            old = [each for each in sets if not _is(each, new)]
            running = any(
                not is_terminal(pod)
                for each in old
                for pod in transaction.owned(POD, each["metadata"]["uid"])
            )
            targets = rollout.recreate(old, new, wanted, running=running)
        else:
            old = [each for each in sets if not _is(each, new)]
            targets = rollout.roll(old, new, wanted, surge, unavailable)
        marks = {DESIRED: str(wanted), MOST: str(wanted + surge)}
        return [
            scale_to(transaction, obj, each, targets.get(each["metadata"]["name"]), marks)
            for each in sets
        ]

    def _ensure_new(
        self, transaction: Transaction, obj: Json, sets: list[Json], new: Json | None
    ) -> tuple[Json, Json]:
        """Return the Deployment and its newest ReplicaSet, made if needed, with its revision."""
        others = [each for each in sets if new is None or not _is(each, new)]
        revision = max((_revision(each) for each in others), default=0) + 1
        if new is None:
            obj, new = self._create(transaction, obj, revision)
        else:
            revision = max(revision, _revision(new))
            annotations = {**_copied(obj), REVISION: str(revision)}
            now = new["metadata"].get("annotations") or {}
            minimum = obj["spec"].get("minReadySeconds")
            if {**now, **annotations} != now or new["spec"].get("minReadySeconds") != minimum:
                new["metadata"]["annotations"] = {**now, **annotations}
                if minimum is not None:
                    new["spec"]["minReadySeconds"] = minimum
                else:
                    new["spec"].pop("minReadySeconds", None)
                new = transaction.update(new)
        annotations = obj["metadata"].get("annotations") or {}
        if annotations.get(REVISION) != str(revision):
            obj["metadata"]["annotations"] = {**annotations, REVISION: str(revision)}
            obj = transaction.update(obj)
        return obj, new

    def _create(self, transaction: Transaction, obj: Json, revision: int) -> tuple[Json, Json]:
        metadata, template = obj["metadata"], obj["spec"]["template"]
        collisions = (obj.get("status") or {}).get("collisionCount") or 0
        while True:
            mark = template_hash([template, collisions] if collisions else template)
            name = f"{metadata['name']}-{mark}"
            if transaction.find(REPLICA_SET, name, metadata["namespace"]) is None:
                break
            collisions += 1
        if collisions:
            status = {**(obj.get("status") or {}), "collisionCount": collisions}
            obj = save_status(transaction, obj, status)
        labels = {**(template["metadata"].get("labels") or {}), HASH_LABEL: mark}
        selector = obj["spec"]["selector"]
        spec: Json = {
            "replicas": 0,
            "selector": {
                **selector,
                "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: mark},
            },
            "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
        }
        if obj["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = obj["spec"]["minReadySeconds"]
        new = transaction.create(
            {
                "apiVersion": REPLICA_SET.api_version,
                "kind": REPLICA_SET.kind,
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "labels": labels,
                    "annotations": {**_copied(obj), REVISION: str(revision)},
                    "ownerReferences": [owner_reference(obj)],
                },
                "spec": spec,
            }
        )
        return obj, new

    def _note_pause(self, transaction: Transaction, obj: Json) -> Json:
        status = obj.get("status") or {}
        before = status.get("conditions") or []
        progressing = condition(obj, "Progressing") or {}
        paused, noted = (
            bool(obj["spec"].get("paused")),
            progressing.get("reason") == "DeploymentPaused",
        )
        if paused == noted:
            return obj
        word = "paused" if paused else "resumed"
        new = {
            "type": "Progressing",
            "status": "Unknown",
            "reason": f"Deployment{word.capitalize()}",
            "message": f"Deployment is {word}",
        }
        conditions = set_condition(before, new, "lastUpdateTime")
        return save_status(transaction, obj, {**status, "conditions": conditions})

    def _finish(
        self, transaction: Transaction, obj: Json, sets: list[Json], new: Json | None
    ) -> float | None:
        status, after_s = build_status(obj, sets, new)
        save_status(transaction, obj, status)
        complete = status.get("updatedReplicas", 0) == status.get("replicas", 0)
        if complete and not is_leaving(obj) and not obj["spec"].get("paused"):
            self._clean_up(transaction, obj, sets, new)
        return after_s

    def _clean_up(
        self, transaction: Transaction, obj: Json, sets: list[Json], new: Json | None
    ) -> None:
        """Delete old ReplicaSets beyond the history that is kept."""
        idle = [
            each
            for each in sets
            if (new is None or not _is(each, new))
            and not each["spec"]["replicas"]
            and not (each.get("status") or {}).get("replicas")
            and not is_leaving(each)
        ]
        idle.sort(key=_revision)
        for each in idle[: max(0, len(idle) - obj["spec"]["revisionHistoryLimit"])]:
            metadata = each["metadata"]
            transaction.delete(REPLICA_SET, metadata["name"], metadata["namespace"])


def _same_template(replica_set: Json, template: Json) -> bool:
    found = replica_set["spec"]["template"]
    labels = {
        key: value
        for key, value in (found["metadata"].get("labels") or {}).items()
        if key != HASH_LABEL
    }
    metadata = {**found["metadata"], "labels": labels}
    return bool({**found, "metadata": metadata} == template)


def _is(one: Json, other: Json) -> bool:
    return bool(one["metadata"]["uid"] == other["metadata"]["uid"])


def _revision(replica_set: Json) -> int:
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def _copied(obj: Json) -> dict[str, str]:
    annotations = obj["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in _NOT_COPIED}
