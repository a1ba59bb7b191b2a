"""Graphs of a thousand tasks in JupyterLab, in Chromium: how soon they are drawn, how they move."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from measuring import cpu_of, own_plane

sys.path.insert(0, str(Path(__file__).parents[1]))

from graphs import GATE, chain, fan, layers, tangle, waiting_pipeline
from lab import BUILT, CHROMIUM_FLAGS, find_chromium, run_lab

TASKS = 1000
VSYNC_MS = 1000 / 60
ROUNDS = 3

# From the last byte of the run's answer to the frame after the one that shows its first nodes.
WATCH_DRAWING = """() => {
  performance.clearResourceTimings();
  window.flBench = { drawn: null };
  new MutationObserver((_, self) => {
    if (document.querySelector('.fl-Dag-node')) {
      self.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(now => (flBench.drawn = now)));
    }
  }).observe(document.body, { childList: true, subtree: true });
}"""
DRAWN = """run => {
  const answers = performance.getEntriesByType('resource')
    .filter(entry => new URL(entry.name).pathname.endsWith(`/runs/${run}`));
  return [answers[0].duration, answers[0].responseEnd, flBench.drawn, answers[0].decodedBodySize];
}"""

# One movement a frame, as fast as a hand is; the time of each frame.
MOVE = """async kind => {
  const viewport = document.querySelector('.fl-RunView .fl-Dag-viewport');
  const box = viewport.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const pointer = (type, dx) => new PointerEvent(type, {
    bubbles: true, button: 0, clientX: x + dx, clientY: y + dx, pointerId: 1
  });
  const wheel = deltaY =>
    new WheelEvent('wheel', { deltaY, clientX: x, clientY: y, cancelable: true });
  const frame = () => new Promise(requestAnimationFrame);
  const times = [await frame()];
  const frames = 150;
  if (kind === 'pan') {
    viewport.dispatchEvent(pointer('pointerdown', 0));
  }
  for (let index = 0; index < frames; index += 1) {
    const way = index < frames / 2 ? 1 : -1;
    if (kind === 'pan') {
      const out = index < frames / 2 ? index : frames - index;
      window.dispatchEvent(pointer('pointermove', -out * 24));
    } else if (kind === 'zoom') {
      viewport.dispatchEvent(wheel(way * 40));
    }
    times.push(await frame());
  }
  if (kind === 'pan') {
    window.dispatchEvent(pointer('pointerup', 0));
  }
  return times.slice(1).map((time, index) => time - times[index]);
}"""


def measure_drawing() -> None:
    """Draw four shapes; pan each as it is first shown, zoom out and in, pan it from far away."""
    chromium = find_chromium()
    if chromium is None or not (BUILT / "package.json").exists():
        print("not measured: it needs Chromium and the built front end")
        return
    from playwright.sync_api import sync_playwright

    from fairlead.client import connect

    with (
        own_plane(),
        tempfile.TemporaryDirectory(prefix="fairlead-lab-") as place,
        sync_playwright() as playwright,
        run_lab(Path(place)) as lab,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = lab.page(browser)
        shapes = {
            "rows of 10": layers(TASKS, 10),
            "one after the other": chain(TASKS),
            "all at once": fan(TASKS),
            "a tangle": tangle(TASKS),
        }
        for shape, tasks in shapes.items():
            spec = waiting_pipeline(shape.replace(" ", "-"), tasks, Path(place) / "files")
            run = connect().submit(shape, spec, {})["run_id"]
            _until_waiting(run)
            _measure(page, shape, run)
            connect().terminate(run)


def _until_waiting(run: str) -> None:
    """Wait until the first task runs: from then on nothing happens by itself."""
    from fairlead.client import connect

    while True:
        tasks = connect().get(run).get("run_details", {}).get("task_details", [])
        if any(one["display_name"] == GATE and one["state"] == "RUNNING" for one in tasks):
            return
        time.sleep(0.2)


def _measure(page: Any, shape: str, run: str) -> None:
    found = []
    for _ in range(ROUNDS):
        page.evaluate("window.jupyterapp.commands.execute('application:close-all')")
        page.wait_for_selector(".fl-RunView", state="detached")
        page.evaluate(WATCH_DRAWING)
        page.evaluate(f"window.jupyterapp.commands.execute('fairlead:open-run', {{run: '{run}'}})")
        page.wait_for_function("() => flBench.drawn !== null")
        asked, answered, drawn, size = page.evaluate(DRAWN, run)
        found.append((drawn - answered, asked, size))
    took, asked, size = sorted(found)[ROUNDS // 2]
    print(
        f"{f'{TASKS} tasks, {shape}':<36} drawn {took:6.0f} ms after its data  (aim: within 1000)  "
        f"asked for {asked:5.0f} ms, {size / 1000:.0f} kB"
    )
    for act in ("nothing moves", "pan", "zoom out and in"):
        _move(page, act)
    page.locator("[data-fl-dag-tool='fit']").click()
    page.wait_for_timeout(500)
    _move(page, "pan", "pan from afar")
    if folder := os.environ.get("FAIRLEAD_TEST_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"bench-{shape.replace(' ', '-')}.png"))


def _move(page: Any, act: str, title: str = "") -> None:
    """One movement; a frame is late when it took more than two vsyncs.

    Frames are late also where others want the processor; the browser's CPU time is its own.
    """
    before = cpu_of(_browser())
    deltas = page.evaluate(MOVE, act.split()[0])
    cpu = (cpu_of(_browser()) - before) / len(deltas)
    ordered = sorted(deltas)
    late = sum(delta > 2.1 * VSYNC_MS for delta in deltas)
    print(
        f"    {title or act:<32} {len(deltas)} frames  p50 {ordered[len(ordered) // 2]:5.1f} ms  "
        f"p95 {ordered[int(len(ordered) * 0.95)]:5.1f} ms  worst {ordered[-1]:6.1f} ms  "
        f"{late} over 2 vsyncs  (aim: 0)  {cpu * 1000:5.1f} CPU ms a frame",
        flush=True,
    )


def _browser() -> set[psutil.Process]:
    """Chromium's processes: all that this one started, but for the plane and the server."""
    found = psutil.Process().children(recursive=True)
    return {process for process in found if "chrom" in process.name()}
