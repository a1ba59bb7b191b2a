import json
import subprocess
import sys

import pytest

from fairlead.documents import read_notebook
from fairlead.errors import SpecError


def test_sources_become_text_and_every_cell_gets_an_id_that_others_do_not_change(tmp_path):
    path = tmp_path / "old.ipynb"
    cells = [
        {"cell_type": "code", "source": ["x = 1\n", "y = 2"], "metadata": {}},
        {"cell_type": "code", "source": "x = 1\ny = 2"},
    ]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 2, "cells": cells}))
    first, second = read_notebook(path)["cells"]
    assert first["source"] == "x = 1\ny = 2"
    assert second["metadata"] == {}
    assert second["id"] == first["id"] + "-2"
    path.write_text(json.dumps({"nbformat": 4, "cells": [{**cells[0], "source": "new"}, *cells]}))
    assert [cell["id"] for cell in read_notebook(path)["cells"]][1:] == [first["id"], second["id"]]


def test_a_notebook_of_version_3_is_upgraded(tmp_path):
    path = tmp_path / "three.ipynb"
    cell = {"cell_type": "code", "input": ["x = 1"], "outputs": [], "language": "python"}
    document = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }
    path.write_text(json.dumps(document))
    assert [cell["source"] for cell in read_notebook(path)["cells"]] == ["x = 1"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"nbformat": 4}',
        '{"nbformat": 4, "cells": [{"cell_type": "code"}]}',
        "\xff",
    ],
)
def test_what_is_not_a_notebook_is_refused_by_name(tmp_path, text):
    path = tmp_path / "odd.ipynb"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(SpecError, match=r"odd\.ipynb is not a notebook"):
        read_notebook(path)


def test_reading_does_not_load_nbformat(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text('{"nbformat": 4, "cells": []}')
    code = (
        "import sys; from pathlib import Path; from fairlead.documents import read_notebook;"
        f"read_notebook(Path({str(path)!r})); print('nbformat' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
