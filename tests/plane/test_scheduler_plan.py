"""Decisions of the scheduler over a picture of the cluster, without a process around it."""

from __future__ import annotations

import itertools
from decimal import Decimal

from fairlead.names import GPUS_ANNOTATION
from fairlead_plane.scheduler.demand import pod_requests
from fairlead_plane.scheduler.plan import HOLD_S, PASSED_MOST, make_plan
from fairlead_plane.scheduler.state import State

_versions = itertools.count(1)


def node(name="node", gpus="", **allocatable):
    allocatable = {"cpu": "4", "memory": "16Gi", "pods": "110", **allocatable}
    if gpus:
        allocatable["nvidia.com/gpu"] = str(len(gpus.split(",")))
    return {
        "metadata": {"name": name, "annotations": {GPUS_ANNOTATION: gpus}},
        "spec": {},
        "status": {
            "allocatable": allocatable,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(name, cpu="1", priority=0, node=None, group="", minimum=0, policy="Never", **requests):
    annotations = {}
    if group:
        annotations["scheduling.k8s.io/group-name"] = group
        annotations["scheduling.volcano.sh/group-min-member"] = str(minimum)
    requests = {"cpu": cpu, "memory": "1Mi", **requests}
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": name,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "resourceVersion": str(next(_versions)),
            "annotations": annotations,
        },
        "spec": {
            "containers": [{"name": "c", "resources": {"requests": requests}}],
            "restartPolicy": policy,
            "priority": priority,
            **({"nodeName": node} if node else {}),
        },
        "status": {"phase": "Pending"},
    }


def cluster(*nodes):
    state = State()
    for each in nodes or (node(),):
        state.take_node(each, gone=False)
    return state


def see(state, *pods):
    for each in pods:
        state.take_pod(each, gone=False)


def bound(state, now=0.0):
    return [info.name for info in make_plan(state, now).bound]


def end(state, each):
    state.take_pod({**each, "status": {"phase": "Succeeded"}}, gone=False)


def test_the_more_important_pod_goes_first_and_then_the_older_one() -> None:
    state = cluster(node(cpu="1"))
    see(state, pod("old"), pod("young"), pod("important", priority=1))
    order = []
    for _ in range(3):
        order += bound(state)
        end(state, pod(order[-1]))
    assert order == ["important", "old", "young"]


def test_a_small_pod_passes_a_large_one_that_does_not_fit() -> None:
    state = cluster(node(cpu="4"))
    see(state, pod("runs", cpu="3", node="node"), pod("large", cpu="2"), pod("small"))
    assert bound(state) == ["small"]


def test_a_gang_is_not_passed_by_for_ever() -> None:
    state = cluster(node(cpu="2"))
    see(state, pod("runs", cpu="1", node="node"))
    see(state, pod("g0", group="g", minimum=2), pod("g1", group="g", minimum=2))
    started = 0
    while True:
        see(state, pod(f"small{started}"))
        names = bound(state)
        if not names:
            break
        end(state, pod(names[0]))
        started += 1
    assert started == PASSED_MOST
    waits = state.told[f"small{started}"]
    assert waits == (
        "0/1 nodes are available: 1 node(s) kept free for PodGroup default/g, which waits longer."
    )
    end(state, pod("runs"))
    assert bound(state) == ["g0", "g1"]


def test_room_is_kept_for_a_limited_time_only() -> None:
    state = cluster(node(cpu="2"))
    see(state, pod("runs", node="node"), pod("large", cpu="2"))
    for number in range(PASSED_MOST):
        see(state, pod(f"small{number}"))
        assert bound(state) == [f"small{number}"]
        end(state, pod(f"small{number}"))
    see(state, pod("late"))
    plan = make_plan(state, 100.0)
    assert (plan.bound, plan.look_again_s) == ([], HOLD_S - 100.0)
    assert bound(state, HOLD_S) == ["late"]


def test_no_room_is_kept_for_what_will_not_fit_when_the_rest_has_ended() -> None:
    state = cluster(node(cpu="2"))
    see(state, pod("server", node="node", policy="Always"), pod("large", cpu="2"))
    for number in range(PASSED_MOST + 5):
        see(state, pod(f"small{number}"))
        assert bound(state) == [f"small{number}"]
        end(state, pod(f"small{number}"))


def test_a_gang_that_has_lost_a_member_takes_in_its_replacement() -> None:
    state = cluster()
    gang = {"group": "g", "minimum": 3}
    see(state, *(pod(f"g{number}", **gang) for number in range(3)))
    assert bound(state) == ["g0", "g1", "g2"]
    end(state, pod("g0", **gang))
    state.take_pod({**pod("g1", **gang), "status": {"phase": "Failed"}}, gone=False)
    see(state, pod("g3", **gang))
    assert bound(state) == ["g3"]


def test_preemption_spares_whom_it_can() -> None:
    state = cluster(node(cpu="3"))
    see(
        state,
        pod("a", node="node", priority=1),
        pod("b", node="node", priority=2),
        pod("c", node="node", priority=9),
        pod("new", priority=5),
    )
    plan = make_plan(state, 0.0)
    assert [(victim.name, by.name) for victim, by in plan.victims] == [("a", "new")]
    assert [(info.name, where) for info, where in plan.nominated] == [("new", "node")]
    # The room that becomes free is not for whoever comes first.
    see(state, pod("later", priority=4))
    assert make_plan(state, 0.0).bound == []
    state.take_pod(pod("a"), gone=True)
    assert bound(state) == ["new"]


def test_a_gang_preempts_as_a_whole_or_not_at_all() -> None:
    state = cluster(node(cpu="2"))
    see(state, pod("a", node="node"), pod("b", node="node", priority=9))
    gang = {"group": "g", "minimum": 2, "priority": 5}
    see(state, pod("g0", **gang), pod("g1", **gang))
    assert make_plan(state, 0.0).victims == []


def test_a_gpu_has_one_holder() -> None:
    state = cluster(node(gpus="GPU-a,GPU-b,GPU-c"))
    ask = {"nvidia.com/gpu": "2"}
    see(state, pod("one", **ask), pod("two", **ask), pod("three", **{"nvidia.com/gpu": "1"}))
    held = {info.name: info.gpus for info in make_plan(state, 0.0).bound}
    assert held == {"one": ("GPU-a", "GPU-b"), "three": ("GPU-c",)}
    end(state, pod("one"))
    assert [info.gpus for info in make_plan(state, 0.0).bound] == [("GPU-a", "GPU-b")]


def test_devices_are_known_again_from_the_pods_that_hold_them() -> None:
    state = State()
    holder = pod("holder", node="node", **{"nvidia.com/gpu": "1"})
    holder["metadata"]["annotations"][GPUS_ANNOTATION] = "GPU-b"
    cheat = pod("cheat", node="node")
    cheat["metadata"]["annotations"][GPUS_ANNOTATION] = "GPU-a"
    see(state, holder, cheat, pod("new", **{"nvidia.com/gpu": "1"}))
    state.take_node(node(gpus="GPU-b,GPU-a"), gone=False)
    assert [info.gpus for info in make_plan(state, 0.0).bound] == [("GPU-a",)]


def test_an_event_from_before_a_decision_does_not_undo_it() -> None:
    state = cluster()
    see(state, pod("one"))
    assert bound(state) == ["one"]
    see(state, pod("one"))  # a label was changed before it was bound
    assert bound(state) == []


def test_two_nodes_are_counted_in_the_words() -> None:
    state = cluster(node("a", cpu="1"), node("b", cpu="1"))
    see(state, pod("one", cpu="2"))
    make_plan(state, 0.0)
    assert state.told["one"].startswith("0/2 nodes are available: 2 Insufficient cpu. preemption:")


def test_requests_are_those_of_the_fullest_moment_of_a_pod() -> None:
    def container(cpu, **more):
        return {"resources": {"requests": {"cpu": cpu, "memory": "0"}}, **more}

    spec = {
        "initContainers": [
            container("5"),
            container("1", restartPolicy="Always"),
            container("7"),
        ],
        "containers": [container("2"), container("3")],
        "overhead": {"cpu": "100m"},
    }
    assert pod_requests(spec)["cpu"] == Decimal("8.1")
