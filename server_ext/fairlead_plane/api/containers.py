"""Which container of a pod a request means."""

from __future__ import annotations

from ..resources import Json, bad_request


def choose_container(pod: Json, asked: str) -> str:
    """Return the name of the container that a request names, or that it need not name.

    Raises
    ------
    ApiError
        400 as the real API answers it: no such container, or several to choose from.
    """
    name, spec = pod["metadata"]["name"], pod["spec"]
    containers = [each["name"] for each in spec["containers"]]
    first = [each["name"] for each in spec.get("initContainers") or ()]
    if asked:
        if asked not in containers and asked not in first:
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(containers) > 1:
        choice = f"choose one of: [{' '.join(containers)}]"
        if first:
            choice += f" or one of the init containers: [{' '.join(first)}]"
        raise bad_request(f"a container name must be specified for pod {name}, {choice}")
    return str(containers[0])
