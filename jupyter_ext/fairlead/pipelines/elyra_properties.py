"""Reading the properties of Elyra's nodes: what is missing or wrong is refused by its field."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from fairlead.errors import SpecError
from fairlead.pipelines.elyra_versions import form_of
from fairlead.pipelines.records import Problem
from fairlead.pipelines.setting_formats import FORMATS

Json = dict[str, Any]

DEFAULTS = "pipeline_defaults"
"""Property of the pipeline: what holds for each node that says nothing else."""


@dataclass
class Entry:
    """One entry of a property that is a list, or an object that a property is.

    Parameters
    ----------
    path : str
        `env_vars[0]`, or `pipeline_defaults.env_vars[0]`.
    node : str
        Label of the node that has it; empty for the pipeline's own.
    """

    path: str
    node: str
    values: Json

    def text(self, key: str) -> str:
        """Return a value as text, empty where there is none."""
        value = self.values.get(key)
        return "" if value is None else str(value).strip()

    def need(self, key: str, form: str = "text") -> str:
        """Return a value that must be there, and have a form of `setting_formats`."""
        value = self.text(key)
        if not value:
            self.refuse(key, "is missing", f"Set it in Elyra, or remove `{self.path}`.")
        return self.check(key, value, form)

    def check(self, key: str, value: str, form: str) -> str:
        """Return a value that has a form of `setting_formats`, or refuse it."""
        fits, words = FORMATS[form]
        if not fits(value):
            self.refuse(key, f"must be {words}, not {value!r}", "Correct it in Elyra.")
        return value

    def refuse(self, key: str, what: str, hint: str) -> NoReturn:
        """Raise the error that a value is."""
        where = f"Node '{self.node}'" if self.node else "The pipeline"
        raise SpecError(f"{where}: `{self.at(key)}` {what}.", hint=hint)

    def at(self, key: str) -> str:
        """Return the path of a value."""
        return f"{self.path}.{key}" if self.path and key else self.path or key


@dataclass
class Properties:
    """The properties of a node, over those that the pipeline has for all nodes.

    Parameters
    ----------
    label : str
        The node's label.
    given, defaults : dict
        Its own properties, and the pipeline's `pipeline_defaults`.
    problems : list of Problem
        Added to: what has no effect.
    """

    label: str
    given: Json
    defaults: Json
    problems: list[Problem] = field(default_factory=list)

    @property
    def own(self) -> Entry:
        """The node's own properties."""
        return Entry("", self.label, self.given)

    def one(self, key: str) -> Entry:
        """Return where a single value is: with the node, or else with the pipeline."""
        if self.given.get(key) not in (None, "", [], {}):
            return self.own
        return Entry(DEFAULTS, "", self.defaults)

    def listed(self, key: str, known: Collection[str], identity: Collection[str]) -> list[Entry]:
        """Return the entries of a list; the node's take the place of the pipeline's.

        Parameters
        ----------
        known
            Attributes of an entry; others are noticed.
        identity
            Those by which an entry is the same as another.
        """
        found: dict[tuple[str, ...], Entry] = {}
        for entry in self._entries(key):
            for name in entry.values:
                if name not in known and entry.values[name]:
                    self.notice(entry, name, "it is not known", "Remove it.")
            if any(entry.text(name) for name in known):
                found[tuple(entry.text(name).strip("/") for name in identity)] = entry
        return list(found.values())

    def _entries(self, key: str) -> Iterator[Entry]:
        sides = ((f"{DEFAULTS}.{key}", "", self.defaults), (key, self.label, self.given))
        for path, node, side in sides:
            listed = side.get(key) or []
            whole = Entry(path, node, side)
            if not isinstance(listed, list):
                whole.refuse("", "must be a list", "Correct it in Elyra.")
            for index, values in enumerate(listed):
                entry = Entry(f"{path}[{index}]", node, values)
                if not isinstance(values, dict):
                    words = "an object with fields"
                    if form := form_of(key):
                        words += f", or a text `{form}`"
                    entry.refuse("", f"must be {words}, not {values!r}", "Correct it in Elyra.")
                yield entry

    def notice(self, entry: Entry, key: str, why: str, hint: str) -> None:
        """Tell that a value has no effect, once for all nodes where it is the pipeline's."""
        path = entry.at(key)
        message = f"`{path}` has no effect: {why}."
        problem = Problem("warning", "", -1, 0, key, message, hint, path, entry.node)
        if problem not in self.problems:
            self.problems.append(problem)

    def notice_others(self, known: Collection[str], known_defaults: Collection[str]) -> None:
        """Tell of properties that are not known."""
        sides = ((self.own, known), (Entry(DEFAULTS, "", self.defaults), known_defaults))
        for entry, names in sides:
            for name, value in entry.values.items():
                if name not in names and not name.endswith("_header") and value:
                    self.notice(
                        entry, name, "it is not known", "Remove it, or set it in another way."
                    )
