"""The verbs of the API on objects and collections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request

from ..resources import (
    NAMESPACE,
    POD,
    PVC,
    SERVICE,
    ApiError,
    BodyList,
    Json,
    Resources,
    Transaction,
    bad_request,
    conflict,
    not_found,
)
from ..resources.apply import apply
from ..resources.managed import APPLY, UPDATE, Manager, track_update
from ..resources.schemas.decode import decode, decode_patched, read_mode
from ..resources.schemas.schema import ANYTHING
from .bodies import complete, read_target
from .deletes import delete_one, read_delete_options
from .http import read_flag, read_object, warn
from .lists import check_version, list_objects
from .patches import PatchBody, read_patch
from .paths import Target
from .pod_actions import ACTIONS, act_on_pod
from .scale import read_scale, write_scale

T = TypeVar("T")
Content = Json | bytes | BodyList
"""An object, its bytes as stored, or a list."""
Answer = tuple[Content, int]

# Kinds whose deletion answers with the object, as in the real API; others answer a Status.
_RETURNED = (POD, PVC, SERVICE, NAMESPACE)
_SUBRESOURCES = ("", "status", "finalize", "scale")
_LONGEST_MANAGER = 128


class _DryRunError(Exception):
    """Carries the result out of a transaction that must not be kept."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


class ObjectVerbs:
    """Create, get, list, replace, patch, apply and delete.

    Parameters
    ----------
    resources : Resources
        The gate that decides everything but HTTP.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._registry = resources.registry

    async def answer(self, request: Request, target: Target) -> Answer:
        """Do what the request asks and return content and HTTP status.

        Raises
        ------
        ApiError
            Any refusal; 404 for a subresource and 405 for a verb that the target does not have.
        """
        if target.kind is POD and target.name and target.subresource in ACTIONS:
            return await act_on_pod(self._resources, request, target), 201
        if not _has_subresource(target):
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        verbs = _COLLECTION if target.name is None else _SUB if target.subresource else _ITEM
        verb = verbs.get(request.method)
        together = request.method == "DELETE" and target.name is None
        if verb is None or (together and target.kind is NAMESPACE):
            message = "the server does not allow this method on the requested resource"
            raise ApiError(405, "MethodNotAllowed", message)
        return await verb(self, request, target)

    async def _change(
        self,
        query: Mapping[str, str],
        target: Target,
        change: Callable[[Transaction], T],
        *,
        short: bool = True,
    ) -> T:
        if not _is_dry(query):
            return await self._resources.transaction(change, short=short)

        def dry(transaction: Transaction) -> None:
            stored = transaction.find(target.kind, target.name or "", target.namespace)
            result = change(transaction)
            if isinstance(result, dict):
                _keep_version(result, stored)
            raise _DryRunError(result)

        try:
            await self._resources.transaction(dry)
        except _DryRunError as done:
            result: T = done.result
            return result
        raise AssertionError("a dry run always raises")

    async def _list(self, request: Request, target: Target) -> Answer:
        return list_objects(self._resources, target, request.query_params), 200

    async def _create(self, request: Request, target: Target) -> Answer:
        obj = await read_target(request, target, self._registry)
        manager = _manager(request, target, UPDATE)

        def change(transaction: Transaction) -> Json:
            return transaction.create(obj, managed=self._track(target, None, obj, manager))

        return await self._change(request.query_params, target, change), 201

    async def _get(self, request: Request, target: Target) -> Answer:
        assert target.name is not None
        if version := request.query_params.get("resourceVersion"):
            check_version(self._resources, version)
        found = self._resources.find_body(target.kind, target.name, target.namespace)
        if found is None:
            part = f"/{target.subresource}" if target.subresource == "scale" else ""
            raise not_found(target.kind._replace(plural=target.kind.plural + part), target.name)
        if target.subresource == "scale":
            return read_scale(target.kind, await self._current(target)), 200
        return found, 200

    async def _current(self, target: Target) -> Json:
        assert target.name is not None
        return await self._resources.get(target.kind, target.name, target.namespace)

    async def _replace(self, request: Request, target: Target) -> Answer:
        if target.subresource == "scale":
            return await self._replace_scale(request, target)
        obj = await read_target(request, target, self._registry)
        metadata = obj["metadata"]
        if target.kind.custom and not metadata.get("resourceVersion"):
            message = "Invalid value: 0x0: must be specified for an update"
            raise _invalid(target, "metadata.resourceVersion", message)
        manager = _manager(request, target, UPDATE)

        def change(transaction: Transaction) -> Json:
            assert target.name is not None
            before = transaction.get(target.kind, target.name, target.namespace)
            return self._write(transaction, target, before, obj, manager)

        return await self._change(request.query_params, target, change), 200

    async def _patch(self, request: Request, target: Target) -> Answer:
        patch = await read_patch(request, target.kind, self._registry)
        if target.subresource == "scale":
            return await self._patch_scale(request, target, patch)
        if patch.applies:
            return await self._apply(request, target, patch.content)
        if "force" in request.query_params:
            message = "Forbidden: may not be specified for non-apply patch"
            raise _unnamed("PatchOptions.meta.k8s.io", "force", message)
        mode = read_mode(request.query_params.get("fieldValidation", ""))
        schema = self._registry.schema(target.kind)
        manager = _manager(request, target, UPDATE)
        warnings: list[str] = []

        def change(transaction: Transaction) -> Json:
            assert target.name is not None
            before = transaction.get(target.kind, target.name, target.namespace)
            obj = complete(patch.patched(before, schema), target)
            obj, warnings[:] = decode_patched(target.kind, obj, schema, mode, patch.content)
            return self._write(transaction, target, before, obj, manager)

        changed = await self._change(request.query_params, target, change)
        warn(request, warnings)
        return changed, 200

    async def _apply(self, request: Request, target: Target, given: Json) -> Answer:
        kind, query = target.kind, request.query_params
        schema = self._registry.schema(kind)
        if not query.get("fieldManager"):
            message = "Required value: is required for apply patch"
            raise _unnamed("PatchOptions.meta.k8s.io", "fieldManager", message)
        manager = _manager(request, target, APPLY)
        if not given.get("kind") or not given.get("apiVersion"):
            raise bad_request("Object 'Kind' is missing in the applied configuration")
        metadata = given.get("metadata")
        if isinstance(metadata, dict) and metadata.get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        config, warnings = decode(
            kind, complete(given, target), schema, read_mode(query.get("fieldValidation", ""))
        )
        created: list[bool] = []

        def change(transaction: Transaction) -> Json:
            assert target.name is not None
            live = transaction.find(kind, target.name, target.namespace)
            if live is None and target.subresource:
                raise not_found(kind, target.name)
            version = config["metadata"].get("resourceVersion")
            if live is None and (version or config["metadata"].get("uid")):
                why = (
                    "uid mismatch: the provided object specified uid "
                    f"{config['metadata'].get('uid', '')}, and no existing object was found"
                )
                raise conflict(kind, target.name, why)
            obj, managed = apply(
                kind, schema or ANYTHING, live, config, manager, force=read_flag(query, "force")
            )
            created.append(live is None)
            if live is None:
                return transaction.create(obj, managed=managed)
            if version:
                obj["metadata"]["resourceVersion"] = version
            if target.subresource == "status":
                return transaction.update_status(obj, managed=managed)
            return transaction.update(obj, managed=managed)

        changed = await self._change(query, target, change)
        warn(request, warnings)
        return changed, 201 if created[-1] else 200

    async def _replace_scale(self, request: Request, target: Target) -> Answer:
        scale, _ = await read_object(request)
        return await self._write_scale(request, target, lambda _: scale)

    async def _patch_scale(self, request: Request, target: Target, patch: PatchBody) -> Answer:
        if patch.applies:
            return await self._write_scale(request, target, lambda _: patch.content)
        return await self._write_scale(request, target, lambda now: patch.patched(now, None))

    async def _write_scale(
        self, request: Request, target: Target, wanted: Callable[[Json], Json]
    ) -> Answer:
        manager = _manager(request, target, UPDATE)

        def change(transaction: Transaction) -> Json:
            assert target.name is not None
            before = transaction.get(target.kind, target.name, target.namespace)
            scale = wanted(read_scale(target.kind, before))
            obj = write_scale(target.kind, before, scale)
            changed = self._write(
                transaction, target._replace(subresource=""), before, obj, manager
            )
            return read_scale(target.kind, changed)

        return await self._change(request.query_params, target, change), 200

    def _write(
        self, transaction: Transaction, target: Target, before: Json, obj: Json, manager: Manager
    ) -> Json:
        managed = self._track(target, before, obj, manager)
        if target.subresource == "status":
            return transaction.update_status(obj, managed=managed)
        return transaction.update(obj, managed=managed)

    def _track(self, target: Target, old: Json | None, new: Json, manager: Manager) -> list[Json]:
        schema = self._registry.schema(target.kind) or ANYTHING
        return track_update(target.kind, schema, old, new, manager)

    async def _delete(self, request: Request, target: Target) -> Answer:
        options = await read_delete_options(request)

        def change(transaction: Transaction) -> Json:
            assert target.name is not None
            return delete_one(transaction, target, target.name, options)

        gone = await self._change(_with_dry(request, options), target, change, short=False)
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
        options = await read_delete_options(request)

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
                    gone.append(delete_one(transaction, place, metadata["name"], options))
            return gone

        items = await self._change(_with_dry(request, options), target, change, short=False)
        return {
            "kind": target.kind.list_kind or f"{target.kind.kind}List",
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
_SUB = {
    "GET": ObjectVerbs._get,
    "PUT": ObjectVerbs._replace,
    "PATCH": ObjectVerbs._patch,
}


def _keep_version(result: Json, stored: Json | None) -> None:
    """Take back the version of a dry run, in place: nothing has been stored."""
    if stored is not None:
        result["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
    else:
        result["metadata"].pop("resourceVersion", None)


def _has_subresource(target: Target) -> bool:
    kind, name = target.kind, target.subresource
    if name == "status":
        return kind.status_subresource
    if name == "scale":
        return kind.scale is not None
    if name == "finalize":
        return kind is NAMESPACE
    return not name


def _manager(request: Request, target: Target, operation: str) -> Manager:
    """Return who writes: as the request says, else the program's name."""
    given = request.query_params.get("fieldManager")
    if given and len(given) > _LONGEST_MANAGER:
        message = f"Too long: may not be more than {_LONGEST_MANAGER} bytes"
        raise _unnamed("PatchOptions.meta.k8s.io", "fieldManager", message)
    name = given or request.headers.get("user-agent", "").partition("/")[0] or "unknown"
    subresource = target.subresource if target.subresource != "finalize" else ""
    version = "" if operation == APPLY else target.kind.api_version
    return Manager(name[:_LONGEST_MANAGER], operation, version, subresource)


def _is_dry(query: Mapping[str, str]) -> bool:
    asked = query.get("dryRun", "")
    if asked not in ("", "All"):
        message = f'Unsupported value: "{asked}": supported values: "All"'
        raise _unnamed("CreateOptions.meta.k8s.io", "dryRun", message)
    return asked == "All"


def _with_dry(request: Request, options: Json) -> Mapping[str, str]:
    """Return the query; `dryRun` may also stand in the options of a deletion."""
    dry = options.get("dryRun")
    return {**request.query_params, **({"dryRun": "All"} if dry == ["All"] else {})}


def _invalid(target: Target, field: str, message: str) -> ApiError:
    kind = target.kind
    full = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    cause = {"reason": "FieldValueInvalid", "message": message, "field": field}
    details = {"name": target.name, "group": kind.group, "kind": kind.kind, "causes": [cause]}
    return ApiError(
        422, "Invalid", f'{full} "{target.name}" is invalid: {field}: {message}', details
    )


def _unnamed(kind: str, field: str, message: str) -> ApiError:
    cause = {"reason": "FieldValueInvalid", "message": message, "field": field}
    text = f'{kind} "" is invalid: {field}: {message}'
    return ApiError(422, "Invalid", text, {"causes": [cause]})
