"""Values of a step as files, and files as values."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
import typing
import zlib

from fairlead.pipelines.runner.definitions import DEFINITIONS, dump

_STORES = {"gs://": "/gcs/", "s3://": "/s3/", "minio://": "/minio/", "file://": ""}


REFUSED = b"this value cannot travel\n"
_CHECKED = 2**25


class CarryError(Exception):
    """A value cannot travel to another step."""

    args: tuple[typing.Any, ...]


def local_path(uri: str) -> str:
    """Return where an artifact lies in this process's file system, as KFP's launcher mounts it."""
    for scheme, folder in _STORES.items():
        if uri.startswith(scheme):
            return folder + uri[len(scheme) :]
    return uri


def type_name(value: typing.Any) -> str:
    """Return the name of a value's type: `int`, `numpy.ndarray`, `pandas.DataFrame`."""
    kind = type(value)
    module = kind.__module__.split(".")[0]
    return (
        kind.__qualname__
        if module in ("builtins", "__main__")
        else module + "." + kind.__qualname__
    )


def _plain_array(value: typing.Any) -> bool:
    kind = type(value)
    return (kind.__module__, kind.__name__) == ("numpy", "ndarray") and not value.dtype.hasobject


def _parquet(frame: typing.Any) -> bytes | None:
    """Return a DataFrame as Parquet, or None where what is read back would differ."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return None
    pandas = sys.modules["pandas"]
    buffer = io.BytesIO()
    try:
        frame.to_parquet(buffer, engine="pyarrow")
        again = pandas.read_parquet(io.BytesIO(buffer.getvalue()), engine="pyarrow")
        pandas.testing.assert_frame_equal(frame, again, check_exact=True, check_flags=True)
    except Exception:  # what cannot be written, or differs, travels as a pickle: nothing is lost
        return None
    mixed = [c for c in frame.columns if frame[c].dtype == object]
    same = type(again.index) is type(frame.index) and again.attrs == frame.attrs
    if not same or any([type(v) for v in frame[c]] != [type(v) for v in again[c]] for c in mixed):
        return None
    return buffer.getvalue()


def encode(names: list[str], values: dict[str, typing.Any]) -> tuple[bytes, str]:
    """Turn the values of one artifact into bytes.

    Parameters
    ----------
    names
        The names of the artifact.
    values
        The value of each of them that is bound.

    Returns
    -------
    tuple
        The bytes and their format: npy, parquet, pickle, source (a pickle in which functions
        and classes travel as source), or absent (no bytes: the one name is not bound).
    """
    if len(names) > 1:
        data, defined = dump(values)
        return data, "source" if defined else "pickle"
    if not values:
        return b"", "absent"
    value = values[names[0]]
    if _plain_array(value):
        import numpy

        buffer = io.BytesIO()
        numpy.save(buffer, value, allow_pickle=False)
        return buffer.getvalue(), "npy"
    kind = type(value)
    if kind.__module__.split(".")[0] == "pandas" and kind.__name__ == "DataFrame":
        table = _parquet(value)
        if table is not None:
            return table, "parquet"
    data, defined = dump(value)
    return data, "source" if defined else "pickle"


def decode(data: bytes, names: list[str]) -> dict[str, typing.Any]:
    """Turn the bytes of an artifact into the values of its bound names."""
    if not data:
        return {}
    if data.startswith(REFUSED):
        raise CarryError(data[len(REFUSED) :].decode())
    if data.startswith(b"\x93NUMPY"):
        import numpy

        return {names[0]: numpy.load(io.BytesIO(data), allow_pickle=False)}
    if data.startswith(b"PAR1"):
        import pandas

        return {names[0]: pandas.read_parquet(io.BytesIO(data), engine="pyarrow")}
    DEFINITIONS.whole.clear()
    value = pickle.loads(data)
    return value if len(names) > 1 else {names[0]: value}


def save(
    path: str, names: list[str], values: dict[str, typing.Any], explain: typing.Any
) -> dict[str, typing.Any]:
    """Write one artifact and return its metadata.

    Parameters
    ----------
    explain
        Called with the error when a value cannot travel; what it returns takes the place of the
        values, and fails the step that asks for them.
    """
    try:
        data, form = encode(names, values)
    except Exception as error:  # pickling runs code of any class, which may raise anything
        data, form = REFUSED + explain(values, error).encode(), "refused"
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return {
        "type": ", ".join(type_name(values[n]) for n in names if n in values),
        "format": form,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "names": names,
    }


def load(path: str, names: list[str]) -> dict[str, typing.Any]:
    """Read one artifact; a file that is not there holds no bound name."""
    if not os.path.exists(path):
        return {}
    with open(path, "rb") as file:
        return decode(file.read(), names)


def fingerprint(value: typing.Any) -> int | None:
    """Return a checksum of a value, or None where that would say little or take long."""
    if _plain_array(value):
        return zlib.crc32(value.tobytes()) if value.nbytes < _CHECKED else None
    kind = type(value)
    if kind.__module__.split(".")[0] not in ("builtins", "__main__", "collections"):
        # Objects of libraries keep to themselves what they have computed when they are read.
        if type_name(value) not in ("pandas.DataFrame", "pandas.Series"):
            return None
    if type_name(value) == "pandas.Series":
        value = value.to_numpy()
    elif type_name(value) == "pandas.DataFrame":
        # A table may rearrange its memory when it is read: its columns say whether it changed.
        value = [list(value.columns), *[value.iloc[:, n].to_numpy() for n in range(value.shape[1])]]
    try:
        data, defined = dump(value)
    except Exception:
        return None
    # What holds functions or classes changes whenever another artifact brings them again.
    return None if defined else zlib.crc32(data)


def find_unfit(values: dict[str, typing.Any]) -> tuple[str, typing.Any]:
    """Return the first name whose value cannot travel, and the part of it that is to blame."""
    for name, value in values.items():
        try:
            dump(value)
        except Exception:
            return name, _blame(value, 0)
    return next(iter(values.items()))


def _blame(value: typing.Any, depth: int) -> typing.Any:
    """Return the innermost part of `value` that cannot be pickled by itself."""
    if isinstance(value, dict):
        parts = list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = list(value)
    else:
        parts = list(getattr(value, "__dict__", {}).values()) if not isinstance(value, type) else []
    for part in parts if depth < 5 else []:
        try:
            dump(part)
        except Exception:
            return _blame(part, depth + 1)
    return value
