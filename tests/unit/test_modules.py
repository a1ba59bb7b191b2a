from fairlead.pipelines.modules import local_modules

FILES = {
    "helpers.py": "import tools.shapes\nfrom tools import area",
    "tools/__init__.py": "from .area import square",
    "tools/area.py": "from . import shapes\nimport math",
    "tools/shapes.py": "SIDES = 4",
    "unused.py": "",
}


def notebook(*sources):
    return {"cells": [{"cell_type": "code", "source": source} for source in sources]}


def test_modules_are_found_through_one_another():
    found = local_modules(notebook("%matplotlib inline\nimport helpers, numpy"), FILES.get)
    assert found == {name: text for name, text in FILES.items() if name != "unused.py"}


def test_a_notebook_without_local_imports_takes_none():
    assert local_modules(notebook("import os", "x = 1"), FILES.get) == {}
