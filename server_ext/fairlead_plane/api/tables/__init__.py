"""Tables: the columns that `kubectl get` shows for each kind.

Here: one function per column, as the printers of the real API server. Not here: the form of an
answer (`forms`), and how a client lays a table out.
"""

from .columns import Column, columns_of

__all__ = ["Column", "columns_of"]
