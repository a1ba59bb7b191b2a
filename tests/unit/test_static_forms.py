import base64
import re
from xml.etree import ElementTree

from fairlead.widgets.static import render_html, render_svg, render_text


def node(name, state="SUCCEEDED", *, cached=False, message=None):
    error = {"message": message} if message else None
    return {"id": name, "name": name, "state": state, "cached": cached, "error": error}


def view():
    return {
        "name": "a <b> & c",
        "state": "FAILED",
        "done": 2,
        "total": 4,
        "created_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:00:01.5Z",
        "metrics": {"accuracy": 0.97654},
        "graph": {
            "nodes": [
                node("load", cached=True),
                node("split"),
                node("train", "FAILED", message="NameError: <x>"),
                node("alone", "PENDING"),
            ],
            "edges": [
                {"source": "load", "target": "split", "names": []},
                {"source": "split", "target": "train", "names": ["x"]},
                {"source": "load", "target": "train", "names": ["y"]},
            ],
        },
    }


def test_the_text_form_lists_states_sources_and_metrics():
    assert render_text(view()).splitlines() == [
        "✗ a <b> & c: Failed, 2/4 steps, 1.5 s",
        "  ✓ load",
        "  ✓ split  <- load",
        "  ✗ train  <- split, load",
        "      NameError: <x>",
        "  ○ alone",
        "  accuracy = 0.9765",
    ]


def test_the_svg_places_every_node_apart_and_draws_every_edge():
    root = ElementTree.fromstring(render_svg(view()))
    space = "{http://www.w3.org/2000/svg}"
    boxes = [(float(r.get("x")), float(r.get("y"))) for r in root.iter(f"{space}rect")]
    assert len(set(boxes)) == 4
    assert len(list(root.iter(f"{space}path"))) == 3
    load, split, train, _ = boxes
    assert load[1] < split[1] < train[1]
    assert all(x >= 0 and y >= 0 for x, y in boxes)


def test_the_html_escapes_what_users_wrote_and_holds_the_picture():
    html = render_html(view())
    assert "a &lt;b&gt; &amp; c" in html
    assert "NameError: &lt;x&gt;" in html
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    ElementTree.fromstring(base64.b64decode(picture[1]))


def test_a_run_without_steps_is_still_drawn():
    empty = {**view(), "graph": {"nodes": [], "edges": []}}
    ElementTree.fromstring(render_svg(empty))


def test_curves_and_matrices_are_kept_as_pictures_and_words():
    slices = [
        {
            "name": "",
            "auc": 0.75,
            "points": [
                {"fpr": 0, "tpr": 0.5, "threshold": 1},
                {"fpr": 1, "tpr": 1, "threshold": 0},
            ],
            "labels": ["no", "yes"],
            "matrix": [[3, 1], [0, 4]],
        }
    ]
    plot = {"step": "train", "name": "roc", "preview": {"kind": "classification", "slices": slices}}
    plotted = {**view(), "plots": [plot]}
    assert render_text(plotted).splitlines()[-1] == "  roc of train: AUC 0.750"
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', render_html(plotted))
    assert len(pictures) == 2
    drawn = ElementTree.fromstring(base64.b64decode(pictures[1]))
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}polyline"))) == 1
