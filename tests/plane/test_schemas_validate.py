"""Custom resources and their definitions are validated as the API server validates them."""

from __future__ import annotations

import copy
import sys

import pytest
import yaml

from fairlead_plane.resources import ApiError, Kind
from fairlead_plane.resources.schemas import builtin_schema, crd_schema, rules
from fairlead_plane.resources.schemas.decode import decode
from fairlead_plane.resources.schemas.defaults import apply_defaults
from fairlead_plane.resources.schemas.validate import check_schema

CRD = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "crds", False)
THING = Kind("schemas.io", "v1", "Thing", "things", True)
ITEM = {
    "type": "object",
    "required": ["k"],
    "properties": {"k": {"type": "string"}, "v": {"type": "integer"}},
}
FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SPEC = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1, "maximum": 5},
        "x": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
        "s": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^a"},
        "e": {"type": "string", "enum": ["a", "b"]},
        "ei": {"type": "integer", "enum": [1, 2]},
        "l": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": ITEM,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
        },
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "m": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "integer"}},
        "b": {"type": "boolean"},
        "dt": {"type": "string", "format": "date-time"},
        "ios": {"x-kubernetes-int-or-string": True},
        "nul": {"type": "string", "nullable": True},
        "o": {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        "any": {**FREE, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        "no": {**FREE, "not": {"required": ["a"]}},
        "dur": {"type": "string", "format": "duration"},
        "er": {**FREE, "x-kubernetes-embedded-resource": True},
    },
}


def schema_of(spec):
    return crd_schema({"type": "object", "properties": {"spec": spec}})


def typed(field, found, wanted):
    """The words for a value of another type."""
    return f'{field}: Invalid value: "{found}": {field} in body must be of type {wanted}: "{found}"'


def problems(spec, schema=None, old=None):
    """What is wrong with a Thing, as `field: message`."""
    obj = {"apiVersion": "schemas.io/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}
    before = None if old is None else {**obj, "spec": old}
    found = check_schema(THING, obj, before, schema or schema_of(SPEC))
    return [f"{cause.field}: {cause.message}" for cause in found]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"n": "x"}, typed("spec.n", "string", "integer")),
        ({"n": 0}, "spec.n: Invalid value: 0: spec.n in body should be greater than or equal to 1"),
        ({"n": 6}, "spec.n: Invalid value: 6: spec.n in body should be less than or equal to 5"),
        ({"n": 1.5}, typed("spec.n", "number", "integer")),
        ({"n": True}, typed("spec.n", "boolean", "integer")),
        ({"x": 0}, "spec.x: Invalid value: 0: spec.x in body should be greater than 0"),
        ({"s": "a"}, 'spec.s: Invalid value: "a": spec.s in body should be at least 2 chars long'),
        ({"s": "aaaa"}, "spec.s: Too long: may not be more than 3 bytes"),
        ({"s": "bb"}, "spec.s: Invalid value: \"bb\": spec.s in body should match '^a'"),
        ({"e": "c"}, 'spec.e: Unsupported value: "c": supported values: "a", "b"'),
        ({"ei": 3}, 'spec.ei: Unsupported value: 3: supported values: "1", "2"'),
        ({"l": []}, "spec.l: Invalid value: 0: spec.l in body should have at least 1 items"),
        (
            {"l": [{"k": "a"}, {"k": "a"}]},
            'spec.l[1]: Duplicate value: map[string]interface {}{"k":"a"}',
        ),
        (
            {"l": [{"k": "a"}, {"k": "b"}, {"k": "c"}]},
            "spec.l: Too many: 3: must have at most 2 items",
        ),
        ({"l": [{"v": 1}]}, "spec.l[0].k: Required value"),
        ({"l": {}}, typed("spec.l", "object", "array")),
        ({"set": ["a", "a"]}, 'spec.set[1]: Duplicate value: "a"'),
        ({"m": {"a": "x"}}, typed("spec.m.a", "string", "integer")),
        ({"dt": "x"}, typed("spec.dt", "x", "date-time")),
        (
            {"ios": True},
            typed("spec.ios", "boolean", "integer,string"),
        ),
        ({"dur": "x"}, typed("spec.dur", "x", "duration")),
        (
            {"o": {"a": "1", "b": "2"}},
            '<nil>: Invalid value: "": "spec.o" must validate one and only one schema (oneOf). '
            "Found 2 valid alternatives",
        ),
        (
            {"no": {"a": 1}},
            '<nil>: Invalid value: "": "spec.no" must not validate the schema (not)',
        ),
        ("x", typed("spec", "string", "object")),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_as_the_api_server_names_it(spec, words):
    assert problems(spec) == [words]


def test_an_alternative_that_no_branch_fits_names_the_nearest_one():
    assert problems({"any": {}}) == [
        '<nil>: Invalid value: "": "spec.any" must validate at least one schema (anyOf)',
        "spec.any.a: Required value",
    ]
    assert problems({"er": {}}) == [
        "spec.er.apiVersion: Required value: must not be empty",
        "spec.er.kind: Required value: must not be empty",
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"n": 5, "x": 1, "s": "aé", "b": False, "dt": "2026-01-01T00:00:00Z", "dur": "1h30m"},
        {"ios": 1},
        {"ios": "1"},
        {"nul": None},
        {"n": 2.0},
        {"l": [{"k": "a"}, {"k": "b", "v": 1}], "set": ["a", "b"], "m": {"a": 1}},
        {"er": {"apiVersion": "v1", "kind": "Pod", "spec": {}}},
    ],
)
def test_what_fits_is_valid(spec):
    assert problems(spec) == []


def test_what_has_not_changed_stays_valid():
    assert problems({"n": 9, "e": "a"}, old={"n": 9}) == []
    assert problems({"n": 8}, old={"n": 9}) != []
    listed = {"l": [{"k": "a", "v": "x"}]}
    assert problems({"l": [{"k": "b"}, *listed["l"]]}, old=listed) == []


def with_rules(*rules, **fields):
    return schema_of({"type": "object", "properties": fields, "x-kubernetes-validations": rules})


INTEGER = {"type": "integer"}


def test_a_broken_rule_speaks_its_message():
    schema = with_rules(
        {"rule": "self.min <= self.max", "message": "min must not be over max"},
        {"rule": "self.max < 10"},
        {"rule": "self.max < 10", "messageExpression": "'max is ' + string(self.max)"},
        {
            "rule": "self.max < 10",
            "message": "not now",
            "reason": "FieldValueForbidden",
            "fieldPath": ".max",
        },
        min=INTEGER,
        max=INTEGER,
    )
    assert problems({"min": 1, "max": 2}, schema) == []
    assert problems({"min": 12, "max": 11}, schema) == [
        'spec: Invalid value: "object": min must not be over max',
        'spec: Invalid value: "object": failed rule: self.max < 10',
        'spec: Invalid value: "object": max is 11',
        "spec.max: Forbidden: not now",
    ]


def test_a_rule_over_the_old_value_is_for_updates():
    rule = {"rule": "self == oldSelf", "message": "field is immutable"}
    schema = with_rules(fixed={**INTEGER, "x-kubernetes-validations": [rule]})
    assert problems({"fixed": 1}, schema) == []
    assert problems({"fixed": 1}, schema, old={}) == []
    assert problems({"fixed": 2}, schema, old={"fixed": 1}) == [
        'spec.fixed: Invalid value: "integer": field is immutable'
    ]
    first = {"rule": "oldSelf.hasValue() || self == 1", "optionalOldSelf": True}
    schema = with_rules(fixed={**INTEGER, "x-kubernetes-validations": [first]})
    assert problems({"fixed": 1}, schema) == []
    assert problems({"fixed": 2}, schema) != []
    assert problems({"fixed": 3}, schema, old={"fixed": 1}) == []


def test_rules_over_items_find_the_old_item_by_its_keys():
    item = copy.deepcopy(ITEM)
    item["x-kubernetes-validations"] = [{"rule": "self.v >= oldSelf.v", "message": "only up"}]
    keys = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}
    schema = with_rules(l={"type": "array", "items": item, **keys})
    old = {"l": [{"k": "a", "v": 1}, {"k": "b", "v": 5}]}
    assert problems({"l": [{"k": "b", "v": 6}, {"k": "c", "v": 0}]}, schema, old) == []
    assert problems({"l": [{"k": "b", "v": 4}]}, schema, old) == [
        'spec.l[0]: Invalid value: "object": only up'
    ]


def test_rules_see_escaped_names_doubles_times_and_the_functions_of_kubernetes():
    text = {"type": "string"}
    schema = with_rules(
        {"rule": "self.__namespace__ == 'a' && self.a__dash__b == 1"},
        {"rule": "self.share > 0.5"},
        {"rule": "self.when > timestamp('2026-01-01T00:00:00Z')"},
        {"rule": "quantity(self.size).isGreaterThan(quantity('1Gi'))"},
        {"rule": "self.words.split(',').join('-') == 'a-b' && isURL(self.url)"},
        {"rule": "cidr('10.0.0.0/8').containsIP(ip('10.1.1.1')) && self.words.find('b') == 'b'"},
        **{"namespace": text, "a-b": INTEGER, "share": {"type": "number"}},
        when={"type": "string", "format": "date-time"},
        size=text,
        words=text,
        url=text,
    )
    spec = {
        "namespace": "a", "a-b": 1, "share": 1, "when": "2026-02-01T00:00:00Z", "size": "2Gi",
        "words": "a,b", "url": "http://x/y",
    }  # fmt: skip
    assert problems(spec, schema) == []


def test_a_rule_that_cannot_be_evaluated_never_passes():
    found = problems({}, with_rules({"rule": "self.absent > 1"}, absent=INTEGER))
    assert len(found) == 1
    assert found[0].startswith('spec: Invalid value: "object": rule evaluation error: ')


def test_a_time_that_is_none_is_named_beside_rules_over_it():
    time = {"type": "string", "format": "date-time"}
    schema = with_rules({"rule": "true || self.when == self.when"}, when=time)
    assert problems({"when": "x"}, schema) == [typed("spec.when", "x", "date-time")]


def test_rules_wait_until_the_object_has_its_shape():
    schema = with_rules({"rule": "self.n > 1"}, n=INTEGER)
    assert problems({"n": "x"}, schema) == [
        typed("spec.n", "string", "integer"),
        '<nil>: Invalid value: "null": some validation rules were not checked because the object '
        "was invalid; correct the existing errors to complete validation",
    ]


def test_without_the_engine_rules_are_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cel", None)
    rules._engine.cache_clear()
    try:
        with pytest.raises(ApiError, match="pip install common-expression-language") as found:
            problems({}, with_rules({"rule": "true && 1 == 1"}))
        assert found.value.code == 500
        assert problems({"n": 1}) == []
    finally:
        rules._engine.cache_clear()


# Definitions


def definition(**changes):
    """A valid definition; `schema` is of its `spec`."""
    version = {"name": "v1", "served": True, "storage": True}
    spec = changes.pop("schema", {"type": "object"})
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    base = {"group": "schemas.io", "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": "things.schemas.io"}, "spec": {**base, **changes}}


def faults(obj, old=None):
    return [f"{each.field}: {each.message}" for each in check_schema(CRD, obj, old, None)]


def at(path):
    return f"spec.validation.openAPIV3Schema.properties[spec]{path}"


SHOWN_MAP = 'map[string]interface {}{"z":1}'
LIST_MAP = {"type": "array", "x-kubernetes-list-type": "map", "items": ITEM}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, at(".type: Required value: must not be empty for specified object fields")),
        (
            {"type": "int"},
            at(
                '.type: Unsupported value: "int": supported values: "array", "boolean", "integer", '
                '"number", "object", "string"'
            ),
        ),
        ({"type": "array"}, at(".items: Required value: must be specified")),
        (
            {"type": "array", "items": {}},
            at(".items.type: Required value: must not be empty for specified array items"),
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "additionalProperties": {"type": "string"},
            },
            at(
                ".additionalProperties: Forbidden: additionalProperties and properties are mutual "
                "exclusive"
            ),
        ),
        (
            {"type": "object", "anyOf": [{"type": "string"}]},
            at(".anyOf[0].type: Forbidden: must be empty to be structural"),
        ),
        (
            LIST_MAP,
            at(
                ".x-kubernetes-list-map-keys: Required value: must not be empty if "
                "x-kubernetes-list-type is map"
            ),
        ),
        (
            {**LIST_MAP, "x-kubernetes-list-map-keys": ["v"]},
            at(
                ".items.properties[v].default: Required value: this property is in "
                "x-kubernetes-list-map-keys, so it must have a default or be a required property"
            ),
        ),
        (
            {"type": "string", "default": 1},
            at('.default: Invalid value: "integer":  in body must be of type string: "integer"'),
        ),
        (
            {"type": "object", "default": {"z": 1}},
            at(
                '.default: Invalid value: map[string]interface {}{"z":1}: '
                "must not have unknown fields"
            ),
        ),
    ],
)
def test_a_schema_that_is_not_structural_is_refused(schema, words):
    assert faults(definition(schema=schema)) == [words]


def test_a_pattern_or_rule_that_does_not_compile_is_refused():
    assert faults(definition(schema={"type": "string", "pattern": "("}))[0].startswith(
        at('.pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: ')
    )
    broken = {"type": "object", "x-kubernetes-validations": [{"rule": "self. +"}]}
    assert faults(definition(schema=broken))[0].startswith(
        at('.x-kubernetes-validations[0].rule: Invalid value: "self. +": compilation failed: ')
    )


def test_a_reference_in_a_schema_is_refused_wherever_it_leads():
    for target in ("#/definitions/x", "io.k8s.api.core.v1.Pod"):
        schema = {"type": "object", "default": {"a": {}}, "properties": {"a": {"$ref": target}}}
        assert at(".properties[a].$ref: Forbidden: $ref is not supported") in faults(
            definition(schema=schema)
        )


def test_names_versions_and_scope_of_a_definition_are_checked():
    assert faults(definition()) == []
    assert faults(definition(group="io")) == [
        'metadata.name: Invalid value: "things.schemas.io": must be spec.names.plural+"."+'
        "spec.group",
        'spec.group: Invalid value: "io": should be a domain with at least one dot',
    ]
    assert faults(definition(scope="X")) == [
        'spec.scope: Unsupported value: "X": supported values: "Cluster", "Namespaced"'
    ]
    version = definition()["spec"]["versions"][0]
    assert "must have exactly one version marked as storage version" in str(
        faults(definition(versions=[version, {**version, "name": "v2"}]))
    )
    assert faults(definition(versions=[{**version, "schema": None}])) == [
        "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"
    ]


def test_a_definition_keeps_its_scope_and_the_versions_that_are_stored():
    old = {**definition(), "status": {"storedVersions": ["v1"]}}
    assert faults(definition(scope="Cluster"), old) == [
        'spec.scope: Invalid value: "Cluster": field is immutable'
    ]
    version = {**definition()["spec"]["versions"][0], "name": "v2"}
    assert faults(definition(versions=[version]), old) == [
        'status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions'
    ]


# The definitions of Kubeflow


def load(folder):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(folder.rglob("*.yaml")):
        yield from (each for each in yaml.load_all(path.read_text(), loader) if each)


def test_the_definitions_of_kubeflow_are_accepted(shared_data):
    schema = builtin_schema("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    count = 0
    for each in load(shared_data / "crds"):
        obj, warnings = decode(CRD, each, schema, "Strict")
        apply_defaults(CRD, obj, schema)
        assert (faults(obj), warnings) == ([], []), obj["metadata"]["name"]
        count += 1
    assert count > 50


TEMPLATE = {"spec": {"containers": [{"name": "pytorch", "image": "x"}]}}
TRIAL = {"trialParameters": [{"name": "lr", "reference": "lr"}], "trialSpec": {"kind": "Job"}}
SAMPLES = [
    ("kubeflow.org/v1", "PyTorchJob", {
        "pytorchReplicaSpecs": {"Worker": {"replicas": 2, "template": TEMPLATE}}
    }),
    ("kubeflow.org/v1", "PyTorchJob", {
        "pytorchReplicaSpecs": {"Worker": {"replicas": "2", "template": TEMPLATE}}
    }),
    ("kubeflow.org/v1", "PyTorchJob", {
        "pytorchReplicaSpecs": {"Worker": {"replicas": 2, "template": TEMPLATE, "restart": "x"}}
    }),
    ("kubeflow.org/v1", "PyTorchJob", {"runPolicy": {"ttlSecondsAfterFinished": 1}}),
    ("kubeflow.org/v1", "PyTorchJob", {
        "pytorchReplicaSpecs": {"Worker": {"template": {
            "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": 0.5}}}]}
        }}}
    }),
    ("kubeflow.org/v1", "Notebook", {"template": TEMPLATE}),
    ("kubeflow.org/v1", "Notebook", {"template": {"spec": {"containers": "x"}}}),
    ("kubeflow.org/v1", "Notebook", {"template": {"spec": {"container": []}}}),
    ("serving.kserve.io/v1beta1", "InferenceService", {
        "predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "pvc://x"}}
    }),
    ("serving.kserve.io/v1beta1", "InferenceService", {"predictor": {"model": {"x": 1}}}),
    ("serving.kserve.io/v1beta1", "InferenceService", {"predictor": {"minReplicas": "x"}}),
    ("trainer.kubeflow.org/v1alpha1", "TrainJob", {"runtimeRef": {"name": "torch"}}),
    ("trainer.kubeflow.org/v1alpha1", "TrainJob", {"runtimeRef": {}}),
    ("trainer.kubeflow.org/v1alpha1", "TrainJob", {
        "runtimeRef": {"name": "torch"}, "trainer": {"numNodes": "two"}
    }),
    ("kueue.x-k8s.io/v1beta1", "LocalQueue", {"clusterQueue": "a"}),
    ("kueue.x-k8s.io/v1beta1", "LocalQueue", {"clusterQueue": "A_"}),
    ("jobset.x-k8s.io/v1alpha2", "JobSet", {"replicatedJobs": [{"name": "a", "template": {}}]}),
]  # fmt: skip


@pytest.mark.parametrize(("api_version", "kind", "spec"), SAMPLES)
def test_verdicts_are_those_of_the_offline_check(shared_data, api_version, kind, spec):
    sys.path.insert(0, str(shared_data / "tools"))
    from check_manifest import check

    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    group, _, version = api_version.rpartition("/")
    for found in load(shared_data / "crds" / group):
        entries = {each["name"]: each for each in found["spec"]["versions"]}
        if found["spec"]["names"]["kind"] == kind and version in entries:
            break
    else:
        pytest.skip(f"no definition of {kind} in {api_version}")
    schema = crd_schema(entries[version]["schema"]["openAPIV3Schema"])
    served = Kind(group, version, kind, found["spec"]["names"]["plural"], True)
    try:
        obj, _ = decode(served, manifest, schema, "Strict")
        apply_defaults(served, obj, schema)
        causes = check_schema(served, obj, None, schema)
    except ApiError as error:
        causes = [error.message]
    assert bool(causes) == bool(check(copy.deepcopy(manifest))), causes
