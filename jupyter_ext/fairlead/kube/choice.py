"""Which context is in use: what this process, its environment or the data directory says.

Belongs here: the choice as words. What a context is, and whether it is there, is in `contexts`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.errors import ClusterError
from fairlead.settings import data_dir

CONTEXT_VARIABLE = "FAIRLEAD_CONTEXT"
NAMESPACE_VARIABLE = "FAIRLEAD_NAMESPACE"


@dataclass(frozen=True)
class Choice:
    """A context that somebody chose.

    Attributes
    ----------
    context : str or None
        Its name; `None` leaves it to the default.
    namespace : str or None
        `None` leaves it to the context.
    by : str
        Who chose it, in words, for error messages.
    """

    context: str | None
    namespace: str | None
    by: str


_in_process: Choice | None = None


def current_choice() -> Choice | None:
    """Return the choice that counts: this process's, else the environment's, else the stored one.

    A namespace alone in the environment changes that of whatever context is stored.

    Raises
    ------
    ClusterError
        The stored choice cannot be read.
    """
    if _in_process is not None:
        return _in_process
    name, namespace = os.environ.get(CONTEXT_VARIABLE), os.environ.get(NAMESPACE_VARIABLE)
    if name:
        return Choice(name, namespace or None, f"the variable {CONTEXT_VARIABLE}")
    stored = _stored()
    if namespace:
        found = stored or Choice(None, None, f"the variable {NAMESPACE_VARIABLE}")
        return Choice(found.context, namespace, found.by)
    return stored


def choose(context: str, namespace: str | None, *, persist: bool) -> None:
    """Make a choice, for this process alone or, stored, for all that use the data directory."""
    global _in_process
    if not persist:
        _in_process = Choice(context, namespace, "`%fairlead use`")
        return
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"context": context, "namespace": namespace}) + "\n")
    os.replace(draft, path)
    # Where the environment names one, the stored choice would not count in this process.
    by_environment = os.environ.get(CONTEXT_VARIABLE) or os.environ.get(NAMESPACE_VARIABLE)
    _in_process = Choice(context, namespace, "`fairlead use`") if by_environment else None


def forget() -> None:
    """Undo the choice of this process."""
    global _in_process
    _in_process = None


def _stored() -> Choice | None:
    path = _path()
    try:
        found: Any = json.loads(path.read_text())
        return Choice(found["context"], found.get("namespace"), "`fairlead use`")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClusterError(
            f"The stored choice of a context cannot be read from {path}: {error}",
            hint="Choose again: fairlead use local",
        ) from error


def _path() -> Path:
    return data_dir() / "context.json"
