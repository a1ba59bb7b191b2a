"""The remote shell of MPI on this machine: starts a command in the pod that a host name means.

`mpirun` starts a daemon on each host with a remote shell. On a cluster that is ssh, or kubectl's
exec; here it is this program, which asks the API for an exec in the pod of that name. It needs no
server in the pods, and no keys. A script of its own, run by the plane's Python in the launcher's
pod; it imports nothing of the plane.

    mpi_agent.py [-o OPTION]... HOST WORD...

Exits as the command does, 255 as ssh when it could not be started.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import yaml
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    RejectData,
    Request,
)

FAILED = 255
"""Exit code of ssh for its own failures."""

_PROTOCOL = "v5.channel.k8s.io"
_STDOUT, _STDERR, _ERROR = 1, 2, 3
_POLL_S = 0.1
_WAIT_S = 600.0
"""How long a host may take to run: as long as its pod may wait for room."""


class AgentError(Exception):
    """The command could not be started; says why."""


class Api(NamedTuple):
    """Where the API is, as the pod's kubeconfig says."""

    server: str
    token: str
    namespace: str
    tls: ssl.SSLContext

    def get(self, path: str) -> Any:
        """Read an object; None for one that is not there."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.server + path, headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.tls) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AgentError(f"the API answers {error.code} for {path}") from error


def main(words: list[str]) -> int:
    """Run a command on a host and return its exit code."""
    while words and words[0] == "-o":
        words = words[2:]
    if len(words) < 2:
        print("usage: mpi_agent.py [-o OPTION]... HOST WORD...", file=sys.stderr)
        return FAILED
    host, command = words[0], " ".join(words[1:])
    try:
        api = read_kubeconfig(os.environ.get("KUBECONFIG", ""))
        pod = wait_for_pod(api, host.partition(".")[0])
        return run(api, pod, command)
    except (AgentError, OSError) as error:
        print(f"{host}: {error}", file=sys.stderr)
        return FAILED


def read_kubeconfig(path: str) -> Api:
    """Return what a kubeconfig says of its current context."""
    if not os.path.exists(path):
        raise AgentError(
            "no kubeconfig: the launcher needs a service account's token "
            "(automountServiceAccountToken)"
        )
    with open(path, encoding="utf-8") as file:
        found = yaml.safe_load(file)
    cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    tls = ssl.create_default_context(cadata=authority)
    namespace = found["contexts"][0]["context"].get("namespace", "default")
    return Api(cluster["server"], user["token"], namespace, tls)


def wait_for_pod(api: Api, host: str) -> Any:
    """Return the pod that a host name means, once it runs."""
    end = time.monotonic() + _WAIT_S
    while True:
        pod = find_pod(api, host)
        phase = pod["status"].get("phase") if pod else None
        if phase == "Running":
            return pod
        if phase in ("Succeeded", "Failed"):
            raise AgentError(f"its pod has ended: {phase}")
        if time.monotonic() > end:
            raise AgentError(f"its pod does not run after {_WAIT_S:.0f} s")
        time.sleep(_POLL_S)


def find_pod(api: Api, host: str) -> Any:
    """Return the pod of this name, or that has it as its host name; None without one."""
    path = f"/api/v1/namespaces/{api.namespace}/pods"
    found = api.get(f"{path}/{host}")
    if found is not None:
        return found
    pods = (api.get(path) or {}).get("items") or ()
    fitting = [
        pod
        for pod in pods
        if pod["spec"].get("hostname") == host and "deletionTimestamp" not in pod["metadata"]
    ]
    # Of several, one that failed before was replaced by the last.
    return max(fitting, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)


def run(api: Api, pod: Any, command: str) -> int:
    """Run a command in a pod's first container; its output comes out here."""
    query = [("container", pod["spec"]["containers"][0]["name"]), ("stdout", "1"), ("stderr", "1")]
    query += [("command", word) for word in ("/bin/sh", "-c", command)]
    name = pod["metadata"]["name"]
    target = f"/api/v1/namespaces/{api.namespace}/pods/{name}/exec?{urlencode(query)}"
    where = urlsplit(api.server)
    outputs = {_STDOUT: sys.stdout.buffer, _STDERR: sys.stderr.buffer}
    plain = socket.create_connection((where.hostname or "", where.port or 443))
    with api.tls.wrap_socket(plain, server_hostname=where.hostname) as connection:
        for message in _messages(connection, where.netloc, target, api.token):
            channel, data = message[0], message[1:]
            if channel in outputs:
                outputs[channel].write(data)
                outputs[channel].flush()
            elif channel == _ERROR:
                return exit_code(json.loads(data))
    raise AgentError("the connection to its pod was lost")


def exit_code(status: Any) -> int:
    """Return what a `Status` at the end of an exec says."""
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise AgentError(str(status.get("message", "the command could not be started")))


def _messages(connection: Any, host: str, target: str, token: str) -> Iterator[bytes]:
    """Yield the messages of a WebSocket, whole."""
    socket_ = WSConnection(ConnectionType.CLIENT)
    header = (b"Authorization", f"Bearer {token}".encode())
    request = Request(host, target, subprotocols=[_PROTOCOL], extra_headers=[header])
    connection.sendall(socket_.send(request))
    message, refused = b"", b""
    while True:
        data = connection.recv(1 << 16)
        socket_.receive_data(data or None)
        for event in socket_.events():
            if isinstance(event, BytesMessage):
                message += bytes(event.data)
                if event.message_finished:
                    if message:
                        yield message
                    message = b""
            elif isinstance(event, Ping):
                connection.sendall(socket_.send(event.response()))
            elif isinstance(event, RejectData):
                refused += bytes(event.data)
            elif isinstance(event, RejectConnection):
                raise AgentError(f"the API refuses an exec: {event.status_code} {refused!r}")
            elif isinstance(event, CloseConnection):
                return
            else:
                assert isinstance(event, AcceptConnection), event
        if not data:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
