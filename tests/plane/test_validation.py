"""Built-in kinds are validated as a real API server of 1.20 was seen to validate them."""

from __future__ import annotations

import copy

import pytest

from fairlead_plane.resources import ApiError
from fairlead_plane.resources.kinds import KINDS
from fairlead_plane.resources.schemas import builtin_schema
from fairlead_plane.resources.schemas.decode import decode
from fairlead_plane.resources.schemas.defaults import apply_defaults
from fairlead_plane.resources.validation import check

BY_NAME = {kind.kind: kind for kind in KINDS}
CONTAINER = {"name": "m", "image": "x"}
VALID = {
    "Pod": {"spec": {"containers": [CONTAINER]}},
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "PersistentVolumeClaim": {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    "PersistentVolume": {
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/x"},
        }
    },
    "ResourceQuota": {"spec": {"hard": {"cpu": "1"}}},
    "LimitRange": {"spec": {"limits": [{"type": "Container"}]}},
    "ConfigMap": {},
    "Secret": {},
    "Namespace": {},
    "PriorityClass": {"value": 1},
    "Deployment": {
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [CONTAINER]},
            },
        }
    },
    "Job": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}},
    "CronJob": {
        "spec": {
            "schedule": "*/5 0-6 1,15 jan-mar mon",
            "jobTemplate": {
                "spec": {
                    "template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}
                }
            },
        }
    },
    "Role": {"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]},
    "RoleBinding": {"roleRef": {"kind": "Role", "name": "x"}},
    "StatefulSet": {
        "spec": {
            "serviceName": "x",
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {
                    "containers": [
                        {**CONTAINER, "volumeMounts": [{"name": "data", "mountPath": "/d"}]}
                    ]
                },
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                }
            ],
        }
    },
}


def stored(name, path="", value=None):
    """An object of a kind as it is stored, with one field changed."""
    kind = BY_NAME[name]
    obj = {"apiVersion": kind.api_version, "kind": name, "metadata": {"name": "x", "uid": "u"}}
    obj |= copy.deepcopy(VALID[name])
    if path:
        at = obj
        *parents, last = path.split(".")
        for part in parents:
            at = at[int(part)] if part.isdigit() else at.setdefault(part, {})
        at[int(last) if last.isdigit() else last] = value
    obj, _ = decode(kind, obj, builtin_schema(kind.api_version, name), "Strict")
    apply_defaults(kind, obj, None)
    return kind, obj


def refusal(name, path, value):
    """What the API server says to one changed field."""
    with pytest.raises(ApiError) as found:
        check(*stored(name, path, value))
    assert (found.value.code, found.value.reason) == (422, "Invalid")
    return found.value.message.partition(" is invalid: ")[2]


@pytest.mark.parametrize("name", sorted(VALID))
def test_what_is_right_is_taken(name):
    check(*stored(name))


C = "spec.containers.0"
V = "spec.volumes"
DURING = "DuringSchedulingIgnoredDuringExecution"
MOUNTED = [{"name": "v", "mountPath": "/x"}]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (f"{C}.volumeMounts", MOUNTED, 'spec.containers[0].volumeMounts[0].name: Not found: "v"'),
        (V, [{"name": "v"}] * 2, 'spec.volumes[1].name: Duplicate value: "v"'),
        (V, [{"emptyDir": {}}], "spec.volumes[0].name: Required value"),
        (
            V,
            [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}],
            "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
        ),
        (
            V,
            [{"name": "v", "hostPath": {"path": "/a/../b"}}],
            "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
        ),
        (
            V,
            [{"name": "v", "configMap": {}}],
            "spec.volumes[0].configMap.name: Required value",
        ),
        (
            V,
            [{"name": "v", "configMap": {"name": "a", "defaultMode": 1000}}],
            "spec.volumes[0].configMap.defaultMode: Invalid value: 1000: must be a number between "
            "0 and 0777 (octal), both inclusive",
        ),
        (
            V,
            [{"name": "v", "downwardAPI": {"items": [{"path": "a"}]}}],
            "spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is "
            "required",
        ),
        (
            f"{C}.env",
            [{"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}],
            'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when '
            "`value` is not empty",
        ),
        (
            f"{C}.env",
            [{"name": "A", "valueFrom": {}}],
            'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: '
            "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        ),
        (
            f"{C}.env",
            [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}],
            'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": '
            "error converting fieldPath: field label not supported: spec.x",
        ),
        (
            f"{C}.envFrom",
            [{}],
            'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or '
            "`secretRef`",
        ),
        (
            f"{C}.ports",
            [{"containerPort": 70000}],
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 "
            "and 65535, inclusive",
        ),
        (
            f"{C}.ports",
            [{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}],
            'spec.containers[0].ports[1].name: Duplicate value: "a"',
        ),
        (
            f"{C}.livenessProbe",
            {"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}},
            "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 "
            "handler type",
        ),
        (
            f"{C}.livenessProbe",
            {"tcpSocket": {"port": 1}, "successThreshold": 2},
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            f"{C}.resources",
            {"requests": {"nvidia.com/gpu": "1"}},
            "spec.containers[0].resources.limits: Required value: Limit must be set for non "
            "overcommitable resources",
        ),
        (
            "spec.initContainers",
            [CONTAINER],
            'spec.initContainers[0].name: Duplicate value: "m"',
        ),
        (
            "spec.initContainers",
            [{**CONTAINER, "name": "i", "livenessProbe": {"tcpSocket": {"port": 1}}}],
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers "
            "without restartPolicy=Always",
        ),
        (
            "spec.activeDeadlineSeconds",
            0,
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, "
            "inclusive",
        ),
        (
            "spec.hostAliases",
            [{"ip": "x"}],
            'spec.hostAliases.ip: Invalid value: "x": must be valid IP address',
        ),
        (
            "spec.affinity",
            {"nodeAffinity": {f"required{DURING}": {"nodeSelectorTerms": []}}},
            f"spec.affinity.nodeAffinity.required{DURING}.nodeSelectorTerms: Required value: must "
            "have at least one node selector term",
        ),
        (
            "spec.affinity",
            {
                "podAffinity": {
                    f"preferred{DURING}": [
                        {"weight": 0, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname"}}
                    ]
                }
            },
            f"spec.affinity.podAffinity.preferred{DURING}[0].weight: Invalid value: 0: must be in "
            "the range 1-100",
        ),
        (
            "spec.tolerations",
            [{"key": "a", "effect": "X"}],
            'spec.tolerations[0].effect: Unsupported value: "X": supported values: "NoSchedule", '
            '"PreferNoSchedule", "NoExecute"',
        ),
    ],
)
def test_a_pod_that_is_wrong_is_refused_in_the_words_of_the_api_server(path, value, words):
    assert refusal("Pod", path, value) == words


def test_an_init_container_that_goes_on_may_have_probes():
    container = {**CONTAINER, "name": "i", "livenessProbe": {"tcpSocket": {"port": 1}}}
    check(*stored("Pod", "spec.initContainers", [{**container, "restartPolicy": "Always"}]))


@pytest.mark.parametrize(
    ("name", "path", "value", "words"),
    [
        ("Service", "spec.ports", [], "spec.ports: Required value"),
        (
            "Service",
            "spec.ports",
            [{"port": 80}, {"port": 81}],
            "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]",
        ),
        ("Service", "spec.type", "ExternalName", "spec.externalName: Required value"),
        (
            "Service",
            "spec.type",
            "X",
            'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", '
            '"LoadBalancer", "NodePort"',
        ),
        (
            "PersistentVolumeClaim",
            "spec.accessModes",
            [],
            "spec.accessModes: Required value: at least 1 access mode is required",
        ),
        (
            "PersistentVolumeClaim",
            "spec.resources",
            {},
            "spec.resources[storage]: Required value",
        ),
        (
            "PersistentVolumeClaim",
            "spec.resources",
            {"requests": {"storage": "0"}},
            'spec.resources[storage]: Invalid value: "0": must be greater than zero',
        ),
        (
            "PersistentVolume",
            "spec.nfs",
            {"server": "a", "path": "/b"},
            "spec.nfs: Forbidden: may not specify more than 1 volume type",
        ),
        (
            "ResourceQuota",
            "spec.hard",
            {"foo": "1"},
            '[spec.hard[foo]: Invalid value: "foo": must be a standard resource type or fully '
            'qualified, spec.hard[foo]: Invalid value: "foo": must be a standard resource for '
            "quota]",
        ),
        ("ConfigMap", "data", {"..": "x"}, "data[..]: Invalid value: \"..\": must not be '..'"),
        (
            "Secret",
            "type",
            "kubernetes.io/tls",
            "[data[tls.crt]: Required value, data[tls.key]: Required value]",
        ),
        (
            "PriorityClass",
            "value",
            2_000_000_001,
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
        ),
        (
            "Role",
            "rules",
            [{"verbs": ["get"], "resources": ["pods"]}],
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        ),
        ("RoleBinding", "roleRef.name", "", "roleRef.name: Required value"),
        (
            "LimitRange",
            "spec.limits",
            [{"type": "Container"}, {"type": "Container"}],
            'spec.limits[1].type: Duplicate value: "Container"',
        ),
        (
            "ConfigMap",
            "metadata.finalizers",
            ["x"],
            'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name '
            "nor is it fully qualified",
        ),
        (
            "ConfigMap",
            "metadata.ownerReferences",
            [{"apiVersion": "v1", "kind": "Pod", "name": "a"}],
            'metadata.ownerReferences.uid: Invalid value: "": uid must not be empty',
        ),
    ],
)
def test_other_kinds_are_refused_in_the_words_of_the_api_server(name, path, value, words):
    assert refusal(name, path, value) == words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("x", "expected exactly 5 fields, found 1: [x]"),
        ("70 * * * *", "end of range (70) above maximum (59): 70"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("@foo", "unrecognized descriptor: @foo"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused(schedule, words):
    found = refusal("CronJob", "spec.schedule", schedule)
    assert found == f'spec.schedule: Invalid value: "{schedule}": {words}'


@pytest.mark.parametrize("schedule", ["@hourly", "@every 1h30m", "0 0 29 feb *", "0/15 * ? * *"])
def test_schedules_of_every_form_are_taken(schedule):
    check(*stored("CronJob", "spec.schedule", schedule))


@pytest.mark.parametrize(
    ("name", "path", "value", "words"),
    [
        (
            "Job",
            "spec.template.spec.restartPolicy",
            "Always",
            'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
        ),
        (
            "Job",
            "spec.selector",
            {"matchLabels": {"x": "y"}},
            'spec.selector: Invalid value: map[string]interface {}{"matchLabels":map[string]'
            'interface {}{"x":"y"}}: `selector` not auto-generated',
        ),
        (
            "CronJob",
            "spec.concurrencyPolicy",
            "X",
            'spec.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", '
            '"Replace"',
        ),
        (
            "Deployment",
            "spec.template.metadata.labels",
            {"c": "d"},
            'spec.template.metadata.labels: Invalid value: map[string]string{"c":"d"}: `selector` '
            "does not match template `labels`",
        ),
        (
            "Deployment",
            "spec.strategy",
            {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is "
            "'Recreate'",
        ),
        (
            "Deployment",
            "spec.strategy",
            {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when "
            "`maxSurge` is 0",
        ),
        (
            "Deployment",
            "spec.minReadySeconds",
            600,
            "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than "
            "minReadySeconds",
        ),
        (
            "Deployment",
            "spec.selector",
            {"matchExpressions": [{"key": "a", "operator": "In"}]},
            "spec.selector.matchExpressions[0].values: Required value: must be specified when "
            "`operator` is 'In' or 'NotIn'",
        ),
        (
            "StatefulSet",
            "spec.volumeClaimTemplates",
            [{}],
            '[spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data", '
            "spec.volumeClaimTemplates[0].metadata.name: Required value]",
        ),
        (
            "StatefulSet",
            "spec.podManagementPolicy",
            "X",
            "spec.podManagementPolicy: Invalid value: \"X\": must be 'OrderedReady' or 'Parallel'",
        ),
    ],
)
def test_workloads_are_refused_in_the_words_of_the_api_server(name, path, value, words):
    assert refusal(name, path, value) == words


def update(name, path, value, **first):
    kind, before = stored(name)
    before |= first
    _, after = stored(name, path, value)
    check(kind, {**before, **after}, before)


@pytest.mark.parametrize(
    ("name", "path", "value", "words"),
    [
        (
            "Deployment",
            "spec.selector",
            {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
            "spec.selector: Invalid value: .*: field is immutable",
        ),
        ("Job", "spec.completions", 5, "spec.completions: Invalid value: 5: field is immutable"),
        ("Secret", "type", "x", 'type: Invalid value: "x": field is immutable'),
        ("PriorityClass", "value", 2, "value: Forbidden: may not be changed in an update."),
        ("RoleBinding", "roleRef.name", "y", "roleRef: Invalid value: .*: cannot change roleRef"),
        (
            "PersistentVolumeClaim",
            "spec.accessModes",
            ["ReadWriteMany"],
            "spec: Forbidden: spec is immutable after creation except resources.requests",
        ),
    ],
)
def test_what_may_not_change_is_refused(name, path, value, words):
    with pytest.raises(ApiError, match=words):
        update(name, path, value)


def test_a_claim_may_be_bound_and_an_immutable_config_map_stays():
    update("PersistentVolumeClaim", "spec.volumeName", "pv")
    with pytest.raises(ApiError, match="data: Forbidden: field is immutable when `immutable` is"):
        update("ConfigMap", "data", {"a": "c"}, immutable=True, data={"a": "b"})


def test_a_wrong_type_from_within_is_named_by_the_decoder():
    kind, pod = stored("Pod")
    pod["spec"]["containers"] = "none"
    with pytest.raises(ApiError, match="cannot unmarshal string into Go struct field PodSpec"):
        check(kind, pod)
