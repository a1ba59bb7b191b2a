"""Kale's volumes on this machine: made for a run, or kept from run to run."""

from __future__ import annotations

import nbformat
from kubernetes import client, config

import fairlead
from fairlead.client import connect


def test_a_new_claim_lasts_for_a_run_and_that_of_a_persistent_volume_stays(data_dir, tmp_path):
    connect().list()  # starts the control plane
    core = client.CoreV1Api(config.new_client_from_config(str(data_dir / "kubeconfig")))
    kept = tmp_path / "kept"
    kept.mkdir()
    modes, size = ["ReadWriteMany"], {"storage": "1Gi"}
    spec = {"accessModes": modes, "capacity": size, "hostPath": {"path": str(kept)}}
    core.create_persistent_volume({"metadata": {"name": "shelf"}, "spec": spec})

    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kubeflow_notebook"] = {
        "volumes": [
            {"name": "bag", "type": "new_pvc", "mount_point": "/bag", "size": 1, "size_type": "Gi"},
            {"name": "shelf", "type": "pv", "mount_point": "/shelf", "size": 1, "size_type": "Gi"},
        ]
    }
    look = "import os\nnames = sorted(os.listdir('/bag'))\nfound = sorted(os.listdir('/shelf'))"
    notebook.cells = [
        nbformat.v4.new_code_cell(
            f"{look}\nopen('/bag/sweet', 'w').close()\nopen('/shelf/book', 'w').close()",
            metadata={"tags": ["block:put"]},
        ),
        nbformat.v4.new_code_cell(
            f"first = (names, found)\n{look}\nprint(first, (names, found))",
            metadata={"tags": ["block:look", "prev:put"]},
        ),
    ]
    path = tmp_path / "bags.ipynb"
    nbformat.write(notebook, path)
    both = "(['sweet'], ['book'])"
    for before in ("([], [])", "([], ['book'])"):
        run = fairlead.submit(path).wait()
        assert list(run.logs("look")) == [f"{before} {both}"]
        names = [
            one.metadata.name
            for one in core.list_namespaced_persistent_volume_claim("kubeflow").items
            if one.metadata.deletion_timestamp is None
        ]
        assert names == ["shelf-claim"]
    assert (kept / "book").is_file()
