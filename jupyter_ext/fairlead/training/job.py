"""A handle on a training job."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fairlead.errors import FairleadError, NotFoundError
from fairlead.kinds.training_kinds import TRAINING_KINDS, suspend_patch
from fairlead.kinds.training_status import (
    JOB_NAME_LABELS,
    JobStatus,
    Replica,
    is_pod_of,
    job_status,
)
from fairlead.kube import Follower, KubeClient, ResourceType, WatchEvent
from fairlead.kube.merged import MergedLog
from fairlead.kube.types import EVENTS, PODS
from fairlead.training.report import read_metrics

Json = dict[str, Any]

_ENDED = ("SUCCEEDED", "FAILED")


class TrainingFailedError(FairleadError):
    """A training job has failed."""


class TrainingJob:
    """A handle on one job. It holds nothing of it but the object that it last read.

    Parameters
    ----------
    kube : KubeClient
        Where the job lives.
    kind : ResourceType
        How the server calls its kind.
    item : dict
        The object.
    """

    def __init__(self, kube: KubeClient, kind: ResourceType, item: Json) -> None:
        self._kube, self._kind = kube, kind
        self.item = item

    def __repr__(self) -> str:
        return f"<{self.kind} {self.namespace}/{self.name}>"

    @property
    def name(self) -> str:
        """Name of the object."""
        return str(self.item["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Namespace that it is in."""
        return str(self.item["metadata"]["namespace"])

    @property
    def kind(self) -> str:
        """Kind of the object."""
        return str(self.item["kind"])

    @property
    def manifest(self) -> Json:
        """The object when last read."""
        return self.item

    def pods(self) -> list[Json]:
        """Read its pods."""
        label = JOB_NAME_LABELS[self.kind == "TrainJob"]
        found = self._kube.list(PODS, self.namespace, label_selector=f"{label}={self.name}")
        return [pod for pod in found if is_pod_of(pod, self.item)]

    def status(self) -> JobStatus:
        """Read the job and its pods, and tell how they stand, with the reason why one waits."""
        self.item = self._kube.get(self._kind, self.name, self.namespace)
        return job_status(self.item, self.pods())

    @property
    def state(self) -> str:
        """PENDING, RUNNING, RESTARTING, SUSPENDED, SUCCEEDED or FAILED; read anew."""
        return self.status().state

    def wait(self) -> TrainingJob:
        """Wait for the end; returns itself.

        Raises
        ------
        TrainingFailedError
            It failed; the message is the operator's, with the replica that ended it.
        NotFoundError
            It was deleted.
        """
        follower = Follower(self._kube, self._kind, self.namespace)
        uid = self.item["metadata"]["uid"]
        try:
            for event in follower:
                about = event.object.get("metadata") or {}
                if event.type == "SYNCED":
                    if all(each["metadata"]["uid"] != uid for each in follower.objects):
                        raise NotFoundError(f"{self.kind} {self.name} is gone.")
                elif about.get("uid") == uid:
                    self.item = event.object
                    if event.type == "DELETED":
                        raise NotFoundError(f"{self.kind} {self.name} was deleted.")
                    if job_status(self.item, ()).state in _ENDED:
                        break
        finally:
            follower.close()
        found = self.status()
        if found.state == "FAILED":
            raise TrainingFailedError(
                f"{self.kind} {self.name} failed. {found.message}".strip(),
                hint=f"fairlead jobs logs {self.name}",
            )
        return self

    def wait_begun(self, tell: Callable[[str], None] = lambda _: None) -> TrainingJob:
        """Wait until all replicas have begun, or the job has ended; returns itself.

        Parameters
        ----------
        tell : callable
            Told why it waits, once for each reason.
        """
        told = ""
        label = JOB_NAME_LABELS[self.kind == "TrainJob"]
        followers = (
            Follower(self._kube, PODS, self.namespace, label_selector=f"{label}={self.name}"),
            Follower(self._kube, self._kind, self.namespace),
        )
        try:
            for _ in merged(followers):
                found = self.status()
                begun = sum(one.started_at is not None for one in found.replicas)
                if found.state in _ENDED or begun >= max(found.wanted, 1):
                    break
                if found.message and found.message != told:
                    told = found.message
                    tell(told)
        finally:
            for follower in followers:
                follower.close()
        return self

    def events(self) -> list[tuple[str, str, str]]:
        """Return type, reason and message of what was told of it and of its pods, newest last."""
        self.item = self._kube.get(self._kind, self.name, self.namespace)
        known = {self.item["metadata"]["uid"], *(pod["metadata"]["uid"] for pod in self.pods())}
        found = [
            each
            for each in self._kube.list(EVENTS, self.namespace)
            if each["involvedObject"].get("uid") in known
        ]
        found.sort(key=lambda each: each.get("lastTimestamp") or each.get("eventTime") or "")
        return [
            (each.get("type") or "Normal", each.get("reason") or "", each.get("message") or "")
            for each in found
        ]

    def logs(self, *, follow: bool = False) -> MergedLog:
        """Return the lines of all replicas, `[worker-1] line`; those that failed first.

        Parameters
        ----------
        follow : bool
            Go on until the replicas have ended, in the order in which lines come.
        """
        begun = [one for one in self.status().replicas if one.started_at]
        ordered = sorted(begun, key=lambda one: one.state != "FAILED")
        pods = {tag_of(one): one.name for one in ordered}
        return MergedLog(self._kube, self.namespace, pods, follow=follow)

    def metrics(self) -> dict[str, list[tuple[float, float]]]:
        """Return what the first replica has reported: name -> steps and values.

        By `fairlead.report`, or in lines with `name=value`.
        """
        begun = [one for one in self.status().replicas if one.started_at]
        if not begun:
            return {}
        return read_metrics(self._kube.logs(begun[0].name, self.namespace))

    def suspend(self) -> None:
        """Take its pods away and keep the job; `resume` starts it again."""
        self._patch(True)

    stop = suspend
    """The API has no other way to end a job and keep it."""

    def resume(self) -> None:
        """Let it go on after `suspend`."""
        self._patch(False)

    def delete(self) -> None:
        """Delete the job; its pods and its code go with it."""
        self._kube.delete(self._kind, self.name, self.namespace)

    def _patch(self, suspended: bool) -> None:
        patch = suspend_patch(self.kind, suspended)
        self.item = self._kube.patch(self._kind, self.name, patch, self.namespace)


def merged(followers: Sequence[Follower]) -> Iterator[WatchEvent]:
    """Yield the events of several followers as they come; raises what one of them raises."""
    events: queue.SimpleQueue[WatchEvent | FairleadError] = queue.SimpleQueue()

    def read(follower: Follower) -> None:
        try:
            for event in follower:
                events.put(event)
        except FairleadError as error:
            events.put(error)

    for follower in followers:
        threading.Thread(target=read, args=(follower,), name="fairlead-job", daemon=True).start()
    while True:
        event = events.get()
        if isinstance(event, FairleadError):
            raise event
        yield event


def tag_of(replica: Replica) -> str:
    """Name a replica before its lines: `worker-1`."""
    return f"{replica.type}-{replica.index}" if replica.type else replica.name


def list_jobs(context: str | None = None) -> list[TrainingJob]:
    """Return the training jobs of a context's namespace, newest first."""
    kube = KubeClient(context)
    found = []
    for api_version, kind in TRAINING_KINDS:
        try:
            served = kube.resource_type(api_version, kind)
        except NotFoundError:
            continue
        for item in kube.list(served, kube.context.namespace):
            # The items of a list do not tell what they are.
            item |= {"apiVersion": api_version, "kind": kind}
            found.append(TrainingJob(kube, served, item))
    # One MPIJob may be served in two versions.
    once = {job.item["metadata"]["uid"]: job for job in found}
    return sorted(
        once.values(), key=lambda job: str(job.item["metadata"]["creationTimestamp"]), reverse=True
    )


def get_job(name: str, *, context: str | None = None) -> TrainingJob:
    """Return a training job by its name, or by `kind/name` where two kinds have it.

    Raises
    ------
    NotFoundError, FairleadError
        There is none, or there are several.
    """
    kind, _, plain = name.rpartition("/")
    found = [
        job
        for job in list_jobs(context)
        if job.name == plain and (not kind or job.kind.lower() == kind.lower())
    ]
    if not found:
        raise NotFoundError(f"There is no training job '{name}'.", hint="fairlead jobs list")
    if len(found) > 1:
        names = ", ".join(f"{job.kind}/{job.name}" for job in found)
        raise FairleadError(f"There are several: {names}.", hint="Name the kind, too.")
    return found[0]
