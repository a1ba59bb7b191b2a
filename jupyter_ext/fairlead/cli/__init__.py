"""The command line: `fairlead COMMAND`.

Belongs here: arguments, what is printed, exit codes. What a command does is in `fairlead.client`.
Exit codes: 0 done, 1 the run failed or was stopped, 2 refused before anything started.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fairlead.cli.arguments import build_parser
from fairlead.errors import FairleadError, SpecError

REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = build_parser().parse_args(arguments)
    try:
        code: int = given.action(given)
    except FairleadError as error:
        print(f"fairlead: {error}", file=sys.stderr)
        return REFUSED if isinstance(error, SpecError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has left, as `head` does.
        sys.stderr.close()
        return 0
    return code
