"""How a notebook ends: run by IPython from top to bottom, and step by step as a pipeline.

Every process is forked from the test's own, so that hundreds of notebooks run in a minute and no
setting of one reaches another. What all of them need is made ready before: IPython is loaded, and
the program of a step is compiled.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType

import IPython.core.interactiveshell  # noqa: F401  # before any fork: it takes long to load

from fairlead.pipelines import Problem, compile_notebook
from fairlead.pipelines.modules import local_modules
from fairlead.pipelines.runner import runner_source
from local_steps import Json, code, executor_input, notebook, text

_TIMEOUT = 60


@dataclass
class Story:
    """A notebook of the corpus.

    Parameters
    ----------
    files : dict
        What lies beside it, by relative path.
    ending : str
        How its pipeline has to end; see `tricky_stories.txt`.
    """

    name: str
    cells: list[Json] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    ending: str = ""

    @property
    def notebook(self) -> Json:
        """The notebook as JSON."""
        return notebook(*self.cells)


@dataclass
class Ending:
    """What a notebook left behind: what it printed, its files, and the error that ended it."""

    printed: str = ""
    error: tuple[str, str] | None = None
    files: dict[str, bytes] = field(default_factory=dict)


def read_stories(path: Path) -> Iterator[Story]:
    """Read the notebooks of a text file; the first of its files says how they are written."""
    for entry in path.read_text("utf-8").split("\n=== ")[1:]:
        name, _, rest = entry.partition("\n")
        body, _, ending = rest.rpartition("\n>>> ")
        story = Story(name, ending=ending.strip())
        body = body if body.startswith("---") else "---\n" + body
        for part in ("\n" + body).split("\n---")[1:]:
            heading, _, content = part.partition("\n")
            kind, _, word = heading.strip().partition(" ")
            if kind == "file":
                story.files[word] = content + "\n"
            elif kind == "text":
                story.cells.append(text(content))
            else:
                named = f"step:{word or f's{len(story.cells)}'}"
                tags = {"": named, "step": named, "cell": word}.get(kind, kind)
                story.cells.append(code(content, *[tag for tag in tags.split(",") if tag]))
        yield story


def run_by_ipython(story: Story, folder: Path) -> Callable[[], Ending]:
    """Begin to run the code cells in IPython, one after another, until one fails.

    Returns
    -------
    callable
        Waits for the end.
    """
    _lay_out(story, folder)
    log = folder.with_suffix(".log")
    answer = _in_a_process(lambda: _interactive(story.notebook["cells"]), folder, log)

    def end() -> Ending:
        found = answer()["error"]
        error = tuple(found) if found else None
        return Ending(_steady(log.read_text(), folder), error, _files(folder))

    return end


def run_as_pipeline(story: Story, folder: Path) -> Ending:
    """Run the steps, the last of those that may start first; those after a failed one do not run.

    What is printed is joined in the order of the notebook, up to the first step that failed.
    """
    _lay_out(story, folder)
    made = compile_notebook(story.notebook, name="x", modules=_modules(story))
    spec = json.loads(json.dumps(made))
    tasks, work = spec["root"]["dag"]["tasks"], folder.with_suffix(".work")
    ended: dict[str, tuple[str, str] | None] = {}
    while ready := [
        name
        for name, task in tasks.items()
        if name not in ended and all(n in ended for n in task.get("dependentTasks", []))
    ]:
        name = ready[-1]
        ended[name] = ("", "")
        if all(ended[n] is None for n in tasks[name].get("dependentTasks", [])):
            ended[name] = _run_step(spec, name, folder, work)
    ending = Ending(files=_files(folder))
    for name in tasks:
        log = work / f"{name}.log"
        ending.printed += _steady(log.read_text(), folder) if log.exists() else ""
        if ended[name]:
            ending.error = ended[name]
            break
    return ending


def _steady(printed: str, folder: Path) -> str:
    """Return what was printed without what differs from run to run: times, addresses, paths."""
    printed = re.sub(r"(CPU times|Wall time): .*", r"\1", printed.replace(str(folder), "."))
    return re.sub(r"0x[0-9a-f]{6,}", "0x", printed)


def complaints(story: Story, folder: Path) -> list[str]:
    """Say in which ways a notebook ends otherwise than its story tells; nothing if it does not."""
    parts = story.ending.split(", ")
    wanted = sorted(part for part in parts if part != "same")
    problems = problems_of(story)
    kinds = {"warning": "warned", "error": "refused"}
    said = {f"{kinds[p.severity]} {p.cell_id} {p.line} {p.name}".strip() for p in problems}
    found = []
    if wanted != sorted(said):
        found.append(f"said {sorted(said)}")
    found.extend(f"no advice: {p}" for p in problems if not (p.message and p.hint))
    if "same" in parts:
        if any(p.severity == "error" for p in problems):
            return [*found, "refused"]
        running = run_by_ipython(story, folder / "a" / "n")
        steps = run_as_pipeline(story, folder / "b" / "n")
        plain = running()
        if plain != steps:
            found.append(f"\n{plain}\n{steps}")
    return found


def _run_step(spec: Json, name: str, folder: Path, work: Path) -> tuple[str, str] | None:
    given = executor_input(spec, name, work, {})
    (work / name).mkdir(parents=True)
    program = _program()
    _in_a_process(lambda: _step(program, given), folder, work / f"{name}.log")()
    error = work / name / "error.json"
    if not error.exists():
        return None
    found = json.loads(error.read_text())
    return found["ename"], found["evalue"]


def problems_of(story: Story) -> list[Problem]:
    """Return what the analysis says about a notebook."""
    from fairlead.pipelines.plan import plan_notebook

    return plan_notebook(story.notebook, _modules(story)).analysis.problems


def _modules(story: Story) -> dict[str, str]:
    return local_modules(story.notebook, story.files.get)


def _lay_out(story: Story, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, content in story.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    kept = (path for path in found if "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def _in_a_process(action: Callable[[], Json], folder: Path, log: Path) -> Callable[[], Json]:
    """Do something in a forked process that starts in a folder and prints into a file.

    Returns
    -------
    callable
        Waits for its answer.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        try:
            _settle(folder, log)
            answer = action()
        except BaseException:
            answer = {"trouble": traceback.format_exc()}
        with os.fdopen(writing, "w") as pipe:
            json.dump(answer, pipe)
        sys.stdout.flush()
        os._exit(0)
    os.close(writing)

    def end() -> Json:
        with os.fdopen(reading) as pipe:
            found = pipe.read()
        os.waitpid(child, 0)
        answer: Json = json.loads(found) if found else {"error": ["Died", ""]}
        assert "trouble" not in answer, answer["trouble"]
        return answer

    return end


def _settle(folder: Path, log: Path) -> None:
    """Give a fresh process its folder and streams."""
    import signal

    signal.alarm(_TIMEOUT)
    os.chdir(folder)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    errors = os.open(str(log) + ".errors", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, out, errors)):
        os.dup2(file, number)
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", buffering=1, closefd=False)
    sys.stderr = open(2, "w", buffering=1, closefd=False)
    sys.path.insert(0, "")
    logging.root.handlers.clear()  # those of the tests
    os.environ["MPLBACKEND"] = "Agg"


def _interactive(cells: list[Json]) -> Json:
    from IPython.core import page
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "NoColor"
    shell = InteractiveShell.instance(config=settings)
    sys.modules["__main__"] = shell.user_module
    shell.kernel = None  # a notebook's shell has one: pandas looks for it, and shows more columns
    shell.displayhook.write_output_prompt = lambda: None
    shell.displayhook.write_format_data = lambda data, *_: print(data["text/plain"])
    shell.enable_gui = lambda *_: None
    shell.display_pub.clear_output = lambda *_, **__: None
    page.page = lambda *_, **__: None  # help does not belong to a cell's output
    shell.showtraceback = lambda *_, **__: None
    shell.showsyntaxerror = lambda *_, **__: None
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        result = shell.run_cell(cell["source"], store_history=True)
        error = result.error_before_exec or result.error_in_exec
        if error is not None and "raises-exception" not in cell["metadata"].get("tags", []):
            return {"error": [type(error).__name__, str(error)]}
    return {"error": None}


@lru_cache
def _program() -> CodeType:
    return compile(runner_source(), "<runner>", "exec")


def _step(program: CodeType, given: Json) -> Json:
    # A step begins without IPython, whatever other tests have imported here.
    for name in [name for name in sys.modules if name.partition(".")[0] == "IPython"]:
        del sys.modules[name]
    sys.argv = ["-c", "--executor_input", json.dumps(given)]
    try:
        exec(program, {"__name__": "__main__"})
    except SystemExit as end:
        return {"status": end.code}
    return {"status": None}
