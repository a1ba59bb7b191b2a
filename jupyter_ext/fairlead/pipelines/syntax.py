"""IPython's syntax as plain Python, line for line: analysed and run without IPython.

What a line means is IPython's (`IPython.core.inputtransformer2`); a test compares the two. What a
magic does in a step is decided here: it becomes Python, a call of the step's own small shell
(`fairlead.pipelines.runner.shell`), nothing, or a complaint.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

_ASSIGN = re.compile(r"^(\s*)([^=!<>%#'\"]+?)\s*=\s*([!%])(?!=)\s*(\S.*)$")
_HELP = re.compile(r"^\s*(?:%{0,2}[\w.*]+(?:\[[^\]]*\])?)\s*\?\??\s*$")
_PROMPT = re.compile(r"^(?:>>>|\.\.\.)(?: |$)", re.MULTILINE)
_TOKENS = re.compile(
    r"#.*|[rRbBuUfFtT]{0,3}(?P<quote>'''|\"\"\"|'|\")|(?P<open>[(\[{])|(?P<close>[)\]}])"
)
SHELL = "get_ipython()"
_NOTHING = frozenset(
    "alias_magic autocall automagic autoreload colors config debug doctest_mode lsmagic"
    " load_ext magic matplotlib pdb pdef pdoc pfile pinfo pinfo2 pprint psource"
    " quickref reload_ext tb tensorboard unload_ext xmode fairlead".split()
)
_LISTING = frozenset("hist history notebook who who_ls whos".split())
"""Magics that print what the whole session has, which no step knows."""
_COMMANDS = frozenset("cat cp ls ll mkdir mv rm rmdir less more man head tail".split())
_TEXTS = frozenset("html HTML markdown latex svg SVG js javascript".split())
_PROGRAMS = frozenset("bash sh ruby perl python python2 python3 pypy".split())
_ADVICE = "Write it in plain Python, or tag the cell `skip` if the pipeline does not need it."


@dataclass(frozen=True)
class Complaint:
    """Something in a cell that a step cannot do."""

    line: int
    name: str
    message: str
    hint: str = _ADVICE


class MagicError(Exception):
    """A magic has no meaning in a step."""

    def __init__(self, name: str, why: str = "a step does not know it") -> None:
        super().__init__(f"The magic `{name}` cannot run in a pipeline: {why}.")
        self.name = name


def transform_cell(source: str) -> tuple[str, list[Complaint]]:
    """Turn the source of a cell into plain Python with the same number of lines.

    Returns
    -------
    tuple
        The code, and what of it cannot run in a step. Code that is not valid Python even then is
        returned as it is; the caller finds out when it parses it.
    """
    if not source.lstrip().startswith("%%") and _parses(source):
        return source, []
    text = textwrap.dedent(source)
    if _PROMPT.match(text):
        text = _PROMPT.sub("", text)
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    complaints: list[Complaint] = []
    if lines[first].startswith("%%") and not lines[first].startswith("%%%"):
        try:
            return _cell_magic(lines, first, complaints), complaints
        except MagicError as error:
            return "", [*complaints, Complaint(first + 1, error.name, str(error))]
    return _transform_lines(lines, complaints, 0), complaints


def is_silent(code: str) -> bool:
    """Tell whether a cell ends in `;`, by which Jupyter's users hide its last value."""
    if ";" not in code.rstrip().rsplit("\n", 1)[-1]:
        return False
    blank = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):  # the cell is refused for it elsewhere
        return False
    return next((t.string for t in reversed(tokens) if t.type not in blank), "") == ";"


def expansions(command: str) -> Iterator[str]:
    """Yield the Python expressions that IPython looks up inside a shell line."""
    for match in re.finditer(r"\$\$|\$(\w+(?:\.\w+)*)|\{([^{}]+)\}", command):
        if match.group(1) or match.group(2):
            yield match.group(1) or match.group(2)


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _transform_lines(lines: list[str], complaints: list[Complaint], offset: int) -> str:
    """Transform the logical lines that are IPython's; copy the others."""
    done: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        start, taken = position, 1
        try:
            if _is_special(line):
                while line.endswith("\\") and start + taken < len(lines):
                    line = line[:-1] + " " + lines[start + taken].lstrip()
                    taken += 1
                done.append(_special(line))
            else:
                taken = _logical_length(lines, position)
                done.extend(lines[start : start + taken])
        except MagicError as error:
            complaints.append(Complaint(offset + start + 1, error.name, str(error)))
            done.append(_indent(line) + "pass")
        done.extend([""] * (start + taken - len(done)))
        position += taken
    return "\n".join(done)


def _is_special(line: str) -> bool:
    text = line.lstrip()
    return text[:1] in ("%", "!", "?") or bool(_HELP.match(line) or _ASSIGN.match(line))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _logical_length(lines: list[str], start: int) -> int:
    """Return how many physical lines the logical line at `start` has."""
    depth, quote, position = 0, "", start
    while position < len(lines):
        line, column = lines[position], 0
        continued = False
        while column < len(line):
            if quote:
                end = _string_end(line, column, quote)
                if end < 0:
                    break
                column, quote = end, ""
                continue
            match = _TOKENS.search(line, column)
            if match is None:
                continued = line.endswith("\\")
                break
            column = match.end()
            if match.group("quote"):
                quote = match.group("quote")
            elif match.group("open"):
                depth += 1
            elif match.group("close"):
                depth = max(0, depth - 1)
            continued = column == len(line) - 1 and line.endswith("\\")
        if len(quote) == 1 and not line.endswith("\\"):
            quote = ""
        position += 1
        if not (depth or quote or continued):
            break
    return position - start


def _string_end(line: str, column: int, quote: str) -> int:
    while column < len(line):
        if line[column] == "\\":
            column += 2
        elif line.startswith(quote, column):
            return column + len(quote)
        else:
            column += 1
    return -1


def _special(line: str) -> str:
    """Transform one logical line of IPython's own syntax."""
    indent, text = _indent(line), line.strip()
    if text.startswith("?") or _HELP.match(line):
        return indent + "pass"
    if text.startswith("!!"):
        return f"{indent}{SHELL}.getoutput({text[2:].strip()!r})"
    if text.startswith("!"):
        return f"{indent}{SHELL}.system({text[1:].strip()!r})"
    if text.startswith("%"):
        return indent + _line_magic(text[1:])
    match = _ASSIGN.match(line)
    if match is None:
        return line
    indent, targets, kind, rest = match.groups()
    if kind == "!":
        return f"{indent}{targets} = {SHELL}.getoutput({rest.strip()!r})"
    value = _magic_value(rest)
    if value is None:
        raise MagicError("%" + rest.split()[0], "it has no value in a step")
    return f"{indent}{targets} = {value}"


def _line_magic(text: str) -> str:
    name, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if name in _LISTING:
        return f"{SHELL}.listing({name!r})"
    if name in _NOTHING or name.endswith("?"):
        return "pass"
    if name in ("time", "prun") and not _is_expression(rest):
        simple = f"{SHELL}.start_clock(); {rest}; {SHELL}.stop_clock()"
        if name == "time" and _parses(simple):
            return simple
        if not _parses(rest):
            raise MagicError("%" + name, f"`{rest}` is not Python")
        return rest
    if name == "timeit":
        options, code = _timeit_parts(rest)
        return f"{SHELL}.timeit({options!r}, '', {code!r})"
    value = _magic_value(text)
    if value is None:
        raise MagicError("%" + name)
    return value


def _timeit_parts(rest: str) -> tuple[str, str]:
    """Return the options of `%timeit`, and its code; refuse options that bind something."""
    match = re.match(r"((?:-[nrpt]\s*\d+\s*|-[qcvo]+\s*)*)(.*)", rest, re.DOTALL)
    options, code = match.groups() if match else ("", rest)
    if "o" in options:
        raise MagicError("%timeit", "its result has no value in a step")
    if not _parses(code):
        raise MagicError("%timeit", f"`{code}` is not Python")
    return options.strip(), code


def _magic_value(text: str) -> str | None:
    """Return a line magic as an expression, or None where it has no value."""
    name, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if name in ("time", "prun") and _is_expression(rest):
        return f"{SHELL}.stop_clock(({SHELL}.start_clock(), {rest})[1])"
    if name in ("sx", "system"):
        return f"{SHELL}.getoutput({rest!r})"
    if name == "cd" and rest.startswith("-q "):
        return f"{SHELL}.cd({rest[3:].strip()!r}, True)"
    if name in ("pip", "cd", "precision"):
        return f"{SHELL}.{name}({rest!r})"
    if name in ("env", "set_env"):
        return f"{SHELL}.env({rest!r})"
    if name == "pwd":
        return '__import__("os").getcwd()'
    if name in _COMMANDS:
        return f"{SHELL}.system({(name.replace('ll', 'ls -l') + ' ' + rest).strip()!r})"
    return None


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text.strip() or "pass", mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _cell_magic(lines: list[str], first: int, complaints: list[Complaint]) -> str:
    """Transform a cell that begins with `%%`."""
    name, _, rest = lines[first][2:].strip().partition(" ")
    words, body = rest.split(), lines[first + 1 :]
    text = "\n".join(body)
    if name in ("fairlead", "debug"):
        return ""
    if name == "timeit":
        options, setup = _timeit_parts(rest)
        if not _parses(text):
            raise MagicError("%%timeit", "the cell is not Python")
        call = f"{SHELL}.timeit({options!r}, {setup!r}, {text!r})"
        return "\n".join([*[""] * first, call, *[""] * len(body)])
    if name in ("time", "prun", "capture"):
        start = f"{SHELL}.start_clock()" if name == "time" else "pass"
        if name == "time" and rest:
            raise MagicError("%%time", "it is used with a statement on its line")
        if name == "capture":
            kept = [word for word in words if not word.startswith("-")]
            start = (f"{kept[0]} = " if kept else "") + f"{SHELL}.start_capture()"
        code = _transform_lines(body, complaints, first + 1)
        return "\n".join([*[""] * first, start, code])
    call = ""
    if name in _TEXTS:
        call = f"{SHELL}.show({name!r}, {text!r})"
    elif name in ("writefile", "file"):
        append = bool({"-a", "--append"} & set(words))
        target = [word for word in words if word not in ("-a", "--append")]
        if len(target) == 1:
            call = f"{SHELL}.write_file({target[0]!r}, {text + chr(10)!r}, {append})"
    elif name in ("sx", "system", "!"):
        call = f"{SHELL}.getoutput({(rest + chr(10) + text).strip()!r})"
    elif name == "script" or name in _PROGRAMS:
        call = _script(name, words, text + "\n")
    if not call:
        raise MagicError("%%" + name)
    return "\n".join([*[""] * first, call, *[""] * len(body)])


def _script(name: str, words: list[str], text: str) -> str:
    names = {"--out": "", "--err": ""}
    check, program = True, [] if name == "script" else [name]
    while words:
        word = words.pop(0)
        key, equals, value = word.partition("=")
        if key in names:
            names[key] = value if equals else words.pop(0) if words else ""
        elif word == "--no-raise-error":
            check = False
        elif word.startswith("--"):
            raise MagicError(f"%%{name} {word}")
        else:
            program.append(word)
    call = f"{SHELL}.script({' '.join(program)!r}, {text!r}, {check}"
    if not any(names.values()):
        return call + ")"
    return f"{names['--out'] or '_'}, {names['--err'] or '_'} = {call}, True)"
