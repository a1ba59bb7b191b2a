"""What the handlers ask of training jobs. Blocking; handlers call it in threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fairlead.errors import NotFoundError
from fairlead.kinds.training_kinds import TRAINING_KINDS, suspend_patch
from fairlead.kinds.training_status import JOB_NAME_LABELS, Replica, is_pod_of, job_status
from fairlead.kube import KubeClient, ResourceType
from fairlead.kube.merged import MergedLog
from fairlead.kube.types import EVENTS, PODS
from fairlead.yaml_text import dump_yaml

Json = dict[str, Any]


def served(kube: KubeClient) -> list[ResourceType]:
    """Return the kinds of training jobs that a cluster serves."""
    found = []
    for api_version, kind in TRAINING_KINDS:
        try:
            found.append(kube.resource_type(api_version, kind))
        except NotFoundError:
            continue
    return found


def resource_name(kind: ResourceType) -> str:
    """Name a resource as `kubectl` does in full: `pytorchjobs.v1.kubeflow.org`."""
    return f"{kind.plural}.{kind.version}.{kind.group}"


class TrainingService:
    """The training jobs of one namespace.

    Parameters
    ----------
    kube : KubeClient
        Of the context in use.
    namespace : str
        Where the jobs are.
    """

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace

    def manifest(self, resource: str, name: str) -> str:
        """Return a job as YAML, without what the server notes for itself."""
        _, job = self._find(resource, name)
        job["metadata"].pop("managedFields", None)
        return dump_yaml([job])

    def events(self, resource: str, name: str) -> list[Json]:
        """Return what was told of a job and of its pods, newest last."""
        _, job = self._find(resource, name)
        known = {job["metadata"]["uid"], *(pod["metadata"]["uid"] for pod in self._pods(job))}
        found = [
            _event(each)
            for each in self._kube.list(EVENTS, self._namespace)
            if each["involvedObject"].get("uid") in known
        ]
        return sorted(found, key=lambda each: each["last"] or "")

    def suspend(self, resource: str, name: str, suspended: bool) -> None:
        """Take a job's pods away and keep the job, or let it go on."""
        kind, _ = self._find(resource, name)
        self._kube.patch(kind, name, suspend_patch(kind.kind, suspended), self._namespace)

    def delete(self, resource: str, name: str) -> None:
        """Delete a job; its pods go with it."""
        self._kube.delete(self._type(resource), name, self._namespace)

    def logs(self, resource: str, name: str, pod: str | None, follow: bool) -> Iterable[str]:
        """Return the lines of one pod, or of all with their names, those that failed first.

        Raises
        ------
        NotFoundError
            There is no such job, or it has no such pod.
        """
        _, job = self._find(resource, name)
        replicas = job_status(job, self._pods(job)).replicas
        if pod is None:
            begun = [one for one in replicas if one.started_at]
            ordered = sorted(begun, key=lambda one: one.state != "FAILED")
            tags = {_tag(one): one.name for one in ordered}
            return MergedLog(self._kube, self._namespace, tags, follow=follow)
        if pod not in {one.name for one in replicas}:
            raise NotFoundError(f"{job['kind']} {name} has no pod {pod}.")
        return self._kube.logs(pod, self._namespace, follow=follow)

    def _type(self, resource: str) -> ResourceType:
        for kind in served(self._kube):
            if resource_name(kind) == resource:
                return kind
        raise NotFoundError(f"This cluster serves no training jobs {resource}.")

    def _find(self, resource: str, name: str) -> tuple[ResourceType, Json]:
        kind = self._type(resource)
        return kind, self._kube.get(kind, name, self._namespace)

    def _pods(self, job: Json) -> list[Json]:
        name = job["metadata"]["name"]
        label = JOB_NAME_LABELS[job["kind"] == "TrainJob"]
        found = self._kube.list(PODS, self._namespace, label_selector=f"{label}={name}")
        return [pod for pod in found if is_pod_of(pod, job)]


def _tag(replica: Replica) -> str:
    return f"{replica.type}-{replica.index}" if replica.type else replica.name


def _event(found: Json) -> Json:
    about = found["involvedObject"]
    return {
        "object": f"{about.get('kind', '')} {about.get('name', '')}",
        "type": found.get("type") or "Normal",
        "reason": found.get("reason") or "",
        "message": found.get("message") or "",
        "count": found.get("count") or 1,
        "last": found.get("lastTimestamp") or found.get("eventTime"),
    }
