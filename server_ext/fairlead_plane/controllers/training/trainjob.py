"""TrainJob: one JobSet, made by a runtime; and back to the TrainJob's status."""

from __future__ import annotations

import copy
import time

from ...resources import (
    CLUSTER_TRAINING_RUNTIME,
    CONFIG_MAP,
    FOREGROUND,
    JOB_SET,
    TRAIN_JOB,
    ApiError,
    Json,
    Resources,
    Transaction,
    parse_timestamp,
)
from ...resources.admission_training import runtime_kind
from ..base import REFUSED, Controller
from ..pods import condition, is_leaving, save_status
from .conditions import put_condition
from .ports import HOST
from .trainjob_build import build_objects
from .trainjob_ports import find_port
from .trainjob_runtimes import builtin_runtimes

_COMPONENT = "trainjob-controller"
_MANAGER = "trainer.kubeflow.org/trainjob-controller"
_COUNTS = ("name", "ready", "succeeded", "failed", "active", "suspended")
_ENDS = {"Completed": "Complete", "Failed": "Failed"}
"""Conditions of a JobSet, and those of a TrainJob that follow from them."""


class TrainJobController(Controller):
    """Makes the JobSets of TrainJobs."""

    kind = TRAIN_JOB
    watched = (JOB_SET,)

    async def start(self, resources: Resources) -> None:
        """Make the runtimes that are there from the start; one that is there stays as it is."""

        def change(transaction: Transaction) -> None:
            for runtime in builtin_runtimes():
                name = runtime["metadata"]["name"]
                if transaction.find(CLUSTER_TRAINING_RUNTIME, name) is None:
                    transaction.create(runtime)

        await resources.transaction(change)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Make or change the JobSet, and tell what became of it."""
        if is_leaving(obj) or obj["spec"].get("managedBy", _MANAGER) != _MANAGER:
            return None
        return _Look(transaction, obj).run()


class _Look:
    """One look at one TrainJob."""

    def __init__(self, transaction: Transaction, train_job: Json) -> None:
        self._transaction = transaction
        self._job = train_job
        self._spec = train_job["spec"]
        self._name: str = train_job["metadata"]["name"]
        self._namespace: str = train_job["metadata"]["namespace"]
        self._status = copy.deepcopy(train_job.get("status") or {})
        self._refused = False

    def run(self) -> float | None:
        if any(_holds(self._job, end) for end in _ENDS.values()):
            return None
        jobset = self._transaction.find(JOB_SET, self._name, self._namespace)
        runtime = self._runtime()
        if runtime is not None:
            jobset = self._keep(jobset, runtime)
        self._suspension()
        self._follow(jobset)
        wait_s = self._deadline()
        if self._status:  # there is none before there is something to tell
            save_status(self._transaction, self._job, self._status)
        return REFUSED if self._refused else wait_s

    def _runtime(self) -> Json | None:
        reference = self._spec["runtimeRef"]
        kind = runtime_kind(reference)
        assert kind is not None, "admission lets no other through"
        place = self._namespace if kind.namespaced else None
        found = self._transaction.find(kind, reference["name"], place)
        if found is None:
            self._warn(f'{kind.kind} specified in TrainJob is not found: "{reference["name"]}"')
        return found

    def _keep(self, jobset: Json | None, runtime: Json) -> Json | None:
        """Make the JobSet; one that is there changes only while it is, or gets, suspended."""
        suspend = bool(self._spec.get("suspend"))
        if jobset is not None:
            if is_leaving(jobset) or not (suspend or jobset["spec"].get("suspend")):
                return jobset
        port = find_port(self._transaction, jobset)
        wanted, mounted = build_objects(self._job, runtime, HOST, port)
        try:
            for each in mounted:
                self._put(each)
            if jobset is None:
                return self._transaction.create(wanted)
            new = {**jobset, "spec": wanted["spec"]}
            return self._transaction.update(new)
        except ApiError as error:
            self._warn(error.message)
            return jobset

    def _put(self, wanted: Json) -> None:
        """Make a ConfigMap, or change it."""
        metadata = wanted["metadata"]
        found = self._transaction.find(CONFIG_MAP, metadata["name"], metadata["namespace"])
        if found is None:
            self._transaction.create(wanted)
        elif found.get("data") != wanted["data"]:
            self._transaction.update({**found, "data": wanted["data"]})

    def _suspension(self) -> None:
        if self._spec.get("suspend"):
            self._condition("Suspended", "True", "Suspended", "TrainJob is suspended")
        elif _holds(self._job, "Suspended"):
            self._condition("Suspended", "False", "Resumed", "TrainJob is resumed")

    def _follow(self, jobset: Json | None) -> None:
        """Tell of the JobSet what a TrainJob tells."""
        status = (jobset or {}).get("status") or {}
        for type, own in _ENDS.items():
            ended = jobset and condition(jobset, type)
            if ended and ended["status"] == "True":
                self._condition(own, "True", ended["reason"], ended["message"])
        counts = status.get("replicatedJobsStatus") or []
        if counts:
            self._status["jobsStatus"] = [{key: each[key] for key in _COUNTS} for each in counts]

    def _deadline(self) -> float | None:
        """End a TrainJob that has been active for too long; seconds until then."""
        seconds = self._spec.get("activeDeadlineSeconds")
        over = any(_holds({"status": self._status}, end) for end in _ENDS.values())
        if seconds is None or over or self._spec.get("suspend"):
            return None
        since = self._job["metadata"]["creationTimestamp"]
        resumed = condition({"status": self._status}, "Suspended")
        if resumed is not None and resumed["status"] == "False":
            since = resumed["lastTransitionTime"]
        left_s = float(parse_timestamp(since) + seconds - time.time())
        if left_s > 0:
            return left_s
        self._condition(
            "Failed", "True", "DeadlineExceeded", "TrainJob exceeded its active deadline"
        )
        if self._transaction.find(JOB_SET, self._name, self._namespace) is not None:
            self._transaction.delete(JOB_SET, self._name, self._namespace, propagation=FOREGROUND)
        return None

    def _warn(self, why: str) -> None:
        self._refused = True
        self._transaction.record_event(
            self._job,
            "TrainJobResourcesCreationFailed",
            f"TrainJob resources reconciliation failed: {why}",
            type="Warning",
            component=_COMPONENT,
        )

    def _condition(self, type: str, value: str, reason: str, message: str) -> None:
        put_condition(self._status, type, value, reason, message)


def _holds(obj: Json, type: str) -> bool:
    found = condition(obj, type)
    return found is not None and bool(found["status"] == "True")
