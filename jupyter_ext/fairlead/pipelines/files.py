"""Steps that meet in a file: what one writes and another uses is an order between them too."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fairlead.pipelines.cells import CellStep, Layout
from fairlead.pipelines.paths import ANY, Reader, Use, meet


@dataclass
class _Meeting:
    """A file or folder in which steps meet, and where the second of them does so.

    Parameters
    ----------
    paths
        Each way in which they name it, without doubles.
    """

    place: Use
    steps: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def order_by_files(layout: Layout) -> None:
    """Let steps that meet in a file run in the order of the notebook, and say so.

    Where a path is known in part only, steps that may meet in it are ordered without a word.
    """
    reader = Reader([cell for cell in layout.cells if cell.role != "skip"])
    pieces = _pieces(layout)
    seen: list[tuple[CellStep, list[Use]]] = []
    meetings: dict[str, _Meeting] = {}
    for step in layout.steps.values():
        # A step starts in the folder to which an earlier one has changed.
        moved = sorted(reader.folders)
        uses = reader.uses(step.cells)
        if moved:
            uses = [replace(use, path=ANY) for use in uses]
            uses += [Use(path, False, step.cells[0], 1) for path in moved]
        for earlier, before in seen if uses else ():
            if earlier.name in step.after or step.name in earlier.after:
                continue
            pairs = [
                (old, new)
                for old in before
                for new in uses
                if (old.writes or new.writes) and meet(old.path, new.path)
            ]
            certain = [pair for pair in pairs if not any(ANY in use.path for use in pair)]
            whole = pieces[step.name] == pieces[earlier.name] == 1
            if certain:
                _note(meetings, earlier, step, *certain[0])
            if certain or (pairs and whole):
                step.after.append(earlier.name)
        if uses:
            seen.append((step, uses))
    for path, meeting in meetings.items():
        _warn(layout, path, meeting)


def _pieces(layout: Layout) -> dict[str, int]:
    """Return in how many pieces of the notebook the cells of each step stand."""
    found: dict[str, int] = {}
    last = ""
    for cell in layout.cells:
        if cell.step and cell.step != last:
            found[cell.step] = found.get(cell.step, 0) + 1
            last = cell.step
    return found


def _note(
    meetings: dict[str, _Meeting], earlier: CellStep, step: CellStep, old: Use, new: Use
) -> None:
    shorter, longer = sorted((old.path, new.path), key=len)
    meeting = meetings.setdefault(shorter, _Meeting(new))
    for name in (earlier.name, step.name):
        if name not in meeting.steps:
            meeting.steps.append(name)
    if longer not in meeting.paths:
        meeting.paths.append(longer)


def _warn(layout: Layout, path: str, meeting: _Meeting) -> None:
    """Say once for a file, at the second step that uses it, which steps meet there."""
    path = meeting.paths[0] if len(meeting.paths) == 1 else path
    *names, last = (f"'{name}'" for name in meeting.steps)
    layout.warn(
        meeting.place.cell,
        meeting.place.line,
        path,
        f"Steps {', '.join(names)} and {last} meet in the file '{path}': they run in "
        "this order. On a cluster, steps have no disk in common.",
        "Keep what travels between steps in variables.",
    )
