"""Pod: the claims of its ephemeral volumes, which live as long as it does."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from ..resources import POD, PVC, Json, Kind, Transaction
from .base import Controller, Key
from .pods import is_active, owner_reference


class EphemeralController(Controller):
    """Makes them; they go with the pod that owns them."""

    kind = POD

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> Iterable[Key]:
        """Return pods that have such volumes and are to run."""
        if not gone and is_active(obj) and not obj["spec"].get("nodeName"):
            if any(volume.get("ephemeral") for volume in obj["spec"].get("volumes") or ()):
                yield obj["metadata"]["namespace"], obj["metadata"]["name"]

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Make the claims that are missing."""
        metadata = obj["metadata"]
        for volume in obj["spec"].get("volumes") or ():
            template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
            name = f"{metadata['name']}-{volume['name']}"
            if template is None or transaction.find(PVC, name, metadata["namespace"]) is not None:
                continue
            own = copy.deepcopy(template.get("metadata") or {})
            own |= {"name": name, "namespace": metadata["namespace"]}
            own["ownerReferences"] = [owner_reference(obj)]
            transaction.create(
                {
                    "apiVersion": PVC.api_version,
                    "kind": PVC.kind,
                    "metadata": own,
                    "spec": copy.deepcopy(template["spec"]),
                }
            )
        return None
