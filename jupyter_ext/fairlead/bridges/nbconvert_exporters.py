"""`jupyter nbconvert --to fairlead-ir` and `--to kfp`, also in Lab's menu of exports."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbconvert.utils.exceptions import ConversionException
from traitlets import default

from fairlead.errors import FairleadError

# The rest of Fairlead is loaded by an export: a Jupyter Server loads all exporters for its list.


class _PipelineExporter(Exporter):
    """An exporter that takes the notebook as it stands, with the files beside it."""

    # As nbconvert's own exporters: the text is in the place of the notebook.
    def from_notebook_node(  # type: ignore[override]
        self, nb: Any, resources: Any | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the text and the resources, as nbconvert wants them."""
        from fairlead.documents import complete_notebook

        node, resources = super().from_notebook_node(nb, resources, **kw)
        about = resources.get("metadata") or {}
        # Without a path it is a notebook from memory: its files are looked for here.
        path = Path(about.get("path") or os.curdir, f"{about.get('name') or 'notebook'}.ipynb")
        notebook = json.loads(json.dumps(node))
        complete_notebook(notebook, path)
        try:
            return self.text(notebook, path), resources
        except FairleadError as error:
            raise ConversionException(str(error)) from error

    def text(self, notebook: dict[str, Any], path: Path) -> str:
        """Return the pipeline of a notebook as text."""
        raise NotImplementedError


class IRExporter(_PipelineExporter):
    """The pipeline spec of KFP v2."""

    export_from_notebook = "Kubeflow pipeline (YAML)"
    output_mimetype = "application/yaml"

    @default("file_extension")
    def _file_extension(self) -> str:
        return ".yaml"

    def text(self, notebook: dict[str, Any], path: Path) -> str:
        """Return the spec, and the platform spec if there is one, as YAML."""
        from fairlead.documents import dump_pipeline
        from fairlead.sources import compile_document

        found = compile_document(notebook, path)
        for warning in found.warnings:
            self.log.warning(warning)
        return dump_pipeline(found.spec, found.platform)


class KfpExporter(_PipelineExporter):
    """Python of the kfp package."""

    export_from_notebook = "Kubeflow pipeline (Python)"
    output_mimetype = "text/x-python"

    @default("file_extension")
    def _file_extension(self) -> str:
        return ".py"

    def text(self, notebook: dict[str, Any], path: Path) -> str:
        """Return the file."""
        from fairlead.exchange import kfp_python

        return kfp_python(notebook, path, warn=self.log.warning)
