"""Why a container is not there yet: what the kubelet tries again, under its own reasons."""

from __future__ import annotations


class HoldError(Exception):
    """A container cannot be made now; it is tried again until it can.

    Parameters
    ----------
    reason : str
        Of the waiting state: `CreateContainerConfigError`, `ErrImagePull`, ...
    message : str
        What is missing.
    event : tuple of (reason, message), optional
        The Event; by default `Failed` with `Error: ` and the message.
    type : str
        Of the Event: `Warning` or `Normal`.
    retry_s : float
        Seconds until the next try.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        event: tuple[str, str] | None = None,
        type: str = "Warning",
        retry_s: float = 2.0,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.event = event or ("Failed", f"Error: {message}")
        self.type = type
        self.retry_s = retry_s
