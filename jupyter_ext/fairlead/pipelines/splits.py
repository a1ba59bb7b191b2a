"""Loops and conditions over steps: one `for` or `if` statement whose turns or branches are tasks.

The cell is plain Python that gives the same values in the notebook. What makes that true is checked
here: no turn of a loop may need what an earlier one left, and what the loop goes over, or the
condition asks, can be evaluated before and by itself.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fairlead.pipelines.cells import Cell, Layout
from fairlead.pipelines.conditions import condition_text
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.dataflow.heap import Names
from fairlead.pipelines.dataflow.notebook import FIRST_STEP, Run
from fairlead.pipelines.dataflow.randomness import RANDOM
from fairlead.pipelines.loops import LoopBody, read_body
from fairlead.pipelines.parameters import ParameterCells
from fairlead.pipelines.records import Parameter
from fairlead.pipelines.split_records import Branches, Control, Loop, Split

_FUNCTIONS = frozenset(
    "abs all any bool dict enumerate float int isinstance len list max min range reversed round"
    " set sorted str sum tuple zip".split()
)
_METHODS = frozenset(
    "count endswith get index isdigit items keys lower split startswith strip tolist upper"
    " values".split()
)
_EXPRESSIONS = (
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Attribute,
    ast.BinOp,
    ast.BoolOp,
    ast.Call,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.FormattedValue,
    ast.IfExp,
    ast.JoinedStr,
    ast.List,
    ast.Name,
    ast.Set,
    ast.Slice,
    ast.Starred,
    ast.Subscript,
    ast.Tuple,
    ast.UnaryOp,
)
_PREAMBLE = (ast.Import, ast.ImportFrom, ast.Pass)
_ITEM_TYPES: dict[type, str] = {
    int: "NUMBER_INTEGER",
    float: "NUMBER_DOUBLE",
    str: "STRING",
    bool: "BOOLEAN",
    list: "LIST",
    dict: "STRUCT",
}


@dataclass
class _Splitter:
    layout: Layout
    parameters: ParameterCells
    run: Run
    names: set[str] = field(default_factory=set)

    def split(self, planned: StepPlan) -> Split | None:
        """Split a step; None with a problem at its place where that cannot be."""
        step = planned.step
        cell = step.cells[0]
        for other in step.cells[1:]:
            word = "loop" if step.settings.for_each else "condition"
            message = f"Step '{step.name}' is a {word} and has a second cell."
            hint = "Give this cell a step of its own; it is then run once, after all of it."
            self.layout.refuse(other, 1, step.name, message, hint)
            return None
        if step.settings.for_each:
            return self._loop(planned, cell)
        return self._branches(planned, cell)

    # Loops

    def _loop(self, planned: StepPlan, cell: Cell) -> Loop | None:
        body = read_body(self.layout, cell)
        if body is None or not self._turns_are_apart(planned, cell, body):
            return None
        loop = body.node
        planned.outputs = [s for s in planned.outputs if set(s.names) <= set(body.collects)]
        made = Loop(body.collects, planned.step.settings.parallelism)
        items = _literal_items(loop.iter)
        if items is not None:
            return replace(made, items=items)
        if isinstance(loop.iter, ast.Name) and loop.iter.id in planned.parameters:
            kind = _item_type(self.parameters.parameters[loop.iter.id])
            if kind:
                return replace(made, parameter=loop.iter.id, item_type=kind)
        control = self._control(planned, cell, "items", [loop.iter], "the loop goes over")
        if control is None:
            return None
        self._drop_items(planned, loop, control)
        return replace(made, control=control)

    def _turns_are_apart(self, planned: StepPlan, cell: Cell, body: LoopBody) -> bool:
        """Refuse a loop of which a turn needs, or changes, what is there before it."""
        number = next(n for n, (name, _) in enumerate(self.run.segments) if name == cell.step)
        account = self.run.machine.accounts[FIRST_STEP + number]
        before = self.run.machine.accounts[FIRST_STEP + number - 1].names
        found = len(self.layout.problems)
        heap = self.run.machine.heap
        if account.everything:
            message = "This loop runs code that may read any name, also what a turn before left."
            hint = "Write it out, without `globals()`, `eval` and the like."
            self.layout.refuse(cell, body.node.lineno, planned.step.name, message, hint)
            return False
        for name in sorted(set(account.reads) & account.writes):
            line = max(account.reads[name][1], 1) if account.reads[name][0] == cell.id else 1
            if name == RANDOM:
                message = (
                    "The turns of this loop draw random numbers one after another from one "
                    "generator, so each needs what the one before it left."
                )
                hint = "Seed it inside the loop, or make a generator of its own in each turn."
                self.layout.refuse(cell, body.node.lineno, "random", message, hint)
                continue
            message = (
                f"`{name}` goes from turn to turn of this loop: each needs what it was before."
            )
            hint = "Collect values in a list, and put them together in a later step."
            self.layout.refuse(cell, line, name, message, hint)
        outer = {
            t
            for t in account.mutated
            if heap[t].segment != account.segment and heap[t].kind not in ("scalar", "import")
        }
        for name, line in self._names_of(outer, before, body):
            message = f"This loop changes `{name}`, which was made before it: turns share it."
            hint = (
                "Make a copy in each turn; begin a list that collects in this cell, before "
                f"the `for`: `{name} = []`."
            )
            self.layout.refuse(cell, line, name, message, hint)
        self._refuse_shared(cell, body, FIRST_STEP + number)
        if len(self.layout.problems) > found:
            return False  # what is carried from turn to turn is read afterwards, too
        for slot in planned.outputs:
            for name in sorted(set(slot.names) - set(body.collects)) if not slot.optional else ():
                message = (
                    f"A later step reads `{name}`, which each turn of this loop binds anew: the "
                    "turns are tasks of their own, and none is the last."
                )
                hint = "Collect it in a list (or a dict) that is empty before the `for`."
                line = _line_of(body.node, name) or body.node.lineno
                self.layout.refuse(cell, line, name, message, hint)
        return len(self.layout.problems) == found

    def _refuse_shared(self, cell: Cell, body: LoopBody, segment: int) -> None:
        """Refuse to collect one object in several turns where it matters later that it is one."""
        machine = self.run.machine
        after, before = machine.accounts[segment].names, machine.accounts[segment - 1].names
        matters = machine.identity.union(*[a.mutated for a in machine.accounts[segment + 1 :]])
        collected = machine.heap.reach(
            {thing for name in body.collects if name in after for thing in after[name].value}
        )
        outer = {t for t in collected & matters if machine.heap[t].segment != segment and t}
        for name, line in self._names_of(outer, before, body):
            message = (
                f"The turns of this loop collect `{name}`; a later step changes it, or asks "
                "whether it is the same one: each turn has a copy."
            )
            hint = "Collect a copy in each turn, or put it in where it is changed."
            self.layout.refuse(cell, line, name, message, hint)

    def _names_of(
        self, things: set[int], names: Names, body: LoopBody
    ) -> Iterator[tuple[str, int]]:
        """Yield the names that lead to some objects and their lines; one at least."""
        reach = self.run.machine.heap.reach
        known = sorted(set(names) - {RANDOM} if things else ())
        found = [n for n in known if reach(names[n].value) & things]
        lines = [(name, _line_of(body.node, name)) for name in found]
        # A function may lead to them without a word in the loop.
        yield from [pair for pair in lines if pair[1]] or [(n, body.node.lineno) for n in found[:1]]

    def _drop_items(self, planned: StepPlan, loop: ast.For, control: Control) -> None:
        """Leave out what only the iterable needs: a turn has its item."""
        spare = {name for source in control.inputs for name in source.bind}
        spare -= {n for n in spare if any(_line_of(part, n) for part in [*loop.body, loop.target])}
        for cell in self.layout.cells:
            for node in ast.walk(cell.tree) if spare else ():
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    spare -= {n for n in spare if _line_of(node, n)}
        kept = []
        for source in planned.inputs:
            bind = tuple(name for name in source.bind if name not in spare)
            if bind:
                kept.append(replace(source, bind=bind))
        planned.inputs = kept

    # Conditions

    def _branches(self, planned: StepPlan, cell: Cell) -> Branches | None:
        body = [node for node in cell.tree.body if not isinstance(node, _PREAMBLE)]
        if len(body) != 1 or not isinstance(body[0], ast.If):
            odd = next((node for node in body if not isinstance(node, ast.If)), None)
            line = odd.lineno if odd else (body[1].lineno if len(body) > 1 else 1)
            message = f"Step '{planned.step.name}' is a condition: its cell is one `if` statement."
            hint = "Move other statements into a step of their own, before or after it."
            self.layout.refuse(cell, line, planned.step.name, message, hint)
            return None
        tests, node = [], body[0]
        while True:
            tests.append(node.test)
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                node = node.orelse[0]
                continue
            break
        written = bool(node.orelse)
        planned.outputs = [slot for slot in planned.outputs if not slot.optional]
        base = planned.step.name
        words = ["", *[f"-elif-{n}" for n in range(1, len(tests))], "-else" if written else "-keep"]
        made = Branches(tuple(self._name(base + w) if w else base for w in words), written)
        known = {n: self.parameters.parameters[n] for n in planned.parameters}
        texts = [condition_text(test, known) for test in tests]
        asked = {n.id for t in tests for n in ast.walk(t) if isinstance(n, ast.Name)}
        # An input `step` of a task is what its runner executes.
        if all(text is not None for text in texts) and "step" not in asked:
            conditions = tuple(str(text) for text in texts)
            return replace(made, conditions=conditions, asked=tuple(sorted(asked)))
        control = self._control(planned, cell, "branch", tests, "the condition asks")
        return None if control is None else replace(made, control=control)

    # Both

    def _control(
        self, planned: StepPlan, cell: Cell, key: str, nodes: list[ast.expr], what: str
    ) -> Control | None:
        names: set[str] = set()
        for node in nodes:
            bad = next(_unfit(node, self._functions()), None)
            if bad is not None:
                text = ast.unparse(bad)
                message = f"What {what} is too much to be evaluated by itself: `{text}`."
                hint = "Compute it in an earlier step, give it a name, and use the name here."
                self.layout.refuse(cell, bad.lineno, text, message, hint)
                return None
            names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        inputs = [
            replace(source, bind=bind, changed=())
            for source in planned.inputs
            if (bind := tuple(name for name in source.bind if name in names))
        ]
        return Control(
            self._name(f"{planned.step.name}-{key}"),
            key,
            cell.id,
            nodes[0].lineno,
            tuple(ast.unparse(node) for node in nodes),
            tuple(inputs),
            tuple(name for name in planned.parameters if name in names),
            tuple(planned.definitions),
        )

    def _functions(self) -> frozenset[str]:
        """Return the builtins that the notebook leaves as they are."""
        return _FUNCTIONS - {n for account in self.run.machine.accounts for n in account.writes}

    def _name(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self.names:
            count += 1
            name = f"{wanted}-{count}"
        self.names.add(name)
        return name


def split_steps(
    layout: Layout, parameters: ParameterCells, run: Run, steps: list[StepPlan]
) -> dict[str, Split]:
    """Split the steps that are marked as loops or conditions, or refuse them at their place.

    What a turn or branch takes and gives is left in their plans.
    """
    splitter = _Splitter(layout, parameters, run, set(layout.steps))
    found: dict[str, Split] = {}
    for planned in steps:
        settings = planned.step.settings
        if settings.for_each or settings.condition:
            split = splitter.split(planned)
            if split is not None:
                found[planned.step.name] = split
    return found


def _unfit(node: ast.AST, functions: frozenset[str]) -> Iterator[ast.expr]:
    """Yield the parts of an expression that may do more than look at values."""
    if isinstance(node, ast.expr) and not isinstance(node, _EXPRESSIONS):
        yield node
        return
    if isinstance(node, ast.Call):
        function = node.func
        plain = isinstance(function, ast.Name) and function.id in functions
        method = isinstance(function, ast.Attribute) and function.attr in _METHODS
        if not (plain or method):
            yield node
            return
    for child in ast.iter_child_nodes(node):
        yield from _unfit(child, functions)


def _literal_items(node: ast.expr) -> tuple[str, ...] | None:
    """Return the items of a list, tuple or range that the text shows, as Python literals."""
    try:
        if isinstance(node, ast.List | ast.Tuple):
            return tuple(repr(ast.literal_eval(part)) for part in node.elts)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            numbers = [ast.literal_eval(part) for part in node.args]
            if node.func.id == "range" and all(type(n) is int for n in numbers):
                items = range(*numbers)
                return tuple(map(repr, items)) if len(items) <= _LONGEST else None
    except (ValueError, TypeError, SyntaxError):
        pass
    return None


_LONGEST = 10_000


def _item_type(parameter: Parameter) -> str:
    """Return the type of the items of a list parameter; empty where they are not of one type."""
    if parameter.type != "LIST" or not isinstance(parameter.default, list):
        return ""
    if not parameter.literal or not parameter.default:
        return ""
    items = ast.literal_eval(parameter.literal)
    kinds = {type(item) for item in items}
    if len(kinds) != 1 or json.loads(json.dumps(items)) != list(items):
        return ""
    return _ITEM_TYPES.get(kinds.pop(), "")


def _line_of(node: ast.AST, name: str) -> int:
    """Return the first line on which some code names a variable; 0 where it does not."""
    lines = [n.lineno for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == name]
    return min(lines, default=0)
