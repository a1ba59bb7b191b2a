"""The API servers that are measured beside each other: the plane, and one of a kubeconfig."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil
import urllib3
from kubernetes import client, config
from measuring import cpu_of, own_plane, plane_tree


class Side:
    """One API server, in a namespace of its own.

    Parameters
    ----------
    name : str
        For people.
    kubeconfig : str
        The file that says where it is.
    pids : list of int or None
        Its processes; None: the plane's.
    """

    def __init__(self, name: str, kubeconfig: str, pids: list[int] | None) -> None:
        self.name = name
        self._pids = pids
        self._configuration = client.Configuration()
        config.load_kube_config(kubeconfig, client_configuration=self._configuration)
        self.core = client.CoreV1Api(client.ApiClient(self._configuration))
        self.namespace = f"bench-{secrets.token_hex(4)}"
        url = urlsplit(self._configuration.host)
        self.address = (url.hostname or "", url.port or 443)
        self.tls = ssl.create_default_context(cafile=self._configuration.ssl_ca_cert)
        if not self._configuration.verify_ssl:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        (token,) = (each["value"] for each in self._configuration.auth_settings().values())
        self.headers = {"Authorization": token, "Content-Type": "application/json"}
        self._connection = http.client.HTTPSConnection(*self.address, context=self.tls)

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """One request over the connection that is kept: the server's own speed."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, content, self.headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{self.name}: {method} {path}: {answer.status} {text[:500]!r}")
        return text

    @property
    def maps(self) -> str:
        """Path of the ConfigMaps."""
        return f"/api/v1/namespaces/{self.namespace}/configmaps"

    @property
    def processes(self) -> set[psutil.Process]:
        """What runs for it; empty when nobody has said."""
        if self._pids is None:
            return plane_tree()
        return {psutil.Process(pid) for pid in self._pids}

    def cpu(self) -> float:
        """CPU seconds that it has used so far."""
        return cpu_of(self.processes)

    def memory(self) -> tuple[float, float]:
        """RSS and PSS in MB, of all its processes."""
        found = [process.memory_full_info() for process in self.processes]
        return sum(each.rss for each in found) / 2**20, sum(each.pss for each in found) / 2**20

    @contextmanager
    def in_namespace(self) -> Iterator[None]:
        """Make the namespace, and remove it with all that is in it."""
        self.core.create_namespace({"metadata": {"name": self.namespace}})
        try:
            yield
        finally:
            self.request("DELETE", self.maps)
            self.core.delete_namespace(self.namespace)


def config_map(name: str, **data: str) -> dict[str, Any]:
    """A small object, the same for all measures."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app": "bench", "tier": "test"}},
        "data": {"one": "1", "two": "2" * 100, **data},
    }


@contextmanager
def both_sides(pids: list[int]) -> Iterator[list[Side]]:
    """The plane, and the API server of `FAIRLEAD_BENCH_KUBECONFIG` if it is set."""
    with ExitStack() as stack:
        stack.enter_context(own_plane())
        kubeconfig = os.path.join(os.environ["FAIRLEAD_DATA_DIR"], "kubeconfig")
        sides = [Side("plane", kubeconfig, None)]
        if other := os.environ.get("FAIRLEAD_BENCH_KUBECONFIG"):
            sides.append(Side("peer", other, pids))
        for side in sides:
            stack.enter_context(side.in_namespace())
        yield sides


def compare(
    title: str,
    sides: list[Side],
    measure: Callable[[Side, int], float],
    *,
    rounds: int,
    unit: str,
    aim: str = "",
    per: int = 0,
) -> None:
    """Measure in turns, so that the machine's load hits all alike, and print medians and a ratio.

    Parameters
    ----------
    title : str
        What is measured.
    sides : list of Side
        The plane first.
    measure : callable
        Gets a side and the number of the round.
    rounds : int
        How often each side has its turn.
    unit : str
        Of what `measure` returns.
    aim : str
        The ratio that the plane should have.
    per : int
        Requests of one round, for the CPU time of each; 0: not said.
    """
    found: dict[str, list[float]] = {side.name: [] for side in sides}
    spent = dict.fromkeys(found, 0.0)
    for number in range(rounds):
        for side in sides:
            before = side.cpu()
            found[side.name].append(measure(side, number))
            spent[side.name] += side.cpu() - before
    medians = [statistics.median(values) for values in found.values()]
    words = [f"{title:<44}"]
    for side, median in zip(sides, medians, strict=True):
        words.append(f"{side.name} {median:10.2f} {unit}")
        if per and side.processes:
            words.append(f"({spent[side.name] / rounds / per * 1000:.2f} CPU ms each)")
    if len(medians) == 2:
        words.append(f"ratio {medians[0] / medians[1]:.2f}")
    print("  ".join([*words, f"aim: {aim}" if aim else ""]), flush=True)


def rate(count: int, act: Callable[[int], object]) -> float:
    """How many times in a second, of `count` in a row."""
    began = time.perf_counter()
    for number in range(count):
        act(number)
    return count / (time.perf_counter() - began)
