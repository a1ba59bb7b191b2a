"""Share files: what goes into one, and how one becomes a notebook again."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from fairlead.documents import dump_pipeline, read_notebook
from fairlead.environment import Pins
from fairlead.errors import ConflictError, SpecError
from fairlead.pipelines import Problem, compile_documents
from fairlead.pipelines.exports.secrets import find_assigned, find_private, secret_file
from fairlead.pipelines.exports.share import (
    MANIFEST,
    PIPELINE,
    REQUIREMENTS,
    bare_notebook,
    build_share,
    read_share,
)
from fairlead.pipelines.plan import plan_notebook
from fairlead.pipelines.records import sentence
from fairlead.sources import notebook_parts

_LARGEST = 20 * 2**20
"""Bytes of data files that a share file takes along."""


def export_share(source: Path, output: Path, interpreter: str = "") -> list[str]:
    """Write a share file of a notebook.

    Parameters
    ----------
    interpreter
        Python of the notebook's kernel, as `fairlead.exchange.export` has it. Of another than the
        one that runs this, only what the code imports itself is among the requirements.

    Returns
    -------
    list of str
        What may come out otherwise than in the notebook, data that stays behind, and the file's
        digest, in words.

    Raises
    ------
    SpecError
        The notebook cannot become a pipeline, or something of it must not leave this machine; the
        message says where it is, never what.
    """
    folder = source.absolute().parent
    notebook = read_notebook(source)
    problems: list[Problem] = []
    whole, modules = notebook_parts(notebook, source, problems.append)
    spec, platform = compile_documents(
        whole,
        name=source.stem,
        modules=modules,
        versions=Pins(interpreter),
        warn=problems.append,
    )
    bare = bare_notebook(whole)
    trees = _trees(whole, modules)
    data, left = _data(folder, [tree for _, tree in trees])
    files = {path: text.encode() for path, text in modules.items()}
    taken = {source.name, PIPELINE, REQUIREMENTS, MANIFEST}
    for path, content in data.items():
        if path in taken:
            raise SpecError(f"The data file {path} has the name of a part of the share file.")
        files.setdefault(path, content)
    files[source.name] = json.dumps(bare, indent=1, ensure_ascii=False).encode()
    files[PIPELINE] = dump_pipeline(spec, platform).encode()
    files[REQUIREMENTS] = _lock(trees, interpreter)
    _check_private(source.name, bare, trees, files, folder)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    made = build_share(source.name, version, files)
    output.write_bytes(made)
    told = [*map(sentence, problems), *left]
    return [*told, f"Its digest is sha256:{hashlib.sha256(made).hexdigest()}."]


def import_share(
    source: Path, folder: Path | None = None, digest: str = ""
) -> tuple[Path, list[str]]:
    """Check a share file and write its notebook, modules and data into a folder.

    Parameters
    ----------
    folder
        A new folder, or an empty one; default: the notebook's name, here.
    digest
        What the file's digest must be, `sha256:...`; empty: any.

    Returns
    -------
    tuple
        Path of the notebook, and the requirements that this environment does not meet.

    Raises
    ------
    SpecError
        It is not a share file, or not as it was written.
    ConflictError
        The folder has something in it.
    """
    try:
        data = source.read_bytes()
    except OSError as error:
        raise SpecError(f"{source} cannot be read: {error.strerror}.") from error
    own = hashlib.sha256(data).hexdigest()
    if digest and digest.removeprefix("sha256:").lower() != own:
        raise SpecError(
            f"{source} is another file than the one that was meant: its digest is sha256:{own}.",
            hint="Get it again from where it comes from.",
        )
    manifest, contents = read_share(data, source.name)
    target = folder or Path(Path(manifest["notebook"]).stem)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConflictError(f"{target} is there already.", hint="Name another: `-o FOLDER`.")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".fairlead-", dir=target.parent))
    try:
        for path, content in contents.items():
            file = part / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        part.chmod(0o755)
        if target.exists():
            target.rmdir()
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    wanted = contents.get(REQUIREMENTS, b"").decode().splitlines()
    return target / manifest["notebook"], [one for one in wanted if not _met(one)]


def _trees(whole: dict[str, Any], modules: dict[str, str]) -> list[tuple[str, ast.AST]]:
    """Return the code of a notebook and its modules, each with its place in words."""
    layout = plan_notebook(whole, modules).layout
    cells = {cell.index: cell.tree for cell in layout.cells}
    found: list[tuple[str, ast.AST]] = []
    for index, tree in sorted(cells.items()):
        found.append((f"Cell {index + 1}", tree))
    for path, text in modules.items():
        try:
            found.append((path, ast.parse(text)))
        except SyntaxError:
            continue  # its import in a step will say so
    return found


def _data(folder: Path, trees: Iterable[ast.AST]) -> tuple[dict[str, bytes], list[str]]:
    """Return the files beside the notebook that its code names, and what of them is too large."""
    found: dict[str, bytes] = {}
    left: list[str] = []
    total = 0
    for path in _named(folder, trees):
        name = path.relative_to(folder).as_posix()
        if secret_file(name):
            raise SpecError(
                f"The code names {name}, which looks like a secret; it stays on this machine.",
                hint="Read it in another way, such as from a Secret.",
            )
        size = path.stat().st_size
        total += size
        if total > _LARGEST:
            left.append(f"{name} ({size / 2**20:.1f} MiB) stays behind: it is too large to share.")
            total -= size
            continue
        found[name] = path.read_bytes()
    return found, left


def _named(folder: Path, trees: Iterable[ast.AST]) -> Iterator[Path]:
    seen: set[Path] = set()
    for tree in trees:
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if not isinstance(text, str) or not 0 < len(text) < 200 or "\n" in text or "\0" in text:
                continue
            if text.strip("./") == "" or Path(text).is_absolute() or ".." in Path(text).parts:
                continue
            path = folder / text
            inner = sorted(path.rglob("*")) if path.is_dir() else [path]
            for file in inner:
                hidden = any(p.startswith(".") for p in file.relative_to(folder).parts[:-1])
                if file.is_file() and not file.is_symlink() and not hidden and file not in seen:
                    seen.add(file)
                    if file.suffix not in (".ipynb", ".py", ".pyc"):
                        yield file


def _check_private(
    name: str,
    bare: dict[str, Any],
    trees: list[tuple[str, ast.AST]],
    files: dict[str, bytes],
    folder: Path,
) -> None:
    """Refuse what must not leave this machine, with its place."""
    folders = (str(folder), str(Path.home()))
    texts = [(f"Cell {n}", cell["source"]) for n, cell in enumerate(bare["cells"], 1)]
    own = [{k: v for k, v in cell.items() if k != "source"} for cell in bare["cells"]]
    texts.append(("The notebook's metadata", json.dumps([bare["metadata"], own])))
    for path, content in files.items():
        if path not in (name, PIPELINE):
            texts.append((path, content.decode("utf-8", "replace")))
    findings = [
        (place, finding)
        for place, text in texts
        for finding in find_private(text, os.environ, folders)
    ]
    findings += [(place, finding) for place, tree in trees for finding in find_assigned(tree)]
    if not findings:
        return
    place, finding = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    raise SpecError(
        f"{place}, line {finding.line}: here is {finding.what}, which must not be shared{more}.",
        hint="Read secrets from variables (`secrets` of a step), and write paths relative to the "
        "notebook.",
    )


def _lock(trees: Iterable[tuple[str, ast.AST]], interpreter: str) -> bytes:
    """Return the versions of all packages that code imports, and of those that these need."""
    names: set[str] = set()
    for _, tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    from packaging.requirements import Requirement

    waiting = Pins(interpreter)(names)
    if interpreter not in ("", sys.executable):
        return "".join(f"{line}\n" for line in waiting).encode()
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop().partition("==")[0].split("[")[0]
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another system, or an extra that is not here
        key = distribution.metadata["Name"].lower().replace("_", "-")
        if key in found:
            continue
        found[key] = f"{distribution.metadata['Name']}=={distribution.version.partition('+')[0]}"
        for text in distribution.requires or []:
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(wanted.name)
    return "".join(f"{line}\n" for line in sorted(found.values(), key=str.lower)).encode()


def _met(requirement: str) -> bool:
    name, _, version = requirement.partition("==")
    try:
        return metadata.version(name).partition("+")[0] == version
    except metadata.PackageNotFoundError:
        return False
