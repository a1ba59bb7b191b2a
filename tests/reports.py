"""A pipeline whose tasks write one artifact of every kind, and a run of it."""

from __future__ import annotations

WRITE = """
import json, os, sys
message = json.loads(sys.argv[1])
made = message["outputs"]["artifacts"]
def uri(name):
    path = made[name]["artifacts"][0]["uri"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path
open(uri("page"), "w").write("<h1>Report</h1><script>parent.x = 1</script>")
open(uri("rows"), "w").write("a,b\\n" + "1,2\\n" * 100)
open(uri("large"), "wb").write(b"0123456789abcde\\n" * (1 << 17))
roc = [{"confidenceThreshold": t, "recall": r, "falsePositiveRate": f}
       for t, r, f in ((1.0, 0, 0), (0.5, 0.8, 0.2), (0.0, 1, 1))]
matrix = {"annotationSpecs": [{"displayName": "no"}, {"displayName": "yes"}],
          "rows": [{"row": [8, 2]}, {"row": [1, 9]}]}
metadata = {"scores": {"accuracy": 0.9, "rows": 100},
            "curves": {"confidenceMetrics": roc, "confusionMatrix": matrix}}
open_output = message["outputs"]["outputFile"]
os.makedirs(os.path.dirname(open_output), exist_ok=True)
json.dump({"artifacts": {name: {"artifacts": [
    {"name": name, "uri": one["artifacts"][0]["uri"], "metadata": metadata.get(name, {})}]}
    for name, one in made.items()}}, open(open_output, "w"))
"""
READ = """
import json, os, sys
message = json.loads(sys.argv[1])
rows = open(message["inputs"]["artifacts"]["rows"]["artifacts"][0]["uri"]).read()
path = message["outputs"]["artifacts"]["model"]["artifacts"][0]["uri"]
os.makedirs(os.path.dirname(path), exist_ok=True)
open(path, "w").write(str(len(rows)))
"""
TYPES = {
    "page": "HTML",
    "rows": "Dataset",
    "large": "Artifact",
    "scores": "Metrics",
    "curves": "ClassificationMetrics",
}


def kind(title):
    return {"artifactType": {"schemaTitle": f"system.{title}", "schemaVersion": "0.0.1"}}


def container(source):
    return {
        "container": {"image": "python", "command": ["python3", "-c", source], "args": ["{{$}}"]}
    }


def spec():
    link = {"taskOutputArtifact": {"producerTask": "write", "outputArtifactKey": "rows"}}
    return {
        "pipelineInfo": {"name": "reports"},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": {
            "dag": {
                "tasks": {
                    "write": {
                        "componentRef": {"name": "comp-write"},
                        "taskInfo": {"name": "write"},
                        "inputs": {
                            "parameters": {"rate": {"runtimeValue": {"constant": 0.5}}},
                        },
                    },
                    "read": {
                        "componentRef": {"name": "comp-read"},
                        "taskInfo": {"name": "read"},
                        "dependentTasks": ["write"],
                        "inputs": {"artifacts": {"rows": link}},
                    },
                }
            }
        },
        "components": {
            "comp-write": {
                "executorLabel": "write",
                "inputDefinitions": {"parameters": {"rate": {"parameterType": "NUMBER_DOUBLE"}}},
                "outputDefinitions": {
                    "artifacts": {name: kind(title) for name, title in TYPES.items()}
                },
            },
            "comp-read": {
                "executorLabel": "read",
                "inputDefinitions": {"artifacts": {"rows": kind("Dataset")}},
                "outputDefinitions": {"artifacts": {"model": kind("Model")}},
            },
        },
        "deploymentSpec": {"executors": {"write": container(WRITE), "read": container(READ)}},
    }


def run_reports(pipelines, name="reports"):
    """Run it to its end; returns the run's record."""
    run_id = pipelines.submit(name, spec(), {})["run_id"]
    *_, record = pipelines.changes(run_id)
    assert (record["state"], record.get("error")) == ("SUCCEEDED", None)
    return record
