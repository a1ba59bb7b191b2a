"""Random notebooks for the property test: small programs in which names share, change and outlive."""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass, field

from local_steps import Json, code, notebook

# Templates by the type of what they bind. `{new}` is bound; `{int}`, `{list}`, ... are replaced by names of
# that type that exist, `{k}` by a small number. A template is only used when all its types exist.
TEMPLATES: dict[str, list[str]] = {
    "int": [
        "{new} = {k}",
        "{new} = {int} + {k}",
        "{new} = len({list})",
        "{new} = sum(v for v in {list} if isinstance(v, int))",
        "{int_} += {k}",
        "{new} = {func}({k})",
        "if {int} % 2:\n    {new} = {k}\nelse:\n    {new} = -{k}",
        "if {int} > 3:\n    {int_} = {k}",
        "for {new} in range({k}):\n    {list}.append({new})",
        "while {int_} > 3:\n    {int_} -= 2",
        "try:\n    {new} = {list}[7]\nexcept IndexError as error:\n    {new} = {k}",
        "try:\n    {list}.append({k})\n    {new} = {k} // ({int} % 2)\nexcept ZeroDivisionError:\n    pass",
        "with suppress(IndexError):\n    {new} = 1\n    {list}[9]\n    {new} = 2",
        "({new} := {k})",
        "{new} = {inst}.total()",
        "{new} = {inst}.level",
        "{new} = {dict}.get('x', {k})",
        "match {list}:\n    case [first, *rest]:\n        {new} = len(rest)\n    case _:\n        {new} = {k}",
        "match {dict}:\n    case {{'x': {new}}}:\n        pass\n    case _:\n        {new} = {k}",
        "{new}, *others = [{k}, {int}, 3]",
        "{new} = max({int}, {k}) if {list} else {int}",
        "exec('{new} = {int} + 1')",
        "globals()['{new}'] = {k}",
        "{new} = await_value({k})",
        "{new} = int({arr}.sum())",
        "{new} = sum(1 for _ in gen({list}))",
        "{new} = {k}\nassert {new} == {k}, {list}",
        "{new} = 0\nfor x in {list}:\n    if not isinstance(x, int):\n        continue\n    if x > 2:\n        break\n    {new} += x",
        "{new} = [x := {k}, x + 1][1]",
        "lookup = {{'one': {func}, 'two': {func}}}\n{new} = lookup['one']({k})",
        "{new} = lookup['two']({int})",
        "{new} = (lambda: {int} + {k})()",
        "{new} = {k} if any(isinstance(x, list) for x in {list}) else {int}",
        "def outer():\n    global {new}\n    {new} = {k}\n    return {list}\nouter().append({k})",
        "{int_}, {int_} = {k}, {int}",
        "{new} = getattr({inst}, 'level') + {k}",
        "try:\n    raise Trouble({k}, {list})\nexcept Trouble as trouble:\n    {new} = trouble.code\n    trouble.items.append({new})",
        "try:\n    {new} = {dict}['nothing']\nexcept KeyError:\n    {new} = {k}\nelse:\n    {new} = 7\nfinally:\n    {list}.append({k})",
        "with noted({list}) as log:\n    {new} = len(log)",
        "{new} = len({list}) and {k}",
        "while True:\n    {new} = {k}\n    if {new} > 2 or {int}:\n        break\n    {list}.append({new})\n    break",
    ],
    "list": [
        "{new} = [{k}, {int}]",
        "{new} = {list}",
        "{new} = {new2} = [{k}]",
        "{new} = [{list}, {list}]",
        "{new} = list({list})",
        "{new} = [v for v in {list}]",
        "{new} = {list} + [{k}]",
        "{new} = {list}[1:]",
        "{list_} += [{k}]",
        "{list_} *= 2",
        "{list}.append({int})",
        "{list}.append({list})",
        "{list}.extend([{k}, {int}])",
        "{list}[0] = {k}",
        "{list}.insert(0, {dict})",
        "del {list}[0]",
        "{list}.reverse()",
        "{new} = {dict}.setdefault('l', [])",
        "{new} = {lfunc}({list})",
        "{new} = {inst}.items",
        "{inst}.items = {list}",
        "{new} = [x for x in {list} if isinstance(x, list)]\nfor x in {new}:\n    x.append({k})",
        "{new} = {tuple}[1]",
        "{new} = sorted(v for v in {list} if isinstance(v, int))",
        "{new}, {new2} = {list}, [{k}]",
        "{new}, {new2} = {list}, {list}",
        "for part in [{list}, {list}]:\n    part.append({k})",
        "for row in {list}:\n    if isinstance(row, list):\n        row.append({k})",
        "if {int} > 2:\n    {new} = {list}\nelse:\n    {new} = [{k}]",
        "{new} = {list} if {int} % 2 else {list}",
        "{new} = {list} or [{k}]",
        "{new} = [{k}]\n{dict}['s'] = {new}",
        "{new} = list(map(lambda v: v, {list}))",
        "{new} = [{new2} := [{k}], {k}]",
        "{new} = (lambda v=[]: v)()",
        "{new} = {dict}.pop('l', [{k}])",
        "{new} = next(iter([{list}]))",
        "{new} = copy.copy({list})",
        "{new} = copy.deepcopy({list})",
        "{new} = [*{list}, {k}]",
        "heapq.heapify({list})",
        "random.shuffle({list})",
        "{new} = [random.random(), {list}]",
        "{new} = list(gen({list}))",
        "{new} = [part for _, part in zip(range(3), [{list}, {list}])]",
        "for n, part in enumerate([{list}, {list}]):\n    part.append(n)",
        "{new} = {list}\ndef touch():\n    {new}.append({k})\ntouch()",
        "{new} = (lambda v, w={list}: w)({k})",
        "{new} = {dict}\n{new} = {list}",
        "{new} = [{inst}, {inst}]",
        "{new} = [{func}, {func}]\n{list}.append({new}[0]({k}))",
        "{new} = [[{k}]] * 2\n{new}[0].append({k})",
        "{new} = {arr}.tolist()",
        "{new} = [{arr}, {arr}]",
        "{new} = {list}; {new2} = {new}; {new2}.append({k})",
        "{new} = max([{list}, {list}], key=len)",
        "if {list} is {list}:\n    {new} = {list}\nelse:\n    {new} = [{k}]",
        "{new} = [v for v in {list} if v is not {list}]",
        "{new} = functools.reduce(lambda v, w: v + [w], {list}, [])",
        "{new} = {inst}.items if hasattr({inst}, 'items') else {list}",
        "queue = [{list}]\nwhile queue:\n    part = queue.pop()\n    queue.extend(x for x in part if isinstance(x, list) and x is not part and len(queue) < 5 and len(part) < 9)\n    part.append({k})",
        "{new} = {list}\n{new}[:] = [{k}, {list}]",
        "{list}[len({list}):] = [{k}]",
        "{new} = {list}.copy()\n{new}.append({list})",
        "{new} = sorted([{list}, {list}], key=lambda v: len(v))[0]",
    ],
    "dict": [
        "{new} = {{'x': {k}}}",
        "{new} = {{'a': {list}, 'b': {list}}}",
        "{new} = dict({dict})",
        "{new} = {dict}",
        "{dict}['y'] = {list}",
        "{dict}['x'] = {int}",
        "{dict}.update(z={list})",
        "{dict_} |= {{'q': {list}}}",
        "{new} = {{k: v for k, v in {dict}.items()}}",
        "for key, value in {dict}.items():\n    if isinstance(value, list):\n        value.append(key)",
        "del {dict}['x']",
        "{new} = {{**{dict}, 'w': {list}}}",
        "{new} = vars({inst})",
        "{dict}['x'] += 1",
        "{new} = {{**{dict}}}",
        "{new} = collections.defaultdict(list)\n{new}['x'].append({k})",
        "{new} = {{name: [name] for name in 'ab'}}\n{new}['a'].append({list})",
        "{new} = dict(zip('xy', [{list}, {list}]))",
        "{new} = {dict}.copy()\n{new}['x'] = {list}",
        "{new} = {{'f': {func}}}\n{dict}['r'] = {new}['f']({k})",
        "for value in {dict}.values():\n    if isinstance(value, list):\n        {list} = value",
        "{new} = {{'o': {inst}}}\n{new}['o'].level = {k}",
    ],
    "tuple": [
        "{new} = ({int}, {list})",
        "{new} = ({k}, {list}, {dict})",
        "{tuple}[1].append({k})",
        "{new} = {tuple}",
        "{new} = tuple([{k}, {list}])",
        "{new} = ({k}, {tuple}[1])",
        "first, second, *_ = {tuple}\nsecond.append({k})\n{new} = (first, second)",
    ],
    "func": [
        "def {new}(v):\n    return v + {k}",
        "def {new}(v):\n    return v + {int}",
        "def {new}(v):\n    return v * len({list})",
        "def {new}(v, seen=[]):\n    seen.append(v)\n    return len(seen)",
        "def {new}(v, base={int}):\n    return v - base",
        "def {new}(v):\n    {list}.append(v)\n    return v",
        "def {new}(v):\n    global {int_}\n    {int_} = v\n    return {int_} + 1",
        "def {new}(v):\n    return {func}(v) + 1",
        "{new} = lambda v: v + {int}",
        "{new} = {func}",
        "def make(n):\n    def inner(v):\n        nonlocal n\n        n += v\n        return n\n    return inner\n{new} = make({k})",
        "def {new}(v):\n    return v if v < 1 else {new}(v - 1) + {int}",
        "{new} = functools.partial({func}, {k})\n{new} = {func}",
        "def wrap(function):\n    def call(v):\n        return function(v) + {k}\n    return call\n@wrap\ndef {new}(v):\n    return v + {int}",
        "def {new}(v):\n    {new}.calls = getattr({new}, 'calls', 0) + 1\n    return {new}.calls",
        "@functools.lru_cache(maxsize=None)\ndef {new}(v):\n    return v + {k}",
        "def {new}(v):\n    return sum(w for w in [{int}, v])",
        "def {new}(v):\n    def inner():\n        return {int} + v\n    return inner()",
        "def {new}(v):\n    return {inst}.total() + v",
        "{new} = {inst}.bump",
        "async def later(v):\n    return v + {int}\ndef {new}(v):\n    return asyncio.run(later(v))",
        "def numbers(v):\n    for w in range(v):\n        yield w + {int}\ndef {new}(v):\n    return sum(numbers(v))",
    ],
    "lfunc": [
        "def {new}(v):\n    v.append({k})\n    return v",
        "def {new}(v):\n    return [v, {list}]",
        "def {new}(v):\n    return {list}",
        "def {new}(v):\n    return list(v)",
        "def {new}(v):\n    {dict}['kept'] = v\n    return v",
        "def {new}(v):\n    {inst}.items = v\n    return {inst}.items",
        "{new} = lambda v: v[:]",
    ],
    "arr": [
        "{new} = np.arange(4)",
        "{new} = np.array([{k}, {int}, 3, 4])",
        "{new} = {arr}",
        "{new} = {arr}[1:3]",
        "{new} = {arr}.reshape(-1)",
        "{new} = {arr} + {k}",
        "{new} = {arr}.copy()",
        "{arr}[0] = {k}",
        "{arr_} += {k}",
        "{arr}.sort()",
        "{new} = np.asarray({arr})",
        "np.copyto({arr}, {k})",
        "{new} = np.where({arr} > {k}, {arr}, 0)",
        "{arr}[{arr} > 1] = {k}",
        "for x in [{arr}, {arr}]:\n    x[:1] = {k}",
        "np.add({arr}, 1, out={arr})",
    ],
    "cls": [
        "class {new}:\n    level = {k}\n    def __init__(self, items):\n        self.items = items\n    def bump(self, v=1):\n        self.items.append(v)\n        return v\n    def total(self):\n        return len(self.items) + self.level",
        "class {new}:\n    level = {int}\n    count = 0\n    def __init__(self, items):\n        type(self).count += 1\n        self.items = list(items)\n    def bump(self, v=1):\n        {new}.count += v\n        self.items = [v, *self.items]\n        return self.count\n    def total(self):\n        return self.count + {int}",
        "class {new}({cls}):\n    def total(self):\n        return super().total() + {k}",
        "class {new}({cls}):\n    shared = [{k}]\n    def __init__(self, items):\n        super().__init__(items)\n        self.shared.append({list})\n    def bump(self, v=1):\n        return super().bump(v) + len(self.shared)",
        "class {new}:\n    level = {k}\n    made = {{}}\n    def __new__(cls, items):\n        if cls not in cls.made:\n            cls.made[cls] = super().__new__(cls)\n        return cls.made[cls]\n    def __init__(self, items):\n        self.items = items\n    def bump(self, v=1):\n        self.items.append(v)\n        return v\n    def total(self):\n        return len(self.items)",
        "class {new}:\n    level = {k}\n    def __init__(self, items):\n        self.items = items\n    def __call__(self, v):\n        return v + {int}\n    def __len__(self):\n        {list}.append({k})\n        return len(self.items)\n    def __iter__(self):\n        return iter(self.items)\n    def bump(self, v=1):\n        return len(self) + v\n    def total(self):\n        return self({k})",
        "class {new}:\n    shared = []\n    level = 0\n    def __init__(self, items):\n        self.items = items\n        self.shared.append(len(items))\n    def bump(self, v=1):\n        self.shared.append(v)\n        return len(self.shared)\n    def total(self):\n        return sum(self.shared)",
        "@dataclasses.dataclass\nclass {new}:\n    items: list\n    level: int = {k}\n    def bump(self, v=1):\n        self.level += v\n        return self.level\n    def total(self):\n        return self.level + len(self.items)",
        "class {new}:\n    level = {k}\n    def __init__(self, items):\n        self._items = items\n    @property\n    def items(self):\n        return self._items\n    @items.setter\n    def items(self, value):\n        self._items = value\n    def bump(self, v=1):\n        {list}.append(v)\n        return v\n    def total(self):\n        return len({list})",
    ],
    "inst": [
        "{new} = {cls}({list})",
        "{new} = {cls}([{k}])",
        "{new} = {inst}",
        "{inst}.bump({k})",
        "{inst}.level = {int}",
        "{inst}.items.append({k})",
        "{new} = {cls}({list})\n{list}.append({k})",
        "{inst}.other = {list}",
        "setattr({inst}, 'level', {k})",
        "{cls}.level = {int}",
        "{new} = copy.copy({inst})",
        "{new} = copy.deepcopy({inst})",
        "{inst}.friend = {inst}",
        "{new} = {inst}.friend if hasattr({inst}, 'friend') else {inst}",
        "{inst}.hook = {func}\n{inst}.hook({k})",
        "{new} = [{cls}([{k}]) for _ in range(2)][1]",
        "{new} = type({inst})([{k}])",
        "{inst}.items = [*{inst}.items, {list}]",
        "{inst}.__dict__['level'] = {k}",
        "{new} = {inst}\nfor _ in range(2):\n    {new}.bump({k})",
        "def build(v):\n    made = {cls}(v)\n    made.level = {k}\n    return made\n{new} = build({list})",
    ],
    "none": [
        "del {int_}",
        "del {list_}",
        "{func}({int})",
        "for _ in range({k}):\n    {func}({k})\n    {inst}.bump({k})",
        "if {inst}.total() > {k}:\n    {list}.append({k})",
        "[f2({k}) for f2 in ({func}, {func})]",
        "len({inst}) if hasattr({inst}, '__len__') else {inst}.bump({k})",
        "list({inst}) if hasattr({inst}, '__iter__') else None",
        "{inst}({k}) if callable({inst}) else None",
        "for part in {dict}.values():\n    if callable(part):\n        part({k})",
        "del {dict_}",
        "{cls_} = {cls}",
        "sorted([{k}, {int}], key={func})",
        "{lfunc}({list})",
        "{inst}.bump({int})",
        "print({list}, {int})",
        "[{func}(v) for v in range({k})]",
        "list(map({func}, range({k})))",
        "max([{k}, {int}], key={func})",
        "[{list}.append(v) for v in range({k})]",
        "for function in [{func}, {func}]:\n    function({k})",
        "{func_} = {func}",
        "{int_} = {k}",
        "{list_} = [{k}]",
    ],
}
IMPORTS = """\
import asyncio, collections, copy, dataclasses, functools, heapq, random
from contextlib import contextmanager, suppress
import numpy as np
random.seed(5)
class Trouble(Exception):
    def __init__(self, code, items):
        super().__init__(code)
        self.code, self.items = code, items
@contextmanager
def noted(log):
    log.append('in')
    yield log
    log.append('out')
def gen(items):
    for item in items:
        yield item
def await_value(v):
    async def later():
        return v
    return asyncio.run(later())"""
START = "a = [1, 2]\ni = 3\nd = {'x': 1}"
NAMES = {
    "int": ["i", "j", "k", "n"],
    "list": ["a", "b", "c", "e"],
    "dict": ["d", "m"],
    "tuple": ["t", "u"],
    "func": ["f", "g", "h"],
    "lfunc": ["lf", "lg"],
    "arr": ["r", "s"],
    "cls": ["A", "B"],
    "inst": ["o", "p", "q"],
    "none": [],
}


@dataclass
class Program:
    """Statements and the step that each belongs to; step 0 is setup."""

    statements: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def notebook(self, probe: str = "") -> Json:
        """Return the program as a notebook, with one cell per run of statements in a step."""
        cells = [code(IMPORTS, "setup")]
        pieces: list[tuple[int, list[str]]] = []
        for statement, step in zip(self.statements, self.steps, strict=True):
            if not pieces or pieces[-1][0] != step:
                pieces.append((step, []))
            pieces[-1][1].append(statement)
        for step, lines in pieces:
            tag = "setup" if step == 0 else f"step:s{step}"
            cells.append(code("\n".join(lines), tag))
        if probe:
            cells.append(code(probe, "step:probe"))
        return notebook(*cells)

    def without(self, position: int) -> Program:
        """Return the program without one of its statements."""
        keep = [n for n in range(len(self.statements)) if n != position]
        return Program([self.statements[n] for n in keep], [self.steps[n] for n in keep])

    def __str__(self) -> str:
        lines = []
        for statement, step in zip(self.statements, self.steps, strict=True):
            lines.append(f"# step {step}\n{statement}")
        return textwrap.indent("\n".join(lines), "    ")


def generate(rng: random.Random, size: int, *, mixed: bool = False) -> Program:
    """Return a random program of about `size` statements.

    Parameters
    ----------
    mixed
        Whether a step may go on after another one has begun.
    """
    known: dict[str, list[str]] = {kind: [] for kind in TEMPLATES}
    known.update(int=["i"], list=["a"], dict=["d"])
    program = Program([START], [rng.choice([0, 1])])
    step = 1
    weights = {
        "int": 4,
        "list": 6,
        "dict": 2,
        "tuple": 1,
        "func": 5,
        "lfunc": 2,
        "cls": 2,
        "inst": 3,
        "none": 6,
    }
    while len(program.statements) < size:
        kind = rng.choices(list(weights), list(weights.values()))[0]
        template = rng.choice(TEMPLATES[kind])
        statement = fill(rng, kind, template, known)
        if statement is None:
            continue
        if rng.random() < 0.45:
            step = rng.randint(1, 5) if mixed else step + 1
        program.statements.append(statement)
        program.steps.append(step)
    return program


def fill(rng: random.Random, kind: str, template: str, known: dict[str, list[str]]) -> str | None:
    """Put names into a template; None where a type that it needs does not exist yet."""
    values: dict[str, str] = {"k": str(rng.randint(0, 4))}
    made: list[tuple[str, str]] = []
    for slot in ("new", "new2"):
        if f"{{{slot}}}" in template:
            values[slot] = rng.choice(NAMES[kind])
            made.append((kind, values[slot]))
    result = template
    for wanted in TEMPLATES:
        for suffix in ("_", ""):
            marker = f"{{{wanted}{suffix}}}"
            while marker in result:
                if not known.get(wanted):
                    return None
                name = rng.choice(known[wanted])
                if suffix:  # the same name wherever it occurs: it is bound
                    result = result.replace(marker, name)
                else:
                    result = result.replace(marker, name, 1)
    for name, value in values.items():
        result = result.replace(f"{{{name}}}", value)
    for made_kind, name in made:
        for names in known.values():
            if name in names:
                names.remove(name)
        known[made_kind].append(name)
    return result.replace("{{", "{").replace("}}", "}")
