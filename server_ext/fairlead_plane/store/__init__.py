"""The database of the plane: one SQLite file, one writer.

Here: the connections, the writer thread and the migrations of every part. Not here: what an
object is; that is `resources`. The parts own their tables and register them by `Store.migrate`.
"""

from .database import Store, StoreError

__all__ = ["Store", "StoreError"]
