"""From a context to what a request needs: host, connections and the headers that authenticate.

Tokens, files, certificates and credential plugins are read here. The old auth providers are left
to the official client, which is imported only then: importing it costs more CPU than a whole
small pipeline.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import urllib3

from fairlead.errors import ClusterError
from fairlead.kube import contexts
from fairlead.kube.connections import make_pool, read_server
from fairlead.kube.contexts import Context
from fairlead.kube.kubeconfig import Entry, load_kubeconfig
from fairlead.kube.login import Headers, Login, login_of, pem_of


class Credentials:
    """How to reach one API server as one user. Threads may share it.

    Parameters
    ----------
    host : str
        Base URL without a trailing slash.
    login : callable
        Logs in; called at first use, when a login has expired, and when one was refused.
    make_pool : callable
        Makes the connections for a client certificate, or for none.
    """

    def __init__(
        self,
        host: str,
        login: Callable[[], Login],
        make_pool: Callable[[tuple[bytes, bytes] | None], urllib3.PoolManager],
    ) -> None:
        self.host = host
        self._log_in = login
        self._make_pool = make_pool
        self._login: Login | None = None
        self._pool: urllib3.PoolManager | None = None
        self._lock = threading.Lock()

    def current(self) -> tuple[urllib3.PoolManager, Headers]:
        """Return the connections and the headers for the next request."""
        with self._lock:
            if self._login is None or not self._login.valid():
                self._take(self._log_in())
            assert self._pool is not None
            assert self._login is not None
            return self._pool, self._login.headers

    def renew(self, refused: Headers) -> bool:
        """Log in again after a 401; returns whether that gave another login.

        Parameters
        ----------
        refused : tuple
            The headers that were refused. Another thread may have logged in since.
        """
        with self._lock:
            if self._login is not None and self._login.headers == refused:
                fresh = self._log_in()
                if (fresh.headers, fresh.certificate) == (refused, self._login.certificate):
                    return False
                self._take(fresh)
            return True

    def _take(self, login: Login) -> None:
        certificate = self._login.certificate if self._login else None
        if self._pool is None or login.certificate != certificate:
            self._pool = self._make_pool(login.certificate)
        self._login = login


def load_credentials(context: Context) -> Credentials:
    """Read the credentials of a context.

    Raises
    ------
    NotFoundError
        The kubeconfig lacks the context, its cluster or its user.
    ClusterError
        It cannot be used; the message says why.
    """
    if context.source == "in-cluster":
        cluster, user = _of_pod()
        return _credentials(cluster, lambda: login_of(user, cluster)())
    cluster = load_kubeconfig(*context.files).cluster_of(context.entry)
    user = load_kubeconfig(*context.files).user_of(context.entry)
    if "auth-provider" in user.values:
        return _official_credentials(context)

    def log_in() -> Login:
        # Read anew each time: whoever logs in again writes a new token into the file.
        config = load_kubeconfig(*context.files)
        return login_of(config.user_of(context.entry), config.cluster_of(context.entry))()

    return _credentials(cluster, log_in)


def _credentials(cluster: Entry, log_in: Callable[[], Login]) -> Credentials:
    server = read_server(cluster)
    authority = pem_of(cluster, "certificate-authority")

    def make(certificate: tuple[bytes, bytes] | None) -> urllib3.PoolManager:
        return make_pool(server, _tls(cluster, authority, certificate))

    return Credentials(server.host, log_in, make)


def _of_pod() -> tuple[Entry, Entry]:
    """Return cluster and user as a kubeconfig would name them, from what every pod is given."""
    folder = contexts.SERVICE_ACCOUNT
    cluster = {"server": contexts.pod_server(), "certificate-authority": "ca.crt"}
    user = {"tokenFile": "token"}
    return Entry(cluster, folder / "_"), Entry(user, folder / "_")


def _tls(
    cluster: Entry, authority: bytes | None, certificate: tuple[bytes, bytes] | None
) -> ssl.SSLContext:
    try:
        tls = ssl.create_default_context(cadata=authority.decode() if authority else None)
        if cluster.values.get("insecure-skip-tls-verify"):
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        if certificate:
            _load_certificate(tls, *certificate)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise ClusterError(f"The certificates of {cluster.file} cannot be used: {error}") from error
    return tls


def _load_certificate(tls: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    # The ssl module reads certificates from files only.
    handle, name = tempfile.mkstemp(prefix="fairlead-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(certificate + b"\n" + key)
        tls.load_cert_chain(name)
    finally:
        os.unlink(name)


def _official_credentials(context: Context) -> Credentials:
    from kubernetes import config as official
    from kubernetes.config.config_exception import ConfigException

    try:
        client = official.new_client_from_config(
            config_file=os.pathsep.join(map(str, context.files)), context=context.entry
        )
    except ConfigException as error:
        raise ClusterError(f"Context '{context.name}' cannot be used: {error}") from error
    settings = client.configuration

    def log_in() -> Login:
        auth: dict[str, Any] = settings.auth_settings().get("BearerToken") or {}
        # It refreshes a token that has run out when it is asked.
        return Login((("Authorization", auth["value"]),) if auth else (), expires=0)

    pool: urllib3.PoolManager = client.rest_client.pool_manager
    host = settings.host.rstrip("/")
    if not urlsplit(host).hostname:
        raise ClusterError(f"Context '{context.name}' names no server.")
    return Credentials(host, log_in, lambda _: pool)
