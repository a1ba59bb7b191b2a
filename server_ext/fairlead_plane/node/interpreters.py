"""The warm interpreters of this node: which there are, and what each has imported.

There is one for each Python environment and each set of modules that steps on it begin with. It is
started by the first pod that needs it and ends when none has for a while.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from .layers import Base
from .runtime import Runtime, StartError

log = logging.getLogger(__name__)

WARM_MOST = 8
"""Warm interpreters kept at a time; each takes about 10 MB."""

IDLE_S = 600.0
"""Seconds after which one that no pod was forked from ends."""

_KNOWN_MOST = 64

_T = TypeVar("_T")


class Preload(NamedTuple):
    """What an interpreter imports before the first pod comes."""

    modules: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    """Variables that these modules read when they are imported."""


NOTHING = Preload()


class _Described(NamedTuple):
    """What an interpreter said of itself, and the files of which it was true."""

    signature: tuple[object, ...]
    hello: dict[str, Any]


class Interpreters:
    """Describes interpreters and keeps them warm, by the runtime.

    Parameters
    ----------
    runtime : Runtime
        Starts them.
    env : mapping
        Variables that they are started with: those that every pod has.
    """

    def __init__(self, runtime: Runtime, env: Mapping[str, str]) -> None:
        self._runtime = runtime
        self.env = dict(env)
        self._described: dict[str, _Described] = {}
        self._signatures: dict[str, tuple[object, ...]] = {}
        self._unable: dict[str, tuple[object, ...]] = {}
        self._used: dict[str, float] = {}
        self._ending: asyncio.TimerHandle | None = None

    async def describe(self, path: str) -> Base:
        """Return the environment of an interpreter.

        Raises
        ------
        StartError
            It cannot be started.
        """
        known = self._described.get(path)
        if known is None or known.signature != _signature(known.hello, path):
            known = await self._start(path, path, NOTHING)
        hello = known.hello
        return Base(
            path=path,
            version=hello["version"],
            executable=hello["base_executable"],
            library=hello["library"],
            folders=tuple(hello["user_site"] + (hello["system_site"] if hello["venv"] else [])),
            system_site=not hello["venv"],
        )

    async def warm(self, path: str, preload: Preload = NOTHING) -> str:
        """Return the name of a warm interpreter, started when there is none.

        One that has changed since its start (packages, `.pth` files, the program itself) is
        replaced: a fork of it would not equal an exec. Where the modules cannot be imported it is
        one without them, and the step itself says why.

        Raises
        ------
        StartError
            It cannot be started.
        """
        await self.describe(path)
        signature = self._described[path].signature
        name = _name(path, preload)
        if self._unable.get(name) == signature:
            name, preload = path, NOTHING
        known = self._runtime.warm.get(name)
        if (
            known is None
            or known["env"] != self._env(preload)
            or self._signatures.get(name) != signature
        ):
            try:
                await self._start(name, path, preload)
            except StartError as error:
                if not preload.modules:
                    raise
                log.info("%s cannot import %s: %s", path, preload.modules, error)
                _put(self._unable, name, signature)
                return await self.warm(path)
        self._note(name)
        return name

    async def _start(self, name: str, path: str, preload: Preload) -> _Described:
        hello = await self._runtime.make_warm(
            name, path, self._env(preload), modules=preload.modules
        )
        described = _Described(_signature(hello, path), hello)
        self._signatures[name] = described.signature
        _put(self._described, path, described)
        self._note(name)
        return described

    def _env(self, preload: Preload) -> dict[str, str]:
        return {**self.env, **dict(preload.env)}

    def _note(self, name: str) -> None:
        """Take note of a use, and end those that were not used for longest."""
        self._used.pop(name, None)
        self._used[name] = time.monotonic()
        while len(self._used) > WARM_MOST:
            self._retire(next(iter(self._used)))
        if self._ending is None:
            self._wait()

    def _wait(self) -> None:
        self._ending = asyncio.get_running_loop().call_later(IDLE_S, self._end_idle)

    def _end_idle(self) -> None:
        self._ending = None
        limit = time.monotonic() - IDLE_S
        for name in [name for name, used in self._used.items() if used <= limit]:
            self._retire(name)
        if self._used:
            self._wait()

    def _retire(self, name: str) -> None:
        del self._used[name]
        self._signatures.pop(name, None)
        self._runtime.retire(name)


def _put(known: dict[str, _T], name: str, what: _T) -> None:
    """Remember something, and forget what was remembered first when that is too much."""
    known.pop(name, None)
    known[name] = what
    if len(known) > _KNOWN_MOST:
        del known[next(iter(known))]


def _name(path: str, preload: Preload) -> str:
    return " ".join((path, *preload.modules))


def _signature(hello: dict[str, Any], path: str) -> tuple[object, ...]:
    """Return times of change of all that an interpreter reads when it starts."""
    config = os.path.join(os.path.dirname(os.path.dirname(path)), "pyvenv.cfg")
    return tuple(
        (name, _changed(name))
        for name in (
            *(hello["base_executable"], config),
            *hello["user_site"],
            *hello["system_site"],
            *hello["pth"],
        )
    )


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0
