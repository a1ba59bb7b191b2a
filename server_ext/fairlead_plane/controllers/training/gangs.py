"""The replicas of a job as a gang: they start together or not at all.

On a cluster this depends on the operator's `--gang-scheduler-name`. Here every job of more than
one replica is a gang: half of one would only hold what another one needs.
"""

from __future__ import annotations

from ...resources import Json

GROUP_LABEL = "scheduling.x-k8s.io/pod-group"
MINIMUM_ANNOTATION = "pod-group.scheduling.sigs.k8s.io/min-available"
_VOLCANO_GROUP = "scheduling.k8s.io/group-name"
_VOLCANO_QUEUE = "scheduling.volcano.sh/queue-name"


def join_gang(job: Json, replicas: dict[str, Json], pod: Json) -> None:
    """Make a pod a member of its job's gang, in place; a gang that it names itself stays.

    Parameters
    ----------
    job : dict
        Its `schedulingPolicy` may say how many start together, and with which priority.
    replicas : dict
        Its replica specs by type, defaults in place.
    pod : dict
        As it will be created.
    """
    policy = (job["spec"].get("runPolicy") or {}).get("schedulingPolicy") or {}
    labels, annotations = pod["metadata"]["labels"], pod["metadata"]["annotations"]
    if policy.get("priorityClass"):
        pod["spec"].setdefault("priorityClassName", policy["priorityClass"])
    if policy.get("queue"):
        annotations.setdefault(_VOLCANO_QUEUE, policy["queue"])
    minimum = minimum_of(job, replicas)
    if minimum > 1 and GROUP_LABEL not in labels and _VOLCANO_GROUP not in annotations:
        # Jobs of two kinds may have one name.
        labels[GROUP_LABEL] = f"{job['kind'].lower()}-{job['metadata']['name']}"[:63].rstrip("-")
        annotations[MINIMUM_ANNOTATION] = str(minimum)


def minimum_of(job: Json, replicas: dict[str, Json]) -> int:
    """Return how many replicas of a job start together."""
    spec = job["spec"]
    policy = (spec.get("runPolicy") or {}).get("schedulingPolicy") or {}
    total: int = sum(each["replicas"] for each in replicas.values())
    least = (spec.get("elasticPolicy") or {}).get("minReplicas")
    if least and "Worker" in replicas:
        total += min(least, replicas["Worker"]["replicas"]) - replicas["Worker"]["replicas"]
    return min(int(policy.get("minAvailable") or total), total)
