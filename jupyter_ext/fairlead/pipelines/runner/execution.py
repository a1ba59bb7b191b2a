"""One step: common code, inputs, cells, outputs."""

from __future__ import annotations

import ast
import builtins
import functools
import itertools
import json
import os
import re
import sys
import types
import typing
import weakref

from fairlead.pipelines.runner.artifacts import (
    CarryError,
    find_unfit,
    fingerprint,
    load,
    save,
)
from fairlead.pipelines.runner.definitions import DEFINITIONS, FUTURES
from fairlead.pipelines.runner.displays import (
    PAGE,
    show_figures,
    show_result,
)
from fairlead.pipelines.runner.randomness import RANDOM, random_state, restore_random
from fairlead.pipelines.runner.settings import SETTINGS, restore_settings, settings_state
from fairlead.pipelines.runner.shell import Shell
from fairlead.pipelines.runner.turns import cut, decide, gather

Json = typing.Dict[str, typing.Any]  # noqa: UP006
_CELL = re.compile(r"^Cell \[(.*)\]$")
_TASKS = re.compile(r"\b(create_task|ensure_future|get_running_loop|TaskGroup)\b")
"""What needs a running event loop, as the cells of a notebook have one."""
_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class StepFailed(Exception):
    """The step cannot go on; the reason has been printed."""

    args: tuple[typing.Any, ...]


class Step:
    """Runs the cells of one step in a namespace of their own.

    Parameters
    ----------
    spec
        The `step` parameter of the task: what to run, bind and keep.
    """

    def __init__(self, spec: Json) -> None:
        self.spec = spec
        self.module = types.ModuleType("__main__")
        self.space = vars(self.module)
        self.space["__builtins__"] = builtins
        self.shell = Shell(self.space)
        self.flags = 0
        self.loop: typing.Any = None
        self.in_loop = False
        self.metrics: Json = {}
        self.error: Json | None = None
        self.given: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.watched: dict[str, tuple[typing.Any, int | None]] = {}
        self.parameters: Json = {}
        self.decided: Json = {}
        DEFINITIONS.step = spec["name"]

    def run(self, parameters: Json, inputs: dict[str, list[str]]) -> None:
        """Execute everything of the step but its outputs.

        Parameters
        ----------
        parameters
            Values of the input parameters by key.
        inputs
            Path of each input artifact by key; what a loop collected has one for each turn.
        """
        self.parameters = parameters
        sys.modules["__main__"] = self.module
        builtins.get_ipython = lambda: self.shell  # type: ignore[attr-defined]
        self.add_modules(self.spec.get("modules", {}))
        for cell in [*self.spec.get("setup", []), {"parameters": True}]:
            if "source" in cell:
                self.execute(cell)
            if cell.get("parameters"):
                self.bind_parameters(parameters)
        wanted = self.spec.get("inputs", {})
        for key in wanted:
            if SETTINGS in wanted[key]["bind"]:  # imports may depend on them
                self.take(key, inputs[key], wanted[key])
        for part in self.spec.get("definitions", []):
            self.define(part)
        for key in sorted(wanted, key=lambda key: int(wanted[key]["order"])):
            self.take(key, inputs[key], wanted[key])
        for cell in self.spec["cells"]:
            self.execute(cell)
        if "control" in self.spec:
            self.decided = decide(self.spec["control"], self.evaluate)

    def bind_parameters(self, values: Json) -> None:
        """Give the pipeline's parameters their names and Python types, once."""
        for key, info in self.spec.get("parameters", {}).items():
            if key in self.given or not ("default" in info or key in values):
                continue
            self.given.add(key)
            default = ast.literal_eval(info["default"]) if "default" in info else None
            value = values.get(key, default)
            # JSON knows fewer types than Python: an unchanged default is the notebook's own.
            if key in values and "default" in info and json.loads(json.dumps(default)) == value:
                value = default
            if info.get("type") == "NUMBER_INTEGER" and isinstance(value, float):
                value = int(value)
            self.space[info["name"]] = value

    def take(self, key: str, paths: list[str], names: Json) -> None:
        """Bind the names that this step takes from one artifact, or from those of a loop."""
        path = paths[0] if paths else ""
        try:
            if "collect" in names:
                values = gather(paths, names["file"], names["collect"])
            else:
                values = load(path, names["file"])
        except Exception as error:  # loading runs code of any class, which may raise anything
            text = str(error)
            if not isinstance(error, CarryError):
                bound = ", ".join(f"`{name}`" for name in names["bind"])
                text = f"{bound} cannot be read in this step: {type(error).__name__}: {text}"
            self.fail(self.first_cell(), 1, "CarryError", text, [f"CarryError: {text}\n"])
            raise StepFailed from error
        self.sizes[key] = os.path.getsize(path) if os.path.exists(path) else 0
        self.watch(values, key, set(names["bind"]) - set(names.get("changed", ())))
        for name in names["bind"]:
            if name in (RANDOM, SETTINGS):
                (restore_random if name == RANDOM else restore_settings)(values[name])
                continue
            self.space.pop(name, None)
            if name in values:
                self.space[name] = values[name]

    def first_cell(self) -> str:
        """Return the id of the cell at which the step begins."""
        control = self.spec.get("control")
        return str(control["cell"] if control else self.spec["cells"][0]["id"])

    def add_modules(self, modules: dict[str, str]) -> None:
        """Make the notebook's own .py files importable."""
        if not modules:
            return
        import tempfile

        folder = tempfile.mkdtemp(prefix="modules-")
        for name, text in modules.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        sys.path.insert(0, folder)

    def define(self, part: Json) -> None:
        """Execute a definition of an earlier step again, at its own cell and line."""
        text = "\n" * (int(part.get("line", 1)) - 1) + part["source"]
        name = "Cell [%s]" % part["id"]  # noqa: UP031
        if "line" in part:
            known = DEFINITIONS.sources.get(name, ("", 0))[0]
            pairs = itertools.zip_longest(text.split("\n"), known.split("\n"), fillvalue="")
            whole = "\n".join(a or b for a, b in pairs)
            self.register(part["id"], whole, whole)
        tree = compile(text, name, "exec", self.flags | ast.PyCF_ONLY_AST, True)
        if hasattr(sys.stdout, "held"):  # what it prints has been printed where it stands
            sys.stdout.held = []
        try:
            self.run_statements(tree.body, name, part["id"])
        finally:
            if hasattr(sys.stdout, "held"):
                sys.stdout.held = None

    def know(self, node: typing.Any, cell_id: str) -> None:
        """Remember a function or class by its place, which is the same in every step."""
        made = self.space.get(node.name)
        if isinstance(made, (type, types.FunctionType)) and made.__module__ == "__main__":
            line = min([node.lineno] + [part.lineno for part in node.decorator_list])
            self.know_inside(made, cell_id, line)

    def know_inside(self, made: typing.Any, cell_id: str, line: int) -> None:
        """Remember a definition, and the classes inside a class."""
        DEFINITIONS.add("%s:%s:%d" % (cell_id, made.__qualname__, line), made)  # noqa: UP031
        for inner in list(vars(made).values()) if isinstance(made, type) else ():
            within = getattr(inner, "__qualname__", "").startswith(made.__qualname__ + ".")
            if isinstance(inner, type) and within and inner.__module__ == "__main__":
                self.know_inside(inner, cell_id, line)

    def register(self, cell_id: str, code: str, source: str) -> str:
        """Make a cell's lines known to tracebacks and to the pickler; return its file name."""
        name = f"Cell [{cell_id}]"
        DEFINITIONS.sources[name] = (code, self.flags)
        DEFINITIONS.show_lines(name, source)
        return name

    def execute(self, cell: Json) -> None:
        """Run one cell; its outputs go to the executed notebook."""
        PAGE.start(cell)
        code = str(cell.get("code", cell["source"]))
        name = self.register(cell["id"], code, cell["source"])
        try:
            tree = compile(code, name, "exec", self.flags | ast.PyCF_ONLY_AST | _AWAIT, True)
            self.in_loop = bool(_TASKS.search(code))
            if "loop" in self.spec or "branch" in self.spec:
                cut(tree, cell, self.spec, self.parameters, self.space)
            self.execute_tree(tree, name, cell)
            show_figures()
            if cell.get("metrics"):
                self.measure(tree, cell["metrics"])
        except BaseException as error:
            self.shell.end_cell()
            self.report(error, cell)
            if not (cell.get("raises") and isinstance(error, Exception)):
                raise StepFailed from error
        self.shell.end_cell()
        PAGE.write()

    def execute_tree(self, tree: typing.Any, name: str, cell: Json) -> None:
        """Run a cell's statements, and show the value of a last expression."""
        body = tree.body
        shown = bool(body) and isinstance(body[-1], ast.Expr) and not cell.get("silent")
        self.run_statements(body[:-1] if shown else body, name, cell["id"])
        if shown:
            value = self.evaluate(ast.Expression(body[-1].value), name, "eval")
            if value is not None:
                show_result(value)

    def run_statements(self, body: list[typing.Any], name: str, cell_id: str) -> None:
        """Run statements; functions and classes are remembered as soon as they are made."""
        waiting: list[typing.Any] = []
        for node in body:
            waiting.append(node)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.evaluate(ast.Module(waiting, []), name, "exec")
                self.know(node, cell_id)
                waiting = []
        if waiting:
            self.evaluate(ast.Module(waiting, []), name, "exec")

    def evaluate(self, tree: typing.Any, name: str, mode: str) -> typing.Any:
        """Execute a tree in the step's namespace; a tree that awaits runs in the step's loop."""
        code = compile(tree, name, mode, self.flags | _AWAIT, True)
        self.flags |= code.co_flags & FUTURES
        if name in DEFINITIONS.sources:
            DEFINITIONS.sources[name] = (DEFINITIONS.sources[name][0], self.flags)
        if not (code.co_flags & 0x80 or self.in_loop):
            return eval(code, self.space)
        import asyncio

        async def inside() -> typing.Any:
            value = eval(code, self.space)
            return await value if code.co_flags & 0x80 else value

        if self.loop is None:
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(inside())

    def measure(self, tree: typing.Any, wanted: typing.Any) -> None:
        """Keep numbers as metrics: those of the wanted names, or those that a cell assigned."""
        for name in wanted if isinstance(wanted, list) else _bound(tree):
            value = self.space.get(name)
            if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
                value = typing.cast(typing.Any, value).item()
            if isinstance(value, (int, float)) and value == value and abs(value) != float("inf"):
                self.metrics[name] = value

    def report(self, error: BaseException, cell: Json) -> None:
        """Print the traceback with the notebook's own cells and lines, and keep it."""
        import traceback

        frames = error.__traceback__
        while frames is not None and not _CELL.match(frames.tb_frame.f_code.co_filename):
            frames = frames.tb_next
        texts = traceback.format_exception(type(error), error, frames)
        texts = [re.sub(r'File "(Cell \[.*?\])", line', r"\1, line", text) for text in texts]
        line, where = getattr(error, "lineno", None) if frames is None else None, cell["id"]
        while frames is not None:
            match = _CELL.match(frames.tb_frame.f_code.co_filename)
            if match:
                where, line = match.group(1), frames.tb_lineno
            frames = frames.tb_next
        self.fail(where, line, type(error).__name__, str(error), texts)

    def fail(self, cell_id: str, line: int | None, name: str, text: str, texts: list[str]) -> None:
        """Record an error: on stderr, in the notebook and for error.json."""
        found = {"cell_id": cell_id, "line": line, "ename": name, "evalue": text}
        self.error = dict(found, traceback="".join(texts))
        getattr(sys.stderr, "real", sys.stderr).write("".join(texts))
        lines = [part for piece in texts for part in piece.rstrip("\n").split("\n")]
        PAGE.put({"output_type": "error", "ename": name, "evalue": text, "traceback": lines})
        PAGE.write()

    def keep(self, outputs: dict[str, str]) -> dict[str, Json]:
        """Write the output artifacts and return their metadata by key.

        Parameters
        ----------
        outputs
            Path of each output artifact by key.
        """
        self.warn_changed()
        done = {}
        for key, names in self.spec.get("outputs", {}).items():
            values = {n: self.space[n] for n in names if n in self.space}
            if RANDOM in names:
                values[RANDOM] = random_state()
            if SETTINGS in names:
                values[SETTINGS] = settings_state()
            done[key] = save(outputs[key], names, values, self.explain)
        return done

    def explain(self, values: Json, error: BaseException) -> str:
        """Return which value cannot travel, where it was made, and what to do."""
        name, part = find_unfit(values)
        cell_id, line = self.place(name)
        inside = "" if part is values[name] else f" (it holds a {type(part).__name__})"
        return (
            f"`{name}`, made in step '{self.spec['name']}', cell {cell_id}, line {line}, cannot "
            f"travel to a later step: a {type(values[name]).__name__}{inside} has no form outside "
            f"its process ({error}). Make it in the step that uses it, put it into a cell tagged "
            f"`setup`, or join the two steps."
        )

    def watch(self, values: Json, key: str, bind: set[str]) -> None:
        """Remember how the values look that this step is believed only to read."""
        given = {n for names in self.spec.get("outputs", {}).values() for n in names}
        for name in bind:
            if name in values and name not in given and self.sizes.get(key, 0) < 2**23:
                value = values[name]
                try:  # an object that goes may say so: it is not held
                    held: typing.Any = weakref.ref(value)
                except TypeError:
                    held = functools.partial(_same, value)
                self.watched[name] = (held, fingerprint(value))

    def warn_changed(self) -> None:
        """Say so when the step has changed a value that later steps take from an earlier one."""
        for name, (held, before) in self.watched.items():
            value = held()
            same = value is not None and self.space.get(name) is value
            if before is not None and same and fingerprint(value) != before:
                sys.stderr.write(
                    f"Warning: step '{self.spec['name']}' changed `{name}` in a way that was not "
                    f"seen beforehand; steps after it take `{name}` as it was before. To hand on "
                    f"the change, write `{name} = {name}` after it.\n"
                )

    def place(self, name: str) -> tuple[str, int]:
        """Return the cell and line that assigned a name last."""
        setup = [cell for cell in self.spec.get("setup", []) if "source" in cell]
        cells = setup + self.spec["cells"]
        for cell in reversed(cells):
            tree = ast.parse(cell.get("code", cell["source"]))
            lines = [
                node.lineno
                for node in ast.walk(tree)
                if isinstance(node, ast.stmt)
                and any(name in _bound(n) for n in ast.iter_child_nodes(node))
            ]
            if lines:
                return cell["id"], max(lines)
        return cells[-1]["id"], 1


def _same(value: typing.Any) -> typing.Any:
    return value


def _bound(node: typing.Any) -> list[str]:
    return [
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
