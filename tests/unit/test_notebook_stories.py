"""Tricky notebooks end as IPython ends them, or say beforehand what may come out otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from notebook_outcomes import Story, complaints, read_stories

FILES = sorted((Path(__file__).parent / "stories").glob("*.txt"))
STORIES = {f"{file.stem}: {s.name}": s for file in FILES for s in read_stories(file)}


@pytest.mark.parametrize("name", STORIES)
def test_a_notebook_ends_as_its_story_tells(name: str, tmp_path: Path) -> None:
    story: Story = STORIES[name]
    assert not complaints(story, tmp_path)
