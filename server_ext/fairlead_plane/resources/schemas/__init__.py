"""What an object of each kind may hold.

Here: the schemas of the built-in kinds (data files, read per kind when first used) and of custom
resources, behind one view; strict decoding, defaults and validation by them. Not here: HTTP, the
store, and which kinds exist.
"""

from .schema import Schema, builtin_schema, crd_schema

__all__ = ["Schema", "builtin_schema", "crd_schema"]
