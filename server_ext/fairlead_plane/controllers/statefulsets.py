"""StatefulSet: pods with names, numbers and volumes of their own, started and changed in order."""

from __future__ import annotations

import copy
from typing import Any

from ..resources import (
    CONTROLLER_REVISION,
    POD,
    PVC,
    STATEFUL_SET,
    ApiError,
    Json,
    Transaction,
)
from . import revisions
from .base import REFUSED, Controller
from .pods import (
    adopt,
    available_in_s,
    build_pod,
    is_leaving,
    is_ready,
    is_terminal,
    owner_reference,
    save_status,
)

COMPONENT = "statefulset-controller"
REVISION_LABEL = "controller-revision-hash"
_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
_INDEX_LABEL = "apps.kubernetes.io/pod-index"


class StatefulSetController(Controller):
    """Keeps numbered pods."""

    kind = STATEFUL_SET
    watched = (POD, CONTROLLER_REVISION)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Take the next step towards all pods being there, and of the newest revision."""
        return _Look(transaction, obj).run()


class _Look:
    """One look at one StatefulSet."""

    def __init__(self, transaction: Transaction, obj: Json) -> None:
        self._transaction = transaction
        self._set = obj
        self._spec = obj["spec"]
        self._name: str = obj["metadata"]["name"]
        self._namespace: str = obj["metadata"]["namespace"]
        self._pods: dict[int, Json] = {}
        self._waits: list[float] = []
        self._update = self._current = ""  # names of the newest revision and the one before
        self._known: dict[str, Json] = {}

    def run(self) -> float | None:
        for pod in adopt(self._transaction, self._set, POD):
            number = _number(self._name, pod)
            if number is not None:
                self._pods[number] = pod
        known = self._transaction.owned(CONTROLLER_REVISION, self._set["metadata"]["uid"])
        if is_leaving(self._set):
            return None
        self._update, known = revisions.ensure(self._transaction, self._set, known)
        before = (self._set.get("status") or {}).get("currentRevision")
        names = [each["metadata"]["name"] for each in known]
        self._current = str(before) if before in names else self._update
        self._known = {each["metadata"]["name"]: each for each in known}
        self._scale()
        self._save()
        used = {pod["metadata"]["labels"].get(REVISION_LABEL, "") for pod in self._pods.values()}
        revisions.clean_up(
            self._transaction, self._set, known, {self._update, self._current, *used}
        )
        return min(self._waits, default=None)

    # Steps

    def _scale(self) -> None:
        """Walk over the pods in order; unless they are managed in parallel, one step at a time."""
        in_order = self._spec.get("podManagementPolicy") != "Parallel"
        start = (self._spec.get("ordinals") or {}).get("start", 0)
        wanted = range(start, start + self._spec["replicas"])
        for number in wanted:
            if not self._settle(number) and in_order:
                return
        for number in sorted(set(self._pods) - set(wanted), reverse=True):
            pod = self._pods[number]
            # The ones below must be well before one goes: the order of ending is that of starting.
            if in_order and not is_leaving(pod):
                unwell = [each for each in wanted if not self._is_available(self._pods[each])]
                if unwell:
                    return
            self._delete(pod)
            if in_order:
                return
        self._roll(wanted)

    def _settle(self, number: int) -> bool:
        """See that a pod is there; True when the next may start."""
        pod = self._pods.get(number)
        if pod is not None and is_terminal(pod):
            # It must run: its place is given free, and taken again by the event of its end.
            self._delete(pod, force=True)
            pod = self._pods.get(number)
        if pod is None:
            self._create(number)
            return False
        return self._is_available(pod)

    def _roll(self, wanted: range) -> None:
        """Replace the highest pod that is not of the newest revision, when all above are well."""
        strategy = self._spec["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return
        rolling = strategy.get("rollingUpdate") or {}
        partition = rolling.get("partition", 0)
        for number in reversed(wanted):
            if number < partition:
                return
            pod = self._pods[number]
            if pod["metadata"]["labels"].get(REVISION_LABEL) != self._update:
                if not is_leaving(pod):
                    self._delete(pod)
                return
            if not self._is_available(pod):
                return

    def _create(self, number: int) -> None:
        start = (self._spec.get("ordinals") or {}).get("start", 0)
        rolling = (self._spec["updateStrategy"].get("rollingUpdate") or {}).get("partition", 0)
        old = self._current != self._update and number < start + rolling
        revision = self._current if old else self._update
        template = revisions.template_of(self._set, self._known.get(revision))
        pod = self._build(number, template, revision)
        name = pod["metadata"]["name"]
        try:
            for claim in self._claims(number):
                found = self._transaction.find(PVC, claim["metadata"]["name"], self._namespace)
                if found is None:
                    self._transaction.create(claim)
                    self._event(
                        "SuccessfulCreate",
                        f"create Claim {claim['metadata']['name']} Pod {name} in StatefulSet "
                        f"{self._name} success",
                    )
            self._pods[number] = self._transaction.create(pod)
        except ApiError as error:
            words = f"create Pod {name} in StatefulSet {self._name} failed error: {error.message}"
            self._event("FailedCreate", words, type="Warning")
            self._waits.append(REFUSED)
            return
        words = f"create Pod {name} in StatefulSet {self._name} successful"
        self._event("SuccessfulCreate", words)

    def _build(self, number: int, template: Json, revision: str) -> Json:
        pod = build_pod(self._set, template)
        name = f"{self._name}-{number}"
        pod["metadata"]["name"] = name
        del pod["metadata"]["generateName"]
        labels = {_NAME_LABEL: name, _INDEX_LABEL: str(number), REVISION_LABEL: revision}
        pod["metadata"]["labels"].update(labels)
        spec = pod["spec"]
        spec["hostname"] = name
        if self._spec.get("serviceName"):
            spec["subdomain"] = self._spec["serviceName"]
        mine = [
            {
                "name": claim["metadata"]["name"],
                "persistentVolumeClaim": {"claimName": self._claim_name(claim, number)},
            }
            for claim in self._spec.get("volumeClaimTemplates") or ()
        ]
        if mine:
            names = {each["name"] for each in mine}
            others = [each for each in spec.get("volumes") or () if each["name"] not in names]
            spec["volumes"] = [*others, *mine]
        return pod

    def _claims(self, number: int) -> list[Json]:
        """Build the claims of a pod; they stay when it goes, and are its successor's."""
        claims = []
        policy = self._spec.get("persistentVolumeClaimRetentionPolicy") or {}
        for template in self._spec.get("volumeClaimTemplates") or ():
            claim = copy.deepcopy(template)
            claim.pop("status", None)
            metadata = claim["metadata"]
            metadata["name"] = self._claim_name(template, number)
            metadata["namespace"] = self._namespace
            labels = self._spec["selector"].get("matchLabels") or {}
            metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
            if policy.get("whenDeleted") == "Delete":
                metadata["ownerReferences"] = [owner_reference(self._set)]
            claims.append(claim)
        return claims

    def _claim_name(self, template: Json, number: int) -> str:
        return f"{template['metadata']['name']}-{self._name}-{number}"

    def _delete(self, pod: Json, *, force: bool = False) -> None:
        if is_leaving(pod) and not force:
            return
        name = pod["metadata"]["name"]
        self._transaction.delete(POD, name, self._namespace)
        number = _number(self._name, pod)
        left = self._transaction.find(POD, name, self._namespace)
        if number is not None:
            if left is None:
                del self._pods[number]
            else:
                self._pods[number] = left
        words = f"delete Pod {name} in StatefulSet {self._name} successful"
        self._event("SuccessfulDelete", words)
        retention = self._spec.get("persistentVolumeClaimRetentionPolicy") or {}
        start = (self._spec.get("ordinals") or {}).get("start", 0)
        end = start + self._spec["replicas"]
        if number is not None and number >= end and retention.get("whenScaled") == "Delete":
            for claim in self._claims(number):
                known = self._transaction.find(PVC, claim["metadata"]["name"], self._namespace)
                if known is not None:
                    self._transaction.delete(PVC, known["metadata"]["name"], self._namespace)

    def _is_available(self, pod: Json | None) -> bool:
        if pod is None or is_leaving(pod) or is_terminal(pod):
            return False
        wait_s = available_in_s(pod, self._spec.get("minReadySeconds") or 0)
        if 0 < wait_s < float("inf"):
            self._waits.append(wait_s)
        return wait_s == 0

    # Writing

    def _event(self, reason: str, message: str, *, type: str = "Normal") -> None:
        self._transaction.record_event(self._set, reason, message, type=type, component=COMPONENT)

    def _save(self) -> None:
        pods = [pod for pod in self._pods.values() if not is_terminal(pod)]
        of = [pod["metadata"]["labels"].get(REVISION_LABEL) for pod in pods if not is_leaving(pod)]
        replicas, wanted = len(pods), self._spec["replicas"]
        rolling = self._spec["updateStrategy"].get("rollingUpdate") or {}
        finished = (
            of.count(self._update) == wanted == replicas
            and all(self._is_available(pod) for pod in pods)
            and not rolling.get("partition", 0)
        )
        if finished:
            self._current = self._update
        counts: dict[str, Any] = {
            "replicas": replicas,
            "readyReplicas": sum(is_ready(pod) for pod in pods),
            "availableReplicas": sum(self._is_available(pod) for pod in pods),
            "currentReplicas": of.count(self._current),
            "updatedReplicas": of.count(self._update),
        }
        always = ("replicas", "availableReplicas")
        status: Json = {key: value for key, value in counts.items() if value or key in always}
        status["observedGeneration"] = self._set["metadata"]["generation"]
        status["currentRevision"] = self._current
        status["updateRevision"] = self._update
        collisions = (self._set.get("status") or {}).get("collisionCount")
        status["collisionCount"] = collisions or 0
        save_status(self._transaction, self._set, status)


def _number(name: str, pod: Json) -> int | None:
    parent, _, text = pod["metadata"]["name"].rpartition("-")
    return int(text) if parent == name and text.isdigit() else None
