"""What a container is on this machine: from its spec to what the shim starts."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from fairlead.names import INTERPRETER_ANNOTATION, PACKAGES_ANNOTATION, WORKING_DIR_ANNOTATION

from ..resources import Json, Resources
from . import commands, gpus
from .accounts import Accounts, asks_for_files, has_token
from .checks import Checks
from .environments import Environments
from .images import MAP_NAME, MAP_NAMESPACE, find_image
from .interpreters import Interpreters
from .layers import Layer, Layers, layer_name
from .memory import MemoryGuard
from .packages import parse
from .preload import find_preload
from .records import RunFiles
from .runtime import Runtime, StartError
from .shells import with_shell
from .termination import message_path, redirect
from .variables import declared_env
from .volumes.mounting import Mounting
from .volumes.payload import Context
from .volumes.plan import Bind
from .volumes.pod import prepare_mounts


@dataclass(frozen=True)
class Host:
    """What all pods of the node share."""

    name: str
    resources: Resources
    runtime: Runtime
    interpreters: Interpreters
    checks: Checks
    memory: MemoryGuard
    environments: Environments
    layers: Layers
    accounts: Accounts
    mounting: Mounting
    data: Path
    """The data directory."""
    folder: Path
    """With a folder for each pod."""
    cache: Path
    umask: int
    port: int
    """Where the API server listens on loopback."""
    capacity: dict[str, Decimal]
    """Of this machine; `nvidia.com/gpu` is in it from the start of the node on."""

    def volume_context(self, pod: Json, account: Json) -> Context:
        """Return what the volumes of a pod depend on."""
        return Context(
            self.resources,
            pod,
            self.capacity,
            lambda audience, lasts_s: self.accounts.token(pod, account, audience, lasts_s),
            self.accounts.ca,
        )


class Prepared(NamedTuple):
    """A container that can be started."""

    command: dict[str, Any]
    """For the shim."""
    warm: str | None
    """Name of the interpreter to fork it from; None: by exec."""


async def prepare(host: Host, pod: Json, spec: Json, files: RunFiles) -> Prepared:
    """Make all that a container needs before its process; safe to call again.

    Parameters
    ----------
    host : Host
        The node.
    pod, spec : dict
        The Pod, and the container.
    files : RunFiles
        Of this start.

    Raises
    ------
    HoldError
        Something that it needs is not there now: to be tried again.
    StartError
        It can never be started.
    """
    annotations = pod["metadata"].get("annotations") or {}
    image = await find_image(host.resources, spec["image"])
    words = [*(spec.get("command") or image.command), *(spec.get("args") or ())]
    if not spec.get("command") and not spec.get("args"):
        words += image.args
    if not words:
        raise StartError(
            f'container "{spec["name"]}" has no command, and no image is pulled on this machine: '
            f'give it one, or say what runs for image "{spec["image"]}" in the configmap '
            f"{MAP_NAMESPACE}/{MAP_NAME}"
        )
    if spec.get("volumeDevices"):
        where = f"spec.containers[{spec['name']}].volumeDevices"
        raise StartError(
            f"{where} is not supported by this control plane: there are no raw devices"
        )
    declared = await declared_env(
        host.resources, pod, spec, port=host.port, allocatable=host.capacity
    )
    words = [redirect(word, spec, files) for word in words]
    declared = {name: redirect(value, spec, files) for name, value in declared.items()}
    for name, value in declared.items():
        if "\0" in value:
            raise StartError(f"the variable {name} holds a NUL byte, which no process can be given")
    folder = host.folder / pod["metadata"]["uid"]
    below = await host.interpreters.describe(
        image.python or annotations.get(INTERPRETER_ANNOTATION) or sys.executable
    )
    packages = parse((*image.packages, *annotations.get(PACKAGES_ANNOTATION, "").splitlines()))
    base = below
    if packages:
        path = await host.environments.get(below, packages, spec["image"], folder)
        if path != below.path:
            base = await host.interpreters.describe(path)
    layer = Layer(folder / layer_name(base), base)
    for path in (str(files.folder), f"{folder}/home", f"{folder}/tmp"):
        os.makedirs(path, exist_ok=True)
    host.layers.put(layer)
    env = commands.pod_env(host.interpreters.env, pod, folder, host.cache, layer, below)
    if gpus.RESOURCE in host.capacity:
        env |= gpus.gpu_env(pod, spec)
    account = await host.accounts.find(pod)
    trusted = has_token(pod, account)
    if trusted:
        kubeconfig = folder / "home" / ".kube" / "config"
        host.accounts.write_kubeconfig(kubeconfig, pod, account)
        env["KUBECONFIG"] = str(kubeconfig)
    given = spec.get("workingDir") or annotations.get(WORKING_DIR_ANNOTATION)
    cwd = given or str(folder / "tmp")
    mounts = await prepare_mounts(
        host.volume_context(pod, account),
        spec,
        declared,
        folder=folder,
        keep=[str(host.data), *below.prefixes],
        cwd=cwd,
        account=host.accounts.files(pod, account) if trusted else None,
        needed=trusted and asks_for_files(pod),
        message=Bind(str(files.message), os.path.normpath(message_path(spec))),
        mounting=host.mounting,
    )
    variables = {**env, **declared}
    words = with_shell(words, spec["image"], variables["PATH"])
    command = commands.build_command(
        words, variables, declared, cwd=cwd, umask=host.umask, layer=layer
    )
    if mounts is not None:
        command["mounts"] = mounts
    for name, field in (("stdin", "stdin"), ("stdin_once", "stdinOnce"), ("tty", "tty")):
        if spec.get(field):
            command[name] = True
    warm = None
    if commands.is_warm(command, declared, host.interpreters.env):
        warm = await host.interpreters.warm(base.path, find_preload(command, layer))
    return Prepared(command, warm)
