"""Which steps begin with the same imports, so that their warm interpreter has made them already."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .interpreters import NOTHING, Preload
from .layers import Layer

_KFP_EXECUTOR = "kfp.dsl.executor_main"
_KFP_VARIABLE = ("_KFP_RUNTIME", "true")
# What the executor imports, not itself: `python -m` warns of a module that is there already. With
# the variable set, all that kfp imports beside its own modules is the standard library, and nothing
# of it reads another variable or starts a thread.
_KFP = Preload(("kfp.dsl.executor", "kfp.dsl.kfp_config", "kfp.dsl.utils"), (_KFP_VARIABLE,))


def find_preload(command: Mapping[str, Any], layer: Layer) -> Preload:
    """Return what the interpreter of a command should have imported before.

    Parameters
    ----------
    command : mapping
        From `commands.build_command`; one that can be forked.
    layer : Layer
        The pod's own: what was installed there comes before what is imported below.
    """
    name, value = _KFP_VARIABLE
    if (command["mode"], command["value"]) != ("-m", _KFP_EXECUTOR):
        return NOTHING
    if command["env"].get(name) != value:
        return NOTHING
    # Either stands before the environment below on the path of `python -m`.
    for folder in (command["cwd"], str(layer.site)):
        if any(os.path.exists(os.path.join(folder, each)) for each in ("kfp", "kfp.py")):
            return NOTHING
    return _KFP
