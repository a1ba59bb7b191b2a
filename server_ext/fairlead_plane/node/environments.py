"""Cached environments: packages in a layer over a Python, built once for all pods that ask.

An environment is a folder named by the hash of what is in it. It is whole when it has its marker,
which is written last: one that a killed plane left half is built again. The Python below is never
touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..environments import InterpreterError, fingerprint, installed, is_known
from .backoff import FIRST_S, MOST_S
from .commands import base_env
from .layers import Base, Layer
from .packages import Packages, missing
from .problems import HoldError
from .runtime import StartError

log = logging.getLogger(__name__)

KEEP_MOST = 20
"""Environments that are kept while no pod uses them; the least recently used goes first."""

SHOWN_S = 5.0
"""Seconds for which a failure shows as ErrImagePull, before it is ImagePullBackOff."""

FORGOTTEN_S = 2 * MOST_S
"""Seconds after which nobody waits for what could not be built: who does tries again before."""

USED_FILE = "environment"
"""In the folder of a pod: names of the environments that it uses."""

_MARKER = "fairlead.json"
_POLL_S = 0.5
_ANSWERS = 256
"""Answers to what an environment lacks that are kept."""
_LINES = 6
_LINE_MOST = 300

_STUBS = """\
import os, shutil, sys
site = sys.argv[1]
for folder in map(os.path.abspath, filter(os.path.isdir, sys.path)):
    if folder == site:
        continue
    for name in filter(lambda each: each.endswith(".dist-info"), os.listdir(folder)):
        stub = os.path.join(site, name)
        source = os.path.join(folder, name, "METADATA")
        if os.path.exists(stub) or not os.path.exists(source):
            continue
        os.mkdir(stub)
        shutil.copy(source, stub)
        for file, text in (("INSTALLER", "fairlead"), ("RECORD", "")):
            with open(os.path.join(stub, file), "w") as out:
                out.write(text)
"""
"""Shows uv, which looks at one folder alone, what the Python below has."""


class _Failure:
    def __init__(self, message: str, before: _Failure | None) -> None:
        self.message = message
        self.wait_s: float = min(before.wait_s * 2, MOST_S) if before else FIRST_S
        self.at = time.monotonic()


class Environments:
    """Builds, finds and removes environments.

    Parameters
    ----------
    folder : Path
        For the environments and the logs of their making.
    pods : Path
        With a folder for each pod.
    env : mapping
        Variables of the installer.
    """

    def __init__(self, folder: Path, pods: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._pods = pods
        self._env = dict(env)
        self._building: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, _Failure] = {}
        self._lacking: dict[tuple[str, str, Packages], Packages] = {}

    async def get(self, base: Base, packages: Packages, image: str, pod: Path) -> str:
        """Return the Python of the environment with these packages over a Python.

        The Python below itself when it has them all.

        Parameters
        ----------
        base : Base
            The Python below.
        packages : Packages
            What it is to hold.
        image : str
            For the words of Events.
        pod : Path
            Folder of the pod that uses it.

        Raises
        ------
        HoldError
            It is being built, or cannot be built now.
        StartError
            The Python below does not run.
        """
        try:
            if is_known(base.path):
                below = fingerprint(base.path)
            else:
                below = await asyncio.to_thread(fingerprint, base.path)
            packages = self._missing(base, below, packages)
        except InterpreterError as error:
            raise StartError(str(error)) from error
        if not packages:
            return base.path
        text = "\n".join([base.path, below, *packages.lines])
        key = hashlib.sha256(text.encode()).hexdigest()[:20]
        layer = Layer(self._folder / key, base)
        marker = f"{layer.folder}/{_MARKER}"
        if os.path.exists(marker):
            os.makedirs(pod, exist_ok=True)
            with open(f"{pod}/{USED_FILE}", "a") as used:
                used.write(f"{key}\n")
            os.utime(marker)
            self._failed.pop(key, None)
            return layer.python
        self._check_failure(key, image)
        if key not in self._building:
            task = asyncio.create_task(self._build(key, layer, packages), name=f"build {key}")
            self._building[key] = task
            task.add_done_callback(lambda done: self._building.pop(key, None))
        raise HoldError(
            "ContainerCreating",
            self._progress(key) or f"building the environment: {packages}",
            event=("Pulling", f'Building the environment of image "{image}": {packages}'),
            type="Normal",
            retry_s=_POLL_S,
        )

    def _missing(self, base: Base, below: str, packages: Packages) -> Packages:
        """Return what of it the Python below lacks; steps of one notebook ask for the same."""
        asked = base.path, below, packages
        found = self._lacking.get(asked)
        if found is None:
            if len(self._lacking) >= _ANSWERS:
                self._lacking.clear()
            found = missing(packages, installed(base.path), base.version)
            self._lacking[asked] = found
        return found

    async def stop(self) -> None:
        """End what is being built."""
        for task in list(self._building.values()):
            task.cancel()
        await asyncio.gather(*self._building.values(), return_exceptions=True)

    def _check_failure(self, key: str, image: str) -> None:
        failure = self._failed.get(key)
        if failure is None or key in self._building:
            return
        since = time.monotonic() - failure.at
        if since < SHOWN_S:
            raise HoldError(
                "ErrImagePull",
                failure.message,
                event=("Failed", f'Failed to pull image "{image}": {failure.message}'),
            )
        if since < failure.wait_s:
            message = f'Back-off pulling image "{image}"'
            raise HoldError(
                "ImagePullBackOff",
                f"{message}: {failure.message}",
                event=("BackOff", message),
                type="Normal",
            )

    async def _build(self, key: str, layer: Layer, packages: Packages) -> None:
        try:
            await self._install(key, layer, packages)
        except (OSError, _BuildError) as error:
            log.warning("the environment %s cannot be built: %s", key, error)
            self._failed[key] = _Failure(str(error), self._failed.get(key))
            self._forget_failures()
        else:
            await asyncio.to_thread(self._prune, key)

    def _forget_failures(self) -> None:
        """Drop the failures that nobody has asked about for long."""
        now = time.monotonic()
        for key, failure in list(self._failed.items()):
            if now - failure.at > FORGOTTEN_S:
                del self._failed[key]

    async def _install(self, key: str, layer: Layer, packages: Packages) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(shutil.rmtree, layer.folder, True)
        layer.make()
        uv = shutil.which("uv", path=_path(self._env))
        with open(self._log(key), "wb") as output:
            if uv:
                stubs = [layer.python, "-c", _STUBS, str(layer.site)]
                await self._run(stubs, output, key)
                words = [uv, "pip", "install", "--python", layer.python]
            else:
                pip = [sys.executable, "-m", "pip", "--python", layer.python]
                words = [*pip, "install", "--no-input", "--disable-pip-version-check"]
            words += [word for line in packages.sources for word in line.split()]
            for wanted, more in ((packages.whole, []), (packages.alone, ["--no-deps"])):
                if wanted:
                    file = self._folder / f"{key}.txt"
                    file.write_text("".join(f"{each}\n" for each in wanted))
                    await self._run([*words, *more, "-r", str(file)], output, key)
        if uv:
            for stub in layer.site.glob("*.dist-info"):
                installer = stub / "INSTALLER"
                if installer.exists() and installer.read_text() == "fairlead":
                    shutil.rmtree(stub)
        marker = layer.folder / f"{_MARKER}.draft"
        marker.write_text(json.dumps({"packages": packages.lines, "python": layer.base.path}))
        marker.rename(layer.folder / _MARKER)

    async def _run(self, words: Sequence[str], output: object, key: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,  # type: ignore[arg-type]
            stderr=asyncio.subprocess.STDOUT,
            env=self._env,
            start_new_session=True,
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        if code:
            raise _BuildError(
                f"{'pip' if 'pip' in words else words[0]} ended with {code}: "
                f"{self._tail(key, _LINES)}"
            )

    def _log(self, key: str) -> Path:
        return self._folder / f"{key}.log"

    def _progress(self, key: str) -> str:
        return self._tail(key, 1) if key in self._building else ""

    def _tail(self, key: str, lines: int) -> str:
        try:
            text = self._log(key).read_bytes()[-4096:].decode(errors="replace")
        except FileNotFoundError:
            return ""
        said = [line.strip()[:_LINE_MOST] for line in text.splitlines() if line.strip()]
        return "\n".join(said[-lines:])

    def _prune(self, new: str) -> None:
        """Remove the environments that were not used for longest, but none that a pod uses."""
        used = {new, *self._building}
        for file in self._pods.glob(f"*/{USED_FILE}"):
            with contextlib.suppress(FileNotFoundError):
                used.update(file.read_text().split())
        markers = sorted(
            self._folder.glob(f"*/{_MARKER}"), key=lambda each: each.stat().st_mtime, reverse=True
        )
        for marker in markers[KEEP_MOST:]:
            key = marker.parent.name
            if key not in used:
                marker.unlink()  # first: half an environment must not look whole
                shutil.rmtree(marker.parent, ignore_errors=True)
                for suffix in ("txt", "log"):
                    (self._folder / f"{key}.{suffix}").unlink(missing_ok=True)


class _BuildError(Exception):
    """The installer failed; the message has its last lines."""


def build_env(environ: Mapping[str, str], cache: Path) -> dict[str, str]:
    """Return the variables of an installer: those of every pod, and a home for its downloads."""
    return {
        **base_env(environ),
        "HOME": environ.get("HOME", str(cache)),
        "XDG_CACHE_HOME": str(cache),
        "PIP_USER": "0",
    }


def _path(env: Mapping[str, str]) -> str:
    """Return where to look for uv: also beside the plane's own Python."""
    return os.pathsep.join([os.path.dirname(sys.executable), env.get("PATH", os.defpath)])
