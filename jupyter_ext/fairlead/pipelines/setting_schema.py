"""JSON Schema of `cell.metadata.fairlead`; what each field becomes is told in `step_settings`."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_VARIABLES: Json = {
    "type": "object",
    "description": "Variables, and the key that each takes its value from.",
    "propertyNames": {"format": "variable"},
    "additionalProperties": {"type": "string", "format": "key"},
}
_PATH: Json = {"type": "string", "format": "path", "description": "Folder in the container."}


def _objects(word: str) -> Json:
    return {
        "type": "object",
        "required": [word],
        "anyOf": [{"required": ["env"]}, {"required": ["path"]}],
        "additionalProperties": False,
        "properties": {
            word: {"type": "string", "format": "name", "description": "Name of the object."},
            "env": _VARIABLES,
            "path": _PATH,
        },
    }


SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Settings of a step",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "step": {
            "title": "Step",
            "description": "Name of the step that the cell belongs to.",
            "type": "string",
            "format": "text",
        },
        "after": {
            "title": "After",
            "description": "Steps that it waits for, also where no value goes between them.",
            "type": ["array", "string"],
            "items": {"type": "string", "format": "text"},
        },
        "resources": {
            "title": "Resources",
            "description": "CPU, memory and GPUs that it asks for, by Kubernetes' names.",
            "type": "object",
            "propertyNames": {"format": "resource"},
            "additionalProperties": {"type": ["string", "number"], "format": "quantity"},
            "examples": [{"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"}],
        },
        "packages": {
            "title": "Packages",
            "description": "What its environment needs beside the image, as pip takes it. "
            "Absent: what it imports, in the versions of this environment.",
            "type": "array",
            "items": {"type": "string", "format": "requirement"},
            "examples": [["pandas==2.2.1"]],
        },
        "image": {
            "title": "Image",
            "description": "Image of its container. Absent: Python, as the kernel has it.",
            "type": "string",
            "format": "image",
            "examples": ["python:3.11"],
        },
        "cache": {
            "title": "Cache",
            "description": "Whether an unchanged step is taken from an earlier run.",
            "type": "boolean",
            "default": True,
        },
        "retries": {
            "title": "Retries",
            "description": "How often it is tried again when it failed.",
            "type": ["integer", "object"],
            "minimum": 0,
            "required": ["maxRetryCount"],
            "additionalProperties": False,
            "properties": {
                "maxRetryCount": {"type": "integer", "minimum": 0},
                "backoffDuration": {
                    "description": "Wait before the first retry.",
                    "type": ["string", "number"],
                    "format": "duration",
                    "default": "0s",
                },
                "backoffFactor": {
                    "description": "By how much each wait is longer than the one before.",
                    "type": "number",
                    "minimum": 1,
                    "default": 2.0,
                },
                "backoffMaxDuration": {
                    "description": "Longest wait.",
                    "type": ["string", "number"],
                    "format": "duration",
                    "default": "3600s",
                },
            },
        },
        "timeout": {
            "title": "Timeout",
            "description": "After so long it is stopped, and has failed.",
            "type": ["string", "number"],
            "format": "time-limit",
            "examples": ["30m"],
        },
        "env": {
            "title": "Environment variables",
            "description": "Variables of its container.",
            "type": "object",
            "propertyNames": {"format": "variable"},
            "additionalProperties": {"type": "string"},
        },
        "secrets": {
            "title": "Secrets",
            "description": "Secrets as variables, or as a folder of files.",
            "type": "array",
            "items": _objects("secret"),
        },
        "configMaps": {
            "title": "ConfigMaps",
            "description": "ConfigMaps as variables, or as a folder of files.",
            "type": "array",
            "items": _objects("configMap"),
        },
        "volumes": {
            "title": "Volumes",
            "description": "PersistentVolumeClaims, each at a path.",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["claim", "path"],
                "additionalProperties": False,
                "properties": {
                    "claim": {
                        "type": "string",
                        "format": "name",
                        "description": "Name of the claim.",
                    },
                    "path": _PATH,
                },
            },
        },
        "labels": {
            "title": "Labels",
            "description": "Labels of its pod.",
            "type": "object",
            "propertyNames": {"format": "metadata-key"},
            "additionalProperties": {"type": "string", "format": "label"},
        },
        "annotations": {
            "title": "Annotations",
            "description": "Annotations of its pod.",
            "type": "object",
            "propertyNames": {"format": "metadata-key"},
            "additionalProperties": {"type": "string"},
        },
        "forEach": {
            "title": "Loop",
            "description": "The cell is one `for` statement; each of its turns is a task.",
            "type": "boolean",
            "default": False,
        },
        "parallelism": {
            "title": "Parallelism",
            "description": "How many turns of the loop run at a time.",
            "type": "integer",
            "minimum": 1,
        },
        "if": {
            "title": "Condition",
            "description": "The cell is one `if` statement; a branch runs only where it holds.",
            "type": "boolean",
            "default": False,
        },
        "metrics": {
            "title": "Metrics",
            "description": "Names whose numbers, after the cell, are metrics of the run.",
            "type": "array",
            "items": {"type": "string", "format": "text"},
        },
        "component": {
            "title": "Component",
            "description": "The cell is one typed function, and a component of its own.",
            "type": "boolean",
            "default": False,
        },
    },
}
"""JSON Schema of `cell.metadata.fairlead`, with the `format`s of `setting_formats`."""
