"""The extension against the cluster that `FAIRLEAD_TEST_KUBECONFIG` names, whichever that is."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest
import yaml

from fairlead.kube import KubeClient
from fairlead.kube.types import NAMESPACES

KUBECONFIG = os.environ.get("FAIRLEAD_TEST_KUBECONFIG")

pytestmark = pytest.mark.skipif(
    not KUBECONFIG, reason="FAIRLEAD_TEST_KUBECONFIG names no kubeconfig"
)


@pytest.fixture
def cluster(monkeypatch, data_dir):
    """A client of the kubeconfig's current context, and a namespace of this test's own there."""
    monkeypatch.setenv("KUBECONFIG", KUBECONFIG)
    kube = KubeClient(yaml.safe_load(Path(KUBECONFIG).read_text())["current-context"])
    name = f"fairlead-test-{uuid.uuid4().hex[:8]}"
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield kube, name
    kube.delete(NAMESPACES, name)
    (data_dir / "context.json").unlink(missing_ok=True)


async def test_a_cluster_is_switched_to_followed_and_asked_what_it_can(new_viewer, fetch, cluster):
    kube, namespace = cluster
    place = {"context": kube.context.name, "namespace": namespace}
    assert await fetch("contexts", "current", method="PUT", body=place) == place
    assert namespace in (await fetch("namespaces"))["namespaces"]
    viewer = await new_viewer()
    await viewer.subscribe(1, "context")
    await viewer.subscribe(2, "usage")
    await viewer.subscribe(3, "objects", api_version="v1", kind="ConfigMap")
    rows = await viewer.until(1, lambda rows: rows["context"]["health"] == "ok")
    assert rows["context"]["namespace"] == namespace
    assert rows["context"]["version"].startswith("v")
    await viewer.until(3, lambda rows: True)
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}
    kube.create(made, namespace)
    await viewer.until(3, lambda rows: "one" in [row["name"] for row in rows.values()])
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {"requests.cpu": "2"}},
    }
    kube.create(quota, namespace)
    rows = await viewer.until(2, lambda rows: rows["usage"]["cpu"]["quota"] is not None)
    assert rows["usage"]["cpu"]["quota"] == {"used": 0, "hard": 2}
    answer = await fetch("capabilities")
    assert answer["pipelines"] == {"lacks": {}}
    kinds = answer["kinds"]
    assert kinds["Pod"]["available"]
    assert kinds["Pod"]["verbs"]["create"]["allowed"]
    missing = [kind for kind in kinds.values() if not kind["available"]]
    assert all(kind["reason"] for kind in missing)
