"""A component of a notebook as KFP's component YAML: a pipeline of one task."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from typing import Any

from fairlead._version import __version__
from fairlead.errors import NotFoundError, SpecError
from fairlead.pipelines.components import Component, Port
from fairlead.pipelines.executor_specs import ExecutorSpecs
from fairlead.pipelines.imports import Versions, imported_names
from fairlead.pipelines.runner import function_source
from fairlead.pipelines.step_settings import read_settings

Json = dict[str, Any]


def choose_component(components: dict[str, Component], name: str) -> Component:
    """Return the component of a name, which may be that of its function."""
    for component in components.values():
        if name in (component.name, component.function):
            return component
    known = ", ".join(f"'{one}'" for one in components)
    raise NotFoundError(
        f"This notebook has no component '{name}'.",
        hint=f"It has {known}." if known else "Tag a cell that holds one function `component`.",
    )


def build_component(
    component: Component, modules: Iterable[str], versions: Versions
) -> tuple[Json, Json]:
    """Build the PipelineSpec of a component, as kfp compiles one, and its PlatformSpec.

    Parameters
    ----------
    modules
        Paths of the notebook's own modules.
    versions
        Asked for the packages of what its code imports, where its cell names none.

    Raises
    ------
    SpecError
        It imports one of the modules, which only the notebook's steps carry.
    """
    imports = imported_names(ast.parse(component.source))
    own = {path.split("/")[0].removesuffix(".py") for path in modules}
    if local := sorted(own & {name.split(".")[0] for name in imports}):
        raise SpecError(
            f"Cell {component.cell.index + 1} ({component.cell.id}): the component "
            f"'{component.name}' imports `{local[0]}`, a file beside the notebook.",
            hint="Write what it needs of it into a cell tagged `setup`, or make it a package.",
        )
    settings = read_settings(component.cell.given)
    told = {
        "name": component.function,
        "inputs": {port.name: port.type for port in component.inputs},
        "outputs": {port.name: port.type for port in component.outputs},
        "named": component.named,
        "source": component.source,
    }
    # KFP and Kubernetes put values in the place of what begins so, also inside of a text.
    text = json.dumps(told).replace("$", "\\u0024")
    packages = settings.packages
    if packages is None:
        packages = tuple(versions(imports))
    executors = ExecutorSpecs()
    label = executors.add(settings, ["python3", "-c", function_source()], packages)
    container = executors.containers[label]
    container["container"]["args"] += ["--function", text]
    name = component.name
    definitions: Json = {}
    if component.inputs:
        definitions["inputDefinitions"] = {
            "parameters": {port.name: _input(port) for port in component.inputs}
        }
    if component.outputs:
        outputs = {port.name: {"parameterType": port.type} for port in component.outputs}
        definitions["outputDefinitions"] = {"parameters": outputs}
    task: Json = {
        "cachingOptions": {"enableCache": True} if settings.cache else {},
        "componentRef": {"name": f"comp-{name}"},
        "taskInfo": {"name": name},
    }
    if component.inputs:
        given = {port.name: {"componentInputParameter": port.name} for port in component.inputs}
        task["inputs"] = {"parameters": given}
    dag: Json = {"tasks": {name: task}}
    if component.outputs:
        dag["outputs"] = {
            "parameters": {
                port.name: {
                    "valueFromParameter": {"outputParameterKey": port.name, "producerSubtask": name}
                }
                for port in component.outputs
            }
        }
    info = {"name": name}
    if component.description:
        info["description"] = component.description
    spec = {
        "components": {f"comp-{name}": {"executorLabel": f"exec-{name}", **definitions}},
        "deploymentSpec": {"executors": {f"exec-{name}": container}},
        "pipelineInfo": info,
        "root": {"dag": dag, **definitions},
        "schemaVersion": "2.1.0",
        "sdkVersion": f"fairlead-{__version__}",
    }
    platform = executors.platform_spec()
    if platform:
        deployment = platform["platforms"]["kubernetes"]["deploymentSpec"]
        deployment["executors"] = {f"exec-{name}": deployment["executors"][label]}
    return spec, platform


def _input(port: Port) -> Json:
    made: Json = {"parameterType": port.type}
    if port.optional:
        made["isOptional"] = True
    if port.default is not None:
        made["defaultValue"] = port.default
    return made
