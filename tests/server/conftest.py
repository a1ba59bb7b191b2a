"""A Jupyter Server for the tests of this folder."""

# Imported, not named in `pytest_plugins`: its event loop is for the tests of this folder alone.
from pytest_jupyter.jupyter_server import *  # noqa: F403
