"""What a JobSet is made of: its jobs, its service and its claims; pure functions."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator

from ...resources import Json
from ..pods import owner_reference

PREFIX = "jobset.sigs.k8s.io"
NAME, JOB_NAME, JOB_INDEX = f"{PREFIX}/jobset-name", f"{PREFIX}/replicatedjob-name", "job-index"
ATTEMPT = f"{PREFIX}/restart-attempt"


def replicated_jobs(jobset: Json) -> list[Json]:
    """Return the entries of `spec.replicatedJobs`."""
    found: list[Json] = jobset["spec"].get("replicatedJobs") or []
    return found


def job_name(jobset: Json, replicated: Json, index: int) -> str:
    """Return the name of one job."""
    return f"{jobset['metadata']['name']}-{replicated['name']}-{index}"


def build_jobs(jobset: Json, replicated: Json, attempt: int) -> Iterator[Json]:
    """Yield the jobs of an entry of `replicatedJobs`.

    Parameters
    ----------
    jobset, replicated : dict
        The JobSet, and its entry.
    attempt : int
        How often the whole JobSet was started again.
    """
    for index in range(replicated.get("replicas", 1)):
        yield _job(jobset, replicated, index, attempt)


def build_service(jobset: Json) -> Json | None:
    """Return the headless service through which pods find each other; None where none is wanted."""
    network = jobset["spec"].get("network") or {}
    if not network.get("enableDNSHostnames", True):
        return None
    name = jobset["metadata"]["name"]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": network.get("subdomain") or name,
            "namespace": jobset["metadata"]["namespace"],
            "ownerReferences": [owner_reference(jobset)],
        },
        "spec": {
            "clusterIP": "None",
            "selector": {NAME: name},
            "publishNotReadyAddresses": network.get("publishNotReadyAddresses", True),
        },
    }


def build_claims(jobset: Json) -> Iterator[Json]:
    """Yield the PersistentVolumeClaims of `volumeClaimPolicies`."""
    for policy in jobset["spec"].get("volumeClaimPolicies") or ():
        kept = (policy.get("retentionPolicy") or {}).get("whenDeleted") == "Retain"
        for template in policy.get("templates") or ():
            given = template.get("metadata") or {}
            metadata = {
                **given,
                "name": _claim(jobset, given.get("name", "")),
                "namespace": jobset["metadata"]["namespace"],
                "labels": {**(given.get("labels") or {}), NAME: jobset["metadata"]["name"]},
            }
            if not kept:
                metadata["ownerReferences"] = [owner_reference(jobset)]
            yield {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": metadata,
                "spec": copy.deepcopy(template.get("spec") or {}),
            }


def _claim(jobset: Json, name: str) -> str:
    return f"{name}-{jobset['metadata']['name']}"


def _job(jobset: Json, replicated: Json, index: int, attempt: int) -> Json:
    template, metadata = replicated["template"], jobset["metadata"]
    given = template.get("metadata") or {}
    labels = _labels(jobset, replicated, index, attempt)
    spec = copy.deepcopy(template["spec"])
    spec.setdefault("completionMode", "Indexed")
    spec["suspend"] = bool(jobset["spec"].get("suspend"))
    pods = spec["template"]
    inner = pods.setdefault("metadata", {})
    inner["labels"] = {**(inner.get("labels") or {}), **labels}
    inner["annotations"] = {**(inner.get("annotations") or {}), **labels}
    pods["spec"].setdefault("restartPolicy", "OnFailure")
    if build_service(jobset) is not None:
        network = jobset["spec"].get("network") or {}
        pods["spec"]["subdomain"] = network.get("subdomain") or metadata["name"]
    _mount_claims(jobset, pods["spec"])
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(jobset, replicated, index),
            "namespace": metadata["namespace"],
            "labels": {**(given.get("labels") or {}), **labels},
            "annotations": {**(given.get("annotations") or {}), **labels},
            "ownerReferences": [owner_reference(jobset)],
        },
        "spec": spec,
    }


def _labels(jobset: Json, replicated: Json, index: int, attempt: int) -> dict[str, str]:
    metadata = jobset["metadata"]
    before = 0
    entries = replicated_jobs(jobset)
    for each in entries:
        if each["name"] == replicated["name"]:
            break
        before += each.get("replicas", 1)
    name = job_name(jobset, replicated, index)
    key = hashlib.sha1(f"{metadata['namespace']}/{name}".encode(), usedforsecurity=False)
    return {
        NAME: metadata["name"],
        f"{PREFIX}/jobset-uid": metadata["uid"],
        JOB_NAME: replicated["name"],
        f"{PREFIX}/replicatedjob-replicas": str(replicated.get("replicas", 1)),
        f"{PREFIX}/global-replicas": str(sum(each.get("replicas", 1) for each in entries)),
        f"{PREFIX}/{JOB_INDEX}": str(index),
        f"{PREFIX}/job-global-index": str(before + index),
        f"{PREFIX}/job-key": key.hexdigest(),
        f"{PREFIX}/group-name": replicated.get("groupName", "default"),
        ATTEMPT: str(attempt),
    }


def _mount_claims(jobset: Json, pod: Json) -> None:
    """Give a pod the claims that its containers mount by the name of their template."""
    mounted = {
        mount["name"]
        for field in ("initContainers", "containers")
        for container in pod.get(field) or ()
        for mount in container.get("volumeMounts") or ()
    }
    known = {volume["name"] for volume in pod.get("volumes") or ()}
    for policy in jobset["spec"].get("volumeClaimPolicies") or ():
        for template in policy.get("templates") or ():
            name = (template.get("metadata") or {}).get("name", "")
            if name in mounted and name not in known:
                source = {"claimName": _claim(jobset, name)}
                pod.setdefault("volumes", []).append(
                    {"name": name, "persistentVolumeClaim": source}
                )
