"""Kale's volumes: claims that are there, claims that the run makes, and what KFP cannot do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fairlead.names import dns_label
from fairlead.pipelines.claims import Claim
from fairlead.pipelines.kale_settings import Setting
from fairlead.pipelines.setting_formats import FORMATS

if TYPE_CHECKING:
    from fairlead.pipelines.kale import Translation

_MODES = {
    "": "ReadWriteMany",
    "rom": "ReadOnlyMany",
    "rwo": "ReadWriteOnce",
    "rwm": "ReadWriteMany",
}
_KNOWN = frozenset(
    "name mount_point type size size_type annotations storage_class_name volume_access_mode"
    " expose_as_env_var snapshot snapshot_name".split()
)
_ROK = "rok/origin"
"""Annotation that fills a claim from a snapshot in Arrikto's Rok."""


def read_volumes(metadata: dict[str, Any], made: Translation) -> list[Setting]:
    """Read the volumes of a notebook; returned is what every step asks for."""
    found: list[Setting] = []
    listed = metadata.get("volumes") or []
    if not isinstance(listed, list):
        made.refuse(-1, "volumes", "`volumes` is no list.", "Correct or remove it.")
        return []
    taken: dict[str, str] = {}
    for index, volume in enumerate(listed):
        at = f"volumes[{index}]"
        if not isinstance(volume, dict):
            made.refuse(-1, "volumes", f"`{at}` is no object.", "Correct or remove it.")
            continue
        one = _Volume(at, volume, metadata, made)
        settings = one.read()
        if one.mounted and one.mounted in taken:
            message = f"`{at}` is mounted at {one.mounted}, where `{taken[one.mounted]}` is, too."
            made.refuse(-1, "mount_point", message, "Mount one of the two elsewhere.")
            continue
        taken[one.mounted] = at
        found += settings
    return found


class _Volume:
    """One entry of `volumes`."""

    def __init__(
        self, path: str, given: dict[str, Any], metadata: dict[str, Any], made: Translation
    ) -> None:
        self._at = path
        self._given = given
        self._metadata = metadata
        self._made = made
        self._name = self._text("name")
        self._path = "/" + self._text("mount_point").strip("/")
        self.mounted = ""

    def read(self) -> list[Setting]:
        """Return what each step asks for; a claim that the run makes goes to the translation."""
        kind = self._text("type") or "pvc"
        if kind == "clone" or (kind == "new_pvc" and self._annotations().get(_ROK)):
            self._clone(kind)
            return []
        if kind not in ("pvc", "new_pvc", "pv"):
            return self._refuse("type", f"is '{kind}'", "Write pvc, new_pvc or pv.")
        if not self._name or not FORMATS["path"][0](self._path):
            what = "mount_point" if self._name else "name"
            return self._refuse(what, "is missing", "A volume has a name and a `mount_point`.")
        if not FORMATS["name"][0](self._name):
            hint = "Use lower case letters, digits, `-` and `.`."
            return self._refuse("name", f"is no name of Kubernetes: {self._name}", hint)
        self._notice_others()
        settings: list[Setting] = []
        if kind == "pvc":
            mount = [{"claim": self._name, "path": self._path}]
            settings.append(Setting("volumes", value=mount))
        elif not self._add_claim(kind):
            return []
        self.mounted = self._path
        if self._given.get("expose_as_env_var"):
            variable = "KALE_VOLUME_" + re.sub(r"[^A-Z0-9]", "_", self._name.upper())
            settings.append(Setting("env", variable, self._path))
        return settings

    def _add_claim(self, kind: str) -> bool:
        size = f"{self._text('size')}{self._text('size_type')}"
        if not FORMATS["quantity"][0](size):
            self._refuse("size", f"is no quantity above 0: {size or 'none'}", "Write 5 and Gi.")
            return False
        mode = self._text("volume_access_mode") or _text(self._metadata, "volume_access_mode")
        if mode not in _MODES:
            hint = "Write rom, rwo or rwm."
            self._refuse("volume_access_mode", f"is '{mode}'", hint)
            return False
        storage_class = self._text("storage_class_name")
        claim = Claim(
            self._name,
            self._path,
            size,
            (_MODES[mode],),
            storage_class or _text(self._metadata, "storage_class_name"),
            self._name if kind == "pv" else "",
            self._annotations(),
        )
        if any(one.task == claim.task for one in self._made.claims):
            self._refuse("name", f"is taken: {dns_label(self._name)}", "Rename one of the two.")
            return False
        self._made.claims.append(claim)
        if not claim.claim:
            message = (
                f"`{self._at}`: each run makes a claim for '{self._name}' at {self._path}, empty "
                "at first, and deletes it after its last step; one that fails leaves it."
            )
            hint = "To keep its files, make a claim once and give its name with the type `pvc`."
            self._made.warn(-1, self._name, message, hint)
        return True

    def _clone(self, kind: str) -> None:
        """Tell of a copy of another volume; refuse it where the code names files in it."""
        what = f"`{self._at}`, '{self._name}' at {self._path},"
        why = (
            "is a copy that Rok makes of a volume of the notebook's server; KFP has nothing that "
            "makes one, so it is not mounted."
            if kind == "clone"
            else f"is filled from a snapshot in Rok (`{_ROK}`); KFP has no access to it, so it is "
            "not mounted."
        )
        hint = "Put the files on a claim, and give its name with the type `pvc`."
        if self._path == "/":
            self._made.warn(-1, self._name, f"{what} {why}", hint)
            return
        index = self._mentioned()
        if index is None:
            self._made.warn(-1, self._name, f"{what} {why}", hint)
        else:
            message = f"This cell names {self._path}. {what} {why}"
            self._made.refuse(index, self._name, message, hint)

    def _mentioned(self) -> int | None:
        """Return the first cell whose code names the path, or something in it."""
        pattern = re.compile(rf"['\"]{re.escape(self._path)}(?:['\"/])")
        for index, cell in enumerate(self._made.cells):
            source = cell.get("source") or ""
            text = source if isinstance(source, str) else "".join(source)
            tags = (cell.get("metadata") or {}).get("tags") or []
            if cell.get("cell_type") == "code" and "skip" not in tags and pattern.search(text):
                return index
        return None

    def _notice_others(self) -> None:
        if self._given.get("snapshot"):
            message = f"`{self._at}.snapshot` has no effect: volumes are not snapshotted."
            hint = "Snapshot it by a VolumeSnapshot of your cluster."
            self._made.warn(-1, "snapshot", message, hint)
        for key, value in self._given.items():
            if key not in _KNOWN and value:
                message = f"`{self._at}.{key}` has no effect: it is not known."
                self._made.warn(-1, key, message, "Remove it.")

    def _annotations(self) -> dict[str, str]:
        listed = self._given.get("annotations") or []
        pairs = [(one.get("key"), one.get("value")) for one in listed if isinstance(one, dict)]
        return {str(key): str(value) for key, value in pairs if key and value not in (None, "")}

    def _text(self, key: str) -> str:
        return _text(self._given, key)

    def _refuse(self, key: str, what: str, hint: str) -> list[Setting]:
        self._made.refuse(-1, key, f"`{self._at}.{key}` {what}.", hint)
        return []


def _text(given: dict[str, Any], key: str) -> str:
    value = given.get(key)
    return "" if value is None else str(value).strip()
