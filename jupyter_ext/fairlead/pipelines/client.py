"""The KFP client: runs, their changes and their artifacts, through any Kubernetes context.

Source of the REST shapes: Kubeflow Pipelines `backend/api/v2beta1`. Changes are learnt by
watching the run's Workflow object and read by REST; where Workflows may not be watched the run
is polled with back-off, and the caller is told so.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from fairlead.errors import (
    CapabilityError,
    ClusterError,
    FairleadError,
    NotFoundError,
    SpecError,
)
from fairlead.kube import EMBEDDED_CONTEXT, KubeClient, Stream, WatchEvent
from fairlead.kube.client import WORKFLOWS
from fairlead.names import PIPELINES_NAMESPACE, PIPELINES_SERVICE, RUN_ID_LABEL
from fairlead.pipelines.artifact_client import ArtifactsClient
from fairlead.pipelines.recurring_client import RecurringRunsClient

Records = list[dict[str, Any]]

FINAL_STATES = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"})
_API = "apis/v2beta1/"
_FINAL_PHASES = frozenset({"Succeeded", "Failed", "Error"})
"""Of a Workflow."""
_CALM_S = 0.1
"""Changes that come closer together than this are read as one."""
_LONGEST_PAUSE_S = 10.0
_PAGE = 200
_DEFAULT_EXPERIMENT = "Default"
_MIB = 1 << 20
_LARGEST_SPEC = 3 * _MIB // 2
"""Bytes that etcd takes at once: what a Workflow made of the spec has to fit in."""


class PipelinesClient:
    """Client of the pipelines service of one context."""

    def __init__(self, kube: KubeClient) -> None:
        self.kube = kube
        self._service = kube.service(PIPELINES_NAMESPACE, f"{PIPELINES_SERVICE}:http")
        self._health: dict[str, Any] | None = None
        self._versions: dict[str, dict[str, Any]] = {}
        self.artifacts = ArtifactsClient(self._service, self._scope)
        self.recurring = RecurringRunsClient(self._service, self._scope)

    @property
    def multi_user(self) -> bool:
        """Whether runs, experiments and artifacts of this server are somebody's: a namespace's."""
        if self._health is None:
            self._health = self._service.request("GET", _API + "healthz") or {}
        return bool(self._health.get("multi_user"))

    @property
    def namespace(self) -> str:
        """Namespace of runs' pods: the context's own where KFP is multi-user, else KFP's."""
        return self.kube.context.namespace if self.multi_user else PIPELINES_NAMESPACE

    def lacks(self) -> dict[str, str]:
        """Return what this server does not have, by name, each with the reason in words.

        Returns
        -------
        dict
            `artifacts`: there is no list of artifacts; a run still tells what its tasks made.
            `watch`: Workflows may not be watched, so runs are polled.
        """
        found = {}
        try:
            self.artifacts.page(page_size=1)
        except CapabilityError as error:
            found["artifacts"] = f"{error.what} {error.hint}"
        verdict = self.kube.access.review("watch", "argoproj.io", "workflows", self.namespace)
        if not verdict.allowed:
            reason = f" ({verdict.reason})" if verdict.reason else ""
            found["watch"] = f"Workflows may not be watched here{reason}; runs are polled."
        return found

    def submit(
        self,
        name: str,
        spec: Mapping[str, Any],
        parameters: Mapping[str, Any],
        experiment_id: str = "",
        pipeline_root: str = "",
    ) -> dict[str, Any]:
        """Start a run.

        Parameters
        ----------
        spec : mapping
            A pipeline spec, or `{pipeline_spec, platform_spec}`.
        parameters : mapping
            Values of the pipeline's parameters, already of their types.
        experiment_id : str
            The experiment that it belongs to; empty: the server's default one.
        pipeline_root : str
            Where its artifacts go: `s3://bucket/prefix` and the like; empty: as the pipeline or
            the server says.

        Raises
        ------
        SpecError
            The spec is larger than a cluster takes; nothing was sent.
        """
        body: dict[str, Any] = {
            "display_name": name,
            "pipeline_spec": spec,
            "runtime_config": {"parameters": dict(parameters)},
        }
        if pipeline_root:
            body["runtime_config"]["pipeline_root"] = pipeline_root
        if experiment_id:
            body["experiment_id"] = experiment_id
        return self.create(body)

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Start a run by the body of `POST runs`; raises as `submit`."""
        return self._run("POST", "runs", self._whole(request))

    def create_recurring(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Make a recurring run by the body of `POST recurringruns`; raises as `submit`."""
        return self.recurring.create(self._whole(request))

    def _whole(self, request: Mapping[str, Any]) -> dict[str, Any]:
        body = dict(request)
        self._check_size(body)
        if self.multi_user and not body.get("experiment_id"):
            # There is one for each namespace, and no run without.
            body["experiment_id"] = self.experiment_id(_DEFAULT_EXPERIMENT)
        return body

    def _check_size(self, body: Mapping[str, Any]) -> None:
        """Refuse what a cluster could not keep: a run is a Workflow there, in one piece."""
        if self.kube.context.name == EMBEDDED_CONTEXT:
            return
        size = len(json.dumps(body.get("pipeline_spec"), separators=(",", ":")).encode())
        if size > _LARGEST_SPEC:
            raise SpecError(
                f"The pipeline spec has {size / _MIB:.1f} MiB; a cluster keeps a run as one object "
                f"of at most {_LARGEST_SPEC / _MIB:.1f} MiB.",
                hint="Split the pipeline, put large constants into files, or run it on this "
                "machine: fairlead use local",
            )

    def _scope(self) -> dict[str, str]:
        return {"namespace": self.kube.context.namespace} if self.multi_user else {}

    def get(self, run_id: str) -> dict[str, Any]:
        """Return a run; raises `NotFoundError` where there is none.

        A server may tell only which pipeline version it is of: its spec is read there.
        """
        run = self._run("GET", f"runs/{quote(run_id, safe='')}")
        reference = run.get("pipeline_version_reference") or {}
        if not run.get("pipeline_spec") and reference.get("pipeline_version_id"):
            run["pipeline_spec"] = self._spec_of_version(
                reference.get("pipeline_id") or "", reference["pipeline_version_id"]
            )
        return run

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return one page of runs, without specs, inputs and outputs.

        Parameters
        ----------
        query : mapping
            `page_size`, `page_token`, `sort_by`, `filter` and `experiment_id`, as REST takes them.
        """
        # An experiment belongs to a namespace already.
        asked = dict(query) if query.get("experiment_id") else {**self._scope(), **query}
        found: dict[str, Any] = self._service.request("GET", _API + "runs", query=asked) or {}
        return found

    def list(self) -> Records:
        """Return all runs, newest first; the server leaves out specs, inputs and outputs."""
        runs: Records = []
        query = {"page_size": str(_PAGE), "sort_by": "created_at desc"}
        while True:
            page = self.page(query)
            runs += page.get("runs") or []
            token = page.get("next_page_token")
            if not token:
                return runs
            query["page_token"] = token

    def terminate(self, run_id: str) -> None:
        """Ask a run to stop; its state goes through `CANCELING` to `CANCELED`."""
        self._service.request("POST", f"{_API}runs/{quote(run_id, safe='')}:terminate")

    def retry(self, run_id: str) -> None:
        """Run again what failed or did not run; what succeeded stays."""
        self._service.request("POST", f"{_API}runs/{quote(run_id, safe='')}:retry")

    def delete(self, run_id: str) -> None:
        """Delete a run, its pods and its history."""
        self._service.request("DELETE", f"{_API}runs/{quote(run_id, safe='')}")

    def archive(self, run_id: str, *, back: bool = False) -> None:
        """Put a run away, or bring it back."""
        verb = "unarchive" if back else "archive"
        self._service.request("POST", f"{_API}runs/{quote(run_id, safe='')}:{verb}")

    def experiments(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return one page of experiments; `query` as of `page`."""
        found: dict[str, Any] = (
            self._service.request("GET", _API + "experiments", query={**self._scope(), **query})
            or {}
        )
        return found

    def experiment_id(self, name: str) -> str:
        """Return the id of the experiment of that name, made where there is none."""
        query = {"page_size": str(_PAGE)}
        while True:
            page = self.experiments(query)
            for one in page.get("experiments") or []:
                if one.get("display_name") == name:
                    return str(one["experiment_id"])
            if not page.get("next_page_token"):
                return str(self.create_experiment(name)["experiment_id"])
            query["page_token"] = page["next_page_token"]

    def create_experiment(self, name: str, description: str = "") -> dict[str, Any]:
        """Make an experiment; raises `ConflictError` where the name is taken."""
        body = {"display_name": name, "description": description, **self._scope()}
        made: dict[str, Any] = self._service.request("POST", _API + "experiments", body=body)
        return made

    def archive_experiment(self, experiment_id: str, *, back: bool = False) -> None:
        """Put an experiment and its runs away; brought back, its runs stay where they are."""
        verb = "unarchive" if back else "archive"
        place = quote(experiment_id, safe="")
        self._service.request("POST", f"{_API}experiments/{place}:{verb}")

    def artifact(self, run_id: str, node: str, name: str) -> bytes:
        """Return the bytes of an artifact that a task made; `node` is the task's name or id."""
        return b"".join(self.artifacts.read(run_id, node, name))

    def logs(self, run_id: str, pod: str, *, follow: bool = False) -> Stream[str]:
        """Return the log lines of a step's pod, without line ends; with `follow`, until its end.

        Where the pod is gone or may not be read, those that KFP has kept.
        """
        try:
            return self.kube.logs(pod, self.namespace, follow=follow)
        except FairleadError as error:
            if error.code not in (401, 403, 404):
                raise
            parts = (quote(part, safe="") for part in (run_id, "nodes", pod, "log"))
            query = "?follow=true" if follow else ""
            try:
                return self._service.lines(f"apis/v1alpha1/runs/{'/'.join(parts)}{query}")
            except FairleadError as other:
                error.hint = f"Kubeflow Pipelines has kept no log of it either: {other.what}"
                raise error from other

    def changes(
        self,
        run_id: str,
        *,
        notice: Callable[[str], None] = lambda _: None,
        only_end: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Yield the run now and after each change, until it has ended.

        A control plane that is down for a while is waited for.

        Parameters
        ----------
        notice : callable
            Told in words when the watch is not possible and the run is polled instead.
        only_end : bool
            True leaves out the changes before the end: a run of many tasks takes its time to read.
        """
        signal = _Changes(self, run_id, notice, only_end=only_end)
        try:
            while True:
                try:
                    run = self.get(run_id)
                except ClusterError as error:
                    if error.code is not None and error.code < 500:
                        raise
                    time.sleep(1)
                    continue
                yield run
                if run.get("state") in FINAL_STATES:
                    return
                signal.wait()
        finally:
            signal.stop()

    def _spec_of_version(self, pipeline_id: str, version_id: str) -> dict[str, Any]:
        # A version never changes.
        if version_id not in self._versions:
            path = f"pipelines/{quote(pipeline_id, safe='')}/versions/{quote(version_id, safe='')}"
            try:
                version = self._service.request("GET", _API + path) or {}
            except NotFoundError:
                return {}  # Deleted since: the run is shown by what its tasks tell.
            self._versions[version_id] = version.get("pipeline_spec") or {}
        return self._versions[version_id]

    def _run(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        run: dict[str, Any] = self._service.request(method, _API + path, body=body)
        return run


class _Changes:
    """Tells when a run may have changed: by a watch in a thread, else by the clock."""

    def __init__(
        self,
        pipelines: PipelinesClient,
        run_id: str,
        notice: Callable[[str], None],
        *,
        only_end: bool,
    ) -> None:
        self._pipelines = pipelines
        self._only_end = only_end
        self._ended = threading.Event()
        self._selector = f"{RUN_ID_LABEL}={run_id}"
        self._notice = notice
        self._changed = threading.Event()
        self._stopped = False
        self._stream: Stream[WatchEvent] | None = None
        self._polling = False
        self._pause_s = 1.0
        threading.Thread(target=self._watch, name="fairlead-run-watch", daemon=True).start()

    def wait(self) -> None:
        """Return after the next change, or when polling, after a pause that grows."""
        if self._polling:
            self._changed.wait(self._pause_s)
            self._pause_s = min(self._pause_s * 1.5, _LONGEST_PAUSE_S)
        else:
            self._changed.wait()
        self._ended.wait(_CALM_S)
        self._changed.clear()

    def stop(self) -> None:
        """End the watch."""
        self._stopped = True
        if self._stream is not None:
            self._stream.close()

    def _watch(self) -> None:
        pipelines = self._pipelines
        while not self._stopped:
            try:
                self._stream = pipelines.kube.watch(
                    WORKFLOWS, pipelines.namespace, label_selector=self._selector, timeout_s=60
                )
                for event in self._stream:
                    status = event.object.get("status") or {}
                    if status.get("phase") in _FINAL_PHASES:
                        self._ended.set()
                    gone = event.type == "DELETED"
                    if gone or self._ended.is_set() or not self._only_end:
                        self._changed.set()
                    if self._stopped:
                        break
            except FairleadError as error:
                if error.code in (401, 403, 404):
                    self._polling = True
                    self._changed.set()
                    self._notice(f"Workflows cannot be watched here ({error.what}); polling.")
                    return
                time.sleep(1)
            # The stream ended: whatever happened meanwhile is read again.
            self._changed.set()
