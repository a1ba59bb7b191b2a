"""What the cluster in use serves of the kinds that Fairlead makes, and what we may do with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.names import PIPELINES_NAMESPACE
from fairlead_server.backend import Connection
from fairlead_server.base import FairleadHandler

Json = dict[str, Any]

_VERBS = ("list", "create", "delete")
_AT_ONCE = 8
"""Questions to a cluster under way at the same time."""


class Need(NamedTuple):
    """What a kind needs from a cluster: the resource that is served, and the one that verbs act on.

    Attributes
    ----------
    group, kind : str
        Of the objects; the group is empty for the core.
    resource : str
        Name in URLs.
    acts_on : tuple, optional
        Group, resource and namespace of what verbs are checked for, where they do not act on the
        objects themselves: a run is made through the service of the pipelines, not as a Workflow.
    """

    group: str
    kind: str
    resource: str
    acts_on: tuple[str, str, str] | None = None


NEEDS = {
    "Run": Need(
        "argoproj.io",
        "Workflow",
        "workflows",
        ("", "services/proxy", PIPELINES_NAMESPACE),
    ),
    "Pod": Need("", "Pod", "pods"),
    "Job": Need("batch", "Job", "jobs"),
    "Deployment": Need("apps", "Deployment", "deployments"),
    "PersistentVolumeClaim": Need("", "PersistentVolumeClaim", "persistentvolumeclaims"),
    "PyTorchJob": Need("kubeflow.org", "PyTorchJob", "pytorchjobs"),
    "TFJob": Need("kubeflow.org", "TFJob", "tfjobs"),
    "MPIJob": Need("kubeflow.org", "MPIJob", "mpijobs"),
    "XGBoostJob": Need("kubeflow.org", "XGBoostJob", "xgboostjobs"),
    "PaddleJob": Need("kubeflow.org", "PaddleJob", "paddlejobs"),
    "JAXJob": Need("kubeflow.org", "JAXJob", "jaxjobs"),
    "TrainJob": Need("trainer.kubeflow.org", "TrainJob", "trainjobs"),
    "Experiment": Need("kubeflow.org", "Experiment", "experiments"),
    "InferenceService": Need("serving.kserve.io", "InferenceService", "inferenceservices"),
    "Notebook": Need("kubeflow.org", "Notebook", "notebooks"),
}


class CapabilitiesHandler(FairleadHandler):
    """What can be done here."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer `{kinds: {Run: {available, reason, verbs: {create: {allowed, reason}}}}}`."""
        self.reply({"kinds": await self.ask_cluster(_kinds)})


def _kinds(connection: Connection) -> Json:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda need: _capability(connection, need), NEEDS.values())
        return dict(zip(NEEDS, found, strict=True))


def _capability(connection: Connection, need: Need) -> Json:
    reason = connection.missing(need.group, need.kind)
    if reason:
        return {"available": False, "reason": reason, "verbs": {}}
    group, resource, namespace = need.acts_on or (need.group, need.resource, connection.namespace)
    verbs = {verb: connection.allowed(verb, group, resource, namespace) for verb in _VERBS}
    return {
        "available": True,
        "reason": "",
        "verbs": {verb: {"allowed": ok, "reason": why} for verb, (ok, why) in verbs.items()},
    }


ROUTES = [(r"capabilities", CapabilitiesHandler)]
