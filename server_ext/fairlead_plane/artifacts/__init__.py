"""Artifacts as files and as objects of a store; loaded by the plane and by a step's launcher.

Here: what an artifact's content is known by, where objects lie, how they are fetched and put.
Not here: runs and tasks; this package imports nothing else of the plane, so that a step that has
to do with objects starts fast.
"""
