"""How a training job stands, told from the job and its pods."""

from __future__ import annotations

import pytest

from fairlead.kinds.training_status import is_pod_of, job_status

V1 = "training.kubeflow.org"


def job(*conditions, kind="PyTorchJob", **spec):
    return {
        "kind": kind,
        "metadata": {"name": "digits", "uid": "u1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": spec or {"pytorchReplicaSpecs": {"Master": {}, "Worker": {"replicas": 2}}},
        "status": {
            "conditions": [{"type": t, "status": s, "message": m} for t, s, m in conditions]
        },
    }


def pod(kind="worker", index=0, phase="Running", owner="u1", name="digits", **status):
    return {
        "metadata": {
            "name": f"{name}-{kind}-{index}",
            "labels": {
                f"{V1}/job-name": name,
                f"{V1}/replica-type": kind,
                f"{V1}/replica-index": str(index),
            },
            "ownerReferences": [{"kind": "PyTorchJob", "uid": owner, "controller": True}],
        },
        "status": {"phase": phase, **status},
    }


def ended(code, **more):
    return {
        "containerStatuses": [
            {"restartCount": 1, "state": {"terminated": {"exitCode": code, **more}}}
        ]
    }


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([], "PENDING"),
        ([("Created", "True", "")], "PENDING"),
        ([("Created", "True", ""), ("Running", "True", "")], "RUNNING"),
        ([("Running", "False", ""), ("Restarting", "True", "")], "RESTARTING"),
        ([("Running", "False", ""), ("Suspended", "True", "")], "SUSPENDED"),
        (
            [("Suspended", "False", ""), ("Running", "False", ""), ("Succeeded", "True", "")],
            "SUCCEEDED",
        ),
        ([("Complete", "True", "")], "SUCCEEDED"),
        ([("Running", "False", ""), ("Failed", "True", "")], "FAILED"),
    ],
)
def test_one_state_is_made_of_the_conditions(conditions, state) -> None:
    assert job_status(job(*conditions), []).state == state


def test_replicas_are_in_the_order_of_their_type_and_index() -> None:
    found = job_status(job(), [pod(index=10), pod(index=2), pod("master")])
    assert [one.name for one in found.replicas] == [
        "digits-master-0", "digits-worker-2", "digits-worker-10",
    ]  # fmt: skip
    assert (found.wanted, found.running, found.state) == (3, 3, "RUNNING")


def test_a_job_that_waits_says_why() -> None:
    unscheduled = {
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "message": "0/1 nodes are available: 1 Insufficient cpu.",
            }
        ]
    }
    found = job_status(job(), [pod("master"), pod(phase="Pending", **unscheduled)])
    assert found.message == "digits-worker-0: 0/1 nodes are available: 1 Insufficient cpu."


def test_a_job_that_failed_names_the_replica_and_its_signal() -> None:
    failed = job(
        ("Failed", "True", "PyTorchJob digits is failed because 1 Worker replica(s) failed.")
    )
    found = job_status(failed, [pod("master", phase="Failed"), pod(phase="Failed", **ended(137))])
    assert found.message == (
        "PyTorchJob digits is failed because 1 Worker replica(s) failed.\n"
        "digits-worker-0: exit code 137, signal 9"
    )
    assert found.replicas[1].restarts == 1


def test_only_its_own_pods_are_counted() -> None:
    own = job()
    assert is_pod_of(pod(), own)
    assert not is_pod_of(pod(owner="u2"), own)
    assert not is_pod_of(pod(name="others"), own)


def test_pods_of_a_train_job_are_found_through_its_job_set() -> None:
    node = {
        "metadata": {
            "name": "digits-node-0-1-x7k2p",
            "labels": {
                "jobset.sigs.k8s.io/jobset-name": "digits",
                "jobset.sigs.k8s.io/replicatedjob-name": "node",
                "batch.kubernetes.io/job-completion-index": "1",
            },
            "ownerReferences": [{"kind": "Job", "uid": "j1", "controller": True}],
        },
        "status": {"phase": "Running", "startTime": "2026-01-01T00:00:02Z"},
    }
    found = job_status(job(kind="TrainJob", trainer={"numNodes": 2}), [node])
    assert [(one.type, one.index, one.state) for one in found.replicas] == [("node", 1, "RUNNING")]
    assert (found.state, found.wanted, found.started_at) == ("RUNNING", 2, "2026-01-01T00:00:02Z")
    assert not is_pod_of(node, job())
