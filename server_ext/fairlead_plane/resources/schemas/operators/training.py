"""`kubeflow.org/v1`: the kinds of the training operator."""

from __future__ import annotations

from ...kinds import Json
from .shapes import BOOLEAN, CORE, QUANTITIES, STRING, TIME, items, number, obj, ref

_REPLICAS = {
    "type": "object",
    "additionalProperties": obj(
        replicas=number(), restartPolicy=STRING, template=ref(f"{CORE}PodTemplateSpec")
    ),
}
_METRICS: Json = {"type": "array", "items": ref("io.k8s.api.autoscaling.v2.MetricSpec")}


def schemas() -> dict[tuple[str, str], Json]:
    """Return the schemas of the group, by version and kind."""
    elastic = {"minReplicas": number(), "maxReplicas": number(), "maxRestarts": number()}
    torch = obj(
        **elastic,
        metrics=_METRICS,
        nProcPerNode=number(),
        rdzvBackend=STRING,
        rdzvConf=items(obj(key=STRING, value=STRING)),
        rdzvHost=STRING,
        rdzvId=STRING,
        rdzvPort=number(),
        standalone=BOOLEAN,
    )
    paddle = obj(**elastic, metrics=_METRICS)
    return {
        ("v1", "TFJob"): _job("tfReplicaSpecs", enableDynamicWorker=BOOLEAN, successPolicy=STRING),
        ("v1", "PyTorchJob"): _job("pytorchReplicaSpecs", elasticPolicy=torch, nprocPerNode=STRING),
        ("v1", "PaddleJob"): _job("paddleReplicaSpecs", elasticPolicy=paddle),
        ("v1", "MXJob"): _job("mxReplicaSpecs", jobMode=STRING),
        ("v1", "XGBoostJob"): _job("xgbReplicaSpecs"),
        ("v1", "JAXJob"): _job("jaxReplicaSpecs"),
    }


def _job(replicas: str, **more: Json) -> Json:
    spec = obj(required=(replicas,), runPolicy=_run_policy(), **{replicas: _REPLICAS}, **more)
    return obj(spec=spec, status=_status())


def _run_policy() -> Json:
    return obj(
        activeDeadlineSeconds=number(0, "int64"),
        backoffLimit=number(0),
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
        ttlSecondsAfterFinished=number(0),
    )


def _status() -> Json:
    condition = obj(
        required=("status", "type"),
        lastTransitionTime=TIME,
        lastUpdateTime=TIME,
        message=STRING,
        reason=STRING,
        status=STRING,
        type=STRING,
    )
    replica = obj(
        active=number(),
        failed=number(),
        labelSelector=ref("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"),
        selector=STRING,
        succeeded=number(),
    )
    return obj(
        completionTime=TIME,
        conditions=items(condition),
        lastReconcileTime=TIME,
        replicaStatuses={"type": "object", "additionalProperties": replica},
        startTime=TIME,
    )
