"""A run on the terminal: each step's output as it comes, with the step's name before it."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from fairlead.client import Run
from fairlead.errors import FairleadError
from fairlead.pipelines.client import FINAL_STATES
from fairlead.pipelines.graph import seconds_between

_MARKS = {
    "SUCCEEDED": "✓",
    "CACHED": "✓",
    "FAILED": "✗",
    "SKIPPED": "-",
    "CANCELED": "-",
}
_RECONNECT_S = 0.5


class RunStream:
    """Prints a run until it has ended.

    Every line of a step's log is printed once, also when the control plane is away for a while in
    between; lines of steps that run side by side alternate, whole lines at a time.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._width = 0
        self._states: dict[str, str] = {}
        self._followers: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def show(self) -> str:
        """Print until the end; returns the final state."""
        for run in self._run.changes(notice=self._say):
            nodes = run.view()["graph"]["nodes"]
            self._width = max((len(node["name"]) for node in nodes), default=0)
            for node in nodes:
                self._follow_state(node)
        return self._run.state

    def _follow_state(self, node: dict[str, Any]) -> None:
        name = node["id"]
        if node["pod"] and node["pod"] not in self._followers and node["started_at"]:
            follower = threading.Thread(
                target=self._follow_log, args=(name, node["pod"]), daemon=True
            )
            self._followers[node["pod"]] = follower
            follower.start()
        state = "CACHED" if node["cached"] else node["state"]
        if self._states.get(name) == state:
            return
        self._states[name] = state
        if state in FINAL_STATES or state == "CACHED":
            if node["pod"] in self._followers:
                self._followers[node["pod"]].join()
            self._print(name, f"{_MARKS.get(state, ' ')} {_words(node, state)}")

    def _follow_log(self, name: str, pod: str) -> None:
        pipelines = self._run.pipelines
        printed = 0
        while True:
            try:
                for number, line in enumerate(pipelines.logs(self._run.run_id, pod, follow=True)):
                    # After a reconnect the log comes from its beginning.
                    if number >= printed:
                        printed += 1
                        self._print(name, line)
                return
            except FairleadError as error:
                code = error.code or 503
                if code == 404:
                    return
                if code < 500 and code != 400:
                    self._say(f"The log of {name} cannot be read: {error.what}")
                    return
                time.sleep(_RECONNECT_S)

    def _print(self, name: str, line: str) -> None:
        with self._lock:
            print(f"{name:<{self._width}} | {line}", flush=True)

    def _say(self, text: str) -> None:
        with self._lock:
            print(text, file=sys.stderr, flush=True)


def _words(node: dict[str, Any], state: str) -> str:
    if state == "CACHED":
        return "Cached: unchanged since an earlier run"
    words = state.capitalize()
    if node["started_at"] and node["finished_at"]:
        words += f" in {seconds_between(node['started_at'], node['finished_at']):.1f} s"
    if node["error"]:
        words += f": {node['error']['message']}"
    return words
