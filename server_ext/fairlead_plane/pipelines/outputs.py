"""What a task left behind when its pod ended: parameters, artifacts, the error."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import orjson

from fairlead.errors import SpecError
from fairlead.names import WORKING_DIR_ANNOTATION

from ..artifacts.places import remote
from . import files
from .clock import now
from .model import Component
from .placeholders import local_path
from .pods import Folders
from .records import Artifact, Task, Values, failure
from .remote import report_of
from .tracebacks import find_trace, last_words
from .values import convert, read_text

Json = Any

_UNKNOWN, _INVALID_ARGUMENT, _DEADLINE_EXCEEDED, _RESOURCE_EXHAUSTED = 2, 3, 4, 8  # google.rpc.Code
_FAULT = "Error"
"""Reason of a container whose program ended by itself, and not well."""

_NO_START = "StartError"
"""Reason of a container whose program could not be started."""

_NO_PROGRAM = (126, 127)
"""Exit codes of a shell that could not run a program."""

_NO_MODULE = re.compile(
    r"No components found in `kfp_config.ini`|kfp\.dsl\.executor_main' \(ModuleNotFoundError"
)

_COMPONENT_PREFIX = "comp-"
"""Of the names that the kfp compiler gives to components."""

_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def read_outputs(task: Task, folders: Folders, *, ok: bool) -> tuple[Values, Json]:
    """Read what an attempt wrote. Whatever a step may have left there, this does not raise.

    Parameters
    ----------
    task : Task
        The task; not changed.
    folders : Folders
        Of the attempt.
    ok : bool
        The step ended well. Then every output parameter must be there; else whatever is there is
        taken, so that a failed step's notebook can be seen.

    Returns
    -------
    tuple
        The values, and a google.rpc.Status when an output is missing or wrong.
    """
    found = Values()
    problems: list[str] = []
    try:
        message = _read_json(folders.output_file)
    except ValueError as error:
        message = {}
        problems.append(f"the file {folders.output_file} is {error}")
    _read_parameters(task.component, _object(message, "parameterValues"), folders, found, problems)
    _read_artifacts(
        task.component, _object(message, "artifacts"), folders, found, problems, failed=not ok
    )
    if not ok or not problems:
        return found, None
    return found, failure(_INVALID_ARGUMENT, f"The step ended well, but {problems[0]}.")


def read_error(task: Task, folders: Folders, pod: Json) -> Json:
    """Build the error of a failed attempt, as a google.rpc.Status.

    The notebook runner's own words when it left some, else the traceback at the end of the log,
    else what the node says of the process. The first line of the message stands for itself.
    """
    if pod.get("status", {}).get("reason") == "DeadlineExceeded":
        limit = pod["spec"].get("activeDeadlineSeconds")
        message = f"The step was stopped: it took longer than its timeout of {limit} s."
        return failure(_DEADLINE_EXCEEDED, message)
    try:
        detail = _read_json(folders.error_file)
    except ValueError:
        detail = {}
    code = _RESOURCE_EXHAUSTED if _terminated(pod).get("reason") == "OOMKilled" else _UNKNOWN
    if detail.get("ename"):
        message = f"{detail['ename']}: {detail.get('evalue', '')}"
        if detail.get("cell_id"):
            message += f"  (cell {detail['cell_id']}, line {detail.get('line')})"
        return failure(code, message, [_error_info(detail)])
    ended = _terminated(pod)
    executor = task.component.executor
    in_image = executor is not None and not executor.source
    if in_image and _NO_MODULE.search(ended.get("message") or ""):
        return failure(code, f"{last_words(ended['message'])}\n{_of_module(pod)}")
    trace = None if ended.get("signal") else find_trace(ended.get("message") or "")
    if trace is None or code != _UNKNOWN:
        return failure(code, _pod_message(pod))
    name, _, value = trace.error.partition(":")
    component = task.component.name.removeprefix(_COMPONENT_PREFIX)
    where = [f"in component '{component}' (most recent call last):", *trace.frames]
    message = "\n".join([trace.error, *where]) if trace.frames else trace.error
    detail = {"ename": name, "evalue": value.strip(), "traceback": list(trace.frames)}
    return failure(code, message, [_error_info(detail)])


def _error_info(detail: Json) -> Json:
    """Wrap what is known of an error as a google.rpc.ErrorInfo.

    Not as a Struct: the `value` of that is an object, and the stock kfp client takes an Any whose
    `value` is no base64 for a broken answer.
    """
    metadata = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in detail.items()
        if value is not None
    }
    return {
        "@type": _ERROR_INFO,
        "reason": detail["ename"],
        "domain": "fairlead.dev",
        "metadata": metadata,
    }


def _pod_message(pod: Json) -> str:
    status = pod.get("status", {})
    ended = _terminated(pod)
    if ended.get("reason") == "OOMKilled":
        return "The step used more memory than its limit and was killed (OOMKilled)."
    if ended.get("signal"):
        return f"The step was killed by signal {ended['signal']}; its log may say more."
    if ended.get("reason") == _FAULT:
        said = f"The step ended with exit code {ended['exitCode']}; its log says more."
        said = f"{said}\n{last_words(ended.get('message') or '')}".rstrip()
        return f"{said}\n{_of_image(pod)}" if ended["exitCode"] in _NO_PROGRAM else said
    if ended.get("message") or status.get("message"):
        said = str(ended.get("message") or status["message"])
        return f"{said}\n{_of_image(pod)}" if ended.get("reason") == _NO_START else said
    if "exitCode" in ended:
        return f"The step ended with exit code {ended['exitCode']}; its log says more."
    return str(status.get("reason") or "The step's pod failed without saying why.")


def _of_image(pod: Json) -> str:
    """Say what a step counts on, when what it runs is not there."""
    image = next((each.get("image") for each in pod.get("spec", {}).get("containers", ())), "")
    return (
        f"The component was made for image '{image}', and no image is pulled on this machine: "
        "install the program, or say what stands for the image in the ConfigMap "
        "kube-system/fairlead-images."
    )


def _of_module(pod: Json) -> str:
    """Say what a component whose module is in an image needs here."""
    image = next((each.get("image") for each in pod.get("spec", {}).get("containers", ())), "")
    return (
        f"The code of this component is in image '{image}', and no image is pulled on this "
        f"machine. Give its pod the annotation {WORKING_DIR_ANNOTATION} with the folder here that "
        "has its `kfp_config.ini`, and let the ConfigMap kube-system/fairlead-images say which "
        "Python stands for the image."
    )


def _terminated(pod: Json) -> Json:
    for container in pod.get("status", {}).get("containerStatuses") or []:
        ended = container.get("state", {}).get("terminated")
        if ended:
            return ended
    return {}


def _read_parameters(
    component: Component, values: Json, folders: Folders, found: Values, problems: list[str]
) -> None:
    for name, definition in component.output_parameters.items():
        try:
            if name in values:
                found.parameters[name] = convert(values[name], definition.type, name)
            else:
                with open(folders.parameter(name), encoding="utf-8") as file:
                    found.parameters[name] = read_text(file.read(), definition.type, name)
        except FileNotFoundError:
            if not definition.optional:
                problems.append(f"it did not write output parameter '{name}'")
        except SpecError as error:
            problems.append(f"an output is wrong: {error.what.rstrip('.')}")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"output parameter '{name}' cannot be read: {error}")


def _read_artifacts(
    component: Component,
    written: Json,
    folders: Folders,
    found: Values,
    problems: list[str],
    *,
    failed: bool,
) -> None:
    for name, definition in component.output_artifacts.items():
        entries = _object(written, name).get("artifacts")
        said = [one for one in entries if isinstance(one, dict)] if _is_list(entries) else []
        artifacts = []
        for one in said or [{}]:
            uri = one.get("uri") or folders.artifact(name)
            uri = uri if isinstance(uri, str) else folders.artifact(name)
            metadata = _object(one, "metadata")
            try:
                _fetch(one.get("customPath") or one.get("custom_path"), uri, folders)
                stamp, size, digest = _content(uri, metadata, folders)
            except (OSError, ValueError) as error:
                problems.append(f"output artifact '{name}' cannot be read: {error}")
                continue
            if failed and not stamp and not metadata:
                continue
            artifacts.append(
                Artifact(
                    artifact_id=str(uuid.uuid4()),
                    name=name,
                    schema=definition.schema,
                    uri=uri,
                    metadata=metadata,
                    created_at=now(),
                    sha256=digest,
                    size=size,
                    stamp=stamp,
                )
            )
        if artifacts:
            found.artifacts[name] = artifacts


def _fetch(custom_path: Json, uri: str, folders: Folders) -> None:
    """Copy what a step wrote to a path of its own choice to where its artifact belongs.

    An object in a store was put there by the step's launcher.
    """
    target = Path(local_path(uri))
    if not custom_path or remote(uri) or not target.is_relative_to(folders.base):
        return
    if target.exists():
        return  # read before, by a plane that was killed then
    place = Path(str(custom_path))
    if place.is_dir():
        draft = target.with_name(f"{target.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(place, draft, symlinks=True)
        draft.rename(target)
    else:
        draft = target.with_name(f"{target.name}.draft")
        shutil.copyfile(place, draft)
        draft.rename(target)


def _content(uri: str, metadata: Json, folders: Folders) -> tuple[str, int, str]:
    """Return stamp, size and hash of an artifact; of one without a file its metadata counts."""
    if remote(uri):
        stamp, size, digest = report_of(folders, uri)
        return stamp, size, digest or _digest_of([uri, metadata])
    path = local_path(uri)
    if not Path(path).is_relative_to(folders.base):
        # Not made here, and maybe as large as a disk: known by its name and time of change.
        stamp, size = files.shallow_stamp(path) if os.path.isabs(path) else ("", 0)
        return stamp, size, _digest_of([uri, stamp, metadata])
    stamp, size = files.stamp(path)
    if not stamp:
        return "", 0, _digest_of(metadata)
    given = metadata.get("sha256")
    return stamp, size, str(given) if _is_digest(given) else files.sha256(path)


def _object(value: Json, key: str) -> Json:
    """Return a field that should be an object; an empty one when it is not."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _is_list(value: Json) -> bool:
    return isinstance(value, list)


def _is_digest(value: Json) -> bool:
    return isinstance(value, str) and len(value) == 64


def _digest_of(metadata: Json) -> str:
    return hashlib.sha256(orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _read_json(path: str) -> dict[str, Json]:
    """Read a JSON object; a missing file is an empty one. ValueError when it is neither."""
    try:
        with open(path, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ValueError(f"not readable: {error}") from error
    if not text.strip():
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            # Python writes NaN and Infinity, as in the thresholds of a ROC curve: they become text.
            value = json.loads(text, parse_constant=str)
        except ValueError as error:
            raise ValueError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
