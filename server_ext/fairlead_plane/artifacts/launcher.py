"""Around a step that has to do with objects of a store: fetches its inputs, puts its outputs.

Run as a file by the Python that Fairlead runs in, with a JSON object and then the step's own
command. It takes the credentials out of the environment before the step begins, and ends as the
step ends. Used only where an object is involved.

What it says is for the step's log; what it learnt of the objects is for the plane, in a file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn

from fairlead_plane.artifacts.access import Access
from fairlead_plane.artifacts.content import sha256
from fairlead_plane.artifacts.objects import Store, StoreError
from fairlead_plane.artifacts.places import Place, remote

Json = Any

SECRET_VARIABLE = "FAIRLEAD_OBJECTS_{}_{}"
"""Of the number of a bucket and the number of a key."""

_FAILED = 1


def main(arguments: list[str]) -> int:
    """Fetch, run, put; return the exit code of the step, or 1 when the store is the fault."""
    plan: Json = json.loads(arguments[0])
    environ = dict(os.environ)
    buckets = [_Bucket(number, one, environ) for number, one in enumerate(plan["buckets"])]
    try:
        for uri in plan["inputs"]:
            place = _place(uri)
            if not _store_of(buckets, place).fetch(place, place.path):
                print(f"fairlead: nothing is at {uri}", file=sys.stderr, flush=True)
        for uri in plan["outputs"]:
            place = _place(uri)
            # What is wrong with the settings shows now, not after hours of training.
            _store_of(buckets, place)
            os.makedirs(os.path.dirname(place.path), exist_ok=True)
        code = _run(arguments[1:], environ)
        if code == 0:
            known = {uri: _put(buckets, uri, path) for uri, path in _written(plan)}
            with open(plan["report"], "w", encoding="utf-8") as file:
                json.dump({uri: one for uri, one in known.items() if one}, file)
    except StoreError as error:
        print(f"fairlead: {error}", file=sys.stderr, flush=True)
        with open(plan["error"], "w", encoding="utf-8") as file:
            json.dump({"ename": "StoreError", "evalue": str(error)}, file)
        return _FAILED
    return code


class _Bucket:
    """A bucket of the plan; its store is opened when first needed."""

    def __init__(self, number: int, entry: Json, environ: dict[str, str]) -> None:
        self.scheme, self.bucket, self.prefix = entry["scheme"], entry["bucket"], entry["prefix"]
        access = {**entry["access"], "keys": tuple(entry["access"]["keys"])}
        self._access = Access(**access)
        names = [SECRET_VARIABLE.format(number, key) for key in range(len(self._access.keys))]
        values = [environ.pop(name, "") for name in names]
        # A Secret that need not be there stands behind what the step itself says.
        own = self._access.optional and environ.get("AWS_ACCESS_KEY_ID")
        self._secrets = tuple(values) if all(values) and not own else ()
        self._environ = environ
        self._store: Store | None = None

    def holds(self, place: Place) -> bool:
        """Whether an object is in it."""
        return (self.scheme, self.bucket) == (place.scheme, place.bucket) and (
            place.key.startswith(self.prefix)
        )

    def store(self, place: Place) -> Store:
        """Return its store."""
        if self._store is None:
            self._store = Store(place, self._access, self._secrets, self._environ)
        return self._store


def _store_of(buckets: list[_Bucket], place: Place) -> Store:
    # Those of longer prefixes come first.
    for bucket in buckets:
        if bucket.holds(place):
            return bucket.store(place)
    # A place that the step made up itself: as the step's own variables have it.
    return Store(place, Access(), (), dict(os.environ))


def _place(uri: str) -> Place:
    place = remote(uri)
    assert place is not None, uri
    return place


def _run(command: list[str], environ: dict[str, str]) -> int:
    # The whole group gets the signal, so also the step: here it only must not end us before it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.run(command, env=environ).returncode
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return 127
    return 128 - code if code < 0 else code


def _written(plan: Json) -> Iterator[tuple[str, str]]:
    """Yield uri and path of all that the step may have written."""
    said: Json = {}
    try:
        with open(plan["output_file"], encoding="utf-8") as file:
            said = json.load(file)
    except (FileNotFoundError, ValueError):
        pass  # a step that is no lightweight component writes none; the plane says what is wrong
    artifacts = said.get("artifacts") if isinstance(said, dict) else None
    uris = dict.fromkeys(plan["outputs"])
    paths: dict[str, str] = {}
    for entry in artifacts.values() if isinstance(artifacts, dict) else ():
        listed = entry.get("artifacts") if isinstance(entry, dict) else None
        for one in listed if isinstance(listed, list) else ():
            uri = one.get("uri") if isinstance(one, dict) else None
            if isinstance(uri, str) and remote(uri):
                uris[uri] = None
                custom = one.get("customPath") or one.get("custom_path")
                if isinstance(custom, str) and custom:
                    paths[uri] = custom
    for uri in uris:
        yield uri, paths.get(uri) or _place(uri).path


def _put(buckets: list[_Bucket], uri: str, path: str) -> Json:
    """Put what lies at a path; return what it is known by, `None` when there is nothing."""
    if not os.path.exists(path):
        return None
    place = _place(uri)
    store = _store_of(buckets, place)
    store.put(path, place)
    stamp, size = store.stamp(place)
    return {"stamp": stamp, "size": size, "sha256": sha256(path)}


def _end(code: int) -> NoReturn:
    """End at once: the store's library has threads, and one that outlives Python aborts it all."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    try:
        _end(main(sys.argv[1:]))
    except Exception:
        traceback.print_exc()
        _end(_FAILED)
