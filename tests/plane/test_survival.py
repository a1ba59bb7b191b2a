"""Nothing is lost: planes and shims are killed, pods are not, and nothing happens twice."""

from __future__ import annotations

import os
import random
import signal
import time

import psutil
import pytest
from kubernetes import watch

COUNT = 8

# Says when it begins and ends in a file that outlives it, and prints in between.
STEP = """
import os, sys, time
with open(os.environ["WITNESS"], "a") as witness: witness.write("begin\\n")
for number in range(40):
    print("line", number)
    time.sleep(float(os.environ["PACE"]))
with open(os.environ["WITNESS"], "a") as witness: witness.write("end\\n")
sys.exit(int(os.environ["CODE"]))
"""
WHOLE = "".join(f"line {number}\n" for number in range(40))


def step_env(witness, pace: float, code: int):
    env = {"WITNESS": str(witness), "PACE": str(pace), "CODE": str(code)}
    return {"env": [{"name": name, "value": value} for name, value in env.items()]}


def kill_moments() -> list[float]:
    """Five moments every time; with FAIRLEAD_KILLS set, that many."""
    count = int(os.environ.get("FAIRLEAD_KILLS", "5"))
    chance = random.Random(os.environ.get("FAIRLEAD_KILLS_SEED", "1"))
    return [round(chance.uniform(0.0, 0.7), 3) for _ in range(count)]


@pytest.mark.parametrize("moment", kill_moments())
def test_pods_finish_while_the_plane_is_dead(own_plane, tmp_path, moment) -> None:
    pods = own_plane.pods()
    for number in range(COUNT):
        # Some end before the kill, some while there is no plane, some after the next one's start.
        more = step_env(tmp_path / str(number), 0.002 * (number + 1) ** 1.5, number)
        if number % 2:
            more["command"] = ["sh", "-c", 'exec python -c "$STEP"']
            more["env"].append({"name": "STEP", "value": STEP})
        pods.create(f"pod-{number}", STEP, container=more)
    time.sleep(moment)
    own_plane.kill()
    time.sleep(0.3)
    own_plane.start()
    pods = own_plane.pods()
    for number in range(COUNT):
        pod = pods.wait_ended(f"pod-{number}")
        ended = pod.status.container_statuses[0].state.terminated
        assert (pod.status.reason, ended.exit_code) == (None, number)
        assert pods.log(f"pod-{number}") == WHOLE
        assert (tmp_path / str(number)).read_text() == "begin\nend\n"


def test_a_plane_killed_at_once_after_the_request_runs_each_pod_once(own_plane, tmp_path) -> None:
    for round_ in range(3):
        pods = own_plane.pods()
        names = [f"pod-{round_}-{number}" for number in range(10)]
        for name in names:
            pods.create(name, STEP, container=step_env(tmp_path / name, 0.0, 0))
        own_plane.kill()
        own_plane.start()
        pods = own_plane.pods()
        for name in names:
            assert pods.wait_ended(name).status.phase == "Succeeded"
            assert (tmp_path / name).read_text() == "begin\nend\n"


def test_a_followed_log_goes_on_after_the_next_plane_has_started(own_plane, tmp_path) -> None:
    pods = own_plane.pods()
    pods.create("pod", STEP, container=step_env(tmp_path / "w", 0.05, 0))
    pods.wait_running("pod")
    own_plane.kill()
    own_plane.start()
    assert b"".join(own_plane.pods().follow("pod")).decode() == WHOLE


def test_a_restart_on_failure_goes_on_after_the_plane_was_killed(own_plane) -> None:
    source = (
        "import os, sys, time\nfile = os.environ['HOME'] + '/count'\n"
        "n = len(open(file).read()) if os.path.exists(file) else 0\n"
        "open(file, 'a').write('x'); time.sleep(0.5); sys.exit(n == 0)"
    )
    pods = own_plane.pods()
    pods.create("pod", source, restartPolicy="OnFailure")
    pods.wait_running("pod")
    own_plane.kill()
    time.sleep(1)  # the first run fails while there is no plane
    own_plane.start()
    pod = own_plane.pods().wait_ended("pod")
    assert (pod.status.phase, pod.status.container_statuses[0].restart_count) == ("Succeeded", 1)


# Init containers, sidecars and probes: what was done is known from the records on disk.

NOTES = """
import os, sys, time
with open(os.environ["WITNESS"], "a+") as witness:
    while witness.seek(0) or os.environ["AFTER"] not in witness.read(): time.sleep(0.02)
    witness.write(os.environ["NAME"] + "\\n")
time.sleep(float(os.environ["PACE"]))
"""


def noting(name: str, witness, pace: float = 0.0, after: str = "", **more):
    """A container that writes its name, when another one has written its own, and then sleeps."""
    env = {"WITNESS": str(witness), "PACE": str(pace), "NAME": name, "AFTER": after}
    entries = [{"name": key, "value": value} for key, value in env.items()]
    command = ["python", "-c", NOTES]
    return {"name": name, "image": "i", "command": command, "env": entries, **more}


@pytest.mark.parametrize("moment", kill_moments())
def test_each_init_container_runs_once_whenever_the_plane_is_killed(
    own_plane, tmp_path, moment
) -> None:
    pods = own_plane.pods()
    witness = tmp_path / "witness"
    init = [
        noting("one", witness, 0.15),
        noting("side", witness, 1000, restartPolicy="Always"),
        noting("two", witness, 0.15),
    ]
    # A sidecar has started when it has a process: one that is ended at once would say nothing.
    main = noting("main", witness, 0.15, after="side")
    pods.create("pod", containers=[main], initContainers=init)
    time.sleep(moment)
    own_plane.kill()
    time.sleep(0.3)
    own_plane.start()
    pod = own_plane.pods().wait_ended("pod")
    assert pod.status.phase == "Succeeded"
    names = witness.read_text().split()
    # The sidecar is not waited for, so its line may come at any time after the first one's.
    assert sorted(names) == ["main", "one", "side", "two"]
    assert [name for name in names if name != "side"] == ["one", "two", "main"]
    assert [each.restart_count for each in pod.status.init_container_statuses] == [0, 0, 0]
    assert [each.ready for each in pod.status.init_container_statuses] == [True, False, True]


def test_a_running_sidecar_is_adopted_and_ended_with_its_pod(own_plane, tmp_path) -> None:
    pods = own_plane.pods()
    witness, main = tmp_path / "witness", tmp_path / "main"
    pods.create(
        "pod",
        containers=[noting("main", main, 1.0)],
        initContainers=[noting("side", witness, 1000, restartPolicy="Always")],
    )
    pods.wait_running("pod")
    own_plane.wait_for(lambda: witness.exists() and witness.read_text(), "the sidecar speaks")
    own_plane.kill()
    time.sleep(1.2)  # the main container ends while there is no plane
    own_plane.start()
    pod = own_plane.pods().wait_ended("pod")
    assert pod.status.phase == "Succeeded"
    side = pod.status.init_container_statuses[0]
    assert (side.restart_count, side.state.terminated.exit_code) == (0, 143)
    assert witness.read_text() == "side\n"


def test_probes_go_on_and_readiness_stays_over_a_kill_of_the_plane(own_plane, tmp_path) -> None:
    pods = own_plane.pods()
    flag = tmp_path / "flag"
    flag.touch()
    check = {
        "exec": {"command": ["test", "-e", str(flag)]},
        "periodSeconds": 1,
        "timeoutSeconds": 30,
    }
    probes = {
        "startupProbe": check,
        "readinessProbe": check,
        "livenessProbe": {**check, "failureThreshold": 2},
    }
    pods.create("pod", "import time; time.sleep(1000)", container=probes)

    def ready(pod) -> bool:
        return bool(pod.status.container_statuses) and pod.status.container_statuses[0].ready

    pods.wait("pod", ready)
    version = pods.get("pod").metadata.resource_version
    own_plane.kill()
    own_plane.start()
    pods = own_plane.pods()
    assert ready(pods.get("pod"))
    assert pods.get("pod").metadata.resource_version == version
    flag.unlink()
    assert pods.wait_ended("pod").status.phase == "Failed"


def test_a_hook_that_was_cut_off_is_done_again_and_one_that_is_done_is_not(
    own_plane, tmp_path
) -> None:
    pods = own_plane.pods()
    witness = tmp_path / "witness"
    wait = f"while ! test -e {tmp_path}/go; do sleep 0.05; done"
    script = f"echo begin >> {witness}; {wait}; echo end >> {witness}"
    hook = {"postStart": {"exec": {"command": ["sh", "-c", script]}}}
    pods.create("pod", "import time; time.sleep(1000)", container={"lifecycle": hook})
    own_plane.wait_for(witness.exists, "the hook begins")
    own_plane.kill()
    own_plane.start()
    own_plane.wait_for(lambda: witness.read_text() == "begin\nbegin\n", "the hook begins again")
    (tmp_path / "go").touch()
    own_plane.pods().wait_running("pod")
    own_plane.kill()
    own_plane.start()
    pod = own_plane.pods().wait_running("pod")
    assert pod.status.container_statuses[0].restart_count == 0
    assert witness.read_text() == "begin\nbegin\nend\n"


def test_a_grace_period_goes_on_over_a_kill_of_the_plane(own_plane) -> None:
    pods = own_plane.pods()
    source = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(1000)"
    )
    pods.create("pod", source, terminationGracePeriodSeconds=4)
    assert pods.first_line("pod") == "deaf\n"
    pods.core.delete_namespaced_pod("pod", "default")
    own_plane.kill()
    time.sleep(2)
    own_plane.start()
    pods = own_plane.pods()
    own_plane.wait_for(
        lambda: pods.core.list_namespaced_pod("default").items == [], "the pod stays"
    )


def test_a_container_killed_for_its_memory_says_so_on_the_next_plane(own_plane) -> None:
    pods = own_plane.pods()
    source = (
        "import os, time; print('up', flush=True)\n"
        "while not os.path.exists(os.environ['HOME'] + '/go'): time.sleep(0.02)\n"
        "held = bytearray(b'x') * (300 << 20); time.sleep(1000)"
    )
    limits = {"resources": {"limits": {"memory": "128Mi"}, "requests": {"memory": "1Mi"}}}
    uid = pods.create("pod", source, container=limits).metadata.uid
    assert pods.first_line("pod") == "up\n"
    own_plane.kill()
    own_plane.start()  # which watches it again
    (own_plane.data_dir / "pods" / uid / "home" / "go").touch()
    ended = own_plane.pods().wait_ended("pod").status.container_statuses[0].state.terminated
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


def test_pods_of_a_killed_shim_are_killed_and_counted_as_lost(own_plane) -> None:
    pods = own_plane.pods()
    sources = {"forked": {}, "execed": {"container": {"env": [{"name": "PYTHONX", "value": "1"}]}}}
    pids = []
    for name, more in sources.items():
        source = "import os, time; print(os.getpid()); time.sleep(1000)"
        pods.create(name, source, **more)
        pids.append(int(pods.first_line(name)))
    shell = {"command": ["sh", "-c", "sleep 1000 & echo $!; wait"]}
    pods.create("group", container=shell)
    pids.append(int(pods.first_line("group")))
    own_plane.wait_for(lambda: all(map(psutil.pid_exists, pids)), "the pods run")
    os.kill(own_plane.shim_pid, signal.SIGKILL)
    for name in (*sources, "group"):
        pod = pods.wait_ended(name)
        ended = pod.status.container_statuses[0].state.terminated
        assert (pod.status.phase, pod.status.reason) == ("Failed", "NodeLost")
        assert (ended.exit_code, ended.reason) == (137, "ContainerStatusUnknown")

    def dead(pid: int) -> bool:
        return not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"

    own_plane.wait_for(lambda: all(map(dead, pids)), "processes are left")
    assert pods.output("next", "print('goes on')") == "goes on\n"


def test_pods_of_a_shim_killed_with_its_plane_are_lost_too(own_plane) -> None:
    pods = own_plane.pods()
    pods.create("pod", "import os, time; print(os.getpid()); time.sleep(1000)")
    pods.first_line("pod")
    pods.run("done", "print('done')")
    shim = own_plane.shim_pid
    own_plane.kill()
    os.kill(shim, signal.SIGKILL)
    own_plane.start()
    pods = own_plane.pods()
    pod = pods.wait_ended("pod")
    assert (pod.status.phase, pod.status.reason) == ("Failed", "NodeLost")
    assert pods.get("done").status.phase == "Succeeded"
    assert pods.log("done") == "done\n"


def test_pods_of_a_killed_warm_interpreter_are_lost_and_the_next_one_runs(own_plane) -> None:
    pods = own_plane.pods()
    pods.create("pod", "import os, time; print(os.getppid()); time.sleep(1000)")
    os.kill(int(pods.first_line("pod")), signal.SIGKILL)
    pod = pods.wait_ended("pod")
    assert (pod.status.phase, pod.status.reason) == ("Failed", "NodeLost")
    assert pods.output("next", "print('goes on')") == "goes on\n"


def test_the_shim_ends_by_itself_when_plane_and_pods_are_gone(own_plane, monkeypatch) -> None:
    pods = own_plane.pods()
    pods.create("pod", "import time; print('up'); time.sleep(1)")
    assert pods.first_line("pod") == "up\n"
    shim = psutil.Process(own_plane.shim_pid)
    own_plane.kill()
    own_plane.wait_for(lambda: not shim.is_running(), "the shim stays")


def test_a_watch_goes_on_from_its_version_on_the_next_plane(own_plane, tmp_path) -> None:
    pods = own_plane.pods()
    version = pods.core.list_namespaced_pod("default").metadata.resource_version
    # It ends when it has been seen to run.
    source = "import os, time\nwhile not os.path.exists({!r}): time.sleep(0.02)"
    pods.create("pod", source.format(str(tmp_path / "go")))
    pods.wait_running("pod")
    (tmp_path / "go").touch()
    pods.wait_ended("pod")
    own_plane.kill()
    own_plane.start()
    events = watch.Watch().stream(
        own_plane.pods().core.list_namespaced_pod,
        "default",
        resource_version=version,
        timeout_seconds=60,
    )
    phases = []
    for event in events:
        phases.append(event["object"].status.phase)
        if phases[-1] == "Succeeded":
            break
    assert phases == ["Pending", "Pending", "Running", "Succeeded"]
