"""The context in use on this server, and the clients of it."""

from __future__ import annotations

import functools
import json
import os
import threading
from typing import TYPE_CHECKING

from fairlead.kube import Context, KubeClient, load_context, use_context
from fairlead.kube.connections import Server, read_server
from fairlead.kube.kubeconfig import load_kubeconfig

if TYPE_CHECKING:
    from fairlead_server.recurring_service import RecurringService
    from fairlead_server.runs_service import RunsService
    from fairlead_server.training_service import TrainingService


class Connection:
    """One context and namespace. Blocking: handlers and topics use it in threads."""

    def __init__(self, context: Context) -> None:
        self.kube = KubeClient(context)
        self.namespace = context.namespace

    @functools.cached_property
    def runs(self) -> RunsService:
        """The runs of this context; made when first asked for, with all that it imports."""
        from fairlead_server.runs_service import RunsService

        return RunsService(self.kube)

    @functools.cached_property
    def recurring(self) -> RecurringService:
        """The recurring runs of this context; made when first asked for."""
        from fairlead_server.recurring_service import RecurringService

        return RecurringService(self.runs.pipelines)

    @functools.cached_property
    def training(self) -> TrainingService:
        """The training jobs of this namespace."""
        from fairlead_server.training_service import TrainingService

        return TrainingService(self.kube, self.namespace)

    def place(self) -> dict[str, str]:
        """Return the names of context and namespace."""
        return {"context": self.kube.context.name, "namespace": self.namespace}

    def version(self) -> tuple[str, str]:
        """Ask the API server for its version; returns where it is, and the version."""
        found = json.loads(self.kube.request("GET", "/version"))
        return server_of(self.kube.context).host, str(found.get("gitVersion") or "")


class Backend:
    """The connection in use. Made at its first use; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """Return the connection in use; at first the one that was last chosen on this machine."""
        with self._lock:
            if self._connection is None:
                self._connection = Connection(load_context())
            return self._connection

    def switch(self, name: str, namespace: str | None) -> Connection:
        """Use another context or namespace, also after a restart of this server.

        Parameters
        ----------
        namespace : str, optional
            Default: the context's own.

        Raises
        ------
        FairleadError
            It is not there, or does not let us in; the one that was in use still is.
        """
        connection = Connection(use_context(name, namespace, persist=True))
        with self._lock:
            self._connection = connection
        return connection


def server_of(context: Context) -> Server:
    """Tell where the API server of a context is.

    Raises
    ------
    FairleadError
        Its kubeconfig does not say.
    """
    if context.source == "in-cluster":
        host = os.environ["KUBERNETES_SERVICE_HOST"]
        host = f"[{host}]" if ":" in host else host
        return Server(f"https://{host}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}")
    return read_server(load_kubeconfig(*context.files).cluster_of(context.entry))
