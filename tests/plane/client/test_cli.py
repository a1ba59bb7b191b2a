"""The command line, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess

import nbformat
import pytest
import yaml

from fairlead.pipelines import check_pipeline


def write(folder, name, *cells):
    made = nbformat.v4.new_notebook()
    for tags, source in cells:
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
    nbformat.write(made, folder / name)
    return name


def lines_of(step, printed):
    return re.findall(rf"^{step} +\| (.*)$", printed, re.MULTILINE)


def test_a_run_streams_each_steps_output_and_exits_with_0(fairlead, tmp_path):
    name = write(
        tmp_path,
        "talk.ipynb",
        (["parameters"], "n = 1"),
        (["step:one"], "x = n * 10\nprint('x is', x)"),
        (["step:two", "metrics"], "y = x + 1\nprint('y is', y)"),
    )
    done = fairlead("run", name, "-p", "n=4")
    assert done.returncode == 0, done.stderr
    assert lines_of("one", done.stdout)[0] == "x is 40"
    assert lines_of("two", done.stdout)[0] == "y is 41"
    assert "talk: Succeeded" in done.stdout
    assert "  y = 41" in done.stdout


def test_a_run_says_what_of_kales_words_has_no_effect(fairlead, tmp_path):
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["block:one"]})]
    made.metadata["kubeflow_notebook"] = {"snapshot_volumes": True}
    nbformat.write(made, tmp_path / "kale.ipynb")
    done = fairlead("run", "kale.ipynb")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Warning: .*snapshot_volumes", done.stderr, re.MULTILINE)
    assert done.stderr.count("Warning: ") == 1


def test_run_and_compile_say_what_may_come_out_otherwise_with_cell_line_and_name(
    fairlead, tmp_path
):
    name = write(
        tmp_path,
        "dynamic.ipynb",
        (["step:one"], "x = 1"),
        (["step:two"], "y = x\nexec('z = ' + str(x))"),
    )
    for words in (("compile", name, "-o", "dynamic.yaml"), ("run", name)):
        done = fairlead(*words)
        assert done.returncode == 0, done.stderr
        assert re.search(r"^Warning: Cell 2 \(.*\), line 2: `exec`", done.stderr, re.MULTILINE)


def test_a_failed_run_exits_with_1_and_names_cell_and_line(fairlead, tmp_path):
    name = write(
        tmp_path,
        "fails.ipynb",
        (["step:one"], "x = 1"),
        (["step:two"], "y = x\nboom(y)"),
        (["step:three"], "print(y)"),
    )
    done = fairlead("run", name)
    assert done.returncode == 1
    assert "NameError: name 'boom' is not defined" in done.stdout
    assert "cell 2, line 2" in done.stdout
    assert lines_of("three", done.stdout) in ([], ["- Skipped"])
    run_id = re.search(r"fairlead retry (\w+)", done.stderr)[1]
    again = fairlead("retry", run_id)
    assert again.returncode == 1


def test_what_cannot_travel_is_refused_with_2_before_anything_runs(fairlead, tmp_path):
    name = write(
        tmp_path,
        "refused.ipynb",
        (["step:one"], "print('started')\nhandle = open('data.txt', 'w')"),
        (["step:two"], "handle.write('x')"),
    )
    before = fairlead("runs").stdout
    done = fairlead("run", name)
    assert done.returncode == 2
    assert "handle" in done.stderr
    assert "line 2" in done.stderr
    assert fairlead("runs").stdout == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nothing.ipynb"], "There is no notebook nothing.ipynb"),
        (["run", "nothing.yaml"], "There is no file nothing.yaml"),
        (["run", "one.ipynb", "-p", "n"], "-p takes NAME=VALUE"),
        (["run", "one.ipynb", "-p", "m=1"], "no parameter 'm'"),
        (["run", "one.ipynb", "-p", "n=many"], "Parameter 'n' must be a NUMBER_INTEGER"),
    ],
)
def test_bad_input_is_refused_with_2_and_a_reason(fairlead, tmp_path, arguments, words):
    write(tmp_path, "one.ipynb", (["parameters"], "n = 1"), (["step:a"], "print(n)"))
    done = fairlead(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_compiled_notebook_is_a_valid_pipeline_that_runs(fairlead, tmp_path):
    name = write(tmp_path, "c.ipynb", (["step:a"], "x = 1"), (["step:b"], "print('x', x)"))
    assert fairlead("compile", name, "-o", "c.yaml").stdout == "Wrote c.yaml: 2 steps.\n"
    check_pipeline(yaml.safe_load((tmp_path / "c.yaml").read_text()))
    done = fairlead("run", "c.yaml")
    assert done.returncode == 0, done.stderr
    assert "x 1" in lines_of("b", done.stdout)


def test_a_second_unchanged_run_is_all_cache_hits_and_an_edit_reruns_what_depends_on_it(
    fairlead, tmp_path
):
    cells = [(["step:a"], "a = 1"), (["step:b"], "b = 2"), (["step:c"], "c = b + 1")]
    name = write(tmp_path, "cached.ipynb", *cells)
    fairlead("run", name)
    second = fairlead("run", name)
    for step in "abc":
        assert lines_of(step, second.stdout) == ["✓ Cached: unchanged since an earlier run"]
    document = json.loads((tmp_path / name).read_text())
    document["cells"][1]["source"] = "b = 20"
    (tmp_path / name).write_text(json.dumps(document))
    third = fairlead("run", name)
    assert lines_of("a", third.stdout) == ["✓ Cached: unchanged since an earlier run"]
    for step in "bc":
        assert lines_of(step, third.stdout)[-1].startswith("✓ Succeeded")


def test_logs_of_an_earlier_run_can_be_read(fairlead, tmp_path):
    name = write(
        tmp_path, "l.ipynb", (["step:a"], "print('first')"), (["step:b"], "print('other')")
    )
    started = re.search(r"\(([0-9a-f-]{36})\)", fairlead("run", name).stdout)[1]
    assert "a | first" in fairlead("logs", started[:13]).stdout
    assert fairlead("logs", started, "b").stdout == "other\n"


def test_the_plane_is_started_shown_and_stopped(data_dir, fairlead):
    path = fairlead("kubeconfig").stdout.strip()
    assert os.path.samefile(path, data_dir / "kubeconfig")
    assert "Control plane   up" in fairlead("status").stdout
    assert fairlead("down").stdout == "The control plane is down.\n"
    down = fairlead("status")
    assert (down.returncode, "down" in down.stdout) == (1, True)
    assert "The control plane is up" in fairlead("up").stdout


def test_a_run_is_shown_its_artifacts_are_listed_and_fetched_and_it_is_deleted(fairlead, tmp_path):
    name = write(
        tmp_path,
        "history.ipynb",
        (["step:one"], "x = [1, 2]"),
        (["step:two", "metrics"], "score = sum(x) / 4"),
    )
    root = tmp_path / "mine"
    done = fairlead("run", name, "--experiment", "cli", "--pipeline-root", str(root))
    assert done.returncode == 0, done.stderr
    run_id = re.search(r"Run history \((\S+)\)", done.stdout)[1]

    shown = fairlead("show", run_id[:8])
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"history ({run_id}): Succeeded\n")
    assert re.search(r"^one +Succeeded +\d+\.\d s +history-\S+$", shown.stdout, re.MULTILINE)
    assert "  score = 0.75" in shown.stdout

    listed = fairlead("artifacts", run_id[:8])
    assert re.search(rf"^one +x +\S+ +{root}/\S+$", listed.stdout, re.MULTILINE), listed.stdout
    fetched = fairlead("artifacts", run_id[:8], "one", "notebook", "-o", "out.ipynb")
    assert fetched.returncode == 0, fetched.stderr
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert "It has: " in fairlead("artifacts", run_id[:8], "one", "none").stderr

    refused = fairlead("delete", run_id[:8], stdin=subprocess.DEVNULL)
    assert refused.returncode == 2
    assert "fairlead delete --yes" in refused.stderr
    assert fairlead("delete", "-y", run_id[:8]).stdout == f"Deleted history ({run_id}).\n"
    assert fairlead("show", run_id).returncode == 1
    # What is in the user's own folder stays.
    assert any(root.rglob("x"))
