"""A log that has grown too long: its parts, read as one, whole, from the end, and as it grows."""

from __future__ import annotations

import pytest

from fairlead_plane.node.log_parts import LogParts
from fairlead_plane.node.logs import read_end
from fairlead_plane.node.shim import output

LINE_BYTES = 100


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "MAX_PART_BYTES", 10 * LINE_BYTES)
    made = output.LogFile(str(tmp_path / "0.log"))
    yield made
    made.close()


def write(log, *numbers):
    """Write lines that take `LINE_BYTES` each in the file."""
    for number in numbers:
        log.feed("stdout", f"{number:059}\n".encode())


def numbers(data):
    return [int(line.rpartition(b" ")[2]) for line in data.splitlines()]


def read_all(parts, position=0):
    found = b""
    while True:
        data, position = parts.read(position, 1 << 16)
        if not data:
            return numbers(found), position
        found += data


def test_the_newest_parts_are_kept(log, tmp_path):
    write(log, *range(100))
    assert len(list(tmp_path.iterdir())) == output.MAX_PARTS
    parts = LogParts(tmp_path / "0.log")
    start, end = parts.bounds()
    assert end == log.size == 100 * LINE_BYTES
    found, position = read_all(parts)
    assert position == end
    assert found == list(range(start // LINE_BYTES, 100))
    assert len(found) > 40


def test_one_who_reads_as_it_grows_misses_nothing(log, tmp_path):
    parts = LogParts(tmp_path / "0.log")
    found, position = [], 0
    for number in range(100):
        write(log, number)
        if number % 7 == 0:
            more, position = read_all(parts, position)
            found += more
    more, _ = read_all(parts, position)
    assert found + more == list(range(100))


def test_one_who_comes_late_goes_on_with_what_is_kept(log, tmp_path):
    parts = LogParts(tmp_path / "0.log")
    write(log, 0)
    _, position = read_all(parts)
    write(log, *range(1, 100))
    found, _ = read_all(parts, position)
    assert found == list(range(found[0], 100))
    assert found[0] > 1


@pytest.mark.parametrize("lines", [1, 9, 10, 11, 35, 1000])
def test_the_last_lines_are_those_of_several_parts(log, tmp_path, lines):
    write(log, *range(100))
    found = read_end(tmp_path / "0.log", lines, 1 << 20)
    kept = 100 - LogParts(tmp_path / "0.log").bounds()[0] // LINE_BYTES
    assert [int(line) for line in found.splitlines()] == list(range(100 - min(lines, kept), 100))


def test_a_log_that_is_not_there_is_empty(tmp_path):
    parts = LogParts(tmp_path / "0.log")
    assert (parts.bounds(), parts.read(0, 10)) == ((0, 0), (b"", 0))


def test_a_part_that_is_just_being_put_away_counts_once(log, tmp_path):
    write(log, *range(15))
    (tmp_path / f"0.log.{10 * LINE_BYTES}").hardlink_to(tmp_path / "0.log")
    assert read_all(LogParts(tmp_path / "0.log"))[0] == list(range(15))


def test_the_log_of_a_pod_is_followed_beyond_the_end_of_a_part(pods):
    lines = 260_000  # 12 MB of text, more of log
    pods.create("pod", f"for n in range({lines}): print(f'{{n:045}}')")
    found = b"".join(pods.follow("pod")).split()
    assert len(found) == lines
    assert [int(one) for one in found] == list(range(lines))
    assert pods.log("pod", tail_lines=3).split() == [f"{n:045}" for n in range(lines - 3, lines)]
