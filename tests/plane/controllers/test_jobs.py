"""Jobs."""

from __future__ import annotations

import json

import pytest
from kubernetes import watch
from kubernetes.client import ApiException

from fairlead_plane.controllers.job_rules import format_indexes, parse_indexes

from .conftest import WAITS, needs_kubectl, over, template


def job(source="pass", name="job", **spec):
    policy = spec.pop("restartPolicy", "Never")
    pod = template(source, restartPolicy=policy, terminationGracePeriodSeconds=1)
    return {"metadata": {"name": name}, "spec": {"template": pod, **spec}}


def create(workloads, manifest):
    return workloads.batch.create_namespaced_job(workloads.namespace, manifest)


def read(workloads, name="job"):
    return workloads.batch.read_namespaced_job(name, workloads.namespace)


def true_conditions(found):
    return {
        each.type: each.reason for each in found.status.conditions or () if each.status == "True"
    }


def ended(workloads, name="job"):
    def done():
        found = read(workloads, name)
        return {"Complete", "Failed"} & set(true_conditions(found)) and found

    return workloads.wait_for(done, f"{name} has not ended")


def test_a_job_completes_and_says_how(workloads) -> None:
    made = create(workloads, job("print('hi')"))
    found = ended(workloads)
    assert true_conditions(found) == {
        "SuccessCriteriaMet": "CompletionsReached",
        "Complete": "CompletionsReached",
    }
    assert (found.status.succeeded, found.status.active, found.status.failed) == (1, None, None)
    assert found.status.start_time <= found.status.completion_time
    [pod] = workloads.pods()
    labels = pod.metadata.labels
    assert labels["batch.kubernetes.io/job-name"] == labels["job-name"] == "job"
    assert labels["batch.kubernetes.io/controller-uid"] == made.metadata.uid
    assert pod.metadata.finalizers is None
    assert sorted(workloads.reasons("job")) == ["Completed", "SuccessfulCreate"]


def test_completions_and_parallelism_bound_how_many_run(workloads) -> None:
    made = create(workloads, job("import time; time.sleep(0.2)", completions=5, parallelism=2))
    most = 0
    # Every step is an event: looking now and then could miss the second pod.
    for event in watch.Watch().stream(
        workloads.batch.list_namespaced_job,
        workloads.namespace,
        resource_version=made.metadata.resource_version,
        timeout_seconds=60,
    ):
        found = event["object"]
        most = max(most, found.status.active or 0)
        if "Complete" in true_conditions(found):
            break
    assert found.status.succeeded == 5
    assert most == 2
    assert len(workloads.pods()) == 5


def test_an_indexed_job_gives_each_pod_its_number(workloads) -> None:
    source = "import os, socket; print(os.environ['JOB_COMPLETION_INDEX'])"
    create(workloads, job(source, completions=3, parallelism=3, completionMode="Indexed"))
    found = ended(workloads)
    assert (found.status.completed_indexes, found.status.succeeded) == ("0-2", 3)
    pods = workloads.pods()
    said = {
        workloads.core.read_namespaced_pod_log(pod.metadata.name, workloads.namespace).strip()
        for pod in pods
    }
    assert said == {"0", "1", "2"}
    assert {pod.spec.hostname for pod in pods} == {"job-0", "job-1", "job-2"}


def test_a_failing_job_ends_at_its_back_off_limit(workloads) -> None:
    create(workloads, job("raise SystemExit(3)", backoffLimit=0))
    found = ended(workloads)
    assert true_conditions(found) == {
        "FailureTarget": "BackoffLimitExceeded",
        "Failed": "BackoffLimitExceeded",
    }
    assert (found.status.failed, found.status.succeeded) == (1, None)
    assert len(workloads.pods()) == 1


def test_a_failed_pod_is_tried_again(workloads, tmp_path) -> None:
    mark = tmp_path / "tried"
    source = (
        f"import pathlib; mark = pathlib.Path({str(mark)!r})\n"
        "known = mark.exists(); mark.touch(); raise SystemExit(not known)"
    )
    create(workloads, job(source))
    found = ended(workloads)
    assert (found.status.failed, found.status.succeeded) == (1, 1)


def test_containers_that_are_started_again_count_as_tries(workloads) -> None:
    create(workloads, job("raise SystemExit(3)", backoffLimit=1, restartPolicy="OnFailure"))
    assert true_conditions(ended(workloads))["Failed"] == "BackoffLimitExceeded"


def test_a_job_that_lasts_too_long_is_stopped(workloads) -> None:
    create(workloads, job(WAITS, activeDeadlineSeconds=1))
    found = ended(workloads)
    assert true_conditions(found)["Failed"] == "DeadlineExceeded"
    assert found.status.active is None


def test_a_failure_policy_fails_a_job_at_once_or_ignores(workloads) -> None:
    exit_codes = {"operator": "In", "values": [42]}
    policy = {"rules": [{"action": "FailJob", "onExitCodes": exit_codes}]}
    create(workloads, job("raise SystemExit(42)", podFailurePolicy=policy))
    found = ended(workloads)
    assert true_conditions(found)["Failed"] == "PodFailurePolicy"
    failed = next(each for each in found.status.conditions if each.type == "Failed")
    assert failed.message == (
        f"Container main for pod {workloads.namespace}/{workloads.pods()[0].metadata.name} failed "
        "with exit code 42 matching FailJob rule at index 0"
    )


def test_an_index_that_fails_too_often_does_not_stop_the_others(workloads) -> None:
    source = "import os; raise SystemExit(os.environ['JOB_COMPLETION_INDEX'] == '1')"
    manifest = job(
        source, completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=0
    )
    create(workloads, manifest)
    found = ended(workloads)
    assert true_conditions(found)["Failed"] == "FailedIndexes"
    assert (found.status.completed_indexes, found.status.failed_indexes) == ("0,2", "1")


def test_a_suspended_job_runs_nothing_until_it_is_resumed(workloads) -> None:
    create(workloads, job(suspend=True))
    workloads.wait_for(lambda: true_conditions(read(workloads)) == {"Suspended": "JobSuspended"})
    assert workloads.pods() == []
    workloads.batch.patch_namespaced_job("job", workloads.namespace, {"spec": {"suspend": False}})
    assert ended(workloads).status.succeeded == 1


def test_a_running_job_is_suspended(workloads) -> None:
    create(workloads, job(WAITS))
    workloads.wait_for(lambda: read(workloads).status.active)
    workloads.batch.patch_namespaced_job("job", workloads.namespace, {"spec": {"suspend": True}})
    workloads.wait_for(lambda: not workloads.pods())
    found = read(workloads)
    assert (found.status.failed, found.status.start_time) == (None, None)


def test_a_job_goes_with_its_pods_when_its_time_is_over(workloads) -> None:
    create(workloads, job(ttlSecondsAfterFinished=1))
    workloads.wait_for(
        lambda: (
            not workloads.batch.list_namespaced_job(workloads.namespace).items
            and not workloads.pods()
        )
    )


def test_a_deleted_job_takes_its_pods_along(workloads) -> None:
    create(workloads, job(WAITS, completions=2, parallelism=2))
    workloads.wait_for(lambda: len(workloads.pods()) == 2)
    workloads.batch.delete_namespaced_job(
        "job", workloads.namespace, propagation_policy="Background"
    )
    workloads.wait_for(lambda: not workloads.pods())


def test_a_pod_that_someone_deletes_is_replaced_and_counted_once(workloads) -> None:
    create(workloads, job(WAITS))
    pod = workloads.wait_for(workloads.pods)[0]
    workloads.core.delete_namespaced_pod(pod.metadata.name, workloads.namespace)

    def replaced():
        pods = workloads.pods()
        return len(pods) == 1 and pods[0].metadata.uid != pod.metadata.uid

    workloads.wait_for(replaced)
    assert read(workloads).status.failed == 1


@needs_kubectl
def test_kubectl_creates_a_job_and_waits_for_it(workloads) -> None:
    manifest = {"apiVersion": "batch/v1", "kind": "Job", **job("print('hello')", name="hello")}
    workloads.kubectl("apply", "-f", "-", text=json.dumps(manifest))
    workloads.kubectl("wait", "--for=condition=complete", "job/hello", "--timeout=60s")
    assert workloads.kubectl("logs", "job/hello") == "hello\n"


def test_what_cannot_be_a_job_is_refused(workloads) -> None:
    with pytest.raises(ApiException) as refused:
        create(workloads, job(restartPolicy="Always"))
    assert json.loads(refused.value.body)["message"] == (
        'Job.batch "job" is invalid: spec.template.spec.restartPolicy: Required value: '
        'valid values: "OnFailure", "Never"'
    )
    create(workloads, job())
    with pytest.raises(ApiException) as refused:
        workloads.batch.patch_namespaced_job(
            "job", workloads.namespace, {"spec": {"completions": 7}}
        )
    assert "field is immutable" in json.loads(refused.value.body)["message"]


def test_a_plane_that_is_killed_amid_a_job_runs_no_pod_too_many(own_plane, own_workloads) -> None:
    workloads = own_workloads
    create(workloads, job("import time; time.sleep(0.3)", completions=12, parallelism=3))
    for succeeded in (1, 4, 8):
        while (read(workloads).status.succeeded or 0) < succeeded:
            pass
        own_plane.kill()
        own_plane.start()
        workloads = over(own_plane, "default")
    found = ended(workloads)
    assert (found.status.succeeded, found.status.failed) == (12, None)
    assert len(workloads.pods()) == 12


def test_indexes_are_written_and_read() -> None:
    for text, indexes in (("", set()), ("0,1", {0, 1}), ("0-2,4,6,7", {0, 1, 2, 4, 6, 7})):
        assert format_indexes(indexes) == text
        assert parse_indexes(text) == indexes


def test_what_is_no_list_of_indexes_names_none() -> None:
    for text in ("garbage", "1,x", "0-", "-3", "5-2", "0-99999999999", ",,-"):
        assert parse_indexes(text) in (set(), {0}), text


def test_a_job_whose_list_of_indexes_was_overwritten_ends_all_the_same(workloads) -> None:
    create(workloads, job(completionMode="Indexed", completions=2, suspend=True))
    garbage = {"status": {"completedIndexes": "no list", "failedIndexes": "9-1"}}
    workloads.batch.patch_namespaced_job_status("job", workloads.namespace, garbage)
    workloads.batch.patch_namespaced_job("job", workloads.namespace, {"spec": {"suspend": False}})
    found = ended(workloads)
    assert (found.status.succeeded, found.status.completed_indexes) == (2, "0,1")


def test_a_success_policy_ends_a_job_before_all_have_succeeded(workloads) -> None:
    source = f"import os\nif os.environ['JOB_COMPLETION_INDEX'] == '1':\n    {WAITS}"
    policy = {"rules": [{"succeededIndexes": "0"}]}
    create(
        workloads,
        job(source, completions=2, parallelism=2, completionMode="Indexed", successPolicy=policy),
    )
    assert true_conditions(ended(workloads)) == {
        "SuccessCriteriaMet": "SuccessPolicy",
        "Complete": "SuccessPolicy",
    }
