"""From the mounts of a container to what the shim does; nothing is mounted here."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ..runtime import StartError


class Bind(NamedTuple):
    """A path of this machine that is to be seen at another one."""

    source: str
    target: str
    read_only: bool = False


def plan_mounts(
    binds: Iterable[Bind],
    *,
    keep: Iterable[str],
    cwd: str,
    root: Path,
    user: bool,
    home: str = "",
    made: list[str] | None = None,
) -> dict[str, Any]:
    """Return what `shim.mounts.perform` needs.

    Parameters
    ----------
    binds : iterable of Bind
        Targets that do not exist are made in the container's view alone: the folder above is
        covered by one in memory with the same entries. Within a volume they are made in the
        volume, as a kubelet does it.
    keep : iterable of str
        Folders that stay to be seen where a mount would hide them: those that Fairlead and the
        interpreter need.
    cwd : str
        Where the container starts; made when it does not exist.
    root : Path
        An empty folder of the pod, on which a new root can be built.
    user : bool
        True when this process may only mount in a user namespace.
    home : str
        The user's own folder. Where a target lacks there it is made for real: in a folder that is
        covered in memory, whatever else a program writes there would be lost.
    made : list of str, optional
        Gets what was made so; it can be removed when it is empty again.

    Raises
    ------
    StartError
        A target that cannot be: the message names it.
    """
    plan = _Plan(os.path.realpath(home) if home else "", [] if made is None else made)
    wanted = {bind.target: bind for bind in binds}
    for path in keep:
        real = os.path.realpath(path)
        if real not in wanted and any(_within(real, target) for target in wanted):
            wanted[real] = Bind(real, real)
    for target in sorted(wanted):
        plan.add(wanted[target])
    plan.ensure(cwd)
    shadows = sorted(plan.shadows, key=lambda path: path.count("/") if path != "/" else 0)
    return {
        "user": user,
        "root": str(root) if "/" in shadows else "",
        "sources": plan.sources,
        "shadows": shadows,
        "make": plan.make,
        "binds": plan.binds,
    }


class _Plan:
    def __init__(self, home: str, made: list[str]) -> None:
        self._home = home
        self._made = made
        self.sources: list[str] = []
        self.shadows: set[str] = set()
        self.make: list[list[object]] = []
        self.binds: list[list[object]] = []
        self._done: list[Bind] = []

    def add(self, bind: Bind) -> None:
        if bind.target == "/":
            raise StartError("nothing can be mounted at /")
        is_folder = os.path.isdir(bind.source)
        outer = self._outer(bind.target)
        if outer is None:
            target = os.path.realpath(bind.target)
            self._place(target, is_folder)
        else:
            target = self._place_within(outer, bind.target, is_folder)
        self.binds.append([len(self.sources), target, bind.read_only])
        self.sources.append(bind.source)
        self._done.append(bind._replace(target=target))

    def ensure(self, folder: str) -> None:
        """Make sure that there is a folder."""
        outer = self._outer(folder)
        if outer is not None:
            self._place_within(outer, folder, True)
        else:
            self._place(os.path.realpath(folder), True)

    def _outer(self, path: str) -> Bind | None:
        """Return the innermost mount that a path lies in."""
        for bind in reversed(self._done):
            if any(_within(each, bind.target) for each in (path, os.path.realpath(path))):
                return bind
        return None

    def _place(self, target: str, is_folder: bool) -> None:
        """See to it that a target exists in the container's view, outside of all mounts."""
        if os.path.lexists(target):
            _check_kind(target, os.path.isdir(target), is_folder)
            return
        above, missing = os.path.dirname(target), [target]
        while not os.path.lexists(above):
            missing.append(above)
            above = os.path.dirname(above)
        if not os.path.isdir(above):
            raise StartError(f"{target} cannot be made: {above} is not a directory")
        if _within(above, "/proc") or _within(above, "/sys"):
            raise StartError(f"{target} cannot be made: {above} belongs to the kernel")
        if not os.access(above, os.R_OK | os.X_OK):
            raise StartError(f"{target} cannot be made: {above} may not be read")
        if self._home and _within(above, self._home) and os.access(above, os.W_OK):
            self._make(list(reversed(missing)), is_folder)
            return
        self.shadows.add(above)
        self.make.append([target, is_folder])

    def _make(self, missing: list[str], is_folder: bool) -> None:
        for path in missing:
            if is_folder or path != missing[-1]:
                os.mkdir(path)
            else:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
            self._made.append(path)

    def _place_within(self, outer: Bind, path: str, is_folder: bool) -> str:
        """See to it that a target exists in a volume, and return it."""
        inner = os.path.relpath(
            path if _within(path, outer.target) else os.path.realpath(path), outer.target
        )
        where = os.path.normpath(os.path.join(outer.source, inner))
        try:
            if not os.path.lexists(where):
                os.makedirs(where if is_folder else os.path.dirname(where), exist_ok=True)
                if not is_folder:
                    os.close(os.open(where, os.O_WRONLY | os.O_CREAT, 0o644))
        except OSError as error:
            raise StartError(f"{path} cannot be made in its volume: {error.strerror}") from error
        _check_kind(path, os.path.isdir(where), is_folder)
        return os.path.normpath(os.path.join(outer.target, inner))


def _check_kind(target: str, is_folder: bool, wanted: bool) -> None:
    if is_folder != wanted:
        raise StartError(
            f"{target} is {'a' if is_folder else 'not a'} directory: Are you trying to mount a "
            "directory onto a file (or vice-versa)?"
        )


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
