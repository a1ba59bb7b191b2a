"""The kinds that this control plane serves, as a table."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]
"""A JSON object; every Kubernetes object is one."""


class Kind(NamedTuple):
    """One kind of object.

    Attributes
    ----------
    group : str
        API group; empty for the core group.
    version : str
        The only version that is served and stored.
    kind : str
        Name of the kind, as in a manifest.
    plural : str
        Name in URLs.
    namespaced : bool
        False: one set of names for the whole plane.
    status_subresource : bool
        True: `status` is written by `update_status` alone, as the real API does for this kind.
    short_names : tuple of str
        What `kubectl get` accepts beside the plural.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    status_subresource: bool = True
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """`apiVersion` of a manifest."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """Name as error messages show it: `pods`, `workflows.argoproj.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


NAMESPACE = Kind("", "v1", "Namespace", "namespaces", False, True, ("ns",))
NODE = Kind("", "v1", "Node", "nodes", False, True, ("no",))
POD = Kind("", "v1", "Pod", "pods", True, True, ("po",))
EVENT = Kind("", "v1", "Event", "events", True, False, ("ev",))
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", True, False, ("cm",))
SECRET = Kind("", "v1", "Secret", "secrets", True, False)
PVC = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True, True, ("pvc",))
SERVICE = Kind("", "v1", "Service", "services", True, True, ("svc",))
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", True, False, ("sa",))
RESOURCE_QUOTA = Kind("", "v1", "ResourceQuota", "resourcequotas", True, True, ("quota",))
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", True, False, ("ep",))
PV = Kind("", "v1", "PersistentVolume", "persistentvolumes", False, True, ("pv",))
STORAGE_CLASS = Kind(
    "storage.k8s.io", "v1", "StorageClass", "storageclasses", False, False, ("sc",)
)
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True, False)
JOB = Kind("batch", "v1", "Job", "jobs", True)
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs", True, True, ("cj",))
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments", True, True, ("deploy",))
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets", True, True, ("rs",))
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets", True, True, ("sts",))
CONTROLLER_REVISION = Kind("apps", "v1", "ControllerRevision", "controllerrevisions", True, False)
PRIORITY_CLASS = Kind(
    "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", False, False, ("pc",)
)
# Argo's CRD has no status subresource: a plain update writes the status too.
WORKFLOW = Kind("argoproj.io", "v1alpha1", "Workflow", "workflows", True, False, ("wf",))

KINDS: tuple[Kind, ...] = (
    NAMESPACE,
    NODE,
    POD,
    EVENT,
    CONFIG_MAP,
    SECRET,
    PVC,
    SERVICE,
    SERVICE_ACCOUNT,
    RESOURCE_QUOTA,
    ENDPOINTS,
    PV,
    STORAGE_CLASS,
    ENDPOINT_SLICE,
    JOB,
    CRON_JOB,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    CONTROLLER_REVISION,
    PRIORITY_CLASS,
    WORKFLOW,
)

BY_PLURAL: dict[tuple[str, str, str], Kind] = {
    (kind.group, kind.version, kind.plural): kind for kind in KINDS
}
BY_MANIFEST: dict[tuple[str, str], Kind] = {(kind.api_version, kind.kind): kind for kind in KINDS}
