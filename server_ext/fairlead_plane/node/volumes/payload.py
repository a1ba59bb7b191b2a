"""What the files of a ConfigMap, Secret, downward API or projected volume hold."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from ...resources import CONFIG_MAP, SECRET, Json, Kind, Resources
from ..problems import HoldError
from ..variables import pod_field, resource_field

Token = Callable[[str, int], str]
"""(audience, seconds that it is valid) -> a token of the pod's service account."""

TOKEN_S = 3600
"""Seconds that a projected token is valid when the spec does not say."""


class File(NamedTuple):
    """One file of a volume."""

    content: bytes
    mode: int


class Context(NamedTuple):
    """What the content of a pod's volumes may depend on."""

    resources: Resources
    pod: Json
    allocatable: Mapping[str, Decimal]
    token: Token
    ca: bytes
    """Certificate of the plane's own authority, PEM."""


async def build_payload(context: Context, volume: Json) -> dict[str, File]:
    """Return the files of a volume by their path in it.

    Parameters
    ----------
    context : Context
        The pod and where to look.
    volume : dict
        Entry of `spec.volumes` with `configMap`, `secret`, `downwardAPI` or `projected`.

    Raises
    ------
    HoldError
        Something that is not optional is not there yet; in the kubelet's words.
    """
    name = volume["name"]
    if "projected" in volume:
        source = volume["projected"]
        mode = source.get("defaultMode", 0o644)
        files: dict[str, File] = {}
        for part in source.get("sources") or ():
            files |= await _part(context, name, part, mode)
        return files
    source = next(volume[key] for key in ("configMap", "secret", "downwardAPI") if key in volume)
    return await _part(context, name, volume, source.get("defaultMode", 0o644))


async def _part(context: Context, volume: str, part: Json, mode: int) -> dict[str, File]:
    if "configMap" in part:
        source = part["configMap"]
        return await _keys(context, volume, CONFIG_MAP, source.get("name", ""), source, mode)
    if "secret" in part:
        source = part["secret"]
        name = source.get("secretName") or source.get("name") or ""
        return await _keys(context, volume, SECRET, name, source, mode)
    if "downwardAPI" in part:
        items = part["downwardAPI"].get("items") or ()
        return {
            item["path"]: File(_downward(context, item).encode(), item.get("mode") or mode)
            for item in items
        }
    if "serviceAccountToken" in part:
        source = part["serviceAccountToken"]
        lasts_s = source.get("expirationSeconds") or TOKEN_S
        token = context.token(source.get("audience") or "", lasts_s)
        return {source["path"]: File(token.encode(), 0o600)}
    kind = next(iter(part), "nothing")
    raise failed_mount(volume, f"a projected source of type {kind} is not supported here")


def _downward(context: Context, item: Json) -> str:
    if item.get("fieldRef"):
        return pod_field(context.pod, item["fieldRef"]["fieldPath"])
    reference: dict[str, Any] = item["resourceFieldRef"]
    return resource_field(
        context.pod, context.pod["spec"]["containers"][0], reference, context.allocatable
    )


async def _keys(
    context: Context, volume: str, kind: Kind, name: str, source: Json, mode: int
) -> dict[str, File]:
    namespace = context.pod["metadata"]["namespace"]
    found = await context.resources.find(kind, name, namespace)
    if found is None and kind is CONFIG_MAP and name == "kube-root-ca.crt":
        found = {"data": {"ca.crt": context.ca.decode()}}
    if found is None:
        if source.get("optional"):
            return {}
        raise failed_mount(volume, f'{kind.kind.lower()} "{name}" not found')
    data = read_bytes(kind, found)
    if not source.get("items"):
        return {key: File(value, mode) for key, value in data.items()}
    files = {}
    for item in source["items"]:
        if item["key"] in data:
            files[item["path"]] = File(data[item["key"]], item.get("mode") or mode)
        elif not source.get("optional"):
            what = "configmap references non-existent config key"
            if kind is SECRET:
                what = "references non-existent secret key"
            raise failed_mount(volume, f"{what}: {item['key']}")
    return files


def read_bytes(kind: Kind, obj: Json) -> dict[str, bytes]:
    """Return all keys of a ConfigMap or Secret, decoded."""
    data = obj.get("data") or {}
    if kind is SECRET:
        return {key: base64.b64decode(value or "") for key, value in data.items()}
    binary = obj.get("binaryData") or {}
    return {key: value.encode() for key, value in data.items()} | {
        key: base64.b64decode(value) for key, value in binary.items()
    }


def failed_mount(volume: str, why: str) -> HoldError:
    """Build the error for a volume that cannot be set up now."""
    message = f'MountVolume.SetUp failed for volume "{volume}" : {why}'
    return HoldError("ContainerCreating", "", event=("FailedMount", message))
