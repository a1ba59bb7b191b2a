"""A Jupyter Server with the extension, and a control plane of its own."""

import pytest

# Imported, not named in `pytest_plugins`: its event loop is for the tests of this folder alone.
from pytest_jupyter.jupyter_server import *  # noqa: F403


@pytest.fixture
def jp_server_config(jp_server_config):
    return {"ServerApp": {"jpserver_extensions": {"fairlead_server": True}}}
