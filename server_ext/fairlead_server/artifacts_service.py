"""What the handlers of artifacts ask. Blocking; handlers call it in threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fairlead.errors import CapabilityError, NotFoundError, SpecError
from fairlead.pipelines.artifact_client import artifacts_of_run
from fairlead.pipelines.client import PipelinesClient
from fairlead.pipelines.lineage import MADE, Tasks, lineage_of, link_view
from fairlead.pipelines.plots import artifact_type
from fairlead.pipelines.previews import (
    PREVIEW_BYTES,
    WHOLE_BYTES,
    is_archive,
    nothing,
    preview_of,
    preview_of_metadata,
)

Json = dict[str, Any]

_WORDS = {
    "Metrics": "Metric",
    "ClassificationMetrics": "ClassificationMetric",
    "SlicedClassificationMetrics": "SlicedClassificationMetric",
}
"""Types as they are shown -> as upstream's service filters them."""
_SHOWN_LINKS = 200


class ArtifactsService:
    """Artifacts as the panels see them.

    Parameters
    ----------
    pipelines : PipelinesClient
        Of the context in use.
    """

    def __init__(self, pipelines: PipelinesClient) -> None:
        self._pipelines = pipelines
        self._client = pipelines.artifacts

    def list(self, *, run: str, name: str, type: str, page_token: str) -> Json:
        """Return a page of artifacts, of all runs or of one, with who made each.

        Returns
        -------
        dict
            `artifacts`, `total_size`, `next_page_token`, and `reason`: in words why there is no
            list, where this server has none.
        """
        if run:
            return self._of_run(run, name, type)
        try:
            page = self._client.page(
                name=name, types=[_WORDS.get(type, type)] if type else [], page_token=page_token
            )
        except CapabilityError as error:
            return {**_page([]), "reason": f"{error.what} {error.hint}"}
        records = page.get("artifacts") or []
        makers = self._makers([one["artifact_id"] for one in records])
        rows = [_row(one, makers.get(one["artifact_id"])) for one in records]
        return _page(rows, page.get("total_size"), page.get("next_page_token"))

    def view(self, artifact_id: str) -> Json:
        """Return an artifact with who made it, who read it, and the graph around it."""
        artifact = self._client.get(artifact_id)
        tasks = Tasks(self._run_or_none)
        links = [
            link
            for link in self._client.links_of_artifacts([artifact_id])
            if not tasks.is_scope(link)
        ]
        made = [link_view(link, tasks) for link in links if link["type"] == MADE]
        read = [link_view(link, tasks) for link in links if link["type"] != MADE]
        for one in made:
            one["inputs"] = _inputs(tasks, one)
        graph = lineage_of(
            artifact,
            self._client.links_of_artifacts,
            self._client.links_of_tasks,
            self._records,
            tasks,
        )
        return {
            **_row(artifact, made[0] if made else None),
            "metadata": artifact.get("metadata") or {},
            "sha256": artifact.get("sha256") or "",
            "made_by": made[:_SHOWN_LINKS],
            "read_by": read[:_SHOWN_LINKS],
            "graph": graph,
        }

    def preview(self, artifact_id: str) -> Json:
        """Return what can be shown of an artifact; see `fairlead.pipelines.previews`."""
        artifact = self._client.get(artifact_id)
        return self._preview(artifact, lambda: self._read(artifact))

    def preview_of_output(self, run_id: str, node: str, name: str) -> Json:
        """Return what can be shown of a task's output, also while the task runs."""
        artifact = self._output(run_id, node, name)
        return self._preview(artifact, lambda: self._client.read(run_id, node, name))

    def read(self, artifact_id: str) -> tuple[str, Iterator[bytes]]:
        """Return an artifact's name for a file, and its bytes piece by piece."""
        artifact = self._client.get(artifact_id)
        return _opened(_file_name(artifact), self._read(artifact))

    def read_output(self, run_id: str, node: str, name: str) -> tuple[str, Iterator[bytes]]:
        """Return a name for a file, and the bytes of a task's output piece by piece."""
        return _opened(name, self._client.read(run_id, node, name))

    def _read(self, artifact: Json) -> Iterator[bytes]:
        artifact_id = str(artifact["artifact_id"])
        made = [
            link for link in self._client.links_of_artifacts([artifact_id]) if link["type"] == MADE
        ]
        if not made:
            raise NotFoundError(
                f"No run is left that made the artifact {artifact.get('name')}.",
                hint=f"It was at {artifact.get('uri') or 'no place of its own'}.",
            )
        link = made[0]
        return self._client.read(link["run_id"], link["task_id"], link["key"], artifact_id)

    def _preview(self, artifact: Json, read: Any) -> Json:
        known = preview_of_metadata(artifact)
        if known is not None:
            return known
        try:
            data, whole = _beginning(read())
        except (NotFoundError, SpecError) as error:
            return nothing(error.what)
        return preview_of(artifact, data, whole=whole)

    def _output(self, run_id: str, node: str, name: str) -> Json:
        """Return the record of a task's output; while the task runs, what little is known."""
        for task, key, artifact in artifacts_of_run(self._pipelines.get(run_id)):
            if key == name and node in (task.get("task_id"), task.get("display_name")):
                return artifact
        return {"name": name}

    def _of_run(self, run_id: str, name: str, type: str) -> Json:
        record = self._pipelines.get(run_id)
        rows = []
        for task, key, artifact in artifacts_of_run(record):
            if name.lower() in str(artifact.get("name") or key).lower() and (
                not type or artifact_type(artifact) == type
            ):
                maker = {
                    "run_id": run_id,
                    "run_name": record.get("display_name") or run_id,
                    "task_id": task.get("task_id") or "",
                    "task_name": task.get("display_name") or "",
                    "key": key,
                }
                rows.append(_row(artifact, maker))
        rows.reverse()
        return _page(rows)

    def _makers(self, artifact_ids: Iterable[str]) -> dict[str, Json]:
        """Return who first made each artifact, by its id."""
        tasks = Tasks(self._run_or_none)
        makers: dict[str, Json] = {}
        for link in self._client.links_of_artifacts(artifact_ids):
            known = link["artifact_id"] in makers
            if link["type"] == MADE and not known and not tasks.is_scope(link):
                makers[link["artifact_id"]] = link_view(link, tasks)
        return makers

    def _run_or_none(self, run_id: str) -> Json | None:
        try:
            return self._pipelines.get(run_id)
        except NotFoundError:
            return None

    def _records(self, artifact_ids: Iterable[str]) -> dict[str, Json]:
        found = {}
        for artifact_id in artifact_ids:
            try:
                found[artifact_id] = self._client.get(artifact_id)
            except NotFoundError:
                found[artifact_id] = {}
        return found


def _row(artifact: Json, maker: Json | None) -> Json:
    # A server may tell numbers as text: 64 bits are more than JSON's numbers hold.
    size = int(artifact["size"]) if artifact.get("size") is not None else None
    if not size and preview_of_metadata(artifact) is not None:
        # It has no file.
        size = None
    return {
        "id": artifact.get("artifact_id") or "",
        "name": artifact.get("name") or "",
        "type": artifact_type(artifact),
        "uri": artifact.get("uri") or "",
        "size": size,
        "created_at": artifact.get("created_at"),
        "maker": maker,
    }


def _page(rows: list[Json], total: Any = None, token: Any = None) -> Json:
    return {
        "artifacts": rows,
        "total_size": int(total) if total is not None else len(rows),
        "next_page_token": token or "",
        "reason": "",
    }


def _inputs(tasks: Tasks, made: Json) -> Json:
    """Return with which parameters a task made an artifact, by name."""
    task = tasks.task(made)
    inputs = task.get("inputs")
    entries = inputs.get("parameters") if isinstance(inputs, dict) else None
    return {
        str(entry["parameter_key"]): entry.get("value")
        for entry in entries or []
        if "parameter_key" in entry
    }


def _beginning(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
    """Return the beginning of an artifact, and whether that is all of it.

    All of it where that is small, or only makes sense whole.
    """
    held = bytearray()
    try:
        for piece in pieces:
            held += piece
            most = WHOLE_BYTES if _must_be_whole(held) else PREVIEW_BYTES
            if len(held) > most:
                return bytes(held[:most]), False
        return bytes(held), True
    finally:
        _close(pieces)


def _must_be_whole(data: bytes | bytearray) -> bool:
    text = data[:1].isspace() or data[:1] in (b"{", b"[", b"<")
    return text or not data[:64].isascii() or data[:4] in (b"PAR1", b"GIF8", b"RIFF")


def _opened(name: str, pieces: Iterator[bytes]) -> tuple[str, Iterator[bytes]]:
    """Wait for the first piece, so that what is refused is refused before anything is sent.

    A folder comes as an archive, and is called so.
    """
    first = next(pieces, b"")
    if is_archive(first) and not name.endswith((".gz", ".tgz")):
        name += ".tar.gz"

    def all_of_it() -> Iterator[bytes]:
        try:
            yield first
            yield from pieces
        finally:
            _close(pieces)

    return name, all_of_it()


def _close(pieces: Any) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


def _file_name(artifact: Json) -> str:
    """Return the name under which a browser keeps an artifact."""
    last = str(artifact.get("uri") or "").rstrip("/").rpartition("/")[2]
    return last or str(artifact.get("name") or "artifact")
