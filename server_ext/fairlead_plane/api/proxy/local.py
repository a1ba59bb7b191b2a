"""The service proxy: applications that run inside of this process, where a cluster has services."""

from __future__ import annotations

from collections.abc import Mapping

from ...resources import SERVICE
from ..http import AsgiApp, Scope
from ..paths import Target

Services = Mapping[tuple[str, str], AsgiApp]
"""(namespace, name of the service) -> application."""

ALIAS_PREFIX = "/apis/v2beta1/"
"""Also served at the root: with a token kubeconfig the stock `kfp.Client` loses the prefix."""

ALIAS_SERVICE = ("kubeflow", "ml-pipeline")


def find_service(services: Services, target: Target) -> AsgiApp | None:
    """Return the application behind `services/[SCHEME:]NAME[:PORT]/proxy`, if it is one of ours."""
    if target.kind is not SERVICE:
        return None
    words = (target.name or "").split(":")
    # One word: the name; two: name and port; three: scheme, name and port.
    name = words[1] if len(words) == 3 else words[0]
    return services.get((target.namespace or "", name))


def inner_scope(scope: Scope, rest: str) -> Scope:
    """Return the scope for an application that stands at the root.

    Parameters
    ----------
    scope : dict
        Of the request as it came.
    rest : str
        The path after `proxy`; it may begin with several slashes.
    """
    path = "/" + rest.lstrip("/")
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    raw_rest = raw.partition(b"?")[0].partition(b"/proxy")[2]
    return {**scope, "path": path, "raw_path": b"/" + raw_rest.lstrip(b"/"), "root_path": ""}
