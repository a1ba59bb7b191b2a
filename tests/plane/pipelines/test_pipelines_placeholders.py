"""Values in commands: put in as they are, never read again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead_plane.pipelines.placeholders import (
    Context,
    Template,
    fill_constant,
    local_path,
    parse_argument,
    resolve_all,
)
from fairlead_plane.pipelines.values import to_text

MESSAGE = {
    "inputs": {
        "parameterValues": {"text": "it's", "number": 3, "rate": 1e21, "flag": True, "list": [1]},
        "artifacts": {
            "model": {
                "artifacts": [
                    {"name": "m", "uri": "s3://bucket/m", "metadata": {"size": 5, "kind": "tree"}}
                ]
            }
        },
    },
    "outputs": {
        "parameters": {"score": {"outputFile": "/o/score"}},
        "artifacts": {"plot": {"artifacts": [{"name": "plot", "uri": "/o/plot", "metadata": {}}]}},
        "outputFile": "/o/executor_output.json",
    },
}
CONTEXT = Context(
    MESSAGE, json.dumps(MESSAGE), {"pipeline_job_name": "job-1"}, frozenset({"text", "none"})
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{$}}", json.dumps(MESSAGE)),
        ("{{$.json_escape[1]}}", json.dumps(json.dumps(MESSAGE))[1:-1]),
        ("a={{$.inputs.parameters['text']}}!", "a=it's!"),
        ("{{$.inputs.parameters['number']}}", "3"),
        ("{{$.inputs.parameters['rate']}}", "1000000000000000000000"),
        ("{{$.inputs.parameters['flag']}}", "true"),
        ("{{$.inputs.parameters['list']}}", "[1]"),
        ("{{$.inputs.parameters['text'].json_escape[0]}}", "it's"),
        ("{{$.inputs.artifacts['model'].uri}}", "s3://bucket/m"),
        ("{{$.inputs.artifacts['model'].path}}", "/s3/bucket/m"),
        ("{{$.inputs.artifacts['model'].name}}", "m"),
        ("{{$.inputs.artifacts['model'].metadata['kind']}}", "tree"),
        ("{{$.inputs.artifacts['model'].metadata}}", '{"size":5,"kind":"tree"}'),
        ("{{$.outputs.parameters['score'].output_file}}", "/o/score"),
        ("{{$.outputs.artifacts['plot'].path}}", "/o/plot"),
        ("{{$.outputs.output_file}}", "/o/executor_output.json"),
        ("{{$.outputs.outputFile}}", "/o/executor_output.json"),
        ("{{$.pipeline_job_name}}", "job-1"),
        # An optional input without a value is null; what refers to nothing is plain text.
        ("{{$.inputs.parameters['none']}}", "null"),
        ("{{$.inputs.parameters['other']}}", "{{$.inputs.parameters['other']}}"),
        ("{{$.anything}} {{$", "{{$.anything}} {{$"),
    ],
)
def test_a_placeholder_becomes_its_value(template, text):
    assert Template.parse(template).resolve(CONTEXT) == text


@given(
    st.text()
    | st.sampled_from(["{{$}}", "{{$.outputs.output_file}}", '{"Concat": ["a"]}', "'\"\n$(x)`"])
)
def test_a_value_is_never_read_as_a_placeholder_or_as_code(value):
    message = {"inputs": {"parameterValues": {"x": value}}, "outputs": {"outputFile": "/o"}}
    context = Context(message, json.dumps(message), {}, frozenset({"x"}))
    arguments = [
        parse_argument(text)
        for text in ("{{$.inputs.parameters['x']}}", "<{{$.inputs.parameters['x']}}>", "{{$}}")
    ]
    plain, wrapped, whole = (resolve_all([one], context)[0] for one in arguments)
    assert plain == value
    assert wrapped == f"<{value}>"
    assert json.loads(whole)["inputs"]["parameterValues"]["x"] == value


def test_concat_and_if_present_take_what_is_there():
    arguments = [
        parse_argument(json.dumps({"Concat": ["--m=", "{{$.inputs.artifacts['model'].uri}}"]})),
        parse_argument(
            json.dumps(
                {"IfPresent": {"InputName": "text", "Then": ["--text", "yes"], "Else": "no"}}
            )
        ),
        parse_argument(
            json.dumps({"IfPresent": {"InputName": "none", "Then": ["a"], "Else": ["b", "c"]}})
        ),
        parse_argument(json.dumps({"IfPresent": {"InputName": "none", "Then": "a"}})),
    ]
    assert resolve_all(arguments, CONTEXT) == ["--m=s3://bucket/m", "--text", "yes", "b", "c"]


def test_a_constant_takes_upstream_values_at_any_depth():
    constant = {"a": ["{{$.inputs.parameters['pipelinechannel--up-Output']}}!"], "b": 1}
    channels = {"pipelinechannel--up-Output": "{{$}}"}
    assert fill_constant(constant, channels, {}) == {"a": ["{{$}}!"], "b": 1}


def test_source_code_in_a_constant_stays_as_it_was_written():
    step = {
        "cells": [
            {"id": "a", "source": "'{{$}} {{$.inputs.parameters[\\'x\\']}} {{$.pipeline_root}}'"}
        ]
    }
    assert fill_constant(step, {"x": 1}, {"pipeline_root": "/r"}) == step


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_without_exponent_and_reads_back(value):
    text = to_text(value)
    assert "e" not in text.lower()
    assert float(text) == value


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/data/a", "/data/a"),
        ("file:///data/a", "/data/a"),
        ("gs://b/a", "/gcs/b/a"),
        ("s3://b/a", "/s3/b/a"),
        ("minio://b/a", "/minio/b/a"),
    ],
)
def test_an_artifact_lies_where_kfp_puts_it(uri, path):
    assert local_path(uri) == path
