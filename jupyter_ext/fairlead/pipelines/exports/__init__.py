"""A notebook's pipeline in forms that others take: Python of kfp, a kustomize folder, a share file.

Belongs here: pure functions from plans and specs to texts and bytes. What does not: reading and
writing of files, which `fairlead.exchange` does.
"""
