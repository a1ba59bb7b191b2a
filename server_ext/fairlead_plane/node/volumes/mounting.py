"""How this machine lets a process have mounts of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ...waiting import within
from .. import shim
from ..runtime import StartError
from .plan import Bind

_PROBE_S = 30.0


class Mounting:
    """Whether and how containers get a mount namespace; asked once, when first needed.

    Parameters
    ----------
    folder : Path
        For an empty folder to try it on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asking: asyncio.Task[str] | None = None

    async def ask(self) -> str:
        """Return `root` or `user`, as `shim.mounts.probe`, or why it is not possible."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._probe(), name="probe mounts")
        return await asyncio.shield(self._asking)

    async def _probe(self) -> str:
        if sys.platform != "linux":
            return f"{sys.platform} has no mount namespaces"
        self._folder.mkdir(parents=True, exist_ok=True)
        script = Path(shim.__file__).with_name("mounts.py")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(script), str(self._folder)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await within(process.communicate(), _PROBE_S)
        except asyncio.TimeoutError:
            process.kill()
            return f"the test of a mount did not end within {_PROBE_S:.0f} s"
        return output.decode().strip() or errors.decode().strip()[-200:]


def link_instead(volume: str, bind: Bind, home: Path, why: str) -> None:
    """Show a volume without a mount, where that can be done.

    Under the pod's own folder by a symbolic link; a folder of this machine at its own path needs
    nothing. Everything else is refused.

    Parameters
    ----------
    volume : str
        Its name.
    bind : Bind
        What is wanted.
    home : Path
        The pod's own folder.
    why : str
        What keeps this machine from mounting.

    Raises
    ------
    StartError
        It cannot be done here; the message says what to do.
    """
    target = Path(bind.target)
    if bind.source == bind.target or target == Path("/dev/shm"):
        return
    if home in target.parents:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():
            target.unlink()
        elif target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if not target.exists():
            target.symlink_to(bind.source)
            return
    raise StartError(
        f'volume "{volume}" cannot be mounted at {bind.target}: {why}. Allow unprivileged user '
        "namespaces (on Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0), run the "
        "control plane as root, or use a hostPath volume whose mountPath is its own path"
    )
