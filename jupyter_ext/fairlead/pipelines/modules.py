"""Which local Python files a notebook imports, so that its steps take them along."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any


def local_modules(notebook: Mapping[str, Any], read: Callable[[str], str | None]) -> dict[str, str]:
    """Collect the modules beside a notebook that it imports, directly or through one another.

    Parameters
    ----------
    notebook : mapping
        A version 4 notebook.
    read : callable
        Takes a path relative to the notebook's folder, with `/`, and returns the file's text,
        or `None` where there is no such file.

    Returns
    -------
    dict
        Relative path to source.
    """
    found: dict[str, str] = {}
    written = _written(notebook)
    waiting = [
        name
        for cell in notebook.get("cells", [])
        if cell.get("cell_type") == "code"
        for name in _imported("".join(cell.get("source", "")), package="")
    ]
    while waiting:
        name = waiting.pop()
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            stem = "/".join(parts[:depth])
            for path in (f"{stem}.py", f"{stem}/__init__.py"):
                if path in found:
                    continue
                # What a cell writes anew is not what lies there now.
                source = written[path] if path in written else read(path)
                if source is not None:
                    found[path] = source
                    inside = parts[:depth] if path.endswith("__init__.py") else parts[: depth - 1]
                    waiting += _imported(source, package=".".join(inside))
    return found


def _written(notebook: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the files that `%%writefile` cells write; None for one that is put together."""
    found: dict[str, str | None] = {}
    for cell in notebook.get("cells", []):
        head, _, body = "".join(cell.get("source", "")).lstrip().partition("\n")
        if cell.get("cell_type") == "code" and head.startswith(("%%writefile", "%%file")):
            path = head.split()[-1].removeprefix("./")
            found[path] = None if path in found or "-a" in head.split() else body + "\n"
    return found


def _imported(source: str, package: str) -> list[str]:
    """Names of modules that a source imports; lines that only IPython understands are left out."""
    tree = _parse(source)
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            if base is not None:
                names.append(base)
                names += [f"{base}.{alias.name}".strip(".") for alias in node.names]
    return [name for name in names if name]


def _absolute(node: ast.ImportFrom, package: str) -> str | None:
    if not node.level:
        return node.module or ""
    parents = package.split(".") if package else []
    if node.level - 1 > len(parents):
        return None
    kept = parents[: len(parents) - (node.level - 1)]
    return ".".join([*kept, node.module] if node.module else kept)


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        # A magic or a shell line: imports are still found line by line.
        body: list[ast.stmt] = []
        for line in source.splitlines():
            if line.lstrip().startswith(("import ", "from ")):
                try:
                    body += ast.parse(line.strip()).body
                except SyntaxError:
                    continue
        return ast.Module(body=body, type_ignores=[])
