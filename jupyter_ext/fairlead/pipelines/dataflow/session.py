"""Statements that set up the process: later steps run them too, or take the settings over.

A statement of constants and imports is executed again by each later step, which waits for nothing.
What depends on values travels as a state of the process, from the step that set it.
"""

from __future__ import annotations

import ast

from fairlead.pipelines.cells import Cell
from fairlead.pipelines.dataflow.dynamic import is_shell
from fairlead.pipelines.dataflow.heap import NOTHING, SCALAR, UNBOUND
from fairlead.pipelines.dataflow.machine import Machine
from fairlead.pipelines.syntax import expansions

SETTINGS = "(settings)"
"""Stands among the names for the settings of the process."""

_CARRIED = (
    "os.environ",
    "os.chdir",
    "os.cd",
    "os.env",
    "os.putenv",
    "os.unsetenv",
    "sys.path",
    "sys.setrecursionlimit",
    "warnings.",
    "decimal.",
    "gc.",
    "logging.",
    "time.tzset",
    "numpy.set_printoptions",
    "numpy.seterr",
    "pandas.options.",
    "pandas.set_option",
    "pandas.reset_option",
    "matplotlib.rc",
    "matplotlib.use",
    "matplotlib.style",
    "matplotlib.pyplot.",
    "seaborn.set",
    "seaborn.reset",
)
"""Beginnings of what the state of a process holds; see the runner's `settings`."""

_REPEATABLE = frozenset(
    "join abspath dirname realpath expanduser Path str int float dict getLogger getcontext Context"
    " getcwd StreamHandler Formatter get_option".split()
)
"""Callables inside such a statement that give the same each time."""

_RESTORING = frozenset(
    "catch_warnings option_context rc_context errstate printoptions localcontext style_context"
    " context redirect_stdout redirect_stderr patch object dict".split()
)
"""Contexts that put back what is set inside them."""


def note_session(m: Machine, cell: Cell, node: ast.stmt) -> None:
    """Keep what a statement has set up in the process (`m.touched`) for the steps after it."""
    if _restores(node):
        return
    carried = all(path.startswith(_CARRIED) for path in m.touched)
    if carried and (SETTINGS in m.module.names or not _is_repeatable(m, node)):
        _carry(m)
        return
    bad = next((name for name in _names(m, node) if not _is_steady(m, name)), None)
    if bad is not None:
        m.remark(
            "warning",
            bad,
            f"This changes a setting of the whole process (`{m.touched[0]}`), with a value "
            "that later steps do not have: they keep their own setting.",
            "Put it into a cell tagged `setup`, or write the value out.",
        )
    elif not isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.Delete):
        m.remark(
            "warning",
            m.touched[0],
            f"This may change a setting of the whole process (`{m.touched[0]}`): later steps keep "
            "their own setting.",
            "Put it into a cell tagged `setup`.",
        )
    else:
        m.session.append((m.segment, cell.id, node))


def take_settings(m: Machine) -> None:
    """Let the segment that begins take the settings that an earlier one left."""
    if SETTINGS in m.module.names:
        m.load_global(SETTINGS, soft=True)


def _carry(m: Machine) -> None:
    before = m.module.names.get(SETTINGS, UNBOUND)
    state = m.heap.at(("settings", m.segment), "opaque", m.segment, path=SETTINGS)
    m.store(SETTINGS, frozenset({state.id}) | before.value, frame=m.module)


def _is_repeatable(m: Machine, node: ast.stmt) -> bool:
    """Tell whether a statement does the same wherever it is executed."""
    if not isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.Delete):
        return False
    outer = node.value if isinstance(node, ast.Expr) else None
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and part is not outer and not _is_shell_object(part):
            name = getattr(part.func, "attr", getattr(part.func, "id", ""))
            if name not in _REPEATABLE:
                return False
    return all(_kinds(m, name) <= {"import"} for name in _names(m, node))


def _names(m: Machine, node: ast.stmt) -> list[str]:
    """Return the names of the notebook that a statement reads."""
    found = []
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            found.append(part.id)
        elif isinstance(part, ast.Call) and is_shell(part.func):
            for text in part.args:
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    for source in expansions(text.value):
                        found.extend(_words(source))
    return [name for name in found if name in m.module.names]


def _words(source: str) -> list[str]:
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return []
    return [part.id for part in ast.walk(tree) if isinstance(part, ast.Name)]


def _kinds(m: Machine, name: str) -> set[str]:
    value = m.module.names[name].value if name in m.module.names else NOTHING
    return {m.heap[t].kind for t in value}


def _is_steady(m: Machine, name: str, above: frozenset[str] = frozenset()) -> bool:
    """Tell whether a name is an import, or a definition that a later step may execute again."""
    binding = m.module.names.get(name, UNBOUND)
    if name in above:
        return True
    value = binding.value - {SCALAR}
    if _kinds(m, name) == {"import"}:
        return all((name, m.heap[t].path) in m.imports for t in value)
    definition = m.definitions.get(next(iter(value))) if len(value) == 1 else None
    if definition is None or definition.name != name or binding.value != value:
        return False
    needs = set(definition.needs) | body_names(m, definition.node)
    return definition.pure and all(_is_steady(m, n, above | {name}) for n in needs)


def body_names(m: Machine, node: ast.AST) -> set[str]:
    """Return the names of the notebook that a function or class reads, now or when called."""
    loads = (n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    own = {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
    return {n.id for n in loads if n.id in m.module.names} - own


def _is_shell_object(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "get_ipython"


def _restores(node: ast.stmt) -> bool:
    if not isinstance(node, ast.With | ast.AsyncWith):
        return False
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    names = [getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls]
    return any(name in _RESTORING for name in names)
