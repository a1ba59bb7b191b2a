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


_SHELL_CALLS = frozenset(
    "system getoutput script write_file show pip cd env precision start_clock stop_clock timeit"
    " listing start_capture note run_line_magic run_cell_magic enable_gui set_custom_exc".split()
)
_MAGICS = frozenset(
    "cd env set_env pip pwd precision sx system matplotlib load_ext reload_ext autoreload config"
    " colors xmode pdb".split()
)
_CELL_MAGICS = frozenset("bash sh script html HTML javascript js latex markdown svg".split())


def call_shell(m: Machine, node: ast.Call) -> Value:
    """Run a `!` line or magic: the words in it that are names of the notebook are read."""
    name = getattr(node.func, "attr", "")
    args = read_arguments(m, node)
    if name not in _SHELL_CALLS:
        return anything(m, name, node)
    magic = args.texts[0] if name.startswith("run_") and args.texts else ""
    if name.startswith("run_") and magic not in (_MAGICS if "line" in name else _CELL_MAGICS):
        _refuse_magic(m, name, magic)
    for text in args.texts:
        for source in expansions(text):
            read_softly(m, source)
    name = magic.replace("set_env", "env") if name == "run_line_magic" else name
    if name == "listing":
        _remark_listing(m, f"%{args.texts[0]}")
    if name == "timeit":
        _run_apart(m, args.texts[1:], node)
    texts = args.texts[1:] if magic else args.texts
    sets = name != "env" or any("=" in text or " " in text.strip() for text in texts)
    if name in ("cd", "env", "pip", "precision") and sets:
        m.touch_session(f"os.{name}")
    if name == "system":
        m.store("_exit_code", PLAIN, frame=m.module)
    if name == "stop_clock":
        return args.all or PLAIN
    if name in ("getoutput", "start_capture"):
        return frozenset({m.new(node, "list" if name == "getoutput" else "opaque").id})
    return PLAIN


def _remark_listing(m: Machine, magic: str) -> None:
    m.remark(
        "warning",
        magic,
        f"`{magic}` prints what the whole session has: a step has its own part of that only, and "
        "prints nothing here.",
        "Tag the cell `skip` if the pipeline does not need it.",
    )


def _refuse_magic(m: Machine, name: str, magic: str) -> None:
    m.remark(
        "error",
        magic or name,
        f"The magic `{magic or '?'}` cannot be called by name in a step: a step does not know it.",
        "Write it in plain Python, or tag the cell `skip` if the pipeline does not need it.",
    )


def _run_apart(m: Machine, texts: list[str], node: ast.Call) -> None:
    """Run statements that bind names of their own: as the body of a function that is called."""
    lines = "\n".join(texts).strip("\n").split("\n")
    body = "\n".join(f" {line}" for line in lines if line.strip())
    try:
        tree = ast.parse(f"def timed_():\n{body or ' pass'}\n")
    except (SyntaxError, ValueError):
        return
    m.keep.append(tree)
    made = m.new(tree.body[0], "function", node=tree.body[0])
    made.owner = (m.frame, {}, None)
    m.call(m, frozenset({made.id}), Arguments(), node)


def read_softly(m: Machine, source: str) -> None:
    """Read the names of an expression inside a text, where the notebook has them."""
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and part.id in m.module.names:
            m.load_global(part.id, soft=True)


def read_query(m: Machine, args: Arguments, node: ast.Call, *, plain: bool = False) -> None:
    """Read the names that `df.query("a > @limit")` looks up.

    Parameters
    ----------
    plain
        Names are looked up without `@` too, as `pandas.eval` does.
    """
    first = node.args[0] if node.args else None
    texts = args.texts or known_texts(m, first)
    for text in texts or m.mentioned:
        for name in _QUERY.findall(text):
            if name in m.module.names:
                m.load_global(name, soft=True)
        if plain and texts:
            read_softly(m, text.partition("=")[2] or text)


def known_texts(m: Machine, node: ast.expr | None) -> list[str]:
    """Return the text of a constant, or of a name that is bound to one constant only."""
    if isinstance(node, ast.Name):
        return m.constants.get(node.id, [])
    return constant_texts(node) if isinstance(node, ast.Constant) else []


def run_text(m: Machine, path: str, args: Arguments, node: ast.Call) -> Value:
    """Do `eval` or `exec`: a constant text is code like any other, a computed one is not known."""
    texts = known_texts(m, node.args[0] if node.args else None)
    compiled = [m.compiled[t] for t in args.listed[0] if t in m.compiled] if args.listed else []
    if len(node.args) > 1 or node.keywords:
        # With a namespace of its own, the code sees and changes that.
        m.mutate(args.all)
        return args.all | {m.new(node, "opaque").id}
    if len(texts + compiled) == 1:
        return _run_known(m, (texts + compiled)[0], node)
    return anything(m, path.rsplit(".", 1)[-1], node)


def _run_known(m: Machine, text: str, node: ast.Call) -> Value:
    """Run a text as the code that it is; it fails where it is run if it is none."""
    if text not in m.parsed:
        try:
            # The tree must live as long as the objects that are named after its nodes.
            m.parsed[text] = ast.parse(text.strip())
        except (SyntaxError, ValueError):
            return PLAIN
    body = m.parsed[text].body
    if len(body) == 1 and isinstance(body[0], ast.Expr):
        return m.evaluate(m, body[0].value)
    line = m.line
    m.execute(m, body)
    m.line = line
    return PLAIN


def compile_text(m: Machine, args: Arguments, node: ast.Call) -> Value:
    """Do `compile`: code that a later `exec` runs."""
    made = m.new(node, "opaque", path="builtins.compile")
    texts = known_texts(m, node.args[0] if node.args else None)
    if len(texts) == 1:
        m.compiled[made.id] = texts[0]
    return frozenset({made.id})


def anything(m: Machine, name: str, node: Any) -> Value:
    """Note code that may read, change and bind every name of the notebook."""
    m.dynamic.append(m.segment)
    value = take_everything(m)
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
        take_everything(m)
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


def take_everything(m: Machine) -> Value:
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


def namespace_call(m: Machine, node: ast.expr) -> str:
    """Return which of `globals`, `locals`, `vars` and `dir` gives the notebook's names here."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return ""
    name = node.func.id
    if node.args or node.keywords or name in m.module.names:
        return ""
    inside = m.frame.kind != "module"
    return name if name == "globals" or (name in _NAMESPACES and not inside) else ""


_NAMESPACES = frozenset({"globals", "locals", "vars", "dir"})


def constant_key(node: ast.expr | None) -> str:
    """Return the name that a constant key of such a namespace stands for; else nothing."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def read_key(m: Machine, name: str) -> Value:
    """Do `globals()["name"]`, or ask whether it is there."""
    return m.load_global(name, soft=True) if name in m.module.names else NOTHING


def call_namespace(m: Machine, method: str, node: ast.Call) -> Value | None:
    """Do `globals().method(...)` where it names what it touches; else return None."""
    key = constant_key(node.args[0] if node.args else None)
    rest = [m.evaluate(m, part) for part in node.args[1:]]
    if method in ("get", "__contains__") and key:
        return read_key(m, key) | NOTHING.union(*rest) or PLAIN
    if method == "pop" and key:
        found = read_key(m, key) | NOTHING.union(*rest)
        m.delete(key)
        return found or PLAIN
    if method == "setdefault" and key:
        found = read_key(m, key) | NOTHING.union(*rest)
        m.store(key, found, frame=m.module)
        return found
    if method == "update":
        pairs = [(k.arg, k.value) for k in node.keywords]
        for part in node.args:
            if not isinstance(part, ast.Dict):
                return None
            pairs += [(constant_key(k), v) for k, v in zip(part.keys, part.values, strict=True)]
        if not all(name for name, _ in pairs):
            return None
        for name, value in pairs:
            m.store(str(name), m.evaluate(m, value), frame=m.module)
        return PLAIN
    return None


def namespace(m: Machine, name: str, node: Any) -> Value:
    """Return all names of the notebook, as `globals()` and the like do."""
    if id(node) in m.handled:
        return PLAIN
    return anything(m, name, node)
