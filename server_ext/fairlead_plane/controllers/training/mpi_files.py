"""What launchers of MPI find on this machine: files, and variables; pure functions."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...resources import Json

FOLDER = "/etc/mpi"
HOSTFILE = f"{FOLDER}/hostfile"
AGENT = f"{FOLDER}/kubexec.sh"

IDLE = ["sleep", "2147483647"]
"""Runs in a worker's pod in the place of sshd: its processes are started by an exec."""

# All pods share loopback: connections stay on it. Each daemon takes the machine for its own: they
# would all bind their first process to the same core.
LOCAL = {
    "OMPI_MCA_oob_tcp_if_include": "127.0.0.0/8",
    "OMPI_MCA_btl_tcp_if_include": "127.0.0.0/8",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
}
"""Of Open MPI on one machine, beside what the operator sets."""


def hostfile(hosts: Iterable[str], slots: int, implementation: str = "OpenMPI") -> str:
    """Return the hostfile of an implementation: a host and its slots per line."""
    form = "{} slots={}\n" if implementation == "OpenMPI" else "{}:{}\n"
    return "".join(form.format(host, slots) for host in hosts)


def agent_script() -> str:
    """Return the remote shell, under the name that the operator gives its own."""
    program = Path(__file__).with_name("mpi_agent.py")
    return f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I {shlex.quote(str(program))} "$@"\n'


def agent_environment(implementation: str) -> dict[str, str]:
    """Return the variables that make an implementation use the remote shell."""
    if implementation == "Intel":
        return {
            "I_MPI_HYDRA_BOOTSTRAP": "rsh",
            "I_MPI_HYDRA_BOOTSTRAP_EXEC": AGENT,
        }
    if implementation == "MPICH":
        return {"HYDRA_LAUNCHER": "rsh", "HYDRA_LAUNCHER_EXEC": AGENT}
    found = {"OMPI_MCA_plm_rsh_agent": AGENT, **LOCAL}
    if os.getuid() == 0:
        # Who runs Fairlead as root runs its jobs so, and mpirun would refuse.
        found |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return found


def variables(given: Mapping[str, str]) -> list[Json]:
    """Return variables as a container has them."""
    return [{"name": name, "value": value} for name, value in given.items()]


def add_missing(container: Json, given: Mapping[str, str]) -> None:
    """Give a container variables that it does not have, in place."""
    env = container.setdefault("env", [])
    known = {each["name"] for each in env}
    env += [each for each in variables(given) if each["name"] not in known]


def stand_in(container: Json) -> None:
    """Let a container that would run sshd wait instead, in place."""
    command = container.get("command") or ()
    if not command or os.path.basename(command[0]) == "sshd":
        container["command"] = [*IDLE]
        for field in ("args", "readinessProbe", "livenessProbe", "startupProbe"):
            container.pop(field, None)
