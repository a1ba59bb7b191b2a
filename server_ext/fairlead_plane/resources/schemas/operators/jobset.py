"""`jobset.x-k8s.io`: JobSet."""

from __future__ import annotations

from ...kinds import Json
from .shapes import (
    BATCH,
    BOOLEAN,
    CORE,
    STRING,
    conditions,
    items,
    number,
    obj,
    one_of,
    ref,
    table,
    template_metadata,
)


def schemas() -> dict[tuple[str, str], Json]:
    """Return the schemas of the group, by version and kind."""
    return {("v1alpha2", "JobSet"): obj(spec=jobset_spec(), status=_status())}


def jobset_spec() -> Json:
    """Return the schema of a JobSet's `spec`; runtimes of the trainer hold one, too."""
    return obj(
        coordinator=obj(
            required=("replicatedJob",),
            jobIndex={"type": "integer"},
            podIndex={"type": "integer"},
            replicatedJob=STRING,
        ),
        failurePolicy=obj(
            maxRestarts=number(),
            restartStrategy=one_of(
                "Recreate", "BlockingRecreate", "InPlaceRestart", default="Recreate"
            ),
            rules=items(_rule()),
        ),
        managedBy=STRING,
        network=obj(enableDNSHostnames=BOOLEAN, publishNotReadyAddresses=BOOLEAN, subdomain=STRING),
        replicatedJobs=table(_replicated_job(), "name"),
        startupPolicy=obj(
            required=("startupPolicyOrder",), startupPolicyOrder=one_of("AnyOrder", "InOrder")
        ),
        successPolicy=obj(
            required=("operator",),
            operator=one_of("All", "Any"),
            targetReplicatedJobs=items(STRING),
        ),
        suspend=BOOLEAN,
        ttlSecondsAfterFinished=number(0),
        volumeClaimPolicies=items(_claims(), 50),
    )


def _replicated_job() -> Json:
    dependency = obj(required=("name", "status"), name=STRING, status=one_of("Ready", "Complete"))
    return obj(
        required=("name", "template"),
        dependsOn=table(dependency, "name", most=5),
        groupName={"type": "string", "default": "default"},
        name=STRING,
        replicas=number(default=1),
        template=obj(metadata=template_metadata(), spec=ref(f"{BATCH}JobSpec")),
    )


def _rule() -> Json:
    return obj(
        required=("action", "name"),
        action=one_of(
            "FailJobSet",
            "RestartJobSet",
            "RestartJobSetAndIgnoreMaxRestarts",
            "RestartJob",
            "RestartJobAndIgnoreMaxRestarts",
        ),
        name=STRING,
        onJobFailureMessagePatterns=items(STRING),
        onJobFailureReasons=items(STRING),
        targetReplicatedJobs=items(STRING),
    )


def _claims() -> Json:
    claim = obj(
        apiVersion=STRING,
        kind=STRING,
        metadata=template_metadata(),
        spec=ref(f"{CORE}PersistentVolumeClaimSpec"),
        status=ref(f"{CORE}PersistentVolumeClaimStatus"),
    )
    return obj(
        retentionPolicy=obj(whenDeleted=one_of("Delete", "Retain", default="Delete")),
        templates=items(claim, 50),
    )


def _status() -> Json:
    job = obj(
        required=("active", "failed", "name", "ready", "succeeded", "suspended"),
        active=number(),
        failed=number(),
        jobRestarts=items(number(), 1024),
        jobRestartsCountTowardsMax=items(number(), 1024),
        name=STRING,
        ready=number(),
        succeeded=number(),
        suspended=number(),
    )
    return obj(
        conditions=conditions(),
        currentInPlaceRestartAttempt=number(0),
        previousInPlaceRestartAttempt=number(0),
        replicatedJobsStatus=table(job, "name"),
        restarts=number(),
        restartsCountTowardsMax=number(),
        terminalState=STRING,
    )
