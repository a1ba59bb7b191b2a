"""The controllers: each keeps what an object asks for true, one kind per file.

Here: what kube-controller-manager does on a cluster. Not here: running pods (`node`) and finding
them room (`scheduler`). A controller only reads and writes objects, and each reconcile is one
transaction: it sees what is true and writes all or nothing, so it is safe to run twice, and a
killed plane leaves nothing half done.
"""

from pathlib import Path

from .base import Controller
from .claims import ClaimController
from .cronjobs import CronJobController
from .deployments import DeploymentController
from .endpoints import EndpointsController
from .ephemeral import EphemeralController
from .jobs import JobController
from .namespaces import NamespaceController
from .replicasets import ReplicaSetController
from .runtime import Controllers
from .statefulsets import StatefulSetController
from .training.jobs import training_controllers
from .training.jobset import JobSetController
from .training.mpi import MpiJobController, MpiJobV2Controller
from .training.trainjob import TrainJobController
from .volumes import VolumeController

__all__ = ["Controllers", "all_controllers"]


def all_controllers(folder: Path, ca: str) -> list[Controller]:
    """Return one of each.

    Parameters
    ----------
    folder : Path
        The data directory: `volumes` in it belongs to the controllers.
    ca : str
        Certificate of the plane's own authority, as PEM.
    """
    volumes = folder / "volumes"
    return [
        NamespaceController(ca),
        ReplicaSetController(),
        DeploymentController(),
        StatefulSetController(),
        JobController(),
        CronJobController(),
        JobSetController(),
        TrainJobController(),
        MpiJobController(),
        MpiJobV2Controller(),
        *training_controllers(),
        EndpointsController(),
        EphemeralController(),
        ClaimController(volumes),
        VolumeController(volumes),
    ]
