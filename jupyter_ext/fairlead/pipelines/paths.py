"""Which files the code of a step may read and write, as far as the text tells.

A path is a text in which `*` stands for what only the run knows. Functions of the notebook count
where they are called, with the paths that they are given.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.pipelines.cells import Cell

_words = str.split
_WRITERS = frozenset(
    _words(
        "to_csv to_parquet to_json to_pickle to_excel to_feather to_hdf to_html savefig savez"
        " savez_compressed savetxt tofile makedirs urlretrieve extractall save_model"
        " save_pretrained write_file imsave imwrite write_image write_html copyfile copytree rmtree"
    )
)
_MAY_WRITE = frozenset(
    _words("save dump rename replace copy copy2 move remove unlink symlink rmdir mkdir to_sql")
)
"""Names that other things have too: they write where an argument is a path for certain."""
_OWN_WRITERS = frozenset(_words("write_text write_bytes touch unlink rmdir mkdir rename replace"))
_OWN_READERS = frozenset(_words("read_text read_bytes iterdir exists is_file is_dir glob rglob"))
"""Methods of a path itself."""
_READERS = frozenset(
    _words(
        "load loadtxt genfromtxt imread listdir scandir glob iglob walk exists isfile isdir stat"
        " getsize getmtime load_model from_pretrained"
    )
)
_PROCESSES = frozenset(_words("system script getoutput run call check_call check_output Popen"))
_LOOKING = frozenset(_words("ls cat head tail wc grep find du file sort diff stat test"))
_OF_FILES = frozenset(_words("os shutil path"))
_JOINING = frozenset(_words("Path PurePath PosixPath join joinpath"))
_KEEPING = frozenset(_words("str fspath abspath realpath expanduser normpath resolve format"))
_PATH = re.compile(r"^[\w./~][^\n*?\"<>|:]*\.\w{1,8}$|^[\w./~-]+/[^\n*?\"<>|:]*$")
_MODE = re.compile(r"^[rwaxbtU+]{1,4}$")
_WORD = re.compile(r"[\w./~*-]+")
_DEPTH = 5
ANY = "*"


@dataclass(frozen=True)
class Use:
    """A path that code names, and whether it may write there."""

    path: str
    writes: bool
    cell: Cell = field(compare=False)
    line: int


Known = Mapping[str, set[str]]


class Reader:
    """Finds the files that cells use.

    Parameters
    ----------
    cells
        All cells of the notebook: their functions, and the names that are bound to one path only.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._functions: dict[str, list[Any]] = {}
        self._values: dict[str, list[ast.expr]] = {}
        bound: dict[str, int] = {}
        for cell in cells:
            for node in ast.walk(cell.tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    self._functions.setdefault(node.name, []).append(node)
                elif isinstance(node, ast.ClassDef):
                    makers = [n for n in node.body if getattr(n, "name", "") == "__init__"]
                    self._functions.setdefault(node.name, []).extend(makers)
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self._values.setdefault(node.targets[0].id, []).append(node.value)
                elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    bound[node.id] = bound.get(node.id, 0) + 1
        self._values = {n: v for n, v in self._values.items() if len(v) == 1 == bound.get(n, 1)}
        self.folders: set[str] = set()
        """Folders that the cells seen so far have changed to."""
        self._uses: list[Use] = []
        self._cell: Cell | None = None

    def uses(self, cells: Iterable[Cell]) -> list[Use]:
        """Return what the code of some cells uses when it runs."""
        self._uses = []
        for cell in cells:
            self._cell = cell
            for node in cell.tree.body:
                self._visit(node, {}, (), 0)
        return list(dict.fromkeys(self._uses))

    def _note(self, paths: Iterable[str], writes: bool, line: int) -> None:
        assert self._cell is not None
        self._uses.extend(Use(path, writes, self._cell, line) for path in paths if path)

    def _visit(self, node: ast.AST, known: Known, above: tuple[str, ...], line: int) -> None:
        """Look at code that runs; `line` is that of the cell where it was called, or 0."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for part in [*getattr(node, "decorator_list", []), *node.args.defaults]:
                self._visit(part, known, above, line)
            if isinstance(node, ast.Lambda):
                self._visit(node.body, known, above, line)
            return
        at = line or getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant | ast.Name):
            found = self._paths(node, known, 0)
            self._note([path for path in found if _PATH.match(path)], False, at)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._enter(node.id, [], [], known, above, at)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or a.name for a in node.names]
            self._note([f"{name.replace('.', '/')}.py" for name in names], False, at)
        elif isinstance(node, ast.Call):
            self._call(node, known, at)
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            self._enter(name, node.args, node.keywords, known, above, at)
            parts = [*node.args, *[keyword.value for keyword in node.keywords]]
            if not isinstance(node.func, ast.Name):
                parts.append(node.func)
            for part in parts:
                self._visit(part, known, above, line)
            return
        for child in ast.iter_child_nodes(node):
            self._visit(child, known, above, line)

    def _enter(
        self,
        name: str,
        args: list[ast.expr],
        keywords: list[ast.keyword],
        known: Known,
        above: tuple[str, ...],
        line: int,
    ) -> None:
        """Look into the notebook's functions of a name, as they are called here."""
        if name in above or len(above) > _DEPTH:
            return
        for function in self._functions.get(name, ()):
            places = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
            given = {place: {ANY} for place in places}
            shift = 1 if places[:1] == ["self"] else 0
            for place, value in zip(places[shift:], args, strict=False):
                given[place] = self._paths(value, known, 0)
            for keyword in keywords:
                if keyword.arg:
                    given[keyword.arg] = self._paths(keyword.value, known, 0)
            for part in function.body:
                self._visit(part, given, (*above, name), line)

    def _call(self, node: ast.Call, known: Known, line: int) -> None:
        """Note what a call of a library does with files."""
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        parts = [*node.args, *[keyword.value for keyword in node.keywords]]
        own = self._paths(owner, known, 0) if owner is not None else set()
        of_files = ast.unparse(owner).split(".")[-1] in _OF_FILES if owner is not None else False
        first = self._paths(node.args[0], known, 0) if node.args else set()
        if name in ("chdir", "cd"):
            self.folders.update(first)
            self._note(first, False, line)
        elif name == "open":
            self._open(node, own, first, line)
        elif name in _PROCESSES:
            self._shell(parts, line)
        elif name in _WRITERS:
            self._note(set().union(*[self._paths(p, known, 0) for p in parts[:2]]), True, line)
        elif name == "connect":
            self._note([path for path in first if _PATH.match(path)], True, line)
        elif name in _OWN_WRITERS and owner is not None and not of_files and _is_certain(own):
            self._note(own | {p for p in first if _PATH.match(p)}, True, line)
        elif name in _MAY_WRITE:
            found = set().union(*[self._paths(part, known, 0) for part in parts], set())
            self._note([p for p in found if of_files or _PATH.match(p)], True, line)
        elif name in _OWN_READERS and owner is not None and not of_files and _is_certain(own):
            self._note({f"{p}/{ANY}" for p in own} if "glob" in name else own, False, line)
        elif name.startswith("read_") or name in _READERS:
            bare = name in ("listdir", "scandir", "walk") and not node.args
            self._note({ANY} if bare else first, False, line)

    def _open(self, node: ast.Call, own: set[str], first: set[str], line: int) -> None:
        texts = [p.value for p in node.args if isinstance(p, ast.Constant)]
        texts += [k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)]
        modes = [t for t in texts if isinstance(t, str) and _MODE.match(t)]
        writes = any(set(mode) & set("wax+") for mode in modes)
        start = node.args[0] if node.args else None
        by_path = bool(own) and (
            start is None or (isinstance(start, ast.Constant) and start.value in modes)
        )
        self._note(own if by_path else first, writes, line)

    def _shell(self, parts: list[ast.expr], line: int) -> None:
        """Note the words of commands that look like files, and where they write."""
        for part in parts:
            for node in ast.walk(part):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    for command in re.split(r"[;|&\n]+", node.value):
                        self._command(command.strip(), line)

    def _command(self, command: str, line: int) -> None:
        if "://" in command or not command:
            return
        targets = {m.removeprefix("./") for m in re.findall(r">>?\s*([\w./~-]+)", command)}
        words = {word.removeprefix("./").rstrip("/") for word in _WORD.findall(command)}
        program = command.split()[0]
        self._note(targets - {"/dev/null"}, True, line)
        named = {word for word in words if _PATH.match(word) or ANY in word}
        if program in _LOOKING:
            self._note((named | ({ANY} if program in ("ls", "find") else set())), False, line)
        else:
            self._note([word for word in named if ANY not in word], True, line)

    def _paths(self, node: ast.expr | None, known: Known, depth: int) -> set[str]:
        """Return the paths that an expression may stand for; `*` where it cannot be seen."""
        if depth > _DEPTH or node is None:
            return {ANY}
        if isinstance(node, ast.Constant):
            return _tidy(node.value) if isinstance(node.value, str) else set()
        if isinstance(node, ast.Name):
            if node.id in known:
                return set(known[node.id])
            values = self._values.get(node.id)
            return self._paths(values[0], known, depth + 1) if values else {ANY}
        if isinstance(node, ast.JoinedStr):
            texts = [str(p.value) if isinstance(p, ast.Constant) else ANY for p in node.values]
            return _tidy("".join(texts))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
            sides = [self._paths(side, known, depth + 1) for side in (node.left, node.right)]
            mark = "/" if isinstance(node.op, ast.Div) else ""
            return _joined(sides, mark)
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            parts = list(node.args)
            if name in ("joinpath", "resolve", "format") and isinstance(node.func, ast.Attribute):
                parts.insert(0, node.func.value)
            if name in _JOINING | _KEEPING and parts:
                listed = parts if name in _JOINING else parts[:1]
                return _joined([self._paths(part, known, depth + 1) for part in listed], "/")
        if isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.Set | ast.Lambda):
            return set()
        return {ANY}


def _is_certain(paths: set[str]) -> bool:
    return bool(paths) and ANY not in paths


def _tidy(text: str) -> set[str]:
    if len(text) > 200 or "\n" in text or "://" in text or text.startswith(":"):
        return set()
    text = re.sub(r"\{[^}]*\}|%s|%d|\*+|\?|\[[^\]]*\]", ANY, text.removeprefix("./").rstrip("/"))
    return {re.sub(r"\*+", ANY, text)} if text else set()


def _joined(sides: list[set[str]], mark: str) -> set[str]:
    found = {""}
    for side in sides:
        found = {
            (f"{start}{mark}{end}" if start else end) for start in found for end in side or {ANY}
        }
    return {re.sub(r"\*+", ANY, path) for path in list(found)[:8]}


def meet(one: str, other: str) -> bool:
    """Tell whether two paths may be the same, or one a folder of the other."""
    if ANY in (one, other):
        return True
    parts, others = one.split("/"), other.split("/")
    if ANY in (parts[0], others[0]):  # any folders
        return _same(parts[-1], others[-1])
    return all(_same(a, b) for a, b in zip(parts, others, strict=False))


def _same(one: str, other: str) -> bool:
    if ANY not in one and ANY not in other:
        return one == other
    first, last = one.split(ANY), other.split(ANY)
    starts, ends = (first[0], last[0]), (first[-1], last[-1])
    fits = starts[0].startswith(starts[1]) or starts[1].startswith(starts[0])
    return fits and (ends[0].endswith(ends[1]) or ends[1].endswith(ends[0]))
