"""A real JupyterLab with the built extension, in a real Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from lab import BUILT, CHROMIUM_FLAGS, PATIENCE_MS, ROOT, find_chromium, run_lab

REQUIRE_ALL = bool(os.environ.get("FAIRLEAD_REQUIRE_ALL"))

TEST_S = 900


def pytest_collection_modifyitems(items):
    """Mark every test of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("ui")
            item.add_marker(pytest.mark.timeout(TEST_S))


def absent(what):
    """Skip a test whose tool is not here, saying so; where all must be there, fail."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is missing, and this run must have everything")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="module")
def browser():
    """Chromium of this system, driven by playwright, whose event loop ends with the module."""
    chromium = find_chromium()
    if chromium is None:
        absent("Chromium")
    if not (BUILT / "package.json").exists():
        absent("the built front end (cd labextension && jlpm build:prod)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=CHROMIUM_FLAGS, timeout=PATIENCE_MS
        )
        yield started
        started.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep a picture of what a failed test saw, where a folder for them is named."""
    report = yield
    folder = os.environ.get("FAIRLEAD_TEST_PICTURES")
    if folder and report.when == "call" and report.failed and "browser" in item.fixturenames:
        for number, context in enumerate(item.funcargs["browser"].contexts):
            for page in context.pages:
                page.screenshot(path=str(Path(folder) / f"{item.name}-{number}.png"))
    return report


@pytest.fixture
def lab(data_dir, tmp_path):
    """JupyterLab in a folder with the example notebook."""
    with run_lab(tmp_path) as running:
        shutil.copy(ROOT / "binder" / "digits.ipynb", running.folder)
        yield running


@pytest.fixture(scope="module")
def running_lab(data_dir, tmp_path_factory):
    """JupyterLab for the tests of one file."""
    with run_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def shared_lab(running_lab):
    """As `lab`, but started once for a file.

    Only where no test sees what another has run: its folder is the same, and so steps that were
    run in it before come from the cache.
    """
    shutil.copy(ROOT / "binder" / "digits.ipynb", running_lab.folder)
    yield running_lab
    running_lab.close()
    running_lab.clear()
