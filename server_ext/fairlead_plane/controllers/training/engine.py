"""The jobs of the training operator: replicas become pods and Services, and their ends a status."""

from __future__ import annotations

import copy
import time

from ...resources import POD, SERVICE, ApiError, Json, Transaction, parse_timestamp, timestamp
from ..base import REFUSED, Controller
from ..pods import is_active, is_leaving, is_terminal, save_status
from . import restarts, run_policy
from .contract import Address, Contract, Counts, Progress
from .gangs import join_gang
from .ports import HOST, free_ports
from .replicas import INDEX, TYPE, build_pod, build_service, replica_name, service_port, type_labels
from .status import format_selector, is_over, is_true, set_condition

_Key = tuple[str, int]
"""Type and index of a replica."""

_END_NOW_S = 1
"""`activeDeadlineSeconds` that ends the processes of a pod, and keeps the pod with its logs."""


_GRACE_S = 5.0
"""Ranks end within moments of each other: those behind are not cut off at their last lines."""


class TrainingController(Controller):
    """Runs the jobs of one kind of the training operator.

    Parameters
    ----------
    contract : Contract
        What is this kind's own.
    """

    watched = (POD, SERVICE)

    def __init__(self, contract: Contract) -> None:
        self.kind = contract.kind
        self._contract = contract

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Judge what has ended, and start or stop replicas."""
        if is_leaving(obj) or run_policy.is_elsewhere(obj):
            return None
        return _Look(transaction, obj, self._contract).run()


class _Look:
    """One look at one job."""

    def __init__(self, transaction: Transaction, job: Json, contract: Contract) -> None:
        self._transaction = transaction
        self._job = job
        self._contract = contract
        self._replicas = contract.replicas(job)
        uid = job["metadata"]["uid"]
        self._pods = {_key(contract, pod): pod for pod in transaction.owned(POD, uid)}
        self._services = {_key(contract, each): each for each in transaction.owned(SERVICE, uid)}
        self._status: Json = copy.deepcopy(job.get("status") or {})
        self._waits: list[float] = []

    def run(self) -> float | None:
        kind, name = self._job["kind"], self._job["metadata"]["name"]
        if not self._status.get("conditions"):
            self._condition("Created", f"{kind} {name} is created.")
        if is_over(self._status):
            self._after()
        elif run_policy.run_policy(self._job).get("suspend"):
            self._suspend()
        else:
            self._resume()
            self._manage()
        if self._transaction.find(self._contract.kind, name, self._job["metadata"]["namespace"]):
            save_status(self._transaction, self._job, self._status)
        return min(self._waits, default=None)

    # Suspending

    def _suspend(self) -> None:
        self._clear()
        self._count()
        message = f"{self._job['kind']} {self._job['metadata']['name']} is suspended."
        if is_true(self._status, "Running"):
            self._condition("Running", message, word="Suspended", holds=False)
        if self._condition("Suspended", message):
            self._event("Suspended", message)

    def _resume(self) -> None:
        if is_true(self._status, "Suspended"):
            message = f"{self._job['kind']} {self._job['metadata']['name']} is resumed."
            self._condition("Suspended", message, word="Resumed", holds=False)
            self._status["startTime"] = timestamp()
            self._event("Resumed", message)

    # Managing

    def _manage(self) -> None:
        self._status.setdefault("startTime", timestamp())
        self._tell_exits()
        self._judge_failures()
        progress = self._count()
        if not is_over(self._status):
            self._judge(progress)
        if not is_over(self._status):
            self._judge_policy()
        if is_over(self._status):
            self._finish()
            return
        self._remove_superfluous()
        if self._make_services():
            self._make_pods()

    def _judge_failures(self) -> None:
        """Make failed replicas again where their policy says so, else end the job."""
        for key, pod in list(self._pods.items()):
            type, failed = key[0], pod["status"].get("phase") == "Failed"
            if not failed or is_leaving(pod) or type not in self._replicas:
                continue
            policy = self._replicas[type]["restartPolicy"]
            if restarts.rule_on(self._contract, policy, pod) == "restart":
                self._restart(key, pod)
            elif not self._goes_on_without(type):
                self._fail(type, policy)

    def _restart(self, key: _Key, pod: Json) -> None:
        wait_s = restarts.wait_s(pod, restarts.count_made_again(self._services.get(key)))
        if wait_s > 0:
            self._waits.append(wait_s)
            return
        type = key[0]
        word = self._job["kind"] if self._contract.main_only else "job"
        message = (
            f"{word} {self._job['metadata']['name']} is restarting because {type} replica(s) "
            "failed."
        )
        if not restarts.is_lost(pod):
            self._count_again(key)
        self._delete(POD, pod)
        self._pods = {each: other for each, other in self._pods.items() if each != key}
        self._event("Restarting", message, type="Warning")
        self._condition("Restarting", message)

    def _count_again(self, key: _Key) -> None:
        service = self._services.get(key)
        if service is not None:
            count = restarts.count_made_again(service) + 1
            annotations = service["metadata"].setdefault("annotations", {})
            annotations[restarts.RESTARTS_ANNOTATION] = str(count)
            self._services[key] = self._transaction.update(service)

    def _goes_on_without(self, type: str) -> bool:
        return bool(self._job["spec"].get("enableDynamicWorker")) and type == "Worker"

    def _fail(self, type: str, policy: str) -> None:
        failed = sum(
            key[0] == type and pod["status"].get("phase") == "Failed" and not is_leaving(pod)
            for key, pod in self._pods.items()
        )
        name = self._job["metadata"]["name"]
        if policy == "ExitCode":
            message = f'job "{name}" is failing because "{type}" replica(s) failed.'
        elif self._contract.main_only:
            message = f"{self._title} has failed because {failed} {type} replica(s) failed."
        else:
            message = (
                f"{self._job['kind']} {name} is failed because {failed} {type} replica(s) failed."
            )
        self._end("Failed", message)

    def _judge(self, progress: Progress) -> None:
        """Set Succeeded or Running, by the replicas that decide."""
        if self._contract.succeeded(self._job, progress):
            words = "successfully completed" if self._contract.qualified else (
                "is successfully completed"
            )  # fmt: skip
            self._end("Succeeded", f"{self._title} {words}.")
        elif self._contract.running(self._job, progress):
            self._condition("Running", f"{self._title} is running.")

    def _judge_policy(self) -> None:
        name = self._job["metadata"]["name"]
        again = sum(map(restarts.count_made_again, self._services.values()))
        if run_policy.is_past_limit(
            self._job, again + restarts.count_restarts(self._pods.values())
        ):
            words = "it has reached the specified backoff limit"
            self._end("Failed", f"Job {name} has failed because {words}")
            return
        left_s = run_policy.deadline_s(self._job, self._status)
        if left_s <= 0:
            words = "it was active longer than specified deadline"
            self._end("Failed", f"Job {name} has failed because {words}")
        elif left_s != float("inf"):
            self._waits.append(left_s)

    def _end(self, type: str, message: str) -> None:
        self._status.setdefault("completionTime", timestamp())
        if self._condition(type, message):
            self._event(type, message)

    # Starting and stopping

    def _wanted(self) -> list[_Key]:
        return [
            (type, index)
            for type, spec in self._replicas.items()
            for index in range(spec["replicas"])
        ]

    def _remove_superfluous(self) -> None:
        wanted = set(self._wanted())
        for key in [key for key in self._pods if key not in wanted]:
            if not is_leaving(self._pods[key]):
                self._delete(POD, self._pods[key])
        for key in [key for key in self._services if key not in wanted]:
            self._delete(SERVICE, self._services.pop(key))

    def _make_services(self) -> bool:
        """Make the Services that are missing; their ports are needed before any pod is made."""
        missing = [key for key in self._wanted() if key not in self._services]
        if not missing:
            return True
        for key, port in zip(missing, free_ports(self._transaction, len(missing)), strict=True):
            service = build_service(self._contract, self._job, *key, port)
            made = self._create(service, "Service")
            if made is None:
                return False
            self._services[key] = made
        return True

    def _make_pods(self) -> None:
        addresses = {
            key: Address(HOST, service_port(self._contract, self._services[key]))
            for key in self._wanted()
        }
        for key in addresses:
            if key in self._pods or self._is_there(key):
                continue  # the old one has not ended yet
            pod = build_pod(self._contract, self._job, *key, addresses)
            join_gang(self._job, self._replicas, pod)
            if self._replicas[key[0]]["template"]["spec"].get("restartPolicy"):
                self._event(
                    "SettedPodTemplateRestartPolicy",
                    "Restart policy in pod template will be overwritten by restart policy in "
                    "replica spec",
                    type="Warning", prefix=False,
                )  # fmt: skip
            if self._create(pod, "Pod") is None:
                return

    def _is_there(self, key: _Key) -> bool:
        """Tell whether the pod of a replica that was deleted in this look still ends."""
        name, namespace = replica_name(self._job, *key), self._job["metadata"]["namespace"]
        found = self._transaction.find(POD, name, namespace)
        return found is not None and is_leaving(found)

    def _create(self, obj: Json, kind: str) -> Json | None:
        try:
            made = self._transaction.create(obj)
        except ApiError as error:
            message = f"Error creating: {error.message}"
            self._event(f"FailedCreate{kind}", message, type="Warning", prefix=False)
            self._waits.append(REFUSED)
            return None
        words = f"Created {kind.lower()}: {made['metadata']['name']}"
        self._event(f"SuccessfulCreate{kind}", words, prefix=False)
        return made

    def _delete(self, kind: object, obj: Json) -> None:
        metadata, is_pod = obj["metadata"], kind is POD
        self._transaction.delete(POD if is_pod else SERVICE, metadata["name"],
                                 metadata["namespace"])  # fmt: skip
        word = "Pod" if is_pod else "Service"
        words = f"Deleted {word.lower()}: {metadata['name']}"
        self._event(f"SuccessfulDelete{word}", words, prefix=False)

    def _clear(self) -> None:
        """Delete all pods and Services."""
        for pod in self._pods.values():
            if not is_leaving(pod):
                self._delete(POD, pod)
        for service in self._services.values():
            self._delete(SERVICE, service)
        uid = self._job["metadata"]["uid"]
        self._pods = {
            _key(self._contract, pod): pod for pod in self._transaction.owned(POD, uid)
        }  # fmt: skip
        self._services = {}

    # The end

    def _finish(self) -> None:
        """End what still runs, by `cleanPodPolicy`.

        Without one, and with None, the pods stay with their logs; but nothing runs on, and holds
        what other jobs wait for.
        """
        clean = run_policy.run_policy(self._job).get("cleanPodPolicy") or "None"
        if clean == "All":
            self._clear()
        for pod in self._pods.values():
            if not is_active(pod):
                continue
            if not pod["spec"].get("nodeName"):
                self._delete(POD, pod)
            elif (left_s := self._grace_s()) > 0:
                self._waits.append(left_s)
            elif clean == "Running":
                self._delete(POD, pod)
            elif pod["spec"].get("activeDeadlineSeconds") != _END_NOW_S:
                self._transaction.update(
                    {**pod, "spec": {**pod["spec"], "activeDeadlineSeconds": _END_NOW_S}}
                )
        if is_true(self._status, "Succeeded"):
            for counts in self._status.get("replicaStatuses", {}).values():
                counts["succeeded"] = counts.get("succeeded", 0) + counts.pop("active", 0)
        left_s = run_policy.expires_s(self._job, self._status)
        if left_s != float("inf"):
            self._waits.append(max(left_s, 0.01))

    def _grace_s(self) -> float:
        """Return the seconds in which other replicas of a job that succeeded may end themselves."""
        if not is_true(self._status, "Succeeded"):
            return 0.0
        return float(parse_timestamp(self._status["completionTime"]) + _GRACE_S - time.time())

    def _after(self) -> None:
        """Look after a job that is over: nothing runs, and it goes in time."""
        if run_policy.expires_s(self._job, self._status) > 0:
            self._finish()
            return
        metadata = self._job["metadata"]
        self._transaction.delete(self._contract.kind, metadata["name"], metadata["namespace"])

    # Telling

    def _count(self) -> Progress:
        """Count the replicas into the status."""
        found, statuses = {}, {}
        for type, spec in self._replicas.items():
            pods = [pod for key, pod in self._pods.items() if key[0] == type]
            phases = [
                pod["status"].get("phase")
                for pod in pods
                if not is_leaving(pod) or pod["status"].get("phase") == "Succeeded"
            ]
            active, succeeded, failed = (
                phases.count(each) for each in ("Running", "Succeeded", "Failed")
            )
            found[type] = Counts(spec["replicas"], active, succeeded, failed)
            counts = {"active": active, "succeeded": succeeded, "failed": failed}
            selector = format_selector(type_labels(self._contract, self._job, type))
            statuses[type] = {k: v for k, v in counts.items() if v} | {"selector": selector}
        self._status["replicaStatuses"] = statuses
        first = self._pods.get(("Worker", 0))
        done = first is not None and first["status"].get("phase") == "Succeeded"
        return Progress(found, done)

    def _tell_exits(self) -> None:
        """Tell of pods that have ended since the last look."""
        before = self._status.get("replicaStatuses") or {}
        for type in self._replicas:
            ended = [p for k, p in self._pods.items() if k[0] == type and is_terminal(p)]
            known = before.get(type) or {}
            if len(ended) <= known.get("succeeded", 0) + known.get("failed", 0):
                continue
            for pod in ended:
                name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
                code = restarts.exit_code(self._contract, pod)
                words = f"Pod: {namespace}.{name} exited with code {code}"
                self._event("ExitedWithCode", words, prefix=False)

    @property
    def _title(self) -> str:
        metadata = self._job["metadata"]
        name = metadata["name"]
        if self._contract.qualified:
            name = f"{metadata['namespace']}/{name}"
        return f"{self._job['kind']} {name}"

    def _condition(self, type: str, message: str, *, word: str = "", holds: bool = True) -> bool:
        reason = f"{self._job['kind']}{word or type}"
        return set_condition(self._status, type, reason, message, holds=holds)

    def _event(
        self, reason: str, message: str, *, type: str = "Normal", prefix: bool = True
    ) -> None:
        reason = f"{self._job['kind']}{reason}" if prefix else reason
        component = f"{self._job['kind'].lower()}-controller"
        self._transaction.record_event(
            self._job, reason, message, type=type, component=component
        )  # fmt: skip


def _key(contract: Contract, obj: Json) -> _Key:
    """Return type and index of the replica that a pod or a Service belongs to."""
    labels = obj["metadata"].get("labels") or {}
    type, index = labels.get(TYPE, ""), labels.get(INDEX, "")
    name = next((each for each in contract.shape.types if each.lower() == type), type)
    return name, int(index) if index.isdigit() else -1
