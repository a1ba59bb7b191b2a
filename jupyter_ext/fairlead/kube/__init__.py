"""The thin Kubernetes layer: contexts, objects, watches, logs, and services behind the API server.

Belongs here: everything that speaks the Kubernetes API. It is the only part that imports
`kubernetes`, and the only client of the embedded control plane; nothing above it knows which
back end it has. Does not belong here: what an object means (`fairlead.pipelines`).
"""

from __future__ import annotations

from fairlead.kube.client import KubeClient
from fairlead.kube.contexts import EMBEDDED_CONTEXT, Context, list_contexts, load_context
from fairlead.kube.discovery import Capabilities
from fairlead.kube.follow import SYNCED, Follower
from fairlead.kube.proxy import ServiceProxy
from fairlead.kube.stream import Stream
from fairlead.kube.types import ResourceType, WatchEvent
from fairlead.kube.use import use_context

__all__ = [
    "EMBEDDED_CONTEXT",
    "SYNCED",
    "Capabilities",
    "Context",
    "Follower",
    "KubeClient",
    "ResourceType",
    "ServiceProxy",
    "Stream",
    "WatchEvent",
    "list_contexts",
    "load_context",
    "use_context",
]
