"""What all tests share: a data directory of their own, and a control plane in it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from fairlead.kube.contexts import plane_pid, start_plane, stop_plane

# Makes the helpers beside this file importable by their names.
sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure():
    """Let Hypothesis take its time, and draw the same examples in each run of CI."""
    settings.register_profile(
        "fairlead",
        # A machine that is busy with other things is no finding.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize="FAIRLEAD_REQUIRE_ALL" in os.environ,
    )
    settings.load_profile("fairlead")


@pytest.fixture(scope="module")
def data_dir():
    """A data directory for the tests of one file; its control plane is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="fairlead-"))
    before = os.environ.get("FAIRLEAD_DATA_DIR")
    os.environ["FAIRLEAD_DATA_DIR"] = str(folder)
    yield folder
    stop_plane()
    if before is None:
        del os.environ["FAIRLEAD_DATA_DIR"]
    else:
        os.environ["FAIRLEAD_DATA_DIR"] = before
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of schemas and published inputs, named by `FAIRLEAD_TEST_DATA`."""
    folder = Path(os.environ.get("FAIRLEAD_TEST_DATA") or Path(__file__).parents[2] / "shared")
    if not (folder / "crds").is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} has no test data, and CI must have it")
        pytest.skip(f"no test data in {folder}: set FAIRLEAD_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def assert_valid(shared_data):
    """The strict check of manifests against the real schemas."""
    sys.path.insert(0, str(shared_data / "tools"))
    from check_manifest import assert_valid

    return assert_valid


@pytest.fixture
def api_proxy(data_dir):
    """The control plane of the data directory behind an address that counts, hides and refuses."""
    from api_proxy import ApiProxy

    start_plane()
    proxy = ApiProxy(data_dir / "kubeconfig")
    yield proxy
    proxy.stop()


@pytest.fixture(scope="session")
def kill_plane():
    """Ends the control plane of the data directory as a crash would, if it runs."""

    def kill():
        pid = plane_pid()
        if pid is not None:
            process = psutil.Process(pid)
            process.kill()
            psutil.wait_procs([process], timeout=10)

    return kill
