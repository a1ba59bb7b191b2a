from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from fairlead_plane.node.exec import ContainerNotFound, ExecError, Execs, ExecTimeout
from fairlead_plane.node.records import RunFiles
from fairlead_plane.node.runtime import Run, Runtime

POD: Any = {"metadata": {"uid": "1234", "name": "p", "namespace": "default"}}
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


class World:
    """A shim with one container, without a plane."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = Runtime(folder / "shim")
        self.execs = Execs(folder / "pods", self.runtime)

    async def launch(self, argv: list[str], **options: Any) -> Run:
        container = self.folder / "pods" / "1234" / "containers" / "main"
        container.mkdir(parents=True)
        env = {"PATH": os.environ["PATH"], "GREETING": "hello"}
        command = {"argv": argv, "env": env, "cwd": str(container), "umask": 0o27, **options}
        run = await self.runtime.launch(RunFiles(container, 0), command, None)
        await run.started
        return run

    async def run(self, *argv: str, **options: Any) -> tuple[int, bytes]:
        return await self.execs.run(POD, "main", list(argv), **{"timeout_s": 60, **options})


@pytest.fixture
def in_world(tmp_path: Path) -> Callable[[Callable[[World], Awaitable[None]]], None]:
    """Run a coroutine function with a shim that is stopped afterwards."""

    def run(body: Callable[[World], Awaitable[None]]) -> None:
        async def main() -> None:
            world = World(tmp_path)
            await world.runtime.start()
            try:
                await body(world)
            finally:
                await world.runtime.stop()

        asyncio.run(main())

    return run


def test_a_command_sees_what_the_container_sees(in_world: Any) -> None:
    async def body(world: World) -> None:
        await world.launch(SLEEP)
        code, output = await world.run("sh", "-c", "echo $GREETING; pwd; umask; exit 3")
        assert code == 3
        assert output.decode().split() == [
            "hello",
            str(world.folder / "pods/1234/containers/main"),
            "0027",
        ]

    in_world(body)


def test_a_command_waits_until_the_container_has_its_mounts(in_world: Any) -> None:
    async def body(world: World) -> None:
        run = await world.launch(SLEEP)
        # As it is while the process makes its mounts.
        record = Path(f"{run.files.prefix}.started")
        content = record.read_bytes()
        record.write_bytes(b"")
        running = asyncio.create_task(world.run("true"))
        await asyncio.sleep(0.2)
        assert not running.done()
        record.write_bytes(content)
        assert await running == (0, b"")

    in_world(body)


def test_a_command_reads_its_input_and_a_large_output_is_cut_not_stuck(in_world: Any) -> None:
    async def body(world: World) -> None:
        await world.launch(SLEEP)
        assert await world.run("wc", "-c", stdin=b"x" * 1_000_000) == (0, b"1000000\n")
        code, output = await world.run("head", "-c", "3000000", "/dev/zero")
        assert (code, len(output)) == (0, 64 << 10)

    in_world(body)


def test_a_command_that_takes_too_long_is_killed(in_world: Any) -> None:
    async def body(world: World) -> None:
        await world.launch(SLEEP)
        with pytest.raises(ExecTimeout, match='command "sleep 600" timed out'):
            await world.run("sleep", "600", timeout_s=0.2)
        await _gone(lambda: _commands("sleep"))

    in_world(body)


def test_a_command_that_does_not_exist_or_has_no_container_is_an_error_in_words(
    in_world: Any,
) -> None:
    async def body(world: World) -> None:
        with pytest.raises(ContainerNotFound, match="container not found"):
            await world.run("true")
        await world.launch(SLEEP)
        with pytest.raises(ExecError, match='exec: "nosuch": executable file not found in '):
            await world.run("nosuch")
        with pytest.raises(ExecError, match="embedded null byte"):
            await world.run("echo", "a\0b")
        assert await world.run("sh", "-c", "kill -9 $$") == (137, b"")

    in_world(body)


def test_what_a_command_leaves_in_the_background_ends_with_the_container(in_world: Any) -> None:
    async def body(world: World) -> None:
        run = await world.launch(SLEEP)
        assert await world.run("sh", "-c", "sleep 601 & echo done") == (0, b"done\n")
        # The fork may still have the name of the shell when the shell has ended.
        await _holds(lambda: bool(_commands("sleep")))
        world.runtime.signal(run, signal.SIGKILL)
        await run.ended
        await _gone(lambda: _commands("sleep"))

    in_world(body)


def test_a_terminal_has_a_size_and_controls_its_session(in_world: Any) -> None:
    async def body(world: World) -> None:
        await world.launch(SLEEP)
        session = await world.execs.start(
            POD, "main", ["sh"], stdin=True, stdout=True, stderr=False, tty=True
        )
        session.resize(101, 37)
        await session.write(b"tty && stty size && ps -o tty= -p $$ && exit 7\n")
        text = (await _read(session)).decode()
        assert await session.wait() == 7
        assert "/dev/pts/" in text
        assert "37 101" in text
        session.close()

    in_world(body)


def test_the_input_of_a_container_is_held_open_and_its_output_is_live(in_world: Any) -> None:
    async def body(world: World) -> None:
        run = await world.launch(["cat"], stdin=True, stdin_once=True)
        watcher = await world.execs.attach(POD, "main", stdin=False)
        writer = await world.execs.attach(POD, "main", stdin=True)
        text = b"line\n" * 200_000
        writing = asyncio.create_task(writer.write(text))
        writing.add_done_callback(lambda task: writer.close_stdin())
        assert await _read(writer) == text
        assert await _read(watcher) == text
        assert (await run.ended).exit_code == 0

    in_world(body)


def test_input_stays_open_for_the_next_client_without_stdin_once(in_world: Any) -> None:
    async def body(world: World) -> None:
        await world.launch(["cat"], stdin=True)
        for word in (b"one\n", b"two\n"):
            session = await world.execs.attach(POD, "main", stdin=True)
            await session.write(word)
            session.close_stdin()
            assert await anext(session.output()) == ("stdout", word)
            session.close()

    in_world(body)


def test_a_container_with_a_terminal_writes_to_its_log(in_world: Any) -> None:
    async def body(world: World) -> None:
        run = await world.launch(
            ["sh", "-c", "tty; read line; echo got $line"], tty=True, stdin=True
        )
        session = await world.execs.attach(POD, "main", stdin=True)
        session.resize(80, 24)
        await session.write(b"word\n")
        text = await _read(session)
        assert b"got word\r\n" in text
        await run.ended
        assert b"stdout F /dev/pts/" in run.files.log.read_bytes()

    in_world(body)


def test_a_command_ends_with_the_shim_and_says_so(in_world: Any) -> None:
    async def body(world: World) -> None:
        run = await world.launch(SLEEP)
        session = await world.execs.start(
            POD, "main", ["cat"], stdin=True, stdout=True, stderr=True, tty=False
        )
        shim = json.loads((world.folder / "shim" / "record").read_bytes())["pid"]
        os.kill(shim, signal.SIGKILL)
        assert await _read(session) == b""
        with pytest.raises(ExecError, match="the shim that watched it ended"):
            await session.wait()
        session.close()
        assert (await run.ended).lost
        with pytest.raises(ContainerNotFound):
            await world.run("true")

    in_world(body)


def test_no_file_is_left_open_by_commands_however_they_end(in_world: Any) -> None:
    async def body(world: World) -> None:
        await world.launch(["cat"], stdin=True, tty=True)
        shim = psutil.Process(json.loads((world.folder / "shim" / "record").read_bytes())["pid"])
        await world.run("true")

        async def one(number: int) -> None:
            if number % 4 == 0:
                await world.run("cat", stdin=b"x" * 100_000)
            elif number % 4 == 1:
                with pytest.raises(ExecTimeout):
                    await world.run("sleep", "600", timeout_s=0.05)
            elif number % 4 == 2:
                session = await world.execs.start(
                    POD, "main", ["cat"], stdin=True, stdout=True, stderr=False, tty=True
                )
                await session.write(b"x\n")
                session.close()
            else:
                attached = await world.execs.attach(POD, "main", stdin=True)
                await attached.write(b"x\n")
                attached.close()

        before = psutil.Process().num_fds(), shim.num_fds()
        for _ in range(5):
            await asyncio.gather(*(one(number) for number in range(16)))
        end = time.monotonic() + 30
        while (now := (psutil.Process().num_fds(), shim.num_fds())) > before or now[1] > before[1]:
            assert time.monotonic() < end, (now, before)
            await asyncio.sleep(0.05)

    in_world(body)


async def _read(session: Any) -> bytes:
    return b"".join([data async for _, data in session.output()])


def _commands(name: str) -> list[psutil.Process]:
    """Processes of this test by the name of their program."""
    found = []
    for process in psutil.process_iter(["name", "environ"]):
        environ = process.info["environ"] or {}
        if process.info["name"] == name and environ.get("GREETING") == "hello":
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


async def _gone(find: Callable[[], list[psutil.Process]]) -> None:
    await _holds(lambda: not find())


async def _holds(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, psutil.pids()
        await asyncio.sleep(0.02)
