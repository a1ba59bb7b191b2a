"""The Kubernetes API over HTTP: paths, verbs, streams, authentication.

Here: what is HTTP about the API. Not here: rules about objects (`resources`), and what a pod or a
run does: logs and proxied services come in as arguments.
"""

from .app import ApiServer
from .http import AsgiApp
from .streams import PodStreams

__all__ = ["ApiServer", "AsgiApp", "PodStreams"]
