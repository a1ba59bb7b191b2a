"""Every error that Fairlead raises on purpose.

FairleadError
  SpecError          the caller's input is wrong                 -> HTTP 400
  NotFoundError      no object of that name                      -> HTTP 404
  ConflictError      the name is taken, or the object changed    -> HTTP 409
  CapabilityError    this back end cannot do that                -> HTTP 501
  ClusterError       the back end refused, failed or is silent   -> HTTP 502
"""

from __future__ import annotations


class FairleadError(Exception):
    """Base class: `except FairleadError` catches all of ours and nothing else.

    Parameters
    ----------
    what : str
        One sentence that says what was wrong and where, with the names involved.
    hint : str, optional
        One sentence that says what the reader can do now.

    Attributes
    ----------
    status : int
        HTTP status with which Fairlead's own server answers it.
    code : int or None
        HTTP status with which an API server answered; `None` where no answer came.
    retry_after_s : float or None
        Seconds after which the API server wants to be asked again, where it said so.
    causes : tuple of (str, str)
        Field path and message of each thing wrong with an object, where the API server named them.
    """

    status = 500
    code: int | None = None
    retry_after_s: float | None = None
    causes: tuple[tuple[str, str], ...] = ()

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\n  Try: {self.hint}" if self.hint else self.what


class SpecError(FairleadError):
    """What the caller gave is not valid: a notebook, a manifest, an argument."""

    status = 400


class NotFoundError(FairleadError):
    """Nothing of that name exists."""

    status = 404


class ConflictError(FairleadError):
    """The name is taken, or the object changed since it was read."""

    status = 409


class CapabilityError(FairleadError):
    """What was asked is not possible with the back end in use."""

    status = 501


class ClusterError(FairleadError):
    """The back end refused the request, failed at it, or did not answer."""

    status = 502
