"""From a kubeconfig context to what a request needs: host, TLS and the Authorization header.

A user entry that holds a token or certificates is read here. Everything else (exec plugins,
auth providers, token files that are refreshed) is left to the official client, which is
imported only then: importing it costs more CPU than a whole small pipeline.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml

from fairlead.errors import ClusterError, NotFoundError

_STATIC_USER_FIELDS = {
    "token",
    "client-certificate-data",
    "client-key-data",
    "client-certificate",
    "client-key",
}
_STATIC_CLUSTER_FIELDS = {
    "server",
    "certificate-authority-data",
    "certificate-authority",
    "insecure-skip-tls-verify",
}


@dataclass(frozen=True)
class Credentials:
    """How to reach one API server as one user.

    Attributes
    ----------
    host : str
        Base URL without a trailing slash.
    pool : urllib3.PoolManager
        Connections with the right certificate authority and client certificate.
    headers : callable
        Returns the headers that authenticate a request; called for each one, because
        tokens may be refreshed.
    """

    host: str
    pool: urllib3.PoolManager
    headers: Callable[[], dict[str, str]]


def read_kubeconfig(path: Path) -> dict[str, Any]:
    """Read one kubeconfig file.

    Raises
    ------
    NotFoundError
        There is no such file.
    ClusterError
        It is not a kubeconfig.
    """
    try:
        config = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no kubeconfig at {path}.",
            hint="Start the embedded control plane with `fairlead up`, or name another file.",
        ) from error
    except yaml.YAMLError as error:
        raise ClusterError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(config, dict) or "contexts" not in config:
        raise ClusterError(f"{path} is not a kubeconfig: it has no `contexts`.")
    return config


def entry(config: dict[str, Any], section: str, name: str, path: Path) -> dict[str, Any]:
    """Return the named entry of `contexts`, `clusters` or `users`.

    Raises
    ------
    NotFoundError
        No entry of that name.
    """
    key = section.rstrip("s")
    for item in config.get(section) or []:
        if item.get("name") == name:
            found: dict[str, Any] = item.get(key) or {}
            return found
    known = ", ".join(item.get("name", "?") for item in config.get(section) or []) or "none"
    raise NotFoundError(f"No {key} '{name}' in {path}; it has: {known}.")


def load_credentials(path: Path, context: str) -> Credentials:
    """Read the credentials of `context` from the kubeconfig at `path`."""
    config = read_kubeconfig(path)
    chosen = entry(config, "contexts", context, path)
    cluster = entry(config, "clusters", chosen.get("cluster", ""), path)
    user = entry(config, "users", chosen.get("user", ""), path)
    if set(user) <= _STATIC_USER_FIELDS and set(cluster) <= _STATIC_CLUSTER_FIELDS:
        return _static_credentials(path, cluster, user)
    return _official_credentials(path, context)


def _static_credentials(path: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Credentials:
    tls = ssl.create_default_context()
    if cluster.get("insecure-skip-tls-verify"):
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    elif "certificate-authority-data" in cluster:
        pem = base64.b64decode(cluster["certificate-authority-data"]).decode()
        tls = ssl.create_default_context(cadata=pem)
    elif "certificate-authority" in cluster:
        tls = ssl.create_default_context(cafile=str(path.parent / cluster["certificate-authority"]))
    _load_client_certificate(tls, path, user)
    token = user.get("token")
    header = {"Authorization": f"Bearer {token}"} if token else {}
    pool = urllib3.PoolManager(ssl_context=tls, maxsize=16, retries=False)
    return Credentials(cluster["server"].rstrip("/"), pool, lambda: header)


def _load_client_certificate(tls: ssl.SSLContext, path: Path, user: dict[str, Any]) -> None:
    if "client-certificate" in user:
        tls.load_cert_chain(
            path.parent / user["client-certificate"], path.parent / user["client-key"]
        )
    elif "client-certificate-data" in user:
        # The ssl module reads certificates from files only.
        handle, name = tempfile.mkstemp(prefix="fairlead-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64decode(user["client-certificate-data"]) + b"\n")
                file.write(base64.b64decode(user["client-key-data"]))
            tls.load_cert_chain(name)
        finally:
            os.unlink(name)


def _official_credentials(path: Path, context: str) -> Credentials:
    from kubernetes import config as official
    from kubernetes.config.config_exception import ConfigException

    try:
        client = official.new_client_from_config(config_file=str(path), context=context)
    except ConfigException as error:
        raise ClusterError(f"Context '{context}' of {path} cannot be used: {error}") from error
    settings = client.configuration

    def headers() -> dict[str, str]:
        auth = settings.auth_settings().get("BearerToken")
        return {"Authorization": auth["value"]} if auth else {}

    pool: urllib3.PoolManager = client.rest_client.pool_manager
    return Credentials(settings.host.rstrip("/"), pool, headers)
