"""papermill's engine, exported pipelines and share files, with a real control plane."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from fairlead import client

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"
STORY = (
    (["parameters"], "n = 1\nname = 'a'"),
    (["imports"], "import random\nprint('set up')"),
    (["setup"], "COUNT = 0\ndef bump():\n    global COUNT\n    COUNT += n\n    return COUNT"),
    (["step:draw"], "random.seed(7)\nnumbers = [random.random() for _ in range(n)]\nnumbers[0]"),
    (["step:more"], "more = random.random()\nprint('more')"),
    ([], "# nothing here"),
    (["step:sum", "metrics"], "total = round(sum(numbers) + more + bump(), 6)\ntotal"),
    (["skip"], "1 / 0"),
)


def write(path: Path, *cells: tuple[list[str], str]) -> Path:
    made = nbformat.v4.new_notebook()
    made.metadata = {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    for number, (tags, source) in enumerate(cells):
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": tags}, id=f"c{number}")
        made.cells.append(cell)
    path.parent.mkdir(exist_ok=True)
    nbformat.write(made, path)
    return path


@pytest.fixture
def run(data_dir, tmp_path):
    def call(*words, **more):
        return subprocess.run(
            [sys.executable, "-m", *map(str, words)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            **more,
        )

    return call


def texts(cell):
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


def test_papermill_runs_tagged_cells_as_steps_and_gives_what_it_gives_itself(run, tmp_path):
    story = write(tmp_path / "in.ipynb", *STORY[:-1])
    plain = run("papermill", story, "plain.ipynb", "-p", "n", 3)
    done = run("papermill", story, "out.ipynb", "--engine", "fairlead", "-p", "n", 3)
    assert (plain.returncode, done.returncode) == (0, 0), plain.stderr + done.stderr
    expected, found = (nbformat.read(tmp_path / f"{n}.ipynb", 4) for n in ("plain", "out"))
    assert [c.source for c in found.cells] == [c.source for c in expected.cells]
    assert "n = 3" in found.cells[1].source
    assert [c.execution_count for c in found.cells] == [c.execution_count for c in expected.cells]
    assert [texts(c) for c in found.cells] == [texts(c) for c in expected.cells]
    assert [c.metadata.papermill.status for c in found.cells] == ["completed"] * len(found.cells)
    assert found.metadata.papermill.parameters == {"n": 3}
    assert found.metadata.papermill.exception is None
    assert "in" in run("fairlead.cli", "runs").stdout


def test_papermill_shows_every_turn_of_a_loop_and_the_branch_that_was_taken(run, tmp_path):
    story = write(tmp_path / "in.ipynb", (["step:a"], "xs = [1, 2]\nx = 0"))
    made = nbformat.read(story, 4)
    for own, source in (
        ({"step": "turns", "forEach": True}, "for x in [1, 2]:\n    print('turn', x)"),
        ({"step": "either", "if": True}, "if len(xs) > 1:\n    w = 'many'\nelse:\n    w = 'few'"),
        ({"step": "end"}, "w"),
    ):
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"fairlead": own}))
    nbformat.write(made, story)
    done = run("papermill", story, "out.ipynb", "--engine", "fairlead")
    assert done.returncode == 0, done.stderr
    cells = nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert [texts(c) for c in cells] == ["", "turn 1\nturn 2\n", "", "'many'"]
    assert [c.execution_count for c in cells] == [1, 2, 3, 4]


def test_papermill_is_told_which_cell_failed_and_why(run, tmp_path):
    story = write(
        tmp_path / "in.ipynb",
        (["step:a"], "x = 1"),
        (["step:b"], "print('before')\nx / 0"),
        (["step:c"], "y = x"),
        (["step:d", "after:b"], "z = 1"),
    )
    done = run("papermill", story, "out.ipynb", "--engine", "fairlead")
    assert done.returncode == 1
    assert "ZeroDivisionError: division by zero" in done.stderr
    cells = [c for c in nbformat.read(tmp_path / "out.ipynb", 4).cells if c.cell_type == "code"]
    assert [c.metadata.papermill.status for c in cells][:2] == ["completed", "failed"]
    assert cells[3].metadata.papermill.status == "pending"
    assert [o.output_type for o in cells[1].outputs] == ["stream", "error"]
    assert cells[1].metadata.papermill.exception is True


def test_papermill_shows_at_its_cell_what_cannot_be_a_pipeline(run, tmp_path):
    story = write(
        tmp_path / "in.ipynb", (["step:a"], "f = open('x', 'w')"), (["step:b"], "f.write('x')")
    )
    done = run("papermill", story, "out.ipynb", "--engine", "fairlead")
    assert done.returncode == 1
    assert "`f` is an open file" in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_shared_notebook_runs_elsewhere_to_the_same_result(run, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "rows.csv").write_text("1\n2\n")
    (tmp_path / "here" / "helper.py").write_text("def total(rows):\n    return sum(rows)\n")
    story = write(
        tmp_path / "here" / "in.ipynb",
        (["imports"], "import helper"),
        (["step:load"], "rows = [int(line) for line in open('rows.csv')]"),
        (["step:sum", "metrics"], "total = helper.total(rows)\nprint('total', total)"),
    )
    first = run("fairlead.cli", "run", story)
    assert run("fairlead.cli", "export", story, "--to", "share", "-o", "s.zip").returncode == 0
    (tmp_path / "here").rename(tmp_path / "gone")
    there = {**os.environ, "FAIRLEAD_DATA_DIR": str(tmp_path / "other-data")}
    try:
        assert run("fairlead.cli", "import", "s.zip", "-o", "there", env=there).returncode == 0
        second = run("fairlead.cli", "run", "there/in.ipynb", env=there)
        third = run("fairlead.cli", "run", "there/pipeline.yaml", env=there)
    finally:
        run("fairlead.cli", "down", "--yes", env=there)
    for done in (first, second):
        assert "  total = 3" in done.stdout, done.stdout + done.stderr
    assert "  total = 3" in third.stdout, third.stdout + third.stderr


def loops(path):
    """Write a notebook with a loop of each kind and a condition of each kind."""
    made = nbformat.read(
        write(path, (["parameters"], "n = 3\nkinds = ['a', 'b']"), (["step:s"], "xs = [1, 2]")), 4
    )
    for own, source in (
        ({"step": "shown", "forEach": True}, "a = []\nfor x in [1, 2]:\n    a.append(x * n)"),
        ({"step": "asked", "forEach": True}, "b = []\nfor k in kinds:\n    b.append(k * 2)"),
        ({"step": "made", "forEach": True}, "c = {}\nfor v in xs:\n    c[v] = [v]"),
        ({"step": "small", "if": True}, "if n < 3:\n    d = 1\nelse:\n    d = 2"),
        ({"step": "long", "if": True}, "if len(xs) > 1:\n    n2 = 5\nelse:\n    n2 = 6"),
    ):
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"fairlead": own}))
    last = "total = sum(a) + len(b) + sum(sum(v) for v in c.values()) + d * n2"
    tags = {"tags": ["step:end", "metrics"]}
    made.cells.append(nbformat.v4.new_code_cell(last, metadata=tags))
    nbformat.write(made, path)
    return path


@pytest.mark.parametrize("build", [lambda path: write(path, *STORY), loops])
def test_exported_python_runs_to_the_same_values(run, tmp_path, build):
    python = os.environ.get(KFP_VARIABLE) or pytest.skip(
        f"{KFP_VARIABLE} does not name a Python with kfp"
    )
    story = build(tmp_path / "in.ipynb")
    assert run("fairlead.cli", "export", story, "--to", "kfp", "-o", "made.py").returncode == 0
    subprocess.run([python, tmp_path / "made.py"], check=True, capture_output=True, timeout=120)
    own = client.submit(story, {"n": 4}).wait()
    theirs = client.submit(tmp_path / "made.yaml", {"n": 4}).wait()
    assert theirs.metrics == own.metrics != {}


def test_kustomize_uploads_the_pipeline_and_again_nothing(run, tmp_path):
    story = write(tmp_path / "in.ipynb", *STORY)
    assert run("fairlead.cli", "export", story, "--to", "kustomize", "-o", "k").returncode == 0
    job = json.dumps(list((tmp_path / "k" / "upload").glob("*")), default=str)
    assert "upload.py" in job
    kube = client.connect().kube
    upload = (tmp_path / "k" / "upload" / "upload.py").read_text()
    upload = upload.replace("/pipeline/pipeline.yaml", str(tmp_path / "k/upload/pipeline.yaml"))
    (tmp_path / "upload.py").write_text(upload)
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Proxy(BaseHTTPRequestHandler):
        """Hands requests on to the service proxy, as a pod's network would."""

        def hand_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = "/api/v1/namespaces/kubeflow/services/ml-pipeline:8888/proxy" + self.path
            status, answer = forward(kube, self.command, address, body, self.headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = hand_on

        def log_message(self, *words):
            pass

    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = {
            **os.environ,
            "KFP_URL": f"http://127.0.0.1:{server.server_port}",
            "PIPELINE_NAME": "in",
            "PIPELINE_VERSION": "in-1",
        }
        said = [
            subprocess.run(
                [sys.executable, tmp_path / "upload.py"],
                env=env,
                capture_output=True,
                text=True,
                timeout=60,
            )
            for _ in range(2)
        ]
        server.shutdown()
    assert re.match(r"made pipeline \S+\nmade version \S+\n$", said[0].stdout), said[0].stderr
    assert said[1].stdout == "version in-1 is there already\n", said[1].stderr


def forward(kube, method, address, body, headers):
    import http.client
    import ssl

    import yaml

    config = yaml.safe_load(Path(kube.context.kubeconfig).read_text())
    server = config["clusters"][0]["cluster"]
    token = config["users"][0]["user"]["token"]
    trust = ssl.create_default_context(cadata=_ca(server))
    host = server["server"].removeprefix("https://")
    link = http.client.HTTPSConnection(host, context=trust, timeout=30)
    sent = {"Authorization": f"Bearer {token}", "Content-Type": headers.get("Content-Type", "")}
    link.request(method, address, body, sent)
    answer = link.getresponse()
    return answer.status, answer.read()


def _ca(server):
    import base64

    if "certificate-authority-data" in server:
        return base64.b64decode(server["certificate-authority-data"]).decode()
    return Path(server["certificate-authority"]).read_text()
