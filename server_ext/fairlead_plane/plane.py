"""The composition of the control plane: builds its parts, starts and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import sys
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any

from fairlead.names import INTERPRETER_ANNOTATION, PACKAGES_ANNOTATION

from .api import ApiServer, PodStreams
from .certificates import CA_FILE, SERVER_FILE, SERVER_KEY_FILE, ensure_certificates
from .controllers import Controllers, all_controllers
from .environments import InterpreterError, fingerprint
from .instance import listen
from .kubeconfig import Access, read_kubeconfig, write_kubeconfig
from .node.node import Node
from .pipelines import PipelineService
from .resources import Resources
from .scheduler import Scheduler
from .serving import HttpServer, server_tls
from .store import Store
from .tokens import Tokens, ensure_key

log = logging.getLogger(__name__)


class Plane:
    """One control plane over one data directory, which its caller has locked.

    Parameters
    ----------
    folder : Path
        The data directory.
    umask : int
        File mode mask for the processes of pods; the plane's own files are private.

    Raises
    ------
    PortError, CertificateError
        Before anything runs.
    """

    def __init__(self, folder: Path, *, umask: int) -> None:
        kubeconfig = folder / "kubeconfig"
        known = read_kubeconfig(kubeconfig)
        self._listener: socket.socket = listen(known.port if known else None)
        ensure_certificates(folder)
        port: int = self._listener.getsockname()[1]
        access = Access(port, known.token if known else secrets.token_urlsafe(32))
        ca = (folder / CA_FILE).read_bytes()
        write_kubeconfig(kubeconfig, access, ca)
        tokens = Tokens(ensure_key(folder))

        self._store = Store(folder / "fairlead.db")
        self._resources = Resources(self._store)
        self._node = Node(self._resources, folder, umask=umask, port=port, tokens=tokens, ca=ca)
        self._scheduler = Scheduler(self._resources)
        self._controllers = Controllers(self._resources, all_controllers(folder, ca.decode()))
        self._pipelines = PipelineService(
            self._resources, pipeline_root=folder / "artifacts", environment=_environment
        )
        api = ApiServer(
            self._resources,
            token=access.token,
            tokens=tokens,
            logs=self._node.logs,
            streams=PodStreams(self._node.execs, self._node.ports),
            services={("kubeflow", "ml-pipeline"): self._pipelines.app},
        )
        tls = server_tls(str(folder / SERVER_FILE), str(folder / SERVER_KEY_FILE))
        self._http = HttpServer(api, self._listener, tls)

    async def run(self, stop: asyncio.Event, ready: Awaitable[None]) -> None:
        """Serve until `stop` is set, or until a part fails, which is raised.

        Parameters
        ----------
        stop : asyncio.Event
            Set to end: requests finish, then pods are stopped, then the shim.
        ready : awaitable
            Awaited once, when requests are answered.
        """
        await self._resources.start()
        await self._scheduler.start()
        await self._controllers.start()
        await self._node.start()
        await self._http.start()
        await ready
        parts = (
            asyncio.create_task(self._node.run(), name="node"),
            asyncio.create_task(self._scheduler.run(), name="scheduler"),
            asyncio.create_task(self._controllers.run(), name="controllers"),
            asyncio.create_task(self._pipelines.run(), name="pipelines"),
        )
        stopping: asyncio.Task[Any] = asyncio.create_task(stop.wait(), name="stop")
        done, _ = await asyncio.wait({*parts, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        # A part that fails is a crash of this process alone: the shim and the pods go on, and the
        # next plane adopts them.
        failed = next((part for part in done if part is not stopping), None)
        await self._stop(*parts, pods=failed is None)
        if failed is not None:
            await failed
            raise RuntimeError(f"the part '{failed.get_name()}' ended by itself")

    async def _stop(
        self, node: asyncio.Task[None], *makers: asyncio.Task[None], pods: bool
    ) -> None:
        log.info("stopping")
        # Who makes and binds pods first: they would start others for the stopped ones at once.
        for maker in reversed(makers):
            await _cancel(maker)
        self._resources.close_watches()
        self._node.logs.close()
        await self._http.stop()
        await _cancel(node)
        if pods:
            await self._node.stop()
        self._store.close()
        log.info("stopped")


def _environment(annotations: Mapping[str, str]) -> str:
    """Return the identity of the environment in which the node runs a pod's Python."""
    interpreter = annotations.get(INTERPRETER_ANNOTATION) or sys.executable
    packages = annotations.get(PACKAGES_ANNOTATION, "")
    try:
        return "\n".join([fingerprint(interpreter), *sorted(packages.splitlines())])
    except InterpreterError as error:
        # The pod will fail with the same words; a name of its own keeps it out of the cache.
        log.warning("%s", error)
        return secrets.token_hex()


async def _cancel(part: asyncio.Task[None]) -> None:
    part.cancel()
    # Its own failure is raised by `run`.
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await part
