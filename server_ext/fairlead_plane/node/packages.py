"""The packages that a pod asks for: lines of its annotation, and what of them is there already.

A line is a requirement as in a requirements file, one after `--no-deps`, which is installed without
what it depends on, or says where from: `--index-url`, `--extra-index-url`, `--trusted-host`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

_ALONE = "--no-deps "


@dataclass(frozen=True, slots=True)
class Packages:
    """What an environment is to hold beside the Python below it."""

    whole: tuple[str, ...] = ()
    """Requirements that come with what they depend on."""
    alone: tuple[str, ...] = ()
    """Requirements that come without."""
    sources: tuple[str, ...] = ()
    """Options of the installer: where from."""

    def __bool__(self) -> bool:
        return bool(self.whole or self.alone)

    def __str__(self) -> str:
        return ", ".join((*self.whole, *self.alone))

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, as it is asked for."""
        return (*self.sources, *self.whole, *(_ALONE + each for each in self.alone))


def parse(lines: Iterable[str]) -> Packages:
    """Sort the lines of an annotation; empty ones and comments are left out."""
    whole, alone, sources = [], [], []
    for line in map(str.strip, lines):
        if not line or line.startswith("#"):
            continue
        if line.startswith(_ALONE):
            alone.append(line.removeprefix(_ALONE).strip())
        elif line.startswith("-"):
            sources.append(line)
        else:
            whole.append(line)
    return Packages(
        tuple(sorted(set(whole))), tuple(sorted(set(alone))), tuple(dict.fromkeys(sources))
    )


def missing(wanted: Packages, installed: Mapping[str, str], version: str) -> Packages:
    """Leave out what an environment has already, or what is not for its version of Python.

    Parameters
    ----------
    wanted : Packages
        What is asked for.
    installed : mapping
        Names, normalised, and versions of what the environment has.
    version : str
        Of its Python, as `3.11.9`.

    Notes
    -----
    What a distribution that is there depends on is taken to be there too. One with extras is left
    to the installer, since only it can tell.
    """
    marks = {
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": version,
    }

    def is_needed(text: str) -> bool:
        try:
            requirement = _read(text)
        except InvalidRequirement:
            return True  # the installer says what is wrong with it
        if requirement.marker is not None and not requirement.marker.evaluate(marks):
            return False
        if requirement.extras or requirement.url:
            return True
        found = installed.get(canonicalize_name(requirement.name))
        try:
            return found is None or not requirement.specifier.contains(found, prereleases=True)
        except InvalidVersion:
            return True

    return Packages(
        tuple(filter(is_needed, wanted.whole)),
        tuple(filter(is_needed, wanted.alone)),
        wanted.sources,
    )


@lru_cache(maxsize=256)
def _read(text: str) -> Requirement:
    return Requirement(text)
