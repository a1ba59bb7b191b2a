"""Run by a Python that has the stock kfp: every method of its client that means something here.

Arguments: URL, token and CA file of a control plane, a compiled pipeline, a folder.
"""

import json
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import kfp_server_api  # noqa: E402
from kfp import Client, dsl  # noqa: E402

host, token, authority, package, folder = sys.argv[1:]
client = Client(host=host, existing_token=token, ssl_ca_cert=authority)


def refused(call, *arguments, **named):
    """Call what must be refused; return status and google.rpc.Code."""
    try:
        call(*arguments, **named)
    except kfp_server_api.ApiException as error:
        return error.status, json.loads(error.body)["code"]
    raise AssertionError("it was not refused")


def until_stopped(run_id):
    """Wait for the end of a stopped run, which `wait_for_run_completion` does not know as one."""
    while client.get_run(run_id).state != "CANCELED":
        time.sleep(0.05)


def predicate(operation, key, **value):
    return json.dumps({"predicates": [{"operation": operation, "key": key, **value}]})


def names(answer):
    rows = answer.runs if hasattr(answer, "runs") else answer.experiments
    return sorted(one.display_name for one in rows or [])


@dsl.container_component
def greet(name: str, greeting: dsl.OutputPath(str)):
    source = "import sys; open(sys.argv[2], 'w').write(f'hello {sys.argv[1]}')"
    return dsl.ContainerSpec(
        image="python:3.11", command=["python3", "-c", source], args=[name, greeting]
    )


@dsl.pipeline(name="From a function")
def greeting(name: str = "you"):
    greet(name=name)


# Health and namespace.
assert client.get_kfp_healthz().multi_user is False
assert client.get_user_namespace() == ""

# Pipelines and versions.
uploaded = client.upload_pipeline(package, "My pipeline", description="for tests")
assert uploaded.display_name == "My pipeline", uploaded
assert client.get_pipeline_id("My pipeline") == uploaded.pipeline_id
assert client.get_pipeline_id("none") is None
assert client.get_pipeline(uploaded.pipeline_id).description == "for tests"
assert refused(client.upload_pipeline, package, "My pipeline") == (409, 6)
second = client.upload_pipeline_version(package, "v2", pipeline_name="My pipeline")
client.upload_pipeline_version_from_pipeline_func(greeting, "v3", pipeline_id=uploaded.pipeline_id)
versions = client.list_pipeline_versions(uploaded.pipeline_id, sort_by="created_at desc")
assert [one.display_name for one in versions.pipeline_versions][:2] == ["v3", "v2"], versions
assert versions.total_size == 3
got = client.get_pipeline_version(uploaded.pipeline_id, second.pipeline_version_id)
assert got.pipeline_spec["pipelineInfo"]["name"], got
only = client.list_pipeline_versions(
    uploaded.pipeline_id, filter=predicate("EQUALS", "display_name", stringValue="v2")
)
assert [one.pipeline_version_id for one in only.pipeline_versions] == [second.pipeline_version_id]
function = client.upload_pipeline_from_pipeline_func(greeting)
assert sorted(one.display_name for one in client.list_pipelines().pipelines) == [
    "My pipeline", "from-a-function",
]  # fmt: skip
api = client._pipelines_api
assert api.pipeline_service_get_pipeline_by_name(uploaded.name).pipeline_id == uploaded.pipeline_id
changed = api.pipeline_service_update_pipeline(
    uploaded.pipeline_id,
    kfp_server_api.V2beta1Pipeline(display_name="Renamed", tags={"team": "vision"}),
)
assert (changed.display_name, changed.tags) == ("Renamed", {"team": "vision"}), changed
assert changed.description == "for tests"
assert refused(client.delete_pipeline, uploaded.pipeline_id) == (400, 9)
client.delete_pipeline_version(uploaded.pipeline_id, second.pipeline_version_id)
assert refused(
    client.get_pipeline_version, uploaded.pipeline_id, second.pipeline_version_id
) == (404, 5)  # fmt: skip
assert refused(client.get_pipeline, "none") == (404, 5)

# Experiments.
first = client.create_experiment("first", description="one")
assert client.create_experiment("first").experiment_id == first.experiment_id
other = client.create_experiment("second", namespace="team")
assert client.get_experiment(experiment_name="first").description == "one"
assert client.get_experiment(experiment_id=other.experiment_id).display_name == "second"
assert refused(client.get_experiment, experiment_id="none") == (404, 5)
assert names(client.list_experiments(sort_by="display_name desc")) == ["Default", "first", "second"]

# Runs, from a version, a package and a function.
version = versions.pipeline_versions[-1]
runs = {}
runs["by version"] = client.run_pipeline(
    first.experiment_id, "by version", pipeline_id=uploaded.pipeline_id,
    version_id=version.pipeline_version_id, params={"text": "a"},
).run_id  # fmt: skip
runs["by package"] = client.create_run_from_pipeline_package(
    package, {"text": "b"}, run_name="by package", experiment_name="first", enable_caching=False,
    pipeline_root=f"file://{folder}/root",
).run_id  # fmt: skip
result = client.create_run_from_pipeline_func(
    greeting, arguments={"name": "kfp"}, run_name="by function", experiment_name="second",
    service_account="someone",
)  # fmt: skip
runs["by function"] = result.run_id
ended = result.wait_for_run_completion(timeout=120)
assert (ended.state, ended.error, ended.service_account) == ("SUCCEEDED", None, "someone"), ended
for run_id in runs.values():
    done = client.wait_for_run_completion(run_id, timeout=120, sleep_duration=0)
    assert done.state == "SUCCEEDED", done
    assert done.finished_at >= done.created_at
    assert [one.state for one in done.run_details.task_details].count("SUCCEEDED") >= 1
assert any(Path(folder, "root").rglob("*")), "the pipeline root was not used"

# Lists: filter, order, pages.
assert names(client.list_runs(experiment_id=first.experiment_id)) == ["by package", "by version"]
assert names(client.list_runs(namespace="")) == sorted(runs)
for operation, key, value, expected in [
    ("EQUALS", "display_name", {"stringValue": "by package"}, ["by package"]),
    (1, "name", {"stringValue": "by package"}, ["by package"]),
    ("NOT_EQUALS", "display_name", {"stringValue": "by package"}, ["by function", "by version"]),
    ("IS_SUBSTRING", "display_name", {"stringValue": "VERS"}, ["by version"]),
    ("IN", "display_name", {"stringValues": {"values": ["by version", "x"]}}, ["by version"]),
    ("EQUALS", "state", {"stringValue": "FAILED"}, []),
    ("EQUALS", "storage_state", {"stringValue": "AVAILABLE"}, sorted(runs)),
    ("GREATER_THAN", "created_at", {"timestampValue": "2001-01-01T00:00:00Z"}, sorted(runs)),
    ("GREATER_THAN_EQUALS", "created_at", {"timestampValue": "2001-01-01T00:00:00+01:00"},
     sorted(runs)),
    ("LESS_THAN", "created_at", {"timestampValue": "2001-01-01T00:00:00.5Z"}, []),
    ("LESS_THAN_EQUALS", "finished_at", {"timestampValue": "2001-01-01T00:00:00Z"}, []),
]:  # fmt: skip
    found = names(client.list_runs(filter=predicate(operation, key, **value)))
    assert found == expected, (operation, key, value, found)
assert refused(client.list_runs, filter=predicate("EQUALS", "colour", stringValue="")) == (400, 3)
assert refused(client.list_runs, filter="{") == (400, 3)
assert refused(client.list_runs, sort_by="colour") == (400, 3)
assert refused(client.list_runs, page_token="nonsense") == (400, 3)
page = client.list_runs(page_size=2, sort_by="display_name desc")
assert [one.display_name for one in page.runs] == ["by version", "by package"]
assert page.total_size == 3
# A token goes on with the order and the filter that it was made with.
last = client.list_runs(page_size=2, page_token=page.next_page_token)
assert [one.display_name for one in last.runs] == ["by function"]
assert not last.next_page_token
assert refused(
    client.list_runs, page_token=page.next_page_token, sort_by="display_name asc"
) == (400, 3)  # fmt: skip

# Archive, of a run and of an experiment with its runs.
client.archive_run(runs["by function"])
assert client.get_run(runs["by function"]).storage_state == "ARCHIVED"
client.unarchive_run(runs["by function"])
client.archive_experiment(first.experiment_id)
assert client.get_run(runs["by package"]).storage_state == "ARCHIVED"
assert refused(client.unarchive_run, runs["by package"]) == (400, 9)
client.unarchive_experiment(first.experiment_id)
client.unarchive_run(runs["by package"])
assert client.get_run(runs["by package"]).storage_state == "AVAILABLE"

# Terminate and retry.
slow = client.create_run_from_pipeline_package(
    package, {"text": "c", "seconds": 600.0}, run_name="slow", experiment_id=other.experiment_id,
    enable_caching=False,
)  # fmt: skip
client.terminate_run(slow.run_id)
until_stopped(slow.run_id)
assert refused(client.terminate_run, slow.run_id) == (400, 9)
client._run_api.run_service_retry_run(run_id=slow.run_id)
assert client.get_run(slow.run_id).state in ("PENDING", "RUNNING")
client.terminate_run(slow.run_id)
until_stopped(slow.run_id)

# Recurring runs.
often = client.create_recurring_run(
    other.experiment_id, "often", interval_second=3600, pipeline_package_path=package,
    params={"text": "[[ScheduledTime]]"}, max_concurrency=2, no_catchup=True,
    start_time="2100-01-01T00:00:00Z", description="for tests",
)  # fmt: skip
assert (often.display_name, often.status, often.max_concurrency) == ("often", "ENABLED", "2"), often
daily = client.create_recurring_run(
    first.experiment_id, "daily", cron_expression="0 0 9 ? * 2-6", enabled=False,
    pipeline_id=uploaded.pipeline_id, version_id=version.pipeline_version_id, params={"text": "a"},
)  # fmt: skip
got = client.get_recurring_run(often.recurring_run_id)
assert got.trigger.periodic_schedule.interval_second == "3600", got
assert got.trigger.periodic_schedule.start_time.year == 2100, got
assert (got.no_catchup, got.runtime_config.parameters) == (True, {"text": "[[ScheduledTime]]"})
got = client.get_recurring_run(daily.recurring_run_id)
assert (got.status, got.mode, got.trigger.cron_schedule.cron) == (
    "DISABLED", "DISABLE", "0 0 9 ? * 2-6",
)  # fmt: skip
assert got.pipeline_version_reference.pipeline_version_id == version.pipeline_version_id


def recurring(**query):
    rows = client.list_recurring_runs(**query).recurring_runs or []
    return [one.display_name for one in rows]


assert recurring(sort_by="display_name") == ["daily", "often"]
assert recurring(experiment_id=first.experiment_id) == ["daily"]
assert recurring(filter=predicate("EQUALS", "display_name", stringValue="often")) == ["often"]
client.disable_recurring_run(often.recurring_run_id)
assert client.get_recurring_run(often.recurring_run_id).status == "DISABLED"
client.enable_recurring_run(often.recurring_run_id)
assert client.get_recurring_run(often.recurring_run_id).status == "ENABLED"
assert refused(
    client.create_recurring_run, first.experiment_id, "never", cron_expression="0 7 *",
    pipeline_package_path=package,
) == (400, 3)  # fmt: skip
for one in (often, daily):
    client.delete_recurring_run(one.recurring_run_id)
    assert refused(client.get_recurring_run, one.recurring_run_id) == (404, 5)
assert recurring() == []

# Delete.
for run_id in [*runs.values(), slow.run_id]:
    client.delete_run(run_id)
    assert refused(client.get_run, run_id) == (404, 5)
assert any(Path(folder, "root").rglob("*")), "a folder of the user's was deleted"
client.delete_experiment(other.experiment_id)
assert refused(client.get_experiment, experiment_id=other.experiment_id) == (404, 5)
for version in client.list_pipeline_versions(uploaded.pipeline_id).pipeline_versions:
    client.delete_pipeline_version(uploaded.pipeline_id, version.pipeline_version_id)
client.delete_pipeline(uploaded.pipeline_id)
assert refused(client.get_pipeline, uploaded.pipeline_id) == (404, 5)
print("done", round(time.process_time(), 1))
