"""A plane that is stopped and started again: what ran runs again, and nothing counts against it."""

from __future__ import annotations

from .conftest import WAITS, over, template


def test_what_was_stopped_with_the_plane_runs_again_and_costs_no_try(
    own_plane, own_workloads
) -> None:
    workloads = own_workloads
    selector = {"matchLabels": {"app": "web"}}
    spec = {"replicas": 2, "selector": selector, "template": template(labels={"app": "web"})}
    workloads.apps.create_namespaced_deployment(
        "default", {"metadata": {"name": "web"}, "spec": spec}
    )
    selector = {"matchLabels": {"app": "db"}}
    spec = {"serviceName": "db", "selector": selector, "template": template(labels={"app": "db"})}
    workloads.apps.create_namespaced_stateful_set(
        "default", {"metadata": {"name": "db"}, "spec": spec}
    )
    pod = template(WAITS, restartPolicy="Never")
    workloads.batch.create_namespaced_job(
        "default", {"metadata": {"name": "job"}, "spec": {"template": pod, "backoffLimit": 0}}
    )

    def running():
        phases = [each.status.phase for each in workloads.pods()]
        return phases.count("Running") == 4

    workloads.wait_for(running)
    before = {each.metadata.uid for each in workloads.pods()}
    assert own_plane.stop() == 0
    own_plane.start()
    workloads = over(own_plane, "default")
    workloads.wait_for(running)
    assert before.isdisjoint(
        each.metadata.uid for each in workloads.pods() if each.status.phase == "Running"
    )
    assert len(workloads.pods("app=web")) == 2
    found = workloads.batch.read_namespaced_job("job", "default").status
    assert (found.failed, found.active) == (None, 1)
