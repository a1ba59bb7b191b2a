"""TrainJobs whose runtime has the policy `mpi`: a launcher, its nodes and a hostfile."""

from __future__ import annotations

from ...resources import Json
from ..pods import owner_reference
from .mpi_files import (
    FOLDER,
    HOSTFILE,
    add_missing,
    agent_environment,
    agent_script,
    hostfile,
    stand_in,
    variables,
)
from .trainjob_policies import gpus

NODE, LAUNCHER = "node", "launcher"
_VOLUME = "mpi-hostfile"


def plan_mpi(train_job: Json, policy: Json, jobs: list[Json]) -> None:
    """Count the nodes and give the launcher what mpirun needs, in place.

    Parameters
    ----------
    train_job : dict
        The TrainJob.
    policy : dict
        `mlPolicy` of its runtime.
    jobs : list of dict
        The entries of `replicatedJobs`, with the trainer's fields in them.
    """
    mpi, trainer = policy["mpi"], train_job["spec"].get("trainer") or {}
    wanted = trainer.get("numNodes")
    for job in jobs:
        if job["name"] not in (NODE, LAUNCHER):
            continue
        spec = job["template"]["spec"]
        pod = spec["template"]["spec"]
        if job["name"] == NODE and wanted is not None:
            count = max(wanted - 1, 1) if mpi.get("runLauncherAsNode") else wanted
            spec["parallelism"] = spec["completions"] = count
        for container in pod["containers"]:
            if container["name"] not in (NODE, LAUNCHER):
                continue
            mount = {"name": _VOLUME, "mountPath": FOLDER}
            container.setdefault("volumeMounts", []).append(mount)
            if job["name"] == NODE:
                stand_in(container)
                continue
            ours = {
                "OMPI_MCA_orte_default_hostfile": HOSTFILE,
                "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
                "OMPI_MCA_orte_set_default_slots": str(_slots(train_job, mpi, jobs)),
                "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10",
            }
            env = container.setdefault("env", [])
            env[:] = [each for each in env if each["name"] not in ours] + variables(ours)
            add_missing(container, agent_environment("OpenMPI"))
        # Nodes have it, too: the daemons look for the remote shell. And it is a program.
        source = {"name": _map_name(train_job), "defaultMode": 0o555}
        pod.setdefault("volumes", []).append({"name": _VOLUME, "configMap": source})


def build_hostfile(train_job: Json, policy: Json, jobs: list[Json]) -> Json:
    """Return the ConfigMap with the hostfile, and with what stands for ssh here."""
    mpi, name = policy["mpi"], train_job["metadata"]["name"]
    hosts = []
    for job in jobs:
        as_node = job["name"] == LAUNCHER and mpi.get("runLauncherAsNode")
        if job["name"] == NODE or as_node:
            count = job["template"]["spec"].get("parallelism", 1)
            hosts += [f"{name}-{job['name']}-0-{index}.{name}" for index in range(count)]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": _map_name(train_job),
            "namespace": train_job["metadata"]["namespace"],
            "ownerReferences": [owner_reference(train_job)],
        },
        "data": {
            "hostfile": hostfile(hosts, _slots(train_job, mpi, jobs)),
            "kubexec.sh": agent_script(),
        },
    }


def _map_name(train_job: Json) -> str:
    return f"{train_job['metadata']['name']}-mpi-hostfile"


def _slots(train_job: Json, mpi: Json, jobs: list[Json]) -> int:
    """Return how many processes run on each node: as said, else one, or one per GPU."""
    trainer = train_job["spec"].get("trainer") or {}
    if trainer.get("numProcPerNode") is not None:
        return int(trainer["numProcPerNode"])
    said: int = mpi.get("numProcPerNode", 1)
    if said != 1:
        return said
    resources = trainer.get("resourcesPerNode") or next(
        (
            container.get("resources") or {}
            for job in jobs
            for container in job["template"]["spec"]["template"]["spec"]["containers"]
            if container["name"] == NODE
        ),
        {},
    )
    return max(1, gpus(resources))
