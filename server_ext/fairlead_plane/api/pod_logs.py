"""`pods/NAME/log`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from ..resources import ApiError, Json, bad_request, parse_timestamp
from .containers import choose_container
from .http import read_flag


class PodLogs(Protocol):
    """Where the logs of pods are; the node has them."""

    def read(
        self,
        pod: Json,
        container: str,
        *,
        follow: bool,
        previous: bool,
        timestamps: bool,
        tail_lines: int | None,
        since: float | None,
        limit_bytes: int | None,
    ) -> AsyncGenerator[bytes, None]:
        """Read the log of one container.

        Parameters
        ----------
        pod : dict
            The Pod.
        container : str
            Name of one of its containers, started at least once.
        follow : bool
            Go on with new lines until the container has ended.
        previous : bool
            The log before the last restart.
        timestamps : bool
            Put the time before each line.
        tail_lines : int or None
            Only so many lines from the end of what is there; None: all.
        since : float or None
            Only lines from this time on, in seconds since 1970.
        limit_bytes : int or None
            End after so many bytes; None: no limit.
        """
        ...


def read_log(
    logs: PodLogs, pod: Json, query: Mapping[str, str], now: float
) -> AsyncGenerator[bytes, None]:
    """Return the log that a request asks for.

    Raises
    ------
    ApiError
        400 as the real API answers it: no such container, several to choose from, not yet started.
    """
    name = pod["metadata"]["name"]
    container = choose_container(pod, query.get("container", ""))
    status = _status_of(pod, container)
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    previous = read_flag(query, "previous")
    if previous:
        if last is None:
            raise bad_request(
                f'previous terminated container "{container}" in pod "{name}" not found'
            )
    elif "waiting" in state and last is None:
        reason = state["waiting"].get("reason") or "ContainerCreating"
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')
    elif not status and pod["status"].get("phase") == "Pending":
        raise bad_request(
            f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating'
        )
    return logs.read(
        pod,
        container,
        follow=read_flag(query, "follow"),
        previous=previous,
        timestamps=read_flag(query, "timestamps"),
        tail_lines=_number(query, "tailLines"),
        since=_since(query, now),
        limit_bytes=_number(query, "limitBytes"),
    )


def _status_of(pod: Json, container: str) -> Json:
    status = pod["status"]
    for field in ("containerStatuses", "initContainerStatuses"):
        for entry in status.get(field) or ():
            if entry["name"] == container:
                found: Json = entry
                return found
    return {}


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    if not text.isdigit():
        message = f'PodLogOptions "" is invalid: {name}: Invalid value: "{text}"'
        raise ApiError(422, "Invalid", message)
    return int(text)


def _since(query: Mapping[str, str], now: float) -> float | None:
    if text := query.get("sinceTime"):
        try:
            return parse_timestamp(text)
        except ValueError as error:
            raise bad_request(f'parsing time "{text}": {error}') from error
    seconds = _number(query, "sinceSeconds")
    return None if seconds is None else now - seconds
