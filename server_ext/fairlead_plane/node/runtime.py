"""The container runtime: runs that outlive this process, and how each of them ended."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from .leftovers import end_group
from .link import ShimError, ShimLink
from .records import ExitRecord, RunFiles, parse_exit
from .shim.frames import Header

log = logging.getLogger(__name__)


class StartError(Exception):
    """A container or an interpreter cannot be started; the message says why, for its status."""


class Run:
    """One run; both futures are of the event loop of the plane.

    Attributes
    ----------
    pid : int
        Its first process; 0 before its start.
    started : Future of float
        Time of the start, in seconds since 1970. Never done when the start failed.
    ended : Future of ExitRecord
        How it ended.
    """

    def __init__(self, files: RunFiles) -> None:
        loop = asyncio.get_running_loop()
        self.files = files
        self.pid = 0
        self.started: asyncio.Future[float] = loop.create_future()
        self.ended: asyncio.Future[ExitRecord] = loop.create_future()


AGAIN_S = 2.0
"""Seconds between two tries to start a shim."""


class Runtime:
    """Starts, adopts, signals and awaits runs through the shim.

    Parameters
    ----------
    folder : Path
        Of the shim.

    Notes
    -----
    When the shim dies, every run that has not ended by its record is lost: what is left of it is
    killed and it ends with `lost`. Then the next shim is started.
    """

    def __init__(self, folder: Path) -> None:
        self._link = ShimLink(folder, self._hear, self._on_lost)
        self._runs: dict[str, Run] = {}
        # Ended runs whose exit record found no room on the disk: known to this process alone.
        self._unwritten: dict[str, Run] = {}
        self._readers: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._warming: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._ready = asyncio.Event()
        self._alive: dict[str, dict[str, Any]] = {}
        self._recovering: asyncio.Task[None] | None = None
        self.warm: dict[str, dict[str, Any]] = {}
        """Warm interpreters: name -> `hello` and the `env` they were started with."""

    async def start(self) -> None:
        """Find the shim of before, or start one; raises ShimError."""
        hello = await self._link.open()
        self._alive = hello["runs"]
        self.warm = hello["warm"]
        self._ready.set()
        log.info("shim is process %d with %d runs", hello["pid"], len(self._alive))

    async def stop(self) -> None:
        """Kill what still runs and end the shim."""
        if self._recovering is not None:
            self._recovering.cancel()
        await self._link.stop()

    @property
    def alive(self) -> set[str]:
        """Names of the runs that a shim of before has, and that nobody has adopted."""
        return set(self._alive)

    async def launch(self, files: RunFiles, command: dict[str, Any], warm: str | None) -> Run:
        """Start a run.

        Parameters
        ----------
        files : RunFiles
            Names it; started never more than once.
        command : dict
            `argv`, `env`, `cwd`, `umask`, and what a warm fork needs beside.
        warm : str or None
            Name of the interpreter to fork it from; None: by exec.
        """
        await self._ready.wait()
        run = self._runs[files.id] = Run(files)
        header = {"op": "start", "id": files.id, "prefix": files.prefix, "warm": warm}
        try:
            body = orjson.dumps(command)
        except orjson.JSONEncodeError:  # a variable that is no UTF-8, from a Secret
            body = json.dumps(command).encode()
        self._link.tell(header, body)
        return run

    async def adopt(self, files: RunFiles) -> Run | None:
        """Return a run that was started before, running or ended; None when it never was."""
        await self._ready.wait()
        known = self._runs.get(files.id) or self._unwritten.get(files.id)
        if known is not None:
            return known
        alive = self._alive.pop(files.id, None)
        record, started = files.read_exit(), files.read_started()
        if record is None and started is None:
            return None
        run = Run(files)
        if record is not None:
            if record.reason != "StartError":
                run.started.set_result(record.started_at)
            run.ended.set_result(record)
        elif alive is not None:
            run.pid = alive["pid"]
            run.started.set_result(alive["time"])
            self._runs[files.id] = run
        else:
            assert started is not None
            await end_group(started)
            run.ended.set_result(parse_exit({"lost": True, "started_at": started.time}))
        return run

    def signal(self, run: Run, number: signal.Signals) -> None:
        """Send a signal to the process group of a run; nothing happens after its end."""
        self._link.tell({"op": "signal", "id": run.files.id, "signal": int(number)})

    def kill_unknown(self, name: str) -> None:
        """Kill a run of before whose pod is gone."""
        self._alive.pop(name, None)
        self._link.tell({"op": "signal", "id": name, "signal": int(signal.SIGKILL)})

    def forget(self, prefix: str) -> None:
        """Keep nothing of the runs whose names begin with this: their pod is gone."""
        for name in [name for name in self._unwritten if name.startswith(prefix)]:
            del self._unwritten[name]

    def is_running(self, name: str) -> bool:
        """Tell whether a run may still write to its log."""
        return name in self._runs or name in self._alive

    async def open_stream(self) -> socket.socket:
        """Return a new connection to the shim, for a process beside a run; raises OSError."""
        await self._ready.wait()
        return await self._link.open_stream()

    async def wait_log(self, name: str, size: int) -> None:
        """Wait until the log of a run is longer than `size` bytes, or the run has ended."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers[name].add(waiting)
        self._link.tell({"op": "follow", "id": name, "size": size})
        try:
            await waiting
        finally:
            self._readers[name].discard(waiting)
            if not self._readers[name]:
                del self._readers[name]

    async def make_warm(
        self, name: str, path: str, env: dict[str, str], *, modules: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Start an interpreter, in place of an older one of this name, and return its `hello`.

        Parameters
        ----------
        name : str
            For `launch`.
        path : str
            Of its program.
        env : dict
            All its variables.
        modules : sequence of str
            What it imports before it is warm.

        Raises
        ------
        StartError
            It does not start.
        """
        await self._ready.wait()
        pending = self._warming.get(name)
        if pending is None:
            pending = self._warming[name] = asyncio.get_running_loop().create_future()
            self.warm.pop(name, None)
            header = {"op": "warm", "interpreter": name, "path": path, "modules": modules}
            self._link.tell(header, orjson.dumps(env))
        hello = await asyncio.shield(pending)
        self.warm[name] = {"hello": hello, "env": env}
        return hello

    def retire(self, name: str) -> None:
        """Let a warm interpreter end when its runs have."""
        self.warm.pop(name, None)
        self._link.tell({"op": "retire", "interpreter": name})

    # What the shim says

    def _hear(self, message: Header) -> None:
        event = message["event"]
        if event == "started":
            run = self._runs.get(message["id"])
            if run is not None:
                run.pid = message["pid"]
                if not run.started.done():
                    run.started.set_result(message["time"])
        elif event == "ended":
            self._alive.pop(message["id"], None)
            if message["record"].get("unwritten") and message["id"] in self._runs:
                self._unwritten[message["id"]] = self._runs[message["id"]]
            self._end(message["id"], parse_exit(message["record"]))
        elif event == "log":
            self._wake(message["id"])
        elif event == "warm":
            pending = self._warming.pop(message["interpreter"], None)
            if pending is not None and not pending.done():
                pending.set_result(message["hello"])
        elif event == "cold":
            self.warm.pop(message["interpreter"], None)
            pending = self._warming.pop(message["interpreter"], None)
            if pending is not None and not pending.done():
                pending.set_exception(StartError(message["message"]))
                pending.exception()  # read here too: nobody may be waiting any more

    def _end(self, name: str, record: ExitRecord) -> None:
        run = self._runs.pop(name, None)
        if run is not None and not run.ended.done():
            if not run.started.done() and record.reason != "StartError":
                run.started.set_result(record.started_at)
            run.ended.set_result(record)
        self._wake(name)

    def _wake(self, name: str) -> None:
        for waiting in self._readers.get(name, ()):
            if not waiting.done():
                waiting.set_result(None)

    def _on_lost(self) -> None:
        log.error("the shim died")
        self._ready.clear()
        self.warm.clear()
        for pending in self._warming.values():
            if not pending.done():
                pending.set_exception(StartError("the shim died"))
                pending.exception()
        self._warming.clear()
        self._recovering = asyncio.create_task(self._recover(), name="recover shim")

    async def _recover(self) -> None:
        for run in list(self._runs.values()):
            record = run.files.read_exit()
            if record is None:
                started = run.files.read_started()
                if started is not None:
                    await end_group(started)
                record = parse_exit({"lost": True, "started_at": started.time if started else 0.0})
            self._end(run.files.id, record)
        self._alive.clear()
        while True:
            try:
                await self.start()
                return
            except (OSError, ShimError) as error:
                # Maybe the disk is full: with room again pods start again.
                log.error("no shim, so no pod can start; again in %g s: %s", AGAIN_S, error)
                await asyncio.sleep(AGAIN_S)
