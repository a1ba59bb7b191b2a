"""Fields that this node cannot honour are refused or said, and never dropped in silence."""

from __future__ import annotations

import json
import os

import pytest
from kubernetes.client import ApiException


def notices(pods, name: str) -> list[str]:
    found = pods.core.list_namespaced_event(
        pods.namespace, field_selector=f"involvedObject.name={name},reason=NotHonoured"
    )
    return [each.message for each in found.items]


def test_a_pod_that_asks_for_nothing_special_gets_no_notice(pods) -> None:
    context = {"runAsUser": os.getuid(), "runAsGroup": os.getgid()}
    pods.run("pod", hostNetwork=True, hostPID=True, securityContext=context)
    assert notices(pods, "pod") == []


def test_fields_without_effect_are_said_in_one_event(pods) -> None:
    other = os.getuid() + 1000
    pod = pods.run(
        "pod",
        securityContext={"fsGroup": other},
        shareProcessNamespace=True,
        container={
            "securityContext": {"runAsUser": other, "readOnlyRootFilesystem": True},
            "resources": {"limits": {"ephemeral-storage": "1Gi"}},
        },
    )
    assert pod.status.phase == "Succeeded"
    [text] = notices(pods, "pod")
    for part in (
        f"spec.securityContext.fsGroup {other}",
        "spec.shareProcessNamespace",
        f"spec.containers[main].securityContext.runAsUser {other} (processes run as {os.getuid()})",
        "spec.containers[main].securityContext.readOnlyRootFilesystem",
        "spec.containers[main].resources.limits.ephemeral-storage",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (
            {"securityContext": {"sysctls": [{"name": "a.b", "value": "1"}]}},
            "spec.securityContext.sysctls",
        ),
        ({"runtimeClassName": "gvisor"}, 'spec.runtimeClassName "gvisor"'),
    ],
    ids=["sysctls", "runtime class"],
)
def test_what_can_never_be_had_here_fails_the_container(pods, spec, field) -> None:
    pod = pods.run("pod", **spec)
    ended = pod.status.container_statuses[0].state.terminated
    assert ended.message.startswith(f"{field} is not supported by this control plane: ")


@pytest.mark.skipif(os.getuid() != 0, reason="nothing to say where it is so")
def test_a_pod_that_must_not_run_as_root_is_told_that_it_does(pods) -> None:
    pods.run("pod", securityContext={"runAsNonRoot": True})
    [text] = notices(pods, "pod")
    assert "spec.securityContext.runAsNonRoot (processes run as root" in text


def test_a_pod_has_the_host_name_that_it_asks_for(pods) -> None:
    assert pods.output("pod", "import os; print(os.environ['HOSTNAME'])", hostname="h") == "h\n"


def test_ephemeral_containers_are_refused(pods) -> None:
    pods.create("pod", "import time; time.sleep(1000)")
    body = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}
    with pytest.raises(ApiException) as refused:
        pods.core.patch_namespaced_pod_ephemeralcontainers("pod", pods.namespace, body)
    status = json.loads(refused.value.body)
    # By the empty details kubectl tells this from a pod that is missing.
    assert (refused.value.status, status["reason"], status["details"]) == (404, "NotFound", {})
