"""How a kubeconfig's user logs in: from its entry to headers and a client certificate."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.errors import ClusterError
from fairlead.kube.exec_plugin import run_plugin
from fairlead.kube.kubeconfig import Entry

Headers = tuple[tuple[str, str], ...]

_TOKEN_FILE_S = 60.0
"""A token file is read again after so long: whoever renews the token writes it there."""
_EARLY_S = 10.0
"""A login is renewed this long before it expires, so that no request is under way then."""


@dataclass(frozen=True)
class Login:
    """What a request needs to be somebody's.

    Attributes
    ----------
    headers : tuple of (str, str)
        Headers that authenticate; holds secrets.
    certificate : tuple of (bytes, bytes) or None
        Client certificate and key, PEM.
    expires : float or None
        When it ends, seconds since the epoch.
    """

    headers: Headers = field(default=(), repr=False)
    certificate: tuple[bytes, bytes] | None = field(default=None, repr=False)
    expires: float | None = None

    def valid(self) -> bool:
        """Whether it lasts for another request."""
        return self.expires is None or time.time() < self.expires - _EARLY_S


def login_of(user: Entry, cluster: Entry) -> Callable[[], Login]:
    """Return what logs a user in, called again when the login has expired or was refused.

    Raises
    ------
    ClusterError
        When called: a file cannot be read, or a plugin fails.
    """
    values = user.values
    if "exec" in values:
        return lambda: _with_impersonation(_by_plugin(user, cluster), values)
    lasts_s = _TOKEN_FILE_S + _EARLY_S if values.get("tokenFile") else None

    def log_in() -> Login:
        expires = time.time() + lasts_s if lasts_s else None
        return _with_impersonation(Login(_own_headers(user), _certificate(user), expires), values)

    return log_in


def _by_plugin(user: Entry, cluster: Entry) -> Login:
    status = run_plugin(user, cluster)
    token = status.get("token")
    certificate = None
    if status.get("clientCertificateData"):
        key = status.get("clientKeyData") or ""
        certificate = (status["clientCertificateData"].encode(), key.encode())
    return Login(
        _authorization(f"Bearer {token}") if token else (),
        certificate or _certificate(user),
        status.get("expires"),
    )


def _own_headers(user: Entry) -> Headers:
    values = user.values
    if values.get("tokenFile"):
        # As kubectl: the file counts before the token, since it is the one that is renewed.
        return _authorization(f"Bearer {_read(user.path('tokenFile')).decode().strip()}")
    if values.get("token"):
        return _authorization(f"Bearer {values['token']}")
    if values.get("username"):
        pair = f"{values['username']}:{values.get('password') or ''}"
        return _authorization(f"Basic {base64.b64encode(pair.encode()).decode()}")
    return ()


def _authorization(value: str) -> Headers:
    return (("Authorization", value),)


def _with_impersonation(login: Login, values: dict[str, Any]) -> Login:
    """Add the user that the entry acts as."""
    if not values.get("as"):
        return login
    more = [("Impersonate-User", str(values["as"]))]
    if values.get("as-uid"):
        more.append(("Impersonate-Uid", str(values["as-uid"])))
    more += [("Impersonate-Group", str(group)) for group in values.get("as-groups") or ()]
    for key, extra in (values.get("as-user-extra") or {}).items():
        more += [(f"Impersonate-Extra-{key}", str(value)) for value in extra]
    return Login((*login.headers, *more), login.certificate, login.expires)


def _certificate(user: Entry) -> tuple[bytes, bytes] | None:
    certificate = pem_of(user, "client-certificate")
    key = pem_of(user, "client-key")
    return (certificate, key or b"") if certificate else None


def pem_of(entry: Entry, key: str) -> bytes | None:
    """Return what an entry holds as `KEY-data` or names as file `KEY`."""
    data = entry.values.get(f"{key}-data")
    if data:
        try:
            return base64.b64decode(data)
        except ValueError as error:
            raise ClusterError(f"`{key}-data` in {entry.file} is not valid base64.") from error
    return _read(entry.path(key)) if entry.values.get(key) else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ClusterError(f"{path} cannot be read: {error.strerror}.") from error
