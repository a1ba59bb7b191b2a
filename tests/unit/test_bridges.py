"""What nbconvert loads; the engine of papermill is tested with a control plane."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import nbformat
import pytest
import yaml
from nbconvert.utils.exceptions import ConversionException

from fairlead.bridges.nbconvert_exporters import IRExporter, KfpExporter
from fairlead.exchange import kfp_python
from fairlead.sources import read_source
from local_steps import Json, code, notebook


def valid(*cells: Json) -> Json:
    """Build a notebook with all that the format asks for."""
    return notebook(*[{**cell, "execution_count": None, "outputs": []} for cell in cells])


STORY = valid(
    code("import helper", "imports"),
    code("x = helper.VALUE", "step:a"),
    code("y = x + 1", "step:b"),
)


@pytest.fixture
def story(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text("VALUE = 3\n")
    path = tmp_path / "story.ipynb"
    path.write_text(json.dumps(STORY))
    return path


def test_the_exporter_of_specs_writes_what_compile_writes(story: Path) -> None:
    text, resources = IRExporter().from_filename(str(story))
    assert yaml.safe_load(text) == read_source(story).spec
    assert resources["output_extension"] == ".yaml"


def test_the_exporter_of_python_writes_what_export_writes(story: Path) -> None:
    text, resources = KfpExporter().from_filename(str(story))
    assert text == kfp_python(STORY, story)
    assert resources["output_extension"] == ".py"


def test_what_cannot_become_a_pipeline_is_an_error_of_nbconvert(tmp_path: Path) -> None:
    cells = [code("f = open('x', 'w')", "step:a"), code("f.write('x')", "step:b")]
    node = nbformat.from_dict(valid(*cells))
    with pytest.raises(ConversionException, match="Cell 1 \\(c0\\), line 1: `f` is an open file"):
        IRExporter().from_notebook_node(node)


def test_a_notebook_of_an_older_format_is_exported(tmp_path: Path) -> None:
    old = {**valid(code("x = 1", "step:a")), "nbformat_minor": 2}
    del old["cells"][0]["id"]
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(old))
    assert "def a(" in KfpExporter().from_filename(str(path))[0]


def test_listing_the_exporters_loads_no_compiler() -> None:
    # A Jupyter Server does so for Lab's menu.
    source = "import sys, fairlead.bridges.nbconvert_exporters; print("
    source += "[name for name in sys.modules if name.startswith('fairlead.pipelines')])"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_every_entry_point_leads_to_a_class() -> None:
    import papermill.engines  # noqa: F401 - it loads its engines when it is loaded itself
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for group, names in project["entry-points"].items():
        for name, target in names.items():
            (found,) = entry_points(group=group, name=name)
            assert found.value == target
            assert isinstance(found.load(), type)
