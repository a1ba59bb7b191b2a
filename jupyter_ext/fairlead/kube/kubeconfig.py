"""Kubeconfig files, merged as kubectl merges them; never written.

Source of the rules: `kubectl config --help`. `KUBECONFIG` names one or several files, missing ones
are passed over; the first file that has an entry of some name gives it; relative paths count from
the file that holds them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from fairlead.errors import ClusterError, NotFoundError

_SECTIONS = {"contexts": "context", "clusters": "cluster", "users": "user"}


@dataclass(frozen=True)
class Entry:
    """One named context, cluster or user.

    Attributes
    ----------
    values : dict
        What the entry holds; not to be changed.
    file : Path
        The file that it comes from.
    """

    values: dict[str, Any]
    file: Path

    def path(self, key: str) -> Path:
        """Return a file that the entry names, relative to the entry's own file."""
        return self.file.parent / Path(str(self.values[key])).expanduser()


@dataclass(frozen=True)
class Kubeconfig:
    """The merged content of some kubeconfig files.

    Attributes
    ----------
    files : tuple of Path
        Those that were looked at, in order of precedence.
    current_context : str
        Empty where no file names one.
    """

    files: tuple[Path, ...]
    current_context: str = ""
    contexts: dict[str, Entry] = field(default_factory=dict)
    clusters: dict[str, Entry] = field(default_factory=dict)
    users: dict[str, Entry] = field(default_factory=dict)

    def context(self, name: str) -> Entry:
        """Return the context of a name; raises `NotFoundError` with the names there are."""
        return self._entry("context", self.contexts, name)

    def cluster_of(self, context: str) -> Entry:
        """Return the cluster that a context names."""
        return self._entry("cluster", self.clusters, self._named_by(context, "cluster"))

    def user_of(self, context: str) -> Entry:
        """Return the user that a context names; an empty one where it names none."""
        name = self._named_by(context, "user")
        return self._entry("user", self.users, name) if name else Entry({}, self.files[0])

    def _named_by(self, context: str, key: str) -> str:
        return str(self.context(context).values.get(key) or "")

    def _entry(self, what: str, entries: dict[str, Entry], name: str) -> Entry:
        if name in entries:
            return entries[name]
        known = ", ".join(entries) or "none"
        raise NotFoundError(f"No {what} '{name}' in {self.where}; it has: {known}.")

    @property
    def where(self) -> str:
        """The files, in words."""
        return ", ".join(map(str, self.files))


def user_files() -> tuple[Path, ...]:
    """Return the user's kubeconfig files: those of `KUBECONFIG`, else `~/.kube/config`."""
    named = os.environ.get("KUBECONFIG", "")
    files = [Path(name).expanduser().absolute() for name in named.split(os.pathsep) if name]
    # kubectl reads a file that is named twice once.
    return tuple(dict.fromkeys(files)) or (Path("~/.kube/config").expanduser(),)


def load_kubeconfig(*files: Path) -> Kubeconfig:
    """Merge kubeconfig files, the first one wins; those that are not there count as empty.

    Raises
    ------
    ClusterError
        A file cannot be read, or is not a kubeconfig; the message names it.
    """
    merged = Kubeconfig(files)
    current = ""
    for file in files:
        content = _read(file)
        current = current or str(content.get("current-context") or "")
        for section, key in _SECTIONS.items():
            entries: dict[str, Entry] = getattr(merged, section)
            for item in content.get(section) or ():
                entries.setdefault(str(item["name"]), Entry(item.get(key) or {}, file))
    return Kubeconfig(files, current, merged.contexts, merged.clusters, merged.users)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = file.stat()
        return _parse(file, found.st_mtime_ns, found.st_size, found.st_ino)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ClusterError(f"The kubeconfig {file} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=16)
def _parse(file: Path, _modified_ns: int, _size: int, _inode: int) -> dict[str, Any]:
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        config = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # The parser quotes the line that it stumbled over, which may hold a secret.
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise ClusterError(f"{file} is not valid YAML{line}.") from None
    if config is None:
        return {}
    if not isinstance(config, dict) or config.get("kind", "Config") != "Config":
        raise ClusterError(f"{file} is not a kubeconfig: it is no object of kind Config.")
    for section, key in _SECTIONS.items():
        for number, item in enumerate(config.get(section) or []):
            whole = isinstance(item, dict) and isinstance(item.get("name"), str)
            if not whole or not isinstance(item.get(key) or {}, dict):
                raise ClusterError(
                    f"{file} is not a kubeconfig: {section}[{number}] needs `name` and `{key}`."
                )
    return config
