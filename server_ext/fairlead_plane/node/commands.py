"""From a container to the process that it is on this machine: pure, but for looking at files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..resources import Json
from .layers import Base, Layer

# Variables of whoever started the plane that a pod needs to work on this machine at all. The rest
# stays out: a pod must not depend on the shell from which the plane happened to be started.
_INHERITED = (
    "PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX", "CONDA_EXE",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
)  # fmt: skip
_INHERITED_PREFIXES = ("LC_", "PIP_", "UV_")
# Where an install would land in the environment below, or outside of the pod.
_NOT_INHERITED = frozenset((
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV",
    "UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_TARGET",
))  # fmt: skip
_PIP_CONFIGS = (".config/pip/pip.conf", "Library/Application Support/pip/pip.conf", ".pip/pip.conf")

# Read once when a process starts, by Python, the loader or a library that the warm interpreter
# has loaded: a pod that sets one to another value gets an exec.
_READ_AT_START = ("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "LC_", "OPENSSL_", "COVERAGE_")
_READ_AT_START_NAMES = ("LANG", "LANGUAGE", "LOCPATH", "SETUPTOOLS_USE_DISTUTILS")
_OWN = frozenset(("PYTHONUSERBASE",))  # ours, and handled by the warm interpreter

_REFERENCE = re.compile(r"\$(?:\$|\(([A-Za-z_.][-A-Za-z0-9_.]*)\))")


def base_env(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that every pod and every warm interpreter gets from this process."""
    env = {
        name: value
        for name, value in environ.items()
        if name not in _NOT_INHERITED
        and value.isprintable()  # bytes that are no text cannot travel as JSON
        and (name in _INHERITED or name.startswith(_INHERITED_PREFIXES))
    }
    env.setdefault("PATH", os.defpath)
    # A pod has a home of its own, and still the user's package index.
    config = next((path for path in map(Path.home().joinpath, _PIP_CONFIGS) if path.exists()), None)
    if config is not None:
        env.setdefault("PIP_CONFIG_FILE", str(config))
    # Output must show when it is printed, not when a buffer is full.
    env["PYTHONUNBUFFERED"] = "1"
    return env


def pod_env(
    base: Mapping[str, str], pod: Json, folder: Path, cache: Path, layer: Layer, below: Base
) -> dict[str, str]:
    """Return the variables of a pod before those that its spec sets.

    Parameters
    ----------
    base : mapping
        From `base_env`.
    pod : dict
        The Pod.
    folder : Path
        The pod's own folder.
    cache : Path
        Folder of downloads, shared by all pods: it holds nothing but copies.
    layer : Layer
        The pod's Python.
    below : Base
        The one under the packages that it asks for.
    """
    folders = (os.path.dirname(each) for each in (layer.python, layer.base.path, below.path))
    programs = [*dict.fromkeys(folders), base["PATH"]]
    return {
        **base,
        "PATH": os.pathsep.join(programs),
        "HOME": f"{folder}/home",
        "TMPDIR": f"{folder}/tmp",
        "XDG_CACHE_HOME": str(cache),
        "HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"][:63],
        "PYTHONUSERBASE": f"{folder}/home/.local",
        "VIRTUAL_ENV": str(layer.folder),
        # Also for a pip that runs in another environment: it hands over to this interpreter.
        "PIP_PYTHON": layer.python,
        "PIP_USER": "0",  # whatever the user's configuration says
    }


def expand(text: str, env: Mapping[str, str]) -> str:
    """Resolve `$(NAME)` as Kubernetes does: an unknown name stays, `$$` is a dollar sign."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name is None else env.get(name, found[0])

    return _REFERENCE.sub(value, text)


def unresolved(text: str, env: Mapping[str, str]) -> list[str]:
    """Return the names in `$(NAME)` references that `env` does not have."""
    names = (found[1] for found in _REFERENCE.finditer(text))
    return [name for name in names if name is not None and name not in env]


def build_command(
    words: Sequence[str],
    env: dict[str, str],
    declared: Mapping[str, str],
    *,
    cwd: str,
    umask: int,
    layer: Layer,
) -> dict[str, Any]:
    """Build what the shim starts.

    Parameters
    ----------
    words : sequence of str
        Command and arguments, references not resolved.
    env : dict
        All variables of the process.
    declared : mapping
        Those that references may name.
    cwd : str
        Directory in which it starts.
    umask : int
        Its file mode mask.
    layer : Layer
        What `python` and `python3` mean.

    Returns
    -------
    dict
        For the shim; without `mode` it cannot be forked from a warm interpreter.
    """
    argv = [expand(word, declared) for word in words]
    command: dict[str, Any] = {"env": env, "cwd": cwd, "umask": umask}
    if argv[0] in ("python", "python3", layer.base.library):
        argv[0] = layer.python
        command |= _warm_start(argv, cwd)
        if "mode" in command:
            command["prefix"] = str(layer.folder)
            command["site"] = str(layer.site)
            command["system_site"] = layer.base.system_site
    command["argv"] = argv
    return command


def is_warm(
    command: Mapping[str, Any], declared: Iterable[str], interpreter_env: Mapping[str, str]
) -> bool:
    """Tell whether a fork of the warm interpreter equals an exec of this command.

    Parameters
    ----------
    command : mapping
        From `build_command`.
    declared : iterable of str
        Names of the variables that the container's spec sets.
    interpreter_env : mapping
        What the interpreter was started with.
    """
    if "mode" not in command or command.get("stdin") or command.get("tty"):
        return False
    for name in declared:
        if (name.startswith(_READ_AT_START) or name in _READ_AT_START_NAMES) and (
            name in _OWN or command["env"][name] != interpreter_env.get(name)
        ):
            return False
    return True


def _warm_start(argv: list[str], cwd: str) -> dict[str, Any]:
    """Say how Python reads its command line; empty for forms that only Python itself should."""
    # -u is what the warm interpreter has by PYTHONUNBUFFERED.
    rest = argv[2:] if argv[1:2] == ["-u"] else argv[1:]
    if len(rest) >= 2 and rest[0] in ("-c", "-m"):
        return {"mode": rest[0], "value": rest[1], "rest": rest[2:]}
    if rest and rest[0].endswith(".py") and not rest[0].startswith("-"):
        if os.path.isfile(os.path.join(cwd, rest[0])):
            return {"mode": "file", "value": rest[0], "rest": rest[1:]}
    return {}
