"""The code of a cell as the body of a Python function that means the same.

A cell runs at the top of a module; a function has rules of its own. What can be written otherwise
is; what cannot is refused with its cell and line.
"""

from __future__ import annotations

import ast
import json
import symtable
from collections.abc import Iterable, Iterator, Sequence

from fairlead.errors import SpecError
from fairlead.pipelines.syntax import expansions

INDENT = "    "
LINE = 100
"""Longest line that is written where that can be chosen."""
_FRAMES = frozenset({"globals", "locals", "exec", "vars", "dir"})
_SHELL = "get_ipython"


def quoted(value: object) -> str:
    """Write a plain value as Python, texts in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(map(quoted, value)) + "]"
    if isinstance(value, dict):
        pairs = [f"{quoted(key)}: {quoted(inner)}" for key, inner in value.items()]
        return "{" + ", ".join(pairs) + "}"
    return repr(value)


def call_lines(before: str, arguments: list[str], after: str) -> list[str]:
    """Write a call or a literal on one line where it fits, else an argument a line."""
    line = f"{before}{', '.join(arguments)}{after}"
    if len(line) <= LINE or not arguments:
        return [line]
    indent = before[: len(before) - len(before.lstrip())]
    return [before.rstrip(), *[f"{indent}{INDENT}{each}," for each in arguments], indent + after]


def bound_names(code: str) -> set[str]:
    """Return the names that code binds where it runs, not inside of its functions."""
    table = symtable.symtable(code, "cell", "exec")
    return {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }


def used_names(code: str) -> set[str]:
    """Return every name in a piece of code, so that a new one can be chosen."""
    tree = ast.parse(code)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | bound_names(code)


def function_body(code: str, place: str, outer: Iterable[str]) -> str:
    """Return the code of a cell, indented, as it has to stand in a function.

    Parameters
    ----------
    code
        Plain Python, as `transform_cell` makes it.
    place
        The cell, as messages name it.
    outer
        Names that the function binds, here or elsewhere.

    Raises
    ------
    SpecError
        A statement has no equal inside of a function.
    """
    tree = ast.parse(code)
    edits = [*_edits(tree, place, set(outer))]
    text = edited(code, edits) if edits else code
    return indented(text)


def indented(code: str) -> str:
    """Indent code by one level; lines inside of texts stay as they are."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            if isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes):
                continue
            inside.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    lines = code.rstrip().split("\n")
    return "\n".join(
        line if number in inside or not line.strip() else INDENT + line
        for number, line in enumerate(lines, 1)
    )


_Edit = tuple[ast.stmt, str]


def _edits(tree: ast.Module, place: str, outer: set[str]) -> Iterator[_Edit]:
    """Yield the statements that must be written otherwise, and how."""
    for node in tree.body:
        _refuse_frames(node, place)
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            raise _refused(
                place,
                node.lineno,
                f"`from {node.module} import *` cannot stand in a function",
                "Import the names that you use.",
            )
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            yield node, "pass"
        elif isinstance(node, ast.Global):
            yield node, "pass"
        elif _SHELL in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}:
            yield node, _without_shell(node, place)
        else:
            yield from _globals(node, outer)


def _refuse_frames(node: ast.stmt, place: str) -> None:
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Await | ast.AsyncFor | ast.AsyncWith):
            raise _refused(
                place,
                getattr(part, "lineno", node.lineno),
                "a cell that awaits has no equal in kfp's functions",
                "Use `asyncio.run` of a function.",
            )
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
            name = part.func.id
            if name in _FRAMES and not (name in ("vars", "dir") and part.args):
                raise _refused(
                    place,
                    part.lineno,
                    f"`{name}()` sees other names inside of a function",
                    "Name the variables.",
                )
        if not isinstance(part, ast.AsyncFunctionDef):
            waiting.extend(ast.iter_child_nodes(part))


def _globals(node: ast.stmt, outer: set[str]) -> Iterator[_Edit]:
    """Yield the `global` statements of functions whose names are the outer function's here."""
    for part in ast.walk(node):
        if isinstance(part, ast.Global) and outer & set(part.names):
            near = [name for name in part.names if name in outer]
            far = [name for name in part.names if name not in outer]
            text = f"nonlocal {', '.join(near)}"
            yield part, f"global {', '.join(far)}; {text}" if far else text


def _without_shell(node: ast.stmt, place: str) -> str:
    """Write a line of IPython's in plain Python."""
    target = ""
    value: ast.expr | None = getattr(node, "value", None)
    if isinstance(node, ast.Assign):
        target = " = ".join(ast.unparse(each) for each in node.targets) + " = "
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        inner = value.func.value
        words = [a.value for a in value.args if isinstance(a, ast.Constant)]
        named = isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == _SHELL
        if named and len(words) == len(value.args) and not any(map(_expands, words)):
            made = _plain(value.func.attr, [repr(word) for word in words])
            if made is not None:
                return target + made
    raise _refused(
        place,
        node.lineno,
        "this line of IPython's has no equal in plain Python",
        "Write it in plain Python.",
    )


def _expands(word: object) -> bool:
    return isinstance(word, str) and any(expansions(word))


def _plain(name: str, words: list[str]) -> str | None:
    """Return a call of the step's shell in plain Python; None where it has no equal."""
    run = '__import__("subprocess").'
    if name == "system":
        return f"{run}run({words[0]}, shell=True)"
    if name == "getoutput":
        return f"{run}getoutput({words[0]}).splitlines()"
    if name == "cd":
        return f'__import__("os").chdir({words[0]})'
    if name == "write_file":
        mode = "a" if words[2:] == ["True"] else "w"
        return f'open({words[0]}, "{mode}").write({words[1]})'
    if name in ("start_clock", "stop_clock", "show", "pip"):
        return "pass"
    return None


def _refused(place: str, line: int, what: str, hint: str) -> SpecError:
    return SpecError(f"{place}, line {line}: {what}.", hint=hint)


def edited(code: str, edits: Sequence[tuple[ast.stmt | ast.expr, str]]) -> str:
    """Replace parts of code by others; further lines of a part are indented as its first."""
    lines = code.encode().split(b"\n")  # positions of Python's trees count bytes
    for node, text in sorted(edits, key=lambda e: (e[0].lineno, e[0].col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        before = lines[first][: node.col_offset]
        after = lines[last][node.end_col_offset :]
        indent = "\n" + " " * (len(before) - len(before.lstrip()))
        made = before + text.replace("\n", indent).encode() + after
        lines[first : last + 1] = made.split(b"\n")
    return b"\n".join(lines).decode()
