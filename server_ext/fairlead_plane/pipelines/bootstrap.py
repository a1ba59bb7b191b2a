"""KFP's bootstrap of a Python component: the shell around it, recognised and left out.

The kfp compiler writes a lightweight component's command as two stages of shell. The first installs
packages with pip, the second writes the component's source to a file and starts kfp's executor on
it. Both are known to the letter, so a step needs neither: its packages become a cached environment
and its command a plain start of Python. Other compilers use the first stage alone, before a program
of their own, as Fairlead's does. What is not known to the letter runs as it is written.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

EXECUTOR_MODULE = "kfp.dsl.executor_main"
EXECUTOR = ("python3", "-m", EXECUTOR_MODULE)
RUNTIME_VARIABLE = "_KFP_RUNTIME"
"""With `true` in it, `import kfp` loads only what a step needs; the second stage sets it."""

NO_DEPS = "--no-deps"

_FIND_PIP = (
    'if ! [ -x "$(command -v pip)" ]; then',
    "python3 -m ensurepip || python3 -m ensurepip --user || apt-get install python3-pip",
    "fi",
)
_QUIET = "PIP_DISABLE_PIP_VERSION_CHECK=1"
_VENV = (
    f"export {_QUIET}",
    "tmp=$(mktemp -d)",
    'python3 -m venv "$tmp/venv" --system-site-packages',
    '. "$tmp/venv/bin/activate"',
)
_HAND_OVER = '&& "$0" "$@"'
_PROGRAM = (
    "program_path=$(mktemp -d)",
    'printf "%s" "$0" > "$program_path/ephemeral_component.py"',
    f"{RUNTIME_VARIABLE}=true python3 -m {EXECUTOR_MODULE} --component_module_path "
    '"$program_path/ephemeral_component.py" "$@"',
)
_INSTALL = ("python3", "-m", "pip", "install")
_SILENT = ("--quiet", "--no-warn-script-location")
_SOURCES = ("--index-url", "--extra-index-url", "--trusted-host")


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A command of the kfp compiler, understood."""

    packages: tuple[str, ...]
    """What pip was to install, as lines of the packages annotation."""
    source: str
    """Python source of the component; empty when its module is in the image."""
    program: tuple[str, ...] = EXECUTOR
    """What starts when the packages are there."""


def recognise(command: Sequence[str]) -> Bootstrap | None:
    """Understand the command of a Python component.

    Parameters
    ----------
    command : sequence of str
        `container.command` of the executor, as compiled by kfp 2.

    Returns
    -------
    Bootstrap or None
        None for any other command, and for a bootstrap with a part that is not known: another
        option of pip, a path, a URL, a variable of the shell.
    """
    words = list(command)
    packages: tuple[str, ...] = ()
    if len(words) > 3 and words[:2] == ["sh", "-c"]:
        found = _read_install(words[2])
        if found is None:
            return None
        packages, words = found, words[3:]
    if len(words) == 4 and words[:2] == ["sh", "-ec"] and _lines(words[2]) == _PROGRAM:
        return Bootstrap(packages, words[3])
    if tuple(words) == EXECUTOR:
        return Bootstrap(packages, "")
    if packages and words[:2] == ["python3", "-c"]:
        return Bootstrap(packages, "", tuple(words))
    return None


def _lines(script: str) -> tuple[str, ...]:
    """Return the lines that say something, with single blanks."""
    lines = (" ".join(line.split()) for line in script.splitlines())
    return tuple(filter(None, lines))


@lru_cache(maxsize=64)  # the components of a pipeline mostly ask for the same
def _read_install(script: str) -> tuple[str, ...] | None:
    lines = _lines(script)
    if lines[:3] != _FIND_PIP:
        return None
    left = " ".join(_without_venv(lines[3:]))
    if not left.startswith(f"{_QUIET} ") or not left.endswith(_HAND_OVER):
        return None
    text = left.removeprefix(_QUIET).removesuffix(_HAND_OVER)
    if any(mark in text for mark in "$`\\"):  # the shell would put something in its place
        return None
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    found: list[str] = []
    for stage in _stages(words):
        read = _read_stage(stage)
        if read is None:
            return None
        found += read
    return tuple(dict.fromkeys(found))


def _without_venv(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the virtual environment of `use_venv=True`: a cached environment is one."""
    for start in range(len(lines)):
        if lines[start : start + len(_VENV)] == _VENV:
            return lines[:start] + lines[start + len(_VENV) :]
    return lines


def _stages(words: list[str]) -> Iterator[list[str]]:
    stage: list[str] = []
    for word in words:
        if word == "&&":
            yield stage
            stage = []
        else:
            stage.append(word)
    yield stage


def _read_stage(words: list[str]) -> list[str] | None:
    """Return the lines of one `pip install`; None when any of it is not known."""
    if tuple(words[: len(_INSTALL)]) != _INSTALL:
        return None
    sources: list[str] = []
    wanted: list[str] = []
    alone = False
    rest = iter(words[len(_INSTALL) :])
    for word in rest:
        if word in _SILENT:
            continue
        if word in _SOURCES:
            value = next(rest, "")
            if not value or value.startswith("-"):
                return None
            sources.append(f"{word} {value}")
        elif word == NO_DEPS:
            alone = True
        elif _is_plain(word):
            wanted.append(word)
        else:
            return None
    return [*sources, *(f"{NO_DEPS} {_at_least(each)}" if alone else each for each in wanted)]


def _at_least(word: str) -> str:
    """Let the compiler's own pin of its package be met by a later one of the same major version.

    The executor reads what every earlier kfp 2 has written, so pipelines of several versions share
    an environment; and what was compiled by a development version, which no index has, runs.
    """
    requirement = Requirement(word)
    pins = list(requirement.specifier)
    if requirement.name != "kfp" or len(pins) != 1 or pins[0].operator != "==":
        return word
    try:
        version = Version(pins[0].version)
    except InvalidVersion:
        return word  # a prefix, as 2.*
    return f"kfp>={version},<{version.major + 1}"


def _is_plain(word: str) -> bool:
    """Say whether a word is a requirement by name: one by path or URL may change unseen."""
    try:
        return Requirement(word).url is None
    except InvalidRequirement:
        return False
