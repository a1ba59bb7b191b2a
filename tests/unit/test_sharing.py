"""Share files: one file with a notebook and all that it needs."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import main
from fairlead.errors import ConflictError, SpecError
from fairlead.exchange import export
from fairlead.pipelines.exports.share import MANIFEST, build_share, read_share
from fairlead.sharing import import_share
from fairlead.sources import read_source
from local_steps import Json, code, notebook, text

CELLS = (
    text("# About"),
    code("scale = 2", "parameters"),
    code("import csv\nimport helper", "imports"),
    code("rows = [int(a) for a, in csv.reader(open('in/rows.csv'))]", "step:load"),
    code("total = helper.add(rows) * scale", "step:sum"),
)


def write(folder: Path, *cells: Json, **metadata: Any) -> Path:
    """Write a notebook with outputs, a module and data beside it."""
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "rows.csv").write_text("1\n2\n")
    (folder / "other.csv").write_text("3\n")
    (folder / "helper.py").write_text("def add(rows):\n    return sum(rows)\n")
    made = notebook(*(cells or CELLS))
    made["metadata"] = metadata
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            stream = {"output_type": "stream", "name": "stdout", "text": f"at {folder}"}
            cell |= {"execution_count": 3, "outputs": [stream]}
    path = folder / "story.ipynb"
    path.write_text(json.dumps(made))
    return path


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return write(tmp_path / "from", papermill={"input_path": "/x"}, kernelspec={"name": "python3"})


@pytest.fixture
def shared(story: Path, tmp_path: Path) -> Path:
    target = tmp_path / "story.zip"
    export(story, "share", target)
    return target


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_the_notebook_its_modules_its_data_and_nothing_else(
    story: Path, shared: Path
) -> None:
    found = contents(shared)
    assert sorted(found) == [
        MANIFEST,
        "helper.py",
        "in/rows.csv",
        "pipeline.yaml",
        "requirements.txt",
        "story.ipynb",
    ]
    inside = json.loads(found["story.ipynb"])
    assert inside["metadata"] == {"kernelspec": {"name": "python3"}}
    assert all(not cell.get("outputs") for cell in inside["cells"])
    everything = b"\n".join(found.values()).decode()
    assert str(story.parent) not in everything
    assert str(Path.home()) + "/" not in everything


def test_an_imported_notebook_is_the_same_pipeline(
    story: Path, shared: Path, tmp_path: Path
) -> None:
    made, missing = import_share(shared, tmp_path / "to")
    assert made == tmp_path / "to" / "story.ipynb"
    assert missing == []
    assert read_source(made).spec == read_source(story).spec
    assert read_source(tmp_path / "to" / "pipeline.yaml").spec == read_source(story).spec
    assert (tmp_path / "to" / "in" / "rows.csv").read_text() == "1\n2\n"


def test_the_same_content_gives_the_same_file(story: Path, shared: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    (said,) = export(story, "share", again)
    assert again.read_bytes() == shared.read_bytes()
    digest = said.split()[-1].rstrip(".")
    import_share(again, tmp_path / "to", digest)
    with pytest.raises(SpecError, match="another file than the one that was meant"):
        import_share(again, tmp_path / "too", "sha256:" + "0" * 64)


def changed(shared: Path, change: Any) -> Path:
    """Write the share file again with other content."""
    found = contents(shared)
    target = shared.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in change(found):
            archive.writestr(name, data)
    return target


def reworded(found: dict[str, bytes]) -> Any:
    return {**found, "helper.py": b"def add(rows):\n    return 0\n"}.items()


def without(found: dict[str, bytes]) -> Any:
    return [(name, data) for name, data in found.items() if name != "in/rows.csv"]


def with_more(found: dict[str, bytes]) -> Any:
    return [*found.items(), ("sitecustomize.py", b"print(1)")]


def twice(found: dict[str, bytes]) -> Any:
    return [*found.items(), ("helper.py", b"def add(rows): return 0")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (reworded, "helper.py is not what was put in"),
        (without, "in/rows.csv is missing"),
        (with_more, "sitecustomize.py is not of it"),
        (twice, "a file is in it twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_changed_file_is_refused_and_nothing_is_written(
    shared: Path, tmp_path: Path, change: Any, words: str
) -> None:
    with pytest.raises(SpecError) as caught:
        import_share(changed(shared, change), tmp_path / "to")
    assert words in caught.value.what
    assert not (tmp_path / "to").exists()


def test_every_changed_byte_of_a_share_file_is_refused_or_changes_nothing(shared: Path) -> None:
    data = shared.read_bytes()
    _, whole = read_share(data, "x")
    for place in range(0, len(data), max(1, len(data) // 300)):
        broken = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        try:
            _, found = read_share(broken, "x")
        except SpecError:
            continue
        assert found == whole


@pytest.mark.parametrize("name", ["../up.py", "/etc/x", "a/../../b", "C:\\x", "a\\b"])
def test_a_path_out_of_the_folder_is_refused(name: str) -> None:
    made = build_share("a.ipynb", "3.11", {"a.ipynb": b"{}", name: b""})
    with pytest.raises(SpecError, match="no path inside of a folder"):
        read_share(made, "x.zip")


def test_what_is_no_share_file_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("a", b"")
    for path in (plain, tmp_path / "gone.zip", Path(__file__)):
        with pytest.raises(SpecError):
            import_share(path, tmp_path / "to")
    newer = io.BytesIO()
    with zipfile.ZipFile(newer, "w") as archive:
        archive.writestr(MANIFEST, json.dumps({"format": 2, "files": {}}))
    with pytest.raises(SpecError, match="of format 2"):
        read_share(newer.getvalue(), "x.zip")


def test_a_folder_with_something_in_it_is_left_alone(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine.txt").write_text("mine")
    with pytest.raises(ConflictError):
        import_share(shared, tmp_path / "to")
    assert [p.name for p in (tmp_path / "to").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\npassword = 'hunter22'", "Cell 1, line 2: here is a text for `password`"),
        ("connect(token='abcd1234')", "Cell 1, line 1: here is a text for `token`"),
        ("c = {'api_key': 'abcd1234'}", "Cell 1, line 1: here is a text for `api_key`"),
        ("k = 'AKIAABCDEFGHIJKLMNOP'", "Cell 1, line 1: here is an access key of AWS"),
        ("u = 'https://me:pass@host/x'", "Cell 1, line 1: here is a password in a URL"),
        ("# -----BEGIN RSA PRIVATE KEY-----", "Cell 1, line 1: here is a private key"),
        ("v = 'valueofavariable'", "line 1: here is the value of the variable MY_SERVICE_TOKEN"),
    ],
)
def test_a_secret_is_refused_with_its_place_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    monkeypatch.setenv("MY_SERVICE_TOKEN", "valueofavariable")
    path = write(tmp_path / "from", code(source + "\ny = 2", "step:a"))
    with pytest.raises(SpecError) as caught:
        export(path, "share", tmp_path / "x.zip")
    assert words in caught.value.what
    assert not any(
        word in str(caught.value) for word in ("hunter22", "abcd1234", "AKIAA", "me:pass")
    )
    assert not (tmp_path / "x.zip").exists()


def test_a_path_of_this_machine_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "from"
    path = write(folder, code(f"x = open({str(folder / 'other.csv')!r})", "step:a"))
    with pytest.raises(SpecError, match="Cell 1, line 1: here is a path of this machine"):
        export(path, "share", tmp_path / "x.zip")
    (folder / "helper.py").write_text(f"PLACE = '{Path.home()}/data'\n")
    path.write_text(json.dumps(notebook(code("import helper\ny = helper.PLACE", "step:a"))))
    with pytest.raises(SpecError, match=r"helper\.py, line 1: here is a path of this machine"):
        export(path, "share", tmp_path / "x.zip")


def test_a_file_of_secrets_is_not_taken_along(tmp_path: Path) -> None:
    path = write(tmp_path / "from", code("x = open('server.pem')", "step:a"))
    (path.parent / "server.pem").write_text("x")
    with pytest.raises(SpecError, match=r"server\.pem, which looks like a secret"):
        export(path, "share", tmp_path / "x.zip")


def test_large_data_stays_behind_and_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "from", code("x = open('big.bin'), open('other.csv')", "step:a"))
    with (path.parent / "big.bin").open("wb") as file:
        file.truncate(21 * 2**20)
    said = export(path, "share", tmp_path / "x.zip")
    assert said[0] == "big.bin (21.0 MiB) stays behind: it is too large to share."
    assert "other.csv" in contents(tmp_path / "x.zip")


def test_the_command_line_shares_and_imports(
    story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(story), "--to", "share", "-o", "s.zip"]) == 0
    assert main(["import", "s.zip"]) == 0
    assert "fairlead run story/story.ipynb" in capsys.readouterr().out
    assert main(["import", "s.zip"]) == 1
    Path("s.zip").write_bytes(b"PK")
    assert main(["import", "s.zip", "-o", "new"]) == 2
