"""The verbs of the API on objects and collections."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from starlette.requests import Request

from ..resources import (
    NAMESPACE,
    POD,
    PVC,
    SERVICE,
    ApiError,
    Json,
    Kind,
    Resources,
    Transaction,
    bad_request,
    conflict,
)
from ..resources.patch import json_patch, merge_patch, strategic_merge_patch
from ..resources.schemas import Schema, builtin_schema
from ..resources.schemas.decode import decode, decode_patched, read_mode
from .http import read_json, read_object, warn
from .paths import Target

T = TypeVar("T")
Answer = tuple[Json, int]

_PATCHES: dict[str, Callable[[Json, Any], Any]] = {
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_merge_patch,
    "application/json-patch+json": json_patch,
}
# Kinds whose deletion answers with the object, as in the real API; others answer a Status.
_RETURNED = (POD, PVC, SERVICE, NAMESPACE)


class _DryRunError(Exception):
    """Carries the result out of a transaction that must not be kept."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


class ObjectVerbs:
    """Create, get, list, replace, patch and delete.

    Parameters
    ----------
    resources : Resources
        The gate that decides everything but HTTP.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def answer(self, request: Request, target: Target) -> Answer:
        """Do what the request asks and return body and HTTP status.

        Raises
        ------
        ApiError
            Any refusal; 405 for a verb that the target does not have.
        """
        if target.subresource not in ("", "status", "finalize"):
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        verbs = _COLLECTION if target.name is None else _STATUS if target.subresource else _ITEM
        verb = verbs.get(request.method)
        if verb is None:
            message = "the server does not allow this method on the requested resource"
            raise ApiError(405, "MethodNotAllowed", message)
        return await verb(self, request, target)

    async def _change(self, query: Mapping[str, str], change: Callable[[Transaction], T]) -> T:
        if query.get("dryRun") != "All":
            return await self._resources.transaction(change)

        def dry(transaction: Transaction) -> None:
            raise _DryRunError(change(transaction))

        try:
            await self._resources.transaction(dry)
        except _DryRunError as done:
            result: T = done.result
            return result
        raise AssertionError("a dry run always raises")

    async def _list(self, request: Request, target: Target) -> Answer:
        query = request.query_params
        found = await self._resources.list(
            target.kind,
            target.namespace,
            label_selector=query.get("labelSelector", ""),
            field_selector=query.get("fieldSelector", ""),
            limit=_number(query, "limit") or 0,
            after=_read_continue(query.get("continue", "")),
        )
        metadata = {"resourceVersion": found.resource_version}
        if found.next is not None:
            metadata["continue"] = base64.urlsafe_b64encode(orjson.dumps(found.next)).decode()
        return {
            "kind": f"{target.kind.kind}List",
            "apiVersion": target.kind.api_version,
            "metadata": metadata,
            "items": found.items,
        }, 200

    async def _create(self, request: Request, target: Target) -> Answer:
        obj = await _read(request, target)
        created = await self._change(request.query_params, lambda change: change.create(obj))
        return created, 201

    async def _get(self, request: Request, target: Target) -> Answer:
        assert target.name is not None
        return await self._resources.get(target.kind, target.name, target.namespace), 200

    async def _replace(self, request: Request, target: Target) -> Answer:
        obj = await _read(request, target)

        def change(transaction: Transaction) -> Json:
            if target.subresource == "status":
                return transaction.update_status(obj)
            return transaction.update(obj)

        return await self._change(request.query_params, change), 200

    async def _patch(self, request: Request, target: Target) -> Answer:
        media = request.headers.get("content-type", "").partition(";")[0].strip()
        apply = _PATCHES.get(media)
        if apply is None:
            message = (
                "the body of the request was in an unknown format - accepted media types include: "
                + ", ".join(_PATCHES)
            )
            raise ApiError(415, "UnsupportedMediaType", message)
        patch = await read_json(request)
        mode = read_mode(request.query_params.get("fieldValidation", ""))
        schema = schema_of(target.kind)
        warnings: list[str] = []

        def change(transaction: Transaction) -> Json:
            assert target.name is not None
            before = transaction.get(target.kind, target.name, target.namespace)
            patched = apply(before, patch)
            if not isinstance(patched, dict):
                raise bad_request("the patch does not leave a JSON object")
            obj = _complete(patched, target)
            obj, warnings[:] = decode_patched(target.kind, obj, schema, mode, patch)
            if target.subresource == "status":
                return transaction.update_status(obj)
            return transaction.update(obj)

        changed = await self._change(request.query_params, change)
        warn(request, warnings)
        return changed, 200

    async def _delete(self, request: Request, target: Target) -> Answer:
        options = await _delete_options(request)

        def change(transaction: Transaction) -> Json:
            assert target.name is not None
            return _delete_one(transaction, target, target.name, options)

        gone = await self._change(request.query_params, change)
        if target.kind in _RETURNED or "deletionTimestamp" in gone["metadata"]:
            return gone, 200
        details = {"name": target.name, "kind": target.kind.plural, "uid": gone["metadata"]["uid"]}
        if target.kind.group:
            details["group"] = target.kind.group
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details,
        }, 200

    async def _delete_collection(self, request: Request, target: Target) -> Answer:
        query = request.query_params
        options = await _delete_options(request)

        def change(transaction: Transaction) -> list[Json]:
            gone = []
            for obj in transaction.list(
                target.kind,
                target.namespace,
                label_selector=query.get("labelSelector", ""),
                field_selector=query.get("fieldSelector", ""),
            ):
                metadata = obj["metadata"]
                place = target._replace(namespace=metadata.get("namespace"))
                # The cascade of one before may have taken it along.
                if transaction.find(target.kind, metadata["name"], place.namespace) is not None:
                    gone.append(_delete_one(transaction, place, metadata["name"], options))
            return gone

        items = await self._change(query, change)
        return {
            "kind": f"{target.kind.kind}List",
            "apiVersion": target.kind.api_version,
            "metadata": {"resourceVersion": self._resources.version},
            "items": items,
        }, 200


_COLLECTION = {
    "GET": ObjectVerbs._list,
    "POST": ObjectVerbs._create,
    "DELETE": ObjectVerbs._delete_collection,
}
_ITEM = {
    "GET": ObjectVerbs._get,
    "PUT": ObjectVerbs._replace,
    "PATCH": ObjectVerbs._patch,
    "DELETE": ObjectVerbs._delete,
}
_STATUS = {
    "GET": ObjectVerbs._get,
    "PUT": ObjectVerbs._replace,
    "PATCH": ObjectVerbs._patch,
}


def schema_of(kind: Kind) -> Schema | None:
    """Return the schema of a kind; None for one that takes anything."""
    return builtin_schema(kind.api_version, kind.kind)


async def _read(request: Request, target: Target) -> Json:
    """Read the object of a request, as strictly as the request asks."""
    given, body = await read_object(request)
    mode = read_mode(request.query_params.get("fieldValidation", ""))
    obj = _complete(given, target)
    obj, warnings = decode(target.kind, obj, schema_of(target.kind), mode, body)
    warn(request, warnings)
    return obj


def _complete(obj: Json, target: Target) -> Json:
    """Fill in what the URL says about an object, and refuse what contradicts it."""
    kind = target.kind
    given = (obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind)
    if given != (kind.api_version, kind.kind):
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.kind} in "
            f"{kind.api_version}): it is a {given[1]} in {given[0]}"
        )
    metadata = obj.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    metadata = dict(metadata)
    if kind.namespaced:
        if target.namespace is None:
            raise ApiError(405, "MethodNotAllowed", "a namespace is needed to create an object")
        if metadata.setdefault("namespace", target.namespace) != target.namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
    if target.name is not None and metadata.setdefault("name", target.name) != target.name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL "
            f"({target.name})"
        )
    return {**obj, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}


async def _delete_options(request: Request) -> Json:
    options = await read_json(request)
    if options is not None and not isinstance(options, dict):
        raise bad_request("the delete options must be a JSON object")
    merged = {**(options or {})}
    query = request.query_params
    if "gracePeriodSeconds" in query:
        merged["gracePeriodSeconds"] = _number(query, "gracePeriodSeconds")
    if "propagationPolicy" in query:
        merged["propagationPolicy"] = query["propagationPolicy"]
    return merged


def _delete_one(transaction: Transaction, target: Target, name: str, options: Json) -> Json:
    conditions = options.get("preconditions") or {}
    version = conditions.get("resourceVersion")
    if version:
        stored = transaction.get(target.kind, name, target.namespace)["metadata"]["resourceVersion"]
        if stored != version:
            why = (
                f"Precondition failed: ResourceVersion in precondition: {version}, "
                f"ResourceVersion in object meta: {stored}"
            )
            raise conflict(target.kind, name, why)
    return transaction.delete(
        target.kind,
        name,
        target.namespace,
        grace_period_seconds=options.get("gracePeriodSeconds"),
        uid=conditions.get("uid"),
        orphan=options.get("propagationPolicy") == "Orphan"
        or bool(options.get("orphanDependents")),
    )


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax ({name})') from error


def _read_continue(token: str) -> tuple[str, str] | None:
    if not token:
        return None
    try:
        namespace, name = orjson.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_request("continue key is not valid") from error
    return str(namespace), str(name)
