"""A Jupyter Server with the extension, and a control plane of its own."""

import pytest


@pytest.fixture
def jp_server_config(jp_server_config):
    return {"ServerApp": {"jpserver_extensions": {"fairlead_server": True}}}
