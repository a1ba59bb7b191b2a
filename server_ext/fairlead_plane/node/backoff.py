"""How long a container waits for its next start."""

from __future__ import annotations

from .records import ExitRecord

FIRST_S = 10.0
MOST_S = 300.0
CALM_S = 600.0
"""As of the kubelet: 10 s, doubled at each restart up to 5 minutes, forgotten after 10 minutes."""


class BackOff:
    """The waits between the starts of one container; the first restart does not wait."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def next(self, record: ExitRecord) -> float:
        """Return the seconds to wait after a run ended."""
        if record.finished_at - record.started_at > CALM_S:
            self._next_s = 0.0
        wait_s = self._next_s
        self._next_s = min(max(FIRST_S, wait_s * 2), MOST_S)
        return wait_s


def duration(seconds: float) -> str:
    """Return whole seconds as Kubernetes writes them: `10s`, `1m20s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
