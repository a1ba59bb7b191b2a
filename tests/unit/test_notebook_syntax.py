"""IPython's syntax: what a line means is IPython's, what it does in a step is ours."""

from __future__ import annotations

import ast
import re

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from fairlead.pipelines.syntax import is_silent, transform_cell

SAME = [
    "x = 5",
    "%cd /tmp",
    "x = 1\n%env A=1\ny = 2",
    "!ls -l",
    "!echo 'it''s' {x}",
    "files = !ls *.py",
    "a, b = !echo x",
    "for i in range(2):\n    !echo {i}",
    "if True:\n    %cd ..\nelse:\n    pass",
    "!echo one \\\n  two\nx = 3",
    "text = '''\n!ls\n%time\n'''",
    "f(1,\n  2)",
    "x = (1\n%  2)",
    "y = 7 \\\n% 2",
    "s = 'a' \\\n  'b'",
    "print('%d' % 5)",
    "a = b'x' % ()",
    "# !not a command\nx = 1",
    "x = 5 # %time",
    "d = {'!ls': 1}",
    "!!ls",
    "    x = 1\n    y = 2",
    ">>> x = 1\n>>> y = 2",
    "def f():\n    '''doc\n    %time\n    '''\n    return 1",
    "x = [\n  '!ls',\n]\n!pwd",
    "x = f'{1}'\n!pwd",
    "x = 'unclosed \\' quote'\n%env",
    "await f()",
    "async for x in y():\n    pass",
    "x = %env HOME",
    "r = %sx ls",
    '!echo "quote',
]


def _called(tree: ast.AST) -> list[tuple[str, str]]:
    """Return the calls of the shell in a tree: kind of call and its text, in IPython's words."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("get_ipython()."):
            name = ast.unparse(node.func).split(".")[1]
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if name == "run_line_magic":
                name, texts = {"env": "env", "cd": "cd", "sx": "getoutput"}[texts[0]], texts[1:]
            found.append((name, re.sub(r"\s+", " ", str(texts[0])).strip()))
    return sorted(found)


def _plain(tree: ast.Module) -> list[str]:
    """Return the statements that do not call the shell."""
    return [ast.unparse(node) for node in tree.body if "get_ipython()" not in ast.unparse(node)]


@pytest.mark.parametrize("source", SAME)
def test_a_cell_means_what_it_means_to_ipython(source: str) -> None:
    theirs = ast.parse(TransformerManager().transform_cell(source))
    code, complaints = transform_cell(source)
    ours = ast.parse(code)
    assert complaints == []
    assert _called(ours) == _called(theirs)
    assert _plain(ours) == _plain(theirs)


@pytest.mark.parametrize("source", SAME)
def test_the_code_has_the_lines_of_the_cell(source: str) -> None:
    assert transform_cell(source)[0].count("\n") == source.count("\n")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("%load_ext autoreload\n%autoreload 2", "pass\npass"),
        ("%timeit -n1 f()", "get_ipython().timeit('-n1', '', 'f()')"),
        ("?print", "pass"),
        ("print?", "pass"),
        ("df.head??", "pass"),
        ("%time x = f()", "get_ipython().start_clock(); x = f(); get_ipython().stop_clock()"),
        ("%time f(1)", "get_ipython().stop_clock((get_ipython().start_clock(), f(1))[1])"),
        ("%%time\nx = 1", "get_ipython().start_clock()\nx = 1"),
        ("%%capture out\nprint(1)", "out = get_ipython().start_capture()\nprint(1)"),
        ("%%bash\nls\n", "get_ipython().script('bash', 'ls\\n\\n', True)\n\n"),
        ("%pip install x", "get_ipython().pip('install x')"),
        ("%%writefile a.txt\nhi", "get_ipython().write_file('a.txt', 'hi\\n', False)\n"),
        ("%%html\n<b>x</b>", "get_ipython().show('html', '<b>x</b>')\n"),
        ("%%timeit y = 2\nx = 1", "get_ipython().timeit('', 'y = 2', 'x = 1')\n"),
        ("\n%%time\nx = 1", "\nget_ipython().start_clock()\nx = 1"),
    ],
)
def test_a_magic_becomes_plain_python(source: str, code: str) -> None:
    assert transform_cell(source) == (code, [])


def test_the_output_of_a_script_cell_can_be_kept() -> None:
    code, complaints = transform_cell("%%bash --out listing\nls")
    assert complaints == []
    assert code.splitlines()[0] == "listing, _ = get_ipython().script('bash', 'ls\\n', True, True)"


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [
        ("x = 1\n%unknown thing", 2, "%unknown"),
        ("%%cython\nx", 1, "%%cython"),
        ("y = %unknown", 1, "%unknown"),
        ("%run other.py", 1, "%run"),
        ("if x:\n    %sql select", 2, "%sql"),
        ("%%bash --bg\nls", 1, "%%bash --bg"),
    ],
)
def test_an_unknown_magic_is_refused_with_its_line_and_name(
    source: str, line: int, name: str
) -> None:
    complaints = transform_cell(source)[1]
    assert [(c.line, c.name) for c in complaints] == [(line, name)]
    assert name in complaints[0].message
    assert complaints[0].hint


@pytest.mark.parametrize(
    ("source", "silent"),
    [
        ("x;", True),
        ("x", False),
        ("plt.plot(x);  # done", True),
        ("'a;'", False),
        ("x\ny; z", False),
    ],
)
def test_a_semicolon_at_the_end_hides_the_last_value(source: str, silent: bool) -> None:
    assert is_silent(source) is silent
