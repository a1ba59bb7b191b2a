"""The pod and the Service of one replica of a job; pure functions."""

from __future__ import annotations

import copy

from ...resources import Json
from ..pods import owner_reference
from .contract import Addresses, Contract
from .ports import OPERATOR_LABEL
from .trainjob_build import own_annotations

PREFIX = "training.kubeflow.org"
JOB_NAME, TYPE, INDEX, ROLE = (
    f"{PREFIX}/{name}" for name in ("job-name", "replica-type", "replica-index", "job-role")
)


def replica_name(job: Json, type: str, index: int) -> str:
    """Return the name of the pod and of the Service of a replica."""
    return f"{job['metadata']['name']}-{type.lower()}-{index}"


def type_labels(contract: Contract, job: Json, type: str) -> dict[str, str]:
    """Return the labels of all replicas of a type."""
    return {
        JOB_NAME: job["metadata"]["name"],
        OPERATOR_LABEL: f"{contract.kind.kind.lower()}-controller",
        TYPE: type.lower(),
    }


def build_service(contract: Contract, job: Json, type: str, index: int, port: int) -> Json:
    """Build the headless Service through which a replica is reached.

    Parameters
    ----------
    port : int
        Where it listens on this machine, as the framework's port.
    """
    labels = {**type_labels(contract, job, type), INDEX: str(index)}
    ports = [{"name": contract.port_name, "port": contract.port, "targetPort": port}]
    for each in _main(contract, contract.replicas(job)[type]["template"]).get("ports") or ():
        if each.get("name") == contract.port_name:
            ports[0]["port"] = each["containerPort"]
        elif each.get("name"):
            ports.append({"name": each["name"], "port": each["containerPort"]})
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": replica_name(job, type, index),
            "namespace": job["metadata"]["namespace"],
            "labels": labels,
            "ownerReferences": [owner_reference(job)],
        },
        "spec": {"clusterIP": "None", "selector": labels, "ports": ports},
    }


def service_port(contract: Contract, service: Json) -> int:
    """Return the local port of a replica, which its Service keeps; 0 for a Service without."""
    for each in service["spec"].get("ports") or ():
        if each.get("name") == contract.port_name and isinstance(each.get("targetPort"), int):
            return int(each["targetPort"])
    return 0


def build_pod(contract: Contract, job: Json, type: str, index: int, addresses: Addresses) -> Json:
    """Build the pod of a replica, with the variables that its contract promises."""
    replicas = contract.replicas(job)
    spec = replicas[type]
    template = copy.deepcopy(spec["template"])
    metadata = template.get("metadata") or {}
    labels = {
        **(metadata.get("labels") or {}),
        **type_labels(contract, job, type),
        INDEX: str(index),
    }
    if contract.master(set(replicas), type, index):
        labels[ROLE] = "master"
    policy = spec["restartPolicy"]
    pod: Json = template["spec"]
    # The operator restarts what an exit code allows; the kubelet must not.
    pod["restartPolicy"] = "Never" if policy == "ExitCode" else policy
    _give_variables(contract, job, type, index, addresses, pod)
    given = {
        "name": replica_name(job, type, index),
        "namespace": job["metadata"]["namespace"],
        "labels": labels,
        "annotations": {**own_annotations(job), **(metadata.get("annotations") or {})},
        "ownerReferences": [owner_reference(job)],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": given, "spec": pod}


def _give_variables(
    contract: Contract, job: Json, type: str, index: int, addresses: Addresses, pod: Json
) -> None:
    values = contract.environment(job, type, index, addresses)
    extra = contract.extra(job, type, index, addresses)
    for container in pod["containers"]:
        if contract.main_only and container["name"] != contract.shape.container:
            continue
        env = container["env"] = container.get("env") or []
        known = {each["name"] for each in env}
        # As the operator appends them: of two with one name the last counts.
        for name, value in {k: v for k, v in extra.items() if k not in known}.items():
            env.append({"name": name, "value": value})
        for name, value in values.items():
            field = "valueFrom" if isinstance(value, dict) else "value"
            env.append({"name": name, field: value})


def _main(contract: Contract, template: Json) -> Json:
    containers: list[Json] = template["spec"]["containers"]
    return next((each for each in containers if each["name"] == contract.shape.container), {})
