"""The local kubelet: pods become process groups of this machine.

Here: admission by capacity, the life of a pod, its processes, logs, the shim and the warm
interpreters. Not here: who made a pod, and why.
"""
