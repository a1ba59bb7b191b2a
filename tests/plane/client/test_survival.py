"""Runs outlive a killed control plane: nothing is lost, and nothing that succeeded runs again."""

from __future__ import annotations

import random
import time

import nbformat
import pytest

from fairlead.client import submit

STEPS = 6


def write_notebook(folder, name):
    """A chain with a fork; each step leaves one line in `done` and three in its log."""
    made = nbformat.v4.new_notebook()
    for number in range(STEPS):
        read = f"v{max(number - 2, 0)}" if number else "0"
        source = (
            "import time\n"
            f"print('begin {number}', flush=True)\n"
            "time.sleep(0.3)\n"
            f"v{number} = {read} + 1\n"
            f"with open({str(folder / 'done')!r}, 'a') as done: _ = done.write('{number}\\n')\n"
            f"print('middle {number}', flush=True)\n"
            "time.sleep(0.1)\n"
            f"print('end {number}')"
        )
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [f"step:s{number}"]}))
    path = folder / f"{name}.ipynb"
    nbformat.write(made, path)
    return path


def survive(folder, moments, kill_plane):
    run = submit(write_notebook(folder, "survivor"))
    for pause in moments:
        time.sleep(pause)
        kill_plane()
    run.wait()
    assert run.state == "SUCCEEDED"
    assert sorted((folder / "done").read_text().split()) == [str(n) for n in range(STEPS)]
    for number in range(STEPS):
        expected = [f"{word} {number}" for word in ("begin", "middle", "end")]
        assert list(run.logs(f"s{number}")) == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_run_survives_kill_9_of_the_control_plane_at_a_random_moment(
    data_dir, tmp_path, kill_plane, seed
):
    chosen = random.Random(seed)
    survive(tmp_path, [chosen.uniform(0, 2)], kill_plane)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(50))
def test_a_run_survives_kill_9_again_and_again(data_dir, tmp_path, kill_plane, seed):
    chosen = random.Random(1000 + seed)
    survive(tmp_path, [chosen.uniform(0, 1) for _ in range(3)], kill_plane)


def test_a_step_that_ends_while_the_plane_is_down_counts_as_ended(data_dir, tmp_path, kill_plane):
    run = submit(write_notebook(tmp_path, "away"))
    while not (tmp_path / "done").exists():
        time.sleep(0.02)
    kill_plane()
    time.sleep(1.5)
    run.wait()
    assert sorted((tmp_path / "done").read_text().split()) == [str(n) for n in range(STEPS)]
    assert list(run.logs("s0")) == ["begin 0", "middle 0", "end 0"]
