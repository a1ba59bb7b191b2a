"""What Kale says of a step, or of all steps: limits, image, cache, labels, volumes, ..."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairlead.pipelines.kale import Translation

NOTEBOOK_KEY = "kubeflow_notebook"
"""Key of Kale in a notebook's metadata."""

_KEY = r"[a-zA-Z0-9](?:[\w.-]*[a-zA-Z0-9])?(?:/[a-zA-Z0-9](?:[\w.-]*[a-zA-Z0-9])?)?"
_ANNOTATION = re.compile(rf"^(annotation|label):({_KEY}):(.*)$", re.DOTALL)
_LIMIT = re.compile(r"^limit:([\w.\-/]+):([\w.]+)$")
_IMAGE = re.compile(r"^image:\s*(\S+)$")
_SWITCH = re.compile(r"^(cache|report):(enabled|disabled)$")
_SECRET = re.compile(
    r"^secret:([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?):([-._a-zA-Z0-9]+):([a-zA-Z_]\w*)$"
)
_BEGINNINGS = ("annotation:", "label:", "limit:", "secret:", "image:", "cache:", "report:")
_FORMS = {
    "annotation": "annotation:KEY:VALUE",
    "label": "label:KEY:VALUE",
    "limit": "limit:RESOURCE:QUANTITY",
    "secret": "secret:NAME:KEY:VARIABLE",
    "image": "image:NAME",
    "cache": "cache:enabled or cache:disabled",
    "report": "report:enabled or report:disabled",
}


@dataclass(frozen=True)
class Setting:
    """One thing that a step asks for.

    Parameters
    ----------
    field : str
        Field of a step's settings; empty for what needs no setting, as each step keeps its
        executed notebook, which is Kale's report.
    key : str
        Key in that field; empty where the field is no map.
    value : object
        Its value; a list is added to the field's list.
    trouble : str
        Why it means nothing; empty for a good one.
    """

    field: str = ""
    key: str = ""
    value: Any = None
    trouble: str = ""

    def apply(self, own: dict[str, Any], given: dict[str, Any]) -> None:
        """Add this to the settings of a cell, where they do not say otherwise.

        Parameters
        ----------
        own
            The settings, changed.
        given
            The settings as the cell had them itself: a list of its own is not added to.
        """
        if self.key:
            known = own.get(self.field)
            own[self.field] = {self.key: self.value, **(known if isinstance(known, dict) else {})}
        elif isinstance(self.value, list):
            if self.field not in given:
                own[self.field] = [*own.get(self.field, []), *self.value]
        else:
            own.setdefault(self.field, self.value)


def read_setting(tag: str) -> Setting | None:
    """Read a tag that sets something; None for any other tag."""
    if not tag.startswith(_BEGINNINGS):
        return None
    kind = tag.partition(":")[0]
    if match := _ANNOTATION.match(tag):
        return Setting(f"{kind}s", match[2], match[3])
    if match := _LIMIT.match(tag):
        return Setting("resources", match[1], match[2])
    if match := _SECRET.match(tag):
        return Setting("secrets", value=[{"secret": match[1], "env": {match[3]: match[2]}}])
    if match := _IMAGE.match(tag):
        return Setting("image", value=match[1])
    if match := _SWITCH.match(tag):
        return Setting("cache", value=match[2] == "enabled") if kind == "cache" else Setting()
    return Setting(trouble=f"The tag `{tag}` is not understood: it would be `{_FORMS[kind]}`.")


def notebook_settings(metadata: dict[str, Any], made: Translation) -> list[Setting]:
    """Read Kale's metadata of a notebook: name and so on go to `made`; returned is what all
    steps ask for.
    """  # noqa: D205 - one sentence
    made.name = _text(metadata.get("pipeline_name"))
    made.description = _text(metadata.get("pipeline_description"))
    experiment = metadata.get("experiment")
    old = experiment.get("name") if isinstance(experiment, dict) else ""
    made.experiment = _text(metadata.get("experiment_name")) or _text(old)
    found = _steps_defaults(metadata.get("steps_defaults") or [], made)
    image = _text(metadata.get("base_image")) or _text(metadata.get("docker_image"))
    if image:
        found.append(Setting("image", value=image))
    if metadata.get("enable_caching") is False:
        found.append(Setting("cache", value=False))
    if metadata.get("timeout"):
        found.append(Setting("timeout", value=f"{metadata['timeout']}s"))
    for key, value in metadata.items():
        if (key not in _KNOWN and key not in _UNDONE) or (key in _UNDONE and value):
            what = _UNDONE.get(key, "it is not known")
            message = f"`{key}` in the notebook's Kale metadata has no effect: {what}."
            made.warn(-1, key, message, "Remove it, or set it in another way.")
    return found


_KNOWN = frozenset(
    "pipeline_name pipeline_description experiment experiment_name steps_defaults base_image"
    " docker_image enable_caching timeout volumes storage_class_name volume_access_mode"
    # Where Kale kept its files, which server it asked, and what of Katib holds with `katib_run`.
    " notebook_path abs_working_dir output_path marshal_path kfp_host katib_metadata".split()
)
_UNDONE = {
    "katib_run": "the pipeline runs once, with the parameters' own values",
    "marshal_volume": "values go from step to step as artifacts of the run",
    "autosnapshot": "volumes are not snapshotted",
    "snapshot_volumes": "volumes are not snapshotted",
    "security_context": "steps run with the security context of their namespace",
}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _steps_defaults(given: Any, made: Translation) -> list[Setting]:
    found: list[Setting] = []
    if isinstance(given, list):
        for tag in given:
            setting = read_setting(tag) if isinstance(tag, str) else None
            if setting is None or setting.trouble:
                why = setting.trouble if setting else f"`{tag}` cannot hold for every step."
                made.warn(-1, str(tag), f"In `steps_defaults`: {why}", "Correct or remove it.")
            elif setting.field:
                found.append(setting)
        return found
    if not isinstance(given, dict):
        message = "`steps_defaults` in the notebook's Kale metadata is neither a list nor a map."
        made.warn(-1, "steps_defaults", message, "Write a list of tags.")
        return found
    retries: dict[str, Any] = {}
    for name, value in given.items():
        if name in _MAPS and isinstance(value, dict):
            found += [Setting(_MAPS[name], str(key), str(v)) for key, v in value.items()]
        elif name in _RETRIES:
            if value:
                key, convert = _RETRIES[name]
                retries[key] = convert(value)
        elif name in _PLAIN:
            if value not in (None, ""):
                field, read = _PLAIN[name]
                found.append(Setting(field, value=read(value)))
        elif name != "generate_html_report":
            message = f"`steps_defaults.{name}` in the notebook's Kale metadata is not known."
            made.warn(-1, name, message, "Remove it.")
    if "maxRetryCount" in retries:
        found.append(Setting("retries", value=retries))
    return found


_MAPS = {"labels": "labels", "annotations": "annotations", "limits": "resources"}
_PLAIN: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "base_image": ("image", str),
    "enable_caching": ("cache", bool),
    "timeout": ("timeout", lambda value: f"{value}s"),
}
_RETRIES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "retry_count": ("maxRetryCount", int),
    "retry_interval": ("backoffDuration", str),
    "retry_factor": ("backoffFactor", float),
    "retry_max_interval": ("backoffMaxDuration", str),
}
