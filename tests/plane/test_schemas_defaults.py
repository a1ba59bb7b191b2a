"""The API server's defaults, for built-in kinds and by the schemas of custom resources."""

from __future__ import annotations

import copy

import pytest

from fairlead_plane.resources import Kind
from fairlead_plane.resources.schemas import builtin_schema, crd_schema
from fairlead_plane.resources.schemas.defaults import apply_defaults

TEMPLATE = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "main", "image": "python:3.11"}]},
}


def filled(api_version, kind, schema=None, **content):
    """An object of a kind with its defaults."""
    group, _, version = api_version.rpartition("/")
    obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "uid": "u-1"}}
    obj |= copy.deepcopy(content)
    found = schema or builtin_schema(api_version, kind)
    apply_defaults(Kind(group, version, kind, f"{kind.lower()}s", True), obj, found)
    return obj


def test_a_container_gets_what_the_api_server_gives_it():
    container = {
        "name": "main",
        "image": "python",
        "ports": [{"containerPort": 80}],
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "livenessProbe": {"httpGet": {"port": 80}},
        "resources": {"limits": {"cpu": "1"}},
    }
    pod = filled("v1", "Pod", spec={"containers": [container]})
    assert pod["spec"] == {
        "containers": [
            {
                "name": "main",
                "image": "python",
                "imagePullPolicy": "Always",
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "env": [
                    {
                        "name": "A",
                        "valueFrom": {
                            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}
                        },
                    }
                ],
                "livenessProbe": {
                    "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
                    "timeoutSeconds": 1,
                    "periodSeconds": 10,
                    "successThreshold": 1,
                    "failureThreshold": 3,
                },
                "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("python", "Always"),
        ("python:latest", "Always"),
        ("localhost:5000/python", "Always"),
        ("python:3.11", "IfNotPresent"),
        ("localhost:5000/python:3.11", "IfNotPresent"),
        (f"python@sha256:{'0' * 64}", "IfNotPresent"),
    ],
)
def test_an_image_is_pulled_always_only_without_a_fixed_tag(image, policy):
    pod = filled("v1", "Pod", spec={"containers": [{"name": "main", "image": image}]})
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_volumes_get_their_modes_and_one_without_a_source_is_empty():
    volumes = [
        {"name": "a"},
        {"name": "b", "configMap": {"name": "x"}},
        {"name": "c", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        {"name": "d", "hostPath": {"path": "/"}},
    ]
    pod = filled("v1", "Pod", spec={"containers": [], "volumes": volumes})
    assert pod["spec"]["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "configMap": {"name": "x", "defaultMode": 420}},
        {
            "name": "c",
            "projected": {
                "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
                "defaultMode": 420,
            },
        },
        {"name": "d", "hostPath": {"path": "/", "type": ""}},
    ]


def test_a_deployment_rolls_by_a_quarter_and_its_template_gets_no_requests():
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    spec = filled("apps/v1", "Deployment", spec={"template": template})["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    assert spec["template"]["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}}
    assert spec["template"]["spec"]["restartPolicy"] == "Always"
    recreate = filled("apps/v1", "Deployment", spec={"strategy": {"type": "Recreate"}})
    assert recreate["spec"]["strategy"] == {"type": "Recreate"}


def test_a_job_selects_its_own_pods_by_labels_of_both_names():
    job = filled("batch/v1", "Job", spec={"template": TEMPLATE})
    labels = {
        "a": "b",
        "controller-uid": "u-1",
        "batch.kubernetes.io/controller-uid": "u-1",
        "job-name": "x",
        "batch.kubernetes.io/job-name": "x",
    }
    assert job["metadata"]["labels"] == job["spec"]["template"]["metadata"]["labels"] == labels
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u-1"}}
    fields = ("completions", "parallelism", "backoffLimit", "completionMode", "suspend")
    assert [job["spec"][field] for field in fields] == [1, 1, 6, "NonIndexed", False]
    parallel = filled("batch/v1", "Job", spec={"template": TEMPLATE, "parallelism": 3})
    assert "completions" not in parallel["spec"]


def test_a_service_targets_the_port_it_has():
    service = filled(
        "v1", "Service", spec={"ports": [{"port": 80}, {"port": 81, "targetPort": "x"}]}
    )
    assert service["spec"]["ports"] == [
        {"port": 80, "targetPort": 80, "protocol": "TCP"},
        {"port": 81, "targetPort": "x", "protocol": "TCP"},
    ]
    assert service["spec"]["type"] == "ClusterIP"


def test_defaults_are_the_same_when_they_are_applied_again():
    once = filled("batch/v1", "Job", spec={"template": TEMPLATE})
    again = copy.deepcopy(once)
    apply_defaults(
        Kind("batch", "v1", "Job", "jobs", True), again, builtin_schema("batch/v1", "Job")
    )
    assert again == once


def test_defaults_of_a_custom_resource_reach_into_lists_and_maps():
    item = {"type": "object", "properties": {"port": {"type": "integer", "default": 80}}}
    schema = crd_schema(
        {
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "default": {},
                    "properties": {
                        "size": {"type": "integer", "default": 3},
                        "given": {"type": "string", "default": "no"},
                        "null": {"type": "string", "default": "x"},
                        "nullable": {"type": "string", "default": "x", "nullable": True},
                        "list": {"type": "array", "items": item},
                        "map": {"type": "object", "additionalProperties": item},
                        "absent": item,
                    },
                },
            },
        }
    )
    assert filled("g.io/v1", "Thing", schema)["spec"]["size"] == 3
    spec = {"given": "yes", "null": None, "nullable": None, "list": [{}], "map": {"a": {}}}
    assert filled("g.io/v1", "Thing", schema, spec=spec)["spec"] == {
        "size": 3,
        "given": "yes",
        "null": "x",
        "nullable": None,
        "list": [{"port": 80}],
        "map": {"a": {"port": 80}},
    }
    assert schema.field("spec").default == {}
