"""A Kubernetes client over plain objects: dicts in, dicts out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import urllib3

from fairlead.errors import ClusterError, ConflictError, NotFoundError, SpecError
from fairlead.kube.contexts import Context, load_context
from fairlead.kube.credentials import Credentials, load_credentials
from fairlead.kube.errors import error_from_answer
from fairlead.kube.proxy import ServiceProxy
from fairlead.kube.stream import Stream

JSON = "application/json"
Objects = list[dict[str, Any]]
MERGE_PATCH = "application/merge-patch+json"
_CONNECT_TIMEOUT_S = 10
_READ_TIMEOUT_S = 60

T = TypeVar("T")


class WatchEvent(NamedTuple):
    """One line of a watch: `ADDED`, `MODIFIED`, `DELETED` or `BOOKMARK`, and the object."""

    type: str
    object: dict[str, Any]


@dataclass(frozen=True)
class ResourceType:
    """A resource of the API: `ResourceType("v1", "pods")`.

    Attributes
    ----------
    api_version : str
        `v1` for the core group, else `group/version`.
    plural : str
        Name in URLs.
    namespaced : bool
        Whether its objects live in namespaces.
    """

    api_version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Build the URL path of the collection, or of one object."""
        root = "/api" if "/" not in self.api_version else "/apis"
        parts = [root, self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        return "/".join(parts)


PODS = ResourceType("v1", "pods")
NODES = ResourceType("v1", "nodes", namespaced=False)
WORKFLOWS = ResourceType("argoproj.io/v1alpha1", "workflows")


class KubeClient:
    """Client of one context.

    Connections are made when first needed and shared between threads. A refused connection to a
    context that can be started starts it and tries once more.
    """

    def __init__(self, context: Context | str | None = None) -> None:
        self.context = context if isinstance(context, Context) else load_context(context)
        self._credentials: Credentials | None = None
        self._types: dict[tuple[str, str], ResourceType] = {}

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
        query = {"labelSelector": label_selector} if label_selector else {}
        items: Objects = []
        while True:
            page = self._json("GET", kind.path(namespace), query=query)
            items += page["items"]
            more = page["metadata"].get("continue")
            if not more:
                return items, page["metadata"]["resourceVersion"]
            query["continue"] = more

    def create(self, manifest: Mapping[str, Any], namespace: str | None = None) -> dict[str, Any]:
        """Create an object; raises `ConflictError` where its name is taken."""
        kind, place = self._locate(manifest, namespace)
        return self._json("POST", kind.path(place), body=manifest)

    def apply(self, manifest: Mapping[str, Any], namespace: str | None = None) -> dict[str, Any]:
        """Create the object, or merge the manifest into the one that is there."""
        try:
            return self.create(manifest, namespace)
        except ConflictError:
            kind, place = self._locate(manifest, namespace)
            path = kind.path(place, manifest["metadata"]["name"])
            return self._json("PATCH", path, body=manifest, content_type=MERGE_PATCH)

    def delete(
        self,
        kind: ResourceType,
        name: str,
        namespace: str | None = None,
        *,
        grace_period_s: int | None = None,
    ) -> None:
        """Delete one object; what it owns goes with it."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_period_s is not None:
            body["gracePeriodSeconds"] = grace_period_s  # type: ignore[assignment]
        self._json("DELETE", kind.path(namespace, name), body=body)

    def watch(
        self,
        kind: ResourceType,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        resource_version: str | None = None,
        timeout_s: int = 300,
    ) -> Stream[WatchEvent]:
        """Return the changes until the server ends the stream, after `timeout_s` at the latest.

        Parameters
        ----------
        resource_version : str, optional
            Continue after this version; default: first an `ADDED` for all that exists.

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
        return self._stream(
            kind.path(namespace), query, _watch_event, read_timeout_s=timeout_s + 30
        )

    def logs(
        self, pod: str, namespace: str, *, follow: bool = False, container: str | None = None
    ) -> Stream[str]:
        """Return the log lines of a pod, without line ends; with `follow`, until it has ended."""
        query = {"follow": "true"} if follow else {}
        if container:
            query["container"] = container
        path = PODS.path(namespace, pod) + "/log"
        return self._stream(path, query, lambda line: line.decode(errors="replace"))

    def service(self, namespace: str, service: str) -> ServiceProxy:
        """Return the door to a service through the API server."""
        return ServiceProxy(self, namespace, service)

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
            for found in self._json("GET", root + api_version).get("resources", []):
                if "/" not in found["name"]:
                    self._types[(api_version, found["kind"])] = ResourceType(
                        api_version, found["name"], found["namespaced"]
                    )
        if key not in self._types:
            raise NotFoundError(f"The API server has no kind {kind} in {api_version}.")
        return self._types[key]

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
        """Send one request and return the body of the answer.

        Raises
        ------
        FairleadError
            The kind that fits the answer's status; see `fairlead.kube.errors`.
        """
        answer = self._open(method, path, query, body, content_type, _READ_TIMEOUT_S)
        try:
            content: bytes = answer.data
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(f"The answer to {method} {path} broke off: {error}") from error
        if answer.status >= 400:
            raise error_from_answer(answer.status, content, f"{method} {path}")
        return content

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
        answer: dict[str, Any] = json.loads(content)
        return answer

    def _stream(
        self,
        path: str,
        query: Mapping[str, str],
        read: Callable[[bytes], T],
        *,
        read_timeout_s: float | None = None,
    ) -> Stream[T]:
        answer = self._open("GET", path, query, None, JSON, read_timeout_s, stream=True)
        if answer.status >= 400:
            raise error_from_answer(answer.status, answer.data, f"GET {path}")
        return Stream(answer, path, read)

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        content_type: str,
        read_timeout_s: float | None,
        *,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        url = path + ("?" + urlencode(query) if query else "")
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Accept": JSON} | ({} if payload is None else {"Content-Type": content_type})
        timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=read_timeout_s)
        for last in (False, True):
            try:
                credentials = self._connect()
                return credentials.pool.request(
                    method,
                    credentials.host + url,
                    body=payload,
                    headers=headers | credentials.headers(),
                    timeout=timeout,
                    preload_content=not stream,
                    retries=False,
                )
            except urllib3.exceptions.NewConnectionError as error:
                if last or not self.context.startable:
                    raise ClusterError(
                        f"Nothing answers at {self._connect().host} (context "
                        f"'{self.context.name}').",
                        hint="`fairlead status` says more."
                        if self.context.startable
                        else "Check the network and the kubeconfig.",
                    ) from error
                self.context.start()
                self._credentials = None
            except urllib3.exceptions.HTTPError as error:
                raise ClusterError(f"{method} {path} failed: {error}") from error
        raise AssertionError("unreachable")

    def _connect(self) -> Credentials:
        if self._credentials is None:
            if self.context.startable and not self.context.ready():
                self.context.start()
            self._credentials = load_credentials(self.context.kubeconfig, self.context.name)
        return self._credentials

    def _locate(
        self, manifest: Mapping[str, Any], namespace: str | None
    ) -> tuple[ResourceType, str | None]:
        metadata = manifest.get("metadata")
        if "apiVersion" not in manifest or "kind" not in manifest or not metadata:
            raise SpecError("A manifest needs `apiVersion`, `kind` and `metadata`.")
        kind = self.resource_type(manifest["apiVersion"], manifest["kind"])
        return kind, namespace or metadata.get("namespace") or self.context.namespace


def _watch_event(line: bytes) -> WatchEvent:
    event = json.loads(line)
    if event["type"] == "ERROR":
        code = int(event["object"].get("code", 500))
        raise error_from_answer(code, json.dumps(event["object"]).encode(), "watch")
    return WatchEvent(event["type"], event["object"])
