"""A Kubernetes client over plain objects: dicts in, dicts out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fairlead.errors import ClusterError, ConflictError, FairleadError, NotFoundError, SpecError
from fairlead.kube.access import Access
from fairlead.kube.contexts import Context, load_context
from fairlead.kube.discovery import Capabilities, discover, types_of
from fairlead.kube.events import read_event
from fairlead.kube.proxy import DirectService, Service, ServiceProxy
from fairlead.kube.retry import ATTEMPTS
from fairlead.kube.services import direct_address
from fairlead.kube.stream import Pieces, Stream
from fairlead.kube.transport import JSON, Transport
from fairlead.kube.types import (
    NAMESPACES,
    NODES,
    PODS,
    RESOURCE_QUOTAS,
    SECRETS,
    WORKFLOWS,
    ResourceType,
    WatchEvent,
)

__all__ = [
    "NAMESPACES",
    "NODES",
    "PODS",
    "RESOURCE_QUOTAS",
    "WORKFLOWS",
    "KubeClient",
    "ResourceType",
]

Objects = list[dict[str, Any]]

FIELD_MANAGER = "fairlead"
"""Under this name the server notes which fields Fairlead has set."""

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

_UNSUPPORTED_MEDIA_TYPE = 415
_UPDATE_TRIES = 5


class KubeClient:
    """Client of one context.

    Connections are made when first needed and shared between threads. A refused connection to a
    context that can be started starts it and tries once more.

    Attributes
    ----------
    context : Context
        Where its requests go.
    access : Access
        What its user may do there.
    """

    def __init__(self, context: Context | str | None = None) -> None:
        self.context = context if isinstance(context, Context) else load_context(context)
        self._transport = Transport(self.context)
        self.access = Access(self._transport)
        self._types: dict[tuple[str, str], ResourceType] = {}
        self._capabilities: Capabilities | None = None
        self._applies = True

    # -- objects ------------------------------------------------------------------------------

    def get(self, kind: ResourceType, name: str, namespace: str | None = None) -> dict[str, Any]:
        """Return one object; raises `NotFoundError` where there is none."""
        return self._json("GET", kind.path(namespace, name))

    def list(
        self, kind: ResourceType, namespace: str | None = None, *, label_selector: str = ""
    ) -> Objects:
        """Return all objects of a kind, in all namespaces unless one is given."""
        return self.list_with_version(kind, namespace, label_selector=label_selector)[0]

    def list_with_version(
        self, kind: ResourceType, namespace: str | None = None, *, label_selector: str = ""
    ) -> tuple[Objects, str]:
        """Return all objects and the resource version from which a watch continues."""
        path = kind.path(namespace)
        query = {"labelSelector": label_selector} if label_selector else {}
        items: Objects = []
        while True:
            page = self._json("GET", path, query=query)
            metadata = page.get("metadata") or {}
            if "resourceVersion" not in metadata:
                raise ClusterError(f"The answer to GET {path} is no list of Kubernetes objects.")
            items += page.get("items") or []
            more = metadata.get("continue")
            if not more:
                return items, metadata["resourceVersion"]
            query["continue"] = more

    def create(self, manifest: Mapping[str, Any], namespace: str | None = None) -> dict[str, Any]:
        """Create an object; raises `ConflictError` where its name is taken.

        A field that its kind does not have is an error, where the server can tell (from 1.25 on).
        """
        kind, place = self._locate(manifest, namespace)
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        return self._json("POST", kind.path(place), query=query, body=manifest)

    def apply(
        self, manifest: Mapping[str, Any], namespace: str | None = None, *, force: bool = False
    ) -> dict[str, Any]:
        """Create the object, or set in the one that is there the fields that the manifest has.

        By server-side apply: fields that an earlier manifest had and this one lacks are removed.
        A server without it gets a merge, which removes nothing.

        Parameters
        ----------
        force : bool
            Take over fields that another manager has set; else they are a `ConflictError`.
        """
        kind, place = self._locate(manifest, namespace)
        path = kind.path(place, _name_of(manifest))
        if self._applies:
            query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
            if force:
                query["force"] = "true"
            try:
                return self._json(
                    "PATCH", path, query=query, body=manifest, content_type=APPLY_PATCH
                )
            except FairleadError as error:
                if error.code != _UNSUPPORTED_MEDIA_TYPE:
                    raise
                self._applies = False
        try:
            return self.create(manifest, namespace)
        except ConflictError:
            return self._json("PATCH", path, body=manifest, content_type=MERGE_PATCH)

    def patch(
        self,
        kind: ResourceType,
        name: str,
        patch: Mapping[str, Any] | Objects,
        namespace: str | None = None,
        *,
        content_type: str | None = None,
        subresource: str = "",
    ) -> dict[str, Any]:
        """Change some fields of an object.

        Parameters
        ----------
        patch : mapping or list
            A merge patch, or a list of JSON patch operations.
        content_type : str, optional
            What the patch is; default: by its type, one of those two.
        subresource : str
            For example `status`; default: the object itself.
        """
        if content_type is None:
            content_type = JSON_PATCH if isinstance(patch, list) else MERGE_PATCH
        path = kind.path(namespace, name) + (f"/{subresource}" if subresource else "")
        query = {"fieldManager": FIELD_MANAGER}
        return self._json("PATCH", path, query=query, body=patch, content_type=content_type)

    def update(
        self,
        kind: ResourceType,
        name: str,
        change: Callable[[dict[str, Any]], None],
        namespace: str | None = None,
    ) -> dict[str, Any]:
        """Read an object, change it and write it back; again where somebody else came in between.

        Parameters
        ----------
        change : callable
            Changes the object that it is given; may be called several times.
        """
        for tries_left in reversed(range(_UPDATE_TRIES)):
            item = self.get(kind, name, namespace)
            change(item)
            try:
                query = {"fieldManager": FIELD_MANAGER}
                return self._json("PUT", kind.path(namespace, name), query=query, body=item)
            except ConflictError:
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    def delete(
        self,
        kind: ResourceType,
        name: str,
        namespace: str | None = None,
        *,
        grace_period_s: int | None = None,
    ) -> None:
        """Delete one object; what it owns goes with it."""
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
        }
        if grace_period_s is not None:
            body["gracePeriodSeconds"] = grace_period_s
        self._json("DELETE", kind.path(namespace, name), body=body)

    def watch(
        self,
        kind: ResourceType,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        resource_version: str | None = None,
        timeout_s: int = 300,
        attempts: int = ATTEMPTS,
    ) -> Stream[WatchEvent]:
        """Return the changes until the server ends the stream, after `timeout_s` at the latest.

        `fairlead.kube.follow.Follower` goes on for ever over whatever happens on the way.

        Parameters
        ----------
        resource_version : str, optional
            Continue after this version; default: first an `ADDED` for all that exists.
        attempts : int
            How often to try to open the stream.

        Raises
        ------
        NotFoundError, ClusterError
            As for any request. A version that the server no longer has is a `ClusterError`
            with `code` 410: list again.
        """
        query = {"watch": "1", "timeoutSeconds": str(timeout_s), "allowWatchBookmarks": "true"}
        if label_selector:
            query["labelSelector"] = label_selector
        if resource_version:
            query["resourceVersion"] = resource_version
        return self._transport.stream(
            kind.path(namespace),
            query,
            read_event,
            read_timeout_s=timeout_s + 30,
            attempts=attempts,
        )

    def logs(
        self, pod: str, namespace: str, *, follow: bool = False, container: str | None = None
    ) -> Stream[str]:
        """Return the log lines of a pod, without line ends; with `follow`, until it has ended."""
        query = {"follow": "true"} if follow else {}
        if container:
            query["container"] = container
        path = PODS.path(namespace, pod) + "/log"
        return self._transport.stream(path, query, lambda line: line.decode(errors="replace"))

    def lines(self, path: str) -> Stream[str]:
        """Return the lines of a long answer at a path of the server; raises as `request` does."""
        return self._transport.stream(path, {}, lambda line: line.decode(errors="replace"))

    # -- what the server is and has -----------------------------------------------------------

    def service(self, namespace: str, service: str) -> Service:
        """Return the door to a service: through the API server, or at the URL set for it.

        Parameters
        ----------
        service : str
            `name`, `name:port` or `scheme:name:port`.
        """
        address = direct_address(self.context.name, namespace, service)
        if address is not None:
            return DirectService(address, self._secret)
        return ServiceProxy(self, namespace, service)

    def _secret(self, namespace: str, name: str) -> dict[str, str]:
        return dict(self.get(SECRETS, name, namespace).get("data") or {})

    def capabilities(self, *, refresh: bool = False) -> Capabilities:
        """Return what this server serves; asked once, and anew with `refresh`."""
        if refresh or self._capabilities is None:
            self._capabilities = discover(self._transport)
        return self._capabilities

    def resource_type(self, api_version: str, kind: str) -> ResourceType:
        """Look up how the server calls the resource of `kind`.

        Raises
        ------
        NotFoundError
            The server does not have this kind or version.
        """
        key = (api_version, kind)
        if key not in self._types:
            root = "/api/" if "/" not in api_version else "/apis/"
            try:
                answer = self._json("GET", root + api_version)
            except NotFoundError:
                answer = {}
            for found in types_of(api_version, answer.get("resources") or ()):
                self._types[(api_version, found.kind)] = found
        if key not in self._types:
            # What was known of the server is out of date, or was never so.
            self._capabilities = None
            raise NotFoundError(
                f"The API server of context '{self.context.name}' has no kind {kind} in "
                f"{api_version}.",
                hint="`kubectl api-resources` lists what it has.",
            )
        return self._types[key]

    def namespaces(self) -> list[str]:  # type: ignore[valid-type]
        """Return the namespaces; the context's own alone where they may not be listed."""
        try:
            return [item["metadata"]["name"] for item in self.list(NAMESPACES)]
        except FairleadError as error:
            if error.code != 403:
                raise
            return [self.context.namespace]

    # -- requests -----------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
    ) -> bytes:
        """Send one request and return the body of the answer; see `Transport.request`."""
        try:
            return self._transport.request(
                method, path, query=query, body=body, content_type=content_type
            )
        except NotFoundError as error:
            if not _names_an_object(error):
                # Not this object, but its whole kind: what was known of the server is outdated.
                self._types.clear()
                self._capabilities = None
            raise

    def pieces(self, path: str) -> Pieces:
        """Send a GET and return the bytes of the answer as they come."""
        return self._transport.pieces(path)

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
    ) -> dict[str, Any]:
        content = self.request(method, path, query=query, body=body, content_type=content_type)
        try:
            answer: dict[str, Any] = json.loads(content)
        except ValueError:
            answer = {}
        if not isinstance(answer, dict) or not answer:
            raise ClusterError(
                f"The answer to {method} {path} is no JSON object: what answers for context "
                f"'{self.context.name}' is no Kubernetes API server."
            )
        return answer

    def _locate(
        self, manifest: Mapping[str, Any], namespace: str | None
    ) -> tuple[ResourceType, str | None]:
        metadata = manifest.get("metadata")
        if "apiVersion" not in manifest or "kind" not in manifest or not metadata:
            raise SpecError("A manifest needs `apiVersion`, `kind` and `metadata`.")
        kind = self.resource_type(manifest["apiVersion"], manifest["kind"])
        return kind, namespace or metadata.get("namespace") or self.context.namespace


def _name_of(manifest: Mapping[str, Any]) -> str:
    name = manifest["metadata"].get("name")
    if not name:
        raise SpecError("An object that is applied needs `metadata.name`.")
    return str(name)


def _names_an_object(error: FairleadError) -> bool:
    return "could not find the requested resource" not in error.what
