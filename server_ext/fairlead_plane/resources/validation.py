"""What an object must look like to be stored; names every field that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .causes import forbidden_field
from .errors import Cause, bad_request, invalid
from .kinds import POD, TRAINING_JOBS, Json, Kind
from .schemas import Schema, builtin_schema
from .schemas.typed import DecodingError, decode_typed
from .schemas.validate import check_schema
from .validation_data import (
    check_config_map,
    check_event,
    check_lease,
    check_priority_class,
    check_role,
    check_role_binding,
    check_secret,
)
from .validation_metadata import check_metadata
from .validation_pod import check_pod, check_pod_update
from .validation_resources import (
    check_claim,
    check_endpoints,
    check_limit_range,
    check_quota,
    check_service,
    check_volume,
)
from .validation_training import check_jobset, check_mpi_job, check_runtime, check_train_job
from .validation_training_jobs import check_training_job
from .validation_workloads import WORKLOADS, check_workload

_RBAC = "rbac.authorization.k8s.io"
_CHECKS: dict[tuple[str, str], Callable[[Json, Json | None], Iterator[Cause]]] = {
    ("", "ConfigMap"): check_config_map,
    ("", "Endpoints"): check_endpoints,
    ("", "Event"): check_event,
    ("events.k8s.io", "Event"): check_event,
    ("", "LimitRange"): check_limit_range,
    ("", "PersistentVolume"): check_volume,
    ("", "PersistentVolumeClaim"): check_claim,
    ("", "ResourceQuota"): check_quota,
    ("", "Secret"): check_secret,
    ("", "Service"): check_service,
    ("coordination.k8s.io", "Lease"): check_lease,
    (_RBAC, "ClusterRole"): check_role,
    (_RBAC, "ClusterRoleBinding"): check_role_binding,
    (_RBAC, "Role"): check_role,
    (_RBAC, "RoleBinding"): check_role_binding,
    ("scheduling.k8s.io", "PriorityClass"): check_priority_class,
    ("jobset.x-k8s.io", "JobSet"): check_jobset,
    ("kubeflow.org", "MPIJob"): check_mpi_job,
    ("trainer.kubeflow.org", "TrainJob"): check_train_job,
    ("trainer.kubeflow.org", "TrainingRuntime"): check_runtime,
    ("trainer.kubeflow.org", "ClusterTrainingRuntime"): check_runtime,
    **dict.fromkeys(((kind.group, kind.kind) for kind in TRAINING_JOBS), check_training_job),
}


def check(
    kind: Kind, obj: Json, existing: Json | None = None, schema: Schema | None = None
) -> None:
    """Refuse an object that the API server would refuse.

    Parameters
    ----------
    kind : Kind
        Kind of the object.
    obj : dict
        With defaults and metadata in place.
    existing : dict, optional
        The stored object that `obj` replaces.
    schema : Schema, optional
        Of the kind; without it a custom resource is checked for what all objects have in common.

    Raises
    ------
    ApiError
        422 with one cause per field; 400 for a value of another type in a built-in kind.
    """
    by_schema = [*check_schema(kind, obj, existing, schema)]
    try:
        causes = [*_causes(kind, obj, existing), *by_schema]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Whoever comes over HTTP has been decoded. For the others the decoder names the field.
        _name_type(kind, obj)
        if not by_schema:
            raise error
        causes = by_schema  # of another type than the rules are about
    if causes:
        raise invalid(
            kind, obj["metadata"].get("name") or obj["metadata"].get("generateName", ""), causes
        )


def _causes(kind: Kind, obj: Json, existing: Json | None) -> Iterator[Cause]:
    yield from check_metadata(kind, obj["metadata"])
    if kind is POD:
        causes = [*check_pod(obj)]
        yield from causes
        if existing is None:
            if (obj.get("spec") or {}).get("ephemeralContainers"):
                yield forbidden_field("spec.ephemeralContainers", "cannot be set on create")
        elif not causes:
            yield from check_pod_update(obj, existing)
    elif kind in WORKLOADS:
        yield from check_workload(kind, obj, existing)
    elif (found := _CHECKS.get((kind.group, kind.kind))) is not None:
        yield from found(obj, existing)


def _name_type(kind: Kind, obj: Json) -> None:
    schema = builtin_schema(kind.api_version, kind.kind)
    if schema is None:
        return
    try:
        decode_typed(schema, obj, None)
    except DecodingError as error:
        raise bad_request(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}'
        ) from error
