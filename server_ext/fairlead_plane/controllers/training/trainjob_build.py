"""From a TrainJob and its runtime to a JobSet; pure functions."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from ...resources import TRAIN_JOB, Json
from ...resources.patch import strategic_merge_patch
from ...resources.schemas import Schema
from ..pods import owner_reference
from .mpi_files import add_missing
from .ports import PORT_ANNOTATION
from .torchtune import ENTRYPOINT, torchtune_command
from .trainjob_mpi import LAUNCHER, NODE, build_hostfile, plan_mpi
from .trainjob_policies import POLICIES, Topology

ANCESTOR = "trainer.kubeflow.org/trainjob-ancestor-step"
OWN_ANNOTATIONS = "fairlead.dev/"
"""Annotations of a TrainJob that its pods get, too: which Python runs them, and in which folder."""

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_INITIALIZERS = {"dataset-initializer": "dataset", "model-initializer": "model"}
_JOB_TEMPLATE = Schema({"$ref": "io.k8s.api.batch.v1.JobTemplateSpec"})


def build_objects(train_job: Json, runtime: Json, host: str, port: int) -> tuple[Json, list[Json]]:
    """Return the JobSet that a TrainJob asks for, and what its pods mount.

    Parameters
    ----------
    train_job : dict
        The TrainJob.
    runtime : dict
        The TrainingRuntime or ClusterTrainingRuntime that it names.
    host, port : str and int
        Where its first node listens for the others.
    """
    template = patched_template(train_job, runtime)
    spec: Json = template.get("spec") or {}
    policy: Json = runtime["spec"].get("mlPolicy") or {}
    annotations = own_annotations(train_job)
    for replicated in spec.get("replicatedJobs") or ():
        job = replicated["template"]
        ancestor = ancestor_of(replicated)
        if ancestor:
            replicated["replicas"] = 1
        pods = job["spec"]["template"]
        inner = pods.setdefault("metadata", {})
        inner["annotations"] = {**(inner.get("annotations") or {}), **annotations}
        if ancestor in _INITIALIZERS:
            _initialize(train_job, pods["spec"], ancestor)
        elif ancestor == "trainer":
            _train(train_job, policy, job["spec"], host, port)
    mounted = []
    if policy.get("mpi") is not None:
        plan_mpi(train_job, policy, spec["replicatedJobs"])
        mounted.append(build_hostfile(train_job, policy, spec["replicatedJobs"]))
    if runtime["spec"].get("podGroupPolicy"):
        _gather(train_job["metadata"]["name"], spec.get("replicatedJobs") or [])
    spec["suspend"] = bool(train_job["spec"].get("suspend"))
    given = template.get("metadata") or {}
    metadata: Json = {
        "name": train_job["metadata"]["name"],
        "namespace": train_job["metadata"]["namespace"],
        "ownerReferences": [owner_reference(train_job)],
    }
    for field in ("labels", "annotations"):
        if given.get(field):
            metadata[field] = given[field]
    metadata["annotations"] = {**metadata.get("annotations", {}), PORT_ANNOTATION: str(port)}
    jobset = {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": metadata,
        "spec": spec,
    }
    return jobset, mounted


def patched_template(train_job: Json, runtime: Json) -> Json:
    """Return the template of a runtime with the `runtimePatches` of a TrainJob in it."""
    template: Json = copy.deepcopy(runtime["spec"]["template"])
    jobs = (template.get("spec") or {}).get("replicatedJobs") or []
    for patch in train_job["spec"].get("runtimePatches") or ():
        change = (patch.get("trainingRuntimeSpec") or {}).get("template") or {}
        for field in ("labels", "annotations"):
            more = (change.get("metadata") or {}).get(field)
            if more:
                metadata = template.setdefault("metadata", {})
                metadata[field] = {**(metadata.get(field) or {}), **more}
        for wanted in (change.get("spec") or {}).get("replicatedJobs") or ():
            for job in jobs:
                if job["name"] == wanted["name"] and wanted.get("template"):
                    job["template"] = strategic_merge_patch(
                        job["template"], wanted["template"], _JOB_TEMPLATE
                    )
    return template


def ancestor_of(replicated: Json) -> str:
    """Return which step of a TrainJob an entry of `replicatedJobs` is; empty for none."""
    metadata = replicated["template"].get("metadata") or {}
    step: str = (metadata.get("labels") or {}).get(ANCESTOR, "")
    return step


def upsert(entries: list[Json], new: Iterable[Json], *keys: str) -> None:
    """Put items into a list, in place of those with the same keys."""
    for item in new:
        known = next(
            (n for n, each in enumerate(entries) if all(each.get(k) == item.get(k) for k in keys)),
            None,
        )
        if known is None:
            entries.append(item)
        else:
            entries[known] = item


def own_annotations(job: Json) -> dict[str, str]:
    """Return the annotations of a job that its pods get, too."""
    given = job["metadata"].get("annotations") or {}
    return {name: value for name, value in given.items() if name.startswith(OWN_ANNOTATIONS)}


def _initialize(train_job: Json, pod: Json, step: str) -> None:
    wanted = (train_job["spec"].get("initializer") or {}).get(_INITIALIZERS[step])
    if not wanted:
        return
    for container in pod["containers"]:
        if container["name"] != step:
            continue
        env = container.setdefault("env", [])
        if wanted.get("storageUri") is not None:
            upsert(env, [{"name": "STORAGE_URI", "value": wanted["storageUri"]}], "name")
        upsert(env, copy.deepcopy(wanted.get("env") or []), "name")
        if wanted.get("secretRef"):
            container.setdefault("envFrom", []).append({"secretRef": wanted["secretRef"]})


def _train(train_job: Json, policy: Json, job: Json, host: str, port: int) -> None:
    """Give the nodes what the TrainJob's `trainer` says, and the policy's variables."""
    trainer: Json = train_job["spec"].get("trainer") or {}
    mpi = policy.get("mpi")
    nodes = 1 if mpi is not None else trainer.get("numNodes") or policy.get("numNodes") or 1
    job["parallelism"] = job["completions"] = nodes
    for container in job["template"]["spec"]["containers"]:
        if container["name"] == LAUNCHER and not (mpi or {}).get("runLauncherAsNode"):
            continue
        if container["name"] not in (NODE, LAUNCHER):
            continue
        before: list[str] = container.get("command") or []
        apply_trainer(container, trainer)
        if "trainer" not in train_job["spec"]:
            continue  # as on a cluster: without one, a runtime runs as it stands
        topology = Topology(
            host, port, nodes, trainer.get("numProcPerNode"), container.get("resources") or {}
        )
        _give_topology(train_job, policy, job, container, topology, before)
        add_missing(container, _reporting(train_job))


def _give_topology(
    train_job: Json, policy: Json, job: Json, container: Json, topology: Topology, before: list[str]
) -> None:
    """Give a node what the policy says; `before` is the command of the runtime."""
    trainer = train_job["spec"]["trainer"]
    env = container.setdefault("env", [])
    for name, found in POLICIES.items():
        if policy.get(name) is None:
            continue
        mine, also = found.environment(topology), found.also(topology)
        if name == "torch":
            _inject(policy["torch"], job, mine)
            if trainer.get("command") == ENTRYPOINT:
                runtime, args = train_job["spec"]["runtimeRef"]["name"], trainer.get("args") or ()
                container["command"] = torchtune_command(runtime, before, args, topology)
                # It is told its rendezvous by an argument, and torchrun is in it.
                mine, also = [each for each in mine if "MASTER" not in each["name"]], []
        upsert(env, mine, "name")
        known = {each["name"] for each in env}
        env += [each for each in also if each["name"] not in known]
        port = {"containerPort": topology.port}
        upsert(container.setdefault("ports", []), [port], "containerPort")


def _reporting(train_job: Json) -> dict[str, str]:
    """Return where a node reports its progress: the API, as the pod's own account."""
    metadata = train_job["metadata"]
    place = f"namespaces/{metadata['namespace']}/trainjobs/{metadata['name']}/status"
    server = "https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)"
    return {
        "KUBEFLOW_TRAINER_SERVER_URL": f"{server}/apis/{TRAIN_JOB.api_version}/{place}",
        "KUBEFLOW_TRAINER_SERVER_CA_CERT": f"{_ACCOUNT}/ca.crt",
        "KUBEFLOW_TRAINER_SERVER_TOKEN": f"{_ACCOUNT}/token",
    }


def apply_trainer(container: Json, trainer: Json) -> None:
    """Give a container what `trainer` says of it, in place."""
    for field in ("image", "command", "args"):
        if trainer.get(field) is not None:
            container[field] = copy.deepcopy(trainer[field])
    wanted: dict[str, Any] = trainer.get("resourcesPerNode") or {}
    if wanted.get("limits") or wanted.get("requests"):
        container["resources"] = copy.deepcopy(wanted)
    upsert(container.setdefault("env", []), copy.deepcopy(trainer.get("env") or []), "name")


def _gather(name: str, jobs: list[Json]) -> None:
    """Let all nodes start together, or none; what initializes runs before, and alone."""
    specs = [
        job["template"]["spec"]
        for job in jobs
        if ancestor_of(job) == "trainer" or job["name"] in (NODE, LAUNCHER)
    ]
    least = sum(spec.get("parallelism", 1) for spec in specs)
    for spec in specs:
        metadata = spec["template"].setdefault("metadata", {})
        metadata["labels"] = {
            **(metadata.get("labels") or {}),
            "scheduling.x-k8s.io/pod-group": name,
        }
        metadata["annotations"] = {
            **(metadata.get("annotations") or {}),
            "pod-group.scheduling.sigs.k8s.io/min-available": str(least),
        }


def _inject(torch: Json, job: Json, env: list[Json]) -> None:
    """Give the variables to the other containers that the policy names."""
    for target in (torch.get("envInjection") or {}).get("targets") or ():
        for field in ("initContainers", "containers"):
            for container in job["template"]["spec"].get(field) or ():
                if target["jobName"] == NODE and container["name"] in target["containerNames"]:
                    upsert(container.setdefault("env", []), copy.deepcopy(env), "name")
