"""Random notebooks for the property test: small programs whose names share and change."""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from local_steps import Json, code, notebook

START = "a = [1, 2]\ni = 3\nd = {'x': 1}"


def read_templates() -> dict[str, list[str]]:
    """Read the templates of statements, by the type of what they bind."""
    text = (Path(__file__).parent / "notebook_templates.txt").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for entry in text.split("\n=== ")[1:]:
        kind, _, template = entry.partition("\n")
        found.setdefault(kind, []).append(template.rstrip("\n"))
    return found


TEMPLATES = read_templates()
IMPORTS = TEMPLATES.pop("imports")[0]
NAMES = {
    "int": ["i", "j", "k", "n"],
    "list": ["a", "b", "c", "e"],
    "dict": ["d", "m"],
    "tuple": ["t", "u"],
    "func": ["f", "g", "h"],
    "lfunc": ["lf", "lg"],
    "arr": ["r", "s"],
    "cls": ["A", "B"],
    "inst": ["o", "p", "q"],
    "none": [],
}


@dataclass
class Program:
    """Statements and the step that each belongs to; step 0 is setup."""

    statements: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def notebook(self, probe: str = "") -> Json:
        """Return the program as a notebook, with one cell per run of statements in a step."""
        cells = [code(IMPORTS, "setup")]
        pieces: list[tuple[int, list[str]]] = []
        for statement, step in zip(self.statements, self.steps, strict=True):
            if not pieces or pieces[-1][0] != step:
                pieces.append((step, []))
            pieces[-1][1].append(statement)
        for step, lines in pieces:
            tag = "setup" if step == 0 else f"step:s{step}"
            cells.append(code("\n".join(lines), tag))
        if probe:
            cells.append(code(probe, "step:probe"))
        return notebook(*cells)

    def without(self, position: int) -> Program:
        """Return the program without one of its statements."""
        keep = [n for n in range(len(self.statements)) if n != position]
        return Program([self.statements[n] for n in keep], [self.steps[n] for n in keep])

    def __str__(self) -> str:
        lines = []
        for statement, step in zip(self.statements, self.steps, strict=True):
            lines.append(f"# step {step}\n{statement}")
        return textwrap.indent("\n".join(lines), "    ")


def generate(rng: random.Random, size: int, *, mixed: bool = False) -> Program:
    """Return a random program of about `size` statements.

    Parameters
    ----------
    mixed
        Whether a step may go on after another one has begun.
    """
    known: dict[str, list[str]] = {kind: [] for kind in TEMPLATES}
    known.update(int=["i"], list=["a"], dict=["d"])
    program = Program([START], [rng.choice([0, 1])])
    step = 1
    weights = {
        "int": 4,
        "list": 6,
        "dict": 2,
        "tuple": 1,
        "func": 5,
        "lfunc": 2,
        "cls": 2,
        "inst": 3,
        "none": 6,
    }
    while len(program.statements) < size:
        kind = rng.choices(list(weights), list(weights.values()))[0]
        template = rng.choice(TEMPLATES[kind])
        statement = fill(rng, kind, template, known)
        if statement is None:
            continue
        if rng.random() < 0.45:
            step = rng.randint(1, 5) if mixed else step + 1
        program.statements.append(statement)
        program.steps.append(step)
    return program


def fill(rng: random.Random, kind: str, template: str, known: dict[str, list[str]]) -> str | None:
    """Put names into a template; None where a type that it needs does not exist yet."""
    values: dict[str, str] = {"k": str(rng.randint(0, 4))}
    made: list[tuple[str, str]] = []
    for slot in ("new", "new2"):
        if f"{{{slot}}}" in template:
            values[slot] = rng.choice(NAMES[kind])
            made.append((kind, values[slot]))
    result = template
    for wanted in TEMPLATES:
        for suffix in ("_", ""):
            marker = f"{{{wanted}{suffix}}}"
            while marker in result:
                if not known.get(wanted):
                    return None
                name = rng.choice(known[wanted])
                if suffix:  # the same name wherever it occurs: it is bound
                    result = result.replace(marker, name)
                else:
                    result = result.replace(marker, name, 1)
    for name, value in values.items():
        result = result.replace(f"{{{name}}}", value)
    for made_kind, name in made:
        for names in known.values():
            if name in names:
                names.remove(name)
        known[made_kind].append(name)
    return result
