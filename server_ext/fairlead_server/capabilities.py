"""What the cluster in use serves of the kinds that Fairlead makes, and what we may do with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import FairleadError
from fairlead.kube import Capabilities
from fairlead.names import PIPELINES_NAMESPACE, PIPELINES_SERVICE
from fairlead_server.backend import Connection
from fairlead_server.base import FairleadHandler

Json = dict[str, Any]

_VERBS = ("list", "create", "patch", "delete")
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
    acts_on : tuple of str, optional
        Core resource, subresource, namespace and name of what verbs are checked for, where they do
        not act on the objects themselves: a run is made through the service of the pipelines.
    """

    group: str
    kind: str
    resource: str
    acts_on: tuple[str, str, str, str] | None = None


NEEDS = {
    "Run": Need(
        "argoproj.io",
        "Workflow",
        "workflows",
        ("services", "proxy", PIPELINES_NAMESPACE, PIPELINES_SERVICE),
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
    "MXJob": Need("kubeflow.org", "MXJob", "mxjobs"),
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
        """Answer `{kinds: {Run: {available, reason, verbs: {create: {allowed, reason}}}}}`.

        Beside it `pipelines: {lacks: {artifacts: REASON}}`: what the server of Kubeflow Pipelines
        does not have; empty where it has all, or is not there itself.
        """
        kinds = await self.ask_cluster(_kinds)
        self.reply({"kinds": kinds, "pipelines": {"lacks": await self.ask_cluster(_lacks)}})


def _kinds(connection: Connection) -> Json:
    # A page asks when it opens, when the context changes, and when its reader wants it anew.
    served = connection.kube.capabilities(refresh=True)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda need: _capability(connection, served, need), NEEDS.values())
        return dict(zip(NEEDS, found, strict=True))


def _lacks(connection: Connection) -> Json:
    try:
        return dict(connection.runs.pipelines.lacks())
    except FairleadError:
        # Not there or not for us: whoever opens the runs is told.
        return {}


def _capability(connection: Connection, served: Capabilities, need: Need) -> Json:
    reason = served.missing(need.group, need.kind)
    if reason:
        return {"available": False, "reason": reason, "verbs": {}}
    return {
        "available": True,
        "reason": "",
        "verbs": {verb: _access(connection, need, verb) for verb in _VERBS},
    }


def _access(connection: Connection, need: Need, verb: str) -> Json:
    group, resource, subresource, namespace, name = (
        ("", *need.acts_on)
        if need.acts_on
        else (need.group, need.resource, "", connection.namespace, "")
    )
    review = connection.kube.access.review
    if review(verb, group, resource, namespace, subresource, name).allowed:
        return {"allowed": True, "reason": ""}
    what = "/".join(filter(None, (resource, subresource))) + (f" of {name}" if name else "")
    return {
        "allowed": False,
        "reason": f"You may not {verb} {what} in the namespace {namespace} of "
        f"{connection.kube.context.name}: ask its administrator.",
    }


ROUTES = [(r"capabilities", CapabilitiesHandler)]
