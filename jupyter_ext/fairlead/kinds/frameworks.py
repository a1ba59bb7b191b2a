"""What the kinds of training jobs have in common and in what they differ. Pure.

Sources: the CRDs of the training operator 1.8 (MXJob) and 1.9, of the MPI operator 0.8 and of
Kubeflow Trainer 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from fairlead.errors import SpecError

V1 = "kubeflow.org/v1"
MPI_V2 = "kubeflow.org/v2beta1"
TRAINER = "trainer.kubeflow.org/v1alpha1"


@dataclass(frozen=True)
class TrainingKind:
    """One kind of training job.

    Attributes
    ----------
    kind, api_version : str
        As in a manifest.
    framework : str
        What its name means to a user; `kind=` may be this, too.
    spec_key : str
        Field of the spec with the replicas; empty for a TrainJob.
    container : str
        Name of the container that trains.
    lead : str
        Replica type of which there is one, beside or among the workers; empty where there is none.
    counted : bool
        Whether the lead trains, too: it is one of the workers then.
    servers : str
        Replica type of parameter servers; empty where there are none.
    image : str
        What its pods run where nothing is said.
    """

    kind: str
    api_version: str
    framework: str
    spec_key: str
    container: str
    lead: str = ""
    counted: bool = True
    servers: str = ""
    image: str = ""

    @property
    def group(self) -> str:
        """The API group."""
        return self.api_version.partition("/")[0]


KINDS = (
    TrainingKind(
        "PyTorchJob",
        V1,
        "pytorch",
        "pytorchReplicaSpecs",
        "pytorch",
        lead="Master",
        image="pytorch/pytorch:latest",
    ),
    TrainingKind(
        "TFJob",
        V1,
        "tensorflow",
        "tfReplicaSpecs",
        "tensorflow",
        servers="PS",
        image="tensorflow/tensorflow:latest",
    ),
    TrainingKind("XGBoostJob", V1, "xgboost", "xgbReplicaSpecs", "xgboost", lead="Master"),
    TrainingKind(
        "PaddleJob",
        V1,
        "paddle",
        "paddleReplicaSpecs",
        "paddle",
        servers="Master",
        image="paddlepaddle/paddle:latest",
    ),
    TrainingKind(
        "MXJob",
        V1,
        "mxnet",
        "mxReplicaSpecs",
        "mxnet",
        lead="Scheduler",
        counted=False,
        servers="Server",
    ),
    TrainingKind("JAXJob", V1, "jax", "jaxReplicaSpecs", "jax"),
    TrainingKind(
        "MPIJob",
        MPI_V2,
        "mpi",
        "mpiReplicaSpecs",
        "mpi",
        lead="Launcher",
        counted=False,
        image="mpioperator/base:latest",
    ),
    TrainingKind("TrainJob", TRAINER, "trainer", "", "node"),
)

_OTHER_NAMES = {"torch": "PyTorchJob", "tf": "TFJob", "lightgbm": "XGBoostJob", "horovod": "MPIJob"}


def find_kind(name: str) -> TrainingKind:
    """Return the kind of a name: `PyTorchJob`, `pytorchjob`, `pytorch`, `torch`.

    Raises
    ------
    SpecError
        There is none; the message lists them.
    """
    asked = _OTHER_NAMES.get(name.lower(), name).lower()
    for kind in KINDS:
        if asked in (kind.kind.lower(), kind.framework):
            return kind
    raise SpecError(
        f"There is no kind of training job '{name}'.",
        hint=f"One of: {', '.join(kind.kind for kind in KINDS)}.",
    )


def kind_of(manifest_kind: str) -> TrainingKind | None:
    """Return the kind of an object; `None` where it is no training job."""
    return next((kind for kind in KINDS if kind.kind == manifest_kind), None)
