"""The kubeconfig of this control plane: how clients find it, and its memory of port and token."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import NamedTuple

_TEMPLATE = """\
apiVersion: v1
kind: Config
current-context: local
contexts:
- name: local
  context:
    cluster: fairlead
    user: fairlead
    namespace: {namespace}
clusters:
- name: fairlead
  cluster:
    server: https://127.0.0.1:{port}
    certificate-authority-data: {ca}
users:
- name: fairlead
  user:
    token: {token}
preferences: {{}}
"""

_PORT = re.compile(r"^\s*server: https://127\.0\.0\.1:(\d+)\s*$", re.MULTILINE)
_TOKEN = re.compile(r"^\s*token: (\S+)\s*$", re.MULTILINE)


class Access(NamedTuple):
    """What is chosen once per data directory and kept over restarts."""

    port: int
    token: str


def read_kubeconfig(path: Path) -> Access | None:
    """Return port and token of an earlier start, or None when there was none."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    port, token = _PORT.search(text), _TOKEN.search(text)
    return Access(int(port[1]), token[1]) if port and token else None


def write_kubeconfig(path: Path, access: Access, ca: bytes) -> None:
    """Write the file whole or not at all; mode 0600.

    Parameters
    ----------
    path : Path
        Where clients look for it.
    access : Access
        Port and token.
    ca : bytes
        The certificate authority, PEM.
    """
    write_private(path, kubeconfig_text(access, ca).encode())


def kubeconfig_text(access: Access, ca: bytes, namespace: str = "default") -> str:
    """Return a kubeconfig whose context `local` is this control plane and a namespace."""
    return _TEMPLATE.format(
        port=access.port,
        token=access.token,
        ca=base64.b64encode(ca).decode(),
        namespace=namespace,
    )


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 by rename, so that no reader sees half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(draft, path)
