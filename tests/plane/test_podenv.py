"""The variables of a container, as on a cluster."""

from __future__ import annotations

import base64
import json

import pytest

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


def state_of(pod):
    return pod.status.container_statuses[0].state


def seen_env(pods, *, env=(), env_from=(), **spec):
    container = {"env": list(env), "envFrom": list(env_from), **spec.pop("container", {})}
    return json.loads(pods.output("pod", SHOW, container=container, **spec))


def from_source(name, **source):
    return {"name": name, "valueFrom": source}


@pytest.fixture
def sources(pods):
    """A ConfigMap and a Secret, both called `things`."""
    pods.core.create_namespaced_config_map(
        pods.namespace, {"metadata": {"name": "things"}, "data": {"color": "red", "size": "9"}}
    )
    secret = {"token": "s3cret", "raw": base64.b64encode(b"\xff\xfe").decode()}
    pods.core.create_namespaced_secret(
        pods.namespace,
        {
            "metadata": {"name": "things"},
            "stringData": {"token": secret["token"]},
            "data": {"raw": secret["raw"]},
        },
    )


def test_values_come_from_config_maps_and_secrets(pods, sources) -> None:
    env = [
        from_source("COLOR", configMapKeyRef={"name": "things", "key": "color"}),
        from_source("TOKEN", secretKeyRef={"name": "things", "key": "token"}),
        {"name": "BOTH", "value": "$(COLOR)-$(TOKEN)-$(P_size)"},
        from_source("NO_KEY", configMapKeyRef={"name": "things", "key": "x", "optional": True}),
        from_source("NO_MAP", configMapKeyRef={"name": "none", "key": "x", "optional": True}),
        from_source("NO_SECRET", secretKeyRef={"name": "none", "key": "x", "optional": True}),
    ]
    env_from = [
        {"prefix": "P_", "configMapRef": {"name": "things"}},
        {"secretRef": {"name": "things"}},
        {"secretRef": {"name": "none", "optional": True}},
    ]
    seen = seen_env(pods, env=env, env_from=env_from)
    assert (seen["COLOR"], seen["TOKEN"], seen["BOTH"]) == ("red", "s3cret", "red-s3cret-9")
    assert (seen["P_color"], seen["P_size"], seen["token"]) == ("red", "9", "s3cret")
    assert seen["raw"] == "\udcff\udcfe"
    assert not {"NO_KEY", "NO_MAP", "NO_SECRET", "color"} & set(seen)


def test_a_variable_of_its_own_goes_before_one_of_a_whole_map(pods, sources) -> None:
    seen = seen_env(
        pods,
        env=[{"name": "color", "value": "blue"}],
        env_from=[{"configMapRef": {"name": "things"}}],
    )
    assert seen["color"] == "blue"


def test_the_downward_api_tells_a_container_who_it_is(pods) -> None:
    paths = {
        "NAME": "metadata.name",
        "NAMESPACE": "metadata.namespace",
        "UID": "metadata.uid",
        "LABEL": "metadata.labels['app.kubernetes.io/part']",
        "ANNOTATION": "metadata.annotations['note']",
        "NOTHING": "metadata.labels['none']",
        "NODE": "spec.nodeName",
        "ACCOUNT": "spec.serviceAccountName",
        "HOST_IP": "status.hostIP",
        "POD_IP": "status.podIP",
        "POD_IPS": "status.podIPs",
    }
    seen = seen_env(
        pods,
        env=[from_source(name, fieldRef={"fieldPath": path}) for name, path in paths.items()],
        metadata={"labels": {"app.kubernetes.io/part": "p"}, "annotations": {"note": "n"}},
    )
    pod = pods.get("pod")
    assert {name: seen[name] for name in paths} == {
        "NAME": "pod",
        "NAMESPACE": pods.namespace,
        "UID": pod.metadata.uid,
        "LABEL": "p",
        "ANNOTATION": "n",
        "NOTHING": "",
        "NODE": pod.spec.node_name,
        "ACCOUNT": "default",
        "HOST_IP": "127.0.0.1",
        "POD_IP": "127.0.0.1",
        "POD_IPS": "127.0.0.1",
    }


def test_requests_and_limits_are_told_in_the_unit_that_is_asked_for(pods) -> None:
    asked = {
        "CPU": ("limits.cpu", None),
        "MILLI": ("limits.cpu", "1m"),
        "BYTES": ("requests.memory", None),
        "MIB": ("requests.memory", "1Mi"),
        "WHOLE": ("limits.memory", "1Gi"),
        "UNSET": ("requests.ephemeral-storage", None),
    }
    env = [
        from_source(name, resourceFieldRef={"resource": what, **({"divisor": by} if by else {})})
        for name, (what, by) in asked.items()
    ]
    container = {"resources": {"requests": {"memory": "70Mi"}, "limits": {"cpu": "250m"}}}
    seen = seen_env(pods, env=env, container=container)
    whole = pods.core.list_node().items[0].status.allocatable["memory"]
    assert {name: seen[name] for name in asked} == {
        "CPU": "1",
        "MILLI": "250",
        "BYTES": str(70 << 20),
        "MIB": "70",
        "WHOLE": str(-(-int(whole.removesuffix("Ki")) // (1 << 20))),
        "UNSET": "0",
    }


def test_services_of_the_namespace_are_variables_and_so_is_the_api(pods, shared_plane) -> None:
    ports = [
        {"name": "http", "port": 80, "targetPort": 8080},
        {"name": "grpc-web", "port": 9000},
    ]
    pods.core.create_namespaced_service(
        pods.namespace, {"metadata": {"name": "my-svc"}, "spec": {"ports": ports}}
    )
    pods.core.create_namespaced_service(
        pods.namespace,
        {"metadata": {"name": "headless"}, "spec": {"clusterIP": "None", "ports": ports}},
    )
    seen = seen_env(pods, env=[{"name": "URL", "value": "http://$(MY_SVC_SERVICE_HOST)"}])
    assert (seen["KUBERNETES_SERVICE_HOST"], seen["KUBERNETES_SERVICE_PORT"]) == (
        "127.0.0.1",
        str(shared_plane.port),
    )
    # Where the pods of the service listen: there is no address in between on one machine.
    assert (seen["MY_SVC_SERVICE_HOST"], seen["MY_SVC_SERVICE_PORT"]) == ("127.0.0.1", "8080")
    assert seen["MY_SVC_SERVICE_PORT_GRPC_WEB"] == "9000"
    assert seen["MY_SVC_PORT_8080_TCP"] == "tcp://127.0.0.1:8080"
    assert seen["URL"] == "http://127.0.0.1"
    assert "HEADLESS_SERVICE_HOST" not in seen
    pods.core.delete_namespaced_pod("pod", pods.namespace)
    alone = seen_env(pods, enableServiceLinks=False)
    assert "MY_SVC_SERVICE_HOST" not in alone
    assert "KUBERNETES_SERVICE_HOST" in alone


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMapKeyRef": {"name": "late", "key": "k"}}, 'configmap "late" not found'),
        ({"secretKeyRef": {"name": "late", "key": "k"}}, 'secret "late" not found'),
    ],
    ids=["ConfigMap", "Secret"],
)
def test_a_container_waits_for_what_it_needs_in_the_words_of_the_kubelet(
    pods, source, message
) -> None:
    container = {"env": [from_source("E", **source)]}
    pods.create("pod", "import os; print(os.environ['E'])", container=container)

    def held(pod) -> bool:
        statuses = pod.status.container_statuses
        return bool(statuses) and statuses[0].state.waiting.message is not None

    waiting = state_of(pods.wait("pod", held)).waiting
    assert (waiting.reason, waiting.message) == ("CreateContainerConfigError", message)
    events = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod,type=Warning"
    )
    assert [(each.reason, each.message) for each in events.items] == [
        ("Failed", f"Error: {message}")
    ]
    made = {"metadata": {"name": "late"}, "data": {"other": base64.b64encode(b"x").decode()}}
    secret = "secretKeyRef" in source
    kind = "secret" if secret else "config_map"
    getattr(pods.core, f"create_namespaced_{kind}")(pods.namespace, made)
    key_missing = f"couldn't find key k in {'Secret' if secret else 'ConfigMap'}"
    pod = pods.wait("pod", lambda pod: key_missing in (state_of(pod).waiting.message or ""))
    assert state_of(pod).waiting.message == f"{key_missing} {pods.namespace}/late"
    value = base64.b64encode(b"here").decode() if secret else "here"
    getattr(pods.core, f"patch_namespaced_{kind}")("late", pods.namespace, {"data": {"k": value}})
    assert pods.wait_ended("pod").status.phase == "Succeeded"
    assert pods.log("pod") == "here\n"


def test_a_pod_that_waits_for_a_secret_can_be_deleted(pods, shared_plane) -> None:
    container = {"env": [from_source("E", secretKeyRef={"name": "never", "key": "k"})]}
    pods.create("pod", container=container)
    pods.wait("pod", lambda pod: bool(pod.status.container_statuses))
    pods.core.delete_namespaced_pod("pod", pods.namespace)

    def gone() -> bool:
        return pods.core.list_namespaced_pod(pods.namespace).items == []

    shared_plane.wait_for(gone, "the pod stays")
