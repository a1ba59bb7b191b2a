"""Init containers, sidecars and several containers: the order of a pod's life."""

from __future__ import annotations

import json

import pytest
from kubernetes.client import ApiException

IMAGE = "python:3.11"


def shell(name: str, script: str, **more):
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], **more}


def sidecar(name: str, script: str, **more):
    return shell(name, script, restartPolicy="Always", **more)


# Says when it is asked to end, in a file that all containers of the pod share, and then ends.
LISTENS = (
    'trap \'echo "$NAME asked" >> "$TMPDIR/order"; sleep 0.2;'
    ' echo "$NAME gone" >> "$TMPDIR/order"; exit 0\' TERM; '
    'echo "$NAME up" >> "$TMPDIR/order"; '
    "while true; do sleep 0.05; done"
)


def named(name: str):
    return {"env": [{"name": "NAME", "value": name}]}


def conditions(pod):
    return {each.type: (each.status, each.reason, each.message) for each in pod.status.conditions}


def test_init_containers_run_one_after_the_other_before_the_main_ones(pods) -> None:
    init = [shell(name, f'sleep 0.1; echo {name} >> "$TMPDIR/order"') for name in ("one", "two")]
    pod = pods.run(
        "pod", "import os; print(open(os.environ['TMPDIR'] + '/order').read())", initContainers=init
    )
    assert pods.log("pod") == "one\ntwo\n\n"
    assert pod.status.phase == "Succeeded"
    states = pod.status.init_container_statuses
    assert [(each.name, each.ready, each.state.terminated.reason) for each in states] == [
        ("one", True, "Completed"),
        ("two", True, "Completed"),
    ]
    assert conditions(pod)["Initialized"] == ("True", "PodCompleted", None)


def test_while_init_containers_run_the_pod_is_pending_as_a_kubelet_says_it(pods) -> None:
    pods.create("pod", initContainers=[shell("first", "true"), shell("slow", "sleep 1000")])
    pod = pods.wait(
        "pod",
        lambda pod: (
            (pod.status.init_container_statuses or [None, None])[1] is not None
            and pod.status.init_container_statuses[1].state.running
        ),
    )
    assert pod.status.phase == "Pending"
    first, slow = pod.status.init_container_statuses
    assert (first.ready, slow.ready) == (True, False)
    assert pod.status.container_statuses[0].state.waiting.reason == "PodInitializing"
    seen = conditions(pod)
    assert seen["Initialized"] == (
        "False",
        "ContainersNotInitialized",
        "containers with incomplete status: [slow]",
    )
    assert seen["Ready"] == (
        "False",
        "ContainersNotReady",
        "containers with unready status: [main]",
    )
    assert seen["PodReadyToStartContainers"][0] == "True"
    with pytest.raises(ApiException) as refused:
        pods.log("pod")
    assert json.loads(refused.value.body)["message"] == (
        'container "main" in pod "pod" is waiting to start: PodInitializing'
    )


def test_a_failed_init_container_fails_a_pod_that_is_never_restarted(pods) -> None:
    pod = pods.run("pod", initContainers=[shell("bad", "echo why; exit 3"), shell("next", "true")])
    assert pod.status.phase == "Failed"
    bad, after = pod.status.init_container_statuses
    assert (bad.state.terminated.exit_code, bad.ready) == (3, False)
    assert after.state.waiting.reason == "PodInitializing"
    assert pod.status.container_statuses[0].state.waiting.reason == "PodInitializing"
    assert conditions(pod)["Initialized"][1:] == (
        "ContainersNotInitialized",
        "containers with incomplete status: [bad next]",
    )
    assert conditions(pod)["Ready"] == ("False", "PodFailed", None)
    assert pods.log("pod", container="bad") == "why\n"


@pytest.mark.parametrize("policy", ["OnFailure", "Always"])
def test_a_failed_init_container_is_tried_again(pods, policy) -> None:
    script = 'echo try; test -e "$TMPDIR/seen" || { touch "$TMPDIR/seen"; exit 1; }'
    pods.create(
        "pod",
        "import time; time.sleep(1000)",
        restartPolicy=policy,
        initContainers=[shell("bad", script)],
    )
    pod = pods.wait_running("pod")
    bad = pod.status.init_container_statuses[0]
    assert (bad.restart_count, bad.ready, bad.state.terminated.exit_code) == (1, True, 0)
    assert bad.last_state.terminated.exit_code == 1


def test_an_init_container_that_goes_on_failing_is_held_back(pods) -> None:
    pods.create("pod", restartPolicy="OnFailure", initContainers=[shell("bad", "exit 1")])
    pod = pods.wait(
        "pod",
        lambda pod: (
            pod.status.init_container_statuses
            and pod.status.init_container_statuses[0].state.waiting
            and pod.status.init_container_statuses[0].state.waiting.reason == "CrashLoopBackOff"
        ),
    )
    assert pod.status.phase == "Pending"
    assert pod.status.init_container_statuses[0].restart_count == 1


def test_a_sidecar_runs_beside_the_main_container_and_does_not_count(pods) -> None:
    source = (
        "import os, time\n"
        "while not os.path.exists(os.environ['TMPDIR'] + '/beat'): time.sleep(0.02)\n"
        "print('heard')"
    )
    beat = 'while true; do touch "$TMPDIR/beat"; sleep 0.05; done'
    pod = pods.run("pod", source, initContainers=[sidecar("beat", beat)])
    assert (pod.status.phase, pods.log("pod")) == ("Succeeded", "heard\n")
    ended = pod.status.init_container_statuses[0].state.terminated
    assert ended.exit_code != 0


def test_sidecars_end_in_reverse_order_after_the_main_container(
    shared_plane, pods, tmp_path
) -> None:
    order = tmp_path / "order"
    env = [{"name": "TMPDIR", "value": str(tmp_path)}]
    init = [
        sidecar(name, LISTENS, env=[*env, {"name": "NAME", "value": name}]) for name in ("a", "b")
    ]
    main = shell("main", LISTENS, env=[*env, {"name": "NAME", "value": "main"}])
    pods.create("pod", container=main, initContainers=init)
    pods.wait_running("pod")
    # A sidecar has started when it has a process, which may not have said so yet.
    shared_plane.wait_for(
        lambda: order.exists() and order.read_text().count(" up\n") == 3, "all are up"
    )
    pods.core.delete_namespaced_pod("pod", pods.namespace)
    shared_plane.wait_for(lambda: "a gone" in order.read_text(), "a is gone")
    assert order.read_text().split("\n")[3:-1] == [
        f"{name} {what}" for name in ("main", "b", "a") for what in ("asked", "gone")
    ]
    events = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod,reason=Killing"
    )
    assert sorted((each.message, each.involved_object.field_path) for each in events.items) == [
        ("Stopping container a", "spec.initContainers{a}"),
        ("Stopping container b", "spec.initContainers{b}"),
        ("Stopping container main", "spec.containers{main}"),
    ]


def test_a_sidecar_that_ends_is_started_again_also_in_a_pod_that_is_never_restarted(pods) -> None:
    pods.create(
        "pod", "import time; time.sleep(1000)", initContainers=[sidecar("brief", "sleep 0.2")]
    )
    pod = pods.wait(
        "pod",
        lambda pod: (
            (pod.status.init_container_statuses or [None])[0]
            and pod.status.init_container_statuses[0].restart_count == 1
            and pod.status.container_statuses[0].state.running
        ),
    )
    assert pod.status.phase == "Running"


def test_each_container_of_a_pod_has_its_own_log_and_restarts(shared_plane, pods) -> None:
    again = 'echo try; test -e "$TMPDIR/seen" || { touch "$TMPDIR/seen"; exit 1; }; sleep 1000'
    containers = [shell("steady", "echo steady; sleep 1000"), shell("again", again)]
    init = [shell("before", "echo before")]
    pods.create("pod", containers=containers, initContainers=init, restartPolicy="OnFailure")
    pod = pods.wait(
        "pod",
        lambda pod: (
            pod.status.container_statuses
            and pod.status.container_statuses[0].state.running
            and pod.status.container_statuses[1].restart_count == 1
            and pod.status.container_statuses[1].state.running
        ),
    )
    shared_plane.wait_for(lambda: pods.log("pod", container="steady"), "the steady one speaks")
    assert [each.restart_count for each in pod.status.container_statuses] == [0, 1]
    assert pods.log("pod", container="before") == "before\n"
    assert pods.log("pod", container="steady") == "steady\n"
    assert pods.log("pod", container="again", previous=True) == "try\n"
    for asked, message in (
        (
            {},
            "a container name must be specified for pod pod, choose one of: [steady again] "
            "or one of the init containers: [before]",
        ),
        ({"container": "other"}, "container other is not valid for pod pod"),
        (
            {"container": "steady", "previous": True},
            'previous terminated container "steady" in pod "pod" not found',
        ),
    ):
        with pytest.raises(ApiException) as refused:
            pods.log("pod", **asked)
        assert json.loads(refused.value.body)["message"] == message


def test_a_pod_deleted_while_it_initializes_starts_nothing_more(shared_plane, pods) -> None:
    pods.create(
        "pod",
        initContainers=[shell("slow", "sleep 1000"), shell("next", "true")],
        terminationGracePeriodSeconds=1,
    )
    pods.wait(
        "pod",
        lambda pod: (
            pod.status.init_container_statuses
            and pod.status.init_container_statuses[0].state.running
        ),
    )
    pods.core.delete_namespaced_pod("pod", pods.namespace)
    shared_plane.wait_for(
        lambda: pods.core.list_namespaced_pod(pods.namespace).items == [], "the pod stays"
    )


def test_another_image_restarts_a_container_also_in_a_pod_that_is_never_restarted(pods) -> None:
    pods.create("pod", "import time; time.sleep(1000)")
    pods.wait_running("pod")
    image = {"spec": {"containers": [{"name": "main", "image": "python:3.12"}]}}
    pods.core.patch_namespaced_pod("pod", pods.namespace, image)
    pod = pods.wait(
        "pod",
        lambda pod: (
            pod.status.container_statuses[0].restart_count == 1
            and pod.status.container_statuses[0].state.running
        ),
    )
    assert pod.status.container_statuses[0].image == "python:3.12"
    [event] = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod,reason=Killing"
    ).items
    assert event.message == "Container main definition changed, will be restarted"


def test_an_ended_pod_with_a_finalizer_keeps_its_status_while_it_is_deleted(pods) -> None:
    pods.run("pod", "raise SystemExit(3)", metadata={"finalizers": ["example.org/hold"]})
    before = pods.get("pod").status
    pods.core.delete_namespaced_pod("pod", pods.namespace)
    pod = pods.get("pod")
    assert pod.metadata.deletion_timestamp is not None
    assert pod.status == before
    pods.core.patch_namespaced_pod("pod", pods.namespace, {"metadata": {"finalizers": None}})
    assert pods.core.list_namespaced_pod(pods.namespace).items == []
