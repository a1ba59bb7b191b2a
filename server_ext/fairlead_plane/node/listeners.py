"""Which sockets of this machine listen on a port."""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

import psutil

_DIAG, _BY_FAMILY, _DUMP = 4, 20, 0x301
_ERROR, _DONE = 2, 3
_HEAD = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")
# Family and state; its port and the other's; its address and the other's; then, after what is of
# no use here, user and inode.
_ANSWER = struct.Struct("=BB2xHH16s16s12x12xII")
_LISTEN = 10
_BUFFER_BYTES = 1 << 16


class Listener(NamedTuple):
    """One socket that takes connections."""

    address: str
    socket: int
    """Its inode; where the system does not tell, the process that has it."""


def find_listeners(port: int) -> list[Listener]:
    """Return all sockets of this machine that listen on a TCP port.

    On a system other than Linux: those of this user.
    """
    if sys.platform != "linux":
        return list(_by_process(port))
    try:
        return list(_by_netlink(port))
    except OSError:  # a kernel without it, or a sandbox
        return list(_by_proc(port))


def _by_netlink(port: int) -> Iterator[Listener]:
    """Ask the kernel for listening sockets alone; /proc walks all connections: 10 ms, not 0.1.

    Notes
    -----
    sock_diag(7): `inet_diag_req_v2` and `inet_diag_msg`.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _DIAG) as link:
        for family in (socket.AF_INET, socket.AF_INET6):
            request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 1 << _LISTEN)
            link.send(_HEAD.pack(_HEAD.size + len(request), _BY_FAMILY, _DUMP, 0, 0) + request)
            done = False
            while not done:
                data = memoryview(link.recv(_BUFFER_BYTES))
                while data and not done:
                    size, kind, *_ = _HEAD.unpack_from(data)
                    if kind == _ERROR:
                        raise OSError(-struct.unpack_from("=i", data, _HEAD.size)[0], "sock_diag")
                    done = kind == _DONE
                    if not done:
                        _, _, own, _, source, _, _, inode = _ANSWER.unpack_from(data, _HEAD.size)
                        if socket.ntohs(own) == port:
                            length = 4 if family == socket.AF_INET else 16
                            yield Listener(_address(source[:length]), inode)
                    data = data[(size + 3) & ~3 :]


def _by_proc(port: int) -> Iterator[Listener]:
    end = f":{port:04X}".encode()
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/net/{name}", "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:  # a system without IPv6
            continue
        for line in lines:
            fields = line.split(None, 10)
            if len(fields) > 9 and fields[3] == b"%02X" % _LISTEN and fields[1].endswith(end):
                text = fields[1][: -len(end)]
                # 32-bit words, each in the machine's byte order.
                words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
                raw = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
                yield Listener(_address(raw), int(fields[9]))


def _by_process(port: int) -> Iterator[Listener]:
    for process in psutil.process_iter():
        try:
            connections = process.net_connections("tcp")
        except psutil.Error:
            continue
        for each in connections:
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port:
                yield Listener(each.laddr.ip, process.pid)


def _address(raw: bytes) -> str:
    address = ipaddress.ip_address(raw)
    return str(getattr(address, "ipv4_mapped", None) or address)
