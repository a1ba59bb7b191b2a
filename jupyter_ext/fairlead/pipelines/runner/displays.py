"""What a step shows: streams, display data and figures, kept as an executed notebook."""

from __future__ import annotations

import base64
import builtins
import io
import json
import os
import sys
import typing

from fairlead.pipelines.runner.pretty import pretty

_FORMATS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
}


class Page:
    """The executed notebook of a step."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.cells: list[dict[str, typing.Any]] = []
        self.count = 0

    def start(self, cell: dict[str, typing.Any]) -> None:
        """Open the next cell; what is shown from now on belongs to it."""
        self.count += 1
        metadata = {"tags": cell["tags"]} if cell.get("tags") else {}
        entry = {"cell_type": "code", "id": cell["id"], "metadata": metadata, "outputs": []}
        self.cells.append(dict(entry, execution_count=self.count, source=cell["source"]))

    def put(self, output: dict[str, typing.Any]) -> None:
        """Add an output to the open cell; text of the same stream is joined."""
        if not self.cells:
            return
        outputs = self.cells[-1]["outputs"]
        last = outputs[-1] if outputs else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            outputs.append(output)

    def write(self) -> None:
        """Write the notebook so that a reader never sees half of it."""
        if self.path is None:
            return
        version = sys.version.split()[0]
        metadata = {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python", "version": version},
        }
        page = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": self.cells}
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        with open(self.path + ".part", "w", encoding="utf-8") as file:
            json.dump(page, file)
        os.replace(self.path + ".part", self.path)


PAGE = Page(None)


class Stream(io.TextIOBase):
    """A standard stream that also goes to the notebook."""

    encoding = "utf-8"

    def __init__(self, name: str, real: typing.Any) -> None:
        self.label, self.real = name, real
        self.held: list[str] | None = None

    def write(self, text: str) -> int:
        """Write text to the log, line by line, and to the open cell."""
        if self.held is not None:
            self.held.append(text)
            return len(text)
        self.real.write(text)
        if "\n" in text:
            self.real.flush()
        if text:
            PAGE.put({"output_type": "stream", "name": self.label, "text": text})
        return len(text)

    def flush(self) -> None:
        """Flush the log."""
        self.real.flush()

    def fileno(self) -> int:
        """Return the file of the log, for child processes."""
        return int(self.real.fileno())

    def writable(self) -> bool:
        """Tell that one can write."""
        return True


def _is_figure(value: typing.Any) -> bool:
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)


def _png(figure: typing.Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return base64.b64encode(buffer.getvalue()).decode()


def mime_bundle(value: typing.Any) -> tuple[dict[str, typing.Any], dict[str, typing.Any]]:
    """Return the forms in which a value is shown, as Jupyter names them, and their metadata."""
    data: dict[str, typing.Any] = {}
    metadata: dict[str, typing.Any] = {}
    kind = type(value)
    if hasattr(kind, "_repr_mimebundle_"):
        made = value._repr_mimebundle_(include=None, exclude=None)
        made, more = made if isinstance(made, tuple) else (made, {})
        data.update(made or {})
        metadata.update(more or {})
    for method, mime in _FORMATS.items():
        if not isinstance(value, type) and hasattr(kind, method) and mime not in data:
            shown = getattr(value, method)()
            if isinstance(shown, tuple):
                shown, metadata[mime] = shown
            if isinstance(shown, bytes):
                shown = base64.b64encode(shown).decode()
            if shown is not None:
                data[mime] = shown
    if _is_figure(value):
        data["image/png"] = _png(value)
    if "text/plain" not in data:
        data["text/plain"] = pretty(value)
    return data, metadata


class Handle:
    """What `display(..., display_id=...)` returns: shows another value later."""

    def __init__(self, display_id: str) -> None:
        self.display_id = display_id

    def display(self, value: typing.Any, **more: typing.Any) -> None:
        """Show a value."""
        display(value, **more)

    update = display


def display(
    *values: typing.Any, raw: bool = False, display_id: typing.Any = None, **_: typing.Any
) -> typing.Any:
    """Show values in the notebook; with `raw`, dicts from MIME type to data."""
    for value in values:
        data, metadata = (value, {}) if raw else mime_bundle(value)
        if sys.stdout is not None and hasattr(sys.stdout, "real") and "text/plain" in data:
            sys.stdout.real.write(str(data["text/plain"]) + "\n")
        PAGE.put({"output_type": "display_data", "data": data, "metadata": metadata})
    return Handle(str(display_id)) if display_id else None


def show_result(value: typing.Any) -> None:
    """Show the value of a cell's last expression."""
    data, metadata = mime_bundle(value)
    getattr(sys.stdout, "real", sys.stdout).write(str(data["text/plain"]) + "\n")
    result = {"output_type": "execute_result", "data": data, "metadata": metadata}
    PAGE.put(dict(result, execution_count=PAGE.count))


def show_figures(*_: typing.Any, **__: typing.Any) -> None:
    """Show the open figures and close them, as Jupyter does after each cell."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else ():
        display(pyplot.figure(number))  # type: ignore[union-attr]
    if pyplot:
        pyplot.close("all")


class Shown:
    """Text or data with a MIME type: stands for the classes of `IPython.display`."""

    mime = "text/plain"

    def __init__(
        self,
        data: typing.Any = None,
        url: typing.Any = None,
        filename: typing.Any = None,
        **_: typing.Any,
    ) -> None:
        self.data = data
        if filename is None and isinstance(data, str) and self.mime.startswith("image/p"):
            filename = data
        if filename is not None:
            with open(filename, "rb") as file:
                self.data = file.read()
        if isinstance(self.data, bytes) and self.mime.startswith("text"):
            self.data = self.data.decode()

    def _repr_mimebundle_(self, **_: typing.Any) -> dict[str, typing.Any]:
        data = self.data
        shown = base64.b64encode(data).decode() if isinstance(data, bytes) else data
        return {self.mime: shown, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<IPython.core.display.{type(self).__name__} object>"


_CLASSES = {
    "HTML": "text/html",
    "Markdown": "text/markdown",
    "Latex": "text/latex",
    "Math": "text/latex",
    "SVG": "image/svg+xml",
    "Image": "image/png",
    "JSON": "application/json",
    "Javascript": "application/javascript",
    "Pretty": "text/plain",
}


class Finder:
    """Gives the step `IPython.display` without IPython, and pyplot a `show` that shows."""

    def find_spec(
        self, name: str, path: typing.Any = None, target: typing.Any = None
    ) -> typing.Any:
        """Answer for the modules above; leave all others to the finders of Python."""
        if not name.startswith(("matplotlib.", "IPython")):
            return None
        import importlib.machinery
        import importlib.util

        if name == "matplotlib.pyplot":
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            sys.meta_path.insert(0, self)
            if spec is not None and spec.loader is not None:
                run = spec.loader.exec_module

                def exec_module(module: typing.Any) -> None:
                    run(module)
                    module.show = show_figures

                spec.loader.exec_module = exec_module  # type: ignore[method-assign]
            return spec
        if name in ("IPython", "IPython.core"):
            found = [
                f.find_spec(name, path)
                for f in sys.meta_path
                if f is not self and hasattr(f, "find_spec")
            ]
            if any(found):
                return None
        elif name not in ("IPython.display", "IPython.core.display"):
            return None
        package = name in ("IPython", "IPython.core")
        loader = typing.cast(typing.Any, self)
        return importlib.machinery.ModuleSpec(name, loader, is_package=package)

    def create_module(self, spec: typing.Any) -> None:
        """Leave the making of the module to Python."""
        return None

    def exec_module(self, module: typing.Any) -> None:
        """Fill the stand-in module."""
        module.display = display
        module.clear_output = lambda wait=False: None
        module.DisplayHandle = Handle
        module.update_display = lambda value, display_id=None, **_: display(value)
        module.get_ipython = lambda: None
        for name, mime in _CLASSES.items():
            made = type(name, (Shown,), {"mime": mime, "__module__": module.__name__})
            setattr(module, name, made)


def install_displays(path: str | None) -> None:
    """Route what the step shows into the notebook at `path`."""
    PAGE.path = path
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.stdout = Stream("stdout", sys.stdout)
    sys.stderr = Stream("stderr", sys.stderr)
    builtins.display = display  # type: ignore[attr-defined]
    sys.meta_path.insert(0, Finder())
