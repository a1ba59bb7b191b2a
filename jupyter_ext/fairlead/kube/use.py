"""Choosing a context: looked at before it is taken."""

from __future__ import annotations

from dataclasses import replace

from fairlead.errors import FairleadError, NotFoundError
from fairlead.kube.choice import choose
from fairlead.kube.client import KubeClient
from fairlead.kube.contexts import Context, load_context
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
    client.allowed("get", "", NAMESPACES.plural, None, name=client.context.namespace)


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
