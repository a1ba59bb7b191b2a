"""Artifacts in an object store: a real S3 server on loopback, real steps."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
import yaml

from .gcs_gate import gcs_in_front_of

MOTO_VARIABLE = "FAIRLEAD_TEST_MOTO_PYTHON"
KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"

WRITE = """
import os, sys
path, text = sys.argv[1:]
assert path.startswith("/s3/"), path
assert not any(name.startswith("FAIRLEAD_OBJECTS") for name in os.environ)
assert "top" + "secret" not in str(os.environ)
os.makedirs(os.path.dirname(path), exist_ok=True)
open(path, "w").write(text)
print("wrote", text)
"""
READ = """
import os, sys
source, target = sys.argv[1:]
os.makedirs(target + "/inner")
open(target + "/inner/copy", "w").write(open(source).read() * 2)
open(target + "/top", "w").write("top")
"""
COUNT = """
import os, sys
folder, target = sys.argv[1:]
names = sorted(os.path.relpath(os.path.join(at, name), folder)
               for at, _, found in os.walk(folder) for name in found)
open(target, "w").write(",".join(names))
"""


class Bucket:
    """One bucket of a real S3 server, by plain requests."""

    def __init__(self, port):
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    def send(self, method, key="", data=None):
        request = urllib.request.Request(f"{self.endpoint}/bucket{key}", data, method=method)
        request.add_header("Content-Type", "application/octet-stream")
        # It checks no signature, but wants one for what is not public.
        scope = "test/20260101/us-east-1/s3/aws4_request"
        request.add_header("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}")
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def keys(self):
        import xml.etree.ElementTree as trees

        found = trees.fromstring(self.send("GET", "?list-type=2"))
        return [one.text for one in found.iter() if one.tag.endswith("}Key")]


@pytest.fixture(scope="module")
def bucket():
    """A bucket `bucket` of an S3 server in a process of its own."""
    python = os.environ.get(MOTO_VARIABLE)
    if not python:
        pytest.skip(f"{MOTO_VARIABLE} names no Python that has moto[server]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    made = Bucket(port)
    try:
        while True:
            try:
                made.send("PUT")
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, "the S3 server does not start"
                time.sleep(0.1)
        yield made
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def configured(core, bucket):
    """Make the Secret of KFP and its settings; take them away again."""
    secret = {
        "metadata": {"name": "mlpipeline-minio-artifact"},
        "stringData": {"accesskey": "minio", "secretkey": "topsecret"},
    }
    provider = {
        "default": {
            "endpoint": bucket.endpoint,
            "region": "us-east-1",
            "credentials": {
                "fromEnv": False,
                "secretRef": {
                    "secretName": "mlpipeline-minio-artifact",
                    "accessKeyKey": "accesskey",
                    "secretKeyKey": "secretkey",
                },
            },
        }
    }
    providers = yaml.safe_dump({"s3": provider, "minio": provider})
    settings = {"metadata": {"name": "kfp-launcher"}, "data": {"providers": providers}}
    core.create_namespaced_secret("kubeflow", secret)
    core.create_namespaced_config_map("kubeflow", settings)
    yield settings
    core.delete_namespaced_secret("mlpipeline-minio-artifact", "kubeflow")
    core.delete_namespaced_config_map("kfp-launcher", "kubeflow")


def three_steps(ir, cache=True, text="hello"):
    """Write a file, make a folder of it, count what is in the folder."""
    write, read, count = (ir.executor(source) for source in (WRITE, READ, COUNT))
    write["args"] = ["{{$.outputs.artifacts['data'].path}}", "{{$.inputs.parameters['text']}}"]
    read["args"] = ["{{$.inputs.artifacts['data'].path}}", "{{$.outputs.artifacts['tree'].path}}"]
    count["args"] = [
        "{{$.inputs.artifacts['tree'].path}}",
        "{{$.outputs.parameters['names'].output_file}}",
    ]
    components = {
        "write": ir.component("write", [("text", "STRING")], made=["data"]),
        "read": ir.component("read", [], ["data"], made=["tree"]),
        "count": ir.component("count", [], ["tree"], out=[("names", "STRING")]),
    }
    tasks = [
        ir.task("write", "write", (), cache, text=text),
        ir.task("read", "read", ["write"], cache, {"data": ("write", "data")}),
        ir.task("count", "count", ["read"], cache, {"tree": ("read", "tree")}),
    ]
    return ir.pipeline(tasks, components, {"write": write, "read": read, "count": count})


def start(rest, spec, root="s3://bucket/runs"):
    body = {
        "display_name": "objects",
        "pipeline_spec": spec,
        "runtime_config": {"pipeline_root": root},
    }
    return rest.until(rest.call("POST", "runs", body)["run_id"])


def artifact_of(seen, run, task):
    return seen.details(run)[task]["outputs"]["artifacts"][0]["artifacts"][0]


def test_steps_pass_files_and_folders_through_a_bucket(
    ir, connect, shared_plane, core, bucket, configured, seen
):
    rest = connect(shared_plane)
    run = start(rest, three_steps(ir))
    assert run["state"] == "SUCCEEDED", run.get("error")
    workflow = artifact_of(seen, run, "write")["uri"].split("/")[4]
    assert artifact_of(seen, run, "write")["uri"] == f"s3://bucket/runs/{workflow}/write/1/data"
    assert [key for key in bucket.keys() if f"/{workflow}/" in key] == [
        f"runs/{workflow}/read/1/tree/inner/copy",
        f"runs/{workflow}/read/1/tree/top",
        f"runs/{workflow}/write/1/data",
    ]
    assert bucket.send("GET", f"/runs/{workflow}/read/1/tree/inner/copy") == b"hellohello"
    names = seen.details(run)["count"]["outputs"]["parameters"][0]["value"]
    assert names == "inner/copy,top"
    assert artifact_of(seen, run, "write")["size"] == 5

    # Its bytes are read through the plane, a folder as an archive.
    base = f"runs/{run['run_id']}/nodes"
    answer = rest.call("GET", f"{base}/write/artifacts/data:read")
    assert base64.b64decode(answer["data"]) == b"hello"
    assert rest.call("GET", f"{base}/read/artifacts/tree:read")["data"].startswith("H4sI")

    # No secret is in a manifest or a log.
    pods = core.list_namespaced_pod("kubeflow", label_selector=f"pipeline/runid={run['run_id']}")
    assert len(pods.items) == 3
    assert "topsecret" not in str(pods)
    logs = [core.read_namespaced_pod_log(pod.metadata.name, "kubeflow") for pod in pods.items]
    assert "wrote hello\n" in logs
    assert "topsecret" not in "".join(logs) + shared_plane.log

    # The run goes, what is in the user's bucket stays.
    rest.call("DELETE", f"runs/{run['run_id']}")
    assert f"runs/{workflow}/write/1/data" in bucket.keys()


def test_a_cached_object_is_looked_at_before_it_is_taken(
    ir, connect, shared_plane, bucket, configured, seen
):
    rest = connect(shared_plane)
    first = start(rest, three_steps(ir, text="cached"))
    again = start(rest, three_steps(ir, text="cached"))
    assert set(seen.states(again).values()) == {"CACHED"}
    uri = artifact_of(seen, first, "write")["uri"]
    bucket.send("PUT", uri.removeprefix("s3://bucket"), b"changed")
    third = start(rest, three_steps(ir, text="cached"))
    write = seen.details(third)["write"]
    assert write["state"] == "SUCCEEDED"
    assert "is gone or was changed" in write["status_metadata"]["custom_properties"]["cache"]
    # The same content at another place: what follows need not run again.
    assert seen.states(third)["read"] == "CACHED"


def test_a_bucket_that_is_not_there_fails_the_step_in_words(
    ir, connect, shared_plane, core, configured
):
    rest = connect(shared_plane)
    run = start(rest, three_steps(ir, cache=False), root="s3://none/runs")
    assert run["state"] == "FAILED"
    assert "s3://none cannot be written to" in run["error"]["message"]
    assert "topsecret" not in str(run)


def test_wrong_settings_and_a_missing_endpoint_are_said(
    ir, connect, shared_plane, core, bucket, configured
):
    rest = connect(shared_plane)
    configured["data"]["providers"] = "s3: {default: {credentials: {secretRef: {}}}}"
    core.replace_namespaced_config_map("kfp-launcher", "kubeflow", configured)
    run = start(rest, three_steps(ir, cache=False))
    assert "s3.default.credentials.secretRef: `secretName` is missing" in run["error"]["message"]
    configured["data"]["providers"] = ""
    core.replace_namespaced_config_map("kfp-launcher", "kubeflow", configured)
    run = start(rest, three_steps(ir, cache=False), root="minio://bucket/runs")
    assert "nothing says where minio://bucket is" in run["error"]["message"]


def test_the_steps_own_variables_count_and_settings_can_name_the_root(
    ir, connect, shared_plane, core, bucket, configured, seen
):
    rest = connect(shared_plane)
    configured["data"] = {"defaultPipelineRoot": "s3://bucket/runs/by-default"}
    core.replace_namespaced_config_map("kfp-launcher", "kubeflow", configured)
    spec = three_steps(ir, cache=False)
    for one in spec["deploymentSpec"]["executors"].values():
        one["container"]["env"] = [
            {"name": "AWS_ENDPOINT_URL", "value": bucket.endpoint},
            {"name": "AWS_ACCESS_KEY_ID", "value": "mine"},
            {"name": "AWS_SECRET_ACCESS_KEY", "value": "also mine"},
        ]
    run = start(rest, spec, root="")
    pods = core.list_namespaced_pod("kubeflow", label_selector=f"pipeline/runid={run['run_id']}")
    logs = [core.read_namespaced_pod_log(pod.metadata.name, "kubeflow") for pod in pods.items]
    assert run["state"] == "SUCCEEDED", (logs, run["error"])
    uri = artifact_of(seen, run, "write")["uri"]
    assert uri.startswith("s3://bucket/runs/by-default/")


def test_an_imported_object_that_changed_is_read_again(
    ir, connect, shared_plane, bucket, configured, seen
):
    read = ir.executor("import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read())")
    read["args"] = [
        "{{$.inputs.artifacts['data'].path}}",
        "{{$.outputs.parameters['text'].output_file}}",
    ]
    components = {
        "import": ir.component("import", made=["artifact"]),
        "read": ir.component("read", [], ["data"], out=[("text", "STRING")]),
    }
    tasks = [
        ir.task("import", "import"),
        ir.task("read", "read", ["import"], True, {"data": ("import", "artifact")}),
    ]
    spec = ir.pipeline(tasks, components, {"read": read})
    spec["deploymentSpec"]["executors"]["import"] = {
        "importer": {
            "artifactUri": {"constant": "s3://bucket/given/file.txt"},
            "typeSchema": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"},
        }
    }
    rest = connect(shared_plane)
    said = []
    for content in (b"one", b"one", b"two"):
        bucket.send("PUT", "/given/file.txt", content)
        run = start(rest, spec, root="")
        task = seen.details(run)["read"]
        said.append((task["state"], task["outputs"]["parameters"][0]["value"]))
    assert said == [("SUCCEEDED", "one"), ("CACHED", "one"), ("SUCCEEDED", "two")]


@pytest.mark.parametrize("field", ["customPath", "custom_path"])
def test_what_a_step_wrote_at_a_path_and_for_a_uri_of_its_own_is_put_there(
    ir, connect, shared_plane, bucket, configured, seen, field
):
    source = f"""
import json, os, sys
message = json.loads(sys.argv[1])
path = os.path.join(os.environ["TMPDIR"], "elsewhere")
open(path, "w").write("mine")
made = {{"name": "data", "uri": "s3://bucket/chosen/{field}", "{field}": path}}
output = {{"artifacts": {{"data": {{"artifacts": [made]}}}}}}
open(message["outputs"]["outputFile"], "w").write(json.dumps(output))
"""
    spec = ir.pipeline(
        [ir.task("a", "c")], {"c": ir.component("e", made=["data"])}, {"e": ir.executor(source)}
    )
    run = start(connect(shared_plane), spec)
    assert run["state"] == "SUCCEEDED", run.get("error")
    assert artifact_of(seen, run, "a")["uri"] == f"s3://bucket/chosen/{field}"
    assert bucket.send("GET", f"/chosen/{field}") == b"mine"


COMPONENTS = """
import sys, warnings
warnings.simplefilter("ignore")
from kfp import compiler, dsl

@dsl.component(install_kfp_package=False)
def write(data: dsl.Output[dsl.Dataset], metrics: dsl.Output[dsl.Metrics]):
    with open(data.path, "w") as file:
        file.write("by kfp")
    data.metadata["rows"] = 1
    metrics.log_metric("score", 0.5)

@dsl.component(install_kfp_package=False)
def read(data: dsl.Input[dsl.Dataset], metrics: dsl.Input[dsl.Metrics]) -> str:
    with open(data.path) as file:
        return f"{file.read()} {data.metadata['rows']} {metrics.metadata['score']} {data.path[:11]}"

@dsl.pipeline(name="objects-with-kfp")
def pipeline():
    made = write()
    read(data=made.outputs["data"], metrics=made.outputs["metrics"])

compiler.Compiler().compile(pipeline, sys.argv[1])
"""


def test_components_of_kfp_read_and_write_objects_as_files(
    connect, shared_plane, bucket, configured, seen, tmp_path
):
    python = os.environ.get(KFP_VARIABLE)
    if not python:
        pytest.skip(f"{KFP_VARIABLE} names no Python that has kfp 2.17")
    package, source = tmp_path / "pipeline.yaml", tmp_path / "pipeline.py"
    source.write_text(COMPONENTS)
    subprocess.run([python, str(source), str(package)], check=True, capture_output=True)
    spec = yaml.safe_load(package.read_text())
    metadata = {"podMetadata": {"annotations": {"fairlead.dev/interpreter": python}}}
    executors = {label: metadata for label in spec["deploymentSpec"]["executors"]}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    run = start(connect(shared_plane), {"pipeline_spec": spec, "platform_spec": platform})
    assert run["state"] == "SUCCEEDED", run.get("error")
    said = seen.details(run)["read"]["outputs"]["parameters"][0]["value"]
    assert said == "by kfp 1 0.5 /s3/bucket/"


def test_gs_is_used_as_s3_is_with_the_key_of_a_service_account(
    ir, connect, shared_plane, core, bucket, seen
):
    reference = {"secretName": "user-gcp-sa", "tokenKey": "key.json"}
    providers = {"gs": {"default": {"credentials": {"fromEnv": False, "secretRef": reference}}}}
    settings = {
        "metadata": {"name": "kfp-launcher"},
        "data": {"providers": yaml.safe_dump(providers)},
    }
    spec = three_steps(ir, cache=True, text="from gs")
    write = spec["deploymentSpec"]["executors"]["write"]["container"]
    write["command"][-1] = WRITE.replace("/s3/", "/gcs/")
    with gcs_in_front_of(bucket.port) as key:
        secret = {"metadata": {"name": "user-gcp-sa"}, "stringData": {"key.json": key}}
        core.create_namespaced_secret("kubeflow", secret)
        core.create_namespaced_config_map("kubeflow", settings)
        try:
            rest = connect(shared_plane)
            run = start(rest, spec, root="gs://bucket/runs")
            again = start(rest, spec, root="gs://bucket/runs")
        finally:
            core.delete_namespaced_secret("user-gcp-sa", "kubeflow")
            core.delete_namespaced_config_map("kfp-launcher", "kubeflow")
    assert run["state"] == "SUCCEEDED", run.get("error")
    uri = artifact_of(seen, run, "write")["uri"]
    assert uri.startswith("gs://bucket/runs/")
    assert bucket.send("GET", uri.removeprefix("gs://bucket")) == b"from gs"
    names = seen.details(run)["count"]["outputs"]["parameters"][0]["value"]
    assert names == "inner/copy,top"
    assert set(seen.states(again).values()) == {"CACHED"}
