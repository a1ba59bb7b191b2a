"""The scheduler: decides which pod gets a node, and when.

Here: the account of what the nodes have against what pods ask for, the order of the queue, gangs,
preemption, devices. Not here: running a pod; the node does that once `spec.nodeName` names it.
"""

from .scheduler import Scheduler

__all__ = ["Scheduler"]
