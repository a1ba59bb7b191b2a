"""Code in texts: shell lines, `eval`, `exec`, `globals()` and the names in a query."""

from __future__ import annotations

import ast
import re
from typing import Any

from fairlead.pipelines.dataflow.arguments import Arguments, constant_texts, read_arguments
from fairlead.pipelines.dataflow.heap import HELD, NOTHING, PLAIN, Value
from fairlead.pipelines.dataflow.machine import Machine
from fairlead.pipelines.syntax import expansions

_QUERY = re.compile(r"@([A-Za-z_]\w*)")
_ADVICE = "Write it as plain code, so that what it reads and binds can be seen."


def is_shell(function: ast.expr) -> bool:
    """Tell whether a call is one of `get_ipython().something(...)`."""
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Call)
        and isinstance(function.value.func, ast.Name)
        and function.value.func.id == "get_ipython"
    )


def call_shell(m: Machine, node: ast.Call) -> Value:
    """Run a `!` line or magic: the words in it that are names of the notebook are read."""
    name = getattr(node.func, "attr", "")
    args = read_arguments(m, node)
    for text in args.texts:
        for source in expansions(text):
            read_softly(m, source)
    sets = name != "env" or any("=" in text or " " in text.strip() for text in args.texts)
    if name in ("cd", "env", "pip") and sets:
        m.touch_session(f"os.{name}")
    if name == "stop_clock":
        return args.all or PLAIN
    if name in ("getoutput", "start_capture"):
        return frozenset({m.new(node, "list" if name == "getoutput" else "opaque").id})
    return PLAIN


def read_softly(m: Machine, source: str) -> None:
    """Read the names of an expression inside a text, where the notebook has them."""
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and part.id in m.module.names:
            m.load_global(part.id, soft=True)


def read_query(m: Machine, texts: list[str]) -> None:
    """Read the names that `df.query("a > @limit")` looks up."""
    for text in texts:
        for name in _QUERY.findall(text):
            if name in m.module.names:
                m.load_global(name, soft=True)


def run_text(m: Machine, path: str, args: Arguments, node: ast.Call) -> Value:
    """Do `eval` or `exec`: a constant text is code like any other, a computed one is not known."""
    first = node.args[0] if node.args else None
    texts = constant_texts(first) if isinstance(first, ast.Constant) else []
    if texts and len(node.args) == 1 and not node.keywords:
        try:
            tree = ast.parse(texts[0].strip())
        except (SyntaxError, ValueError):
            return PLAIN
        # The tree must live as long as the objects that are named after its nodes.
        m.keep.append(tree)
        if path.endswith("eval") and tree.body and isinstance(tree.body[0], ast.Expr):
            return m.evaluate(m, tree.body[0].value)
        m.execute(m, tree.body)
        return PLAIN
    if len(node.args) > 1 or node.keywords:
        # With a namespace of its own, the code sees and changes that.
        m.mutate(args.all)
        return args.all | {m.new(node, "opaque").id}
    return anything(m, path.rsplit(".", 1)[-1], node)


def anything(m: Machine, name: str, node: Any) -> Value:
    """Note code that may read, change and bind every name of the notebook."""
    m.dynamic.append(m.segment)
    value = _take_everything(m)
    m.remark(
        "warning",
        name,
        f"`{name}` runs code that cannot be seen before the run: this step takes and gives every "
        "variable, and names that only this code binds may be missing later.",
        _ADVICE,
    )
    return value | {m.new(node, "opaque", tag="dynamic").id}


def give_up(m: Machine, passed: Value, node: Any) -> Value:
    """Stop following calls: from here on, each may read, change and bind everything."""
    if m.segment not in m.given_up:
        m.given_up.add(m.segment)
        _take_everything(m)
        m.remark(
            "warning",
            "",
            "The calls in this notebook are too many to follow: from here on, each step takes and "
            "gives every variable, so steps run one after another.",
            "Move long definitions into a .py file beside the notebook.",
        )
    made = m.new(node, "opaque", tag="given up")
    m.link(made.id, HELD, passed)
    return passed | {made.id}


def _take_everything(m: Machine) -> Value:
    """Note that every name may be read and bound, and every object changed."""
    m.account.everything = True
    value: Value = NOTHING
    for known in sorted(m.module.names):
        value |= m.load_global(known, soft=True)
        binding = m.module.names[known]
        m.account.writes.add(known)
        if binding.since == m.segment:
            continue
    m.mutate(m.heap.reach(value))
    return value


def namespace(m: Machine, node: Any) -> Value:
    """Return what `globals()` gives; a constant key is a name like any other."""
    if id(node) in m.handled:
        return PLAIN
    return anything(m, "globals", node)
