"""What an image is on this machine, where none is pulled: a Python, packages, a command.

An administrator says it in the ConfigMap `fairlead-images` of the namespace `kube-system`, under
the key `images.yaml`; a change holds from the next start of a container on:

    - image: "jupyter/scipy-notebook*"     # pattern of the image's name; the first that fits holds
      python: /opt/conda/bin/python        # absolute; default: that of whoever made the pod
      packages: [scipy, "pandas>=2"]       # beside what that Python has
      command: [start-notebook.sh]         # of a container that names none
      args: [--port=8888]
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

from ..resources import CONFIG_MAP, Resources
from .problems import HoldError

MAP_NAMESPACE, MAP_NAME, MAP_KEY = "kube-system", "fairlead-images", "images.yaml"

_LISTS = ("packages", "command", "args")


class Image(NamedTuple):
    """What a container gets from the name of its image."""

    python: str = ""
    packages: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()


async def find_image(resources: Resources, name: str) -> Image:
    """Return what the map says of an image; an empty one where it says nothing.

    Raises
    ------
    HoldError
        The map cannot be read; the message names the place.
    """
    found = await resources.find(CONFIG_MAP, MAP_NAME, MAP_NAMESPACE)
    if found is None:
        return Image()
    try:
        entries = _parse((found.get("data") or {}).get(MAP_KEY, ""))
    except ValueError as error:
        where = f"configmap {MAP_NAMESPACE}/{MAP_NAME}, {MAP_KEY}"
        raise HoldError("CreateContainerConfigError", f"{where}: {error}") from error
    return next((image for pattern, image in entries if fnmatchcase(name, pattern)), Image())


@lru_cache(maxsize=4)
def _parse(text: str) -> tuple[tuple[str, Image], ...]:
    import yaml  # loaded for the first image of a map

    try:
        entries: Any = yaml.safe_load(text) or []
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {error}") from error
    if not isinstance(entries, list):
        raise ValueError("a list of images is needed")
    found = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("image"), str):
            raise ValueError(f"[{index}].image: a pattern is needed")
        unknown = sorted(set(entry) - {"image", "python", *_LISTS})
        if unknown:
            raise ValueError(f"[{index}].{unknown[0]}: there is no such field")
        lists = {name: entry.get(name) or [] for name in _LISTS}
        for name, words in lists.items():
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise ValueError(f"[{index}].{name}: a list of strings is needed")
        python = entry.get("python") or ""
        if not isinstance(python, str) or not (python.startswith("/") or not python):
            raise ValueError(f"[{index}].python: an absolute path is needed")
        image = Image(python, **{name: tuple(words) for name, words in lists.items()})
        found.append((entry["image"], image))
    return tuple(found)
