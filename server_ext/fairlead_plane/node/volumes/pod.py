"""All volumes of a container: set up, planned, and kept up to date."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...resources import Json
from ..commands import expand, unresolved
from ..problems import HoldError
from ..runtime import StartError
from .atomic import write_files
from .mounting import Mounting, link_instead
from .payload import Context, File, build_payload
from .plan import Bind, plan_mounts
from .sources import WRITTEN, set_up

ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
_MADE_FILE = "mountpoints"
_ACCOUNT_VOLUME = ".account"  # no volume can have this name


async def prepare_mounts(
    context: Context,
    spec: Json,
    env: Mapping[str, str],
    *,
    folder: Path,
    keep: list[str],
    cwd: str,
    account: Mapping[str, File] | None,
    needed: bool,
    message: Bind,
    mounting: Mounting,
) -> dict[str, Any] | None:
    """Set up the volumes of a container and return the plan of its mounts.

    Parameters
    ----------
    context : Context
        The pod and where to look.
    spec : dict
        The container.
    env : mapping
        Its variables, for `subPathExpr`.
    folder : Path
        The pod's own.
    keep : list of str
        Folders that must stay to be seen.
    cwd : str
        Where the container starts.
    account : mapping or None
        Files of the service account, for its fixed place; None for none.
    needed : bool
        True when a namespace is made for these files alone, if it must be.
    message : Bind
        The file for the container's last words, at its place.
    mounting : Mounting
        How this machine mounts.

    Returns
    -------
    dict or None
        For the shim; None when the container needs no mount namespace, or can have none.

    Raises
    ------
    HoldError, StartError
        As of `set_up`; StartError too for what cannot be mounted on this machine.
    """
    mounts = spec.get("volumeMounts") or ()
    found = {}
    for volume in context.pod["spec"].get("volumes") or ():
        if any(mount["name"] == volume["name"] for mount in mounts):
            found[volume["name"]] = await set_up(context, volume, folder / "volumes")
    named: list[tuple[str, Bind]] = []
    for mount in mounts:
        if mount["name"] not in found:
            raise StartError(f'the pod has no volume "{mount["name"]}"')
        if mount.get("mountPropagation") not in (None, "None"):
            raise StartError(
                f'mountPropagation {mount["mountPropagation"]} of volume "{mount["name"]}" is not '
                "supported: what a container mounts stays in it"
            )
        source, read_only = found[mount["name"]]
        source = _sub_path(source, mount, env)
        target = os.path.normpath(os.path.join("/", mount["mountPath"]))
        bind = Bind(source, target, read_only or bool(mount.get("readOnly")))
        named.append((mount["name"], bind))
    binds = [bind for _, bind in named]
    if not binds and not needed and os.path.isdir(cwd):
        return None
    how = await mounting.ask()
    if how not in ("root", "user"):
        for name, bind in named:
            link_instead(name, bind, folder, how)
        return None
    if account is not None and all(bind.target != ACCOUNT_FOLDER for bind in binds):
        where = folder / "volumes" / _ACCOUNT_VOLUME
        write_files(where, account)
        binds.append(Bind(str(where), ACCOUNT_FOLDER, True))
    # Not under /dev: that folder would have to be covered, and devices that come later be missed.
    if not message.target.startswith("/dev/") and all(b.target != message.target for b in binds):
        Path(message.source).touch()
        binds.append(message)
    root = folder / "root"
    root.mkdir(exist_ok=True)
    made: list[str] = []
    try:
        return plan_mounts(
            binds,
            keep=keep,
            cwd=cwd,
            root=root,
            user=how == "user",
            home=str(Path.home()),
            made=made,
        )
    finally:
        if made:
            with open(folder / _MADE_FILE, "a") as file:
                file.write("".join(f"{path}\n" for path in made))


def remove_made(folder: Path) -> None:
    """Remove the mount points that were made for a pod, unless somebody has put something there."""
    try:
        paths = (folder / _MADE_FILE).read_text().splitlines()
    except FileNotFoundError:
        return
    for path in reversed(paths):
        with contextlib.suppress(OSError):
            if os.path.isdir(path):
                os.rmdir(path)
            elif os.path.getsize(path) == 0:
                os.unlink(path)


async def refresh(context: Context, folder: Path) -> None:
    """Write the files of a running pod's volumes anew, where they have changed.

    What has gone missing leaves the files as they are, as the kubelet does.
    """
    for volume in context.pod["spec"].get("volumes") or ():
        where = folder / "volumes" / volume["name"]
        if any(key in volume for key in WRITTEN) and where.is_dir():
            try:
                files = await build_payload(context, volume)
            except HoldError:
                continue
            write_files(where, files)


def _sub_path(source: str, mount: Json, env: Mapping[str, str]) -> str:
    inner = mount.get("subPath") or ""
    if mount.get("subPathExpr"):
        missing = unresolved(mount["subPathExpr"], env)
        if missing:
            raise HoldError("CreateContainerConfigError", f"missing value for {missing[0]!r}")
        inner = expand(mount["subPathExpr"], env)
    if not inner:
        return source
    if inner.startswith("/") or ".." in inner.split("/"):
        raise HoldError(
            "CreateContainerConfigError",
            f"failed to prepare subPath for volumeMount {mount['name']!r} of container",
        )
    path = os.path.join(source, inner)
    real = os.path.realpath(path)
    if not (real + "/").startswith(os.path.realpath(source) + "/"):
        raise HoldError(
            "CreateContainerConfigError",
            f'subPath "{inner}" of volume "{mount["name"]}" leads out of the volume',
        )
    if not os.path.exists(real):
        os.makedirs(real, exist_ok=True)
    return real
