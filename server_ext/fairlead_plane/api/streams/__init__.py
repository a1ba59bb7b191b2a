"""`pods/exec`, `pods/attach` and `pods/portforward`: byte streams into a pod over a WebSocket.

Here: the protocols that clients speak. Not here: processes and ports, which the node has and which
come in as arguments.
"""

from .answer import STREAMS, PodStreams, answer_stream
from .commands import Commands, Session
from .forward import Pipe, Ports

__all__ = ["STREAMS", "Commands", "Pipe", "PodStreams", "Ports", "Session", "answer_stream"]
