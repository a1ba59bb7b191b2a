"""The pod that the settings of a platform spec change, and the values that they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairlead.errors import SpecError
from fairlead.names import dns_label

from .model import Source
from .problems import Reader
from .task_specs import read_parameter_source
from .values import to_text

Json = Any


class Target:
    """A pod that is being built.

    Parameters
    ----------
    pod : dict
        Changed in place.
    resolve : callable
        Gives the value of a source as the task's DAG sees it; None when there is none.

    Attributes
    ----------
    spec, container : dict
        Its `spec`, and the container of the step.
    notices : list of str
        What is asked for and has no effect on this machine.
    """

    def __init__(self, pod: Json, resolve: Callable[[Source], Json]) -> None:
        self.spec: dict[str, Json] = pod["spec"]
        self.container: dict[str, Json] = pod["spec"]["containers"][0]
        self.notices: list[str] = []
        self._resolve = resolve

    def value(self, source: Source) -> Json:
        """Return a value; None when an optional input has none."""
        return self._resolve(source)

    def text(self, source: Source) -> str | None:
        """Return a name; None when an optional input has none, or an empty one."""
        value = self._resolve(source)
        return None if value is None or value == "" else to_text(value)

    def notice(self, text: str) -> None:
        """Say that something has no effect here."""
        if text not in self.notices:
            self.notices.append(text)

    def add_env(self, entry: Json) -> None:
        """Add a variable; one of that name that is there gives way."""
        env: list[Json] = self.container.setdefault("env", [])
        env[:] = [each for each in env if each["name"] != entry["name"]]
        env.append(entry)

    def add_volume(self, name: str, source: Json, mount_path: str, sub_path: str = "") -> None:
        """Mount a volume in the step's container; one volume may be mounted twice."""
        volumes: list[Json] = self.spec.setdefault("volumes", [])
        label = dns_label(name)
        if {"name": label, **source} not in volumes:
            taken = {each["name"] for each in volumes}
            number = 2
            while label in taken:
                label = f"{dns_label(name, max_length=60)}-{number}"
                number += 1
            volumes.append({"name": label, **source})
        mount = {"name": label, "mountPath": mount_path}
        if sub_path:
            mount["subPath"] = sub_path
        self.container.setdefault("volumeMounts", []).append(mount)


def read_source(spec: Json, name: str, path: str, reader: Reader) -> Source:
    """Read where a name comes from: `<name>Parameter`, or the older constant `<name>`."""
    given = spec.get(f"{name}Parameter")
    if given is not None:
        return read_parameter_source(given, f"{path}.{name}Parameter", reader)
    constant = reader.string(spec.get(name), f"{path}.{name}")
    if not constant:
        reader.problem(path, f"`{name}` or `{name}Parameter` is required")
    return Source("constant", value=constant)


def require(value: str | None, what: str) -> str:
    """Return a name that must be there; raises SpecError."""
    if value is None:
        raise SpecError(f"The {what} is empty: give its parameter a value.")
    return value
