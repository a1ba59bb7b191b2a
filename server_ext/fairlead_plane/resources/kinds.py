"""The built-in kinds that this control plane serves, as a table."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]
"""A JSON object; every Kubernetes object is one."""


class Scale(NamedTuple):
    """Where an object keeps what its `scale` subresource shows, as JSON paths."""

    spec_replicas: str
    status_replicas: str
    selector: str = ""
    """Where the status has the selector as text; empty where there is none, or a built-in one."""


class Kind(NamedTuple):
    """One kind of object, in one version.

    Attributes
    ----------
    group : str
        API group; empty for the core group.
    version : str
        The version of the group. Several versions of one kind share their objects.
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
    categories : tuple of str
        Groups of kinds that `kubectl get` accepts, as `all`.
    generation : bool
        True: `metadata.generation` counts the changes of what is wanted.
    scale : Scale or None
        None: there is no `scale` subresource.
    singular : str
        Empty: the kind in lower case.
    list_kind : str
        Empty: the kind and `List`.
    custom : bool
        True for a kind that a CustomResourceDefinition serves, here or on a cluster.
    converted : bool
        True where objects may be stored in another version than this one.
    stored_as : str
        `resource` of the kind whose objects these are too; empty for a kind with its own.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    status_subresource: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    generation: bool = False
    scale: Scale | None = None
    singular: str = ""
    list_kind: str = ""
    custom: bool = False
    converted: bool = False
    stored_as: str = ""

    @property
    def api_version(self) -> str:
        """`apiVersion` of a manifest."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """Name as error messages show it: `pods`, `jobs.batch`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def storage(self) -> str:
        """Name of its objects in the store."""
        return self.stored_as or self.resource


_ALL = ("all",)
_REPLICAS = Scale(".spec.replicas", ".status.replicas")

NAMESPACE = Kind("", "v1", "Namespace", "namespaces", False, True, ("ns",))
NODE = Kind("", "v1", "Node", "nodes", False, True, ("no",))
POD = Kind("", "v1", "Pod", "pods", True, True, ("po",), _ALL)
EVENT = Kind("", "v1", "Event", "events", True, False, ("ev",))
EVENT_V1 = Kind("events.k8s.io", "v1", "Event", "events", True, False, ("ev",), converted=True,
                stored_as="events")  # fmt: skip
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", True, False, ("cm",))
SECRET = Kind("", "v1", "Secret", "secrets", True, False)
PVC = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True, True, ("pvc",))
PV = Kind("", "v1", "PersistentVolume", "persistentvolumes", False, True, ("pv",))
SERVICE = Kind("", "v1", "Service", "services", True, True, ("svc",), _ALL)
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", True, False, ("ep",))
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", True, False, ("sa",))
RESOURCE_QUOTA = Kind("", "v1", "ResourceQuota", "resourcequotas", True, True, ("quota",))
LIMIT_RANGE = Kind("", "v1", "LimitRange", "limitranges", True, False, ("limits",))
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments", True, True, ("deploy",), _ALL, True,
                  _REPLICAS)  # fmt: skip
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets", True, True, ("rs",), _ALL, True,
                   _REPLICAS)  # fmt: skip
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets", True, True, ("sts",), _ALL, True,
                    _REPLICAS)  # fmt: skip
CONTROLLER_REVISION = Kind("apps", "v1", "ControllerRevision", "controllerrevisions", True, False)
JOB = Kind("batch", "v1", "Job", "jobs", True, True, (), _ALL, True)
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs", True, True, ("cj",), _ALL, True)
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True, False,
                      generation=True)  # fmt: skip
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases", True, False)
PRIORITY_CLASS = Kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", False, False,
                      ("pc",), generation=True)  # fmt: skip
STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", False, False,
                     ("sc",))  # fmt: skip
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles", True, False)
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", True, False)
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False, False)
CLUSTER_ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding",
                            "clusterrolebindings", False, False)  # fmt: skip
CRD = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
           False, True, ("crd", "crds"), ("api-extensions",), True)  # fmt: skip
# Argo's CRD has no status subresource: a plain update writes the status too.
WORKFLOW = Kind("argoproj.io", "v1alpha1", "Workflow", "workflows", True, False, ("wf",), (), True)
# Nor has KFP's.
SCHEDULED_WORKFLOW = Kind("kubeflow.org", "v1beta1", "ScheduledWorkflow", "scheduledworkflows",
                          True, False, ("swf",), (), True)  # fmt: skip
# Kinds of operators that the plane stands in for. Their schemas are in `schemas/operators`.
JOB_SET = Kind("jobset.x-k8s.io", "v1alpha2", "JobSet", "jobsets", True, generation=True,
               custom=True)  # fmt: skip
TRAIN_JOB = Kind("trainer.kubeflow.org", "v1alpha1", "TrainJob", "trainjobs", True,
                 generation=True, custom=True)  # fmt: skip
TRAINING_RUNTIME = Kind("trainer.kubeflow.org", "v1alpha1", "TrainingRuntime", "trainingruntimes",
                        True, False, generation=True, custom=True)  # fmt: skip
CLUSTER_TRAINING_RUNTIME = Kind("trainer.kubeflow.org", "v1alpha1", "ClusterTrainingRuntime",
                                "clustertrainingruntimes", False, False, generation=True,
                                custom=True)  # fmt: skip
# Two operators have a kind of this name: their objects are apart.
MPI_JOB = Kind("kubeflow.org", "v1", "MPIJob", "mpijobs", True, generation=True,
               custom=True)  # fmt: skip
MPI_JOB_V2 = MPI_JOB._replace(version="v2beta1", stored_as="v2beta1.mpijobs.kubeflow.org")
# Kinds of the training operator, v1. All are scaled by their workers.
TF_JOB, PYTORCH_JOB, PADDLE_JOB, MX_JOB, XGBOOST_JOB, JAX_JOB = (
    Kind("kubeflow.org", "v1", name, f"{name.lower()}s", True, generation=True, custom=True,
         scale=Scale(f".spec.{key}.Worker.replicas", ".status.replicaStatuses.Worker.active",
                     ".status.replicaStatuses.Worker.selector"))
    for name, key in (
        ("TFJob", "tfReplicaSpecs"),
        ("PyTorchJob", "pytorchReplicaSpecs"),
        ("PaddleJob", "paddleReplicaSpecs"),
        ("MXJob", "mxReplicaSpecs"),
        ("XGBoostJob", "xgbReplicaSpecs"),
        ("JAXJob", "jaxReplicaSpecs"),
    )
)  # fmt: skip
TRAINING_JOBS = (TF_JOB, PYTORCH_JOB, PADDLE_JOB, MX_JOB, XGBOOST_JOB, JAX_JOB)

KINDS: tuple[Kind, ...] = (
    NAMESPACE,
    NODE,
    POD,
    EVENT,
    EVENT_V1,
    CONFIG_MAP,
    SECRET,
    PVC,
    PV,
    SERVICE,
    ENDPOINTS,
    SERVICE_ACCOUNT,
    RESOURCE_QUOTA,
    LIMIT_RANGE,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    CONTROLLER_REVISION,
    JOB,
    CRON_JOB,
    ENDPOINT_SLICE,
    LEASE,
    PRIORITY_CLASS,
    STORAGE_CLASS,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CRD,
    WORKFLOW,
    SCHEDULED_WORKFLOW,
    JOB_SET,
    TRAIN_JOB,
    TRAINING_RUNTIME,
    CLUSTER_TRAINING_RUNTIME,
    MPI_JOB,
    MPI_JOB_V2,
    *TRAINING_JOBS,
)
