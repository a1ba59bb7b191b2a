"""Settings of steps are read, checked, joined and written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fairlead.pipelines.setting_formats import FORMATS, seconds_of
from fairlead.pipelines.step_settings import (
    SCHEMA,
    Reference,
    RetryPolicy,
    StepSettings,
    check_settings,
    check_step,
    merge_settings,
    read_settings,
    write_settings,
)

WHOLE: dict[str, Any] = {
    "resources": {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"},
    "packages": ["pandas==2.2.1"],
    "image": "ghcr.io/me/train:1",
    "cache": False,
    "retries": {
        "maxRetryCount": 3,
        "backoffDuration": "10s",
        "backoffFactor": 3.0,
        "backoffMaxDuration": "300s",
    },
    "timeout": 1800,
    "env": {"MODE": "fast"},
    "secrets": [{"secret": "key", "env": {"TOKEN": "token"}}, {"secret": "key", "path": "/mnt/s"}],
    "configMaps": [{"configMap": "conf", "env": {"LEVEL": "level"}, "path": "/mnt/c"}],
    "volumes": [{"claim": "data", "path": "/data"}],
    "labels": {"team": "vision"},
    "annotations": {"example.com/note": "any text"},
    "forEach": True,
    "parallelism": 4,
}


def first(given: Any) -> tuple[str, str, str]:
    """Return path, message and hint of the only problem of some settings."""
    problems = check_settings(given)
    assert len(problems) == 1, problems
    return problems[0].path, problems[0].message, problems[0].hint


def test_all_settings_are_read_and_written_as_they_were() -> None:
    assert check_settings(WHOLE) == [] == check_step(WHOLE)
    settings = read_settings(WHOLE)
    assert settings == StepSettings(
        resources={"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"},
        packages=("pandas==2.2.1",),
        image="ghcr.io/me/train:1",
        cache=False,
        retries=RetryPolicy(3, 10.0, 3.0, 300.0),
        timeout_s=1800,
        env={"MODE": "fast"},
        secrets=(Reference("key", {"TOKEN": "token"}), Reference("key", path="/mnt/s")),
        config_maps=(Reference("conf", {"LEVEL": "level"}, "/mnt/c"),),
        volumes={"/data": "data"},
        labels={"team": "vision"},
        annotations={"example.com/note": "any text"},
        for_each=True,
        parallelism=4,
    )
    assert write_settings(settings) == WHOLE


def test_no_settings_are_the_defaults_and_are_written_as_nothing() -> None:
    assert read_settings({}) == StepSettings()
    assert write_settings(StepSettings()) == {}
    assert write_settings(read_settings({"packages": [], "retries": 0})) == {
        "packages": [],
        "retries": 0,
    }


def test_the_schema_is_one_and_says_of_each_field_what_a_form_needs() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(WHOLE, SCHEMA)
    for name, one in SCHEMA["properties"].items():
        assert all(one[word] for word in ("title", "description", "type")), name


@pytest.mark.parametrize(
    ("given", "path", "says", "hint"),
    [
        ({"resorces": {}}, "fairlead.resorces", "is not a setting", "`resources`?"),
        ({"Image": "x"}, "fairlead.Image", "is not a setting", "`image`?"),
        ({"dependsOn": "x"}, "fairlead.dependsOn", "is not a setting", "`after`?"),
        ({"zzz": 1}, "fairlead.zzz", "is not a setting", "one of `step`"),
        ({"resources": {"gpu": 1}}, "fairlead.resources.gpu", "`cpu`", "`nvidia.com/gpu`?"),
        ({"resources": {"memroy": 1}}, "fairlead.resources.memroy", "`cpu`", "`memory`?"),
        ({"resources": {"memory": "4GB"}}, "fairlead.resources.memory", "'4GB'", ""),
        ({"resources": {"cpu": "-1"}}, "fairlead.resources.cpu", "above 0", ""),
        ({"resources": "2"}, "fairlead.resources", "an object", "nvidia.com/gpu"),
        ({"packages": "pandas"}, "fairlead.packages", "a list", "pandas==2.2.1"),
        ({"packages": ["pandas = 2"]}, "fairlead.packages[0]", "requirement", ""),
        ({"image": "python 3"}, "fairlead.image", "an image", "python:3.11"),
        ({"image": 3}, "fairlead.image", "an image", ""),
        ({"cache": "no"}, "fairlead.cache", "true or false", ""),
        ({"retries": True}, "fairlead.retries", "a whole number", ""),
        ({"retries": -1}, "fairlead.retries", "at least 0", ""),
        ({"retries": {"maxRetries": 1, "maxRetryCount": 1}}, "fairlead.retries.maxRetries", "", ""),
        ({"retries": {}}, "fairlead.retries", "no `maxRetryCount`", ""),
        (
            {"retries": {"maxRetryCount": 1, "backoffDuration": "soon"}},
            "fairlead.retries.backoffDuration",
            "duration",
            "",
        ),
        ({"timeout": "30 minutes"}, "fairlead.timeout", "duration", "30m"),
        ({"timeout": "500ms"}, "fairlead.timeout", "whole seconds", ""),
        ({"env": {"1X": "a"}}, "fairlead.env.1X", "environment variable", ""),
        ({"env": {"X": 1}}, "fairlead.env.X", "a text", ""),
        ({"secrets": [{"secret": "Big", "path": "/s"}]}, "fairlead.secrets[0].secret", "name", ""),
        ({"secrets": [{"secret": "s"}]}, "fairlead.secrets[0]", "neither `env` nor `path`", ""),
        ({"secrets": [{"secret": "s", "path": "s"}]}, "fairlead.secrets[0].path", "absolute", ""),
        ({"secrets": [{"configMap": "s", "secret": "s", "path": "/s"}]}, "", "", ""),
        ({"configMaps": [{"path": "/s"}]}, "fairlead.configMaps[0]", "no `configMap`", ""),
        ({"volumes": [{"claim": "d"}]}, "fairlead.volumes[0]", "no `path`", ""),
        ({"volumes": {"claim": "d", "path": "/d"}}, "fairlead.volumes", "a list", ""),
        ({"labels": {"a b": "c"}}, "fairlead.labels.a b", "key", ""),
        ({"labels": {"a": "b c"}}, "fairlead.labels.a", "label", ""),
        ({"parallelism": 0}, "fairlead.parallelism", "at least 1", ""),
        ({"forEach": "xs"}, "fairlead.forEach", "true or false", "`for` statement"),
        ([], "fairlead", "an object", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_path_and_the_nearest_right_word(
    given: Any, path: str, says: str, hint: str
) -> None:
    found_path, message, found_hint = first(given)
    assert path in found_path
    assert says in message
    assert hint in found_hint
    assert found_hint


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"env": {"A": "1"}, "secrets": [{"secret": "s", "env": {"A": "k"}}]}, "A"),
        (
            {
                "volumes": [{"claim": "c", "path": "/d"}],
                "configMaps": [{"configMap": "m", "path": "/d/"}],
            },
            "/d",
        ),
        ({"resources": {"nvidia.com/gpu": 1, "amd.com/gpu": 1}}, "amd.com/gpu"),
        ({"resources": {"nvidia.com/gpu": "500m"}}, "nvidia.com/gpu"),
        ({"parallelism": 2}, "parallelism"),
        ({"forEach": True, "if": True}, "if"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given: Any, name: str) -> None:
    assert check_settings(given) == []
    assert name in {problem.name for problem in check_step(given)}


def test_cells_of_a_step_add_to_its_settings_and_may_not_contradict() -> None:
    one = {"step": "a", "resources": {"cpu": "1"}, "packages": ["x"], "cache": False}
    two = {"step": "A", "resources": {"memory": "1Gi"}, "packages": ["x", "y"], "cache": False}
    assert merge_settings(one, two) == (
        {
            "step": "A",
            "resources": {"cpu": "1", "memory": "1Gi"},
            "packages": ["x", "y"],
            "cache": False,
        },
        [],
    )
    _, problems = merge_settings(one, {"resources": {"cpu": "2"}, "cache": True})
    assert [problem.path for problem in problems] == ["fairlead.resources.cpu", "fairlead.cache"]


def test_durations_are_seconds_or_as_go_writes_them() -> None:
    given = [90, 1.5, "90", "1h30m", "1.5h", "10s", "250ms", "1x", "", "m", None, True]
    expected = [90, 1.5, 90, 5400, 5400, 10, 0.25, None, None, None, None, None]
    assert [seconds_of(one) for one in given] == expected


def test_every_format_has_words() -> None:
    assert all(words for _, words in FORMATS.values())


def test_the_readmes_settings_are_right_and_are_all_there_are() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    block = re.search(r"<!-- settings -->\n```json\n(.*?)```", readme, re.DOTALL)
    assert block is not None
    given = json.loads(block.group(1))["fairlead"]
    assert check_settings(given) == [] == check_step(given)
    rest = {"metrics", "forEach", "parallelism", "if", "component"}
    assert set(SCHEMA["properties"]) - set(given) == rest
