"""Where two ways of a notebook differ first: what a cell shows, or a value that a step hands on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_AROUND = 120


@dataclass(frozen=True)
class Difference:
    """The first difference.

    Parameters
    ----------
    cell : int
        Number of the cell, counted from 1.
    cell_id : str
        Its id.
    what : str
        What is different: `the text it prints`, or a variable with the path in it, `total['a']`.
    plain, pipeline : str
        What the notebook gives, run from top to bottom, and what the pipeline gives.
    """

    cell: int
    cell_id: str
    what: str
    plain: str
    pipeline: str

    def __str__(self) -> str:
        return (
            f"Cell {self.cell} ({self.cell_id}): {self.what}\n"
            f"  notebook: {self.plain}\n"
            f"  pipeline: {self.pipeline}"
        )


def differing_output(plain: list[Json], pipeline: list[Json]) -> tuple[str, str, str] | None:
    """Return what of a cell's outputs is different, and both; None where nothing is."""
    first, second = _shown(plain), _shown(pipeline)
    for what in [*first, *(key for key in second if key not in first)]:
        ours, theirs = first.get(what), second.get(what)
        if ours != theirs:
            return what, *_both(ours, theirs)
    return None


def differing_value(name: str, plain: Any, pipeline: Any) -> tuple[str, str, str] | None:
    """Return which part of a variable is different, and both, from two descriptions of it."""
    for path, first, second in _walk(name, plain, pipeline):
        return path, first, second
    return None


def _walk(path: str, plain: Any, pipeline: Any) -> Iterator[tuple[str, str, str]]:
    if plain is None or pipeline is None:
        if plain is not pipeline:
            yield path, _words(plain), _words(pipeline)
        return
    (kind, words, parts), (other_kind, other_words, other_parts) = plain, pipeline
    if kind != other_kind or (words != other_words and not (parts and other_parts)):
        yield path, _words(plain), _words(pipeline)
        return
    for part in [*parts, *(key for key in other_parts if key not in parts)]:
        yield from _walk(path + part, parts.get(part), other_parts.get(part))
    if words != other_words:
        yield path, _words(plain), _words(pipeline)


def _words(described: Any) -> str:
    if described is None:
        return "(not there)"
    kind, words, _ = described
    simple = kind in ("int", "float", "str", "bool", "bytes", "complex", "NoneType")
    return words if simple else f"{kind} {words}".strip()


def _shown(outputs: list[Json]) -> dict[str, str]:
    """Return what a cell shows, by what it is; pictures as their data."""
    found: dict[str, str] = {}
    count = 0
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            what = (
                "the text it prints" if output["name"] == "stdout" else "what it writes to stderr"
            )
            found[what] = found.get(what, "") + _text(output["text"])
        elif kind == "error":
            found["the error it raises"] = f"{output['ename']}: {_plain(output['evalue'])}"
        else:
            count += 1
            for form, data in output.get("data", {}).items():
                found[f"output {count} ({form})"] = _text(data)
    return {what: _plain(text) for what, text in found.items() if text}


def _text(data: Any) -> str:
    if isinstance(data, list) and all(isinstance(line, str) for line in data):
        return "".join(data)
    return data if isinstance(data, str) else repr(data)


def _plain(text: str) -> str:
    """Leave out what is different in any two processes: addresses; and colours."""
    return _ADDRESS.sub("0x...", _ESCAPE.sub("", text))


def _both(plain: str | None, pipeline: str | None) -> tuple[str, str]:
    """Show both from shortly before the first place where they differ."""
    if plain is None or pipeline is None:
        return tuple("(nothing)" if text is None else _cut(text, 0) for text in (plain, pipeline))  # type: ignore[return-value]
    same = 0
    while same < min(len(plain), len(pipeline)) and plain[same] == pipeline[same]:
        same += 1
    line = plain.rfind("\n", 0, same) + 1
    start = line if same - line < _AROUND // 2 else same - _AROUND // 2
    return _cut(plain, start), _cut(pipeline, start)


def _cut(text: str, start: int) -> str:
    part = text[start : start + _AROUND].split("\n")[0]
    more = "..." if start + len(part) < len(text.rstrip("\n")) else ""
    return ("..." if start else "") + repr(part) + more
