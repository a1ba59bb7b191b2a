"""What can be shown of an artifact without running any of it. Pure.

A preview is plain JSON:

    {kind, truncated, reason, ...}

    metrics         values: {name: number, words or truth}
    classification  slices (see `plots`), spec: the ROC curves as Vega-Lite or null
    html, markdown, json, text   text
    image           mime, data: base64
    table           columns: [str], rows: [[str]]
    notebook        notebook
    none            reason: in words why there is nothing to show

`truncated` says that the artifact goes on behind what is shown. Nothing is unpickled.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from typing import Any

from fairlead.pipelines.artifact_client import artifacts_of_run
from fairlead.pipelines.plots import artifact_type, metric_values, roc_spec, slices_of, thinned

Json = dict[str, Any]

PREVIEW_BYTES = 1 << 20
"""Bytes of a text or table that are read for a preview."""
WHOLE_BYTES = 8 << 20
"""Bytes of what only makes sense whole: images, Parquet, notebooks."""
_MOST_ROWS, _MOST_COLUMNS, _LONGEST_CELL = 50, 60, 200
_MOST_UNPACKED = 16 << 20
_CLASSIFICATION = ("ClassificationMetrics", "SlicedClassificationMetrics")
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def preview_of_metadata(artifact: Mapping[str, Any]) -> Json | None:
    """Return the preview of an artifact that is all in its metadata; `None` for any other."""
    kind = artifact_type(artifact)
    if kind == "Metrics":
        values = metric_values(artifact)
        return _preview("metrics", values=values) if values else None
    if kind in _CLASSIFICATION:
        slices = slices_of(artifact)
        if slices:
            shown = [{**one, "points": thinned(one["points"])} for one in slices]
            return _preview("classification", slices=shown, spec=roc_spec(slices))
    return None


def plots_of(record: Mapping[str, Any]) -> list[Json]:
    """Return the curves and matrices of a run: `{step, name, preview}`."""
    found = []
    for task, name, artifact in artifacts_of_run(record):
        preview = preview_of_metadata(artifact)
        if preview is not None and preview["kind"] == "classification":
            # The slices say all; in the saved notebook each byte is kept.
            step = str(task.get("display_name") or "")
            found.append({"step": step, "name": name, "preview": {**preview, "spec": None}})
    return found


def nothing(reason: str) -> Json:
    """Return the preview that says why there is none."""
    return _preview("none", reason=reason)


def preview_of(artifact: Mapping[str, Any], data: bytes, *, whole: bool) -> Json:
    """Return what can be shown of an artifact.

    Parameters
    ----------
    artifact : mapping
        As KFP's REST gives it.
    data : bytes
        Its content, or the beginning of it.
    whole : bool
        Whether `data` is all of it.
    """
    name = str(artifact.get("uri") or "").lower()
    shape = str((artifact.get("metadata") or {}).get("format") or "")
    if not data:
        return nothing("It is empty.")
    for start, mime in _IMAGES.items():
        if data.startswith(start):
            return _image(mime, data, whole)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _image("image/webp", data, whole)
    if data.startswith(b"PAR1"):
        return _parquet(data) if whole else nothing("Too large a Parquet file to look into.")
    if data.startswith(b"\x93NUMPY"):
        return _array(data, whole)
    if data.startswith(b"\x1f\x8b"):
        return _archive(data, whole)
    if shape in ("pickle", "source"):
        # To unpickle is to run what is in it.
        return nothing("A pickled Python object: it is opened in a notebook, not here.")
    text = _text(data, whole)
    if text is None:
        return nothing("Its content is not text, nor of a form that can be shown.")
    kind = artifact_type(artifact)
    if kind == "HTML" or name.endswith((".html", ".htm")):
        return _preview("html", text=text, truncated=not whole)
    if kind == "Markdown" or name.endswith(".md"):
        return _preview("markdown", text=text, truncated=not whole)
    if name.endswith(".svg") or text.lstrip().startswith("<svg"):
        return _image("image/svg+xml", data, whole)
    found = _json(text) if whole else None
    if isinstance(found, dict) and "nbformat" in found and isinstance(found.get("cells"), list):
        return _preview("notebook", notebook=found)
    if isinstance(found, (dict, list)):
        pretty = json.dumps(found, indent=2, ensure_ascii=False)
        return _preview("json", text=pretty[:PREVIEW_BYTES], truncated=len(pretty) > PREVIEW_BYTES)
    separator = next((_SEPARATORS[end] for end in _SEPARATORS if name.endswith(end)), "")
    table = _separated(text, separator or (_guess(text) if kind == "Dataset" else ""), whole)
    return table or _preview("text", text=text, truncated=not whole)


def _preview(kind: str, *, truncated: bool = False, reason: str = "", **more: Any) -> Json:
    return {"kind": kind, "truncated": truncated, "reason": reason, **more}


def _image(mime: str, data: bytes, whole: bool) -> Json:
    if not whole:
        return nothing("The image is too large to be shown here.")
    return _preview("image", mime=mime, data=base64.b64encode(data).decode())


def _text(data: bytes, whole: bool) -> str | None:
    """Return UTF-8 text; `None` where it is something else."""
    if b"\0" in data[:4096]:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The last character of a part may be cut.
        cut = not whole and error.start > len(data) - 4
        return data[: error.start].decode("utf-8-sig") if cut else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _guess(text: str) -> str:
    """Return what separates the columns of a table without a file name; empty where it is none."""
    lines = text.split("\n", 6)[:5]
    for separator in (",", "\t", ";"):
        counts = {line.count(separator) for line in lines if line.strip()}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            return separator
    return ""


def _separated(text: str, separator: str, whole: bool) -> Json | None:
    if not separator:
        return None
    try:
        lines = list(_first_lines(csv.reader(io.StringIO(text), delimiter=separator)))
    except csv.Error:
        return None
    if not lines:
        return None
    head, *rows = lines
    return _table(head, rows[:_MOST_ROWS], more=len(rows) > _MOST_ROWS or not whole)


def _first_lines(reader: Any) -> Any:
    for number, line in enumerate(reader):
        if number > _MOST_ROWS + 1:
            return
        yield line


def _parquet(data: bytes) -> Json:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        return nothing("A Parquet file; install pyarrow beside JupyterLab to see its first rows.")
    try:
        file = ParquetFile(io.BytesIO(data))
        batch = next(file.iter_batches(batch_size=_MOST_ROWS), None)
        names = [str(name) for name in file.schema_arrow.names]
        columns = [column.to_pylist() for column in batch.columns] if batch is not None else []
    except (ArrowException, OSError, ValueError) as error:
        return nothing(f"A Parquet file that cannot be read: {error}")
    rows = [list(row) for row in zip(*columns, strict=True)]
    return _table(names, rows, more=file.metadata.num_rows > len(rows))


def is_archive(data: bytes) -> bool:
    """Whether bytes begin a compressed archive, as servers send a folder."""
    return data.startswith(b"\x1f\x8b") and _unpacked(data, 512)[257:262] == b"ustar"


def _archive(data: bytes, whole: bool) -> Json:
    if not is_archive(data):
        return nothing("It is compressed; download it to open it.")
    rows: list[list[Any]] = []
    try:
        with tarfile.open(
            fileobj=io.BytesIO(_unpacked(data, _MOST_UNPACKED)), mode="r:"
        ) as archive:
            for member in archive:
                if len(rows) >= _MOST_ROWS:
                    break
                rows.append([member.name + ("/" if member.isdir() else ""), member.size])
            else:
                return _table(["file", "bytes"], rows, more=not whole)
    except (tarfile.TarError, OSError):
        # It goes on behind what was unpacked.
        return _table(["file", "bytes"], rows, more=True)
    return _table(["file", "bytes"], rows, more=True)


def _unpacked(data: bytes, most: int) -> bytes:
    """Return the beginning of what a gzip file holds, however much that would be."""
    try:
        return zlib.decompressobj(wbits=31).decompress(data, most)
    except zlib.error:
        return b""


def _array(data: bytes, whole: bool) -> Json:
    try:
        import numpy
    except ImportError:
        return nothing("A NumPy array; install numpy beside JupyterLab to see it.")
    if not whole:
        return nothing("The array is too large to be shown here.")
    try:
        array = numpy.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        return nothing(f"A NumPy array that cannot be read: {error}")
    if array.ndim in (1, 2) and array.size:
        rows = (array.reshape(-1, 1) if array.ndim == 1 else array)[:_MOST_ROWS, :_MOST_COLUMNS]
        head = [str(number) for number in range(rows.shape[1])]
        more = len(array) > len(rows) or (array.ndim == 2 and array.shape[1] > len(head))
        return _table(head, rows.tolist(), more=more)
    words = numpy.array2string(array, threshold=200)
    return _preview("text", text=f"array of {array.dtype}, shape {array.shape}\n{words}")


def _table(head: list[Any], rows: list[list[Any]], *, more: bool) -> Json:
    columns = [_cell(name) for name in head[:_MOST_COLUMNS]]
    cells = [[_cell(value) for value in row[: len(columns)]] for row in rows]
    more = more or len(head) > len(columns)
    return _preview("table", columns=columns, rows=cells, truncated=more)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
