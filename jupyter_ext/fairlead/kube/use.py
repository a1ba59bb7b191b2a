"""Choosing a context: looked at before it is taken."""

from __future__ import annotations

from dataclasses import replace

from fairlead.errors import FairleadError, NotFoundError
from fairlead.kube.choice import choose
from fairlead.kube.client import KubeClient
from fairlead.kube.contexts import Context, list_contexts, load_context
from fairlead.kube.types import NAMESPACES


def use_context(name: str, namespace: str | None = None, *, persist: bool) -> Context:
    """Make a context the one in use.

    Parameters
    ----------
    namespace : str, optional
        Default: the context's own.
    persist : bool
        For all that use this data directory, from now on; else for this process alone.

    Returns
    -------
    Context
        What is in use now.

    Raises
    ------
    NotFoundError
        There is no such context or namespace; nothing has changed.
    ClusterError
        Its server does not answer, or does not let the user in; nothing has changed.
    """
    context = load_context(name)
    client = KubeClient(context)
    _check_user(client)
    if namespace:
        _check_namespace(client, namespace)
    choose(context.name, namespace, persist=persist)
    # A context that was started just now has told its namespace only then.
    context = load_context(name)
    return replace(context, namespace=namespace) if namespace else context


def _check_user(client: KubeClient) -> None:
    """Ask what anybody may ask who is logged in: `/version` is told to strangers too."""
    client.request("GET", "/version")
    client.access.review("get", "", NAMESPACES.plural, None, name=client.context.namespace)


def _check_namespace(client: KubeClient, namespace: str) -> None:
    try:
        client.get(NAMESPACES, namespace)
    except NotFoundError as error:
        known = ", ".join(client.namespaces())
        raise NotFoundError(
            f"Context '{client.context.name}' has no namespace '{namespace}'; it has: {known}."
        ) from error
    except FairleadError as error:
        # Many users may work in a namespace and not read it.
        if error.code != 403:
            raise


def context_lines() -> list[str]:
    """Return the contexts as a table, one a line, the one in use with a `*`."""
    problem = ""
    used: Context | None = None
    try:
        used = load_context()
    except NotFoundError as error:
        problem = str(error)
    rows = [("", "CONTEXT", "NAMESPACE", "CLUSTER", "USER", "FROM")]
    for context in list_contexts():
        current = used is not None and used.name == context.name
        shown = used if current and used is not None else context
        mark = "*" if current else ""
        rows.append((mark, shown.name, shown.namespace, shown.cluster, shown.user, _source(shown)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [*lines, problem] if problem else lines


def _source(context: Context) -> str:
    """Say where a context is from."""
    if context.source == "kubeconfig":
        return ", ".join(map(str, context.files))
    return "this machine" if context.source == "embedded" else "this pod's service account"
