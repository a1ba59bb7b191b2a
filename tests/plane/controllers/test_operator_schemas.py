"""The compact schemas of operators' kinds say what the operators' own definitions say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fairlead_plane.resources import kinds
from fairlead_plane.resources.schemas.operators import operator_columns, operator_schema

FILES = {
    kinds.JOB_SET: "jobset.x-k8s.io/jobsets.yaml",
    kinds.TRAIN_JOB: "trainer.kubeflow.org/trainjobs.yaml",
    kinds.TRAINING_RUNTIME: "trainer.kubeflow.org/trainingruntimes.yaml",
    kinds.CLUSTER_TRAINING_RUNTIME: "trainer.kubeflow.org/clustertrainingruntimes.yaml",
    kinds.MPI_JOB: "kubeflow.org/mpijobs.yaml",
    kinds.MPI_JOB_V2: "kubeflow.org/mpijobs.mpi-operator.yaml",
}
WORDS = (
    "type", "required", "enum", "default", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "format",
)  # fmt: skip


def differences(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    """Yield where two schemas differ; a reference to a built-in definition is taken as it is."""
    if "$ref" in ours:
        return
    for word in WORDS:
        mine, real = ours.get(word), theirs.get(word)
        if isinstance(mine, list):
            mine, real = sorted(mine), sorted(real or [])
        if mine != real and not (word == "type" and theirs.get("x-kubernetes-int-or-string")):
            yield f"{path}: {word} {mine} is not {real}"
    mine, real = ours.get("properties") or {}, theirs.get("properties") or {}
    own = set(mine) ^ (set(real) - {"apiVersion", "kind", "metadata"} if not path else set(real))
    if own:
        yield f"{path}: {sorted(own)} only in one"
    for name in set(mine) & set(real):
        yield from differences(mine[name], real[name], f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(ours.get(word), dict):
            yield from differences(ours[word], theirs.get(word) or {}, f"{path}.{word}")


@pytest.mark.parametrize("kind", FILES, ids=lambda kind: f"{kind.kind}-{kind.version}")
def test_a_schema_says_what_the_definition_says(kind: kinds.Kind, shared_data: Any) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # they are large
    definition = yaml.load((shared_data / "crds" / FILES[kind]).read_text(), loader)
    (version,) = (v for v in definition["spec"]["versions"] if v["name"] == kind.version)
    schema = operator_schema(kind)
    assert schema is not None
    assert [*differences(schema.raw, version["schema"]["openAPIV3Schema"], "")] == []
    assert kind.namespaced == (definition["spec"]["scope"] == "Namespaced")
    assert kind.status_subresource == ("status" in (version.get("subresources") or {}))
    columns = version.get("additionalPrinterColumns")
    if columns:
        shown = [{k: c[k] for k in ("name", "type", "jsonPath")} for c in columns]
        assert operator_columns(kind) == shown
