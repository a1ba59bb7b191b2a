"""A sample of the tricky notebooks on a real plane, by the command line."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "unit"
sys.path.insert(0, str(UNIT))

from notebook_outcomes import read_stories, run_by_ipython  # noqa: E402

STORIES = {s.name: s for file in (UNIT / "stories").glob("*.txt") for s in read_stories(file)}


def write(story, folder):
    for name, content in story.files.items():
        (folder / name).write_text(content)
    (folder / "story.ipynb").write_text(json.dumps(story.notebook))


@pytest.mark.parametrize(
    "name",
    [
        "os.environ changed in a function and in a loop",
        "logging that is set up in one step",
        "a cache of a timeless function that is asked what it holds",
        "a file appended to in several steps",
        "%env with a value from a variable",
        "top-level async for, async with and an async comprehension",
        "a monkeypatched function of a module",
        "a star import of a module beside the notebook",
    ],
)
def test_a_tricky_notebook_prints_on_the_plane_what_it_prints_in_ipython(name, fairlead, tmp_path):
    story = STORIES[name]
    write(story, tmp_path)
    done = fairlead("run", "story.ipynb")
    assert done.returncode == 0, done.stderr
    run = re.search(r"^Run story \((.*)\)$", done.stdout, re.MULTILINE)[1]
    printed = re.findall(r"^s\d+ +\| (.*)$", fairlead("logs", run).stdout, re.MULTILINE)
    plain = run_by_ipython(story, tmp_path / "plain" / "n")()
    assert printed == plain.printed.splitlines()


def test_what_cannot_travel_is_refused_with_exit_code_2(fairlead, tmp_path):
    write(STORIES["a lock inside an object of the notebook"], tmp_path)
    done = fairlead("run", "story.ipynb")
    assert done.returncode == 2
    assert "`s`" in done.stderr
    assert "line 4" in done.stderr
