"""A live kernel is asked what its values weigh on their way, and which cannot go."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from fairlead.errors import SpecError
from fairlead.pipelines.live import problems_of, question
from local_steps import code, notebook

SETUP = """
import threading, numpy as np, pandas as pd
def twice(x): return 2 * x
class Box:
    def __init__(self, inside): self.inside = inside
number = 3
rows = np.zeros(1000)
table = pd.DataFrame({"a": range(1000)})
half = lambda x: x / 2
box = Box([1, 2])
lock = threading.Lock()
locked = Box({"deep": [lock]})
turns = (n for n in range(3))
text = "x" * 300_000_000
huge = np.broadcast_to(np.zeros(1), (2_000_000_000,))
many = [huge[:5], huge]
class Sly:
    def __reduce__(self): raise KeyError("no\\nway")
sly = Sly()
names = sorted(globals())
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[BlockingKernelClient]:
    """Yield a client of a kernel that has run `SETUP`."""
    manager, client = start_new_kernel()
    reply = client.execute_interactive(SETUP, timeout=120, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", reply["content"]
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def ask(client: BlockingKernelClient, *names: str) -> dict[str, Any]:
    """Ask as the front end does."""
    reply = client.execute_interactive(
        "",
        silent=True,
        store_history=False,
        user_expressions={"answer": f"{question()}({json.dumps(names)})"},
        timeout=120,
        output_hook=lambda message: None,
    )
    answer = reply["content"]["user_expressions"]["answer"]
    assert answer["status"] == "ok", answer
    found: dict[str, Any] = json.loads(base64.b64decode(answer["data"]["text/plain"].strip("'")))
    return found


def test_values_tell_their_type_and_what_they_weigh(kernel: BlockingKernelClient) -> None:
    found = ask(kernel, "number", "rows", "table", "twice", "half", "box", "absent")
    assert {name: one["type"] for name, one in found.items()} == {
        "number": "int",
        "rows": "numpy.ndarray",
        "table": "pandas.DataFrame",
        "twice": "function",
        "half": "function",
        "box": "Box",
    }
    assert 8000 <= found["rows"]["size"] < 9000
    assert 8000 <= found["table"]["size"] < 11000
    assert all(0 < one["size"] < 11000 and len(one) == 2 for one in found.values())


def test_what_cannot_go_is_told_with_the_part_to_blame(kernel: BlockingKernelClient) -> None:
    found = ask(kernel, "lock", "locked", "turns", "sly")
    assert found["lock"] == {
        "type": "_thread.lock",
        "error": "TypeError: cannot pickle '_thread.lock' object",
    }
    assert (found["locked"]["type"], found["locked"]["part"]) == ("Box", "_thread.lock")
    assert "generator" in found["turns"]["error"]
    assert found["sly"]["error"] == "KeyError: 'no\\nway'"


def test_what_is_large_is_not_copied(kernel: BlockingKernelClient) -> None:
    found = ask(kernel, "text", "huge", "many")
    assert found["huge"] == {"type": "numpy.ndarray", "size": 16_000_000_000}
    assert found["many"]["size"] >= 16_000_000_000
    assert found["many"]["more"] is True
    assert found["text"] == {"type": "str", "size": 300_000_000}


def test_asking_leaves_no_trace(kernel: BlockingKernelClient) -> None:
    ask(kernel, "locked", "turns", "text", "box")
    left: list[str] = []
    reply = kernel.execute_interactive(
        "assert list(turns) == [0, 1, 2]\n"
        "new = [name for name in globals() if name not in names and name[0] != '_']\n"
        "print(new, 'fairlead_step' in __import__('sys').modules, len(In))",
        timeout=120,
        output_hook=lambda message: left.append(message["content"].get("text", "")),
    )
    assert reply["content"]["status"] == "ok", reply["content"]
    assert "".join(left) == "['names'] False 3\n"


CELLS = notebook(
    code("import threading", "imports"),
    code("box = 1\nbox = threading\n\nfor lock in [1]:\n    pass", "step:make"),
    code("more = 1"),
    code("print(box, lock, more)", "step:use"),
)


def test_the_answer_is_told_at_the_line_that_makes_the_value() -> None:
    answer = {
        "box": {"type": "Box", "error": "TypeError: no", "part": "_thread.lock"},
        "lock": {"type": "bytes", "size": 2**31, "more": True},
        "more": {"type": "int", "size": 5},
        "other": {"type": "x", "error": "not of this notebook"},
    }
    told = [(p.cell_index, p.line, p.severity, p.message) for p in problems_of(CELLS, answer)]
    assert told == [
        (
            1,
            2,
            "warning",
            "`box` cannot travel to a later step: in the kernel it is a Box that holds a "
            "_thread.lock, which has no form outside its process (TypeError: no).",
        ),
        (
            1,
            4,
            "warning",
            "`lock` is large: 2.15 GB in the kernel. Every step that takes it stores and loads "
            "that much.",
        ),
    ]


def test_an_answer_of_another_form_is_refused() -> None:
    with pytest.raises(SpecError, match="`box` must be an object"):
        problems_of(CELLS, {"box": 3})
