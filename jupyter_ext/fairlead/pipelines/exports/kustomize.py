"""A pipeline as a kustomize folder, for those who keep their clusters in Git.

`base` holds it as objects of Kubeflow Pipelines (`Pipeline`, `PipelineVersion`), for a server that
keeps pipelines in Kubernetes. `upload` is for one that keeps them in its database: a Job hands it
the compiled pipeline. The folder itself builds `base`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fairlead.errors import SpecError
from fairlead.names import PIPELINES_NAMESPACE, PIPELINES_SERVICE, dns_label

Json = dict[str, Any]

_GROUP = "pipelines.kubeflow.org/v2beta1"
_TOKEN = "/var/run/secrets/kubeflow/pipelines"
_LARGEST = 1_000_000
"""Characters of a spec that an object may hold: etcd refuses requests above 1.5 MiB."""

_UPLOAD = '''\
"""Hands a compiled pipeline to Kubeflow Pipelines: a new pipeline, or a new version of it."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

API = os.environ["KFP_URL"].rstrip("/") + "/apis/v2beta1"
NAME, VERSION = os.environ["PIPELINE_NAME"], os.environ["PIPELINE_VERSION"]
NAMESPACE = os.environ.get("PIPELINE_NAMESPACE", "")
TOKEN_FILE = os.environ.get("KF_PIPELINES_SA_TOKEN_PATH", "")


def call(path, data=None, kind="application/json"):
    headers = {"Content-Type": kind}
    if TOKEN_FILE and os.path.exists(TOKEN_FILE):
        with open(TOKEN_FILE) as file:
            headers["Authorization"] = "Bearer " + file.read().strip()
    request = urllib.request.Request(API + path, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def upload(path, **query):
    with open("/pipeline/pipeline.yaml", "rb") as file:
        content = file.read()
    edge = "fairlead-" + VERSION
    head = (
        f"--{edge}\\r\\nContent-Disposition: form-data; "
        'name="uploadfile"; filename="pipeline.yaml"\\r\\n'
        "Content-Type: application/octet-stream\\r\\n\\r\\n"
    )
    body = head.encode() + content + f"\\r\\n--{edge}--\\r\\n".encode()
    if NAMESPACE:
        query["namespace"] = NAMESPACE
    kind = "multipart/form-data; boundary=" + edge
    return call(f"/pipelines/{path}?" + urllib.parse.urlencode(query), body, kind)


scope = "?namespace=" + urllib.parse.quote(NAMESPACE) if NAMESPACE else ""
try:
    known = call("/pipelines/names/" + urllib.parse.quote(NAME) + scope)
except urllib.error.HTTPError as error:
    if error.code != 404:
        raise
    made = {"name": NAME, "display_name": NAME, "namespace": NAMESPACE}
    known = call("/pipelines", json.dumps(made).encode())
    print("made pipeline", known["pipeline_id"])
try:
    version = upload("upload_version", name=VERSION, pipelineid=known["pipeline_id"])
    print("made version", version["pipeline_version_id"])
except urllib.error.HTTPError as error:
    text = error.read().decode(errors="replace")
    if error.code != 409 and "already exist" not in text:
        raise SystemExit(f"{error}: {text}")
    print("version", VERSION, "is there already")
'''


def build_kustomize(
    spec: Json, platform: Mapping[str, Any], compiled: str, *, namespace: str = ""
) -> dict[str, Any]:
    """Build the files of a kustomize folder.

    Parameters
    ----------
    spec, platform
        PipelineSpec and PlatformSpec; the latter may be empty.
    compiled
        Both as YAML, as KFP takes them in an upload.
    namespace
        Namespace of the objects; default: `kubeflow`.

    Returns
    -------
    dict
        By path: a manifest, or a text. The version's name comes from the content, so that an
        unchanged pipeline is not another version.

    Raises
    ------
    SpecError
        It is too large for an object of Kubernetes.
    """
    size = len(json.dumps([spec, dict(platform)]))
    if size > _LARGEST:
        raise SpecError(
            f"The pipeline is {size / 1e6:.1f} MB, and an object of Kubernetes holds about 1 MB.",
            hint="Move modules and data out of the notebook, or split it.",
        )
    space = namespace or PIPELINES_NAMESPACE
    name = dns_label(str(spec["pipelineInfo"]["name"]))
    text = json.dumps([spec, dict(platform)], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    version = f"{dns_label(name, max_length=50)}-{digest}"
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "fairlead"}
    description = str(spec["pipelineInfo"].get("description") or "")
    return {
        "kustomization.yaml": _kustomization(resources=["base"]),
        "base/kustomization.yaml": _kustomization(
            namespace=space, resources=["pipeline.yaml", "pipelineversion.yaml"]
        ),
        "base/pipeline.yaml": _pipeline(name, description, labels),
        "base/pipelineversion.yaml": _version(name, version, spec, platform, labels),
        "upload/kustomization.yaml": _kustomization(
            namespace=space,
            resources=["job.yaml"],
            configMapGenerator=[
                {"name": f"{version}-upload", "files": ["pipeline.yaml", "upload.py"]}
            ],
            # A finished Job is not changed: each version has one of its own, by its name.
            generatorOptions={"disableNameSuffixHash": True, "labels": labels},
        ),
        "upload/job.yaml": _job(name, version, space, labels),
        "upload/pipeline.yaml": compiled,
        "upload/upload.py": _UPLOAD,
    }


def _kustomization(**fields: Any) -> Json:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **fields}


def _pipeline(name: str, description: str, labels: Json) -> Json:
    spec = {"displayName": name, **({"description": description} if description else {})}
    return {
        "apiVersion": _GROUP,
        "kind": "Pipeline",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }


def _version(
    name: str, version: str, spec: Json, platform: Mapping[str, Any], labels: Json
) -> Json:
    inner: Json = {"displayName": version, "pipelineName": name, "pipelineSpec": spec}
    if platform:
        inner["platformSpec"] = dict(platform)
    return {
        "apiVersion": _GROUP,
        "kind": "PipelineVersion",
        "metadata": {"name": version, "labels": labels},
        "spec": inner,
    }


def _job(name: str, version: str, namespace: str, labels: Json) -> Json:
    variables = {
        "KFP_URL": f"http://{PIPELINES_SERVICE}.{PIPELINES_NAMESPACE}.svc:8888",
        "PIPELINE_NAME": name,
        "PIPELINE_VERSION": version,
        "KF_PIPELINES_SA_TOKEN_PATH": f"{_TOKEN}/token",
    }
    if namespace != PIPELINES_NAMESPACE:  # that of a user: Kubeflow Pipelines has users there
        variables["PIPELINE_NAMESPACE"] = namespace
    token = {"path": "token", "audience": "pipelines.kubeflow.org", "expirationSeconds": 7200}
    container = {
        "name": "upload",
        "image": "python:3.11-slim",
        "command": ["python", "/pipeline/upload.py"],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "volumeMounts": [
            {"name": "pipeline", "mountPath": "/pipeline", "readOnly": True},
            {"name": "token", "mountPath": _TOKEN, "readOnly": True},
        ],
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{version}-upload", "labels": labels},
        "spec": {
            "backoffLimit": 6,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "restartPolicy": "OnFailure",
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65534,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [container],
                    "volumes": [
                        {"name": "pipeline", "configMap": {"name": f"{version}-upload"}},
                        {
                            "name": "token",
                            "projected": {"sources": [{"serviceAccountToken": token}]},
                        },
                    ],
                },
            },
        },
    }
