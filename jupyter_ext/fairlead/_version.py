"""The one version number; `labextension/package.json` carries the same."""

__version__ = "0.1.0"
