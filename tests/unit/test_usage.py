"""Used and allocatable, from objects."""

from __future__ import annotations

import pytest

from fairlead.kube.usage import parse_quantity, pod_requests, summarize_usage


def container(requests=None, limits=None, **more):
    resources = {"requests": requests or {}, "limits": limits or {}}
    return {"name": "c", "resources": resources, **more}


def pod(*containers, phase="Running", node="n", **spec):
    return {
        "spec": {"containers": list(containers), "nodeName": node, **spec},
        "status": {"phase": phase},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", 0.5),
        ("2", 2),
        (2, 2),
        ("1.5Gi", 1.5 * 2**30),
        ("1k", 1000),
        ("2e3", 2000),
        ("1E", 1e18),
        ("100u", 1e-4),
        ("0", 0),
    ],
)
def test_quantities_are_read(text, value):
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", ["", "m", "two", "1 Gi x"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_quantity(text)


def test_what_runs_at_the_same_time_is_added_and_what_runs_before_is_the_most_of_it():
    found = pod_requests(
        pod(
            container({"cpu": "1"}),
            container(limits={"cpu": "500m", "memory": "1Gi"}),
            initContainers=[
                container({"cpu": "250m"}, restartPolicy="Always"),
                container({"cpu": "4", "nvidia.com/gpu": "1"}),
            ],
            overhead={"memory": "1Mi"},
        )
    )
    assert found == {"cpu": 4.25, "memory": 2**30 + 2**20, "gpu": 1}


def test_requests_of_the_whole_pod_count_before_those_of_its_containers():
    found = pod_requests(pod(container({"cpu": "1"}), resources={"requests": {"cpu": "3"}}))
    assert found == {"cpu": 3}


def test_what_has_ended_or_has_no_node_uses_nothing():
    pods = [
        pod(container({"cpu": "100m"})),
        pod(container({"cpu": "200m"}), phase="Pending"),
        pod(container({"cpu": "8"}), phase="Succeeded"),
        pod(container({"cpu": "8"}), phase="Failed"),
        pod(container({"cpu": "8"}), phase="Pending", node=None),
    ]
    node = {"cpu": "3900m", "memory": "8Gi", "nvidia.com/gpu": "2", "amd.com/gpu": "1"}
    found = summarize_usage([{"status": {"allocatable": node}}], pods)
    assert found == {
        "cpu": {"used": 0.3, "allocatable": 3.9},
        "memory": {"used": 0, "allocatable": 8 * 2**30},
        "gpu": {"used": 0, "allocatable": 3},
        "quota": [],
    }


def test_without_nodes_the_allocatable_is_not_known():
    assert summarize_usage(None, [])["cpu"] == {"used": 0, "allocatable": None}


def test_quotas_are_read_from_their_status_else_from_their_spec():
    quotas = [
        {
            "metadata": {"name": "a"},
            "status": {"hard": {"requests.cpu": "4", "pods": "10"}, "used": {"pods": "3"}},
        },
        {"metadata": {"name": "b"}, "spec": {"hard": {"requests.memory": "1Gi"}}},
    ]
    assert summarize_usage(None, [], quotas)["quota"] == [
        {"name": "a", "resource": "pods", "used": 3, "hard": 10},
        {"name": "a", "resource": "requests.cpu", "used": 0, "hard": 4},
        {"name": "b", "resource": "requests.memory", "used": 0, "hard": 2**30},
    ]
