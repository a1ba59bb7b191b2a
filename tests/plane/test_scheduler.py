"""The scheduler, through the stock client."""

from __future__ import annotations

import json

import pytest
from kubernetes import client
from kubernetes.client import ApiException

SLEEP = "import time; time.sleep(1000)"


def asks(**requests):
    # What is not shared needs a limit as well.
    limits = {name: amount for name, amount in requests.items() if name not in ("cpu", "memory")}
    return {"container": {"resources": {"requests": requests, "limits": limits}}}


def scheduled(pod):
    """The condition PodScheduled of a pod, or None."""
    return next((each for each in pod.status.conditions or () if each.type == "PodScheduled"), None)


def reason(pods, name):
    """Why a pod waits, once its status says so."""
    pod = pods.wait(name, lambda pod: scheduled(pod) is not None)
    condition = scheduled(pod)
    assert (pod.status.phase, condition.status) == ("Pending", "False")
    return condition.message


NOT_HELPFUL = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
NO_VICTIMS = " preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            asks(cpu="10000", memory="1Pi"),
            f"1 Insufficient cpu, 1 Insufficient memory.{NO_VICTIMS}",
        ),
        (asks(**{"nvidia.com/gpu": "1000"}), f"1 Insufficient nvidia.com/gpu.{NO_VICTIMS}"),
        (asks(**{"hugepages-2Mi": "1Pi"}), f"1 Insufficient hugepages-2Mi.{NO_VICTIMS}"),
        (
            {"nodeSelector": {"zone": "moon"}},
            f"1 node(s) didn't match Pod's node affinity/selector.{NOT_HELPFUL}",
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}
                            ]
                        }
                    }
                }
            },
            f"1 node(s) didn't match Pod's node affinity/selector.{NOT_HELPFUL}",
        ),
    ],
    ids=["cpu and memory", "gpu", "huge pages", "selector", "affinity"],
)
def test_a_pod_that_cannot_start_says_why_in_the_words_of_the_real_scheduler(
    pods, spec, words
) -> None:
    pods.create("pod", **spec)
    message = f"0/1 nodes are available: {words}"
    assert reason(pods, "pod") == message
    events = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod"
    )
    assert [(each.reason, each.message) for each in events.items] == [("FailedScheduling", message)]


def test_a_node_that_matches_its_selector_and_affinity_takes_the_pod(pods) -> None:
    terms = [
        {
            "matchExpressions": [
                {"key": "kubernetes.io/os", "operator": "In", "values": ["linux", "darwin"]}
            ]
        }
    ]
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    name = pods.core.list_node().items[0].metadata.name
    pods.run(
        "pod",
        nodeSelector={"kubernetes.io/hostname": name},
        affinity={"nodeAffinity": affinity},
        schedulerName="volcano",
    )


def test_init_containers_count_by_their_largest(pods) -> None:
    big = {"name": "big", "image": "i", "command": ["true"]}
    big["resources"] = {"requests": {"cpu": "5000"}}
    pods.create("pod", initContainers=[big])
    assert reason(pods, "pod").startswith("0/1 nodes are available: 1 Insufficient cpu.")


def test_a_tainted_node_takes_only_who_tolerates_it(own_plane) -> None:
    pods = own_plane.pods()
    node = pods.core.list_node().items[0].metadata.name
    taint = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
    pods.core.patch_node(node, {"spec": {"taints": [taint]}})
    pods.create("out")
    assert reason(pods, "out") == (
        "0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}." + NOT_HELPFUL
    )
    pods.run("in", tolerations=[{"key": "dedicated", "operator": "Exists"}])
    pods.core.patch_node(node, {"spec": {"taints": None, "unschedulable": True}})
    pods.wait("out", lambda pod: "unschedulable" in scheduled(pod).message)
    pods.core.patch_node(node, {"spec": {"unschedulable": None}})
    assert pods.wait_ended("out").status.phase == "Succeeded"


def test_a_gated_pod_waits_until_its_gates_are_taken_off(pods) -> None:
    pods.create("pod", schedulingGates=[{"name": "example.com/wait"}])
    pod = pods.get("pod")
    assert (scheduled(pod).reason, scheduled(pod).message) == (
        "SchedulingGated",
        "Scheduling is blocked due to non-empty scheduling gates",
    )
    pods.run("other")  # a pass of the scheduler has gone over it
    assert pods.get("pod").spec.node_name is None
    pods.core.patch_namespaced_pod(
        "pod", pods.namespace, [{"op": "remove", "path": "/spec/schedulingGates"}]
    )
    assert pods.wait_ended("pod").status.phase == "Succeeded"


def test_a_pod_that_names_its_node_is_not_scheduled(pods) -> None:
    pods.run("pod", nodeName=pods.core.list_node().items[0].metadata.name)
    events = pods.core.list_namespaced_event(pods.namespace).items
    assert "Scheduled" not in [event.reason for event in events]


@pytest.fixture
def classes(shared_plane, namespace):
    """Two priority classes of this test's own: their names, by what they are."""
    api = client.SchedulingV1Api(shared_plane.api())
    names = {}
    for kind, value in (("low", 10), ("high", 1000)):
        name = f"{namespace}-{kind}"
        api.create_priority_class({"metadata": {"name": name}, "value": value})
        names[kind] = name
    yield names
    for name in names.values():
        api.delete_priority_class(name)


def test_a_priority_class_gives_a_pod_its_number(pods, classes) -> None:
    pod = pods.create("pod", priorityClassName=classes["high"])
    assert (pod.spec.priority, pod.spec.preemption_policy) == (1000, "PreemptLowerPriority")
    assert pods.create("plain").spec.priority == 0
    assert pods.create("system", priorityClassName="system-node-critical").spec.priority > 2e9


def test_a_priority_class_that_is_not_there_is_named(pods) -> None:
    with pytest.raises(ApiException) as refused:
        pods.create("pod", priorityClassName="no-such")
    assert refused.value.status == 403
    assert json.loads(refused.value.body)["message"] == (
        'pods "pod" is forbidden: no PriorityClass with name no-such was found'
    )


def test_a_pod_of_higher_priority_makes_another_go(own_plane) -> None:
    pods = own_plane.pods()
    scheduling = client.SchedulingV1Api(own_plane.api())
    scheduling.create_priority_class({"metadata": {"name": "high"}, "value": 5})
    scheduling.create_priority_class(
        {"metadata": {"name": "polite"}, "value": 5, "preemptionPolicy": "Never"}
    )
    cpus = pods.core.list_node().items[0].status.allocatable["cpu"]
    victim = pods.create("victim", SLEEP, terminationGracePeriodSeconds=2, **asks(cpu=cpus))
    version = pods.wait_running("victim").metadata.resource_version
    pods.create("polite", priorityClassName="polite", **asks(cpu=cpus))
    assert reason(pods, "polite") == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        "preemption: not eligible due to preemptionPolicy=Never."
    )
    pods.core.delete_namespaced_pod("polite", "default")
    high = pods.create("high", priorityClassName="high", **asks(cpu=cpus))
    # It may be gone before we look.
    leaving = pods.wait(
        "victim", lambda pod: pod.metadata.deletion_timestamp is not None, since=version
    )
    target = next(each for each in leaving.status.conditions if each.type == "DisruptionTarget")
    assert (target.reason, target.message) == (
        "PreemptionByScheduler",
        "default-scheduler: preempting to accommodate a higher priority pod",
    )
    assert pods.wait_ended("high").status.phase == "Succeeded"
    events = pods.core.list_namespaced_event(
        "default", field_selector=f"involvedObject.uid={victim.metadata.uid}"
    )
    messages = {event.reason: event.message for event in events.items}
    node = high.spec.node_name or pods.get("high").spec.node_name
    assert messages["Preempted"] == f"Preempted by pod {high.metadata.uid} on node {node}"


def test_what_runs_is_counted_again_after_a_kill(own_plane) -> None:
    pods = own_plane.pods()
    cpus = pods.core.list_node().items[0].status.allocatable["cpu"]
    pods.create("first", SLEEP, terminationGracePeriodSeconds=0, **asks(cpu=cpus))
    pods.wait_running("first")
    pods.create("second", "print('in')", **asks(cpu=cpus))
    reason(pods, "second")
    own_plane.kill()
    own_plane.start()
    pods = own_plane.pods()
    pods.create("third", **asks(cpu=cpus))
    reason(pods, "third")
    assert pods.get("second").spec.node_name is None
    pods.core.delete_namespaced_pod("first", "default")
    assert pods.wait_ended("second").status.phase == "Succeeded"
    assert pods.wait_ended("third").status.phase == "Succeeded"


def gang(name, minimum, **requests):
    annotations = {
        "scheduling.k8s.io/group-name": name,
        "scheduling.volcano.sh/group-min-member": str(minimum),
    }
    return {"metadata": {"annotations": annotations}, **asks(**requests)}


def test_a_gang_waits_for_its_last_member_and_starts_as_one(pods) -> None:
    for name in ("a", "b"):
        pods.create(name, **gang("gang", 3, cpu="1m"))
    assert reason(pods, "b") == (
        "0/1 nodes are available: pre-filter pod b cannot find enough sibling pods, "
        "current pods number: 2, minMember of group: 3."
    )
    pods.run("alone")
    assert [pods.get(name).spec.node_name for name in ("a", "b")] == [None, None]
    pods.create("c", **gang("gang", 3, cpu="1m"))
    for name in ("a", "b", "c"):
        assert pods.wait_ended(name).status.phase == "Succeeded"


def test_a_gang_that_does_not_fit_starts_no_member(pods) -> None:
    pods.create("a", **gang("gang", 2, cpu="1m"))
    pods.create("b", **gang("gang", 2, cpu="5000"))
    pods.wait("a", lambda pod: scheduled(pod) and "PodGroup" in scheduled(pod).message)
    pods.run("small")
    assert pods.get("a").spec.node_name is None
    assert scheduled(pods.get("a")).message == (
        f"0/1 nodes are available: PodGroup {pods.namespace}/gang gets rejected due to Pod b is "
        "unschedulable even after PostFilter."
    )


@pytest.fixture
def pod_groups(shared_plane):
    """The kind PodGroup of Volcano, as far as a scheduler reads it."""
    api = client.ApiextensionsV1Api(shared_plane.api())
    name = "podgroups.scheduling.volcano.sh"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1beta1", "served": True, "storage": True}
    version["schema"] = {"openAPIV3Schema": schema}
    names = {"kind": "PodGroup", "plural": "podgroups"}
    spec = {"group": "scheduling.volcano.sh", "scope": "Namespaced", "names": names}
    api.create_custom_resource_definition(
        {"metadata": {"name": name}, "spec": {**spec, "versions": [version]}}
    )
    yield client.CustomObjectsApi(shared_plane.api())
    api.delete_custom_resource_definition(name)


def test_a_pod_group_says_how_many_start_together(pods, pod_groups) -> None:
    mark = {"metadata": {"annotations": {"scheduling.k8s.io/group-name": "gang"}}}
    pods.create("a", **mark)
    group = f"PodGroup {pods.namespace}/gang"
    assert reason(pods, "a") == f"0/1 nodes are available: {group} not found."
    pod_groups.create_namespaced_custom_object(
        "scheduling.volcano.sh",
        "v1beta1",
        pods.namespace,
        "podgroups",
        {
            "apiVersion": "scheduling.volcano.sh/v1beta1",
            "kind": "PodGroup",
            "metadata": {"name": "gang"},
            "spec": {"minMember": 2},
        },
    )
    pods.wait("a", lambda pod: "minMember of group: 2" in scheduled(pod).message)
    assert pods.get("a").spec.node_name is None
    pods.create("b", **mark)
    for name in ("a", "b"):
        assert pods.wait_ended(name).status.phase == "Succeeded"
