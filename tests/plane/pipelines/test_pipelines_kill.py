"""kill -9 of a real control plane in the midst of loops, conditions and waits."""

from __future__ import annotations

import json
import random
import time

import pytest

from .test_pipelines_loops import ITEM, chosen

# Leaves a line in a file; the first attempt at item 1 fails.
WORK = """
import json, os, sys, time
message = json.loads(sys.argv[1])
value = message["inputs"]["parameterValues"]["a"]
time.sleep(0.1)
if value == 1 and not os.path.exists(PLACE + "-failed"):
    open(PLACE + "-failed", "w").close()
    sys.exit(1)
with open(PLACE, "a") as done:
    done.write(f"{value}\\n")
open(message["outputs"]["parameters"]["out"]["outputFile"], "w").write(str(value))
"""


def story_spec(ir, place):
    """A loop of six items, two at a time; even ones pass a second step; a sum of all at the end."""
    name, second = ir.task("condition-2", "even", **{ITEM: f"<{ITEM}"}, out="@work.out")
    text = f"inputs.parameter_values['{ITEM}'] % 2 == 0"
    second["triggerPolicy"] = {"condition": text}
    work = ir.task("work", "work", cache=False, a=f"<{ITEM}")
    work[1]["retryPolicy"] = {"maxRetryCount": 2, "backoffDuration": "1s"}
    components = {
        "work": ir.component("work", ["a"], [], ["out"]),
        "even": ir.component(
            "", [ITEM, "out"], dag={"tasks": dict([ir.task("more", "work", cache=False, a=100)])}
        ),
        "body": ir.component(
            "", [ITEM], [], [("outs", "LIST")],
            dag={
                "tasks": dict([work, (name, second)]),
                "outputs": {"parameters": {"outs": chosen("work", "out")}},
            },
        ),
        "all": ir.component("all", [("xs", "LIST")], [], [("out", "LIST")]),
    }  # fmt: skip
    loop = ir.task("loop", "body")
    loop[1]["parameterIterator"] = {
        "items": {"raw": json.dumps(list(range(6)))}, "itemInput": ITEM,
    }  # fmt: skip
    loop[1]["iteratorPolicy"] = {"parallelismLimit": 2}
    executors = {
        "work": ir.executor(WORK.replace("PLACE", repr(str(place)))),
        "all": ir.executor(
            "import json, sys\nmessage = json.loads(sys.argv[1])\n"
            "values = message['inputs']['parameterValues']['xs']\n"
            "json.dump(values, open(message['outputs']['parameters']['out']['outputFile'], 'w'))"
        ),
    }
    return ir.pipeline([loop, ir.task("after", "all", xs="@loop.outs")], components, executors)


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_plane_goes_on_in_loops_and_repeats_nothing(
    connect, ir, own_plane, tmp_path, seed
):
    place = tmp_path / "done"
    rest = connect(own_plane)
    run_id = rest.start(story_spec(ir, place))
    chosen_times = random.Random(seed)
    for _ in range(3):
        time.sleep(chosen_times.uniform(0, 0.8))
        own_plane.kill()
        own_plane.start()
    run = rest.until(run_id)
    assert (run["state"], run.get("error")) == ("SUCCEEDED", None)
    tasks = run["run_details"]["task_details"]
    after = next(one for one in tasks if one["name"] == "after")
    assert after["outputs"]["parameters"][0]["value"] == [0, 1, 2, 3, 4, 5]
    assert sorted(place.read_text().split(), key=int) == [
        "0", "1", "2", "3", "4", "5", "100", "100", "100",
    ]  # fmt: skip
    skipped = [one for one in tasks if one["state"] == "SKIPPED"]
    assert [one["type"] for one in skipped] == ["CONDITION"] * 3
