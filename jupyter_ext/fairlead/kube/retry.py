"""How often and how long to try again."""

from __future__ import annotations

import random

ATTEMPTS = 5
"""Tries of one request before its failure is told; about three seconds with the pauses between."""

LONGEST_RETRY_AFTER_S = 30.0
"""A request waits no longer than this for a server that asks for it; a longer wait is told."""

TRANSIENT = frozenset({429, 502, 503, 504})
"""Answers that may be another one in a moment."""

UNTOUCHED = frozenset({429})
"""Answers that say that the request was not looked at: any request may be sent again."""


class Backoff:
    """Pauses that double, each with a random part so that many clients do not come at once.

    Parameters
    ----------
    first_s : float
        Length of the first pause at most.
    longest_s : float
        No pause is longer.
    """

    def __init__(self, first_s: float = 0.2, longest_s: float = 30.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def next(self, at_least_s: float | None = None) -> float:
        """Return the length of the next pause, no less than what the server asked for."""
        pause = self._next_s * random.uniform(0.5, 1.0)
        self._next_s = min(self._next_s * 2, self._longest_s)
        return max(pause, at_least_s or 0.0)

    def reset(self) -> None:
        """Begin with short pauses again: something has worked."""
        self._next_s = self._first_s
