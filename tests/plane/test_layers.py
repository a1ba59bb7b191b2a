"""A pod's layer over a Python: its own, though one that was left clean goes on to another pod."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fairlead_plane.node.layers import Base, Layer, Layers

BASE = Base(sys.executable, "3.11.0", os.path.realpath(sys.executable), "python3.11", (), True)

CHANGES = {
    "installs": lambda layer: (layer.site / "extra.py").touch(),
    "writes to the search path": lambda layer: _append(layer.site / "fairlead-base.pth"),
    "changes its settings": lambda layer: _append(layer.folder / "pyvenv.cfg"),
    "replaces a program": lambda layer: (layer.folder / "bin" / "pip3").unlink(),
    "writes into a program": lambda layer: _append(layer.folder / "bin" / "pip"),
    "adds a folder": lambda layer: (layer.folder / "share").mkdir(),
    "removes it": lambda layer: layer.folder.rename(layer.folder.with_name("away")),
}


def _append(path) -> None:
    with open(path, "a") as file:
        file.write("\n")


def _layer(tmp_path, pod: str) -> Layer:
    return Layer(tmp_path / pod / "env", BASE)


def _inode(layer: Layer) -> int:
    return os.stat(layer.folder).st_ino


def test_a_clean_layer_goes_from_pod_to_pod(tmp_path) -> None:
    layers = Layers()
    inodes = set()
    for number in range(3):
        layer = _layer(tmp_path, str(number))
        layers.put(layer)
        inodes.add(_inode(layer))
        layers.leave(layer.folder.parent)
    assert len(inodes) == 1


def test_pods_that_run_at_the_same_time_have_layers_of_their_own(tmp_path) -> None:
    layers = Layers()
    one, two = _layer(tmp_path, "one"), _layer(tmp_path, "two")
    layers.put(one)
    layers.put(two)
    assert _inode(one) != _inode(two)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_layer_that_a_pod_has_changed_goes_to_no_other(tmp_path, change) -> None:
    layers = Layers()
    one, two, new = _layer(tmp_path, "one"), _layer(tmp_path, "two"), _layer(tmp_path, "new")
    new.make()
    layers.put(one)
    change(one)
    layers.leave(one.folder.parent)
    layers.put(two)
    found = {str(each.relative_to(two.folder)) for each in two.folder.rglob("*")}
    assert found == {str(each.relative_to(new.folder)) for each in new.folder.rglob("*")}
    for name in ("pyvenv.cfg", "bin/pip"):
        assert (two.folder / name).read_text() == (new.folder / name).read_text()


def test_nothing_is_taken_from_a_pod_that_is_being_removed(tmp_path) -> None:
    layers = Layers()
    one, two = _layer(tmp_path, "one"), _layer(tmp_path, "two")
    layers.put(one)
    layers.leave(one.folder.parent)
    layers.forget(one.folder.parent)
    layers.put(two)
    assert one.folder.exists()


def test_a_layer_over_another_python_is_none_for_a_pod(tmp_path) -> None:
    layers = Layers()
    one = _layer(tmp_path, "one")
    layers.put(one)
    layers.leave(one.folder.parent)
    layers.put(Layer(tmp_path / "two" / "env", BASE._replace(version="3.12.0")))
    assert one.folder.exists()


@pytest.mark.parametrize("name", ["pip", "pip3"])
def test_pip_runs_in_its_layer_wherever_that_has_been_moved(tmp_path, name: str) -> None:
    layer = _layer(tmp_path, "a pod")
    layer.make()
    folder = layer.folder.rename(tmp_path / "moved here")
    command = [str(folder / "bin" / name), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("pip ")
