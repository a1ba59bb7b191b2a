"""The controllers: each keeps what an object asks for true, one kind per file.

Here: what kube-controller-manager does on a cluster. Not here: running pods (`node`) and finding
them room (`scheduler`). A controller only reads and writes objects, and each reconcile is one
transaction: it sees what is true and writes all or nothing, so it is safe to run twice, and a
killed plane leaves nothing half done.
"""

from .base import Controller
from .deployments import DeploymentController
from .jobs import JobController
from .replicasets import ReplicaSetController
from .runtime import Controllers

__all__ = ["Controllers", "all_controllers"]


def all_controllers() -> list[Controller]:
    """Return one of each."""
    return [ReplicaSetController(), DeploymentController(), JobController()]
