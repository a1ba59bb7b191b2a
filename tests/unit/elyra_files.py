"""Files of Elyra, built small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local_steps import Json, code, notebook

OPS = {".ipynb": "execute-notebook-node", ".py": "execute-python-node", ".r": "execute-r-node"}


def node(key: str, file: str, *links: str, label: str = "", op: str = "", **given: Any) -> Json:
    """Build an execution node, linked to the nodes of the given ids."""
    return {
        "id": key,
        "type": "execution_node",
        "op": op or OPS[Path(file).suffix],
        "app_data": {
            "component_parameters": {"filename": file, **given},
            "ui_data": {"label": label},
        },
        "inputs": [
            {
                "id": "inPort",
                "links": [{"node_id_ref": link, "port_id_ref": "outPort"} for link in links],
            }
        ],
        "outputs": [{"id": "outPort"}],
    }


def flow(key: str, *nodes: Json, **properties: Any) -> Json:
    """Build one of the pipelines of a file."""
    data = {"version": 8, "properties": {"name": "weather", "runtime": "Generic", **properties}}
    return {"id": key, "nodes": list(nodes), "app_data": data}


def write(folder: Path, *flows: Json) -> Path:
    """Write a pipeline file."""
    made = {"doc_type": "pipeline", "version": "3.0", "primary_pipeline": "main"}
    path = folder / "weather.pipeline"
    path.write_text(json.dumps({**made, "pipelines": list(flows)}))
    return path


def write_notebook(path: Path, *sources: str, **metadata: Any) -> None:
    """Write a notebook of code cells."""
    made = notebook(*[code(source) for source in sources])
    path.write_text(json.dumps({**made, "metadata": metadata}))
