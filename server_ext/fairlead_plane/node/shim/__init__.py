"""The shim: a small process between the plane and the pods, so that pods outlive the plane.

Here: starting processes, their output as log lines, waiting for them, their exit records, and the
warm interpreters. Not here: any decision; the plane makes them all.

The shim runs from these files with the standard library alone. It and everything it imports must
stay small: it is there as long as a pod is.
"""
