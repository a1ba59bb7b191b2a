"""Claims that a run makes for itself, mounted in each of its steps: tasks of kfp-kubernetes.

They come from Kale's volumes. A new one is made for each run and deleted after its last step; one
for a PersistentVolume that is there is made once, under a name of its own, and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.names import dns_label

Json = dict[str, Any]

CREATE, DELETE = "argostub/createpvc", "argostub/deletepvc"
"""Images by which KFP knows these tasks; there is nothing in them to run."""


@dataclass(frozen=True)
class Claim:
    """A claim that the run makes.

    Parameters
    ----------
    name : str
        What it is called in the notebook; its task is named after it.
    path : str
        Where each step has it.
    size : str
        A quantity.
    access_modes : tuple of str
        Kubernetes' words.
    storage_class : str
        Empty for the cluster's default.
    volume : str
        Name of the PersistentVolume that it is for; empty for a new one.
    annotations : mapping
        Of the claim.
    """

    name: str
    path: str
    size: str
    access_modes: tuple[str, ...]
    storage_class: str = ""
    volume: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def claim(self) -> str:
        """Name of the claim; empty where each run gives it another."""
        return f"{dns_label(self.volume)}-claim" if self.volume else ""

    @property
    def task(self) -> str:
        """Name of the task that makes it."""
        return f"create-{dns_label(self.name)}"

    @property
    def deletion(self) -> str:
        """Name of the task that deletes it, where each run has its own."""
        return f"delete-{dns_label(self.name)}"

    @property
    def arguments(self) -> Json:
        """What kfp-kubernetes' `CreatePVC` is given."""
        made: Json = {"access_modes": list(self.access_modes), "size": self.size}
        if self.volume:
            made |= {"pvc_name": self.claim, "volume_name": self.volume}
        else:
            made["pvc_name_suffix"] = f"-{dns_label(self.name)}"
        if self.storage_class:
            made["storage_class_name"] = self.storage_class
        if self.annotations:
            made["annotations"] = dict(self.annotations)
        return made

    def mount(self) -> Json:
        """Write its `pvcMount` in the platform spec of an executor."""
        if self.claim:
            constant = {"runtimeValue": {"constant": self.claim}}
            return {"mountPath": self.path, "constant": self.claim, "pvcNameParameter": constant}
        source = {"taskOutputParameter": {"producerTask": self.task, "outputParameterKey": "name"}}
        return {"mountPath": self.path, "pvcNameParameter": source, **source}


def add_claims(claims: Iterable[Claim], containers: Json, components: Json, tasks: Json) -> None:
    """Add the tasks that make and delete claims; all others wait for the former."""
    own = list(tasks)
    for claim in claims:
        for name in own:
            waits = tasks[name].setdefault("dependentTasks", [])
            tasks[name]["dependentTasks"] = [*waits, claim.task]
        containers["exec-createpvc"] = {"container": {"image": CREATE}}
        components[f"comp-{claim.task}"] = {
            "executorLabel": "exec-createpvc",
            "inputDefinitions": {
                "parameters": {
                    key: {"parameterType": _type(value)} for key, value in claim.arguments.items()
                }
            },
            "outputDefinitions": {"parameters": {"name": {"parameterType": "STRING"}}},
        }
        # A claim of a fixed name is taken from the cache by the runs after the first.
        caching = {"enableCache": True} if claim.claim else {}
        tasks[claim.task] = {
            "cachingOptions": caching,
            "componentRef": {"name": f"comp-{claim.task}"},
            "inputs": {
                "parameters": {
                    key: {"runtimeValue": {"constant": value}}
                    for key, value in claim.arguments.items()
                }
            },
            "taskInfo": {"name": claim.task},
        }
        if not claim.claim:
            _add_deletion(claim, own, containers, components, tasks)


def _add_deletion(
    claim: Claim, after: list[str], containers: Json, components: Json, tasks: Json
) -> None:
    containers["exec-deletepvc"] = {"container": {"image": DELETE}}
    name = claim.deletion
    components[f"comp-{name}"] = {
        "executorLabel": "exec-deletepvc",
        "inputDefinitions": {"parameters": {"pvc_name": {"parameterType": "STRING"}}},
    }
    source = {"producerTask": claim.task, "outputParameterKey": "name"}
    tasks[name] = {
        "cachingOptions": {},
        "componentRef": {"name": f"comp-{name}"},
        "dependentTasks": [claim.task, *after],
        "inputs": {"parameters": {"pvc_name": {"taskOutputParameter": source}}},
        "taskInfo": {"name": name},
    }


def _type(value: object) -> str:
    return "LIST" if isinstance(value, list) else "STRUCT" if isinstance(value, dict) else "STRING"
