"""Requests as text: what a form will send, to read and to copy. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from fairlead.documents import dump_pipeline
from fairlead.pipelines.bindings import declared_parameters

Json = dict[str, Any]


def parameters_of(spec: Mapping[str, Any], given: Mapping[str, Any]) -> list[Json]:
    """Return a pipeline's parameters for a form, each with its present value.

    Returns
    -------
    list of dict
        `{name, type, description, optional, literals, default, value}`; `default` and `value` are
        left out where there is none.
    """
    found = []
    for name, one in declared_parameters(spec).items():
        entry: Json = {
            "name": name,
            "type": one.get("parameterType") or "STRING",
            "description": one.get("description") or "",
            "optional": bool(one.get("isOptional")) or "defaultValue" in one,
            "literals": one.get("literals") or [],
        }
        if "defaultValue" in one:
            entry["default"] = one["defaultValue"]
        if name in given:
            entry["value"] = given[name]
        elif "defaultValue" in one:
            entry["value"] = one["defaultValue"]
        found.append(entry)
    return found


def request_yaml(request: Mapping[str, Any]) -> str:
    """Write the body of a request, the long spec at its end."""
    short = {name: value for name, value in request.items() if name != "pipeline_spec"}
    text = dump_pipeline(short)
    spec = request.get("pipeline_spec")
    if spec:
        text += "pipeline_spec:\n" + textwrap.indent(dump_pipeline(spec), "  ")
    return text


def schedule_python(source: str, is_run: bool, given: Mapping[str, Any]) -> str:
    """Write the cell that makes the same recurring run."""
    arguments = "".join(
        f"    {name}={value!r},\n" for name, value in given.items() if value is not None
    )
    what = f"fairlead.get_run({source!r})" if is_run else repr(source)
    return f"import fairlead\n\nfairlead.schedule(\n    {what},\n{arguments})\n"


def clone_python(run_id: str, given: Mapping[str, Any]) -> str:
    """Write the cell that sends the same request."""
    arguments = "".join(
        f"    {name}={value!r},\n" for name, value in given.items() if value not in ("", None)
    )
    call = f"clone(\n{arguments})" if arguments else "clone()"
    return f"import fairlead\n\nrun = fairlead.get_run({run_id!r}).{call}\nrun\n"
