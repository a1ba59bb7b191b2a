"""The program that runs a component: one function of a notebook.

A program of its own, beside the one for steps: it needs Python 3.8 and nothing else.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
import traceback
import types
import typing

Json = typing.Dict[str, typing.Any]  # noqa: UP006
_TYPES = {
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "STRING": (str,),
    "BOOLEAN": (bool,),
    "LIST": (list, tuple),
    "STRUCT": (dict,),
}


def run_function(arguments: typing.List[str]) -> int:  # noqa: UP006
    """Call the function with the inputs of KFP's ExecutorInput; write what it returns."""
    task = json.loads(arguments[arguments.index("--executor_input") + 1])
    told = json.loads(arguments[arguments.index("--function") + 1])
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    name = "component " + told["name"]
    linecache.cache[name] = (len(told["source"]), None, told["source"].splitlines(True), name)
    try:
        outputs = _call(task, told, module, compile(told["source"], name, "exec"))
    except Exception:  # the boundary of the process: the interpreter shows no lines of such a file
        traceback.print_exc()
        return 1
    path = task["outputs"]["outputFile"]
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"parameterValues": outputs}, file)
    return 0


def _call(task: Json, told: Json, module: types.ModuleType, code: types.CodeType) -> Json:
    """Define the function, call it, and return its outputs."""
    exec(code, vars(module))
    given = task.get("inputs", {}).get("parameterValues", {})
    values = {
        # JSON has one kind of number.
        key: int(value) if told["inputs"].get(key) == "NUMBER_INTEGER" else value
        for key, value in given.items()
    }
    result = vars(module)[told["name"]](**values)
    outputs = told["outputs"]
    if told["named"]:
        found = {key: getattr(result, key) for key in outputs}
    else:
        found = {key: result for key in outputs}
    return {key: _checked(key, value, outputs[key]) for key, value in found.items()}


def _checked(key: str, value: typing.Any, kind: str) -> typing.Any:
    """Return an output in plain Python, or raise where it has another type than it should."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    right = isinstance(value, _TYPES[kind]) and (kind == "BOOLEAN" or not isinstance(value, bool))
    if not right:
        raise TypeError(f"the output '{key}' is a {type(value).__name__}, and {kind} is declared")
    return value
