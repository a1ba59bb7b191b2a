"""A pipeline with every kind of scope, as kfp compiles it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# What the pipeline below was written as; a stock kfp compiles it to the same names.
KFP_SOURCE = """
import sys
from kfp import compiler, dsl

@dsl.container_component
def say(word: str, number: str):
    script = 'echo "say $0 $1"; test "$0$1" != b2'
    return dsl.ContainerSpec(image="python:3.11", command=["sh", "-c", script], args=[word, number])

@dsl.container_component
def tidy():
    return dsl.ContainerSpec(image="python:3.11", command=["sh", "-c", "echo tidied"])

@dsl.pipeline
def inner():
    first = say(word="inner", number="1")
    say(word="inner", number="3").after(first)

@dsl.pipeline(name="scopes")
def scopes(flag: str = "yes"):
    with dsl.ExitHandler(tidy(), name="guarded"):
        inner()
        with dsl.ParallelFor(["a", "b"]) as word:
            with dsl.ParallelFor(["1", "2"]) as number:
                say(word=word, number=number)
        with dsl.If(flag == "yes", "when yes"):
            say(word="taken", number="1")
        with dsl.Else("otherwise"):
            say(word="not taken", number="1")

compiler.Compiler().compile(scopes, sys.argv[1])
"""

_FLAG = "pipelinechannel--flag"
_WORD = "pipelinechannel--loop-item-param-2"
_NUMBER = "pipelinechannel--loop-item-param-4"
_IS_YES = f"inputs.parameter_values['{_FLAG}'] == 'yes'"


def _takes(*names: str) -> Json:
    return {"inputDefinitions": {"parameters": {one: {"parameterType": "STRING"} for one in names}}}


def _passes(**more: str) -> Json:
    """Inputs of a task: names of inputs of the scope around it, or constants behind `=`."""
    return {
        "parameters": {
            name: {"runtimeValue": {"constant": value[1:]}}
            if value.startswith("=")
            else {"componentInputParameter": value}
            for name, value in more.items()
        }
    }


def _task(component: str, name: str, inputs: Json | None = None, **more: Any) -> Json:
    return {
        "componentRef": {"name": f"comp-{component}"},
        "taskInfo": {"name": name},
        **({"inputs": inputs} if inputs else {}),
        **more,
    }


def _dag(*names: str, **tasks: Json) -> Json:
    return {"dag": {"tasks": {k.replace("_", "-"): v for k, v in tasks.items()}}, **_takes(*names)}


def _loop(item: str, values: str) -> Json:
    return {"parameterIterator": {"itemInput": item, "items": {"raw": values}}}


def scopes_pipeline() -> Json:
    """An exit handler around a sub-pipeline, a loop in a loop with a failed step, and a choice."""
    script = 'echo "say $0 $1"; test "$0$1" != b2'
    arguments = ["{{$.inputs.parameters['word']}}", "{{$.inputs.parameters['number']}}"]
    says = {"image": "python:3.11", "command": ["sh", "-c", script], "args": arguments}
    flag = _passes(**{_FLAG: _FLAG})
    return {
        "pipelineInfo": {"name": "scopes"},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "deploymentSpec": {
            "executors": {
                "exec-say": {"container": says},
                "exec-tidy": {
                    "container": {"image": "python:3.11", "command": ["sh", "-c", "echo tidied"]}
                },
            }
        },
        "components": {
            "comp-say": {"executorLabel": "exec-say", **_takes("word", "number")},
            "comp-tidy": {"executorLabel": "exec-tidy"},
            "comp-inner": _dag(
                say=_task("say", "say", _passes(word="=inner", number="=1")),
                say_2=_task(
                    "say", "say-2", _passes(word="=inner", number="=3"), dependentTasks=["say"]
                ),
            ),
            "comp-for-loop-5": _dag(
                _WORD,
                _NUMBER,
                say=_task("say", "say", _passes(word=_WORD, number=_NUMBER)),
            ),
            "comp-for-loop-3": _dag(
                _WORD,
                for_loop_5=_task(
                    "for-loop-5",
                    "for-loop-5",
                    _passes(**{_WORD: _WORD}),
                    **_loop(_NUMBER, '["1", "2"]'),
                ),
            ),
            "comp-condition-7": _dag(
                _FLAG, say_2=_task("say", "say-2", _passes(word="=taken", number="=1"))
            ),
            "comp-condition-8": _dag(
                _FLAG, say_3=_task("say", "say-3", _passes(word="=not taken", number="=1"))
            ),
            "comp-condition-branches-6": _dag(
                _FLAG,
                condition_7=_task(
                    "condition-7", "when yes", flag, triggerPolicy={"condition": _IS_YES}
                ),
                condition_8=_task(
                    "condition-8", "otherwise", flag, triggerPolicy={"condition": f"!({_IS_YES})"}
                ),
            ),
            "comp-exit-handler-1": _dag(
                _FLAG,
                inner=_task("inner", "inner"),
                for_loop_3=_task("for-loop-3", "for-loop-3", **_loop(_WORD, '["a", "b"]')),
                condition_branches_6=_task("condition-branches-6", "condition-branches-6", flag),
            ),
        },
        "root": {
            "inputDefinitions": {
                "parameters": {"flag": {"parameterType": "STRING", "defaultValue": "yes"}}
            },
            "dag": {
                "tasks": {
                    "exit-handler-1": _task(
                        "exit-handler-1", "guarded", _passes(**{_FLAG: "flag"})
                    ),
                    "tidy": _task(
                        "tidy",
                        "tidy",
                        dependentTasks=["exit-handler-1"],
                        triggerPolicy={"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
                    ),
                }
            },
        },
    }
