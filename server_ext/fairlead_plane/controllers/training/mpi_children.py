"""What an MPIJob is made of: a launcher, workers, and the files by which they meet; pure.

Two operators have an MPIJob. That of the training operator (v1) starts processes by kubectl's exec,
that of the MPI operator (v2beta1) by ssh. Here both start them by the program in `mpi_agent`; what
their launchers see is what each operator gives, and the variables that make mpirun use it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from ...resources import MPI_JOB_V2, Json
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

LAUNCHER, WORKER = "Launcher", "Worker"
PREFIX = "training.kubeflow.org"
OWN_ANNOTATIONS = "fairlead.dev/"

_VOLUME = "mpi-job-config"
_RSH_ARGS = "-o ConnectionAttempts=10"
_NO_GPUS = {"NVIDIA_VISIBLE_DEVICES": "", "NVIDIA_DRIVER_CAPABILITIES": ""}


def is_second(job: Json) -> bool:
    """Tell whether a job is one of the MPI operator's."""
    return bool(job["apiVersion"] == MPI_JOB_V2.api_version)


def replica_spec(job: Json, type: str) -> Json:
    """Return the spec of a replica type, whatever the case of its key; empty without one."""
    for key, spec in job["spec"]["mpiReplicaSpecs"].items():
        if key.lower() == type.lower():
            return spec or {}
    return {}


def worker_count(job: Json) -> int:
    """Return how many workers a job asks for."""
    spec = replica_spec(job, WORKER)
    return int(spec.get("replicas", 1 if is_second(job) else 0)) if spec else 0


def slots(job: Json) -> int:
    """Return how many processes run on each worker."""
    return int(job["spec"].get("slotsPerWorker") or 1)


def labels(job: Json, type: str, index: int | None = None) -> dict[str, str]:
    """Return the labels of a replica, as its operator gives them."""
    role = type.lower()
    found = {
        f"{PREFIX}/job-name": job["metadata"]["name"],
        f"{PREFIX}/job-role": role,
        f"{PREFIX}/operator-name": "mpi-operator" if is_second(job) else "mpijob-controller",
        f"{PREFIX}/replica-type": role,
    }
    if index is not None:
        found[f"{PREFIX}/replica-index"] = str(index)
    return found


def build_worker(job: Json, index: int) -> Json:
    """Return the pod of a worker."""
    pod = _pod(job, WORKER, f"{job['metadata']['name']}-worker-{index}", index)
    container = pod["spec"]["containers"][0]
    if not container.get("args"):
        stand_in(container)
    if is_second(job):
        container.setdefault("env", []).extend(variables({"K_MPI_JOB_ROLE": "worker"}))
    _mount(job, pod["spec"])
    return pod


def build_launcher(job: Json) -> Json:
    """Return the launcher: a pod of v1, a Job of v2beta1."""
    name = f"{job['metadata']['name']}-launcher"
    pod = _pod(job, LAUNCHER, name, None if is_second(job) else 0)
    container = pod["spec"]["containers"][0]
    main = job["spec"].get("mainContainer")
    if main and not is_second(job):
        container = next((c for c in pod["spec"]["containers"] if c["name"] == main), container)
    env = container.setdefault("env", [])
    if is_second(job):
        implementation = job["spec"]["mpiImplementation"]
        env += variables(second_environment(job))
        add_missing(container, agent_environment(implementation))
    else:
        add_missing(container, first_environment())
        add_missing(container, agent_environment("OpenMPI"))
        if not _has_gpus(container):
            env += variables(_NO_GPUS)
    _mount(job, pod["spec"])
    if not is_second(job):
        return pod
    policy = job["spec"].get("runPolicy") or {}
    limits = ("ttlSecondsAfterFinished", "activeDeadlineSeconds", "backoffLimit")
    template = {
        "metadata": {key: pod["metadata"][key] for key in ("labels", "annotations")},
        "spec": pod["spec"],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(job, name),
        "spec": {
            "template": template,
            "suspend": bool(policy.get("suspend")),
            **{key: policy[key] for key in limits if policy.get(key) is not None},
        },
    }


def first_environment() -> dict[str, str]:
    """Return what the training operator gives a launcher, unless the manifest sets it."""
    agent = f"{FOLDER}/kubexec.sh"
    return {
        "OMPI_MCA_plm_rsh_agent": agent,
        "OMPI_MCA_orte_default_hostfile": HOSTFILE,
        "I_MPI_HYDRA_BOOTSTRAP": "rsh",
        "I_MPI_HYDRA_BOOTSTRAP_EXEC": agent,
    }


def second_environment(job: Json) -> dict[str, str]:
    """Return what the MPI operator gives a launcher."""
    count = str(slots(job))
    by_implementation = {
        "OpenMPI": {
            "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
            "OMPI_MCA_orte_default_hostfile": HOSTFILE,
            "OMPI_MCA_plm_rsh_args": _RSH_ARGS,
            "OMPI_MCA_orte_set_default_slots": count,
        },
        "Intel": {
            "I_MPI_HYDRA_HOST_FILE": HOSTFILE,
            "I_MPI_HYDRA_BOOTSTRAP_EXEC_EXTRA_ARGS": _RSH_ARGS,
            "I_MPI_PERHOST": count,
        },
        "MPICH": {
            "HYDRA_HOST_FILE": HOSTFILE,
            "HYDRA_LAUNCH_EXTRA_ARGS": _RSH_ARGS,
        },
    }
    found = {"K_MPI_JOB_ROLE": "launcher", **by_implementation[job["spec"]["mpiImplementation"]]}
    return found if job["spec"].get("runLauncherAsWorker") else {**found, **_NO_GPUS}


def build_config(job: Json, running: Iterable[str]) -> Json:
    """Return the ConfigMap of a job.

    Parameters
    ----------
    job : dict
        The MPIJob.
    running : iterable of str
        Names of the workers that run: Horovod asks `discover_hosts.sh` for them.
    """
    count = slots(job)
    hosts = [_host(job, f"{job['metadata']['name']}-worker-{n}") for n in range(worker_count(job))]
    implementation = "OpenMPI"
    discovered = [_host(job, name) for name in sorted(running)]
    if is_second(job):
        implementation = job["spec"]["mpiImplementation"]
        with_launcher = bool(job["spec"].get("runLauncherAsWorker"))
    else:
        containers = replica_spec(job, LAUNCHER)["template"]["spec"]["containers"]
        with_launcher = any(_has_gpus(each) for each in containers)
        discovered = [f"{name}:{count}" for name in discovered]
    if with_launcher:
        hosts.insert(0, _host(job, f"{job['metadata']['name']}-launcher"))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(job, config_name(job)),
        "data": {
            "hostfile": hostfile(hosts, count, implementation),
            "discover_hosts.sh": "".join(
                ["#!/bin/sh\n", *(f"echo {each}\n" for each in discovered)]
            ),
            "kubexec.sh": agent_script(),
        },
    }


def build_service(job: Json) -> Json:
    """Return the headless service in which a job's pods have their names."""
    selector = {f"{PREFIX}/job-name": job["metadata"]["name"]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(job, job["metadata"]["name"]),
        "spec": {"clusterIP": "None", "selector": selector, "publishNotReadyAddresses": True},
    }


def config_name(job: Json) -> str:
    """Return the name of a job's ConfigMap."""
    return f"{job['metadata']['name']}-config"


def _host(job: Json, name: str) -> str:
    metadata = job["metadata"]
    return f"{name}.{metadata['name']}.{metadata['namespace']}.svc" if is_second(job) else name


def _metadata(job: Json, name: str) -> Json:
    return {
        "name": name,
        "namespace": job["metadata"]["namespace"],
        "labels": {"app": job["metadata"]["name"]},
        "ownerReferences": [owner_reference(job)],
    }


def _pod(job: Json, type: str, name: str, index: int | None) -> Json:
    spec = replica_spec(job, type)
    template = copy.deepcopy(spec["template"])
    given = template.get("metadata") or {}
    own = job["metadata"].get("annotations") or {}
    annotations = {key: own[key] for key in own if key.startswith(OWN_ANNOTATIONS)}
    metadata = _metadata(job, name)
    metadata["labels"] = {**(given.get("labels") or {}), **labels(job, type, index)}
    metadata["annotations"] = {**annotations, **(given.get("annotations") or {})}
    pod: Json = template["spec"]
    pod["hostname"] = name
    pod["subdomain"] = job["metadata"]["name"]
    default = "OnFailure" if is_second(job) and type == LAUNCHER else "Never"
    policy = spec.get("restartPolicy") or default
    pod["restartPolicy"] = "Never" if policy == "ExitCode" else policy
    _gather(job, metadata, pod)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}


def _gather(job: Json, metadata: Json, pod: Json) -> None:
    """Let all replicas start together, or none, as the job's `schedulingPolicy` asks for."""
    policy = (job["spec"].get("runPolicy") or {}).get("schedulingPolicy")
    if not policy:
        return
    # A launcher that waits for ready workers cannot start together with them.
    later = job["spec"].get("launcherCreationPolicy") == "WaitForWorkersReady"
    least = policy.get("minAvailable") or worker_count(job) + (not later)
    metadata["labels"]["scheduling.x-k8s.io/pod-group"] = job["metadata"]["name"]
    metadata["annotations"]["pod-group.scheduling.sigs.k8s.io/min-available"] = str(least)
    if policy.get("priorityClass"):
        pod.setdefault("priorityClassName", policy["priorityClass"])


def _mount(job: Json, pod: Json) -> None:
    source = {"name": config_name(job), "defaultMode": 0o555}
    pod.setdefault("volumes", []).append({"name": _VOLUME, "configMap": source})
    for container in pod["containers"]:
        container.setdefault("volumeMounts", []).append({"name": _VOLUME, "mountPath": FOLDER})


def _has_gpus(container: Json) -> bool:
    limits = (container.get("resources") or {}).get("limits") or {}
    return any("gpu" in name.lower() for name in limits)
