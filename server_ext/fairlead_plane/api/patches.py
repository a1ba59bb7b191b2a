"""PATCH: what a body means by its media type, and the object that it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request

from ..resources import ApiError, Json, Kind, Registry, bad_request
from ..resources.patch import json_patch, merge_patch, strategic_merge_patch
from ..resources.schemas import Schema
from .http import load_json, read_body
from .yaml_bodies import load_yaml

APPLY = "application/apply-patch+yaml"
_JSON = "application/json-patch+json"
_MERGE = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"

Patch = Callable[[Json], Any]


class PatchBody:
    """The patch of a request.

    Attributes
    ----------
    media : str
        Its media type.
    content : Any
        The patch, parsed.
    """

    def __init__(self, media: str, content: Any) -> None:
        self.media = media
        self.content = content

    @property
    def applies(self) -> bool:
        """True for a server-side apply."""
        return self.media == APPLY

    def patched(self, before: Json, schema: Schema | None) -> Json:
        """Return the object that the patch makes of another; not for an apply."""
        if self.media == _JSON:
            return json_patch(before, self.content)
        if not isinstance(self.content, dict):
            raise bad_request("a merge patch must be a JSON object")
        if self.media == _MERGE:
            found = merge_patch(before, self.content)
        else:
            found = strategic_merge_patch(before, self.content, schema)
        if not isinstance(found, dict):
            raise bad_request("the patch does not leave a JSON object")
        return found


async def read_patch(request: Request, kind: Kind, registry: Registry) -> PatchBody:
    """Read the patch of a request.

    Raises
    ------
    ApiError
        415 for a media type that this kind does not take; 400 for a body that cannot be read.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    schema = registry.schema(kind)
    # What has no built-in types has no strategic merge, as on a cluster.
    strategic = schema is not None and bool(schema.name)
    served = (_JSON, _MERGE, *((_STRATEGIC,) if strategic else ()), APPLY)
    if media not in served:
        message = (
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(served)
        )
        raise ApiError(415, "UnsupportedMediaType", message)
    body = await read_body(request)
    if media == APPLY:
        return PatchBody(media, _read_yaml(body))
    try:
        return PatchBody(media, load_json(body))
    except orjson.JSONDecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from error


def _read_yaml(body: bytes) -> Json:
    try:
        found: Any = load_json(body)  # JSON is YAML, and most clients send it
    except orjson.JSONDecodeError:
        found = load_yaml(body)
    if not isinstance(found, dict):
        raise bad_request("error decoding YAML: an object is needed")
    return found
