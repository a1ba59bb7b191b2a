"""The current figure of pyplot: it stays in its process, and in the cell that shows it.

Jupyter shows the open figures and closes them after each cell, and so does a step. A notebook that
has chosen a backend of its own (`matplotlib.use("Agg")`) goes on with them in later cells.
"""

from __future__ import annotations

from fairlead.pipelines.dataflow.arguments import Arguments
from fairlead.pipelines.dataflow.machine import Machine

_PYPLOT = "matplotlib.pyplot."
_CHOOSING = frozenset({"matplotlib.use", f"{_PYPLOT}switch_backend"})
_MAKING = frozenset({"subplots", "subplot_mosaic"})
_ASIDE = frozenset(
    "close show ion ioff isinteractive rc rcdefaults rc_context get_backend get_cmap colormaps"
    " setp getp pause imread imsave fignum_exists xkcd set_loglevel".split()
)
"""Functions of pyplot that do not draw into the current figure."""


def draw(m: Machine, path: str, args: Arguments) -> None:
    """Note a call of a plotting library; warn where it takes up the figure of an earlier cell."""
    name = path.rsplit(".", 1)[-1]
    if path in _CHOOSING:
        m.keeps_figures = not any("inline" in text for text in args.texts)
    implicit = path.startswith("seaborn.") and name.endswith("plot") and "ax" not in args.flags
    if not (path.startswith(_PYPLOT) or implicit) or path in _CHOOSING:
        return
    if name == "close":
        m.figure_cell = ""
    if name in _ASIDE or name[:1].isupper() or path.count(".") > 2:
        return
    numbered = bool(args.listed or {"num"} & args.flags)
    making = name in _MAKING or (name == "figure" and not numbered)
    cell = m.frame.cell or m.module.cell
    if m.keeps_figures and m.figure_cell not in ("", cell) and not making:
        m.remark(
            "warning",
            f"pyplot.{name}" if not implicit else f"seaborn.{name}",
            f"`{name}` goes on with pyplot's current figure, which cell {m.figure_cell} has begun: "
            "a step shows the open figures and closes them after each cell, so it begins a new "
            "one here.",
            "Draw the figure in one cell, or by the methods of its axes: `ax.plot(...)`.",
        )
    m.figure_cell = cell
