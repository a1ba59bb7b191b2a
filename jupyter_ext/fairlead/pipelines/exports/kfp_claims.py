"""Claims that a run makes, in Python of kfp."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fairlead.pipelines.claims import Claim
from fairlead.pipelines.exports.plain_code import INDENT, call_lines, quoted
from fairlead.pipelines.step_settings import StepSettings


class Claims:
    """Writes the tasks that make and delete claims, and what mounts these in other tasks.

    Parameters
    ----------
    name
        Returns a name of its own for a task.
    """

    def __init__(self, claims: Iterable[Claim], name: Callable[[str], str]) -> None:
        self._tasks = [(claim, name(claim.task.replace("-", "_"))) for claim in claims]

    def first_lines(self) -> list[str]:
        """Return what comes before all steps."""
        lines: list[str] = []
        for claim, task in self._tasks:
            given = [f"{key}={quoted(value)}" for key, value in claim.arguments.items()]
            lines += call_lines(f"{INDENT}{task} = kubernetes.CreatePVC(", given, ")")
            # Else it would be shown as `createpvc`.
            lines.append(f"{INDENT}{task}.set_display_name({quoted(claim.task)})")
            if not claim.claim:
                lines.append(f"{INDENT}{task}.set_caching_options(False)")
        return lines

    def mount_lines(self, task: str, settings: StepSettings) -> list[str]:
        """Return what mounts them in a task."""
        lines: list[str] = []
        for claim, made in self._tasks:
            if claim.path not in settings.volumes:
                name = quoted(claim.claim) if claim.claim else f'{made}.outputs["name"]'
                lines.append(f"kubernetes.mount_pvc({task}, {name}, {quoted(claim.path)})")
        return lines

    def awaited(self) -> list[str]:
        """Return the tasks that each step waits for."""
        return [task for _, task in self._tasks]

    def last_lines(self, tasks: Iterable[str]) -> list[str]:
        """Return what comes after all steps, whose tasks are given."""
        lines: list[str] = []
        after = ", ".join(tasks)
        for claim, task in self._tasks:
            if not claim.claim:
                call = f'kubernetes.DeletePVC(pvc_name={task}.outputs["name"])'
                name = "delete_" + task.removeprefix("create_")
                lines.append(f"{INDENT}{name} = {call}.after({after})")
                lines.append(f"{INDENT}{name}.set_caching_options(False)")
        return lines
