"""PersistentVolumeClaim: bound to a volume that is there, or to a new folder of this machine."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path

from ..resources import (
    POD,
    PV,
    PVC,
    STORAGE_CLASS,
    Json,
    Kind,
    Resources,
    Transaction,
    parse_quantity,
)
from . import volume_rules as rules
from .base import Controller, Key
from .pods import is_leaving, is_terminal, save_status

PROTECTION = "kubernetes.io/pvc-protection"
_COMPONENT = "persistentvolume-controller"


class ClaimController(Controller):
    """Binds claims, at once.

    Parameters
    ----------
    folder : Path
        Where the folders of new volumes are.
    """

    kind = PVC
    watched = (PV, POD, STORAGE_CLASS)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pending: set[Key] = set()

    async def start(self, resources: Resources) -> None:
        """Make the storage class that claims get which name none."""

        def change(transaction: Transaction) -> None:
            if transaction.find(STORAGE_CLASS, rules.CLASS) is None:
                transaction.create(rules.build_class())

        await resources.transaction(change)

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> Iterable[Key]:
        """Return the claims of a pod that ends; of a volume or a class, those that wait."""
        metadata = obj["metadata"]
        if kind == PVC:
            key = (metadata["namespace"], metadata["name"])
            waits = not gone and obj.get("status", {}).get("phase") != "Bound"
            (self._pending.add if waits else self._pending.discard)(key)
            yield key
        elif kind == POD:
            if gone or is_terminal(obj):
                for name in rules.claims_of(obj):
                    yield metadata["namespace"], name
        else:
            yield from tuple(self._pending)
            reference = (obj.get("spec") or {}).get("claimRef") if kind == PV else None
            if reference:
                yield reference.get("namespace", ""), reference["name"]

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Protect the claim, and bind it."""
        if is_leaving(obj):
            self._let_go(transaction, obj)
            return None
        finalizers = obj["metadata"].setdefault("finalizers", [])
        changed = PROTECTION not in finalizers
        if changed:
            finalizers.append(PROTECTION)
        if "storageClassName" not in obj["spec"]:
            default = rules.default_class(transaction.list(STORAGE_CLASS))
            if default is not None:
                obj["spec"]["storageClassName"] = default
                changed = True
        if changed:
            obj = transaction.update(obj)
        if obj["spec"].get("volumeName"):
            self._check(transaction, obj)
        else:
            self._bind(transaction, obj)
        return None

    def _let_go(self, transaction: Transaction, claim: Json) -> None:
        metadata = claim["metadata"]
        if PROTECTION not in (metadata.get("finalizers") or ()):
            return
        for pod in transaction.list(POD, metadata["namespace"]):
            if metadata["name"] in rules.claims_of(pod):
                if pod["spec"].get("nodeName") and not is_terminal(pod):
                    return
        metadata["finalizers"] = [each for each in metadata["finalizers"] if each != PROTECTION]
        transaction.update(claim)

    def _check(self, transaction: Transaction, claim: Json) -> None:
        """Look after a claim that names its volume."""
        volume = transaction.find(PV, claim["spec"]["volumeName"])
        status = claim.get("status") or {}
        bound = status.get("phase") == "Bound"
        if volume is None or not rules.may_have(volume, claim):
            if bound:  # its data are gone
                save_status(transaction, claim, {**status, "phase": "Lost"})
            return
        reference = volume["spec"].get("claimRef") or {}
        if not bound or reference.get("uid") != claim["metadata"]["uid"]:
            self._tie(transaction, claim, volume)
        elif volume["metadata"].get("annotations", {}).get(rules.MADE_BY) == rules.PROVISIONER:
            self._grow(transaction, claim, volume)

    def _grow(self, transaction: Transaction, claim: Json, volume: Json) -> None:
        """Grant a larger claim: a folder is as large as its disk."""
        wanted = (claim["spec"].get("resources") or {}).get("requests", {}).get("storage", "0")
        if parse_quantity(wanted) <= parse_quantity(volume["spec"]["capacity"]["storage"]):
            return
        volume["spec"]["capacity"] = {"storage": wanted}
        transaction.update(volume)
        save_status(transaction, claim, {**claim["status"], "capacity": {"storage": wanted}})

    def _bind(self, transaction: Transaction, claim: Json) -> None:
        volume = rules.choose(transaction.list(PV), claim)
        if volume is not None:
            self._tie(transaction, claim, volume)
            return
        name = claim["spec"].get("storageClassName")
        if not name:
            self._warn(
                transaction, claim, "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set",
                type="Normal",
            )  # fmt: skip
            return
        storage_class = transaction.find(STORAGE_CLASS, name)
        if storage_class is None:
            words = f'storageclass.storage.k8s.io "{name}" not found'
            self._warn(transaction, claim, "ProvisioningFailed", words)
        elif storage_class["provisioner"] != rules.PROVISIONER:
            words = (
                "Waiting for a volume to be created either by the external provisioner "
                f"'{storage_class['provisioner']}' or manually by the system administrator. If "
                "volume creation is delayed, please verify that the provisioner is running and "
                "correctly registered."
            )
            self._warn(transaction, claim, "ExternalProvisioning", words, type="Normal")
        elif claim["spec"].get("selector"):
            words = (
                f'failed to provision volume with StorageClass "{name}": '
                "claim Selector is not supported"
            )
            self._warn(transaction, claim, "ProvisioningFailed", words)
        else:
            made = transaction.create(rules.build_volume(claim, storage_class, self._folder))
            words = f"Successfully provisioned volume {made['metadata']['name']}"
            transaction.record_event(
                claim, "ProvisioningSucceeded", words, component=rules.PROVISIONER
            )
            self._tie(transaction, claim, made)

    def _tie(self, transaction: Transaction, claim: Json, volume: Json) -> None:
        """Write the binding on both sides."""
        reference = rules.claim_reference(claim)
        if (volume["spec"].get("claimRef") or {}).get("uid") != reference["uid"]:
            volume["spec"]["claimRef"] = reference
            volume = transaction.update(volume)
        save_status(transaction, volume, {"phase": "Bound"})
        before = copy.deepcopy(claim)
        claim["spec"]["volumeName"] = volume["metadata"]["name"]
        annotations = claim["metadata"].setdefault("annotations", {})
        annotations["pv.kubernetes.io/bind-completed"] = "yes"
        if not before["spec"].get("volumeName"):
            annotations["pv.kubernetes.io/bound-by-controller"] = "yes"
        made_by = (volume["metadata"].get("annotations") or {}).get(rules.MADE_BY)
        if made_by:
            annotations["volume.kubernetes.io/storage-provisioner"] = made_by
        if claim != before:
            claim = transaction.update(claim)
        status = {
            **(claim.get("status") or {}),
            "phase": "Bound",
            "accessModes": volume["spec"].get("accessModes") or [],
            "capacity": volume["spec"].get("capacity") or {},
        }
        save_status(transaction, claim, status)

    def _warn(
        self, transaction: Transaction, claim: Json, reason: str, words: str, type: str = "Warning"
    ) -> None:
        transaction.record_event(claim, reason, words, type=type, component=_COMPONENT)
