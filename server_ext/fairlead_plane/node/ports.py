"""Who listens: pods share the machine's addresses, and each is reached at its own ports only."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import Iterable
from pathlib import Path

from ..resources import ApiError, Json
from .listeners import Listener, find_listeners
from .processes import pod_processes

_LOOPBACK = ("127.0.0.1", "::1")


class PortError(ApiError):
    """A port of a pod cannot be reached; the message is that of a dial that was refused."""

    def __init__(self, port: int, why: str) -> None:
        super().__init__(503, "ServiceUnavailable", f"dial tcp 127.0.0.1:{port}: connect: {why}")


class Ports:
    """The ports of the pods of this node.

    Parameters
    ----------
    folder : Path
        With a folder for each pod.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def connect(
        self, pod: Json, port: int | str, tls: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a port of a pod.

        Parameters
        ----------
        port : int or str
            Number, or name of a port of one of its containers.
        tls : SSLContext, optional
            To speak TLS.

        Raises
        ------
        PortError
            No process of the pod listens there, or it does not take the connection.
        """
        number = port_number(pod, port)
        why = "connection refused"
        for host, listeners in self._find(pod, number).items():
            try:
                reader, writer = await asyncio.open_connection(host, number, ssl=tls)
            except OSError as error:
                why = (os.strerror(error.errno) if error.errno else str(error)).lower()
                continue
            # The same sockets before and after: none but they can have taken the connection.
            if _answering(find_listeners(number), host) == listeners:
                return reader, writer
            writer.close()
            why = "connection refused: another process has just begun to listen there"
        raise PortError(number, why)

    def _find(self, pod: Json, port: int) -> dict[str, set[Listener]]:
        """Return the addresses at which only the pod answers, with its sockets; or say why none."""
        name = pod["metadata"]["name"]
        listeners = find_listeners(port)
        own: set[int] = set()
        if listeners:
            pids = pod_processes(self._folder / pod["metadata"]["uid"])
            own = _held(pids, {each.socket for each in listeners})
        # A wildcard is no address to connect to: it means loopback, where somebody else may be.
        others = [
            each.address
            for each in listeners
            if each.socket in own and each.address not in ("0.0.0.0", "::")
        ]
        found = {}
        for host in (*_LOOPBACK, *others):
            answering = _answering(listeners, host)
            if answering and all(each.socket in own for each in answering):
                found[host] = answering
        if found:
            return found
        why = f"connection refused: no process of pod {name} listens on it"
        if listeners:
            why += ", but a process outside of the pod does"
        raise PortError(port, why)


def port_number(pod: Json, port: int | str) -> int:
    """Return the number of a port of a pod.

    Raises
    ------
    ApiError
        400: no container has a port of this name.
    """
    text = str(port)
    if text.isdigit():
        return int(text)
    spec = pod["spec"]
    for container in (*spec["containers"], *(spec.get("initContainers") or ())):
        for each in container.get("ports") or ():
            if each.get("name") == text:
                number: int = each["containerPort"]
                return number
    name = pod["metadata"]["name"]
    raise ApiError(400, "BadRequest", f'pod {name} has no container port named "{text}"')


def _answering(listeners: Iterable[Listener], host: str) -> set[Listener]:
    """Return those of the listeners of one port that a connection to an address may reach."""
    wildcards = ("0.0.0.0", "::") if "." in host else ("::",)
    for address in (host, *wildcards):  # the system prefers them in this order
        if found := {each for each in listeners if each.address == address}:
            return found
    return set()


def _held(pids: Iterable[int], wanted: set[int]) -> set[int]:
    """Return those of the sockets that the processes have open."""
    found: set[int] = set()
    for pid in pids:
        found |= wanted & _sockets(pid)
        if found == wanted:
            break
    return found


def _sockets(pid: int) -> set[int]:
    if sys.platform != "linux":
        return {pid}
    found = set()
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            target = os.readlink(f"{folder}/{name}")
            if target.startswith("socket:["):
                found.add(int(target[8:-1]))
    except OSError:
        pass  # it has just ended, or closed the file
    return found
