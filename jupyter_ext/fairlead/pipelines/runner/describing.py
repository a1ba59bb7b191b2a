"""Values in words that two processes can compare: structure, numbers and texts, no addresses.

Joined to the parts that read artifacts, it runs in the process that has the values.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import types
import typing
import zlib

from fairlead.pipelines.runner.artifacts import decode, type_name

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_DEPTH = 8
_MOST_PARTS = 2000
_MOST_TEXT = 200


def describe(value: typing.Any, above: tuple[int, ...] = ()) -> typing.Any:
    """Describe a value as plain JSON: `[type, words, parts]`, parts by name or place."""
    kind = type_name(value)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        text = repr(value)
        more = "" if len(text) <= _MOST_TEXT else " (%08x)" % zlib.crc32(text.encode())  # noqa: UP031
        return [kind, text[:_MOST_TEXT] + more, {}]
    if id(value) in above:
        return [kind, "itself, %d above" % (len(above) - above.index(id(value))), {}]  # noqa: UP031
    if len(above) >= _DEPTH:
        return [kind, "...", {}]
    above = (*above, id(value))
    if isinstance(value, types.ModuleType):
        return ["module", value.__name__, {}]
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return [kind, value.__qualname__, {}]
    if isinstance(value, dict):
        pairs = [("[%s]" % _short(k), v) for k, v in value.items()]  # noqa: UP031
        return [kind, "%d entries" % len(value), _parts(pairs, above)]  # noqa: UP031
    if isinstance(value, (set, frozenset)):
        texts = sorted(json.dumps(describe(part, above)) for part in value)
        parts = {"{%d}" % n: json.loads(text) for n, text in enumerate(texts[:_MOST_PARTS])}  # noqa: UP031
        return [kind, "%d members" % len(value), parts]  # noqa: UP031
    if isinstance(value, (list, tuple)):
        pairs = [("[%d]" % n, part) for n, part in enumerate(value)]  # noqa: UP031
        return [kind, "%d items" % len(value), _parts(pairs, above)]  # noqa: UP031
    table = _table(value, kind, above)
    if table is not None:
        return table
    own = getattr(value, "__dict__", None)
    if isinstance(own, dict):
        return [kind, "", _parts([(".%s" % name, part) for name, part in own.items()], above)]  # noqa: UP031
    return [kind, _short(value), {}]


def _table(value: typing.Any, kind: str, above: tuple[int, ...]) -> typing.Any:
    """Describe arrays, tables and tensors by form and content; None for others."""
    module = kind.split(".")[0]
    if module == "numpy" and hasattr(value, "dtype") and hasattr(value, "tobytes"):
        words = "%s %s" % (value.dtype, tuple(value.shape))  # noqa: UP031
        if value.dtype.hasobject or value.size <= _MOST_PARTS:
            return [kind, words, {"": describe(value.tolist(), above)}]
        return [kind, words, {"content": ["crc32", "%08x" % zlib.crc32(value.tobytes()), {}]}]  # noqa: UP031
    if module == "pandas" and hasattr(value, "to_numpy"):
        if hasattr(value, "columns"):
            pairs = [("[%r]" % (c,), value.iloc[:, n]) for n, c in enumerate(value.columns)]  # noqa: UP031
            pairs.append((".index", value.index))
            return [kind, "%d rows, %d columns" % value.shape, _parts(pairs, above)]  # noqa: UP031
        return [kind, str(value.dtype), {"": describe(value.to_numpy(), above)}]
    if module == "torch" and hasattr(value, "detach"):
        return [kind, "", {"": describe(value.detach().cpu().numpy(), above)}]
    return None


def _parts(pairs: typing.Any, above: tuple[int, ...]) -> typing.Any:
    return {name: describe(part, above) for name, part in pairs[:_MOST_PARTS]}


def _short(value: typing.Any) -> str:
    try:
        text = repr(value)
    except Exception:  # code of any class: it has no words, and so no difference in them
        text = "?"
    return _ADDRESS.sub("0x...", text)[:_MOST_TEXT]


def _packed(found: typing.Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(found).encode())).decode()


def ask(names: list[str], space: dict[str, typing.Any]) -> str:
    """Describe those of the names that are bound: JSON by name, packed, in base64."""
    return _packed({name: describe(space[name]) for name in names if name in space})


def describe_files(arguments: list[str]) -> int:
    """Describe what artifacts hold: `PATH NAME,NAME ...`; prints as `ask` answers.

    A name in several of them was collected by the turns of a loop: its parts are put together.
    """
    space: dict[str, typing.Any] = {}
    own = types.ModuleType("fairlead_step")
    own.__dict__.update(globals())
    sys.modules["fairlead_step"] = own  # pickles name the makers of values there
    for path, names in zip(arguments[1::2], arguments[2::2]):  # noqa: B905
        with open(path, "rb") as file:
            values = decode(file.read(), names.split(","))
        for name, value in values.items():
            if name in space:
                (space[name].extend if isinstance(value, list) else space[name].update)(value)
            else:
                space[name] = value
    print(ask(list(space), space))
    return 0
