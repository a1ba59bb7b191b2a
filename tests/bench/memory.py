"""Memory: of the idle plane, and over time under a steady mix of requests."""

from __future__ import annotations

import socket
import ssl
import time

from measuring import own_plane, plane_tree
from sides import Side, both_sides, config_map

WATCHES, KEPT, PAUSE_S = 10, 500, 0.02


def measure_idle() -> None:
    """The plane, its shim and its warm interpreter, before anything is asked of them."""
    with own_plane():
        time.sleep(3)
        total = 0.0
        for process in sorted(plane_tree(), key=lambda one: one.pid):
            info = process.memory_full_info()
            total += info.pss / 2**20
            words = " ".join(process.cmdline())[:60]
            print(f"    {words:<60} PSS {info.pss / 2**20:6.1f}  RSS {info.rss / 2**20:6.1f} MB")
        print(f"{'idle plane, shim, warm interpreter, PSS':<44} {total:8.1f} MB  (aim: 80)")


def measure_time(pids: list[int], minutes: float) -> None:
    """A mix of creates, updates, gets, lists, deletes and watches; memory at each minute."""
    with both_sides(pids) as sides:
        began, number = time.monotonic(), 0
        watches: dict[str, list[ssl.SSLSocket]] = {side.name: [] for side in sides}
        _print_memory(sides, 0)
        minute = 1
        while time.monotonic() - began < minutes * 60:
            for side in sides:
                _mix(side, number, watches[side.name])
            number += 1
            if time.monotonic() - began >= minute * 60:
                _print_memory(sides, minute)
                minute += 1
            time.sleep(PAUSE_S)
        print(f"{number} rounds of the mix")


def _mix(side: Side, number: int, watches: list[ssl.SSLSocket]) -> None:
    name = f"mix-{number}"
    side.request("POST", side.maps, config_map(name))
    side.request("PUT", f"{side.maps}/{name}", config_map(name, changed=str(number)))
    side.request("GET", f"{side.maps}/{name}")
    if number >= KEPT:
        side.request("DELETE", f"{side.maps}/mix-{number - KEPT}")
    if number % 20 == 0:
        side.request("GET", f"{side.maps}?limit=100")
        watches.append(_open_watch(side))
        if len(watches) > WATCHES:
            watches.pop(0).close()
    for watch in watches:
        _read_what_is_there(watch)


def _open_watch(side: Side) -> ssl.SSLSocket:
    watch = side.tls.wrap_socket(
        socket.create_connection(side.address), server_hostname=side.address[0]
    )
    token = side.headers["Authorization"]
    path = f"{side.maps}?watch=true"
    watch.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\n\r\n".encode())
    watch.setblocking(False)
    return watch


def _read_what_is_there(watch: ssl.SSLSocket) -> None:
    try:
        while watch.recv(1 << 16):
            pass
    except (ssl.SSLWantReadError, BlockingIOError):
        return


def _print_memory(sides: list[Side], minute: int) -> None:
    words = []
    totals = []
    for side in sides:
        if not side.processes:
            continue
        rss, pss = side.memory()
        totals.append(pss)
        words.append(f"{side.name} RSS {rss:7.1f} PSS {pss:7.1f} MB")
    if len(totals) == 2:
        words.append(f"ratio {totals[0] / totals[1]:.2f}  aim: 0.25")
    print(f"    minute {minute:3d}   " + "   ".join(words), flush=True)
