"""Steps that meet in a file: what one writes and another uses is an order between them too."""

from __future__ import annotations

from dataclasses import replace

from fairlead.pipelines.cells import CellStep, Layout
from fairlead.pipelines.paths import ANY, Reader, Use, meet


def order_by_files(layout: Layout) -> None:
    """Let steps that meet in a file run in the order of the notebook, and say so.

    Where a path is known in part only, steps that may meet in it are ordered without a word.
    """
    reader = Reader([cell for cell in layout.cells if cell.role != "skip"])
    pieces = _pieces(layout)
    seen: list[tuple[CellStep, list[Use]]] = []
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
                _warn(layout, earlier, step, *certain[0])
            if certain or (pairs and whole):
                step.after.append(earlier.name)
        if uses:
            seen.append((step, uses))


def _pieces(layout: Layout) -> dict[str, int]:
    """Return in how many pieces of the notebook the cells of each step stand."""
    found: dict[str, int] = {}
    last = ""
    for cell in layout.cells:
        if cell.step and cell.step != last:
            found[cell.step] = found.get(cell.step, 0) + 1
            last = cell.step
    return found


def _warn(layout: Layout, earlier: CellStep, step: CellStep, old: Use, new: Use) -> None:
    path = new.path if new.path.startswith(old.path) else old.path
    layout.warn(
        new.cell,
        new.line,
        path,
        f"Steps '{earlier.name}' and '{step.name}' meet in the file '{path}': they run in "
        "this order. On a cluster, steps have no disk in common.",
        "Keep what travels between steps in variables.",
    )
