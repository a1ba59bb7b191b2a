"""The volumes of a pod: from the entry in its spec to a folder, and where a container sees it.

Here: the files of each kind of volume, their updates, and the plan of mounts that the shim carries
out. Not here: who makes and binds claims; that is their controller.
"""
