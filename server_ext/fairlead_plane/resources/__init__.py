"""The one gate to the objects of this control plane.

Here: kinds, defaults, validation, versions, the cascade of deletes, selectors, watches: all that
the Kubernetes API promises about an object, whoever writes it. Not here: HTTP, and what a kind
does; that is for its controller, which comes through this gate as any client does.
"""

from .cascade import BACKGROUND, FIRST_NAMESPACES, FOREGROUND, ORPHAN
from .conditions import merge_conditions
from .errors import (
    ApiError,
    Cause,
    already_exists,
    bad_request,
    conflict,
    expired,
    forbidden,
    invalid,
    not_found,
)
from .gate import BodyList, ObjectList, Resources, parse_version
from .kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CRD,
    CRON_JOB,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
    EVENT,
    JOB,
    KINDS,
    NAMESPACE,
    NODE,
    POD,
    PRIORITY_CLASS,
    PV,
    PVC,
    REPLICA_SET,
    RESOURCE_QUOTA,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    STORAGE_CLASS,
    WORKFLOW,
    Json,
    Kind,
)
from .quantity import parse_quantity
from .registry import Registry
from .rows import controller_uid
from .times import parse_timestamp, timestamp
from .transaction import Transaction
from .watch import Watch, WatchEvent

__all__ = [
    "BACKGROUND",
    "CLUSTER_ROLE",
    "CLUSTER_ROLE_BINDING",
    "CONFIG_MAP",
    "CONTROLLER_REVISION",
    "CRD",
    "CRON_JOB",
    "DEPLOYMENT",
    "ENDPOINTS",
    "ENDPOINT_SLICE",
    "EVENT",
    "FIRST_NAMESPACES",
    "FOREGROUND",
    "JOB",
    "KINDS",
    "NAMESPACE",
    "NODE",
    "ORPHAN",
    "POD",
    "PRIORITY_CLASS",
    "PV",
    "PVC",
    "REPLICA_SET",
    "RESOURCE_QUOTA",
    "ROLE",
    "ROLE_BINDING",
    "SECRET",
    "SERVICE",
    "SERVICE_ACCOUNT",
    "STATEFUL_SET",
    "STORAGE_CLASS",
    "WORKFLOW",
    "ApiError",
    "BodyList",
    "Cause",
    "Json",
    "Kind",
    "ObjectList",
    "Registry",
    "Resources",
    "Transaction",
    "Watch",
    "WatchEvent",
    "already_exists",
    "bad_request",
    "conflict",
    "controller_uid",
    "expired",
    "forbidden",
    "invalid",
    "merge_conditions",
    "not_found",
    "parse_quantity",
    "parse_timestamp",
    "parse_version",
    "timestamp",
]
