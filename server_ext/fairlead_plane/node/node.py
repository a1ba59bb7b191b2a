"""The kubelet of this machine: gives each pod that is bound to it a worker."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from pathlib import Path

from ..resources import NODE, POD, ApiError, Json, Resources, Transaction
from ..store import StoreError
from ..tokens import Tokens
from . import commands, gpus, machine
from .accounts import Accounts
from .checks import Checks
from .environments import Environments, build_env
from .exec import Execs
from .interpreters import Interpreters
from .launch import Host
from .layers import Layers
from .logs import Logs
from .memory import MemoryGuard
from .ports import Ports
from .runtime import Runtime, StartError
from .status import SHUTDOWN, Verdict
from .volumes.limits import EVERY_S, find_excess, has_limits
from .volumes.mounting import Mounting
from .volumes.pod import refresh, remove_made
from .volumes.refresh import Refresher
from .volumes.sources import has_memory, remove_memory
from .worker import PodWorker

log = logging.getLogger(__name__)

RETRY_S = 5.0
"""Seconds until a pod whose worker failed gets a new one."""

_TERMINAL = ("Succeeded", "Failed")
_SHUTDOWN_VERDICT = Verdict(SHUTDOWN, "Pod was terminated in response to imminent node shutdown.")


class Node:
    """Runs the pods of the control plane on this machine.

    Parameters
    ----------
    resources : Resources
        Pods come from here, and their status goes here.
    folder : Path
        The data directory: `pods`, `shim` and `cache` in it belong to the node.
    umask : int
        File mode mask of the pods' processes.
    port : int
        Where the API server listens on loopback.
    tokens : Tokens
        Signs the tokens of pods.
    ca : bytes
        Certificate of the API server's authority, PEM.
    """

    def __init__(
        self,
        resources: Resources,
        folder: Path,
        *,
        umask: int,
        port: int,
        tokens: Tokens,
        ca: bytes,
    ) -> None:
        self._resources = resources
        self._pods = folder / "pods"
        self._runtime = Runtime(folder / "shim")
        self.logs = Logs(self._pods, self._runtime)
        self.execs = Execs(self._pods, self._runtime)
        self.ports = Ports(self._pods)
        self._capacity = machine.capacity(folder)
        self._interpreters = Interpreters(self._runtime, commands.base_env(os.environ))
        self._environments = Environments(
            folder / "environments", self._pods, build_env(os.environ, folder / "cache")
        )
        self._host = Host(
            name=machine.node_name(),
            resources=resources,
            runtime=self._runtime,
            interpreters=self._interpreters,
            checks=Checks(self.execs, self.ports),
            memory=MemoryGuard(),
            environments=self._environments,
            layers=Layers(),
            accounts=Accounts(resources, tokens, port, ca),
            mounting=Mounting(folder / "shim" / "probe"),
            data=folder,
            folder=self._pods,
            cache=folder / "cache",
            umask=umask,
            port=port,
            capacity=self._capacity,
        )
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._retries: set[asyncio.Task[None]] = set()
        self._refresher = Refresher(
            resources, lambda: [each.pod for each in self._workers.values()], self._renew_volumes
        )

    async def start(self) -> None:
        """Register this machine, and find or start the shim; raises ShimError."""
        self._pods.mkdir(exist_ok=True)
        self._host.cache.mkdir(exist_ok=True)
        # In a thread: a driver that wakes its devices takes its time.
        found = await asyncio.to_thread(gpus.find_gpus, os.environ)
        self._capacity |= gpus.amount(found)
        node = machine.build_node(self._host.name, self._capacity, found)

        def register(transaction: Transaction) -> None:
            for other in transaction.list(NODE):
                if other["metadata"]["name"] != self._host.name:  # the machine was renamed
                    transaction.delete(NODE, other["metadata"]["name"])
            for pod in transaction.list(POD):
                if pod["spec"].get("nodeName", self._host.name) != self._host.name:
                    conditions = pod["status"].get("conditions") or []
                    transaction.bind_pod(pod, self._host.name, conditions)
            known = transaction.find(NODE, self._host.name)
            if known is None:
                known = transaction.create(node)
            status = {**node["status"], "conditions": machine.conditions(known)}
            known = transaction.update(machine.renew(known, node))
            transaction.update_status({**known, "status": status})

        await self._resources.transaction(register)
        await self._runtime.start()

    async def run(self) -> None:
        """Follow the pods until cancelled; a failure of a worker ends the node and is raised."""
        warming = asyncio.create_task(self._warm_up())
        evicting = asyncio.create_task(self._evict(), name="evict")
        try:
            while True:
                await self._sweep()
                mine = f"spec.nodeName={self._host.name}"
                watch = self._resources.watch(POD, field_selector=mine)
                try:
                    async for event in watch:
                        self._take(event.type, event.object)
                    return  # the plane stops
                except ApiError as error:
                    log.warning("pods are listed again: %s", error)
                finally:
                    watch.close()
        finally:
            warming.cancel()
            evicting.cancel()
            self._refresher.stop()

    async def stop(self) -> None:
        """Stop all pods (TERM, grace, KILL), then the shim and the warm interpreters.

        A pod that waits for room stays Pending; one that is bound is Failed, reason NodeShutdown.
        """
        for worker in list(self._workers.values()):
            worker.stop(_SHUTDOWN_VERDICT)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._environments.stop()
        await self._runtime.stop()

    async def _warm_up(self) -> None:
        """Start the default interpreter before the first step needs it."""
        try:
            await self._interpreters.warm(sys.executable)
        except StartError as error:
            log.warning("no warm interpreter: %s", error)

    async def _evict(self) -> None:
        """End pods that fill a volume over its limit."""
        while True:
            await asyncio.sleep(EVERY_S)
            for uid, worker in list(self._workers.items()):
                if not has_limits(worker.pod):
                    continue
                try:
                    why = await asyncio.to_thread(find_excess, worker.pod, self._pods / uid)
                except OSError as error:  # the others are looked at all the same
                    log.warning("the volumes of pod %s cannot be measured: %s", uid, error)
                    continue
                if why and uid in self._workers:
                    worker.stop(Verdict("Evicted", why), grace_s=0)

    def _take(self, type: str, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if type == "DELETED":
            if worker is not None:
                worker.forget()
            else:
                self._clean(uid)
        elif worker is not None:
            worker.update(pod)
            self._refresher.take(pod)
        elif pod["status"].get("phase") not in _TERMINAL or "deletionTimestamp" in pod["metadata"]:
            self._begin(uid, pod)

    def _begin(self, uid: str, pod: Json) -> None:
        worker = self._workers[uid] = PodWorker(self._host, pod)
        self._refresher.take(pod)
        task = self._tasks[uid] = asyncio.create_task(worker.run(), name=f"pod {uid}")
        task.add_done_callback(lambda done: self._finish(uid, done))

    def _finish(self, uid: str, task: asyncio.Task[None]) -> None:
        worker = self._workers.pop(uid)
        del self._tasks[uid]
        if not task.cancelled() and (error := task.exception()) is not None:
            # The boundary of one pod: the others go on, and so does this one, from its records.
            cause = None if isinstance(error, StoreError) else error
            log.error("the worker of pod %s failed: %s", uid, error, exc_info=cause)
            asyncio.get_running_loop().call_later(RETRY_S, self._retry, worker.pod)
        elif not task.cancelled():
            # It has ended; its files stay as long as the object, but memory is given back.
            self._host.layers.leave(self._pods / uid)
            if has_memory(worker.pod):
                asyncio.get_running_loop().run_in_executor(None, remove_memory, uid)
        if worker.gone:
            self._clean(uid)

    def _retry(self, pod: Json) -> None:
        metadata = pod["metadata"]
        task = asyncio.create_task(self._begin_again(metadata["name"], metadata["namespace"]))
        self._retries.add(task)
        task.add_done_callback(self._retries.discard)

    async def _begin_again(self, name: str, namespace: str) -> None:
        pod = await self._resources.find(POD, name, namespace)
        if pod is not None and pod["metadata"]["uid"] not in self._workers:
            self._take("MODIFIED", pod)

    async def _sweep(self) -> None:
        """Remove what belongs to pods that do not exist any more."""
        pods = await self._resources.list(POD)
        known = {pod["metadata"]["uid"] for pod in pods.items}
        for uid, worker in list(self._workers.items()):
            if uid not in known:
                worker.forget()
        for name in self._runtime.alive:
            if name.partition("/")[0] not in known:
                self._runtime.kill_unknown(name)
        for folder in self._pods.iterdir():
            if folder.name not in known:
                self._clean(folder.name)

    async def _renew_volumes(self, pod: Json) -> None:
        account = await self._host.accounts.find(pod)
        context = self._host.volume_context(pod, account)
        await refresh(context, self._pods / pod["metadata"]["uid"])

    def _clean(self, uid: str) -> None:
        self._host.accounts.forget(uid)
        self._host.layers.forget(self._pods / uid)
        self._refresher.forget(uid)
        self._runtime.forget(f"{uid}/")
        # In a thread: a step may have installed thousands of files.
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, _remove_pod, self._pods / uid)


def _remove_pod(folder: Path) -> None:
    def report(function: object, path: str, info: object) -> None:
        if os.path.lexists(path):
            log.warning("%s cannot be removed: %s", path, info)

    remove_made(folder)
    shutil.rmtree(folder, onerror=report)
    remove_memory(folder.name)
