"""The local kubelet: pods become process groups of this machine.

Here: the life of a pod that is bound to this machine, its processes, logs, the shim and the warm
interpreters. Not here: who made a pod, and why.
"""
