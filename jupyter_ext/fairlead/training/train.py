"""`fairlead.train`: a function, a script, a command or a cell becomes a training job."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairlead.environment import Pins
from fairlead.errors import CapabilityError, FairleadError, NotFoundError, SpecError
from fairlead.kinds.frameworks import TrainingKind, find_kind
from fairlead.kinds.training import KUEUE_QUEUE, RUNTIMES, PodParts, RunPolicy, training_job
from fairlead.kube import KubeClient
from fairlead.kube.types import CONFIG_MAPS
from fairlead.names import (
    INTERPRETER_ANNOTATION,
    PACKAGES_ANNOTATION,
    WORKING_DIR_ANNOTATION,
    dns_label,
)
from fairlead.pipelines.imports import imported_names
from fairlead.pipelines.modules import local_modules
from fairlead.training import report
from fairlead.training.closure import Closure, Source, literal
from fairlead.training.job import TrainingJob
from fairlead.training.transport import RUN, config_map, escaped, pack, variables
from fairlead.training.workspace import read_workspace

Json = dict[str, Any]
What = Callable[..., Any] | str | os.PathLike[str] | Sequence[str]

_MAIN = "main.py"
_NAME_MOST = 40
"""Characters of a job's name: a pod's is longer, and becomes a host's."""


def train(
    what: What,
    arguments: Mapping[str, Any] | Sequence[str] | None = None,
    *,
    kind: str = "PyTorchJob",
    workers: int = 1,
    gpus: int = 0,
    cpu: str = "",
    memory: str = "",
    processes: int | None = None,
    servers: int = 0,
    elastic: tuple[int, int] | None = None,
    name: str = "",
    image: str = "",
    packages: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    workspace: str | os.PathLike[str] | None = None,
    volumes: Mapping[str, str] | None = None,
    policy: RunPolicy | None = None,
    restart_policy: str = "",
    runtime: str = "",
    context: str | None = None,
) -> TrainingJob:
    """Start a training job; returns at once.

    Parameters
    ----------
    what : callable, path or sequence of str
        A function of this notebook, which takes along what it needs; a script (`.py`) with the
        modules beside it that it imports; or a command, as it is.
    arguments : mapping or sequence of str, optional
        Of a function: by name, plain data. Of a script: its arguments.
    kind, workers, processes, servers, elastic, policy, restart_policy, runtime
        See `fairlead.kinds.training.training_job`.
    gpus, cpu, memory
        Of each replica.
    name : str, optional
        Of the job; default: that of the function or script, with a number of its own.
    image : str, optional
        For a cluster; default: one of the kind, in which the packages of the imports are
        installed in the versions that are here.
    packages : sequence of str, optional
        Requirements beside what this Python, or the image, has.
    env : mapping, optional
        Variables.
    workspace : path, optional
        A folder whose files go along, but those that its `.fairleadignore` names; the code starts
        in a copy of it.
    volumes : mapping, optional
        Name of a PersistentVolumeClaim -> path in the pods.
    context : str, optional
        A context, as `fairlead contexts` lists them; default: the one in use.

    Raises
    ------
    SpecError
        Something is missing or not possible; nothing has been started.
    CapabilityError
        The cluster does not have this kind.
    """
    found = find_kind(kind)
    contents, words, title = _read(what, arguments, found, processes, runtime)
    return submit(
        found,
        contents,
        words,
        title=title,
        context=context,
        workers=workers,
        gpus=gpus,
        cpu=cpu,
        memory=memory,
        processes=processes,
        servers=servers,
        elastic=elastic,
        name=name,
        image=image,
        packages=packages,
        env=env,
        workspace=workspace,
        volumes=volumes,
        policy=policy,
        restart_policy=restart_policy,
        runtime=runtime,
    )


def train_code(source: Source, **options: Any) -> TrainingJob:
    """Start a training job of the code of a cell; options as `train` has them."""
    found = find_kind(options.pop("kind", "") or "PyTorchJob")
    earlier, values = _session()
    code = Closure(earlier, values).code(source)
    words = _words(found, options.get("processes"), options.get("runtime", ""), [])
    contents = _with_modules({_MAIN: code.encode()}, Path.cwd())
    return submit(found, contents, words, title="train", **options)


def submit(
    found: TrainingKind,
    contents: dict[str, bytes],
    words: list[str],
    *,
    title: str,
    context: str | None = None,
    workers: int = 1,
    gpus: int = 0,
    cpu: str = "",
    memory: str = "",
    processes: int | None = None,
    servers: int = 0,
    elastic: tuple[int, int] | None = None,
    name: str = "",
    image: str = "",
    packages: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    workspace: str | os.PathLike[str] | None = None,
    volumes: Mapping[str, str] | None = None,
    policy: RunPolicy | None = None,
    restart_policy: str = "",
    runtime: str = "",
) -> TrainingJob:
    """Start a job of files and a command; options as `train` has them."""
    if not name:
        name = f"{dns_label(title, max_length=_NAME_MOST - 6)}-{os.urandom(2).hex()}"
    elif dns_label(name, max_length=_NAME_MOST) != name:
        raise SpecError(
            f"name: '{name}' is no name for a job: lower case letters, digits and `-`, "
            f"{_NAME_MOST} at most.",
            hint=dns_label(name, max_length=_NAME_MOST),
        )
    declared = [{"name": key, "value": escaped(str(value))} for key, value in (env or {}).items()]
    wanted = list(packages)
    if not image and contents:
        wanted += [each for each in _pins(contents) if each not in wanted]
    image = image or found.image or f"python:{sys.version_info[0]}.{sys.version_info[1]}"
    if workspace is not None:
        contents = {**read_workspace(Path(workspace)), **contents}
        declared.append({"name": "FAIRLEAD_WORKSPACE", "value": "true"})
    config, pieces = f"{name}-code", pack(contents) if contents else []
    if pieces:
        if wanted:
            declared.append({"name": "FAIRLEAD_PACKAGES", "value": "\n".join(wanted)})
        declared += variables(config, pieces)
        words = ["python", "-c", RUN, *words]
        if found.kind == "MPIJob":
            # The variables go to the ranks with what starts them.
            names = [part for each in declared for part in ("-x", each["name"])]
            words = ["mpirun", "-np", str(workers * (processes or 1)), *names, *words]
    resources = {"nvidia.com/gpu": gpus or None, "cpu": cpu or None, "memory": memory or None}
    limits = {key: value for key, value in resources.items() if value}
    container: Json = {"image": image, "command": words, "env": declared}
    if limits:
        container["resources"] = {"limits": limits, "requests": limits}
    spec: Json = {}
    if volumes:
        claims = [(f"claim-{number}", *pair) for number, pair in enumerate(volumes.items())]
        spec["volumes"] = [
            {"name": volume, "persistentVolumeClaim": {"claimName": claim}}
            for volume, claim, _ in claims
        ]
        container["volumeMounts"] = [
            {"name": volume, "mountPath": path} for volume, _, path in claims
        ]
    annotations = {
        INTERPRETER_ANNOTATION: sys.executable,
        WORKING_DIR_ANNOTATION: os.getcwd(),
    }
    if packages:
        annotations[PACKAGES_ANNOTATION] = "\n".join(packages)
    kube = KubeClient(context)
    version = _served(kube, found)
    policy = policy or RunPolicy()
    labels = {}
    local_queue = kube.capabilities().find("kueue.x-k8s.io", "LocalQueue")
    if policy.queue and local_queue is not None:
        # With Kueue there, a queue is one of its; for one that it lacks a job would wait for ever.
        kube.get(local_queue, policy.queue, kube.context.namespace)
        labels[KUEUE_QUEUE], policy = policy.queue, replace(policy, queue="")
    manifest = training_job(
        found.kind,
        name,
        PodParts(container, spec, annotations=annotations),
        workers=workers,
        servers=servers,
        elastic=elastic,
        processes=processes,
        restart_policy=restart_policy,
        policy=policy,
        runtime=runtime,
        api_version=version if found.kind == "MPIJob" else "",
        labels=labels,
    )
    return _create(kube, manifest, config_map(config, pieces) if pieces else None)


def _create(kube: KubeClient, manifest: Json, code: Json | None) -> TrainingJob:
    """Create the code and the job that owns it; where the job is refused, nothing is left."""
    namespace = kube.context.namespace
    kind = kube.resource_type(manifest["apiVersion"], manifest["kind"])
    if code is not None:
        kube.create(code, namespace)
    try:
        item = kube.create(manifest, namespace)
    except FairleadError:
        if code is not None:
            kube.delete(CONFIG_MAPS, code["metadata"]["name"], namespace)
        raise
    if code is not None:
        owner = {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "name": item["metadata"]["name"],
            "uid": item["metadata"]["uid"],
        }
        patch = {"metadata": {"ownerReferences": [owner]}}
        kube.patch(CONFIG_MAPS, code["metadata"]["name"], patch, namespace)
    return TrainingJob(kube, kind, item)


def _served(kube: KubeClient, found: TrainingKind) -> str:
    served = kube.capabilities().find(found.group, found.kind)
    if served is None:
        others = [
            one.kind
            for one in kube.capabilities().types
            if one.group == found.group and one.kind.endswith("Job")
        ]
        raise CapabilityError(
            kube.capabilities().missing(found.group, found.kind),
            hint=f"It has {', '.join(sorted(set(others)))}." if others else "",
        )
    return served.api_version


def _read(
    what: What,
    arguments: Mapping[str, Any] | Sequence[str] | None,
    kind: TrainingKind,
    processes: int | None,
    runtime: str,
) -> tuple[dict[str, bytes], list[str], str]:
    """Return the files that go along, the command, and what the job is called after."""
    if callable(what):
        code, title = _function(what, arguments)
        contents = _with_modules({_MAIN: code.encode()}, Path.cwd())
        return contents, _words(kind, processes, runtime, []), title
    if isinstance(arguments, Mapping):
        raise SpecError(
            "arguments: a mapping is for a function.", hint="A script takes a list of strings."
        )
    rest = [escaped(str(each)) for each in arguments or ()]
    if isinstance(what, str | os.PathLike):
        path = Path(what)
        if path.suffix != ".py":
            raise SpecError(
                f"'{path}' is no Python script.", hint='A command is a list: ["bash", "train.sh"].'
            )
        if not path.is_file():
            raise NotFoundError(f"There is no script {path}.")
        contents = _with_modules({_MAIN: path.read_bytes()}, path.absolute().parent)
        return contents, _words(kind, processes, runtime, rest), path.stem
    return {}, [*what, *rest], Path(what[0]).name


def _words(kind: TrainingKind, processes: int | None, runtime: str, rest: list[str]) -> list[str]:
    torch = kind.kind == "PyTorchJob" or (
        kind.kind == "TrainJob" and (runtime or RUNTIMES["pytorch"]) == RUNTIMES["pytorch"]
    )
    program = "torchrun" if torch and processes not in (None, 1) else "python"
    return [program, f"@/{_MAIN}", *rest]


def _function(
    what: Callable[..., Any], arguments: Mapping[str, Any] | Sequence[str] | None
) -> tuple[str, str]:
    name = getattr(what, "__name__", "")
    if not inspect.isfunction(what) or name == "<lambda>":
        raise SpecError(
            f"What is to be trained is a {type(what).__name__}, not a function.",
            hint="Write it as `def train(...):`.",
        )
    if arguments is not None and not isinstance(arguments, Mapping):
        raise SpecError("arguments: a function takes a mapping of names to values.")
    given = []
    for key, value in (arguments or {}).items():
        text = literal(value)
        if text is None:
            raise SpecError(
                f"arguments['{key}']: a {type(value).__name__} cannot be written into the code.",
                hint="Give plain data (numbers, texts, lists, dicts), or make it inside.",
            )
        given.append(f"{key}={text}")
    try:
        inspect.signature(what).bind(**(arguments or {}))
    except TypeError as error:
        raise SpecError(f"arguments: {name}() takes others: {error}.") from error
    call = f"{name}({', '.join(given)})"
    if what.__module__ != "__main__":
        code = f"from {what.__module__} import {name}\n"
    else:
        if what.__qualname__ != name:
            raise SpecError(
                f"`{name}` is defined inside of `{what.__qualname__.split('.')[0]}`.",
                hint="Define it at the top of a cell.",
            )
        code = Closure(*_session()).function(name)
    return f'{code}\n\nif __name__ == "__main__":\n    {call}\n', name


def _session() -> tuple[list[Source], Mapping[str, Any]]:
    """Return what has run in this kernel or script, and what its names hold."""
    values = vars(sys.modules["__main__"])
    ran = values.get("In")
    if isinstance(ran, list) and "get_ipython" in values:
        cells = [Source(f"cell [{number}]", text) for number, text in enumerate(ran) if text]
        return cells, values
    path = values.get("__file__")
    if path and Path(path).is_file():
        return [Source(Path(path).name, Path(path).read_text("utf-8"))], values
    return [], values


def _with_modules(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """Add the modules beside the code that it imports, and a `fairlead` that can report."""
    cell = {"cell_type": "code", "source": contents[_MAIN].decode("utf-8", "replace")}

    def read(relative: str) -> str | None:
        file = folder / relative
        return file.read_text("utf-8") if file.is_file() else None

    modules = local_modules({"cells": [cell]}, read)
    found = {**{path: text.encode() for path, text in modules.items()}, **contents}
    if any(b"fairlead" in content for content in found.values()):
        found["_fairlead/fairlead.py"] = Path(report.__file__).read_bytes()
    return found


def _pins(contents: Mapping[str, bytes]) -> list[str]:
    """Return the packages of what the code imports, in the versions that are here."""
    names: set[str] = set()
    for path, content in contents.items():
        if path.endswith(".py"):
            try:
                names |= imported_names(ast.parse(content))
            except SyntaxError as error:
                raise SpecError(f"{path}, line {error.lineno}: {error.msg}.") from error
    own = {path.split("/")[0].removesuffix(".py") for path in contents} | {"fairlead"}
    return Pins()(name for name in names if name.split(".")[0] not in own)
