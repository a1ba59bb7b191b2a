import gzip
import io
import json
import tarfile
from xml.etree import ElementTree

import pytest

from fairlead.pipelines.drawings import draw_classification
from fairlead.pipelines.forms import artifact_bundle, preview_html
from fairlead.pipelines.plots import VEGA_LITE_MIME, artifact_spec, slices_of, thinned
from fairlead.pipelines.previews import preview_of, preview_of_metadata

CURVE = [
    {"confidenceThreshold": 1.0, "recall": 0.0, "falsePositiveRate": 0.0},
    {"confidenceThreshold": 0.0, "recall": 1, "falsePositiveRate": 1},
    {"confidenceThreshold": 0.5, "recall": 0.75, "falsePositiveRate": 0.25},
]
MATRIX = {
    "annotationSpecs": [{"displayName": "a <b>"}, {"displayName": "c"}],
    "rows": [{"row": [5, 1]}, {"row": [0, 4]}],
}
BOTH = {"confidenceMetrics": CURVE, "confusionMatrix": MATRIX}


def artifact(kind="Artifact", uri="/x/data", **metadata):
    return {"name": "it", "schema_title": f"system.{kind}", "uri": uri, "metadata": metadata}


def shown(data, kind="Artifact", uri="/x/data", whole=True, **metadata):
    return preview_of(artifact(kind, uri, **metadata), data, whole=whole)


def test_a_curve_is_sorted_and_has_its_area():
    (found,) = slices_of(artifact("ClassificationMetrics", **BOTH))
    assert [point["threshold"] for point in found["points"]] == [1.0, 0.5, 0.0]
    assert found["auc"] == pytest.approx(0.75)
    assert (found["labels"], found["matrix"]) == (["a <b>", "c"], [[5, 1], [0, 4]])


def test_slices_have_names_and_what_is_malformed_is_left_out():
    slices = [
        {"slice": "young", "sliceClassificationMetrics": BOTH},
        {"slice": "old", "sliceClassificationMetrics": {"confidenceMetrics": "no list"}},
        {"slice": "odd", "sliceClassificationMetrics": {"confusionMatrix": {"rows": [{"row": 3}]}}},
        "no object",
    ]
    found = slices_of(artifact("SlicedClassificationMetrics", evaluationSlices=slices))
    assert [one["name"] for one in found] == ["young"]


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    points = [{"fpr": n / 9999} for n in range(10_000)]
    kept = thinned(points)
    assert (len(kept), kept[0], kept[-1]) == (200, points[0], points[-1])


def test_metrics_are_in_the_metadata_and_need_no_file():
    found = preview_of_metadata(artifact("Metrics", accuracy=0.5, note="ok", curve=[1]))
    assert found["values"] == {"accuracy": 0.5, "note": "ok"}
    assert preview_of_metadata(artifact("Model")) is None
    assert preview_of_metadata({"type": "Metric", "name": "n", "number_value": 2.0})["values"] == {
        "n": 2.0
    }


def test_a_plot_is_vega_lite_with_a_picture_and_words_beside_it():
    record = artifact("ClassificationMetrics", **BOTH)
    bundle = artifact_bundle(record, preview_of_metadata(record), "it")
    assert list(bundle) == [VEGA_LITE_MIME, "image/svg+xml", "text/plain"]
    json.dumps(bundle, allow_nan=False)
    root = ElementTree.fromstring(bundle["image/svg+xml"])
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 1
    assert "AUC 0.75" in bundle["text/plain"]
    parts = artifact_spec(record)["concat"]
    assert [part["title"] for part in parts] == ["ROC curve, AUC 0.750", "Confusion matrix"]


def test_a_picture_of_nothing_is_still_a_picture():
    ElementTree.fromstring(draw_classification([]))


@pytest.mark.parametrize(
    ("data", "more", "kind"),
    [
        (b"<h1>x</h1>", {"kind": "HTML"}, "html"),
        (b"# x", {"kind": "Markdown"}, "markdown"),
        (b"# x", {"uri": "/x/readme.md"}, "markdown"),
        (b"\x89PNG\r\n\x1a\nrest", {}, "image"),
        (b'<svg xmlns="x"/>', {}, "image"),
        (b'{"a": 1}', {}, "json"),
        (b'{"nbformat": 4, "cells": []}', {}, "notebook"),
        (b"a,b\n1,2\n", {"uri": "/x/rows.csv"}, "table"),
        (b"a\tb\n1\t2\n", {"kind": "Dataset"}, "table"),
        (b"a line, and\nanother one\n", {"kind": "Dataset"}, "text"),
        (b"plain words", {}, "text"),
        (b"", {}, "none"),
        (b"\x00\x01\x02", {}, "none"),
        (b"\x80\x04K\x01.", {"format": "pickle"}, "none"),
        (b"PAR1 no parquet PAR1", {}, "none"),
        (b"\x93NUMPY broken", {}, "none"),
    ],
)
def test_each_content_is_shown_as_what_it_is(data, more, kind):
    found = shown(data, **more)
    assert found["kind"] == kind
    assert bool(found["reason"]) == (kind == "none")


def test_a_part_of_a_text_may_end_within_a_character():
    data = "né".encode()[:2]
    assert shown(data, whole=False)["text"] == "n"
    assert shown(data)["kind"] == "none"


def test_a_long_table_shows_its_first_rows_and_says_that_it_goes_on():
    text = "\n".join(["a,b", *(f"{n},x" for n in range(1000))]).encode()
    found = shown(text, uri="/x/rows.csv")
    assert (found["columns"], len(found["rows"]), found["truncated"]) == (["a", "b"], 50, True)


def test_parquet_and_arrays_show_their_first_rows():
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    buffer = io.BytesIO()
    pandas.DataFrame({"n": range(80), "w": ["x"] * 80}).to_parquet(buffer)
    found = shown(buffer.getvalue())
    assert (found["columns"], found["rows"][1], found["truncated"]) == (
        ["n", "w"],
        ["1", "x"],
        True,
    )
    buffer = io.BytesIO()
    numpy.save(buffer, numpy.eye(3))
    assert shown(buffer.getvalue())["rows"][0] == ["1.0", "0.0", "0.0"]


def test_a_page_of_a_task_stands_in_a_frame_without_an_origin():
    html = preview_html(shown(b'"><script>parent.x = 1</script>', kind="HTML"))
    assert html.startswith('<iframe sandbox="allow-scripts" srcdoc="')
    assert "<script>" not in html
    assert "default-src &#x27;none&#x27;" in html


def test_a_folder_is_shown_by_its_files_even_where_it_is_cut():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in ("weights.bin", "config.json"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"data"))
    found = shown(buffer.getvalue())
    assert (found["columns"], found["truncated"]) == (["file", "bytes"], False)
    assert found["rows"] == [["weights.bin", "4"], ["config.json", "4"]]
    assert shown(buffer.getvalue()[:-40], whole=False)["truncated"]
    assert shown(gzip.compress(b"words"))["kind"] == "none"
