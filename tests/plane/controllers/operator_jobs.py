"""Jobs of the training operator on a real plane, through the stock client."""

from __future__ import annotations

import json
from typing import Any

from kubernetes import client

from .conftest import Workloads

GROUP, VERSION = "kubeflow.org", "v1"
KINDS = {
    "TFJob": ("tfjobs", "tfReplicaSpecs", "tensorflow"),
    "PyTorchJob": ("pytorchjobs", "pytorchReplicaSpecs", "pytorch"),
    "PaddleJob": ("paddlejobs", "paddleReplicaSpecs", "paddle"),
    "MXJob": ("mxjobs", "mxReplicaSpecs", "mxnet"),
    "XGBoostJob": ("xgboostjobs", "xgbReplicaSpecs", "xgboost"),
    "JAXJob": ("jaxjobs", "jaxReplicaSpecs", "jax"),
}
NAME = "training.kubeflow.org/job-name"


def replica(kind: str, command: list[str], replicas: int = 1, **spec: Any) -> dict[str, Any]:
    """Return a replica spec whose container runs a command; `container` goes into it."""
    container = {"name": KINDS[kind][2], "image": "python:3.11", "command": command}
    container |= spec.pop("container", {})
    return {"replicas": replicas, "template": {"spec": {"containers": [container]}}, **spec}


class Jobs:
    """Jobs of one kind, in one namespace."""

    def __init__(self, workloads: Workloads, kind: str) -> None:
        self.workloads = workloads
        self.kind = kind
        self.plural, self.key, _ = KINDS[kind]
        self.custom = client.CustomObjectsApi(workloads.plane.api())
        self._place = (GROUP, VERSION, workloads.namespace, self.plural)

    def body(self, name: str, replicas: dict[str, Any], **spec: Any) -> dict[str, Any]:
        """Return a manifest; `annotations` go to its metadata."""
        return {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": self.kind,
            "metadata": {"name": name, "annotations": spec.pop("annotations", {})},
            "spec": {self.key: replicas, **spec},
        }

    def create(self, name: str, replicas: dict[str, Any], **spec: Any) -> Any:
        """Create a job."""
        body = self.body(name, replicas, **spec)
        return self.custom.create_namespaced_custom_object(*self._place, body)

    def get(self, name: str) -> Any:
        """Read a job."""
        return self.custom.get_namespaced_custom_object(*self._place, name)

    def patch(self, name: str, spec: Any) -> None:
        """Change the spec of a job."""
        self.custom.patch_namespaced_custom_object(*self._place, name, {"spec": spec})

    def scale(self, name: str, replicas: int) -> Any:
        """Change the number of workers, through the subresource."""
        body = {"spec": {"replicas": replicas}}
        return self.custom.patch_namespaced_custom_object_scale(*self._place, name, body)

    def delete(self, name: str) -> None:
        """Delete a job."""
        self.custom.delete_namespaced_custom_object(*self._place, name)

    def conditions(self, name: str) -> dict[str, Any]:
        """Return the conditions by type."""
        found = self.get(name).get("status", {}).get("conditions", [])
        return {each["type"]: each for each in found}

    def wait(self, name: str, type: str, status: str = "True") -> Any:
        """Wait for a condition, and return it."""

        def find() -> Any:
            found = self.conditions(name).get(type)
            return found if found and found["status"] == status else None

        return self.workloads.wait_for(find, f"{name} {type}")

    def pods(self, name: str) -> dict[str, client.V1Pod]:
        """Return its pods by what their names say after the job's, `worker-0`."""
        found = self.workloads.pods(f"{NAME}={name}")
        return {pod.metadata.name.removeprefix(f"{name}-"): pod for pod in found}

    def wait_phase(self, name: str, replica: str, phase: str) -> client.V1Pod:
        """Wait until the pod of a replica is in a phase, and return it."""

        def find() -> Any:
            pod = self.pods(name).get(replica)
            return pod if pod and pod.status.phase == phase else None

        return self.workloads.wait_for(find, f"{name}-{replica} {phase}")

    def log(self, name: str, replica: str) -> str:
        """Return what a replica has written."""
        text: str = self.workloads.core.read_namespaced_pod_log(
            f"{name}-{replica}", self.workloads.namespace
        )
        return text

    def events(self, name: str) -> list[tuple[str, str]]:
        """Return reason and message of the job's Events, as they came."""
        found = self.workloads.core.list_namespaced_event(
            self.workloads.namespace, field_selector=f"involvedObject.name={name}"
        )
        return [
            (each.reason, each.message)
            for each in found.items
            if each.involved_object.kind == self.kind
        ]

    def refusal(self, name: str, replicas: dict[str, Any], **spec: Any) -> str:
        """Return the words in which a job is refused."""
        try:
            self.create(name, replicas, **spec)
        except client.ApiException as error:
            message: str = json.loads(error.body)["message"]
            return message
        raise AssertionError(f"{name} was not refused")
