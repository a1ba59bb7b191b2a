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
from fairlead.pipelines.elyra_settings import NodeSettings, read_node_settings

Json = dict[str, Any]

_KINDS = {
    "execute-notebook-node": "notebook",
    "execute-python-node": "python",
    "execute-r-node": "r",
}
_TYPES = {
    "string": "STRING",
    "integer": "NUMBER_INTEGER",
    "float": "NUMBER_DOUBLE",
    "bool": "BOOLEAN",
    "list": "LIST",
    "dict": "STRUCT",
}
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
    warnings : list of str
        What has no effect, with the node's name.
    """

    name: str
    description: str
    parameters: Json
    nodes: list[ElyraNode]
    warnings: list[str]


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
    version = float(data.get("version") or 1)
    if version > _NEWEST:
        raise SpecError(
            f"{name} is of version {version:g} of Elyra's format; up to {_NEWEST} is understood."
        )
    properties = data.get("properties") or {}
    warnings: list[str] = []
    found = _nodes(primary, flows, name, ())
    nodes = _read_nodes(found, properties.get("pipeline_defaults") or {}, warnings, name)
    return ElyraPipeline(
        str(properties.get("name") or data.get("name") or name),
        str(properties.get("description") or ""),
        _parameters(properties.get("pipeline_parameters") or []),
        nodes,
        warnings,
    )


def _nodes(
    flow: Json, flows: dict[str, Json], name: str, above: tuple[str, ...]
) -> Iterator[tuple[Json, list[Json]]]:
    """Yield each execution node, and the links into it, those into its super node included."""
    for node in flow.get("nodes") or []:
        kind = node.get("type")
        links = [link for port in node.get("inputs") or [] for link in port.get("links") or []]
        if kind == "execution_node":
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


def _read_nodes(
    found: Iterator[tuple[Json, list[Json]]], defaults: Json, warnings: list[str], name: str
) -> list[ElyraNode]:
    nodes: dict[str, ElyraNode] = {}
    links_of: dict[str, list[Json]] = {}
    taken: set[str] = set()
    for raw, links in found:
        node = _read_node(raw, defaults, warnings, name)
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
        raise SpecError(f"{name} has no nodes.", hint="Add a notebook or a script in Elyra.")
    return list(nodes.values())


def _read_node(raw: Json, defaults: Json, warnings: list[str], name: str) -> ElyraNode:
    data = raw.get("app_data") or {}
    given = data.get("component_parameters") or data  # where the first versions had them
    file = str(given.get("filename") or "")
    label = _label(raw) or PurePosixPath(file).name
    kind = _KINDS.get(str(raw.get("op")))
    if kind is None:
        raise SpecError(
            f"{name}: node '{label}' is a component of a runtime ({raw.get('op')}); notebooks, "
            "Python scripts and R scripts run here.",
            hint="Write it as a pipeline of the kfp package, which runs here as it is.",
        )
    if not file:
        raise SpecError(f"{name}: node '{label}' names no file.")
    stem = label.removesuffix(PurePosixPath(file).suffix) if label else PurePosixPath(file).stem
    return ElyraNode(
        dns_label(stem),
        kind,
        file,
        _texts(given.get("dependencies")),
        bool(given.get("include_subdirectories")),
        _texts(given.get("outputs")),
        _texts(given.get("pipeline_parameters")),
        read_node_settings(given, defaults, label, warnings),
    )


def _texts(listed: Any) -> list[str]:
    return [str(text).strip() for text in listed or [] if str(text).strip()]


def _parameters(listed: Any) -> Json:
    made: Json = {}
    for one in listed:
        default = one.get("default_value")
        default = default if isinstance(default, dict) else {}
        wanted = str(default.get("type") or "String")
        definition: Json = {"parameterType": _TYPES.get(wanted.lower(), "STRING")}
        value = one.get("value")
        value = default.get("value") if value in (None, "") else value
        if value not in (None, ""):
            definition["defaultValue"] = value
        if one.get("description"):
            definition["description"] = str(one["description"])
        if not one.get("required"):
            definition["isOptional"] = True
        made[str(one.get("name"))] = definition
    return made
