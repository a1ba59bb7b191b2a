"""One change of the store: every write of an object goes through here."""

from __future__ import annotations

import builtins
import copy
import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

import orjson

from . import cascade, tables
from .changes import Change, selectable
from .errors import (
    Cause,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    not_found,
)
from .events import PRUNE_EVERY, build_event, prune_events, repeat_event
from .first_status import first_status
from .kinds import BY_MANIFEST, EVENT, NAMESPACE, POD, Json, Kind
from .priority import admit_priority
from .schemas import builtin_schema
from .schemas.defaults import apply_defaults
from .selectors import parse_selectors
from .times import parse_timestamp, timestamp
from .validation import check

# Letters that make no words and no lookalikes, as in k8s.io/apimachinery/pkg/util/rand.
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_TERMINAL = ("Succeeded", "Failed")


def kind_of(obj: Json) -> Kind:
    """Return the kind of a manifest; an ApiError 400 when it is unknown."""
    key = (str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
    kind = BY_MANIFEST.get(key)
    if kind is None:
        raise bad_request(f'no matches for kind "{key[1]}" in version "{key[0]}"')
    return kind


class Transaction:
    """All reads and writes of one change; valid inside `Resources.transaction` only.

    Objects that come out are copies: changing one changes nothing until it is written.

    Attributes
    ----------
    db : sqlite3.Connection
        For the tables of other parts, in the same transaction.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.changes: list[Change] = []
        self._version = self._first = tables.latest_version(db)

    # Reading

    def find(self, kind: Kind, name: str, namespace: str | None = None) -> Json | None:
        """Return one object, or None. Without `namespace`: the one called `default`."""
        body = tables.find_body(self.db, kind, place(kind, namespace), name)
        return None if body is None else orjson.loads(body)

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Json:
        """Return one object; ApiError 404 without it."""
        found = self.find(kind, name, namespace)
        if found is None:
            raise not_found(kind, name)
        return found

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> list[Json]:
        """Return the objects that match, by namespace and name; None lists all namespaces."""
        matches = parse_selectors(label_selector, field_selector)
        cursor = tables.list_bodies(self.db, kind, namespace)
        found = (orjson.loads(body) for _, _, body in cursor)
        return [obj for obj in found if matches is None or matches(obj)]

    def owned(self, kind: Kind, owner: str) -> builtins.list[Json]:
        """Return the objects of a kind whose controller is the object with the uid `owner`."""
        rows = self.db.execute(
            "SELECT namespace, name FROM owners WHERE owner = ? AND kind = ? ORDER BY 1, 2",
            (owner, kind.resource),
        ).fetchall()
        found = (self.find(kind, name, namespace or None) for namespace, name in rows)
        return [obj for obj in found if obj is not None and controller_uid(obj) == owner]

    # Writing

    def create(self, obj: Json) -> Json:
        """Store a new object and return it as stored.

        Raises
        ------
        ApiError
            409 AlreadyExists; 404 when its namespace does not exist; 403 when the namespace is
            being deleted; 422 Invalid; 400 for an unknown kind.
        """
        kind = kind_of(obj)
        new = copy.deepcopy(obj)
        metadata = _metadata(new)
        if kind.namespaced:
            namespace = metadata.setdefault("namespace", "default")
            self._check_namespace(kind, namespace, str(metadata.get("name", "")))
        else:
            namespace = ""
            metadata.pop("namespace", None)
        self._name(kind, namespace, metadata)
        if self.find(kind, metadata["name"], namespace) is not None:
            raise already_exists(kind, metadata["name"])
        for field in (
            "selfLink",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "resourceVersion",
        ):
            metadata.pop(field, None)
        metadata["uid"] = str(uuid4())
        metadata["creationTimestamp"] = timestamp()
        metadata["generation"] = 1
        if kind.status_subresource:
            new.pop("status", None)
        apply_defaults(kind, new, builtin_schema(kind.api_version, kind.kind))
        check(kind, new)
        if kind is POD:
            admit_priority(self, new)
        if "status" not in new and (status := first_status(kind, new)) is not None:
            new["status"] = status
        return self.write(kind, "ADDED", new, None)

    def update(self, obj: Json) -> Json:
        """Replace an object and return it as stored; a replacement by the same is no change.

        Of kinds with a status subresource the status stays as it is.

        Raises
        ------
        ApiError
            404; 409 when `metadata.resourceVersion` or `uid` is given and not the stored one;
            422 Invalid.
        """
        kind, existing, new = self._replacement(obj)
        if kind.status_subresource:
            new.pop("status", None)
            if "status" in existing:
                new["status"] = existing["status"]
        apply_defaults(kind, new, builtin_schema(kind.api_version, kind.kind))
        check(kind, new, existing)
        if new.get("spec") != existing.get("spec"):
            new["metadata"]["generation"] = existing["metadata"].get("generation", 0) + 1
        return self._replace(kind, existing, new)

    def update_status(self, obj: Json) -> Json:
        """Replace the status of an object alone; errors as of `update`."""
        kind, existing, new = self._replacement(obj)
        result = {**existing}
        if "status" in new:
            result["status"] = new["status"]
        else:
            result.pop("status", None)
        return self._replace(kind, existing, result)

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str | None = None,
        *,
        grace_period_seconds: int | None = None,
        uid: str | None = None,
        orphan: bool = False,
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
        orphan : bool
            Leave the objects that it owns.
        """
        existing = self.get(kind, name, namespace)
        if uid is not None and existing["metadata"]["uid"] != uid:
            raise conflict(kind, name, _other_uid(uid, existing["metadata"]["uid"]))
        if kind is NAMESPACE:
            return cascade.delete_namespace(self, existing)
        grace = _grace(kind, existing, grace_period_seconds)
        if grace or existing["metadata"].get("finalizers"):
            return self._mark(kind, existing, grace)
        return self.remove(kind, existing, orphan=orphan)

    def remove(self, kind: Kind, existing: Json, *, orphan: bool = False) -> Json:
        """Take an object out of the store now, then what it owns. For `delete` and the cascade."""
        metadata = existing["metadata"]
        key = (kind.resource, metadata.get("namespace", ""), metadata["name"])
        self.db.execute("DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?", key)
        self.db.execute("DELETE FROM owners WHERE kind = ? AND namespace = ? AND name = ?", key)
        gone = self._log(kind, "DELETED", existing, existing)
        cascade.release(self, metadata["uid"], orphan=orphan)
        if kind.namespaced:
            cascade.finish_namespace(self, metadata["namespace"])
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
        metadata = event["metadata"]
        known = self.find(EVENT, metadata["name"], metadata["namespace"])
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
        bound = copy.deepcopy(pod)
        bound["spec"]["nodeName"] = node
        bound["status"]["conditions"] = [*conditions]
        for name, value in (annotations or {}).items():
            if value is not None:
                bound["metadata"].setdefault("annotations", {})[name] = value
            else:
                (bound["metadata"].get("annotations") or {}).pop(name, None)
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
            raise forbidden(kind, name, why)

    def _name(self, kind: Kind, namespace: str, metadata: Json) -> None:
        if metadata.get("name"):
            return
        prefix = metadata.get("generateName")
        if not prefix:
            text = "Required value: name or generateName is required"
            raise invalid(kind, "", [Cause("metadata.name", "FieldValueRequired", text)])
        while True:
            suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5))
            metadata["name"] = f"{prefix[:58]}{suffix}"
            if self.find(kind, metadata["name"], namespace) is None:
                return

    def _replacement(self, obj: Json) -> tuple[Kind, Json, Json]:
        kind = kind_of(obj)
        new = copy.deepcopy(obj)
        metadata = _metadata(new)
        name = str(metadata.get("name", ""))
        namespace = place(kind, metadata.get("namespace"))
        existing = self.get(kind, name, namespace)
        stored = existing["metadata"]
        uid, version = metadata.get("uid"), metadata.get("resourceVersion")
        if uid and uid != stored["uid"]:
            raise conflict(kind, name, _other_uid(uid, stored["uid"]))
        if version and version != stored["resourceVersion"]:
            raise conflict(kind, name)
        for field in (
            "namespace",
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "generation",
            "generateName",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ):
            if field in stored:
                metadata[field] = stored[field]
            else:
                metadata.pop(field, None)
        return kind, existing, new

    def _replace(self, kind: Kind, existing: Json, new: Json) -> Json:
        if new == existing:
            return existing
        metadata = new["metadata"]
        waiting = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" in metadata and not waiting:
            return self.remove(kind, new)
        return self.write(kind, "MODIFIED", new, existing)

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
        return self._replace(kind, existing, marked)

    def write(self, kind: Kind, type: str, new: Json, before: Json | None) -> Json:
        """Store an object and log the change. For the methods above and the cascade."""
        metadata = new["metadata"]
        stored = self._log(kind, type, new, before)
        body = self.changes[-1].body
        key = (kind.resource, metadata.get("namespace", ""), metadata["name"])
        self.db.execute(
            """INSERT INTO objects VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (kind, namespace, name) DO UPDATE SET body = excluded.body""",
            (*key, metadata["uid"], body),
        )
        owners = metadata.get("ownerReferences") or []
        if owners != ((before or {}).get("metadata", {}).get("ownerReferences") or []):
            self.db.execute("DELETE FROM owners WHERE kind = ? AND namespace = ? AND name = ?", key)
            self.db.executemany(
                "INSERT OR IGNORE INTO owners VALUES (?, ?, ?, ?)",
                [(owner["uid"], *key) for owner in owners],
            )
        return stored

    def _log(self, kind: Kind, type: str, obj: Json, before: Json | None) -> Json:
        self._version += 1
        obj["metadata"]["resourceVersion"] = str(self._version)
        body = orjson.dumps(obj)
        namespace = obj["metadata"].get("namespace", "")
        self.changes.append(Change(self._version, kind, namespace, type, before, body))
        digest = None if before is None or type == "DELETED" else orjson.dumps(selectable(before))
        self.db.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._version, kind.resource, namespace, type, digest, body, len(body)),
        )
        if self._version % tables.COMPACT_EVERY == 0:
            tables.compact(self.db)
        return obj


def controller_uid(obj: Json) -> str | None:
    """Return the uid of the owner that controls an object, or None."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return None


def place(kind: Kind, namespace: str | None) -> str:
    """Return the namespace under which an object of the kind is stored; "" for cluster kinds."""
    return (namespace or "default") if kind.namespaced else ""


def _other_uid(asked: str, stored: str) -> str:
    return f"Precondition failed: UID in precondition: {asked}, UID in object meta: {stored}"


def _metadata(obj: Json) -> Json:
    metadata = obj.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    return metadata


def _grace(kind: Kind, obj: Json, asked: int | None) -> int:
    if kind is not POD or not obj["spec"].get("nodeName") or obj["status"]["phase"] in _TERMINAL:
        return 0
    return int(obj["spec"]["terminationGracePeriodSeconds"]) if asked is None else max(0, asked)
