"""What a container says of its own end."""

from __future__ import annotations

import pytest

PATH = "/dev/termination-log"


def message(pod):
    return pod.status.container_statuses[0].state.terminated.message


def shell(script: str, **more):
    return {"command": ["sh", "-c", script], **more}


@pytest.mark.parametrize("code", [0, 3])
def test_the_termination_message_is_what_the_program_wrote(pods, code) -> None:
    pod = pods.run("pod", container=shell(f"echo why > {PATH}; exit {code}"))
    assert message(pod) == "why\n"


def test_another_path_can_be_given_also_in_a_variable(pods) -> None:
    container = shell(
        'printf here > "$WHERE"',
        terminationMessagePath="/tmp/its/message",
        env=[{"name": "WHERE", "value": "/tmp/its/message"}],
    )
    assert message(pods.run("pod", container=container)) == "here"


def test_a_long_message_is_cut_to_its_end(pods) -> None:
    source = f"open({PATH!r}, 'w').write('a' * 5000 + 'end')"
    text = message(pods.run("pod", source))
    assert (len(text), text[-4:]) == (4096, "aend")


def test_by_its_policy_the_end_of_the_log_stands_for_a_message_after_an_error(pods) -> None:
    more = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    script = "for n in $(seq 200); do echo line $n; done; exit 1"
    text = message(pods.run("pod", container=shell(script, **more)))
    assert text.splitlines() == [f"line {n}" for n in range(121, 201)]
    assert message(pods.run("good", container=shell("echo fine", **more))) is None
    own = shell(f"echo log; echo own > {PATH}; exit 1", **more)
    assert message(pods.run("own", container=own)) == "own\n"


def test_each_start_has_its_own_message(pods) -> None:
    script = f'test -e "$HOME/seen" && exit 0; touch "$HOME/seen"; echo first > {PATH}; exit 1'
    pod = pods.run("pod", container=shell(script), restartPolicy="OnFailure")
    status = pod.status.container_statuses[0]
    assert (status.last_state.terminated.message, message(pod)) == ("first\n", None)
