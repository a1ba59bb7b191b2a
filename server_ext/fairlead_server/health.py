"""How it is with what is followed, in words for a reader."""

from __future__ import annotations

from typing import Any, NamedTuple

from fairlead.errors import ClusterError, FairleadError

OK = "ok"
STARTING = "starting"
RECONNECTING = "reconnecting"
"""It went away or is silent: what is known stays, and it is tried again by itself."""
ERROR = "error"
"""It refuses us: somebody must do something."""

_REFUSALS = range(400, 500)
_PASSING = frozenset({408, 410, 429})
_UNKNOWN_TOKEN = 401


class Health(NamedTuple):
    """One of `ok`, `starting`, `reconnecting`, `error`; why, and what to do about it."""

    state: str
    message: str = ""
    hint: str = ""
    code: int = 0
    """HTTP status of the refusal; 0 where there was no answer."""

    @classmethod
    def of(cls, error: FairleadError) -> Health:
        """Tell what an error means for somebody who watches."""
        code = error.code or 0
        answered = code in _REFUSALS or (not code and not isinstance(error, ClusterError))
        refused = answered and code not in _PASSING
        return cls(ERROR if refused else RECONNECTING, error.what, error.hint, code)

    @property
    def concerns_all(self) -> bool:
        """Whether nothing of the context can be well: it is away, or does not know who we are."""
        return self.state == RECONNECTING or self.code == _UNKNOWN_TOKEN

    def as_dict(self) -> dict[str, Any]:
        """Return it as the browser gets it."""
        return {"health": self.state, "message": self.message, "hint": self.hint}


WELL = Health(OK)
BEGINNING = Health(STARTING)
