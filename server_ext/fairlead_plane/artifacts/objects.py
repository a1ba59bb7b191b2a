"""Objects of a store, through fsspec: what they are known by, fetching and putting them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .access import SECRET_NAME, Access
from .content import entries
from .places import Place

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

STAMP = "object:"
"""Begins the stamp of what lies in a store."""

_ROLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip
"""Variables with which a cluster gives a pod a role instead of keys."""
_CHUNK = 8 << 20
_ENV_HOST, _ENV_PORT = "MINIO_SERVICE_SERVICE_HOST", "MINIO_SERVICE_SERVICE_PORT"


class StoreError(Exception):
    """The store refused, does not answer or is not to be reached; holds no secret."""


class Store:
    """The objects of one bucket.

    Parameters
    ----------
    place : Place
        Gives scheme and bucket.
    access : Access
        How to get at them.
    secrets : sequence of str
        Values of `access.keys`; empty: what `environ` has.
    environ : mapping
        Variables of the step, or of whoever looks.
    patience_s : float
        So long a failed request is tried again.

    Raises
    ------
    StoreError
        A package is missing, or nothing says where the store is.
    """

    def __init__(
        self,
        place: Place,
        access: Access,
        secrets: tuple[str, ...],
        environ: Mapping[str, str],
        *,
        patience_s: float = 60,
    ) -> None:
        self._what = f"{place.scheme}://{place.bucket}"
        self._secrets = tuple(one for one in secrets if one)
        self._files = self._open(place, access, environ, patience_s)

    def stamp(self, place: Place) -> tuple[str, int]:
        """Return what changes when an object or one below the prefix does, and the size in bytes.

        Returns
        -------
        tuple
            `("", 0)` when nothing is there. Made of the entity tags and sizes.
        """
        found = self._find(place)
        if not found:
            return "", 0
        size = sum(int(one["size"]) for one in found.values())
        if list(found) == [place.object]:
            return f"{STAMP}{found[place.object].get('e_tag')}:{size}", size
        digest = hashlib.sha256()
        for name, one in sorted(found.items()):
            digest.update(f"{name}\0{one.get('e_tag')}:{one['size']}\0".encode())
        return f"{STAMP}{digest.hexdigest()[:32]}:{size}", size

    def fetch(self, place: Place, path: str) -> bool:
        """Copy an object, or all below a prefix, to a file or folder; False when there is none."""
        found = self._find(place)
        for name in found:
            inner = name[len(place.object) :].strip("/")
            target = Path(path, inner) if inner else Path(path)
            if not target.resolve().is_relative_to(Path(path).resolve()):
                raise StoreError(f"{self._what}: the key {name} leads out of its folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._said(f"{self._what} cannot be read"):
                with self._files.open(name, "rb") as source, open(target, "wb") as file:
                    shutil.copyfileobj(source, file, _CHUNK)
        return bool(found)

    def put(self, path: str, place: Place) -> None:
        """Copy a file, or all files below a folder, to an object or below a prefix."""
        names = [name for name, _ in entries(path)] if os.path.isdir(path) else [""]
        what = f"{self._what} cannot be written to"
        for name in names:
            target = f"{place.object}/{name}" if name else place.object
            try:
                with self._said(what):
                    self._files.put_file(os.path.join(path, name) if name else path, target)
            except FileNotFoundError as error:
                raise StoreError(f"{what}: there is no such bucket") from error

    def open(self, place: Place) -> Any:
        """Open one object for reading; FileNotFoundError when there is none."""
        with self._said(f"{self._what} cannot be read"):
            return self._files.open(place.object, "rb")

    def _find(self, place: Place) -> dict[str, Any]:
        """Return the objects at a place, or below it, with size and entity tag."""
        with self._said(f"{self._what} cannot be read"):
            try:
                one = self._files.info(place.object)
            except FileNotFoundError:
                return {}
            if one["type"] == "file":
                return {place.object: one}
            found: dict[str, Any] = self._files.find(place.object, detail=True)
            return {name: one for name, one in found.items() if one["type"] == "file"}

    def _open(
        self, place: Place, access: Access, environ: Mapping[str, str], patience_s: float
    ) -> AbstractFileSystem:
        try:
            from obstore.fsspec import FsspecStore
        except ImportError as error:
            raise StoreError(
                f"{self._what} needs a package that is not installed where Fairlead runs: "
                'pip install "fairlead[remote]"'
            ) from error
        options: dict[str, Any] = {
            # A store of the same settings would keep what was listed before.
            "skip_instance_cache": True,
            "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=patience_s)},
            "client_options": {"allow_http": True, "connect_timeout": timedelta(seconds=5)},
        }
        make: Any = FsspecStore  # typed by scheme, so it cannot take a dictionary of options
        if place.scheme == "gs":
            files: AbstractFileSystem = make("gs", config=self._gs(environ), **options)
        else:
            files = make("s3", config=self._s3(place, access, environ), **options)
        return files

    def _gs(self, environ: Mapping[str, str]) -> dict[str, Any]:
        if self._secrets:
            return {"service_account_key": self._secrets[0]}
        path = environ.get("GOOGLE_APPLICATION_CREDENTIALS")
        # Without an account what is public can be read.
        return {"application_credentials": path} if path else {"skip_signature": True}

    def _s3(self, place: Place, access: Access, environ: Mapping[str, str]) -> dict[str, Any]:
        endpoint = access.endpoint or environ.get("AWS_ENDPOINT_URL_S3", "")
        endpoint = endpoint or environ.get("AWS_ENDPOINT_URL", "")
        if not endpoint and place.scheme == "minio":
            if _ENV_HOST not in environ:
                raise StoreError(
                    f"nothing says where {self._what} is: set `endpoint` for `minio` under "
                    "`providers` of the ConfigMap kfp-launcher, or AWS_ENDPOINT_URL for the step"
                )
            endpoint = f"http://{environ[_ENV_HOST]}:{environ.get(_ENV_PORT, '9000')}"
        key, secret, session = (*self._secrets, "", "", "")[:3]
        if not self._secrets:
            key = environ.get("AWS_ACCESS_KEY_ID", "")
            secret = environ.get("AWS_SECRET_ACCESS_KEY", "")
            session = environ.get("AWS_SESSION_TOKEN", "")
            self._secrets = tuple(one for one in (key, secret, session) if one)
        region = access.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        config: dict[str, Any] = {"region": region or "us-east-1"}
        if endpoint:
            config["endpoint"] = endpoint
        if key and secret:
            config |= {"access_key_id": key, "secret_access_key": secret}
            if session:
                config["session_token"] = session
        elif not any(environ.get(name) for name in _ROLES):
            # Asking the network for a role would only take time where there is none.
            raise StoreError(
                f"nothing says who reads {self._what}: make the Secret {SECRET_NAME} with "
                "`accesskey` and `secretkey`, or give the step AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY"
            )
        return config

    @contextlib.contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """Turn what the store's library raises into words, without secrets.

        What is not there stays a FileNotFoundError.
        """
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError:
            raise
        except (BaseError, OSError, ValueError) as error:
            text = str(error).strip().split("\n")[0][:300]
            for secret in self._secrets:
                text = text.replace(secret, "***")
            raise StoreError(f"{what}: {text or type(error).__name__}") from None
