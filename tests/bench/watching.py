"""Many watchers of one kind: how long an update takes to reach all of them, and whether it does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import statistics
import time

from sides import Side, both_sides, config_map

WATCHERS, UPDATES, ROUNDS = 200, 1_000, 2
LONGEST_S = 120

_SENT = re.compile(rb'"sent":"([0-9.]+)"')
_TYPE = b'{"type":"MODIFIED"'


class _Watcher(asyncio.Protocol):
    """Reads one watch; notes how long each update has been under way."""

    def __init__(self, request: bytes, delays: list[float], ended: asyncio.Event) -> None:
        self._request = request
        self._delays = delays
        self._ended = ended
        self._rest = b""
        self.count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now = time.time()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            # The first line of a chunk's content; its size stands on a line of its own.
            if line.startswith(_TYPE) and (sent := _SENT.search(line)) is not None:
                self._delays.append(now - float(sent[1]))
                self.count += 1
        if self.count >= UPDATES:
            self._ended.set()


async def _measure(side: Side, number: int) -> tuple[list[float], float, int]:
    """Return delays in seconds, how long all took, and how many events did not arrive."""
    loop = asyncio.get_running_loop()
    name = f"watched-{number}"
    made = json.loads(side.request("POST", side.maps, config_map(name, sent="0")))
    version = made["metadata"]["resourceVersion"]
    path = f"{side.maps}?watch=true&fieldSelector=metadata.name%3D{name}&resourceVersion={version}"
    token = side.headers["Authorization"]
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\n\r\n".encode()
    delays: list[float] = []
    watchers: list[_Watcher] = []
    transports, ends = [], []
    for _ in range(WATCHERS):
        ends.append(asyncio.Event())
        watcher = _Watcher(request, delays, ends[-1])
        transport, _ = await loop.create_connection(
            lambda each=watcher: each, *side.address, ssl=side.tls
        )
        transports.append(transport)
        watchers.append(watcher)
    await asyncio.sleep(1)
    began = time.perf_counter()

    def write() -> None:
        for _ in range(UPDATES):
            side.request("PUT", f"{side.maps}/{name}", config_map(name, sent=repr(time.time())))

    writing = asyncio.create_task(asyncio.to_thread(write))
    with contextlib.suppress(asyncio.TimeoutError):  # what is missing is said by its number
        await asyncio.wait_for(asyncio.gather(*(each.wait() for each in ends)), LONGEST_S)
    took = time.perf_counter() - began
    await writing
    for transport in transports:
        transport.abort()
    lost = WATCHERS * UPDATES - sum(watcher.count for watcher in watchers)
    return delays, took, lost


def measure_watches(pids: list[int]) -> None:
    """All sides in turns, by one client that reads all the watches."""
    with both_sides(pids) as sides:
        found: dict[str, list[tuple[list[float], float, int]]] = {side.name: [] for side in sides}
        spent = dict.fromkeys(found, 0.0)
        for number in range(ROUNDS):
            for side in sides:
                before = side.cpu()
                found[side.name].append(asyncio.run(_measure(side, number)))
                spent[side.name] += side.cpu() - before
        print(f"{WATCHERS} watchers of {UPDATES} updates, written one after the other")
        for name, rounds in found.items():
            delays = sorted(delay for one, _, _ in rounds for delay in one)
            p50, p99 = (delays[int(len(delays) * share)] * 1000 for share in (0.5, 0.99))
            took = statistics.median(took for _, took, _ in rounds)
            lost = sum(lost for _, _, lost in rounds)
            cpu = f"{spent[name] / ROUNDS:6.2f} CPU s" if spent[name] else ""
            print(
                f"    {name:<8} p50 {p50:8.1f} ms  p99 {p99:8.1f} ms  "
                f"{WATCHERS * UPDATES / took:8.0f} events/s  {cpu}  {lost} lost",
                flush=True,
            )
