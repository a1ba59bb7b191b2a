"""Names that Kubernetes accepts, and the labels and annotations that Fairlead writes."""

from __future__ import annotations

import hashlib
import re
import unicodedata

RUN_ID_LABEL = "pipeline/runid"
"""Label of KFP on everything that belongs to a run."""

RUN_NAME_ANNOTATION = "pipelines.kubeflow.org/run_name"
"""Annotation of KFP on a Workflow: the display name of its run."""

TASK_LABEL = "fairlead.dev/task"
"""Label on a pod: name of the pipeline task that it runs."""

CHANGES_ANNOTATION = "fairlead.dev/changes"
"""Annotation on a Workflow: counts its run's task changes, so that each one is a watch event."""

INTERPRETER_ANNOTATION = "fairlead.dev/interpreter"
"""Annotation on a pod: absolute path of the Python that runs `python` on this machine."""

PACKAGES_ANNOTATION = "fairlead.dev/packages"
"""Annotation on a pod: packages that its Python has beside its own, a requirement a line."""

WORKING_DIR_ANNOTATION = "fairlead.dev/working-dir"
"""Annotation on a pod: directory on this machine in which its processes start."""

GPUS_ANNOTATION = "fairlead.dev/gpus"
"""Annotation on a node: its GPUs, by the names that `CUDA_VISIBLE_DEVICES` takes, with commas
between. On a pod: those that the scheduler gave it."""

PIPELINES_NAMESPACE = "kubeflow"
PIPELINES_SERVICE = "ml-pipeline"


def dns_label(text: str, *, max_length: int = 63) -> str:
    """Turn any text into a DNS label (RFC 1123): lower case letters, digits and `-`.

    Parameters
    ----------
    text : str
        Any text. Accents are dropped; other characters become `-`.
    max_length : int
        Longest result; a longer one is cut and ends in a hash of the whole, so that two
        long texts with the same beginning stay apart.

    Returns
    -------
    str
        Never empty: a text without any usable character gives `x-` and its hash.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    digest = hashlib.sha256(text.encode()).hexdigest()[:5]
    if not slug:
        return f"x-{digest}"
    if len(slug) <= max_length:
        return slug
    return f"{slug[: max_length - 6].rstrip('-')}-{digest}"
