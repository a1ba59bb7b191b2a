"""ControllerRevisions: the templates that a StatefulSet has had."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..resources import CONTROLLER_REVISION, Json, Transaction
from .pods import owner_reference, template_hash


def ensure(transaction: Transaction, owner: Json, known: Sequence[Json]) -> tuple[str, list[Json]]:
    """See that the owner's template is the newest revision.

    Returns
    -------
    tuple of (str, list of dict)
        Its name, and all revisions.
    """
    data = {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}
    revisions = sorted(known, key=lambda each: int(each["revision"]))
    newest = int(revisions[-1]["revision"]) if revisions else 0
    for position, each in enumerate(revisions):
        if each["data"] != data:
            continue
        if int(each["revision"]) != newest:  # the owner went back to it
            revisions[position] = transaction.update({**each, "revision": newest + 1})
        return each["metadata"]["name"], revisions
    metadata = owner["metadata"]
    collisions = 0
    while True:
        mark = template_hash([data, collisions] if collisions else data)
        name = f"{metadata['name']}-{mark}"
        if transaction.find(CONTROLLER_REVISION, name, metadata["namespace"]) is None:
            break
        collisions += 1
    labels = {**(owner["spec"]["template"]["metadata"].get("labels") or {})}
    labels["controller.kubernetes.io/hash"] = mark
    made = transaction.create(
        {
            "apiVersion": CONTROLLER_REVISION.api_version,
            "kind": CONTROLLER_REVISION.kind,
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": labels,
                "annotations": {
                    key: value
                    for key, value in (metadata.get("annotations") or {}).items()
                    if key == "kubernetes.io/change-cause"
                },
                "ownerReferences": [owner_reference(owner)],
            },
            "data": data,
            "revision": newest + 1,
        }
    )
    return name, [*revisions, made]


def template_of(owner: Json, revision: Json | None) -> Json:
    """Return the pod template of a revision; the owner's own where the revision is lost."""
    if revision is None:
        found: Json = owner["spec"]["template"]
        return found
    template = revision["data"]["spec"]["template"]
    return {key: value for key, value in template.items() if key != "$patch"}


def clean_up(
    transaction: Transaction, owner: Json, known: Sequence[Json], used: Collection[str]
) -> None:
    """Delete the oldest revisions beyond the history that is kept."""
    idle = [each for each in known if each["metadata"]["name"] not in used]
    idle.sort(key=lambda each: int(each["revision"]))
    for each in idle[: max(0, len(idle) - owner["spec"]["revisionHistoryLimit"])]:
        metadata = each["metadata"]
        transaction.delete(CONTROLLER_REVISION, metadata["name"], metadata["namespace"])
