"""A run without a widget manager: SVG, HTML and text forms of the view of `pipelines.graph`."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

from grandalf.graphs import Edge, Graph, Vertex
from grandalf.layouts import SugiyamaLayout

from fairlead.pipelines.drawings import draw_classification
from fairlead.pipelines.graph import seconds_between
from fairlead.pipelines.plots import slice_label

Json = dict[str, Any]

_WIDTH, _HEIGHT = 150, 40
_GAP_X, _GAP_Y = 24, 36
_MARGIN = 12
_LONGEST_NAME = 18
MARKS = {
    "PENDING": "○",
    "RUNNING": "◐",
    "SUCCEEDED": "✓",
    "CACHED": "✓",
    "SKIPPED": "‒",  # noqa: RUF001  a figure dash, as wide as the other marks
    "FAILED": "✗",
    "CANCELING": "◐",
    "CANCELED": "‒",  # noqa: RUF001
}
_COLOURS = {
    "PENDING": "#8a8a8a",
    "RUNNING": "#1976d2",
    "SUCCEEDED": "#2e7d32",
    "CACHED": "#2e7d32",
    "SKIPPED": "#8a8a8a",
    "FAILED": "#c62828",
    "CANCELING": "#b26a00",
    "CANCELED": "#b26a00",
}


class _Box:
    """What the layout asks of a node: its size; it sets the centre in `xy`."""

    def __init__(self) -> None:
        self.w, self.h = _WIDTH, _HEIGHT
        self.xy = (0.0, 0.0)


def render_text(view: Json) -> str:
    """Return the run as lines of text: a head, then a line for each step and its sources."""
    sources: dict[str, list[str]] = {}
    for edge in view["graph"]["edges"]:
        sources.setdefault(edge["target"], []).append(edge["source"])
    names = {node["id"]: node["name"] for node in view["graph"]["nodes"]}
    depths: dict[str | None, int] = {None: 0}
    lines = [f"{_mark(view['state'])} {_headline(view)}"]
    for node in view["graph"]["nodes"]:
        after = [names[source] for source in sources.get(node["id"], [])]
        depth = depths[node["id"]] = depths[node.get("parent")] + 1
        line = f"{'  ' * depth}{_mark(_shown_state(node))} {node['name']}"
        line += f"  <- {', '.join(after)}" if after else ""
        if node["error"]:
            line += f"\n      {node['error']['message']}"
        lines.append(line)
    lines += [f"  {name} = {value:.4g}" for name, value in sorted(view["metrics"].items())]
    for plot in view.get("plots", []):
        areas = [slice_label(one) for one in plot["preview"]["slices"]]
        lines.append(f"  {plot['name']} of {plot['step']}: {'; '.join(areas)}")
    return "\n".join(lines)


def render_html(view: Json) -> str:
    """Return the run as HTML that survives a sanitizer: the DAG is a picture in an `img`."""
    picture = base64.b64encode(render_svg(view).encode()).decode()
    parts = [
        f"<p><strong>{_mark(view['state'])} {escape(_headline(view))}</strong></p>",
        f'<img alt="{escape(_alternative(view))}" src="data:image/svg+xml;base64,{picture}">',
    ]
    for node in view["graph"]["nodes"]:
        if node["error"]:
            text = f"{node['name']}: {node['error']['message']}"
            parts.append(f"<pre>{escape(text)}</pre>")
    if view["metrics"]:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{value:.4g}</td></tr>"
            for name, value in sorted(view["metrics"].items())
        )
        parts.append(f"<table><tbody>{rows}</tbody></table>")
    for plot in view.get("plots", []):
        drawn = base64.b64encode(draw_classification(plot["preview"]["slices"]).encode()).decode()
        title = escape(f"{plot['name']} of {plot['step']}")
        parts.append(f'<p>{title}</p><img alt="{title}" src="data:image/svg+xml;base64,{drawn}">')
    return "\n".join(parts)


def render_svg(view: Json) -> str:
    """Return the DAG as a standalone SVG document; scopes are drawn folded."""
    graph = _folded(view["graph"])
    places = _layout(graph)
    right = max((x for x, _ in places.values()), default=0) + _WIDTH / 2 + _MARGIN
    bottom = max((y for _, y in places.values()), default=0) + _HEIGHT / 2 + _MARGIN
    drawn = [_draw_edge(places, edge) for edge in graph["edges"]]
    drawn += [_draw_node(node, *places[node["id"]]) for node in graph["nodes"]]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{right:.0f}" height="{bottom:.0f}" '
        f'viewBox="0 0 {right:.0f} {bottom:.0f}" font-family="sans-serif" font-size="13">'
        f"<title>{escape(_alternative(view))}</title>{''.join(drawn)}</svg>"
    )


def _folded(graph: Json) -> Json:
    """Return what is in no scope. Views in notebooks of older versions know no scopes."""
    nodes = [node for node in graph["nodes"] if node.get("parent") is None]
    shown = {node["id"] for node in nodes}
    return {"nodes": nodes, "edges": [edge for edge in graph["edges"] if edge["source"] in shown]}


def _layout(graph: Json) -> dict[str, tuple[float, float]]:
    """Place each node's centre; separate parts of the graph stand side by side."""
    vertices = {node["id"]: Vertex(node["id"]) for node in graph["nodes"]}
    for vertex in vertices.values():
        vertex.view = _Box()
    edges = [Edge(vertices[edge["source"]], vertices[edge["target"]]) for edge in graph["edges"]]
    places: dict[str, tuple[float, float]] = {}
    left = float(_MARGIN)
    for part in Graph(list(vertices.values()), edges).C:
        layout = SugiyamaLayout(part)
        layout.xspace, layout.yspace = _GAP_X, _GAP_Y
        layout.init_all()
        layout.draw()
        placed = {vertex.data: vertex.view.xy for vertex in part.sV}
        least_x = min(x for x, _ in placed.values()) - _WIDTH / 2
        least_y = min(y for _, y in placed.values()) - _HEIGHT / 2
        for name, (x, y) in placed.items():
            places[name] = (x - least_x + left, y - least_y + _MARGIN)
        left = max(x for x, _ in (places[name] for name in placed)) + _WIDTH / 2 + _GAP_X
    return places


def _draw_edge(places: dict[str, tuple[float, float]], edge: Json) -> str:
    (x1, y1), (x2, y2) = places[edge["source"]], places[edge["target"]]
    start, end = y1 + _HEIGHT / 2, y2 - _HEIGHT / 2
    bend = (start + end) / 2
    return (
        f'<path d="M{x1:.0f} {start:.0f} C{x1:.0f} {bend:.0f} {x2:.0f} {bend:.0f} '
        f'{x2:.0f} {end:.0f}" fill="none" stroke="#8a8a8a" stroke-width="1.5"/>'
    )


def _draw_node(node: Json, x: float, y: float) -> str:
    state = _shown_state(node)
    colour = _COLOURS.get(state, "#8a8a8a")
    name = node["name"]
    shown = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    left, top = x - _WIDTH / 2, y - _HEIGHT / 2
    dash = ' stroke-dasharray="4 3"' if state == "CACHED" else ""
    return (
        f"<g><title>{escape(f'{name}: {state.lower()}')}</title>"
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" '
        f'fill="#ffffff" stroke="{colour}" stroke-width="2"{dash}/>'
        f'<text x="{left + 10:.0f}" y="{y + 5:.0f}" fill="{colour}">{_mark(state)}</text>'
        f'<text x="{left + 28:.0f}" y="{y + 5:.0f}" fill="#1f1f1f">{escape(shown)}</text></g>'
    )


def _headline(view: Json) -> str:
    text = f"{view['name']}: {view['state'].capitalize()}, {view['done']}/{view['total']} steps"
    if view["created_at"] and view["finished_at"]:
        text += f", {seconds_between(view['created_at'], view['finished_at']):.1f} s"
    return text


def _alternative(view: Json) -> str:
    steps = ", ".join(
        f"{node['name']} {_shown_state(node).lower()}" for node in view["graph"]["nodes"]
    )
    return f"Pipeline {_headline(view)}: {steps}"


def _shown_state(node: Json) -> str:
    return "CACHED" if node["cached"] else str(node["state"])


def _mark(state: str) -> str:
    return MARKS.get(state, "○")
