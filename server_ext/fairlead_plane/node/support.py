"""Fields of a pod that processes of one user on one machine cannot honour: refused, or said."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..resources import Json
from .runtime import StartError


def refuse_unsupported(pod: Json, spec: Json) -> None:
    """Refuse a container that would not be what its manifest asks for, and might do harm or fail.

    Parameters
    ----------
    pod, spec : dict
        The Pod, and one of its containers.

    Raises
    ------
    StartError
        A field that this node can never honour; the message names it and says why.
    """
    own, shared = spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}
    where = f"container {spec['name']}"
    user = os.getuid()
    if own.get("privileged") and user != 0:
        raise _unsupported(
            f"securityContext.privileged of {where}", f"its processes run as user {user}"
        )
    if shared.get("sysctls"):
        raise _unsupported("spec.securityContext.sysctls", "pods share the kernel's settings")
    if pod["spec"].get("resourceClaims") or (spec.get("resources") or {}).get("claims"):
        raise _unsupported("spec.resourceClaims", "there are no device drivers to claim from")
    if name := pod["spec"].get("runtimeClassName"):
        raise _unsupported(f'spec.runtimeClassName "{name}"', "there is one runtime: processes")
    if (pod["spec"].get("os") or {}).get("name") == "windows":
        raise _unsupported("spec.os.name windows", "this machine runs another system")


def _unsupported(field: str, why: str) -> StartError:
    return StartError(f"{field} is not supported by this control plane: {why}")


def find_ignored(pod: Json) -> list[str]:
    """Return the fields that have no effect on this node, though the pod runs without them.

    Returns
    -------
    list of str
        Each with the reason, for an Event.
    """
    spec = pod["spec"]
    said = [*_ignored_user("spec.securityContext", spec.get("securityContext") or {})]
    for field, why in (
        ("dnsConfig", "names are resolved as on this machine"),
        ("hostAliases", "names are resolved as on this machine"),
        ("shareProcessNamespace", "all pods share the processes of this machine"),
    ):
        if spec.get(field):
            said.append(f"spec.{field} ({why})")
    if spec.get("hostUsers") is False:
        said.append("spec.hostUsers (there are no user namespaces)")
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            said += _ignored_of(f"spec.{group}[{container['name']}]", container)
    return said


def _ignored_of(path: str, container: Json) -> Iterator[str]:
    security = container.get("securityContext") or {}
    yield from _ignored_user(f"{path}.securityContext", security)
    if security.get("readOnlyRootFilesystem"):
        yield f"{path}.securityContext.readOnlyRootFilesystem (files are as this user may write)"
    if security.get("allowPrivilegeEscalation") is False:
        yield f"{path}.securityContext.allowPrivilegeEscalation (as for any process of this user)"
    if (security.get("capabilities") or {}).get("add") and os.getuid() != 0:
        yield f"{path}.securityContext.capabilities.add (processes have those of this user)"
    if (security.get("capabilities") or {}).get("drop") and os.getuid() == 0:
        yield f"{path}.securityContext.capabilities.drop (processes have those of root)"
    limits = (container.get("resources") or {}).get("limits") or {}
    if "ephemeral-storage" in limits:
        yield f"{path}.resources.limits.ephemeral-storage (disk space is not limited)"
    for port in container.get("ports") or ():
        if port.get("hostPort") not in (None, 0, port.get("containerPort")):
            yield f"{path}.ports.hostPort {port['hostPort']} (ports are the processes' own)"


def _ignored_user(path: str, security: Json) -> Iterator[str]:
    if security.get("runAsNonRoot") and os.getuid() == 0:
        yield f"{path}.runAsNonRoot (processes run as root, as the control plane does)"
    for field, own in (("runAsUser", os.getuid()), ("runAsGroup", os.getgid())):
        if security.get(field) not in (None, own):
            yield f"{path}.{field} {security[field]} (processes run as {own})"
    if security.get("fsGroup") not in (None, os.getgid()):
        yield f"{path}.fsGroup {security['fsGroup']} (files belong to user {os.getuid()})"
    for field in ("seccompProfile", "appArmorProfile"):
        kind = (security.get(field) or {}).get("type")
        if kind not in (None, "Unconfined"):
            yield f"{path}.{field} {kind} (processes are not confined)"
    for field in ("seLinuxOptions", "supplementalGroups", "procMount", "windowsOptions"):
        if security.get(field) not in (None, [], "Default"):
            yield f"{path}.{field} (processes are those of user {os.getuid()})"
