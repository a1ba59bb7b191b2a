"""`pods/NAME/proxy` and `services/NAME/proxy`: HTTP and WebSockets to what runs behind them.

Here: what the API server does between a client and a back end. Not here: ports of pods, which the
node has and which come in as an argument.
"""

from .answer import answer_proxy
from .local import ALIAS_PREFIX, ALIAS_SERVICE, Services

__all__ = ["ALIAS_PREFIX", "ALIAS_SERVICE", "Services", "answer_proxy"]
