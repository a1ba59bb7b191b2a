"""Previews of artifacts, and tables, as what a notebook can show: MIME bundles. Pure.

HTML that a task wrote stands in a frame that has no origin and no network: neither the page around
it nor anybody's server can be reached from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from fairlead.pipelines.drawings import draw_classification
from fairlead.pipelines.plots import VEGA_LITE_MIME, artifact_spec

Json = dict[str, Any]

FRAME_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; media-src data: blob:; form-action 'none'; "
    "base-uri 'none'"
)
"""What a page of a task may do in its frame: run its own script and draw."""
_FRAME_PX = 420
_LONGEST_TEXT = 20_000


def artifact_bundle(artifact: Mapping[str, Any], preview: Json, head: str) -> Json:
    """Return an artifact's MIME bundle.

    Parameters
    ----------
    preview : dict
        As `pipelines.previews` makes it.
    head : str
        One line that says which artifact it is.
    """
    kind = preview["kind"]
    plain = {"text/plain": f"{head}\n{preview_text(preview)}".rstrip()}
    if kind == "classification":
        # Front ends prefer HTML to Vega-Lite: beside the plot stands a picture instead.
        return {
            VEGA_LITE_MIME: artifact_spec(artifact),
            "image/svg+xml": draw_classification(preview["slices"]),
            **plain,
        }
    title = f"<p><strong>{escape(head)}</strong></p>"
    return {"text/html": title + preview_html(preview), **plain}


def preview_html(preview: Json) -> str:
    """Return a preview as HTML."""
    kind = preview["kind"]
    more = "<p>…</p>" if preview["truncated"] else ""
    if kind == "metrics":
        return table_html(["metric", "value"], preview["values"].items())
    if kind == "table":
        return table_html(preview["columns"], preview["rows"]) + more
    if kind == "image":
        return f'<img alt="" src="data:{preview["mime"]};base64,{preview["data"]}">'
    if kind == "html":
        page = f'<meta http-equiv="Content-Security-Policy" content="{FRAME_POLICY}">'
        source = escape(page + preview["text"], quote=True)
        return (
            f'<iframe sandbox="allow-scripts" srcdoc="{source}" width="100%" '
            f'height="{_FRAME_PX}" style="border: 1px solid #bdbdbd; background: white"></iframe>'
        )
    if kind == "none":
        return f"<p>{escape(preview['reason'])}</p>"
    return f"<pre>{escape(preview_text(preview))}</pre>" + more


def preview_text(preview: Json) -> str:
    """Return a preview as lines of text."""
    kind = preview["kind"]
    if kind == "metrics":
        return "\n".join(
            f"{name} = {cell_text(value)}" for name, value in preview["values"].items()
        )
    if kind == "classification":
        lines = []
        for one in preview["slices"]:
            area = "" if one["auc"] is None else f"AUC {one['auc']:.4f}"
            lines += [line for line in (" ".join((one["name"], area)).strip(),) if line]
            rows = zip(one["labels"], one["matrix"], strict=True)
            lines += [
                f"  {label}: {' '.join(f'{count:g}' for count in row)}" for label, row in rows
            ]
        return "\n".join(lines)
    if kind == "table":
        return "\n".join("\t".join(row) for row in [preview["columns"], *preview["rows"]])
    if kind == "notebook":
        return "\n\n".join(_source(cell) for cell in preview["notebook"]["cells"])[:_LONGEST_TEXT]
    return str(preview.get("text") or preview["reason"])[:_LONGEST_TEXT]


def _source(cell: Any) -> str:
    source = cell.get("source", "") if isinstance(cell, dict) else ""
    return "".join(source) if isinstance(source, list) else str(source)


def table_html(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table as HTML; numbers in four significant digits."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell_text(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cell_text(value: Any) -> str:
    """Write a value into a table's cell."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)
