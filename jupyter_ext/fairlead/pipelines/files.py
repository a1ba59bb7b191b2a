"""Steps that meet in a file: what one writes and another uses is an order between them too."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from fairlead.pipelines.cells import Cell, CellStep, Layout

_WRITERS = frozenset(
    "to_csv to_parquet to_json to_pickle to_excel to_feather to_hdf to_html savefig save savez"
    " savez_compressed savetxt tofile dump write_text write_bytes mkdir makedirs mkstemp copy copy2"
    " copyfile copytree move rename replace touch unlink remove rmtree save_model save_pretrained"
    " write_file imsave imwrite write_image write_html urlretrieve extractall script system"
    " getoutput symlink to_sql connect".split()
)
_CONSTRUCTORS = frozenset({"Path", "PurePath", "PosixPath", "join", "str", "format"})
_PATH = re.compile(r"^[\w./~][^\n*?\"<>|:]*\.\w{1,8}$|^[\w./~-]+/[^\n*?\"<>|:]*$")
_WORD = re.compile(r"[\w./~-]+")


@dataclass
class _Use:
    """Paths that a step's code names, and those that it may write."""

    named: dict[str, tuple[Cell, int]] = field(default_factory=dict)
    written: dict[str, tuple[Cell, int]] = field(default_factory=dict)


def order_by_files(layout: Layout) -> None:
    """Let steps that meet in a file run in the order of the notebook, and say so.

    Only paths that the text shows are found: literals, and names that are bound to one.
    """
    constants = _constants(layout)
    seen: list[tuple[CellStep, _Use]] = []
    writers: list[tuple[CellStep, _Use]] = []
    for step in layout.steps.values():
        use = _Use()
        for cell in step.cells:
            for node in ast.walk(cell.tree):
                _look(node, cell, constants, use)
        for earlier, before in seen if use.written else writers:
            found = _meeting(before.written, use.named) or _meeting(before.named, use.written)
            if found is None or earlier.name in step.after or step.name in earlier.after:
                continue
            step.after.append(earlier.name)
            path, (cell, line) = found
            layout.warn(
                cell,
                line,
                path,
                f"Steps '{earlier.name}' and '{step.name}' meet in the file '{path}': they run in "
                "this order. On a cluster, steps have no disk in common.",
                "Keep what travels between steps in variables.",
            )
        seen.append((step, use))
        if use.written:
            writers.append((step, use))


def _constants(layout: Layout) -> dict[str, str]:
    """Return the names that are bound to one text only."""
    found: dict[str, set[str]] = {}
    for cell in layout.cells:
        for node in ast.walk(cell.tree) if cell.role != "skip" else ():
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found.setdefault(target.id, set()).update(_paths(node.value, {}) or {""})
    return {name: next(iter(texts)) for name, texts in found.items() if len(texts) == 1}


def _look(node: ast.AST, cell: Cell, constants: dict[str, str], use: _Use) -> None:
    if isinstance(node, ast.Constant | ast.Name):
        for path in _paths(node, constants):
            use.named.setdefault(path, (cell, node.lineno))
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    parts: list[ast.AST] = [*node.args, *[keyword.value for keyword in node.keywords]]
    if isinstance(node.func, ast.Attribute):
        parts.append(node.func.value)
    if name == "open":
        modes = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
        if not any(len(mode) <= 3 and set(mode) & set("wax+") for mode in modes):
            return
    elif name not in _WRITERS:
        return
    for part in parts:
        for inner in ast.walk(part):
            shell = name in ("system", "script", "getoutput")
            for path in _words(inner) if shell else _paths(inner, constants):
                use.named.setdefault(path, (cell, node.lineno))
                use.written.setdefault(path, (cell, node.lineno))


def _paths(node: ast.AST, constants: dict[str, str]) -> set[str]:
    if isinstance(node, ast.Name) and constants.get(node.id):
        return {constants[node.id]}
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in _CONSTRUCTORS and len(node.args) == 1:
            return _paths(node.args[0], constants)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
        text = node.value.removeprefix("./").rstrip("/")
        return {text} if _PATH.match(text) or _PATH.match(node.value) else set()
    return set()


def _words(node: ast.AST) -> set[str]:
    """Return what looks like a file in a shell line."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return set()
    words = {word.removeprefix("./").rstrip("/") for word in _WORD.findall(node.value)}
    return {word for word in words if _PATH.match(word) and "://" not in node.value}


def _meeting(
    written: dict[str, tuple[Cell, int]], named: dict[str, tuple[Cell, int]]
) -> tuple[str, tuple[Cell, int]] | None:
    """Return a path that one step writes, or a folder of it, and the other names."""
    for path, place in named.items():
        if path in written or any(path.startswith(other + "/") for other in written):
            return path, place
        if any(other.startswith(path + "/") for other in written):
            return path, place
    return None
