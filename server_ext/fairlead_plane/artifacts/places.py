"""Where an artifact lies: a file of this machine, or an object of a store."""

from __future__ import annotations

from dataclasses import dataclass

FOLDERS = {"s3": "/s3", "gs": "/gcs", "minio": "/minio"}
"""Scheme -> where a step sees the objects, as KFP's launcher shows them."""


@dataclass(frozen=True)
class Place:
    """An object, or all objects whose keys begin with a prefix."""

    scheme: str
    bucket: str
    key: str

    @property
    def path(self) -> str:
        """Where a step sees it."""
        return f"{FOLDERS[self.scheme]}/{self.bucket}/{self.key}".rstrip("/")

    @property
    def object(self) -> str:
        """Bucket and key, as file systems of fsspec name it."""
        return f"{self.bucket}/{self.key}"


def remote(uri: str) -> Place | None:
    """Return the place of an object; `None` for what is no object of a store that we know."""
    scheme, found, rest = uri.partition("://")
    if not found or scheme not in FOLDERS:
        return None
    bucket, _, key = rest.partition("/")
    return Place(scheme, bucket, key.strip("/")) if bucket else None
