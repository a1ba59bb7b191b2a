"""Admission of TrainJobs: what the trainer's webhook refuses, in its words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .causes import forbidden_field, wrong
from .errors import ApiError, Cause
from .kinds import CLUSTER_TRAINING_RUNTIME, JOB_SET, TRAINING_RUNTIME, Json, Kind

if TYPE_CHECKING:
    from .transaction import Transaction

_WEBHOOK = 'admission webhook "validator.trainjob.trainer.kubeflow.org" denied the request'
_RUNTIMES = {(kind.group, kind.kind): kind for kind in (CLUSTER_TRAINING_RUNTIME, TRAINING_RUNTIME)}
_STEPS = {"dataset": "dataset-initializer", "model": "model-initializer"}
_RESERVED = {
    "torch": (
        "PET_MASTER_ADDR", "PET_MASTER_PORT", "PET_NNODES", "PET_NODE_RANK", "PET_NPROC_PER_NODE",
    ),
    "xgboost": (
        "DMLC_NUM_WORKER", "DMLC_TASK_ID", "DMLC_TRACKER_PORT", "DMLC_TRACKER_URI",
    ),
}  # fmt: skip

TORCHTUNE_FIXED = (
    "checkpointer.checkpoint_dir", "output_dir", "tokenizer.merges_file", "tokenizer.path",
)  # fmt: skip
"""What a runtime for torchtune says, and a TrainJob may not say otherwise."""
_TUNED = ("llama3_2/1B", "llama3_2/3B", "llama3_3/70B", "qwen2_5/1.5B")


def torchtune_model(runtime: str) -> str:
    """Return the model that the name of a runtime for torchtune stands for; empty for none."""
    words = runtime.split("-")
    return f"{words[1].replace('.', '_')}/{words[2].upper()}" if len(words) == 3 else ""


def runtime_kind(reference: Json) -> Kind | None:
    """Return the kind of runtime that a `runtimeRef` means; None for an unknown one."""
    return _RUNTIMES.get((reference["apiGroup"], reference["kind"]))


def admit_train_job(transaction: Transaction, train_job: Json, existing: Json | None) -> None:
    """Refuse a TrainJob that does not fit its runtime.

    Parameters
    ----------
    transaction : Transaction
        Has the runtimes.
    train_job : dict
        Checked by its schema, defaults in place.
    existing : dict or None
        The stored object that it replaces.

    Raises
    ------
    ApiError
        403 with the webhook's words: every field that is wrong.
    """
    if "deletionTimestamp" in train_job["metadata"]:
        return
    spec, before = train_job["spec"], (existing or {}).get("spec")
    if spec == before:
        return
    reference = spec["runtimeRef"]
    kind = runtime_kind(reference)
    if kind is None:
        raise _denied([f"unsupported runtime: {reference['kind']}.{reference['apiGroup']}"])
    place = train_job["metadata"]["namespace"] if kind.namespaced else None
    runtime = transaction.find(kind, reference["name"], place)
    if runtime is None:
        word = kind.kind[0].lower() + kind.kind[1:]
        text = (
            f'{kind.kind}.{kind.group} "{reference["name"]}" not found: '
            f"specified {word} must be created before the TrainJob is created"
        )
        causes = [wrong("spec.runtimeRef", reference, text)]
    else:
        causes = [*_environment(spec, runtime), *_steps(spec, runtime), *_patches(spec, runtime)]
    if before is not None:
        causes += _changes(transaction, train_job, before)
    if causes:
        raise _denied([f"{cause.field}: {cause.message}" for cause in causes])


def _denied(texts: list[str]) -> ApiError:
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return ApiError(403, "Forbidden", f"{_WEBHOOK}: {text}")


def _environment(spec: Json, runtime: Json) -> Iterator[Cause]:
    policy = runtime["spec"].get("mlPolicy") or {}
    trainer = spec.get("trainer") or {}
    env = trainer.get("env") or []
    names = [each["name"] for each in env]
    if policy.get("torch") is not None:
        if trainer.get("command") == ["tune", "run"]:
            yield from _torchtune(spec, trainer)
        found = sorted(set(names) & set(_RESERVED["torch"]))
        if found:
            text = f"must not have reserved envs, invalid envs configured: [{' '.join(found)}]"
            yield wrong("spec.trainer.env", env, text)
    if policy.get("xgboost") is not None:
        for index, name in enumerate(names):
            if name in _RESERVED["xgboost"]:
                text = f"{name} is reserved for the XGBoost runtime"
                yield forbidden_field(f"spec.trainer.env[{index}]", text)
    mpi = policy.get("mpi")
    if mpi is not None and mpi.get("runLauncherAsNode") and trainer.get("numNodes", 1) >= 2:
        if not {"launcher", "node"} <= set(_containers(runtime)):
            text = (
                "must have 1 when MPI trainingRuntime with enabled runLauncherAsNode does not "
                "have either launcher and node"
            )
            yield wrong("spec.trainer.numNodes", trainer["numNodes"], text)


def _torchtune(spec: Json, trainer: Json) -> Iterator[Cause]:
    name, nodes, args = spec["runtimeRef"]["name"], trainer.get("numNodes", 1), trainer.get("args")
    model = torchtune_model(name)
    if model not in _TUNED:
        text = f"must have a supported pretrained model, invalid model configured: {model}"
        yield wrong("spec.runtimeRef.name", name, text)
    if nodes > 1 and model != "llama3_3/70B":
        yield wrong("spec.trainer.numNodes", nodes, f"must be 1 for {model} model")
    if nodes > 1 and any("lora_attn_modules" in each for each in args or ()):
        text = "LoRA fine-tuning is not supported for multi-node training in TorchTune"
        yield wrong("spec.trainer.numNodes", nodes, text)
    for index, each in enumerate(args or ()):
        key = each.partition("=")[0]
        if key in TORCHTUNE_FIXED:
            text = (
                f'must not set immutable config "{key}" in trainer args; it is managed by the '
                "runtime"
            )
            yield wrong(f"spec.trainer.args[{index}]", each, text)


def _steps(spec: Json, runtime: Json) -> Iterator[Cause]:
    known = _containers(runtime)
    for field, step in _STEPS.items():
        if not (spec.get("initializer") or {}).get(field):
            continue
        if step not in known:
            text = f"must have {step} job when trainJob is configured with input {field}Config"
            yield wrong("spec.runtimeRef", spec["runtimeRef"], text)
        elif step not in known[step]:
            text = f"must have container with name - {step} in the {step} job"
            yield wrong("spec.runtimeRef", spec["runtimeRef"], text)


def _patches(spec: Json, runtime: Json) -> Iterator[Cause]:
    known, at, patches = _containers(runtime), "spec.runtimePatches", spec.get("runtimePatches")
    for patch in patches or ():
        template = (patch.get("trainingRuntimeSpec") or {}).get("template") or {}
        for job in (template.get("spec") or {}).get("replicatedJobs") or ():
            if job["name"] not in known:
                text = "must not have replicated job that doesn't exist in the runtime job template"
                yield wrong(at, patches, text)
                continue
            inner = ((job.get("template") or {}).get("spec") or {}).get("template") or {}
            pod = inner.get("spec") or {}
            for field, word in (("initContainers", "initContainer"), ("containers", "container")):
                for container in pod.get(field) or ():
                    name = container["name"]
                    if name not in known[job["name"]]:
                        text = (
                            f"must not have {word} that doesn't exist in the runtime job "
                            f"{job['name']}"
                        )
                        yield wrong(at, patches, text)
                    elif container.get("env") and name in (*_STEPS.values(), "node"):
                        own = ", ".join((*_STEPS.values(), "node"))
                        yield wrong(at, patches, f"must not have envs for the {own} containers")


def _changes(transaction: Transaction, train_job: Json, before: Json) -> Iterator[Cause]:
    """Yield what may not change now: patches, while nodes run."""
    spec, at = train_job["spec"], "spec.runtimePatches"
    if spec.get("runtimePatches") == before.get("runtimePatches"):
        return
    if not spec.get("suspend") and not before.get("suspend"):
        yield forbidden_field(
            at, "RuntimePatches can only be modified when the TrainJob is suspended"
        )
        return
    metadata = train_job["metadata"]
    jobset = transaction.find(JOB_SET, metadata["name"], metadata["namespace"]) or {}
    for each in (jobset.get("status") or {}).get("replicatedJobsStatus") or ():
        if each.get("active"):
            text = (
                "RuntimePatches cannot be modified when the JobSet's ReplicatedJob "
                f"{each['name']} is still active"
            )
            yield forbidden_field(at, text)


def _containers(runtime: Json) -> dict[str, set[str]]:
    """Return the names of the containers of each entry of a runtime's `replicatedJobs`."""
    template = (runtime["spec"].get("template") or {}).get("spec") or {}
    found = {}
    for job in template.get("replicatedJobs") or ():
        pod = job["template"]["spec"]["template"]["spec"]
        found[job["name"]] = {
            container["name"]
            for field in ("initContainers", "containers")
            for container in pod.get(field) or ()
        }
    return found
