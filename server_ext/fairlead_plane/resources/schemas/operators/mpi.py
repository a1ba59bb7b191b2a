"""`kubeflow.org`: MPIJob, of the training operator (v1) and of the MPI operator (v2beta1)."""

from __future__ import annotations

from ...kinds import Json
from .shapes import (
    BOOLEAN,
    CORE,
    QUANTITIES,
    STRING,
    TIME,
    items,
    number,
    obj,
    one_of,
    ref,
    table,
)


def schemas() -> dict[tuple[str, str], Json]:
    """Return the schemas of both, by version and kind."""
    replica = obj(replicas=number(), restartPolicy=STRING, template=ref(f"{CORE}PodTemplateSpec"))
    replicas: Json = {"type": "object", "additionalProperties": replica}
    first = obj(
        required=("mpiReplicaSpecs",),
        cleanPodPolicy=STRING,
        mainContainer=STRING,
        mpiReplicaSpecs=replicas,
        runPolicy=_run_policy(),
        slotsPerWorker=number(),
    )
    second = obj(
        required=("mpiReplicaSpecs",),
        launcherCreationPolicy={"type": "string", "default": "AtStartup"},
        mpiImplementation=one_of("OpenMPI", "Intel", "MPICH", default="OpenMPI"),
        mpiReplicaSpecs=replicas,
        runLauncherAsWorker={**BOOLEAN, "default": False},
        runPolicy=_run_policy(),
        slotsPerWorker=number(default=1),
        sshAuthMountPath={"type": "string", "default": "/root/.ssh"},
    )
    value = one_of("True", "False", "Unknown")
    return {
        ("v1", "MPIJob"): obj(spec=first, status=_status(items(_condition(STRING)))),
        ("v2beta1", "MPIJob"): obj(spec=second, status=_status(table(_condition(value), "type"))),
    }


def _run_policy() -> Json:
    return obj(
        activeDeadlineSeconds=number(format="int64"),
        backoffLimit=number(),
        cleanPodPolicy=STRING,
        managedBy=STRING,
        schedulingPolicy=obj(
            minAvailable=number(),
            minResources=QUANTITIES,
            priorityClass=STRING,
            queue=STRING,
            scheduleTimeoutSeconds=number(),
        ),
        suspend={**BOOLEAN, "default": False},
        ttlSecondsAfterFinished=number(),
    )


def _condition(value: Json) -> Json:
    return obj(
        required=("status", "type"),
        lastTransitionTime=TIME,
        lastUpdateTime=TIME,
        message=STRING,
        reason=STRING,
        status=value,
        type=STRING,
    )


def _status(conditions: Json) -> Json:
    counts = obj(
        active=number(),
        failed=number(),
        labelSelector=ref("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"),
        selector=STRING,
        succeeded=number(),
    )
    return obj(
        completionTime=TIME,
        conditions=conditions,
        lastReconcileTime=TIME,
        replicaStatuses={"type": "object", "additionalProperties": counts},
        startTime=TIME,
    )
