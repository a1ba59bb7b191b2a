"""Training jobs from a notebook: what code needs, how it gets into pods, and a handle on a job.

Belongs here: the way from a function, script or command to a job of any kind, and back to its
state and output. What a manifest looks like is in `fairlead.kinds.training`.
"""
