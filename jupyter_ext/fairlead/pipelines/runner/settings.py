"""Settings of the process that a step changed: they go on in the steps after it."""

from __future__ import annotations

import os
import sys
import typing

Json = typing.Dict[str, typing.Any]  # noqa: UP006
SETTINGS = "(settings)"
_ENVIRONMENT = dict(os.environ)
_FOLDER = os.getcwd() if os.path.exists(".") else ""
_PATH = list(sys.path)


def _loggers() -> Json:
    """Return the settings of the loggers: level, propagation, whether disabled, handlers."""
    logging = sys.modules.get("logging")
    if logging is None:
        return {}
    known = dict(logging.root.manager.loggerDict, **{"": logging.root})
    return {
        name: (log.level, log.propagate, log.disabled, list(log.handlers))
        for name, log in known.items()
        if isinstance(log, logging.Logger) and (log.level or log.handlers or log.disabled)
    }


_LOGGERS = _loggers()


def settings_state() -> Json:
    """Return what is set otherwise than at the start of a process."""
    import gc
    import warnings

    now = dict(os.environ)
    state: Json = {
        "environment": {k: v for k, v in now.items() if _ENVIRONMENT.get(k) != v},
        "without": [name for name in _ENVIRONMENT if name not in now],
        "path": [p for p in sys.path if p not in _PATH and "modules-" not in p],
        "less_path": [p for p in _PATH if p not in sys.path],
        "warnings": list(warnings.filters),
        "recursion": sys.getrecursionlimit(),
        "collects": gc.isenabled(),
    }
    if os.getcwd() != _FOLDER:
        state["folder"] = os.getcwd()
    if "decimal" in sys.modules:
        state["decimal"] = sys.modules["decimal"].getcontext().copy()
    state["logging"] = {n: now for n, now in _loggers().items() if _LOGGERS.get(n) != now}
    if "numpy" in sys.modules:
        numpy = sys.modules["numpy"]
        state["numpy"] = (numpy.get_printoptions(), numpy.geterr())
    if "matplotlib" in sys.modules:
        matplotlib = sys.modules["matplotlib"]
        usual = matplotlib.rcParamsDefault
        state["matplotlib"] = {
            k: v
            for k, v in dict.items(matplotlib.rcParams)
            if "backend" not in k and usual.get(k) != v
        }
    if "pandas" in sys.modules:
        state["pandas"] = _pandas_options()
    return state


def _pandas_options() -> Json:
    config = sys.modules["pandas._config.config"]
    changed = {}
    for name, option in config._registered_options.items():
        if name not in config._deprecated_options and config.get_option(name) != option.defval:
            changed[name] = config.get_option(name)
    return changed


def restore_settings(state: Json) -> None:
    """Set the process as another step left it."""
    import gc
    import importlib
    import warnings

    for name in state["without"]:
        os.environ.pop(name, None)
    os.environ.update(state["environment"])
    if "TZ" in state["environment"]:
        importlib.import_module("time").tzset()
    if "folder" in state:
        os.chdir(state["folder"])
    sys.path[:0] = [p for p in state["path"] if p not in sys.path]
    sys.path[:] = [p for p in sys.path if p not in state["less_path"]]
    warnings.filters[:] = state["warnings"]  # type: ignore[index]
    getattr(warnings, "_filters_mutated", dict)()
    sys.setrecursionlimit(state["recursion"])
    (gc.enable if state["collects"] else gc.disable)()
    if "decimal" in state:
        importlib.import_module("decimal").setcontext(state["decimal"])
    for name, (level, propagate, disabled, handlers) in state["logging"].items():
        log = importlib.import_module("logging").getLogger(name or None)
        log.setLevel(level)
        log.propagate, log.disabled, log.handlers[:] = propagate, disabled, handlers
    if "numpy" in state:
        numpy = importlib.import_module("numpy")
        numpy.set_printoptions(**state["numpy"][0])
        numpy.seterr(**state["numpy"][1])
    if state.get("matplotlib"):
        importlib.import_module("matplotlib").rcParams.update(state["matplotlib"])
    for name, value in state.get("pandas", {}).items():
        importlib.import_module("pandas").set_option(name, value)
