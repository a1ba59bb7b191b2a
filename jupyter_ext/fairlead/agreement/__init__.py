"""Whether a notebook gives the same as a pipeline as it gives when it is run from top to bottom.

Belongs here: running it both ways in copies of its folder, and finding the first difference.
"""

from __future__ import annotations

from fairlead.agreement.check import Agreement, check_notebook
from fairlead.agreement.differences import Difference

__all__ = ["Agreement", "Difference", "check_notebook"]
