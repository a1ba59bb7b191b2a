"""A pipeline whose tasks write one artifact of every kind, and a run of it."""

from __future__ import annotations

PAGE = """<h1>Report</h1><p id="said">nothing yet</p>
<script>
const said = [];
const attempt = (name, act) => {
  try { said.push(name + ": " + act()); } catch (error) { said.push(name + " refused"); }
};
attempt("parent", () => parent.document.title);
attempt("cookies", () => document.cookie);
attempt("storage", () => localStorage.length);
attempt("top", () => { top.location.href = "about:blank"; return "moved"; });
attempt("window", () => (window.open("about:blank") ? "opened" : "none"));
fetch("/api/contents").then(() => "fetched", () => "fetch refused").then(word => {
  said.push(word);
  document.getElementById("said").textContent = said.join(", ");
});
</script>"""
"""A page of a task that tries to reach the page around it."""

PNG = (
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478"
    "9c6360606060000000050001a5f645400000000049454e44ae426082"
)
WRITE = (
    f"PAGE = {PAGE!r}\nPNG = {PNG!r}\n"
    + """
import json, os, sys
message = json.loads(sys.argv[1])
made = message["outputs"]["artifacts"]
def uri(name):
    path = made[name]["artifacts"][0]["uri"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path
open(uri("page"), "w").write(PAGE)
open(uri("notes"), "w").write("# Notes\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\n"
                             "<img src=x onerror='window.touched = 1'>")
open(uri("picture"), "wb").write(bytes.fromhex(PNG))
open(uri("rows"), "w").write("a,b\\n" + "1,2\\n" * 100)
open(uri("large"), "wb").write(b"0123456789abcde\\n" * (1 << 17))
roc = [{"confidenceThreshold": t, "recall": r, "falsePositiveRate": f}
       for t, r, f in ((1.0, 0, 0), (0.5, 0.8, 0.2), (0.0, 1, 1))]
matrix = {"annotationSpecs": [{"displayName": "no"}, {"displayName": "yes"}],
          "rows": [{"row": [8, 2]}, {"row": [1, 9]}]}
sliced = [{"slice": name, "sliceClassificationMetrics": {"confidenceMetrics": [
    {"confidenceThreshold": 1 - n / 20, "recall": (n / 20) ** power, "falsePositiveRate": n / 20}
    for n in range(21)]}} for name, power in (("young", 0.3), ("old", 0.7))]
metadata = {"slices": {"evaluationSlices": sliced}, "scores": {"accuracy": 0.9, "rows": 100},
            "curves": {"confidenceMetrics": roc, "confusionMatrix": matrix}}
open_output = message["outputs"]["outputFile"]
os.makedirs(os.path.dirname(open_output), exist_ok=True)
written = {name: {"artifacts": [
    {"name": name, "uri": one["artifacts"][0]["uri"], "metadata": metadata.get(name, {})}]}
    for name, one in made.items()}
parts = [uri("parts") + end for end in ("-first", "-second")]
for part in parts:
    open(part, "w").write(part.rpartition("-")[2])
written["parts"] = {"artifacts": [{"name": "parts", "uri": part} for part in parts]}
json.dump({"artifacts": written}, open(open_output, "w"))
"""
)
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
    "slices": "SlicedClassificationMetrics",
    "notes": "Markdown",
    "picture": "Artifact",
    "parts": "Dataset",
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
                    "artifacts": {
                        **{name: kind(title) for name, title in TYPES.items()},
                        "parts": {**kind("Dataset"), "isArtifactList": True},
                    }
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
