"""The program that runs one step of a notebook pipeline.

The parts of this package are joined to one source text that travels inside the pipeline spec, so
a step needs a Python of version 3.8 or later and nothing else: no Fairlead, no Jupyter, no kernel.
What belongs here: loading inputs, executing cells, writing outputs and the executed notebook.
What does not: any import outside the standard library (numpy, pandas, pyarrow and matplotlib are
imported only where the step's own code or an input has brought them in).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

PARTS = (
    "makers",
    "reducers",
    "definitions",
    "artifacts",
    "pretty",
    "displays",
    "shell",
    "randomness",
    "turns",
    "settings",
    "execution",
    "program",
)
"""Modules of the program, in the order in which they are joined."""

_PACKAGE = "from fairlead.pipelines.runner."
_HEAD = """\
_PROGRAM = __name__ == "__main__"
__name__ = "fairlead_step"
"""
_TAIL = """
if _PROGRAM:
    sys.exit({entry}(sys.argv))
"""


@lru_cache(maxsize=1)
def runner_source() -> str:
    """Return the source text of the step runner, the same for every step.

    Returns
    -------
    str
        Python source for `python -c`; its arguments are `--executor_input` and the JSON of KFP's
        ExecutorInput. Comments, docstrings and blank lines are left out.
    """
    return _joined(PARTS, "run_program")


@lru_cache(maxsize=1)
def node_source() -> str:
    """Return the source text of the program that runs a whole file, as a node of Elyra has it."""
    return _joined((*PARTS, "node"), "run_node")


@lru_cache(maxsize=1)
def function_source() -> str:
    """Return the source text of the program that runs a component: one function of a notebook."""
    return _joined(("function",), "run_function")


@lru_cache(maxsize=1)
def weighing_source() -> str:
    """Return the source text that weighs values in a live kernel: `ask(names, namespace)`."""
    parts = ("makers", "reducers", "definitions", "artifacts", "weighing")
    return _joined(parts, "ask")


@lru_cache(maxsize=1)
def describing_source() -> str:
    """Return the source text that describes values: `ask(names, namespace)`, or of files."""
    parts = ("makers", "reducers", "definitions", "artifacts", "describing")
    return _joined(parts, "describe_files")


def _joined(parts: tuple[str, ...], entry: str) -> str:
    # Pickles name functions of this program by module: it takes a name of its own, because
    # `__main__` is the module of the step's code.
    here = Path(__file__).parent
    lines = ["from __future__ import annotations", *_HEAD.splitlines()]
    for part in parts:
        lines.extend(_bare_lines((here / f"{part}.py").read_text("utf-8")))
    lines.extend(_TAIL.format(entry=entry).splitlines())
    return "\n".join(lines) + "\n"


def _bare_lines(source: str) -> Iterator[str]:
    """Yield the lines of a part that are needed to run it, indented by 1 instead of 4."""
    closing = ""  # what ends the import or docstring that is being skipped
    for line in source.splitlines():
        text = line.strip()
        if closing:
            closing = "" if text.endswith(closing) else closing
        elif line.startswith((_PACKAGE, "from __future__")):
            closing = ")" if text.endswith("(") else ""
        elif text.startswith('"""'):
            closing = "" if len(text) > 3 and text.endswith('"""') else '"""'
        elif text and not text.startswith("#"):
            yield " " * ((len(line) - len(text)) // 4) + line.lstrip()
