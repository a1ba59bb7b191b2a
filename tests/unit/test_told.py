"""What of a file has no effect is told by each way in and out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairlead.exchange import FORMATS, export
from fairlead.magics.fairlead_magic import FairleadMagics
from fairlead.sources import read_source
from local_steps import code, notebook


@pytest.fixture
def sweets(tmp_path: Path) -> Path:
    """Write a notebook of Kale's that wants snapshots, and takes its steps from another, too."""
    other = {**notebook(code("y = 2", "step:b")), "metadata": {"kubeflow_notebook": {"odd": 1}}}
    (tmp_path / "other.ipynb").write_text(json.dumps(other))
    cells = [
        code("x = 1", "block:a"),
        code("# see there", "notebook:other", notebook_path="other.ipynb"),
    ]
    made = {**notebook(*cells), "metadata": {"kubeflow_notebook": {"autosnapshot": True}}}
    path = tmp_path / "sweets.ipynb"
    path.write_text(json.dumps(made))
    return path


def test_a_notebook_that_another_refers_to_is_told_of_at_the_cell_that_does(sweets: Path) -> None:
    told = {(one.cell_index, one.name): one.message for one in read_source(sweets).problems}
    assert told[-1, "autosnapshot"].startswith("`autosnapshot` in the notebook's Kale metadata")
    assert told[1, "odd"].startswith("In other.ipynb: `odd` in the notebook's Kale metadata")


@pytest.mark.parametrize("to", FORMATS)
def test_an_export_tells_it(to: str, sweets: Path, tmp_path: Path) -> None:
    told = export(sweets, to, tmp_path / "out")
    assert sum("`autosnapshot` in the notebook's" in text for text in told) == 1
    assert sum("In other.ipynb: `odd`" in text for text in told) == 1


def test_the_magic_tells_it(
    sweets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FairleadMagics().fairlead(f"compile {sweets} -o {tmp_path / 'out.yaml'}")
    printed = capsys.readouterr().out.splitlines()
    assert [line.startswith("Warning: ") for line in printed] == [True] * (len(printed) - 1) + [
        False
    ]
    assert any("`autosnapshot`" in line for line in printed)
