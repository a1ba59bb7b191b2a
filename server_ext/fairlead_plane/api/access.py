"""Who may do what: the administrator all, a service account its own namespace, others by RBAC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..resources import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    NAMESPACE,
    ROLE,
    ROLE_BINDING,
    ApiError,
    Json,
    Resources,
)
from .http import Scope, read_flag, read_query
from .paths import Target
from .proxy import ALIAS_PREFIX, ALIAS_SERVICE

MASTERS = "system:masters"
_READ = ["get", "list", "watch"]
_REVIEWS = "authorization.k8s.io"

EVERYONE: tuple[Json, ...] = (
    {
        "verbs": ["create"],
        "apiGroups": [_REVIEWS],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    {
        "verbs": ["create"],
        "apiGroups": ["authentication.k8s.io"],
        "resources": ["selfsubjectreviews"],
    },
    {
        "verbs": ["get"],
        "nonResourceURLs": [
            *("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"),
            *("/healthz", "/livez", "/readyz", "/version", "/version/"),
        ],
    },
)
"""What every user with a token may do."""

PIPELINES: tuple[Json, ...] = (
    {
        "verbs": ["*"],
        "apiGroups": [""],
        "resources": ["services/proxy"],
        "resourceNames": [ALIAS_SERVICE[1]],
    },
)
"""In the namespace of the pipelines: every pod reaches their API."""

ACCOUNTS: tuple[Json, ...] = (
    {
        "verbs": _READ,
        "apiGroups": ["", "storage.k8s.io", "scheduling.k8s.io", "apiextensions.k8s.io"],
        "resources": [
            *("namespaces", "nodes", "persistentvolumes", "storageclasses", "priorityclasses"),
            "customresourcedefinitions",
        ],
    },
    {
        "verbs": _READ,
        "apiGroups": ["trainer.kubeflow.org", "serving.kserve.io"],
        "resources": ["clustertrainingruntimes", "clusterservingruntimes"],
    },
)
"""What every service account may read beyond its namespace."""

OWN_NAMESPACE: tuple[Json, ...] = ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},)
"""What a service account may do in its own namespace, as Kubeflow's `default-editor`..."""

_ONLY_READ = ("namespaces", "resourcequotas", "limitranges", "roles", "rolebindings")
"""... but for these, which set its limits."""

_ALL: Json = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
_VIEW: Json = {"verbs": _READ, "apiGroups": ["*"], "resources": ["*"]}
_NOT_VIEWED = ("exec", "attach", "portforward", "proxy", "token")
"""Who may only look may not act in a pod: a WebSocket begins as GET. Nor read Secrets."""

_BUILT_IN: dict[str, list[Json]] = {
    "cluster-admin": [_ALL, {"verbs": ["*"], "nonResourceURLs": ["*"]}],
    **{name: [_ALL] for name in ("admin", "edit", "kubeflow-admin", "kubeflow-edit")},
    **{name: [_VIEW] for name in ("view", "kubeflow-view")},
}
"""Cluster roles that every cluster has, where they are not stored."""


class User(NamedTuple):
    """Who makes a request."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, list[str]] = {}
    namespace: str = ""
    """Of a service account; empty for others."""


class Attributes(NamedTuple):
    """What is asked for."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    """Empty: the whole cluster."""
    name: str = ""
    subresource: str = ""
    path: str = ""
    """Of what is no resource; the others are empty then."""


_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def read_attributes(scope: Scope, target: Target) -> Attributes:
    """Return what a request asks for on objects, as the real API server words it."""
    method = scope.get("method", "GET")  # a WebSocket begins as GET
    if method in ("GET", "HEAD"):
        query = read_query(scope)
        verb = "get" if target.name else "list"
        if not target.subresource and (target.watch or read_flag(query, "watch")):
            verb = "watch"
    else:
        verb = _VERBS.get(method, method.lower())
        if verb == "delete" and not target.name:
            verb = "deletecollection"
    namespace = target.namespace or ""
    if target.kind is NAMESPACE:
        namespace = target.name or ""
    return Attributes(
        verb,
        target.kind.group,
        target.kind.plural,
        namespace,
        target.name or "",
        target.subresource,
    )


def read_path(scope: Scope) -> Attributes:
    """Return what a request asks for where no object is."""
    method = scope.get("method", "GET")
    return Attributes(_VERBS.get(method, method.lower()), path=scope["path"])


class Decision(NamedTuple):
    """The answer, and why."""

    allowed: bool
    reason: str = ""


class Authorizer:
    """Decides by fixed rules and by the stored roles and bindings.

    Parameters
    ----------
    resources : Resources
        With the RBAC objects.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def authorize(self, user: User, wanted: Attributes) -> Decision:
        """Decide one request."""
        if MASTERS in user.groups:
            return Decision(True)
        if any(_allows(rule, wanted) for rule in _fixed(user, wanted.namespace)):
            return Decision(True)
        if wanted.path.startswith(ALIAS_PREFIX) and "system:authenticated" in user.groups:
            return Decision(True)
        if wanted.namespace and wanted.namespace == user.namespace:
            limits = wanted.resource in _ONLY_READ and wanted.verb not in _READ
            if not limits and any(_allows(rule, wanted) for rule in OWN_NAMESPACE):
                return Decision(True)
        for rule, why in await self._bound(user, wanted.namespace):
            if _allows(rule, wanted):
                return Decision(True, why)
        return Decision(False)

    async def check(self, user: User, wanted: Attributes) -> None:
        """Raise the 403 for what is not allowed."""
        decision = await self.authorize(user, wanted)
        if not decision.allowed:
            raise forbidden_access(user, wanted, decision.reason)

    async def rules(self, user: User, namespace: str) -> list[Json]:
        """Return all rules that hold for a user in a namespace."""
        if MASTERS in user.groups:
            return list(_BUILT_IN["cluster-admin"])
        found = _fixed(user, namespace)
        if namespace and namespace == user.namespace:
            found += OWN_NAMESPACE
        return [*found, *(rule for rule, _ in await self._bound(user, namespace))]

    async def _bound(self, user: User, namespace: str) -> list[tuple[Json, str]]:
        """Return the rules that bindings give a user, each with where it comes from."""
        found = []
        bindings = (await self._resources.list(CLUSTER_ROLE_BINDING)).items
        if namespace:
            bindings += (await self._resources.list(ROLE_BINDING, namespace)).items
        for binding in bindings:
            where = binding["metadata"].get("namespace", "")
            if not any(_is(user, each, where) for each in binding.get("subjects") or ()):
                continue
            reference = binding["roleRef"]
            local = f'"{binding["metadata"]["name"]}{f"/{where}" if where else ""}"'
            why = (
                f"RBAC: allowed by {binding['kind']} {local} of {reference['kind']} "
                f'"{reference["name"]}" to {_subject(user)}'
            )
            found += [(rule, why) for rule in await self._role(reference, where)]
        return found

    async def _role(self, reference: Json, namespace: str) -> list[Json]:
        kind = ROLE if reference["kind"] == "Role" else CLUSTER_ROLE
        role = await self._resources.find(kind, reference["name"], namespace or None)
        if role is not None:
            return list(role.get("rules") or ())
        return _BUILT_IN.get(reference["name"], []) if kind is CLUSTER_ROLE else []


def forbidden_access(user: User, wanted: Attributes, reason: str = "") -> ApiError:
    """Build the 403 in the words of the real API server."""
    why = f": {reason}" if reason else ""
    if wanted.path:
        text = f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"{why}'
        return ApiError(403, "Forbidden", text)
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    full = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    part = f"{wanted.resource}/{wanted.subresource}" if wanted.subresource else wanted.resource
    named = f' "{wanted.name}"' if wanted.name else ""
    text = (
        f'{full}{named} is forbidden: User "{user.name}" cannot {wanted.verb} resource "{part}" '
        f'in API group "{wanted.group}" {where}{why}'
    )
    details: dict[str, Any] = {"kind": wanted.resource}
    if wanted.name:
        details["name"] = wanted.name
    if wanted.group:
        details["group"] = wanted.group
    return ApiError(403, "Forbidden", text, details)


def _fixed(user: User, namespace: str) -> tuple[Json, ...]:
    if "system:authenticated" not in user.groups:
        return ()
    found = EVERYONE
    if user.namespace:
        found += ACCOUNTS
    if namespace == ALIAS_SERVICE[0]:
        found += PIPELINES
    return found


def _allows(rule: Json, wanted: Attributes) -> bool:
    """Tell whether one rule covers a request, as RBAC reads it."""
    if not {"*", wanted.verb} & set(rule.get("verbs") or ()):
        return False
    if wanted.path:
        return any(_covers(each, wanted.path) for each in rule.get("nonResourceURLs") or ())
    if not {"*", wanted.group} & set(rule.get("apiGroups") or ()):
        return False
    if rule is _VIEW and (wanted.resource == "secrets" or wanted.subresource in _NOT_VIEWED):
        return False
    names = {"*", wanted.resource}
    if wanted.subresource:
        names = {
            "*",
            f"{wanted.resource}/{wanted.subresource}",
            f"*/{wanted.subresource}",
        }
    if not names & set(rule.get("resources") or ()):
        return False
    only = rule.get("resourceNames") or ()
    # A service in a proxy's URL may carry its scheme and port.
    return not only or any(name in only for name in (wanted.name, *wanted.name.split(":")))


def _covers(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _is(user: User, subject: Json, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(name == user.name)
    if kind == "Group":
        return name in user.groups
    where = subject.get("namespace") or namespace
    return kind == "ServiceAccount" and user.name == f"system:serviceaccount:{where}:{name}"


def _subject(user: User) -> str:
    if user.namespace:
        name = user.name.rpartition(":")[2]
        return f'ServiceAccount "{name}/{user.namespace}"'
    return f'User "{user.name}"'
