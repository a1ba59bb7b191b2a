"""What a server may lack or break off; a real one does not on demand."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from fairlead.errors import CapabilityError, ClusterError, FairleadError, NotFoundError
from fairlead.pipelines.artifact_client import ArtifactsClient, artifacts_of_run
from fairlead.pipelines.lineage import Tasks, lineage_of


class Service:
    """A pipelines service that answers what it is told to."""

    def __init__(self, answer=None, error=None, pieces=()):
        self.answer, self.error, self._pieces = answer, error, pieces
        self.asked = []

    def request(self, method, path, **more):
        self.asked.append(path)
        if self.error is not None:
            raise self.error
        return self.answer

    def pieces(self, path):
        return iter(self._pieces)


def failed(kind, code):
    error = kind("refused")
    error.code = code
    return error


def test_a_server_without_artifacts_is_said_to_have_none():
    for error in (failed(NotFoundError, 404), failed(FairleadError, 501)):
        with pytest.raises(CapabilityError, match="no artifact service"):
            ArtifactsClient(Service(error=error)).page()
    with pytest.raises(NotFoundError):
        ArtifactsClient(Service(error=failed(NotFoundError, 404))).get("x")
    with pytest.raises(FairleadError, match="refused"):
        ArtifactsClient(Service(error=failed(FairleadError, 403))).page()


def test_bytes_are_decoded_however_the_answer_is_cut():
    data = bytes(range(256)) * 3
    text = b'{ "data" : "' + base64.b64encode(data) + b'"}'
    for size in (1, 3, 7, 1000):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        read = ArtifactsClient(Service(pieces=pieces)).read("r", "n", "a")
        assert b"".join(read) == data


@pytest.mark.parametrize("text", [b'{"data":"QUJD', b'{"data":"$$$$"}'])
def test_an_answer_that_breaks_off_is_an_error(text):
    with pytest.raises(ClusterError):
        list(ArtifactsClient(Service(pieces=[text])).read("r", "n", "a"))


def test_an_empty_artifact_has_no_bytes():
    assert list(ArtifactsClient(Service(pieces=[b'{"data":""}'])).read("r", "n", "a")) == []


def test_a_name_goes_into_the_filter_as_it_is():
    service = Service(answer={})
    ArtifactsClient(service).page(name='a"&b', types=["Model"])
    query = parse_qs(urlsplit(service.asked[0]).query)
    name, kind = json.loads(query["filter"][0])["predicates"]
    assert (name["string_value"], kind["string_values"]) == ('a"&b', {"values": ["Model"]})


def task(task_id, parent="", made=()):
    entries = [{"artifact_key": key, "artifacts": [{"artifact_id": key}]} for key in made]
    return {
        "task_id": task_id,
        "parent_task_id": parent,
        "display_name": task_id,
        "outputs": {"artifacts": entries},
    }


RECORD = {
    "run_id": "r",
    "display_name": "run",
    "run_details": {
        "task_details": [
            task("scope", made=["data"]),
            task("inner", "scope", made=["data"]),
            task("use", made=["model"]),
        ]
    },
}


def link(artifact, task, kind="OUTPUT"):
    return {"artifact_id": artifact, "task_id": task, "run_id": "r", "type": kind, "key": artifact}


LINKS = [
    link("data", "scope"),
    link("data", "inner"),
    link("data", "use", "TASK_OUTPUT_INPUT"),
    link("model", "use"),
]


def test_what_a_scope_gives_out_was_made_by_the_task_in_it():
    assert [(one["task_id"], key) for one, key, _ in artifacts_of_run(RECORD)] == [
        ("inner", "data"),
        ("use", "model"),
    ]


@pytest.mark.parametrize("root", ["data", "model"])
def test_lineage_leaves_scopes_out_and_is_the_same_from_either_end(root):
    found = lineage_of(
        {"artifact_id": root, "name": root},
        lambda ids: [one for one in LINKS if one["artifact_id"] in set(ids)],
        lambda ids: [one for one in LINKS if one["task_id"] in set(ids)],
        lambda ids: {one: {"name": one} for one in ids},
        Tasks(lambda run_id: RECORD),
    )
    edges = {(one["source"], one["target"]) for one in found["edges"]}
    assert edges == {
        ("task/inner", "artifact/data"),
        ("artifact/data", "task/use"),
        ("task/use", "artifact/model"),
    }
    assert {one["name"] for one in found["nodes"]} == {"inner", "data", "use", "model"}
    assert not found["more"]
