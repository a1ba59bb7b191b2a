"""Measures, side by side in one run: `python tests/bench`. Nothing here passes or fails.

CPU seconds of whole process trees, since wall time depends on what else the machine does; the
yardstick is a bare `python -c pass`. `FAIRLEAD_BENCH_KFP_PYTHON`,
`FAIRLEAD_BENCH_PAPERMILL_PYTHON`, `FAIRLEAD_BENCH_METAFLOW_PYTHON`, `FAIRLEAD_BENCH_KALE_PYTHON`
and `FAIRLEAD_BENCH_ELYRA_PYTHON` name Pythons in which those peers are installed.
`FAIRLEAD_BENCH_KUBECONFIG` names an API server that is measured beside the plane, in turns.
"""

from __future__ import annotations

import argparse

from compiling import measure_compiling, measure_imports
from components import measure_components
from drawing import measure_drawing
from measuring import bare_start
from memory import measure_idle, measure_time
from others import measure_peers
from steps import measure_steps
from verbs import measure_lists, measure_verbs
from watching import measure_watches

PARTS = (
    "imports",
    "compiling",
    "idle",
    "verbs",
    "lists",
    "watches",
    "time",
    "steps",
    "components",
    "dag",
    "peers",
)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python tests/bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"{', '.join(PARTS)}; default: all")
    parser.add_argument(
        "--minutes", type=float, default=2, help="length of the part `time` (default: 2)"
    )
    parser.add_argument(
        "--pid",
        type=int,
        action="append",
        default=[],
        help="a process of the other API server, for its memory and CPU time; may be repeated",
    )
    options = parser.parse_args()
    if wrong := set(options.part) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(wrong))}; there are {', '.join(PARTS)}")
    start = bare_start()
    print(f"{'python -c pass':<44} {start:8.4f} CPU s  = 1 start\n")
    acts = {
        "imports": lambda: measure_imports(start),
        "compiling": lambda: measure_compiling(start),
        "idle": measure_idle,
        "verbs": lambda: measure_verbs(options.pid),
        "lists": lambda: measure_lists(options.pid),
        "watches": lambda: measure_watches(options.pid),
        "time": lambda: measure_time(options.pid, options.minutes),
        "steps": lambda: measure_steps(start),
        "components": lambda: measure_components(start),
        "dag": measure_drawing,
        "peers": lambda: measure_peers(start),
    }
    for part in options.part or PARTS:
        print(f"-- {part}", flush=True)
        acts[part]()


if __name__ == "__main__":
    main()
