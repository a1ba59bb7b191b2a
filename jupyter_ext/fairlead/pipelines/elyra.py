"""Elyra's pipelines: which files its nodes run, in what order, and what each asks for.

A `.pipeline` file is the JSON of a canvas. Generic nodes (notebooks, Python and R scripts) are
read; components of a runtime are refused by name. Super nodes are flattened, comments left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from fairlead.errors import SpecError
from fairlead.names import dns_label
from fairlead.pipelines.elyra_properties import DEFAULTS, Entry, Properties
from fairlead.pipelines.elyra_settings import DEFAULT_IMAGE, NodeSettings, read_node_settings
from fairlead.pipelines.elyra_versions import entries_of, properties_of
from fairlead.pipelines.records import Problem

Json = dict[str, Any]

_KINDS = {
    "execute-notebook-node": "notebook",
    "execute-python-node": "python",
    "execute-r-node": "r",
}
_TYPES = {
    "string": "STRING",
    "customstring": "STRING",
    "integer": "NUMBER_INTEGER",
    "float": "NUMBER_DOUBLE",
    "bool": "BOOLEAN",
    "list": "LIST",
    "dict": "STRUCT",
}
_OF_PIPELINE = frozenset(
    # The runtime is where Elyra would send it to.
    "name description runtime runtime_type pipeline_defaults pipeline_parameters"
    " cos_object_prefix".split()
)
_DOCUMENTATION = "elyra/node-user-doc"
"""Annotation in which Elyra puts the comments that are linked to a node."""
_NEWEST = 9
"""Newest version of Elyra's own part of the file that is known."""


@dataclass
class ElyraNode:
    """A node that runs a file.

    Parameters
    ----------
    name : str
        Name of its task: a DNS label.
    kind : str
        "notebook", "python" or "r".
    file : str
        The file, relative to the folder of the pipeline.
    dependencies : list of str
        Files that it needs, relative to its own file's folder; `*`, `?` and `[...]` are patterns.
    recursive : bool
        Whether patterns and folders reach into sub-folders.
    outputs : list of str
        Files that it makes and later nodes find, relative to where it runs; patterns as well.
    after : list of str
        Names of the nodes that it is linked to.
    parameters : list of str
        Parameters of the pipeline that it is told, as environment variables.
    """

    name: str
    kind: str
    file: str
    dependencies: list[str]
    recursive: bool
    outputs: list[str]
    parameters: list[str]
    settings: NodeSettings
    after: list[str] = field(default_factory=list)


@dataclass
class ElyraPipeline:
    """A pipeline file.

    Parameters
    ----------
    parameters : dict
        Definition of each parameter as KFP's `inputDefinitions.parameters` has it.
    problems : list of Problem
        Warnings: what has no effect, by the node's label and the property's path.
    """

    name: str
    description: str
    parameters: Json
    nodes: list[ElyraNode]
    problems: list[Problem]


def read_elyra(document: Any, name: str) -> ElyraPipeline:
    """Read the JSON of a `.pipeline` file.

    Parameters
    ----------
    name
        Name of the file, for a pipeline without one.

    Raises
    ------
    SpecError
        It is not Elyra's, or has nodes that are not understood; the message names the node.
    """
    if not isinstance(document, dict) or not isinstance(document.get("pipelines"), list):
        raise SpecError(f"{name} is not a pipeline of Elyra: it has no `pipelines`.")
    flows = {str(flow.get("id")): flow for flow in document["pipelines"]}
    primary = flows.get(str(document.get("primary_pipeline")))
    if primary is None:
        raise SpecError(f"{name} is not a pipeline of Elyra: its primary pipeline is not in it.")
    data = primary.get("app_data") or {}
    version = float(data.get("version") or 0)
    if version > _NEWEST:
        raise SpecError(
            f"{name} is of version {version:g} of Elyra's format; up to {_NEWEST} is understood."
        )
    properties = data.get("properties") or {}
    problems: list[Problem] = []
    defaults = entries_of({**_old_defaults(properties), **(properties.get(DEFAULTS) or {})})
    whole = Properties("", {}, properties, problems)
    for key in properties:
        if key not in _OF_PIPELINE and properties[key]:
            whole.notice(Entry("", "", properties), key, "it is not known", "Remove it.")
    reader = _Reader(name, version, defaults, _comments(document["pipelines"]), problems)
    nodes = reader.read(_nodes(primary, flows, name, ()))
    return ElyraPipeline(
        str(properties.get("name") or data.get("name") or data.get("title") or name),
        str(properties.get("description") or ""),
        _parameters(properties.get("pipeline_parameters") or []),
        nodes,
        problems,
    )


def _old_defaults(properties: Json) -> Json:
    """Return what the first versions had beside the defaults."""
    prefix = properties.get("cos_object_prefix")
    return {"cos_object_prefix": prefix} if prefix else {}


def _comments(flows: list[Json]) -> dict[str, str]:
    """Return the comments that are linked to nodes, by the node's id."""
    found: dict[str, list[str]] = {}
    for flow in flows:
        shown = (flow.get("app_data") or {}).get("ui_data") or {}
        for comment in shown.get("comments") or []:
            text = str(comment.get("content") or "").strip()
            for link in comment.get("associated_id_refs") or []:
                if text:
                    found.setdefault(str(link.get("node_ref")), []).append(text)
    return {key: "\n\n".join(texts) for key, texts in found.items()}


def _nodes(
    flow: Json, flows: dict[str, Json], name: str, above: tuple[str, ...]
) -> Iterator[tuple[Json, list[Json]]]:
    """Yield each execution node, and the links into it, those into its super node included."""
    for node in flow.get("nodes") or []:
        kind = node.get("type")
        links = [link for port in node.get("inputs") or [] for link in port.get("links") or []]
        if kind in ("execution_node", "pipeline_node"):
            yield node, links
        elif kind == "super_node":
            inner = str((node.get("subflow_ref") or {}).get("pipeline_id_ref"))
            if inner not in flows or inner in above:
                what = _label(node) or str(node.get("id"))
                raise SpecError(
                    f"{name}: the super node '{what}' leads to no pipeline of the file."
                )
            for found, own in _nodes(flows[inner], flows, name, (*above, inner)):
                port = f"{found.get('id')}_inPort"
                outer = [
                    link
                    for port_in in node.get("inputs") or []
                    if port_in.get("id") == port
                    for link in port_in.get("links") or []
                ]
                yield found, own + outer
        elif kind != "binding":
            what = _label(node) or str(node.get("id"))
            raise SpecError(f"{name}: node '{what}' is of type '{kind}', which is not understood.")


def _label(node: Json) -> str:
    data = node.get("app_data") or {}
    return str((data.get("ui_data") or {}).get("label") or data.get("label") or "")


def _source(link: Json) -> str:
    """Return the id of the node that a link comes from; out of a super node, of the inner one."""
    port = str(link.get("port_id_ref") or "")
    if port.endswith("_outPort"):
        return port.removesuffix("_outPort")
    return str(link.get("node_id_ref") or "")


@dataclass
class _Reader:
    """Reads the nodes of a file."""

    name: str
    version: float
    defaults: Json
    comments: dict[str, str]
    problems: list[Problem]

    def read(self, found: Iterator[tuple[Json, list[Json]]]) -> list[ElyraNode]:
        """Return the nodes, with the names of those that each is linked to."""
        nodes: dict[str, ElyraNode] = {}
        links_of: dict[str, list[Json]] = {}
        taken: set[str] = set()
        for raw, links in found:
            node = self._node(raw)
            base, count = node.name, 1
            while node.name in taken:
                count += 1
                node.name = f"{base}-{count}"
            taken.add(node.name)
            nodes[str(raw.get("id"))] = node
            links_of[str(raw.get("id"))] = links
        for key, links in links_of.items():
            for link in links:
                source = nodes.get(_source(link))
                # A link from the inside of a super node leads to its binding, which is no node.
                if source is not None and source.name not in nodes[key].after:
                    nodes[key].after.append(source.name)
        if not nodes:
            raise SpecError(
                f"{self.name} has no nodes.", hint="Add a notebook or a script in Elyra."
            )
        return list(nodes.values())

    def _node(self, raw: Json) -> ElyraNode:
        given = properties_of(raw, self.version)
        file = str(given.get("filename") or "")
        label = _label(raw) or PurePosixPath(file).name
        # The first version knew notebooks alone.
        kind = _KINDS.get(str(raw.get("op"))) if self.version >= 1 else "notebook"
        if kind is None:
            raise SpecError(
                f"{self.name}: node '{label}' is a component of a runtime ({raw.get('op')}); "
                "notebooks, Python scripts and R scripts run here.",
                hint="Write it as a pipeline of the kfp package, which runs here as it is.",
            )
        if not file:
            raise SpecError(f"{self.name}: node '{label}' names no file.")
        properties = Properties(label, given, self.defaults, self.problems)
        settings = read_node_settings(properties)
        if kind == "r" and settings.image == DEFAULT_IMAGE:
            self.problems.append(_without_r(label, file))
        if comment := self.comments.get(str(raw.get("id"))):
            metadata = settings.platform.setdefault("podMetadata", {})
            metadata.setdefault("annotations", {}).setdefault(_DOCUMENTATION, comment)
        suffix = PurePosixPath(file).suffix
        stem = label.removesuffix(suffix) if label else PurePosixPath(file).stem
        return ElyraNode(
            dns_label(stem),
            kind,
            file,
            _texts(given.get("dependencies")),
            bool(given.get("include_subdirectories")),
            _texts(given.get("outputs")),
            _texts(given.get("pipeline_parameters")),
            settings,
        )


def _without_r(label: str, file: str) -> Problem:
    message = f"`runtime_image` is not set, and {DEFAULT_IMAGE} has no Rscript to run {file}."
    hint = "Set an image that has it. Here, the Rscript of this machine is used."
    return Problem("warning", "", -1, 0, "runtime_image", message, hint, "runtime_image", label)


def _texts(listed: Any) -> list[str]:
    return [str(text).strip() for text in listed or [] if str(text).strip()]


def _parameters(listed: Any) -> Json:
    made: Json = {}
    for index, one in enumerate(listed):
        entry = Entry(f"pipeline_parameters[{index}]", "", one)
        default = one.get("default_value")
        default = default if isinstance(default, dict) else {}
        wanted = str(default.get("type") or "String").lower()
        if wanted not in _TYPES:
            known = "String, Integer, Float, Bool, List and Dict"
            entry.refuse("default_value.type", f"is {default['type']}", f"{known} are understood.")
        definition: Json = {"parameterType": _TYPES[wanted]}
        value = one.get("value")
        value = default.get("value") if value in (None, "") else value
        if value not in (None, ""):
            definition["defaultValue"] = value
        if one.get("description"):
            definition["description"] = str(one["description"])
        if not one.get("required"):
            definition["isOptional"] = True
        made[entry.need("name")] = definition
    return made
