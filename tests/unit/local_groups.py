"""Runs pipelines with loops and conditions inside the test's process, for tests of many of them."""

from __future__ import annotations

import json
from typing import Any

from fairlead_plane.pipelines.expressions import holds, read_condition
from local_steps import LocalRunner

Json = dict[str, Any]


class GroupRunner(LocalRunner):
    """Runs the tasks of a spec and those inside of its groups, one after another."""

    def run(self, spec: Json, parameters: Json | None = None) -> dict[str, Json]:
        """Run a pipeline.

        Returns
        -------
        dict
            For each task, by its path, the variables that its code left behind.
        """
        # As it comes through protobuf: all numbers are floats.
        spec = json.loads(json.dumps(spec), parse_int=float)
        declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        values = {name: one["defaultValue"] for name, one in declared.items()}
        self._components = spec["components"]
        self._files: dict[str, bytes] = {}
        self._spaces: dict[str, Json] = {}
        self._dag(spec["root"]["dag"], {**values, **(parameters or {})}, {}, "")
        return self._spaces

    def _dag(self, dag: Json, parameters: Json, artifacts: Json, path: str) -> Json:
        """Run the tasks of a DAG; return its output artifacts, a list of places by key."""
        made: dict[str, tuple[Json, Json]] = {}
        waiting = dict(dag["tasks"])
        while waiting:
            name = next(
                n for n, t in waiting.items() if set(t.get("dependentTasks", ())) <= set(made)
            )
            task = waiting.pop(name)
            given, found = self._inputs(task, parameters, artifacts, made)
            condition = task.get("triggerPolicy", {}).get("condition")
            if condition and not holds(read_condition(condition), given, {}):
                made[name] = ({}, {})
                continue
            made[name] = self._task(task, given, found, f"{path}{name}")
        outputs: Json = {}
        for key, selectors in dag.get("outputs", {}).get("artifacts", {}).items():
            for one in selectors["artifactSelectors"]:
                places = made[one["producerSubtask"]][1].get(one["outputArtifactKey"])
                if places is not None:
                    outputs[key] = places
        return outputs

    def _inputs(
        self, task: Json, parameters: Json, artifacts: Json, made: dict[str, tuple[Json, Json]]
    ) -> tuple[Json, Json]:
        given: Json = {}
        for key, source in task.get("inputs", {}).get("parameters", {}).items():
            if "runtimeValue" in source:
                given[key] = source["runtimeValue"]["constant"]
            elif "componentInputParameter" in source:
                if source["componentInputParameter"] in parameters:
                    given[key] = parameters[source["componentInputParameter"]]
            else:
                one = source["taskOutputParameter"]
                given[key] = made[one["producerTask"]][0][one["outputParameterKey"]]
        found: Json = {}
        for key, source in task.get("inputs", {}).get("artifacts", {}).items():
            if "componentInputArtifact" in source:
                found[key] = artifacts[source["componentInputArtifact"]]
            else:
                one = source["taskOutputArtifact"]
                found[key] = made[one["producerTask"]][1][one["outputArtifactKey"]]
        return given, found

    def _task(self, task: Json, given: Json, found: Json, path: str) -> tuple[Json, Json]:
        component = self._components[task["componentRef"]["name"]]
        if "parameterIterator" in task:
            iterator = task["parameterIterator"]
            items = iterator["items"]
            listed = json.loads(items["raw"]) if "raw" in items else given[items["inputParameter"]]
            keys = component.get("outputDefinitions", {}).get("artifacts", {})
            outputs: Json = {key: [] for key in keys}
            for number, item in enumerate(listed):
                inner = {**given, iterator["itemInput"]: item}
                turn = self._dag(component["dag"], inner, found, f"{path}.{number}.")
                for key, places in turn.items():
                    outputs[key] += places
            return {}, outputs
        if "dag" in component:
            return {}, self._dag(component["dag"], given, found, f"{path}.")
        keys = component.get("outputDefinitions", {}).get("artifacts", {})
        places = {key: [f"{path}/{key}"] for key in keys}

        def written(one: Json) -> Json:
            return {k: {"artifacts": [{"uri": uri} for uri in uris]} for k, uris in one.items()}

        step = {
            "inputs": {"parameterValues": given, "artifacts": written(found)},
            "outputs": {"artifacts": written(places)},
        }
        self._spaces[path] = self._step(step, self._files)
        return self.decided, places
