"""Signed tokens of service accounts: nothing is kept of them but the key that signs them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path
from typing import Any

from .kubeconfig import write_private

ISSUER = "https://kubernetes.default.svc"
"""Who signs, and the audience of a token for this API."""

KEY_FILE = "token.key"
_HEADER = {"alg": "HS256", "typ": "JWT"}

Claims = dict[str, Any]


class Tokens:
    """Issues and reads tokens in the form of JSON Web Tokens (RFC 7519, HMAC with SHA-256).

    Parameters
    ----------
    key : bytes
        Who has it can be anybody.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, claims: Claims) -> str:
        """Return a token with these claims."""
        text = f"{_encode(json.dumps(_HEADER).encode())}.{_encode(json.dumps(claims).encode())}"
        return f"{text}.{_encode(self._sign(text))}"

    def read(self, token: str) -> Claims | None:
        """Return the claims of a token that was issued with this key and is valid now, else None.

        Whether its audience, account and pod are right is for the caller.
        """
        text, _, signature = token.rpartition(".")
        try:
            if not hmac.compare_digest(_decode(signature), self._sign(text)):
                return None
            claims = json.loads(_decode(text.partition(".")[2]))
        except (ValueError, binascii.Error):
            return None
        # `nbf` is not looked at: who signs is who reads, and its clock may have been set back.
        return claims if time.time() < claims.get("exp", 0) else None

    def _sign(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()


def ensure_key(folder: Path) -> bytes:
    """Return the key of a data directory, chosen at its first start; without it, a new one.

    Removing the file makes every token invalid that was issued before.
    """
    path = folder / KEY_FILE
    try:
        return path.read_bytes()
    except FileNotFoundError:
        key = secrets.token_bytes(32)
        write_private(path, key)
        return key


def account_claims(
    namespace: str,
    name: str,
    uid: str,
    *,
    lasts_s: float,
    audiences: list[str] | None = None,
    bound_to: Claims | None = None,
) -> Claims:
    """Return the claims of a token of a service account, as the real API server writes them.

    Parameters
    ----------
    namespace, name, uid : str
        The service account.
    lasts_s : float
        Seconds that the token is valid.
    audiences : list of str, optional
        Whom it is for; by default this API.
    bound_to : dict, optional
        `{"pod": {"name": ..., "uid": ...}}`: with that object the token ends.
    """
    now = int(time.time())
    return {
        "aud": audiences or [ISSUER],
        "exp": now + int(lasts_s),
        "iat": now,
        "iss": ISSUER,
        "jti": secrets.token_hex(16),
        "kubernetes.io": {
            "namespace": namespace,
            **(bound_to or {}),
            "serviceaccount": {"name": name, "uid": uid},
        },
        "nbf": now,
        "sub": f"system:serviceaccount:{namespace}:{name}",
    }


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
