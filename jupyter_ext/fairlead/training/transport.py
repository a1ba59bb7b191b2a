"""How code gets into pods byte for byte: as variables from a ConfigMap, without a shell."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fairlead.errors import SpecError

Json = dict[str, Any]

RUN = 'import os; exec(compile(os.environ["FAIRLEAD_START"], "start.py", "exec"))'
"""Python of the container's command: what it executes is `start.py` of the ConfigMap."""

PIECE_BYTES = 96 * 1024
"""Of one variable: Linux takes 128 KiB."""

MOST_BYTES = 840 * 1024
"""Of all pieces: a ConfigMap holds 1 MiB, and a process about 2 MiB of variables."""


def pack(contents: Mapping[str, bytes]) -> list[str]:
    """Return files as pieces of text, the same for the same files.

    Raises
    ------
    SpecError
        They are too large; the message names the largest.
    """
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path, content in sorted(contents.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    text = base64.b64encode(buffer.getvalue()).decode()
    if len(text) > MOST_BYTES:
        largest = sorted(contents, key=lambda path: -len(contents[path]))[:3]
        sizes = ", ".join(f"{path} ({len(contents[path]) >> 10} KiB)" for path in largest)
        raise SpecError(
            f"The files that go along take {len(text) >> 10} KiB packed, of {MOST_BYTES >> 10}: "
            f"{sizes}.",
            hint="Name in .fairleadignore what the pods need not have, or put data on a volume.",
        )
    return [text[at : at + PIECE_BYTES] for at in range(0, len(text), PIECE_BYTES)]


def config_map(name: str, pieces: list[str]) -> Json:
    """Return the ConfigMap that holds the code of a job."""
    start = files("fairlead.training").joinpath("start.py").read_text("utf-8")
    data = {"start.py": start} | {f"files-{i}": piece for i, piece in enumerate(pieces)}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"fairlead.dev/training-code": "true"}},
        "data": data,
    }


def variables(config: str, pieces: list[str]) -> list[Json]:
    """Return the variables of a container that take the code from its ConfigMap."""
    keys = {"FAIRLEAD_START": "start.py"}
    keys |= {f"FAIRLEAD_FILES_{number}": f"files-{number}" for number in range(len(pieces))}
    return [
        {"name": name, "valueFrom": {"configMapKeyRef": {"name": config, "key": key}}}
        for name, key in keys.items()
    ]


def escaped(text: str) -> str:
    """Return an argument or value so that Kubernetes does not expand `$(NAME)` in it."""
    return text.replace("$", "$$")
