"""Pods as a kubelet runs them."""

from __future__ import annotations

import json
import os
import signal
import time

import psutil
import pytest
from kubernetes.client import ApiException

BEAT = "import time\nwhile True: print('beat'); time.sleep(0.05)"


def state_of(pod):
    return pod.status.container_statuses[0].state


def test_a_pod_that_succeeds_has_the_status_of_a_kubelet(pods) -> None:
    pod = pods.core.api_client.sanitize_for_serialization(pods.run("pod", "print('hi')"))
    status = pod["status"]
    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert ended.pop("startedAt") <= ended.pop("finishedAt")
    container_id = status["containerStatuses"][0].pop("containerID")
    assert ended.pop("containerID") == container_id
    assert container_id == f"process://{pod['metadata']['uid']}/main/0"
    assert status.pop("startTime") >= pod["metadata"]["creationTimestamp"]
    conditions = {
        each["type"]: (each["status"], each.get("reason")) for each in status["conditions"]
    }
    assert conditions == {
        "PodReadyToStartContainers": ("False", None),
        "PodScheduled": ("True", None),
        "Initialized": ("True", "PodCompleted"),
        "ContainersReady": ("False", "PodCompleted"),
        "Ready": ("False", "PodCompleted"),
    }
    del status["conditions"]
    assert status == {
        "phase": "Succeeded",
        "qosClass": "BestEffort",
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "containerStatuses": [
            {
                "name": "main",
                "image": "python:3.11",
                "imageID": "",
                "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
                "lastState": {},
                "ready": False,
                "started": False,
                "restartCount": 0,
            }
        ],
    }
    node = pods.core.list_node().items[0]
    assert pod["spec"]["nodeName"] == node.metadata.name
    assert {"cpu", "ephemeral-storage", "memory", "pods"} == set(node.status.allocatable)


@pytest.mark.parametrize(
    ("command", "code", "reason", "log"),
    [
        (["sh", "-c", "echo out; echo err >&2; exit 3"], 3, "Error", ["err", "out"]),
        (["no-such-program"], 128, "StartError", []),
        (["sh", "-c", "kill -9 $$$$"], 137, "Error", []),
        (["sh", "-c", "printf 'no end'"], 0, "Completed", ["no end"]),
    ],
)
def test_any_program_runs_and_ends_with_its_own_code(pods, command, code, reason, log) -> None:
    pod = pods.run("pod", container={"command": command})
    ended = state_of(pod).terminated
    assert (ended.exit_code, ended.reason) == (code, reason)
    assert sorted(pods.log("pod").splitlines()) == log


def test_a_program_that_is_not_there_is_named(pods) -> None:
    ended = state_of(pods.run("pod", container={"command": ["no-such-program"]})).terminated
    assert ended.message == 'exec: "no-such-program": executable file not found in $PATH'


def test_a_pod_without_a_command_fails_and_says_why(pods) -> None:
    ended = state_of(pods.run("pod", container={"command": None})).terminated
    assert ended.message.startswith(
        'container "main" has no command, and no image is pulled on this machine: give it one, or '
    )


def test_an_interpreter_that_is_not_there_is_named(pods) -> None:
    metadata = {"annotations": {"fairlead.dev/interpreter": "/no/such/python"}}
    ended = state_of(pods.run("pod", metadata=metadata)).terminated
    assert (ended.reason, ended.message) == (
        "StartError",
        'exec: "/no/such/python": No such file or directory',
    )


def test_a_pod_has_its_own_home_and_directory_and_references_are_resolved(pods) -> None:
    source = (
        "import json, os, sys, tempfile\n"
        "print(json.dumps([os.getcwd(), os.path.expanduser('~'), tempfile.gettempdir(),\n"
        "  os.environ['HOSTNAME'], os.environ['B'], sys.argv[1:], os.umask(0)]))"
    )
    container = {
        "args": ["$(A)", "$$(A)", "$(NOT)", "a $b"],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}],
    }
    seen = json.loads(pods.output("pod", source, container=container))
    folder = os.path.dirname(seen[0])
    assert folder.endswith(pods.get("pod").metadata.uid)
    assert seen == [
        f"{folder}/tmp",
        f"{folder}/home",
        f"{folder}/tmp",
        "pod",
        "12",
        ["1", "$(A)", "$(NOT)", "a $b"],
        0o022,
    ]


def test_variables_of_whoever_started_the_plane_stay_out(pods) -> None:
    assert "FAIRLEAD_DATA_DIR" not in pods.output("pod", "import os; print(sorted(os.environ))")


def test_a_pod_that_asks_for_more_than_the_machine_has_stays_pending_and_says_why(pods) -> None:
    big = {"container": {"resources": {"requests": {"cpu": "10000"}}}}
    pods.create("big", **big)
    pod = pods.wait("big", lambda pod: pod.status.conditions is not None)
    condition = pod.status.conditions[0]
    assert (pod.status.phase, condition.type, condition.status, condition.reason) == (
        "Pending",
        "PodScheduled",
        "False",
        "Unschedulable",
    )
    assert condition.message == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )
    pods.run("small")  # which is not held up
    with pytest.raises(ApiException) as refused:
        pods.log("big")
    assert json.loads(refused.value.body)["message"] == (
        'container "main" in pod "big" is waiting to start: ContainerCreating'
    )


def test_a_pod_waits_until_another_has_left_room(own_plane) -> None:
    pods = own_plane.pods()
    cpus = pods.core.list_node().items[0].status.allocatable["cpu"]
    whole = {"container": {"resources": {"requests": {"cpu": cpus}}}}
    pods.create("first", "import time; time.sleep(1000)", **whole)
    pods.wait_running("first")
    pods.create("second", "print('in')", **whole)
    pods.wait("second", lambda pod: pod.status.conditions is not None)
    pods.core.delete_namespaced_pod("first", "default")
    assert pods.wait_ended("second").status.phase == "Succeeded"


def test_a_deleted_pod_is_asked_to_end_and_then_gone_with_its_files(shared_plane, pods) -> None:
    source = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))\n"
        "print('up'); time.sleep(1000)"
    )
    uid = pods.create("pod", source).metadata.uid
    assert pods.first_line("pod") == "up\n"
    gone = pods.core.delete_namespaced_pod("pod", pods.namespace)
    assert gone.metadata.deletion_grace_period_seconds == 30
    folder = shared_plane.data_dir / "pods" / uid
    shared_plane.wait_for(lambda: not folder.exists(), "the pod's files stay")
    with pytest.raises(ApiException) as missing:
        pods.get("pod")
    assert missing.value.status == 404


def test_a_pod_that_does_not_listen_is_killed_after_its_grace_period(shared_plane, pods) -> None:
    source = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf'); time.sleep(1000)"
    )
    pods.create("deaf", source, terminationGracePeriodSeconds=1)
    assert pods.first_line("deaf") == "deaf\n"
    pods.core.delete_namespaced_pod("deaf", pods.namespace)

    def gone() -> bool:
        return pods.core.list_namespaced_pod(pods.namespace).items == []

    shared_plane.wait_for(gone, "the pod stays")


def test_the_whole_process_group_ends_with_its_leader(shared_plane, pods) -> None:
    source = "import subprocess\nprint(subprocess.Popen(['sleep', '1000']).pid)"
    child = int(pods.output("pod", source))
    shared_plane.wait_for(lambda: not psutil.pid_exists(child), "the child stays")


def test_a_failing_container_is_restarted_on_failure_until_it_succeeds(pods) -> None:
    source = (
        "import os, sys\nfile = os.environ['HOME'] + '/count'\n"
        "n = len(open(file).read()) if os.path.exists(file) else 0\n"
        "open(file, 'a').write('x'); print('start', n); sys.exit(n == 0)"
    )
    pod = pods.run("pod", source, restartPolicy="OnFailure")
    status = pod.status.container_statuses[0]
    assert (pod.status.phase, status.restart_count) == ("Succeeded", 1)
    assert status.last_state.terminated.exit_code == 1
    assert pods.log("pod") == "start 1\n"
    assert pods.log("pod", previous=True) == "start 0\n"


def test_a_crashing_container_is_held_back(pods) -> None:
    pods.create("pod", "print('try'); raise SystemExit(4)", restartPolicy="Always")
    pod = pods.wait(
        "pod",
        lambda pod: (
            pod.status.container_statuses
            and (
                state_of(pod).waiting is not None
                and pod.status.container_statuses[0].restart_count == 1
            )
        ),
    )
    title = f"pod_{pods.namespace}({pod.metadata.uid})"
    assert (pod.status.phase, state_of(pod).waiting.reason, state_of(pod).waiting.message) == (
        "Running",
        "CrashLoopBackOff",
        f"back-off 10s restarting failed container=main pod={title}",
    )
    events = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod,reason=BackOff"
    )
    assert [
        (each.message, each.count, each.involved_object.field_path) for each in events.items
    ] == [
        (
            f"Back-off restarting failed container main in pod {title}",
            1,
            "spec.containers{main}",
        )
    ]
    assert pods.log("pod", previous=True) == pods.log("pod") == "try\n"


def test_several_containers_make_one_pod(pods) -> None:
    containers = [
        {"name": name, "image": "i", "command": ["sh", "-c", f"echo {name}; exit {code}"]}
        for name, code in (("a", 0), ("b", 2))
    ]
    pod = pods.run("pod", containers=containers)
    assert pod.status.phase == "Failed"
    assert [each.state.terminated.exit_code for each in pod.status.container_statuses] == [0, 2]
    assert pods.log("pod", container="b") == "b\n"
    with pytest.raises(ApiException) as refused:
        pods.log("pod")
    assert json.loads(refused.value.body)["message"] == (
        "a container name must be specified for pod pod, choose one of: [a b]"
    )


def test_events_tell_what_happened_to_a_pod(pods) -> None:
    pods.run("pod")
    events = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod"
    )
    assert sorted(event.reason for event in events.items) == ["Created", "Scheduled", "Started"]
    pods.run("bad", container={"command": ["no-such-program"]})
    events = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=bad,type=Warning"
    )
    assert [(event.reason, event.message) for event in events.items] == [
        ("Failed", 'Error: exec: "no-such-program": executable file not found in $PATH')
    ]


def test_events_tell_of_a_container_that_ended_before_it_was_seen_to_run(own_plane) -> None:
    pods = own_plane.pods()
    plane, shim = psutil.Process(own_plane.process.pid), psutil.Process(own_plane.shim_pid)
    shim.suspend()
    uid = pods.create("pod", container={"command": ["true"]}).metadata.uid
    end = own_plane.data_dir / "pods" / uid / "containers" / "main" / "0.exit"

    def in_turns() -> bool:
        """One asks while the other sleeps: what the shim says is read at once."""
        for process in (plane, shim):
            process.resume()
            time.sleep(0.1)
            process.suspend()
        return end.exists()

    own_plane.wait_for(in_turns, "the end is recorded")
    shim.resume()
    plane.resume()
    pods.wait_ended("pod")
    events = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod"
    )
    assert sorted(event.reason for event in events.items) == ["Created", "Scheduled", "Started"]


def test_a_log_is_followed_to_its_end(pods) -> None:
    pods.create("pod", "import time\nfor n in range(20): print(n); time.sleep(0.02)")
    assert b"".join(pods.follow("pod")).decode() == "".join(f"{n}\n" for n in range(20))
    assert state_of(pods.wait_ended("pod")).terminated.exit_code == 0


def test_a_log_is_shown_as_asked(pods) -> None:
    pods.run(
        "pod", "for n in range(100): print('line', n)\nprint('x' * 40000)\nprint('end', end='')"
    )
    whole = "".join(f"line {n}\n" for n in range(100)) + "x" * 40000 + "\nend\n"
    assert pods.log("pod") == whole
    assert pods.log("pod", tail_lines=3) == "line 99\n" + "x" * 40000 + "\nend\n"
    assert pods.log("pod", tail_lines=0) == ""
    assert pods.log("pod", limit_bytes=10) == whole[:10]
    assert pods.log("pod", since_seconds=3600) == whole
    stamped = pods.log("pod", timestamps=True).splitlines()
    assert len(stamped) == 102
    assert stamped[0].endswith(" line 0")
    assert stamped[0] <= stamped[1]


def test_a_line_without_an_end_shows_after_a_moment(pods, tmp_path) -> None:
    source = (
        "import os, sys, time; sys.stdout.write('half')\n"
        f"while not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.02)\n"
        "sys.stdout.write('whole')"
    )
    pods.create("pod", source)
    assert next(pods.follow("pod")) == b"half"
    (tmp_path / "go").touch()
    pods.wait_ended("pod")
    assert pods.log("pod") == "halfwhole\n"


def test_output_of_a_chatty_pod_is_whole(pods) -> None:
    source = (
        "import sys, threading\n"
        "def f(s):\n"
        "    for n in range(20000): s.write(f'{n}\\n')\n"
        "a = threading.Thread(target=f, args=(sys.stderr,)); a.start(); f(sys.stdout); a.join()"
    )
    lines = pods.output("pod", source).splitlines()
    assert sorted(map(int, lines)) == sorted([*range(20000), *range(20000)])


def test_a_deadline_ends_a_pod(pods) -> None:
    pod = pods.run("pod", BEAT, activeDeadlineSeconds=1)
    assert (pod.status.phase, pod.status.reason) == ("Failed", "DeadlineExceeded")
    [event] = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod,reason=DeadlineExceeded"
    ).items
    assert event.message == "Pod was active on the node longer than the specified deadline"


def test_a_forced_deletion_kills_at_once(shared_plane, pods) -> None:
    pods.create("pod", "import os, time; print(os.getpid()); time.sleep(1000)")
    pid = int(pods.first_line("pod"))
    pods.core.delete_namespaced_pod("pod", pods.namespace, grace_period_seconds=0)
    shared_plane.wait_for(lambda: not psutil.pid_exists(pid), "the process stays")


def test_a_process_killed_from_outside_is_seen(pods) -> None:
    pods.create("pod", "import os, time; print(os.getpid()); time.sleep(1000)")
    os.kill(int(pods.first_line("pod")), signal.SIGKILL)
    ended = state_of(pods.wait_ended("pod")).terminated
    assert (ended.exit_code, ended.signal, ended.reason) == (137, 9, "Error")


def test_steps_run_beside_each_other(pods) -> None:
    source = (
        "import os, pathlib, time\n"
        "here = pathlib.Path(os.environ['MEET'])\n"
        "(here / os.environ['HOSTNAME']).touch()\n"
        "while len(list(here.iterdir())) < 2: time.sleep(0.01)"
    )
    meet = pods.output("where", "import os; print(os.environ['TMPDIR'])").strip()
    env = {"container": {"env": [{"name": "MEET", "value": meet}]}}
    for name in ("a", "b"):
        pods.create(name, source, **env)
    for name in ("a", "b"):
        assert pods.wait_ended(name).status.phase == "Succeeded"


def test_a_container_starts_in_the_working_directory_that_it_names(pods, tmp_path) -> None:
    metadata = {"annotations": {"fairlead.dev/working-dir": "/"}}
    named = {"workingDir": str(tmp_path)}
    pods.run("named", "import os; print(os.getcwd())", container=named, metadata=metadata)
    assert pods.log("named") == f"{tmp_path}\n"
