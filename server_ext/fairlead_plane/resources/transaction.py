"""One change of the store: every write of an object goes through here."""

from __future__ import annotations

import builtins
import copy
import time
from collections.abc import Mapping, Sequence

from . import cascade, tables
from .accounts import admit_account
from .admission_training import admit_train_job
from .definitions import complete_names, establish
from .errors import ApiError, already_exists, bad_request, conflict, forbidden, not_found
from .events import PRUNE_EVERY, build_event, find_event, prune_events, repeat_event
from .first_status import first_status
from .kinds import CRD, EVENT, NAMESPACE, POD, TRAIN_JOB, Json, Kind
from .limits import admit_limits
from .metadata import (
    begin_metadata,
    check_finalizers,
    choose_name,
    copy_object,
    count_generation,
    keep_metadata,
    read_metadata,
)
from .priority import admit_priority
from .quota import admit_quota, count_quota, has_ended
from .rows import Rows, place
from .schemas.defaults import apply_defaults
from .times import parse_timestamp, timestamp
from .validation import check

_TERMINAL = ("Succeeded", "Failed")
_LONGEST_GRACE_S = 10 * 365 * 24 * 3600
_NO_CREATION = "create not allowed while custom resource definition is terminating"


class Transaction(Rows):
    """All reads and writes of one change; valid inside `Resources.transaction` only."""

    def create(self, obj: Json, *, managed: builtins.list[Json] | None = None) -> Json:
        """Store a new object and return it as stored.

        Parameters
        ----------
        obj : dict
            The object; stays as it is.
        managed : list of dict, optional
            Its `metadata.managedFields`.

        Raises
        ------
        ApiError
            409 AlreadyExists; 404 when its namespace does not exist; 403 when the namespace is
            being deleted, or by a quota; 422 Invalid; 400 for an unknown kind.
        """
        kind = self.registry.kind_of(obj)
        new = copy_object(obj)
        metadata = read_metadata(new)
        if kind.namespaced:
            namespace = metadata.setdefault("namespace", "default")
            self._check_namespace(kind, namespace, str(metadata.get("name", "")))
        else:
            namespace = ""
            metadata.pop("namespace", None)
        choose_name(kind, metadata, lambda name: self._is_taken(kind, namespace, name))
        if self._is_taken(kind, namespace, metadata["name"]):
            raise already_exists(kind, metadata["name"])
        if kind.custom and self.registry.is_terminating(kind):
            raise ApiError(405, "MethodNotAllowed", _NO_CREATION)
        if metadata.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        begin_metadata(kind, metadata)
        if managed:
            metadata["managedFields"] = managed
        if kind.status_subresource:
            new.pop("status", None)
        if kind is CRD:
            complete_names(new)
        schema = self.registry.schema(kind)
        apply_defaults(kind, new, schema)
        check(kind, new, schema=schema)
        if kind is POD:
            admit_account(self, new)
            admit_priority(self, new)
        if kind is TRAIN_JOB:
            admit_train_job(self, new, None)
        if "status" not in new and (status := first_status(kind, new)) is not None:
            new["status"] = status
        if kind is CRD:
            new["status"] = establish(new, self.registry)
        if kind.namespaced:
            admit_limits(self, kind, new)
            admit_quota(self, kind, new, None)
        stored = self.write(kind, "ADDED", new, None)
        if cascade.is_orphaned(self, stored):
            # As the garbage collector finds it a moment later.
            self.delete(kind, metadata["name"], namespace or None)
        return stored

    def update(self, obj: Json, *, managed: builtins.list[Json] | None = None) -> Json:
        """Replace an object and return it as stored; a replacement by the same is no change.

        Of kinds with a status subresource the status stays as it is.

        Parameters
        ----------
        obj : dict
            The object; stays as it is.
        managed : list of dict, optional
            Its `metadata.managedFields` from now on; they stay as they are by default.

        Raises
        ------
        ApiError
            404; 409 when `metadata.resourceVersion` or `uid` is given and not the stored one;
            422 Invalid.
        """
        kind, existing, new = self._replacement(obj)
        if managed is not None:
            _set_managed(new, managed)
        if kind.status_subresource:
            new.pop("status", None)
            if "status" in existing:
                new["status"] = existing["status"]
        if kind is CRD:
            complete_names(new)
        schema = self.registry.schema(kind)
        apply_defaults(kind, new, schema)
        check_finalizers(kind, new["metadata"], existing["metadata"])
        check(kind, new, existing, schema)
        if kind is TRAIN_JOB:
            admit_train_job(self, new, existing)
        count_generation(kind, new, existing)
        if kind is CRD:
            new["status"] = establish(new, self.registry)
        if kind.namespaced:
            admit_quota(self, kind, new, existing)
        return self.replace(kind, existing, new)

    def update_status(self, obj: Json, *, managed: builtins.list[Json] | None = None) -> Json:
        """Replace the status of an object alone; arguments and errors as of `update`."""
        kind, existing, new = self._replacement(obj)
        result = {**existing}
        if "status" in new:
            result["status"] = new["status"]
        elif kind.custom:
            result.pop("status", None)
        elif "status" in existing:
            result["status"] = {}  # a part of a built-in type, which can be empty and not absent
        if managed is not None:
            result["metadata"] = {**existing["metadata"]}
            _set_managed(result, managed)
        if kind.custom:
            check(kind, result, existing, self.registry.schema(kind))
        stored = self.replace(kind, existing, result)
        if kind is POD and has_ended(stored) and not has_ended(existing):
            count_quota(self, kind, stored)
        return stored

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str | None = None,
        *,
        grace_period_seconds: int | None = None,
        uid: str | None = None,
        propagation: str = cascade.BACKGROUND,
    ) -> Json:
        """Delete an object, and what it owns, and return its last form.

        A pod that a node runs is only marked (`deletionTimestamp`): the node stops it and then
        deletes it with a grace period of 0. So is an object with finalizers, until the last one
        is taken off.

        Parameters
        ----------
        kind, name, namespace
            The object.
        grace_period_seconds : int, optional
            Seconds between the request to stop and the kill of a pod; its own by default.
            0 removes the object at once.
        uid : str, optional
            Delete only the object with this uid; 409 for another one.
        propagation : str
            `Background`: what it owns goes after it; `Foreground`: before it; `Orphan`: stays.
        """
        existing = self.get(kind, name, namespace)
        if uid is not None and existing["metadata"]["uid"] != uid:
            raise conflict(kind, name, _recreated(uid, existing["metadata"]["uid"]))
        if kind is NAMESPACE:
            return cascade.delete_namespace(self, existing)
        if kind is CRD:
            return cascade.delete_definition(self, existing)
        grace = _grace(kind, existing, grace_period_seconds)
        if propagation == cascade.FOREGROUND:
            return self._delete_foreground(kind, existing, grace)
        if propagation == cascade.ORPHAN:
            cascade.release(self, existing["metadata"]["uid"], orphan=True)
        if grace or existing["metadata"].get("finalizers"):
            return self._mark(kind, existing, grace)
        return self.remove(kind, existing)

    def remove(self, kind: Kind, existing: Json) -> Json:
        """Take an object out of the store now, then what it owns. For `delete` and the cascade."""
        metadata = existing["metadata"]
        namespace: str = metadata.get("namespace", "")
        key = (kind.storage, namespace, metadata["name"])
        before = tables.find_body(self.db, kind, namespace, metadata["name"])
        self.db.execute("DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?", key)
        self.db.execute("DELETE FROM owners WHERE kind = ? AND namespace = ? AND name = ?", key)
        gone = self._log(kind, "DELETED", existing, before)
        cascade.release(self, metadata["uid"], orphan=False)
        cascade.finish_owners(self, gone)
        if kind.namespaced:
            count_quota(self, kind, gone)
            cascade.finish_namespace(self, namespace)
        if kind.custom:
            cascade.finish_definition(self, kind.storage)
        return gone

    def record_event(
        self,
        about: Json,
        reason: str,
        message: str,
        *,
        type: str = "Normal",
        component: str = "fairlead",
        field_path: str = "",
    ) -> None:
        """Create an Event about an object, or count it once more, as `kubectl describe` shows it.

        Parameters
        ----------
        about : dict
            The stored object.
        reason : str
            One CamelCase word, such as `Scheduled`.
        message : str
            For people.
        type : str
            `Normal` or `Warning`.
        component : str
            Who saw it: `default-scheduler`, `kubelet`, ...
        field_path : str
            The part of the object that it is about, such as `spec.containers{main}`.
        """
        namespace = self.find(NAMESPACE, about["metadata"].get("namespace", "default"))
        if namespace is None or "deletionTimestamp" in namespace["metadata"]:
            return  # nobody can read it there
        event = build_event(about, reason, message, type, component, field_path)
        known = find_event(self, event)
        if known is not None:
            event = self.write(EVENT, "MODIFIED", repeat_event(known), known)
        else:
            event = self.write(EVENT, "ADDED", event, None)  # made here: nothing to check
        if int(event["metadata"]["resourceVersion"]) // PRUNE_EVERY != self._first // PRUNE_EVERY:
            prune_events(self)

    def bind_pod(
        self,
        pod: Json,
        node: str,
        conditions: Sequence[Json],
        annotations: Mapping[str, str | None] | None = None,
    ) -> Json:
        """Give a pod to a node, as the `binding` subresource does, and return it as stored.

        Parameters
        ----------
        pod : dict
            As read in this transaction.
        node : str
            Name of the node.
        conditions : list of dict
            The pod's conditions from now on.
        annotations : mapping, optional
            What the scheduler says to the node; None takes an annotation off.
        """
        bound = {
            **pod,
            "metadata": {**pod["metadata"]},
            "spec": {**pod["spec"], "nodeName": node},
            "status": {**pod["status"], "conditions": [*conditions]},
        }
        kept = {**(pod["metadata"].get("annotations") or {}), **(annotations or {})}
        for name in [name for name, value in kept.items() if value is None]:
            del kept[name]
        if kept or "annotations" in pod["metadata"]:
            bound["metadata"]["annotations"] = kept
        return self.write(POD, "MODIFIED", bound, pod)

    # Inside

    def _check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        found = self.find(NAMESPACE, namespace)
        if found is None:
            raise not_found(NAMESPACE, namespace)
        if "deletionTimestamp" in found["metadata"]:
            why = (
                f"unable to create new content in namespace {namespace} "
                "because it is being terminated"
            )
            error = forbidden(kind, name, why)
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            error.details = {**(error.details or {}), "causes": [cause]}
            raise error

    def _is_taken(self, kind: Kind, namespace: str, name: str) -> bool:
        return tables.find_body(self.db, kind, namespace, name) is not None

    def _replacement(self, obj: Json) -> tuple[Kind, Json, Json]:
        kind = self.registry.kind_of(obj)
        new = copy_object(obj)
        metadata = read_metadata(new)
        name = str(metadata.get("name", ""))
        namespace = place(kind, metadata.get("namespace"))
        existing = self.get(kind, name, namespace)
        stored = existing["metadata"]
        uid, version = metadata.get("uid"), metadata.get("resourceVersion")
        if uid and uid != stored["uid"]:
            raise conflict(kind, name, _other_uid(uid, stored["uid"]))
        if version and version != stored["resourceVersion"]:
            raise conflict(kind, name)
        keep_metadata(metadata, stored)
        return kind, existing, new

    def replace(self, kind: Kind, existing: Json, new: Json) -> Json:
        """Store an object in the place of another; for the methods above and the cascade.

        Nothing happens when the two are equal. An object that is being deleted and waits for
        nothing any more is removed.
        """
        if new == existing:
            return existing
        metadata = new["metadata"]
        waiting = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" in metadata and not waiting:
            return self.remove(kind, new)
        return self.write(kind, "MODIFIED", new, existing)

    def _delete_foreground(self, kind: Kind, existing: Json, grace: int) -> Json:
        marked = copy.deepcopy(existing)
        finalizers = marked["metadata"].setdefault("finalizers", [])
        if cascade.FOREGROUND_FINALIZER not in finalizers:
            finalizers.append(cascade.FOREGROUND_FINALIZER)
        marked = self._mark(kind, marked, grace)
        cascade.delete_dependents(self, marked)
        # What went with the dependents may have taken it along.
        now = self.find(kind, marked["metadata"]["name"], marked["metadata"].get("namespace"))
        return marked if now is None else cascade.finish_foreground(self, kind, now)

    def _mark(self, kind: Kind, existing: Json, grace: int) -> Json:
        marked = copy.deepcopy(existing)
        metadata = marked["metadata"]
        asked = time.time()
        if "deletionTimestamp" in metadata:
            # A second request can only shorten the grace period.
            before = metadata.get("deletionGracePeriodSeconds", 0)
            asked = parse_timestamp(metadata["deletionTimestamp"]) - before
            grace = min(before, grace)
        metadata["deletionTimestamp"] = timestamp(asked + grace)
        metadata["deletionGracePeriodSeconds"] = grace
        return self.replace(kind, existing, marked)


def _other_uid(asked: str, stored: str) -> str:
    return f"Precondition failed: UID in precondition: {asked}, UID in object meta: {stored}"


def _recreated(asked: str, stored: str) -> str:
    return (
        f"the UID in the precondition ({asked}) does not match the UID in record ({stored}). "
        "The object might have been deleted and then recreated"
    )


def _set_managed(obj: Json, managed: builtins.list[Json]) -> None:
    if managed:
        obj["metadata"]["managedFields"] = managed
    else:
        obj["metadata"].pop("managedFields", None)


def _grace(kind: Kind, obj: Json, asked: int | None) -> int:
    if (
        kind is not POD
        or not obj["spec"].get("nodeName")
        or obj["status"].get("phase") in _TERMINAL
    ):
        return 0
    given = obj["spec"]["terminationGracePeriodSeconds"] if asked is None else asked
    return min(max(0, int(given)), _LONGEST_GRACE_S)
