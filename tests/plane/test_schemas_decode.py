"""Objects are read as the API server reads them."""

from __future__ import annotations

import copy

import orjson
import pytest

from fairlead_plane.resources import CONFIG_MAP, EVENT, POD, PVC, SECRET, WORKFLOW, ApiError
from fairlead_plane.resources.quantity import canonical_quantity
from fairlead_plane.resources.schemas import builtin_schema, crd_schema
from fairlead_plane.resources.schemas.decode import decode, decode_patched, read_mode
from fairlead_plane.resources.schemas.duplicates import find_duplicates

POD_MANIFEST = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "one"},
    "spec": {"containers": [{"name": "main", "image": "python"}]},
}


def read(kind, obj, mode="Strict", body=b""):
    twice = find_duplicates(body, obj) if body else ()
    return decode(kind, obj, builtin_schema(kind.api_version, kind.kind), mode, twice)


def changed(path, value):
    """The pod with one more field."""
    pod = copy.deepcopy(POD_MANIFEST)
    at = pod
    *parents, last = path
    for part in parents:
        at = at[part] if isinstance(part, int) else at.setdefault(part, {})
    at[last] = value
    return pod


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            ("metadata", "name"),
            1,
            "number into Go struct field ObjectMeta.metadata.name of type string",
        ),
        (
            ("metadata", "labels"),
            {"a": 1},
            "number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            ("metadata", "labels"),
            [],
            "array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (("spec",), "x", "string into Go struct field Pod.spec of type v1.PodSpec"),
        (
            ("spec", "containers"),
            {},
            "object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            ("spec", "containers", 0, "env"),
            [{"name": "A", "value": 1}],
            "number into Go struct field EnvVar.spec.containers.env.value of type string",
        ),
        (
            ("spec", "priority"),
            3_000_000_000,
            "number 3000000000 into Go struct field PodSpec.spec.priority of type int32",
        ),
        (
            ("spec", "priority"),
            1.5,
            "number 1.5 into Go struct field PodSpec.spec.priority of type int32",
        ),
        (
            ("spec", "priority"),
            "1",
            "string into Go struct field PodSpec.spec.priority of type int32",
        ),
        (
            ("spec", "hostNetwork"),
            "yes",
            "string into Go struct field PodSpec.spec.hostNetwork of type bool",
        ),
    ],
)
def test_a_wrong_type_is_named_as_the_decoder_of_the_server_names_it(path, value, words):
    with pytest.raises(ApiError) as found:
        read(POD, changed(path, value), "Ignore")
    assert (found.value.code, found.value.reason) == (400, "BadRequest")
    assert found.value.message == (
        f'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal {words}'
    )


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            ("spec", "containers", 0, "resources"),
            {"limits": {"cpu": "lots"}},
            "quantities must match the regular expression",
        ),
        (
            ("spec", "containers", 0, "livenessProbe"),
            {"tcpSocket": {"port": True}},
            "json: cannot unmarshal bool into Go value of type int32",
        ),
        (
            ("metadata", "creationTimestamp"),
            "now",
            'parsing time "now" as "2006-01-02T15:04:05Z07:00"',
        ),
    ],
)
def test_a_value_that_cannot_be_parsed_says_why(path, value, words):
    with pytest.raises(ApiError, match="cannot be handled as a Pod: ") as found:
        read(POD, changed(path, value))
    assert words in found.value.message


def test_data_of_a_secret_is_base64():
    with pytest.raises(ApiError, match="illegal base64 data at input byte 3"):
        read(SECRET, {"metadata": {"name": "s"}, "data": {"a": "abc!"}})
    read(SECRET, {"metadata": {"name": "s"}, "data": {"a": "YWJj"}})


def test_strict_refuses_fields_that_the_kind_does_not_have():
    pod = changed(("spec", "containers", 0, "imagee"), "x")
    pod["spec"]["foo"] = 1
    with pytest.raises(ApiError) as found:
        read(POD, pod)
    assert found.value.code == 400
    assert found.value.message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: '
        'unknown field "spec.containers[0].imagee", unknown field "spec.foo"'
    )


def test_warn_tells_of_unknown_fields_and_prunes_them_and_ignore_is_silent():
    pod = changed(("spec", "foo"), 1)
    assert read(POD, pod, "Warn") == (POD_MANIFEST, ['unknown field "spec.foo"'])
    assert read(POD, pod, "Ignore") == (POD_MANIFEST, [])
    assert read_mode("") == "Warn"
    with pytest.raises(ApiError, match='supported values: "Ignore", "Strict", "Warn"'):
        read_mode("strict")


def test_a_key_that_comes_twice_is_reported_with_its_path():
    body = b'{"metadata":{"name":"a"},"data":{"k":"1","k" :"2"},"data":{"k":"\\":"}}'
    obj = orjson.loads(body)
    with pytest.raises(ApiError, match=r'error: duplicate field "data\.k", dup'):
        read(CONFIG_MAP, obj, body=body)
    assert read(CONFIG_MAP, obj, "Warn", body)[1] == [
        'duplicate field "data.k"',
        'duplicate field "data"',
    ]
    assert read(CONFIG_MAP, obj, "Ignore", body)[1] == []


def test_nulls_and_empty_collections_are_as_if_they_were_not_there():
    obj = {
        "metadata": {"name": "a", "labels": {}, "annotations": {"b": None}, "finalizers": []},
        "data": None,
    }
    assert read(CONFIG_MAP, obj)[0] == {"metadata": {"name": "a", "annotations": {"b": ""}}}


def test_an_empty_object_that_means_something_stays():
    pod = changed(("spec", "volumes"), [{"name": "v", "emptyDir": {}}])
    assert read(POD, pod)[0] == pod


def test_quantities_and_times_get_their_canonical_form():
    claim = {"metadata": {"name": "c"}, "spec": {"resources": {"requests": {"storage": 0.5}}}}
    assert read(PVC, claim)[0]["spec"]["resources"]["requests"] == {"storage": "500m"}
    event = {
        "metadata": {"name": "e", "creationTimestamp": "2026-01-01T01:00:00.5+01:00"},
        "eventTime": "2026-01-01T00:00:00.123456Z",
    }
    read_event = read(EVENT, event)[0]
    assert read_event["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert read_event["eventTime"] == "2026-01-01T00:00:00.123456Z"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1000m", "1"), (0.5, "500m"), ("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"), ("1e3", "1e3"),
        ("1500Ki", "1500Ki"), ("0.5Ki", "512"), ("1000", "1k"), ("1500", "1500"), ("0", "0"),
        ("0.0001", "1m"), ("2500u", "3m"), ("1e-3", "1e-3"), ("3e1", "30"), ("1e4", "10e3"),
        ("0.3Mi", "314572800m"), ("-1500m", "-1500m"), ("1048576", "1048576"), ("12E", "12E"),
    ],
)  # fmt: skip
def test_a_quantity_is_written_as_the_api_server_writes_it(text, canonical):
    assert canonical_quantity(text) == canonical
    assert canonical_quantity(canonical) == canonical


def test_a_patch_that_leaves_a_wrong_type_is_invalid():
    schema = builtin_schema("v1", "Pod")
    patch = {"spec": {"priority": "x"}}
    with pytest.raises(ApiError) as found:
        decode_patched(POD, changed(("spec", "priority"), "x"), schema, "Warn", patch)
    assert (found.value.code, found.value.reason) == (422, "Invalid")
    assert found.value.message == (
        ' "" is invalid: patch: Invalid value: map[spec:map[priority:x]]: json: cannot unmarshal '
        "string into Go struct field PodSpec.spec.priority of type int32"
    )


CUSTOM = crd_schema(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer"},
                    "maybe": {"type": "string", "nullable": True},
                    "free": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                        "properties": {
                            "known": {"type": "object", "properties": {"a": {"type": "string"}}}
                        },
                    },
                    "pod": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "x-kubernetes-preserve-unknown-fields": True,
                    },
                    "list": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"a": {"type": "string"}}},
                    },
                },
            }
        },
    }
)


def test_a_custom_resource_is_pruned_by_its_schema():
    obj = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w", "foo": 1},
        "spec": {
            "size": "wrong, which is for validation",
            "maybe": None,
            "list": [{"a": "1", "b": 2}],
            "free": {"x": {"y": 1}, "known": {"a": "1", "z": 1}},
            "pod": {"kind": "Pod", "metadata": {"name": "p", "bar": 1}, "spec": {"x": 1}},
            "nothing": None,
        },
        "other": {},
    }
    pruned, warnings = decode(WORKFLOW, obj, CUSTOM, "Warn")
    assert pruned == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {
            "size": "wrong, which is for validation",
            "maybe": None,
            "list": [{"a": "1"}],
            "free": {"x": {"y": 1}, "known": {"a": "1"}},
            "pod": {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"x": 1}},
        },
    }
    assert warnings == [
        'unknown field "metadata.foo"',
        'unknown field "other"',
        'unknown field "spec.free.known.z"',
        'unknown field "spec.list[0].b"',
        'unknown field "spec.nothing"',
        'unknown field "spec.pod.metadata.bar"',
    ]
    with pytest.raises(ApiError, match="cannot be handled as a Workflow: strict decoding error: "):
        decode(WORKFLOW, obj, CUSTOM, "Strict")


def test_metadata_of_a_custom_resource_is_typed():
    obj = {"metadata": {"name": "w", "labels": {"a": 1}}}
    with pytest.raises(ApiError, match="cannot unmarshal number into Go struct field ObjectMeta"):
        decode(WORKFLOW, obj, CUSTOM, "Ignore")
