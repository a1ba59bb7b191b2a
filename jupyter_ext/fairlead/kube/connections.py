"""Connections to an API server: addresses, proxies, and sockets that notice a dead peer."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from fairlead.errors import CapabilityError, ClusterError
from fairlead.kube.kubeconfig import Entry

_KEEP_ALIVE_S = 30
"""Seconds of silence after which the system asks the peer whether it is there."""
_KEEP_ALIVE_TRIES = 3


@dataclass(frozen=True)
class Server:
    """Where an API server is.

    Attributes
    ----------
    host : str
        Base URL without a trailing slash.
    name : str
        Name that its certificate must have; empty: that of the URL.
    proxy : str
        URL of the proxy before it; empty for none.
    """

    host: str
    name: str = ""
    proxy: str = ""


def read_server(cluster: Entry) -> Server:
    """Read a kubeconfig's cluster entry."""
    values = cluster.values
    host = str(values.get("server") or "").rstrip("/")
    if "://" not in host:
        host = f"https://{host}" if host else ""
    if not urlsplit(host).hostname:
        raise ClusterError(f"A cluster of {cluster.file} names no server.")
    proxy = str(values.get("proxy-url") or "") or _proxy_of_environment(host)
    return Server(host, str(values.get("tls-server-name") or ""), proxy)


def make_pool(server: Server, tls: ssl.SSLContext) -> urllib3.PoolManager:
    """Make the connections to a server.

    Raises
    ------
    CapabilityError
        Its proxy is of a kind that cannot be used here.
    """
    more: dict[str, Any] = {
        "ssl_context": tls,
        "maxsize": 16,
        "retries": False,
        "socket_options": _socket_options(),
    }
    if server.name:
        more["server_hostname"] = server.name
    if not server.proxy:
        return _as_wished(urllib3.PoolManager(**more), tls)
    address = urlsplit(server.proxy)
    if address.scheme not in ("http", "https"):
        raise CapabilityError(
            f"The proxy before {server.host} is of kind '{address.scheme}'; http and https are "
            "possible."
        )
    headers = None
    if address.username:
        pair = f"{address.username}:{address.password or ''}"
        headers = urllib3.make_headers(proxy_basic_auth=pair)
    bare = f"{address.scheme}://{address.hostname}:{address.port or 80}"
    return _as_wished(urllib3.ProxyManager(bare, proxy_headers=headers, **more), tls)


def _as_wished(pool: urllib3.PoolManager, tls: ssl.SSLContext) -> urllib3.PoolManager:
    """Let urllib3 not warn at each request of what the kubeconfig asks for in so many words."""
    if tls.verify_mode == ssl.CERT_NONE:
        pool.pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": _UncheckedPool}
    return pool


class _UncheckedConnection(HTTPSConnection):
    """To a server whose certificate is not to be checked."""

    def connect(self) -> None:
        super().connect()
        self.is_verified = True


class _UncheckedPool(HTTPSConnectionPool):
    """Connections of that kind."""

    ConnectionCls = _UncheckedConnection


def _socket_options() -> list[tuple[int, int, int]]:
    options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    # Without these a watch over a line that was cut silently would wait for hours.
    for name, value in (
        ("TCP_KEEPIDLE", _KEEP_ALIVE_S),
        ("TCP_KEEPINTVL", _KEEP_ALIVE_S // _KEEP_ALIVE_TRIES),
        ("TCP_KEEPCNT", _KEEP_ALIVE_TRIES),
    ):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


def _proxy_of_environment(host: str) -> str:
    """Return the proxy that `HTTPS_PROXY` and `NO_PROXY` name for a host, as kubectl does."""
    address = urlsplit(host)
    variable = f"{address.scheme}_proxy"
    proxy = os.environ.get(variable) or os.environ.get(variable.upper()) or ""
    if not proxy or _is_loopback(address.hostname or ""):
        return ""
    # Only here: it costs 10 ms.
    from urllib.request import proxy_bypass

    if proxy_bypass(address.netloc):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
